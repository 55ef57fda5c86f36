"""Spectra fitted with another problem than their own, and what that changes."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.stages._fitting import Done, Fit

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

Values = NDArray[np.float64]


def fitted_otherwise(
    other: "Problem", problem: "Problem", fit: Fit, counts: NDArray[np.float32], rows: NDArray[np.intp], start: Values, progress: Done
) -> tuple[Values, Values]:
    """Parameters (row, peak, 4) of another problem for some pixels of a fit, from a start, and by how much chi2 rises with it (row,)."""
    from napari_wse2xai.numerics import least_squares
    from napari_wse2xai.numerics.uncertainty import objective

    found = least_squares.fit(other, counts, least_squares.Tolerance(1e-5, 40), start=start, progress=progress)
    rise = objective(other, counts, found) - objective(problem, counts, fit.found[rows])
    return found, np.asarray(rise / fit.quality.noise[rows] ** 2)
