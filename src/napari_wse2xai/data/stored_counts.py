"""Counts of a large map that stay in their file: read when they are asked for, and never mapped into memory."""

import math
import os
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_wse2xai.errors import ReaderError

_BAND = 1 << 22
"""Numbers read at a time, at most."""
_KIND = np.dtype("<f4")


class Block(Protocol):
    """Numbers (a, b, n) that stay in their file."""

    shape: tuple[int, int, int]
    chunks: tuple[int, ...] | None
    """Sizes of the pieces that can only be read whole; None where every number can be read by itself."""

    def pick(self, first: slice | int, second: slice | int, last: slice | int) -> NDArray[np.float32]:
        """Index by whole numbers and slices."""

    def reshaped(self, shape: tuple[int, int, int]) -> "Block | None":
        """Give the same numbers in as many rows and columns, without reading; None where that cannot be."""


class _Block:
    """Numbers (a, b, n) one after the other in a file that is kept open."""

    chunks: tuple[int, ...] | None = None

    def __init__(self, path: Path, shape: tuple[int, int, int], offset: int) -> None:
        self.name, self.shape, self._offset = path.name, shape, offset
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)
        self._state = state_of(self._handle)

    def reshaped(self, shape: tuple[int, int, int]) -> "_Block":
        """Give the same numbers in as many rows and columns; the file is opened once more for them."""
        new = object.__new__(_Block)
        new.name, new.shape, new._offset, new._state = self.name, shape, self._offset, self._state
        new._handle = os.dup(self._handle)
        weakref.finalize(new, os.close, new._handle)
        return new

    def pick(self, first: slice | int, second: slice | int, last: slice | int) -> NDArray[np.float32]:
        """Index by whole numbers and slices, some millions of numbers at a time."""
        rows, columns = listed(first, self.shape[0]), listed(second, self.shape[1])
        inner = np.empty(self.shape[2], dtype=bool)[last].shape
        picked = np.empty((len(rows), len(columns), *inner), dtype=np.float32)
        if picked.size:
            low, high = min(columns), max(columns) + 1
            among = slice(None) if len(columns) == high - low and columns.step > 0 else [column - low for column in columns]
            for start, stop in _runs(rows, max(1, _BAND // ((high - low) * self.shape[2]))):
                read = self._read(min(rows[start:stop]), max(rows[start:stop]) + 1, low, high)
                picked[start:stop] = read[:: rows.step if stop - start > 1 else 1, among, last]
        self._require_same()
        dropped = tuple(0 if isinstance(key, int | np.integer) else slice(None) for key in (first, second))
        return picked[dropped]

    def _read(self, first: int, last: int, low: int, high: int) -> NDArray[np.float32]:
        """Rows first to last, columns low to high."""
        rows, width, n = last - first, self.shape[1], self.shape[2]
        found = np.empty((rows, high - low, n), dtype=_KIND)
        pieces = [found] if high - low == width else list(found)
        for index, piece in enumerate(pieces):
            self._fill(piece, self._offset + ((first + index) * width + low) * n * _KIND.itemsize)
        return found

    def _fill(self, piece: NDArray[np.float32], place: int) -> None:
        view = piece.reshape(-1).view(np.uint8).data
        done = 0
        while done < len(view):
            try:
                count = os.preadv(self._handle, [view[done:]], place + done)
            except OSError as error:
                words = f"'{self.name}' cannot be read any more ({error.strerror}); connect its drive, and open it again."
                raise ReaderError(words) from error
            if not count:
                raise changed(self.name)
            done += count

    def _require_same(self) -> None:
        if state_of(self._handle) != self._state:
            raise changed(self.name)


def state_of(handle: int) -> tuple[int, int]:
    """Size of an open file, and time of its last change, ns."""
    found = os.fstat(handle)
    return found.st_size, found.st_mtime_ns


def changed(name: str) -> ReaderError:
    """What is said of a file that is not what it was when it was opened."""
    return ReaderError(f"'{name}' was changed since it was opened, and its map was still in it; open it again.")


def _cut(whole: int, size: int, *, is_turned: bool) -> tuple[int, ...]:
    """Sizes of the pieces of a dimension."""
    sizes = tuple(min(size, whole - start) for start in range(0, whole, size))
    return sizes[::-1] if is_turned else sizes


def listed(key: slice | int, size: int) -> range:
    """Indices that a key selects."""
    if isinstance(key, slice):
        return range(size)[key]
    index = range(size)[key]
    return range(index, index + 1)


def _runs(rows: range, most: int) -> list[tuple[int, int]]:
    """Parts of the indices that are read in one piece: neighbours together, others one by one."""
    length = most if abs(rows.step) == 1 else 1
    return [(start, min(start + length, len(rows))) for start in range(0, len(rows), length)]


@dataclass(frozen=True)
class _Dimension:
    axis: int | None
    """Of the block in the file; None for one along which the numbers are repeated."""
    size: int


class StoredCounts:
    """Counts of a map in its file, as an array that can be indexed, transposed and repeated without reading it.

    Unlike a memory map, it tells by a `ReaderError` when the file was cut or changed since: reading a mapped file that another program
    has cut ends the whole process.

    Parameters
    ----------
    path : the file, which is kept open; it may be renamed or removed meanwhile
    shape : of three dimensions, the last the fastest
    offset : bytes before the first number
    """

    dtype = np.dtype(np.float32)

    def __init__(self, path: Path, shape: tuple[int, int, int], offset: int) -> None:
        self._block: Block = _Block(path, shape, offset)
        self._dimensions = tuple(_Dimension(axis, size) for axis, size in enumerate(shape))
        self._turned: int | None = None
        """Dimension of the block that is read from its end."""

    @classmethod
    def of(cls, block: Block) -> Self:
        """Counts that are a block, such as the chunks of a file."""
        new = object.__new__(cls)
        new._block, new._turned = block, None
        new._dimensions = tuple(_Dimension(axis, size) for axis, size in enumerate(block.shape))
        return new

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...] | None:
        """Sizes along every dimension of what can only be read whole, as Dask tells them; None where all numbers lie bare.

        Of counts that are turned, the last chunk of the file comes first.
        """
        if (sizes := self._block.chunks) is None:
            return None
        return tuple(
            (each.size,) if each.axis is None else _cut(each.size, sizes[each.axis], is_turned=each.axis == self._turned)
            for each in self._dimensions
        )

    @property
    def coarser(self) -> tuple[Self, ...]:
        """The same in fewer rows and columns, the finest first, as far as the file has it."""
        return tuple(self._like(block) for block in getattr(self._block, "coarser", ()))

    def _like(self, block: Block) -> Self:
        sizes = (each.size if each.axis is None else block.shape[each.axis] for each in self._dimensions)
        new = self._with(tuple(replace(each, size=size) for each, size in zip(self._dimensions, sizes, strict=True)))
        new._block = block
        return new

    @property
    def depth(self) -> int:
        """Along the last dimension, how many values are read where one of them is wanted of all places."""
        last = self._dimensions[-1]
        if self.chunks is not None:
            return max(self.chunks[-1])
        return last.size if last.axis == 2 else 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes, as of any array."""
        return tuple(dimension.size for dimension in self._dimensions)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self._dimensions)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the whole would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        """Size of the first dimension."""
        return self.shape[0]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Read the whole."""
        return np.asarray(self[...], dtype=dtype)

    def __getitem__(self, key: Any) -> NDArray[np.float32]:
        """Read what a key of whole numbers and slices selects; any other key reads the whole first."""
        keys = _full(key if isinstance(key, tuple) else (key,), self.ndim)
        if keys is None:
            return np.asarray(self[...][key])
        of_block = {dimension.axis: part for dimension, part in zip(self._dimensions, keys, strict=True)}
        parts = [of_block.get(axis, 0) for axis in range(3)]  # a dimension that was left out has one value
        ways = [_mirrored(part, self._block.shape[axis]) if axis == self._turned else part for axis, part in enumerate(parts)]
        picked = self._block.pick(ways[0], ways[1], ways[2])
        kept = [axis for axis in range(3) if isinstance(parts[axis], slice)]
        wanted = [(dimension, part) for dimension, part in zip(self._dimensions, keys, strict=True) if isinstance(part, slice)]
        picked = picked.transpose([kept.index(dimension.axis) for dimension, _ in wanted if dimension.axis is not None])
        picked = picked[tuple(None if dimension.axis is None else slice(None) for dimension, _ in wanted)]
        if all(dimension.axis is not None for dimension, _ in wanted):
            return picked  # an array of its own, that may be written to
        return np.broadcast_to(picked, [len(listed(part, dimension.size)) for dimension, part in wanted])

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, options: Any) -> Any:
        """Move, add and repeat dimensions without reading; for everything else read the whole."""
        own: dict[Any, Callable[..., Any]] = {
            np.moveaxis: self._moved,
            np.expand_dims: self._expanded,
            np.broadcast_to: self._repeated,
            np.transpose: self.transpose,
        }
        if function in own:
            return own[function](*args[1:], **options)
        return function(*(np.asarray(arg) if isinstance(arg, StoredCounts) else arg for arg in args), **options)

    @property
    def T(self) -> Self:  # noqa: N802  # NumPy's name
        """The same numbers with their dimensions the other way round."""
        return self.transpose()

    def transpose(self, *axes: Any) -> Self:
        """Give the same numbers with their dimensions in another order."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return self._with(tuple(self._dimensions[axis] for axis in order or range(self.ndim)[::-1]))

    def reshape(self, *shape: Any) -> Any:
        """Give the same numbers in two or three dimensions with the same last one, without reading; of other shapes read the whole."""
        sizes = tuple(shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)
        known = math.prod(size for size in sizes if size != -1)
        sizes = tuple(self.size // max(known, 1) if size == -1 else size for size in sizes)
        axes = [dimension.axis for dimension in self._dimensions]
        if sizes == self.shape:
            return self
        is_plain = axes in ([0, 1, 2], [0, 2]) and self._turned is None and math.prod(sizes) == self.size
        first, second, last = sizes if len(sizes) == 3 else (sizes[0], 1, sizes[-1])
        is_possible = is_plain and len(sizes) in (2, 3) and sizes[-1] == self.shape[-1]
        block = self._block.reshaped((first, second, last)) if is_possible else None
        if block is None:
            return np.asarray(self[...]).reshape(sizes)
        new = self._with(())
        new._block = block
        every = tuple(_Dimension(axis, size) for axis, size in enumerate(new._block.shape))
        new._dimensions = every if len(sizes) == 3 else (every[0], every[2])
        return new

    def turned(self) -> Self:
        """Give the same numbers with the last dimension, the spectral one, the other way round."""
        new = self._with(self._dimensions)
        new._turned = self._dimensions[-1].axis if self._turned is None else None
        return new

    def _with(self, dimensions: tuple[_Dimension, ...]) -> Self:
        new = object.__new__(type(self))
        new._block, new._dimensions, new._turned = self._block, dimensions, self._turned
        return new

    def _moved(self, source: int, destination: int) -> Self:
        order = [axis for axis in range(self.ndim) if axis != source % self.ndim]
        order.insert(destination % self.ndim, source % self.ndim)
        return self.transpose(order)

    def _expanded(self, axis: int) -> Self:
        dimensions = list(self._dimensions)
        dimensions.insert(axis % (self.ndim + 1), _Dimension(None, 1))
        return self._with(tuple(dimensions))

    def _repeated(self, shape: Sequence[int]) -> Self:
        added = (_Dimension(None, 1),) * (len(shape) - self.ndim)
        dimensions = (*added, *self._dimensions)
        for dimension, size in zip(dimensions, shape, strict=True):
            if size != dimension.size and (dimension.axis is not None or dimension.size != 1):
                raise ValueError(f"numbers of shape {self.shape} cannot be repeated to {tuple(shape)}")
        return self._with(tuple(_Dimension(dimension.axis, size) for dimension, size in zip(dimensions, shape, strict=True)))


def is_stored(counts: Any) -> bool:
    """Whether counts are not in memory: in their file, or a lazy array of Dask."""
    return isinstance(counts, StoredCounts | np.memmap) or hasattr(counts, "dask")


def _full(key: tuple[Any, ...], ndim: int) -> list[slice | int] | None:
    """A key for every dimension; None where it holds more than whole numbers and slices."""
    if any(not isinstance(part, slice | int | np.integer) and part is not Ellipsis for part in key):
        return None
    if any(isinstance(part, bool) for part in key):
        return None
    at = next((index for index, part in enumerate(key) if part is Ellipsis), len(key))
    before, after = list(key[:at]), list(key[at + 1 :])
    if len(before) + len(after) > ndim:
        raise IndexError(f"too many indices for {ndim} dimensions")
    return [*before, *[slice(None)] * (ndim - len(before) - len(after)), *after]


def _mirrored(key: slice | int, size: int) -> slice | int:
    """Key of the same numbers where they stand the other way round."""
    if not isinstance(key, slice):
        return size - 1 - range(size)[key]
    chosen = range(size)[key]
    if not chosen:
        return slice(0, 0)
    start, stop = size - 1 - chosen[0], size - 1 - chosen[-1]
    step = -chosen.step
    end = stop + (1 if step > 0 else -1)
    return slice(start, None if end < 0 else end, step)
