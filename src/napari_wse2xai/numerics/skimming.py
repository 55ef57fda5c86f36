"""Which values of a map are unlike those around them."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.noise import MAD_TO_SIGMA

REACH = 2
"""Rows and columns around a pixel that are compared with it."""
THRESHOLD = 8.0


def local_median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of the pixels around each, itself left out: (..., ny, nx) of values with NaN; NaN where fewer than three are known."""
    flat = values.reshape(-1, *values.shape[-2:])
    return np.stack([_median_of(_around(one)) for one in flat]).reshape(values.shape)


def outliers(values: NDArray[np.float32], errors: NDArray[np.float32], *, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
    """(ny, nx) True where a value differs from those around by more than its error and their scatter explain."""
    around = _around(values)
    middle = _median_of(around)
    scatter = MAD_TO_SIGMA * _median_of(np.abs(around - middle))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(values - middle) > threshold * np.hypot(np.nan_to_num(errors), scatter))


def _around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(24, ny, nx) values of the pixels around each, NaN beyond the edge."""
    ny, nx = values.shape
    padded = np.pad(values, REACH, constant_values=np.nan)
    shifts = [(dy, dx) for dy in range(2 * REACH + 1) for dx in range(2 * REACH + 1) if (dy, dx) != (REACH, REACH)]
    return np.stack([padded[dy : dy + ny, dx : dx + nx] for dy, dx in shifts])


def _median_of(around: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over the first axis without NaN; NaN where fewer than three are known."""
    known = np.isfinite(around).sum(axis=0)
    ordered = np.sort(around, axis=0)  # NaN last
    low, high = np.maximum((known - 1) // 2, 0), np.maximum(known // 2, 0)
    pair = [np.take_along_axis(ordered, at[None], axis=0)[0] for at in (low, np.minimum(high, np.maximum(known - 1, 0)))]
    return np.where(known >= 3, 0.5 * (pair[0] + pair[1]), np.nan).astype(np.float32)
