"""Numbers as they lie in a file: large ones are mapped into memory, not read."""

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

LARGE = 2**28
"""Bytes from which counts stay in the file and are mapped into memory, where file and system allow."""
_BAND = 1 << 22
"""Numbers handled at a time: they stay in the processor's cache between one step and the next, nearly."""


def may_be_mapped(dtype: DTypeLike, n_bytes: int) -> bool:
    """Whether numbers are many, and lie in the file as they would in memory; never on Windows, where no mapped file can be replaced."""
    return n_bytes >= LARGE and np.dtype(dtype) == np.dtype("<f4") and sys.byteorder == "little" and os.name == "posix"


def numbers_in(path: Path, dtype: DTypeLike, shape: tuple[int, ...], offset: int) -> NDArray[np.generic]:
    """Numbers from a place in a file, as an array of `shape`; the caller has made sure that the file is as long."""
    kind = np.dtype(dtype)
    count = math.prod(shape)
    if may_be_mapped(kind, count * kind.itemsize):
        return np.memmap(path, kind, "r", offset, shape)
    return np.fromfile(path, kind, count, offset=offset).reshape(shape)


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Parts of the first axis, one after the other, that hold some millions of numbers each."""
    rows = max(1, _BAND // max(1, math.prod(shape[1:])))
    yield from (slice(start, start + rows) for start in range(0, shape[0], rows))
