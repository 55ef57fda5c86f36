"""Numbers as they lie in a file: large ones stay there till they are needed."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from napari_wse2xai.data.stored_counts import StoredCounts

LARGE = 2**28
"""Bytes from which counts stay in the file, where file and system allow."""
_BAND = 1 << 22
"""Numbers handled at a time: they stay in the processor's cache between one step and the next, nearly."""


def may_stay(dtype: DTypeLike, n_bytes: int) -> bool:
    """Whether numbers are many, and lie in the file as they would in memory; never on Windows, where an open file cannot be replaced."""
    return is_large(n_bytes) and np.dtype(dtype) == np.dtype("<f4")


def is_large(n_bytes: int) -> bool:
    """Whether numbers are so many that they are not all read where they need not be."""
    return n_bytes >= LARGE and os.name == "posix"


def numbers_in(path: Path, dtype: DTypeLike, shape: tuple[int, ...], offset: int) -> Any:
    """Numbers from a place in a file, an array of `shape`, or `StoredCounts`; the caller has made sure that the file is as long."""
    kind = np.dtype(dtype)
    count = math.prod(shape)
    if len(shape) in (2, 3) and may_stay(kind, count * kind.itemsize):
        rows, *_, n = shape
        return StoredCounts(path, (rows, count // (rows * n), n), offset).reshape(shape)
    return np.fromfile(path, kind, count, offset=offset).reshape(shape)


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """Parts of the first axis, one after the other, that hold some millions of numbers each."""
    rows = max(1, _BAND // max(1, math.prod(shape[1:])))
    yield from (slice(start, start + rows) for start in range(0, shape[0], rows))
