"""A map taken a band of rows at a time, on all cores, so that a large one, or one still on disk, is never held whole."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

BAND = 4_000_000
"""Channels worked on at a time by one core."""


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
            pool.shutdown(wait=True, cancel_futures=True)
            raise
