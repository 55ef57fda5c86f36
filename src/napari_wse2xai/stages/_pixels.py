"""The chosen spectra of a map, taken a few thousand at a time, so that a large map is never copied whole."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.numerics import despike
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.stages._bands import bands, let_go, rows_of
from napari_wse2xai.stages._fitting import FitWindow, Spectra

CHUNK = 16384
"""Pixels worked on at a time."""
SCATTERED = 64
"""Pixels from all over a map in a file that are read at a time: the system may map 2 MB about each of them, which count as memory."""


@dataclass
class _Gaps:
    """Spectra that lack some channels of one window."""

    rows: NDArray[np.intp]
    """(g,) which of the spectra."""
    missing: NDArray[np.bool_]
    """(g, n)"""
    instead: Spectra
    """(g, n) what stands there: at first a straight line, then the model."""


class Pixels:
    """Spectra of the chosen pixels that can be fitted, in the order of the map's rows.

    A fit window may lack a few channels of a spectrum, see `FitWindow.bears`: without a value, bridged, or at the detector's ceiling.
    """

    def __init__(self, source: SpectralMap, chosen: NDArray[np.bool_], windows: Sequence[FitWindow]) -> None:
        self._counts, self.chosen, self.axis, self.kind = source.counts, chosen, source.axis.values, source.axis.kind
        self.some, self.whole = np.zeros_like(chosen), np.zeros_like(chosen)
        lost = _lost(source)
        found: list[tuple[list[NDArray[np.intp]], list[NDArray[np.bool_]]]] = [([], []) for _ in windows]
        for band in bands(source.counts.shape):
            self._survey(band.rows, lost, windows, found)
        self._rows, self._columns = np.nonzero(self.whole)
        self._gaps: dict[tuple[float, float], _Gaps] = {}
        self._drawn: dict[tuple[float, float], tuple[NDArray[np.intp], Spectra]] = {}
        for window, (places, patterns) in zip(windows, found, strict=True):
            if places:
                self._note(window, np.concatenate(places), np.concatenate(patterns))

    def _survey(
        self,
        rows: slice,
        lost: NDArray[np.int32],
        windows: Sequence[FitWindow],
        found: list[tuple[list[NDArray[np.intp]], list[NDArray[np.bool_]]]],
    ) -> None:
        """Tell which pixels of a band can be fitted, and add those that lack channels, and which, to what was found of each window."""
        counts, lost = rows_of(self._counts, rows), lost[slice(*np.searchsorted(lost[:, 0], [rows.start, rows.stop]))] - [rows.start, 0, 0]
        with np.errstate(invalid="ignore", over="ignore"):
            lacking = np.isnan(counts.sum(axis=-1))
        lacking[lost[:, 0], lost[:, 1]] = True
        lacking &= self.chosen[rows]
        self.some[rows] = self.whole[rows] = self.chosen[rows]
        at = np.nonzero(lacking)
        if len(at[0]):
            missing = np.isnan(counts)
            missing[tuple(lost.T)] = True
            each = [missing[at][:, window.channels] for window in windows]
            self.some[rows][at] = ~np.all([part.all(axis=1) for part in each], axis=0)
            self.whole[rows][at] = borne = np.all([window.bears(part) for window, part in zip(windows, each, strict=True)], axis=0)
            for part, (places, patterns) in zip(each, found, strict=True):
                kept = borne & part.any(axis=1)
                places.append((rows.start + at[0][kept]) * counts.shape[1] + at[1][kept])
                patterns.append(part[kept])
        let_go(self._counts)

    def _note(self, window: FitWindow, places: NDArray[np.intp], missing: NDArray[np.bool_]) -> None:
        """Keep which channels of a window some pixels lack, and draw straight lines over them."""
        if not len(places):
            return
        rows = np.searchsorted(np.flatnonzero(self.whole), places)
        self._gaps[window.span] = _Gaps(rows, missing, despike.interpolate(self.measured(window, rows), missing))

    def __len__(self) -> int:
        """Give the number of spectra that can be fitted."""
        return len(self._rows)

    def only(self, rows: NDArray[np.intp]) -> "Pixels":
        """Some of the spectra, in their order."""
        some = copy(self)
        some.whole, some._rows, some._columns = self.where(rows), self._rows[rows], self._columns[rows]
        some._gaps, some._drawn = {}, {}
        for span, gaps in self._gaps.items():
            mine = np.isin(gaps.rows, rows)
            if mine.any():
                some._gaps[span] = _Gaps(np.searchsorted(rows, gaps.rows[mine]), gaps.missing[mine], gaps.instead[mine])
        return some

    def chunks(self) -> Iterator[slice]:
        """Parts to work on one after the other."""
        for first in range(0, len(self), CHUNK):
            yield slice(first, min(first + CHUNK, len(self)))

    def of(self, window: FitWindow, which: slice | NDArray[np.intp]) -> Spectra:
        """Counts (pixel, n) of some spectra in a window."""
        spectra, gaps = self.measured(window, which), self._gaps.get(window.span)
        if gaps is not None:
            at = np.full(len(self), -1)
            at[gaps.rows] = np.arange(len(gaps.rows))
            among = at[which]
            spectra[among >= 0] = gaps.instead[among[among >= 0]]
        return self._with_drawn(window, which, spectra)

    def _with_drawn(self, window: FitWindow, which: slice | NDArray[np.intp], spectra: Spectra) -> Spectra:
        """Spectra with those in their place that were drawn towards the model."""
        if window.span in self._drawn:
            rows, instead = self._drawn[window.span]
            at = np.full(len(self), -1)
            at[rows] = np.arange(len(rows))
            among = at[which]
            spectra[among >= 0] = instead[among[among >= 0]]
        return spectra

    def draw(self, window: FitWindow, rows: NDArray[np.intp], counts: Spectra) -> None:
        """Put counts (row, n) of some spectra in the place of what was measured, for all that is asked of this window from now on."""
        self._drawn[window.span] = rows, counts

    def gaps(self, window: FitWindow) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Which spectra (g,) lack channels of a window, and which channels, (g, n)."""
        gaps = self._gaps.get(window.span)
        return (np.empty(0, dtype=np.intp), np.empty((0, len(window.x)), dtype=bool)) if gaps is None else (gaps.rows, gaps.missing)

    def fill(self, window: FitWindow, rows: NDArray[np.intp], pattern: NDArray[np.bool_], values: NDArray[np.float64]) -> None:
        """Put values (row, channel of the pattern) where some spectra with gaps have none."""
        gaps = self._gaps[window.span]
        gaps.instead[np.searchsorted(gaps.rows, rows)[:, None], np.flatnonzero(pattern)] = values

    def measured(self, window: FitWindow, which: slice | NDArray[np.intp]) -> Spectra:
        """Counts as the map holds them."""
        rows, columns = self._rows[which], self._columns[which]
        if isinstance(self._counts, np.ndarray):
            step = SCATTERED if isinstance(self._counts, np.memmap) and not isinstance(which, slice) else max(len(rows), 1)
            pieces = [slice(first, first + step) for first in range(0, len(rows), step)] or [slice(0)]
            parts = [self._picked(rows[piece], columns[piece], window.channels) for piece in pieces]
            return parts[0] if len(parts) == 1 else np.concatenate(parts)
        lines = {row: rows_of(self._counts, slice(row, row + 1))[0][:, window.channels] for row in np.unique(rows).tolist()}
        return np.concatenate([lines[row][columns[rows == row]] for row in lines])

    def _picked(self, rows: NDArray[np.intp], columns: NDArray[np.intp], channels: slice | NDArray[np.intp]) -> Spectra:
        """Some channels of some places of an array."""
        some: Any = (rows, columns, channels) if isinstance(channels, slice) else (rows[:, None], columns[:, None], channels)
        spectra = np.ascontiguousarray(self._counts[some], dtype=np.float32)
        let_go(self._counts)
        return spectra

    def mean(self, window: FitWindow) -> NDArray[np.float64]:
        """Mean of all spectra in a window, (n,) counts."""
        total = np.zeros(len(window.x))
        for chunk in self.chunks():
            total += self.of(window, chunk).sum(axis=0, dtype=np.float64)
        return total / len(self)

    def weights(self, window: FitWindow, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse noise variance of each channel under the mean spectrum, of mean 1: what the data themselves show of shot noise."""
        some = self.of(window, all_over(len(self), 2000))[:, None]
        constant, slope = despike.noise_model(some, despike.spectral_median(some))
        variance = np.maximum(constant + slope * np.maximum(mean, 0.0), 1e-12)
        weights = 1.0 / variance
        return np.asarray(weights / weights.mean())

    def where(self, which: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(ny, nx) True at some spectra."""
        result = np.zeros_like(self.whole)
        result[self._rows[which], self._columns[which]] = True
        return result

    def touching(self, places: NDArray[np.int32], channels: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(pixel,) True for spectra of which one of some places (k, 3: row, column, channel) lies in some channels (n,)."""
        result = np.zeros_like(self.whole)
        inside = places[channels[places[:, 2]]]
        result[inside[:, 0], inside[:, 1]] = True
        return np.asarray(result[self.whole])

    def on_map(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """(pixel, ...) values on (..., ny, nx), NaN where nothing was fitted; what single precision does not hold is drawn in."""
        result = np.full((*values.shape[1:], *self.whole.shape), np.nan, dtype=np.float32)
        limits = np.finfo(np.float32)
        self.put(result, slice(None), np.clip(values, limits.min, limits.max))
        return result

    def put(self, maps: NDArray[Any], which: slice, values: NDArray[Any]) -> None:
        """Put values (pixel, ...) of some spectra on maps (..., ny, nx)."""
        maps[..., self._rows[which], self._columns[which]] = np.moveaxis(values, 0, -1)


def _lost(source: SpectralMap) -> NDArray[np.int32]:
    """(k, 3) rows, columns and channels that were bridged or lie at the ceiling, row by row."""
    known = [each for each in (source.bridged, source.saturated) if each is not None]
    every = np.concatenate([*known, np.empty((0, 3), dtype=np.int32)])
    return np.asarray(every[np.argsort(every[:, 0], kind="stable")])
