"""A map taken a band of rows at a time, on all cores, so that a large one, or one still on disk, is never held whole."""

import math
import mmap
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

BAND = 4_000_000
"""Channels worked on at a time by one core."""
AT_ONCE = 2**25
"""Numbers of a lazy map that are computed at a time, at least a block."""
LARGE = 2**29
"""Bytes from which a new map is kept in an unnamed temporary file instead of in memory."""

_SPENT: ContextVar[Any] = ContextVar("spent", default=None)
"""Counts that may be written over."""


@dataclass(frozen=True)
class Band:
    """Some rows of a map, and those that must be seen for them."""

    rows: slice
    seen: slice

    @property
    def own(self) -> slice:
        """Place of the rows among those seen."""
        return slice(self.rows.start - self.seen.start, self.rows.stop - self.seen.start)


def bands(shape: tuple[int, ...], *, halo: int = 0) -> list[Band]:
    """Bands of a map (ny, nx, n) that see `halo` rows more to either side."""
    ny = shape[0]
    height = max(1 + 4 * halo, min(ny, BAND // max(shape[1] * shape[2], 1)))
    starts = range(0, ny, height)
    return [Band(slice(at, min(at + height, ny)), slice(max(at - halo, 0), min(at + height + halo, ny))) for at in starts]


def over_bands(work: Callable[[Band], None], parts: Sequence[Band], progress: Callable[[float], None]) -> None:
    """Work on all bands, as many at once as there are cores; what progress raises, as for Cancel, stops it after the bands begun.

    Parameters
    ----------
    work : called from several threads, with bands that do not overlap
    """
    with ThreadPoolExecutor(max_workers=max(1, min(len(parts), os.cpu_count() or 1, 8))) as pool:
        try:
            for done, _ in enumerate(pool.map(work, parts)):
                progress((done + 1) / len(parts))
        except BaseException:
            # Ctrl+C too: a band that has not begun need not begin.
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def rows_of(counts: Any, rows: slice) -> NDArray[np.float32]:
    """Rows of a map's counts, whatever kind of array holds them (numpy, memory map, Dask)."""
    return np.asarray(counts[rows], dtype=np.float32)


def new_counts(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Room for a new map's counts: in memory, or for a large one in an unnamed temporary file that goes when the array does."""
    size = int(np.prod(shape)) * 4
    if size < LARGE or not hasattr(os, "posix_fallocate"):
        return np.empty(shape, dtype=np.float32)
    try:
        with tempfile.TemporaryFile() as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a full disk shows here, not later as a crash
            return np.memmap(file, dtype=np.float32, mode="r+", shape=shape)
    except OSError:
        # No room where temporary files lie: then in memory.
        return np.empty(shape, dtype=np.float32)


@contextmanager
def spending(counts: Any) -> Iterator[None]:
    """Let what is done within write over counts that nobody needs afterwards; None for none."""
    before = _SPENT.set(counts)
    try:
        yield
    finally:
        _SPENT.reset(before)


def room_for(counts: Any) -> NDArray[np.float32]:
    """Room for counts that are made of others of the same shape: these themselves where they may be written over.

    A large map on its way through a chain so takes its size on disk once, not twice.
    """
    return counts if counts is _SPENT.get() else new_counts(counts.shape)


def computed_once(counts: Any, progress: Callable[[float], None] = lambda done: None) -> Any:
    """Counts of a Dask array, or in the chunks of a file, in an array of their own, each block computed once; others as they are."""
    if getattr(counts, "chunks", None) is None:
        return counts
    compute = import_module("dask").compute if hasattr(counts, "dask") else lambda *blocks: blocks
    kept, size, waiting = new_counts(counts.shape), counts.size, list[Any]()
    blocks, done, held = list(_places(counts.chunks)), 0, 0
    for number, place in enumerate(blocks, start=1):
        waiting.append(place)
        held += math.prod(part.stop - part.start for part in place)
        if held < AT_ONCE and number < len(blocks):
            continue
        for where, block in zip(waiting, compute(*(counts[where] for where in waiting)), strict=True):
            kept[where] = block
        let_go(kept)
        waiting, done, held = [], done + held, 0
        progress(done / size)
    return kept


def _places(chunks: Sequence[Sequence[int]]) -> Iterator[tuple[slice, ...]]:
    """Where the blocks of a lazy array lie in the whole."""
    ends = [list(accumulate(sizes)) for sizes in chunks]
    along = [[slice(end - size, end) for end, size in zip(*each, strict=True)] for each in zip(ends, chunks, strict=True)]
    return product(*along)


def pixel_by_pixel(
    counts: Any, change: Callable[[NDArray[np.float32]], NDArray[np.float32]], progress: Callable[[float], None]
) -> NDArray[np.float32]:
    """Counts of a new map of the same shape, each spectrum changed by itself; `change` takes and gives (rows, nx, n)."""
    changed = room_for(counts)

    def work(band: Band) -> None:
        changed[band.rows] = change(rows_of(counts, band.rows))
        let_go(counts, changed)

    over_bands(work, bands(counts.shape), progress)
    return changed


def let_go(*arrays: Any) -> None:
    """Tell the system that memory-mapped arrays need not stay in memory for now; their content stays on disk."""
    for array in arrays:
        base = array
        while isinstance(base, np.ndarray):
            base = base.base
        if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            base.madvise(mmap.MADV_DONTNEED)
