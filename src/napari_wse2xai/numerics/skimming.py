"""Which values of a map are unlike those around them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from napari_wse2xai.numerics.noise import MAD_TO_SIGMA

REACH = 2
"""Rows and columns around a pixel that are compared with it."""
THRESHOLD = 8.0


def local_median(values: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Median of the pixels around each of some, itself left out.

    Parameters
    ----------
    values : (ny, nx) with NaN
    where : (ny, nx) the m pixels asked for

    Returns
    -------
    (m,) NaN where fewer than three are known
    """
    return _median_of(_around(values, *np.nonzero(where)))


def outliers(values: NDArray[np.float32], errors: NDArray[np.float32], *, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
    """(ny, nx) True where a value differs from those around by more than its error and their scatter explain."""
    result = np.zeros(values.shape, dtype=bool)
    rows, columns = np.nonzero(_may_differ(values, threshold * np.nan_to_num(errors)))
    around = _around(values, rows, columns)
    middle = _median_of(around)
    scatter = MAD_TO_SIGMA * _median_of(np.abs(around - middle[:, None]))
    error = np.nan_to_num(errors[rows, columns])
    with np.errstate(invalid="ignore"):
        result[rows, columns] = np.abs(values[rows, columns] - middle) > threshold * np.hypot(error, scatter)
    return result


def _may_differ(values: NDArray[np.float32], by: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the highest or lowest pixel around is as far off as that: elsewhere their median, which takes longer to find, is not either."""
    known = np.isfinite(values)
    size = 2 * REACH + 1
    highest = maximum_filter(np.where(known, values, -np.inf), size, mode="constant", cval=-np.inf)
    lowest = minimum_filter(np.where(known, values, np.inf), size, mode="constant", cval=np.inf)
    with np.errstate(invalid="ignore"):
        return np.asarray(known & (np.maximum(highest - values, values - lowest) > by))


def _around(values: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float32]:
    """(m, 24) values of the pixels around each of m, NaN beyond the edge."""
    size = 2 * REACH + 1
    windows = sliding_window_view(np.pad(values, REACH, constant_values=np.nan), (size, size))[rows, columns].reshape(-1, size * size)
    return np.concatenate([windows[:, : size * size // 2], windows[:, size * size // 2 + 1 :]], axis=1)


def _median_of(around: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over the last axis without NaN; NaN where fewer than three are known."""
    ordered = np.sort(around, axis=1)  # NaN last
    known = around.shape[1] - np.isnan(ordered).sum(axis=1)
    low, high = np.maximum((known - 1) // 2, 0), np.clip(known // 2, 0, np.maximum(known - 1, 0))
    each = np.arange(len(around))
    return np.where(known >= 3, 0.5 * (ordered[each, low] + ordered[each, high]), np.nan).astype(np.float32)
