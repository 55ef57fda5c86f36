"""How well a prediction fits what was measured."""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.numerics import relative_error


class Measured(NamedTuple):
    """Scores of one prediction."""

    r2: float
    """1 for a perfect prediction, 0 for the mean, negative for worse."""
    mae: float
    """Mean absolute error in the target's unit."""
    mape: float
    """Mean absolute percentage error, percent: the paper's measure; NaN where values near zero make it meaningless."""
    wape: float
    """Sum of absolute errors over the sum of absolute values, percent."""


def measure(y: ArrayLike, prediction: ArrayLike) -> Measured:
    """Score a prediction; pixels without a measured or predicted value are left out.

    Parameters
    ----------
    y, prediction : (n,) in the same unit

    Warns
    -----
    DataWarning
        There is no MAPE because some measured values lie near zero.
    """
    measured, predicted = _both(y, prediction)
    percent = relative_error.mape(measured, predicted)
    if not np.isfinite(percent):
        near = relative_error.share_near_zero(measured)
        message = f"{near:.1%} of the measured values lie near zero, where MAPE means nothing: it is left out; read WAPE or MAE instead."
        warnings.warn(message, DataWarning, stacklevel=2)
    error = float(np.abs(predicted - measured).mean())
    return Measured(float(r2(measured, predicted)), error, percent, relative_error.wape(measured, predicted))


def r2(y: NDArray[np.float64], prediction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficient of determination along the first axis: (n, ...) gives (...); NaN where y does not vary."""
    spread = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(spread > 0, 1.0 - ((y - prediction) ** 2).sum(axis=0) / spread, np.nan))


def noise_ceiling(y: ArrayLike, errors: ArrayLike) -> float:
    """Largest R2 that any model can reach on a target (n,) with these standard errors (n,); NaN where none is known.

    ``1 - mean(error^2) / variance``: the share of the target's variance that is no error of its own.
    """
    values, error = np.asarray(y, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    known = np.isfinite(values) & np.isfinite(error)
    if known.sum() < 2 or not np.var(values[known]):
        return float("nan")
    return max(0.0, 1.0 - float(np.mean(error[known] ** 2)) / float(np.var(values[known])))


def _both(y: ArrayLike, prediction: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values where both are finite."""
    measured, predicted = np.asarray(y, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if measured.shape != predicted.shape or measured.ndim != 1:
        raise DataError(
            f"A prediction of shape {predicted.shape} cannot be scored against {measured.shape} measured values; give (n,) and (n,)."
        )
    known = np.isfinite(measured) & np.isfinite(predicted)
    if not known.any():
        raise DataError("No pixel has both a measured and a predicted value, so nothing can be scored.")
    return measured[known], predicted[known]
