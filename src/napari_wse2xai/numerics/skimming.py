"""Which values of a map are unlike those around them."""

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.noise import MAD_TO_SIGMA

Values = NDArray[np.float32]
Count = int | NDArray[np.intp]
REACH = 2
"""Rows and columns around a pixel that are compared with it."""
THRESHOLD = 8.0
"""Errors and scatters by which a value must differ: far out, since a grain or an edge of the flake differs too, and is real."""
AT_ONCE = 16384
"""Pixels compared with those around them together: these stay in the cache."""


def local_median(values: Values, where: NDArray[np.bool_]) -> Values:
    """Median of the pixels around each of some, itself left out.

    Parameters
    ----------
    values : (..., ny, nx) maps with NaN
    where : (ny, nx) the m pixels asked for

    Returns
    -------
    (..., m) NaN where fewer than three are known
    """
    around, which, result = _Around(values), np.flatnonzero(where), []
    for first in range(0, values.size, where.size):
        ordered = np.sort(around.of(first + which), axis=0)
        result.append(_middle(ordered, _known(ordered)))
    return np.reshape(result, (*values.shape[:-2], len(which)))


def outliers(values: Values, errors: Values, *, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
    """(..., ny, nx) True where a value of a map differs from those around by more than its error and their scatter explain."""
    result, around, error = np.zeros(values.shape, dtype=bool), _Around(values), np.nan_to_num(errors)
    which = np.flatnonzero(_may_differ(values, threshold * error))
    for first in range(0, len(which), AT_ONCE):
        some = which[first : first + AT_ONCE]
        result.ravel()[some] = _differ(values.ravel()[some], error.ravel()[some], around.of(some), threshold)
    return result


def _differ(value: Values, error: Values, around: Values, threshold: float) -> NDArray[np.bool_]:
    """(m,) True where values with errors (m,) differ from those around (24, m)."""
    ordered = np.sort(around, axis=0)
    known = _known(ordered)
    middle = _middle(ordered, known)
    away = np.abs(value - middle)
    # Half of the values lie within their scatter of the middle, so one of these two does: that spares most the exact scatter.
    inner = (known - (known + 1) // 2) // 2
    scatter = np.fmin(middle - _ranked(ordered, inner), _ranked(ordered, known - 1 - inner) - middle)
    with np.errstate(invalid="ignore"):
        differ = np.asarray(away > threshold * np.hypot(error, MAD_TO_SIGMA * scatter))
        some = np.flatnonzero(differ)
        exact = _middle(np.sort(np.abs(around[:, some] - middle[some]), axis=0), known if isinstance(known, int) else known[some])
        differ[some] = away[some] > threshold * np.hypot(error[some], MAD_TO_SIGMA * exact)
    return differ


def _may_differ(values: Values, by: Values) -> NDArray[np.bool_]:
    """Where the highest or lowest pixel around is as far off as that: elsewhere their median, which takes longer to find, is not either."""
    known = np.isfinite(values)
    highest = _around(np.maximum, np.where(known, values, np.float32(-np.inf)), -np.inf)
    lowest = _around(np.minimum, np.where(known, values, np.float32(np.inf)), np.inf)
    with np.errstate(invalid="ignore"):
        return np.asarray(known & (np.maximum(highest - values, values - lowest) > by))


def _around(chosen: np.ufunc, values: Values, beyond: float) -> Values:
    """(..., ny, nx) highest or lowest value of each pixel and those around it; `beyond` the map nothing is chosen."""
    ny, nx = values.shape[-2:]
    padded = np.pad(values, [(0, 0)] * (values.ndim - 2) + [(REACH, REACH)] * 2, constant_values=beyond)
    rows = reduce(chosen, (padded[..., by : by + ny, :] for by in range(2 * REACH + 1)))
    return np.asarray(reduce(chosen, (rows[..., by : by + nx] for by in range(2 * REACH + 1))))


class _Around:
    """The pixels around each pixel of one or more maps (..., ny, nx), itself left out."""

    def __init__(self, values: Values) -> None:
        self.shape = values.shape
        sides = [(0, 0)] * (values.ndim - 2) + [(REACH, REACH)] * 2
        padded = np.pad(np.where(np.isnan(values), np.float32(np.inf), values), sides, constant_values=np.inf)
        reach = np.arange(-REACH, REACH + 1)
        offsets = (reach[:, None] * padded.shape[-1] + reach).ravel()
        self.flat, self.offsets = padded.ravel(), offsets[offsets != 0, None]

    def of(self, which: NDArray[np.intp]) -> Values:
        """(24, m) values around some pixels, by their flat places; inf where none is known."""
        ny, nx = self.shape[-2:]
        row, column = np.divmod(which, nx)
        one, row = np.divmod(row, ny)
        place = (one * (ny + 2 * REACH) + row + REACH) * (nx + 2 * REACH) + column + REACH
        return np.asarray(self.flat[place + self.offsets])


def _known(ordered: Values) -> Count:
    """(m,) number of known values in each column; one number where all have them all."""
    return np.count_nonzero(ordered < np.inf, axis=0) if (ordered[-1:] == np.inf).any() else len(ordered)


def _ranked(ordered: Values, rank: Count) -> Values:
    """(m,) values of a rank in their column."""
    if isinstance(rank, int):
        return np.asarray(ordered[rank])
    return np.asarray(np.take_along_axis(ordered, np.maximum(rank, 0)[None], axis=0)[0])


def _middle(ordered: Values, known: Count) -> Values:
    """(m,) medians of what is known of ordered columns; NaN where that is fewer than three."""
    middle = np.float32(0.5) * (_ranked(ordered, (known - 1) // 2) + _ranked(ordered, known // 2))
    return np.asarray(np.where(np.asarray(known) >= 3, middle, np.float32(np.nan)))
