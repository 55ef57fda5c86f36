"""The chosen spectra of a map, taken a few thousand at a time, so that a large map is never copied whole."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics import despike
from napari_wse2xai.stages._bands import let_go, rows_of
from napari_wse2xai.stages._fitting import FitWindow, Spectra

CHUNK = 16384
"""Pixels worked on at a time."""


class Pixels:
    """Spectra of the chosen pixels whose fit windows hold a value in every channel, in the order of the map's rows."""

    def __init__(self, counts: NDArray[np.float32], chosen: NDArray[np.bool_], windows: Sequence[FitWindow]) -> None:
        self._counts = counts
        self.chosen = chosen
        self.some, self.whole = np.zeros_like(chosen), np.zeros_like(chosen)
        for row in range(len(chosen)):  # a row at a time bounds the memory
            line = rows_of(counts, slice(row, row + 1))[0]
            seen = np.stack([np.isfinite(line[:, window.channels]).mean(axis=-1) for window in windows])
            self.some[row], self.whole[row] = chosen[row] & (seen > 0).any(axis=0), chosen[row] & (seen == 1).all(axis=0)
            let_go(counts)
        self._rows, self._columns = np.nonzero(self.whole)

    def __len__(self) -> int:
        """Give the number of spectra that can be fitted."""
        return len(self._rows)

    def chunks(self) -> Iterator[slice]:
        """Parts to work on one after the other."""
        for first in range(0, len(self), CHUNK):
            yield slice(first, min(first + CHUNK, len(self)))

    def of(self, window: FitWindow, which: slice | NDArray[np.intp]) -> Spectra:
        """Counts (pixel, n) of some spectra in a window."""
        rows, columns = self._rows[which], self._columns[which]
        if isinstance(self._counts, np.ndarray):
            spectra = np.ascontiguousarray(self._counts[rows, columns, window.channels], dtype=np.float32)
            let_go(self._counts)
            return spectra
        lines = {row: rows_of(self._counts, slice(row, row + 1))[0, :, window.channels] for row in np.unique(rows).tolist()}
        return np.concatenate([lines[row][columns[rows == row]] for row in lines])

    def mean(self, window: FitWindow) -> NDArray[np.float64]:
        """Mean of all spectra in a window, (n,) counts."""
        total = np.zeros(len(window.x))
        for chunk in self.chunks():
            total += self.of(window, chunk).sum(axis=0, dtype=np.float64)
        return total / len(self)

    def weights(self, window: FitWindow, mean: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse noise variance of each channel under the mean spectrum, of mean 1: what the data themselves show of shot noise."""
        some = self.of(window, np.unique(np.linspace(0, len(self) - 1, min(len(self), 2000)).astype(np.intp)))[:, None]
        constant, slope = despike.noise_model(some, despike.spectral_median(some))
        variance = np.maximum(constant + slope * np.maximum(mean, 0.0), 1e-12)
        weights = 1.0 / variance
        return np.asarray(weights / weights.mean())

    def where(self, which: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(ny, nx) True at some spectra."""
        result = np.zeros_like(self.whole)
        result[self._rows[which], self._columns[which]] = True
        return result

    def on_map(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """(pixel, ...) values on (..., ny, nx), NaN where nothing was fitted."""
        result = np.full((*values.shape[1:], *self.whole.shape), np.nan, dtype=np.float32)
        result[..., self.whole] = np.moveaxis(values, 0, -1)
        return result
