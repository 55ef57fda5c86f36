"""Counts in the chunks of their file, each unpacked when a part of it is asked for; those used last stay in memory for a while."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import product
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.stored_counts import listed

Place = tuple[slice, slice, slice]
KEPT = 2**28
"""Bytes of unpacked chunks that stay in memory for a map."""


class _Stretch(NamedTuple):
    """Neighbouring indices of one dimension that lie in one chunk."""

    chunk: int
    within: slice
    """Where they lie in the chunk."""
    among: slice
    """Where they stand among the indices asked for."""


class Chunks:
    """Numbers (a, b, n) in chunks, for `StoredCounts`.

    Parameters
    ----------
    name : of the file, for sentences
    shape, chunks : sizes of the whole and of a chunk
    read : gives the numbers of a place that is one chunk; what is wrong with the file it tells by a `ReaderError`
    coarser : the same in fewer rows and columns, the finest first
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int],
        chunks: tuple[int, int, int],
        read: Callable[[Place], NDArray[Any]],
        *,
        coarser: tuple["Chunks", ...] = (),
    ) -> None:
        self.name, self.shape = name, shape
        self.coarser = coarser
        self.chunks: tuple[int, ...] | None = tuple(min(size, whole) for size, whole in zip(chunks, shape, strict=True))
        self._read, self._lock = read, Lock()
        self._kept: OrderedDict[tuple[int, ...], NDArray[np.float32]] = OrderedDict()

    def reshaped(self, shape: tuple[int, int, int]) -> "Chunks | None":
        """Give the same numbers in as many rows and columns: of chunks there is no such view."""
        return self if shape == self.shape else None

    def pick(self, first: slice | int, second: slice | int, last: slice | int) -> NDArray[np.float32]:
        """Index by whole numbers and slices, chunk by chunk."""
        keys = (first, second, last)
        wanted = [listed(key, size) for key, size in zip(keys, self.shape, strict=True)]
        picked = np.empty([len(each) for each in wanted], dtype=np.float32)
        assert self.chunks is not None
        for parts in product(*(_parts(each, size) for each, size in zip(wanted, self.chunks, strict=True))):
            chunk = self._chunk(tuple(part.chunk for part in parts))
            picked[tuple(part.among for part in parts)] = chunk[tuple(part.within for part in parts)]
        return picked[tuple(0 if isinstance(key, int | np.integer) else slice(None) for key in keys)]

    def _chunk(self, number: tuple[int, ...]) -> NDArray[np.float32]:
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
        chunk = self._unpacked(number)
        with self._lock:
            self._kept[number] = chunk
            while len(self._kept) > 1 and sum(each.nbytes for each in self._kept.values()) > KEPT:
                self._kept.popitem(last=False)
        return chunk

    def _unpacked(self, number: tuple[int, ...]) -> NDArray[np.float32]:
        """Chunk as numbers; what is infinite was not measured."""
        assert self.chunks is not None
        first, second, last = (
            slice(at * size, min((at + 1) * size, whole)) for at, size, whole in zip(number, self.chunks, self.shape, strict=True)
        )
        chunk = np.asarray(self._read((first, second, last)), dtype=np.float32)
        endless = np.isinf(chunk)
        return np.where(endless, np.float32(np.nan), chunk) if endless.any() else chunk


def _parts(wanted: range, size: int) -> Iterator[_Stretch]:
    """Indices, cut where they go from one chunk to the next."""
    start = 0
    while start < len(wanted):
        chunk = wanted[start] // size
        border = chunk * size if wanted.step < 0 else (chunk + 1) * size - 1
        stop = min(len(wanted), start + abs(border - wanted[start]) // abs(wanted.step) + 1)
        yield _Stretch(chunk, _as_slice(wanted[start:stop], chunk * size), slice(start, stop))
        start = stop


def _as_slice(indices: range, origin: int) -> slice:
    """Slice of the same indices, counted from an origin."""
    end = indices.stop - origin
    return slice(indices.start - origin, end if end >= 0 else None, indices.step)
