"""Errors of lines that are a few errors high: the curvature at a minimum that noise helped to choose says too little."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import FORM, HEIGHT, POSITION

MORE = np.array([4.0, 6.0, 0.0, 0.0])
"""Variance that position, FWHM, height and form have more, over the squared height in errors: measured by `benchmarks/weak_lines.py`."""
AWAY = np.array([40.0, 40.0, 0.0, 200.0])
"""The same of the squared distance from what the mean spectrum shows, over the fourth power: noise may have led a weak line there."""


def of_weak_lines(parameters: NDArray[np.float64], error: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors of the errors to first order, (pixel, peak, 4) as both; `usual` (peak, 4) is what the mean spectrum shows.

    Notes
    -----
    A line that noise narrows has a small error for that very reason: the variance of (estimate - truth) / error rises as
    1 + c / (height / its error)^2, most where the line is least like the others of the map.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        significance = np.nan_to_num(parameters[..., HEIGHT] / error[..., HEIGHT], nan=np.inf)
        away = np.nan_to_num((parameters - usual) / error, nan=0.0, posinf=0.0, neginf=0.0)
    square = np.maximum(significance[..., None] ** 2, 1.0)
    more = MORE + AWAY * away**2 / square
    more[..., POSITION] = np.maximum(more[..., POSITION], more[..., FORM])  # noise that leans a line to one side takes its top along
    return np.asarray(np.sqrt(1.0 + more / square))
