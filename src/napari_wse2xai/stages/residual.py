"""What a deconvolution leaves of every spectrum, and which of its pixels need a look first."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PeakMaps, SpectralMap, Status
from napari_wse2xai.data.peak_maps import through
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics import skimming
from napari_wse2xai.numerics.noise import robust_sigma
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.stages._bands import bands, rows_of
from napari_wse2xai.stages._status import GRAVITY

Maps = NDArray[np.float32]
LEFT_OUT = (Status.NOT_ON_FLAKE, Status.NOT_MEASURED)
"""Pixels that nobody looks at."""


def residuals(peaks: PeakMaps, source: SpectralMap, progress: Progress = silent) -> Maps:
    """(ny, nx, n) measured minus fit, in the map's unit; NaN outside of the fit windows and where there is no fit."""
    if peaks.frame.shape != source.frame.shape or len(peaks.axis) != len(source.axis):
        raise DataError(f"'{source.name}' is not the map that '{peaks.name}' was deconvolved from; give that one.")
    result = np.full(source.counts.shape, np.nan, dtype=np.float32)
    for band in bands(source.counts.shape):
        progress(band.rows.start / len(result), "measured minus fit")
        counts = rows_of(source.counts, band.rows)
        for index, (low, high) in enumerate(peaks.distinct_windows):
            inside = peaks.axis.between(low, high)
            result[band.rows, :, inside] = counts[..., inside] - _fitted(peaks, index, inside, band.rows)
    return result


def _fitted(peaks: PeakMaps, window: int, inside: slice, rows: slice) -> NDArray[np.float64]:
    """(row, nx, n) fit of one window in some rows."""
    from napari_wse2xai.numerics.slopes import model

    x, span = peaks.axis.values[inside], peaks.distinct_windows[window]
    which = [k for k, one in enumerate(peaks.windows) if one == span]
    form = np.zeros_like(peaks.height) if peaks.form is None else peaks.form
    maps = np.stack([peaks.position, peaks.fwhm, peaks.height, form], axis=1)[which][..., rows, :]
    values = np.moveaxis(maps.reshape(*maps.shape[:2], -1), -1, 0).astype(np.float64)
    there = np.asarray(np.isfinite(values[..., :3]).all(axis=2))
    values = np.where(there[..., None], np.nan_to_num(values), [0.0, 1.0, 0.0, 0.0])  # an absent peak adds nothing
    width = None if peaks.averaged is None else np.asarray(peaks.averaged, dtype=np.float64)[which]
    total = model(x, tuple(peaks.shapes[k] for k in which), values, width)
    total += _under(peaks, window, inside, rows)
    total[~np.isfinite(maps[:, 2]).all(axis=0).ravel()] = np.nan
    return total.reshape(*maps.shape[2:], len(x))


def _under(peaks: PeakMaps, window: int, inside: slice, rows: slice) -> NDArray[np.float64]:
    """(pixel, n) what lies under the peaks of a window."""
    x = peaks.axis.values[inside]
    total = np.zeros((1, len(x)))
    if peaks.background is not None:
        points = peaks.background[window][:, rows].astype(np.float64)
        total = total + through(x, peaks.distinct_windows[window], points.reshape(len(points), -1, 1))
    if peaks.substrate is not None and peaks.substrate_share is not None:
        total = total + peaks.substrate_share[window][rows].reshape(-1, 1) * peaks.substrate[inside]
    return total


def misfit_of(residual: Maps, progress: Progress = silent) -> Maps:
    """(ny, nx) worth of the largest structure in what the fit leaves of each pixel, in standard deviations of its noise."""
    from napari_wse2xai.numerics.structure import largest

    worth = np.full(residual.shape[:2], np.nan, dtype=np.float32)
    for number, row in enumerate(residual):
        progress(number / len(residual), "structure of the residuals")
        known = np.isfinite(row)
        pixels, channels = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
        if len(pixels) and len(channels) > 2:
            left = np.nan_to_num(row[pixels][:, channels])
            # Neighbours differ by twice the variance; their differences hold next to nothing of what the fit has missed.
            noise = robust_sigma(np.diff(left, axis=1), axis=1)[:, None] / np.sqrt(2.0)
            worth[number, pixels] = largest(left / np.maximum(noise, 1e-30))
    return worth


def _gravity(peaks: PeakMaps) -> Maps:
    """(ny, nx) rank of what became of each pixel, then its chi2: worst highest; what a person decided comes last."""
    rank = np.full(max(Status) + 1, -1.0, dtype=np.float32)
    rank[list(GRAVITY)] = np.arange(len(GRAVITY))
    # Between two ranks: nothing was there to be fitted, which is no fault of the fit.
    rank[Status.BELOW_NOISE] = 0.5
    rank[Status.TOO_FEW_CHANNELS] = 0.25
    chi2 = np.nan_to_num(peaks.reduced_chi2, nan=0.0, posinf=0.0)
    # Below 0.2, so that chi2 orders pixels of one kind and never lifts them over the next.
    return np.asarray(rank[peaks.status] + 0.2 * chi2 / (1.0 + chi2), dtype=np.float32)


def _usual(each: NDArray[Any]) -> NDArray[Any]:
    """(k, 1, 1) median of each of some maps (k, ny, nx)."""
    middle = [np.median(one[np.isfinite(one)]) if np.isfinite(one).any() else np.nan for one in each]
    return np.array(middle)[:, None, None]


def _error(peaks: PeakMaps) -> Maps:
    """(ny, nx) largest error of a parameter, over what is usual for it on the map."""
    each = np.concatenate([peaks.position_error, peaks.fwhm_error, peaks.height_error])
    return _highest(each / _usual(each))


def _unlike(peaks: PeakMaps) -> Maps:
    """(ny, nx) largest distance of a parameter from the median of those around, over the usual error and the usual such distance."""
    values = np.concatenate([peaks.position, peaks.fwhm, peaks.height])
    errors = np.concatenate([peaks.position_error, peaks.fwhm_error, peaks.height_error])
    every = np.ones(peaks.frame.shape, dtype=bool)
    away = np.abs(values - skimming.local_median(values, every).reshape(values.shape))
    return _highest(away / np.hypot(_usual(errors), _usual(away)))


def _highest(each: NDArray[Any]) -> Maps:
    """(ny, nx) of (k, ny, nx); 0 where none is known."""
    return np.asarray(np.where(np.isfinite(each), each, 0.0).max(axis=0), dtype=np.float32)


ORDERS: dict[str, Callable[[PeakMaps], Maps]] = {
    "what became of it": _gravity,
    "reduced χ²": lambda peaks: np.nan_to_num(peaks.reduced_chi2, nan=-1.0),
    "error": _error,
    "unlike its neighbours": _unlike,
}
"""What makes a pixel bad, by what it is called."""
MISFIT = "structure of the residual"
"""The same, but of the spectra: see `misfit_of`."""


def worst_first(peaks: PeakMaps, badness: Maps) -> NDArray[np.intp]:
    """(pixel, 2) rows and columns of all pixels that were looked at, the worst first; where they are alike from the top left."""
    looked_at = ~np.isin(peaks.status, LEFT_OUT)
    places = np.argwhere(looked_at)
    return places[np.argsort(-np.nan_to_num(badness[looked_at], nan=-1.0), kind="stable")]
