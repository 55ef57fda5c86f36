"""Errors of lines that are a few errors high: the curvature at a minimum that noise helped to choose says too little."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import HEIGHT

MORE = np.array([10.0, 20.0, 0.0, 0.0])
"""Variance that position, FWHM, height and form have more, over the squared height in errors: measured by `benchmarks/weak_lines.py`."""


def of_weak_lines(parameters: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factors of the errors to first order, (pixel, peak, 4) as both.

    Notes
    -----
    A line that noise narrows has a small error for that very reason: the variance of (estimate - truth) / error rises as
    1 + c / (height / its error)^2.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        significance = np.nan_to_num(parameters[..., HEIGHT] / error[..., HEIGHT], nan=np.inf)
    return np.asarray(np.sqrt(1.0 + MORE / np.maximum(significance[..., None] ** 2, 1.0)))
