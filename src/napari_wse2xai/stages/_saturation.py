"""Which channels of a map lie at the detector's ceiling: asked of the counts before anything changes them."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PeakMaps, SpectralMap, Status
from napari_wse2xai.errors import DataWarning, counted
from napari_wse2xai.numerics import ceiling
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.noise import median
from napari_wse2xai.stages._bands import Band, bands, let_go, over_bands, rows_of

Places = NDArray[np.int32]
"""(k, 3) row, column and channel of each."""
NOWHERE: Places = np.empty((0, 3), dtype=np.int32)
ROUNDS = 8
"""Stuck channels, one above the other, that are looked behind."""
FEWEST = 8
"""Pixels below which no channel is called stuck."""
SAMPLE = 200
"""Spectra that the step between values is read off."""


def with_ceiling(source: SpectralMap) -> SpectralMap:
    """The map with its `saturated` channels; as it is where these are known."""
    if source.saturated is not None or len(source.axis) <= ceiling.FLAT:
        return source
    return replace(source, saturated=_saturated(source.counts, source.name))


def ceiling_maps(source: SpectralMap, windows: Sequence[slice | NDArray[np.intp]]) -> NDArray[np.bool_]:
    """(window, ny, nx) True where one of a window's channels lies at the ceiling, spikes that were replaced left out."""
    result = np.zeros((len(windows), *source.frame.shape), dtype=bool)
    if source.saturated is None or not len(source.saturated):
        return result
    shape = source.counts.shape
    row, column, channel = _without(source.saturated, source.replaced, shape).T
    for channels, into in zip(windows, result, strict=True):
        inside = np.isin(channel, np.arange(shape[2])[channels])
        into[row[inside], column[inside]] = True
    return result


def _without(places: Places, replaced: Places | None, shape: tuple[int, ...]) -> Places:
    """Places that are not among those that were replaced."""
    if replaced is None or not len(replaced):
        return places
    flat, gone = (np.ravel_multi_index(tuple(each.T.astype(np.int64)), shape) for each in (places, replaced))
    return places[~np.isin(flat, gone)]


def warn_of_saturated(peaks: PeakMaps) -> None:
    """Count the pixels whose fit says so."""
    count = int((peaks.status == Status.SATURATED).sum())
    if count:
        words = f"{counted(count, 'pixel')} of '{peaks.name}' {'is' if count == 1 else 'are'} saturated, at the detector's ceiling"
        warnings.warn(
            f"{words}: the tops of their lines are cut off, and nothing is learnt from them; measure again with less light.",
            DataWarning,
            stacklevel=4,
        )


def _warn_of_scaled(name: str, value: float) -> None:
    warnings.warn(
        f"All spectra of '{name}' have the same highest value, {value:.4g}: each was divided by its own, so heights compare the lines of "
        "one pixel, not one pixel with another; open the map as it was measured.",
        DataWarning,
        stacklevel=5,
    )


def _saturated(counts: Any, name: str) -> Places:
    ignored, some = np.zeros(counts.shape[2], dtype=bool), _some(counts)
    # A channel that is high in a typical spectrum too may be stuck there: that is no ceiling.
    typical = np.nan_to_num(median(some, axis=0)) if np.isfinite(some).any(axis=0).all() else np.nan_to_num(some).mean(axis=0)
    for _ in range(ROUNDS):
        highest, many = _tops(counts, ignored)
        value = float(highest.max())
        if not np.isfinite(value):
            break
        places = _equal(counts, highest == value, value, ignored)
        hot = ceiling.stuck(np.bincount(places[:, 2], minlength=counts.shape[2]), int(np.isfinite(highest).sum()), typical)
        if hot.any() and highest.size >= FEWEST:
            ignored |= hot
            continue
        if not ceiling.is_ceiling(value, len(places), _next_lower(counts, highest, many, value, ignored)):
            places = places[:0]
        elif ceiling.scaled_one_by_one(highest, many):
            _warn_of_scaled(name, value)
            return NOWHERE
        return np.concatenate([places, _flat(counts, np.where(highest < value, many, 0), some)])
    return NOWHERE


def _some(counts: Any) -> NDArray[np.float32]:
    """(m, n) some spectra from all over the map."""
    ny, nx = counts.shape[:2]
    rows = all_over(ny, 1 + SAMPLE // nx)
    return np.concatenate([rows_of(counts, slice(row, row + 1))[0] for row in rows.tolist()])


def _tops(counts: Any, ignored: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Highest value of each pixel and how many channels have it, two (ny, nx)."""
    highest, many = np.empty(counts.shape[:2], dtype=np.float32), np.empty(counts.shape[:2], dtype=np.int64)

    def work(band: Band) -> None:
        highest[band.rows], many[band.rows] = ceiling.tops(rows_of(counts, band.rows), ignored)
        let_go(counts)

    over_bands(work, bands(counts.shape), lambda done: None)
    return highest, many


def _lines(counts: Any, chosen: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.float32]]]:
    """Row, columns and counts (column, n) of the chosen pixels of each row that has some."""
    for row in np.flatnonzero(chosen.any(axis=1)):
        columns = np.flatnonzero(chosen[row])
        yield int(row), columns, rows_of(counts, slice(int(row), int(row) + 1))[0][columns]


def _equal(counts: Any, chosen: NDArray[np.bool_], value: float, ignored: NDArray[np.bool_]) -> Places:
    """Channels of some pixels that have a value."""
    return _joined([_placed(row, columns, (spectra == value) & ~ignored) for row, columns, spectra in _lines(counts, chosen)])


def _flat(counts: Any, many: NDArray[np.int64], some: NDArray[np.float32]) -> Places:
    """Flat tops of pixels with a ceiling of their own."""
    chosen = many >= ceiling.FLAT
    if not chosen.any():
        return NOWHERE
    step = ceiling.step_of(some)
    return _joined([_placed(row, columns, ceiling.flat_tops(spectra, step)) for row, columns, spectra in _lines(counts, chosen)])


def _next_lower(counts: Any, highest: NDArray[np.float32], many: NDArray[np.int64], value: float, ignored: NDArray[np.bool_]) -> int:
    """Channels that have the next lower value."""
    beside = highest[highest < value]
    lower = float(beside.max(initial=-np.inf))
    found = int(many[highest == lower].sum())
    for _, _, spectra in _lines(counts, highest == value):
        below = np.where((spectra < value) & ~ignored, spectra, -np.inf)
        top = float(below.max())
        found = int((below == top).sum()) + (found if top == lower else 0) if top >= lower else found
        lower = max(lower, top)
    return found


def _placed(row: int, columns: NDArray[np.intp], at: NDArray[np.bool_]) -> Places:
    which, channels = np.nonzero(at)
    return np.stack([np.full(len(which), row), columns[which], channels], axis=1).astype(np.int32)


def _joined(parts: list[Places]) -> Places:
    return np.concatenate(parts) if parts else NOWHERE
