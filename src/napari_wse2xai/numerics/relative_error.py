"""How far predictions are off, in percent of what was measured, and whether that means anything."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEAR_ZERO = 0.05
"""A value is near zero where it is smaller than this share of the target's median size; MAPE divides by it."""
NEAR_ZERO_SHARE = 0.01
"""Share of pixels near zero above which MAPE means nothing."""
NOTHING = 1e-3
"""A single value below this share of the median size makes MAPE mean nothing by itself."""


def share_near_zero(y: ArrayLike) -> float:
    """Share of values (n,) so small that a percentage of them means nothing."""
    size = np.abs(np.asarray(y, dtype=np.float64))
    size = size[np.isfinite(size)]
    return float(np.mean(size <= NEAR_ZERO * np.median(size))) if size.size else 0.0


def mape(measured: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute error in percent of each value; NaN where values near zero make it meaningless, or nothing is known."""
    values, size = _known(measured, predicted)
    if not size.size or share_near_zero(size) > NEAR_ZERO_SHARE or size.min() <= NOTHING * np.median(size):
        return float("nan")
    return 100.0 * float(np.mean(values / size))


def wape(measured: ArrayLike, predicted: ArrayLike) -> float:
    """Sum of absolute errors in percent of the sum of absolute values: it stands values near zero; infinite where all are zero."""
    errors, size = _known(measured, predicted)
    return 100.0 * float(errors.sum() / size.sum()) if size.any() else float("inf")


def in_percent(mape: float, wape: float) -> str:
    """``MAPE 3.1 %``, or ``WAPE 12.0 %`` where MAPE means nothing."""
    name, value = ("MAPE", mape) if np.isfinite(mape) else ("WAPE", wape)
    return f"{name} {value:.1f} %" if np.isfinite(value) else "no error in percent"


def _known(measured: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Absolute errors and sizes of what has both values."""
    values, prediction = np.asarray(measured, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    known = np.isfinite(values) & np.isfinite(prediction)
    return np.abs(prediction[known] - values[known]), np.abs(values[known])
