"""Where a map is bright, whatever cosmic rays it holds: what to show of it first."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float32]
SHORTEST_LINE = 5
"""Channels; what is narrower and stands alone is taken for a cosmic ray."""
MOST_SAMPLED = 400
"""Spectra that stand for a map where all would have to be read."""
NUMBERS_SAMPLED = 8_000_000
"""Numbers that a sample of a map in chunks may read, but for one chunk."""
SPREAD = np.array([0.7548776662, 0.5698402910])
"""Step from one chunk of a sample to the next, in both directions, in sizes of the map: any number of them lies evenly (Roberts 2018)."""


def telling_channel(counts: Counts) -> int:
    """Channel of a map (ny, nx, n) in which bright pixels stand out most of the usual ones: where a flake's strongest line is.

    Judged on some 400 pixels from all over the map, so that opening it need not read it twice.
    """
    _, sample = sampled(counts)
    sample = sample[np.isfinite(sample).any(axis=-1)]
    if not len(sample):
        return int(counts.shape[2]) // 2
    share = np.isfinite(sample).mean(axis=0)
    channels = np.flatnonzero(share >= min(share.max(), 0.5))  # a dead one tells nothing, and leaves the others alone
    known = sample[:, channels]
    # Not the brightest: a cosmic ray hits far fewer than one spectrum of twenty in one channel.
    usual, bright = (np.percentile if np.isfinite(known).all() else np.nanpercentile)(known, [50, 95], axis=0)
    return int(channels[np.argmax(bright - usual if len(sample) > 1 else bright)])


def sampled(counts: Any) -> tuple[NDArray[np.intp], Counts]:
    """(k, 2) rows and columns of some 400 pixels from all over a map (ny, nx, n), and (k, n) their spectra.

    Of counts in the chunks of a file few chunks are read, the middle one first.
    """
    ny, nx, _ = counts.shape
    if getattr(counts, "chunks", None) is not None:
        return _sampled_by_chunk(counts)
    stride = max(1, int(np.sqrt(ny * nx / MOST_SAMPLED)))
    places = np.stack(np.meshgrid(range(0, ny, stride), range(0, nx, stride), indexing="ij"), axis=-1).reshape(-1, 2)
    if isinstance(counts, np.ndarray):
        return places, np.asarray(counts[::stride, ::stride]).reshape(len(places), -1)
    return places, np.stack([np.asarray(counts[row, column]) for row, column in places.tolist()])


def _sampled_by_chunk(counts: Any) -> tuple[NDArray[np.intp], Counts]:
    ny, nx, channels = counts.shape
    size = counts.chunks[0][0] * counts.chunks[1][0] * channels
    number = min(max(1, NUMBERS_SAMPLED // size), MOST_SAMPLED)
    spots = (0.5 + np.arange(number)[:, None] * SPREAD) % 1.0
    found: dict[tuple[int, int], tuple[NDArray[np.intp], Counts]] = {}
    for at_y, at_x in spots:
        rows, columns = _chunk_at(counts.chunks[0], at_y * ny), _chunk_at(counts.chunks[1], at_x * nx)
        step = max(1, int(np.sqrt(len(rows) * len(columns) * number / MOST_SAMPLED)))
        here = np.stack(np.meshgrid(rows[::step], columns[::step], indexing="ij"), axis=-1).reshape(-1, 2)
        block = np.asarray(counts[rows.start : rows.stop : step, columns.start : columns.stop : step])
        found[rows.start, columns.start] = here, block.reshape(len(here), channels)
    places, spectra = zip(*found.values(), strict=True)
    return np.concatenate(places), np.concatenate(spectra)


def _chunk_at(sizes: Sequence[int], place: float) -> range:
    """Indices of the chunk that a place lies in."""
    ends = np.cumsum(sizes)
    number = min(int(np.searchsorted(ends, place, side="right")), len(ends) - 1)
    return range(int(ends[number]) - sizes[number], int(ends[number]))


def signal(counts: Counts) -> NDArray[np.float64]:
    """(ny, nx) median of the channels about the telling one, counts; NaN where one of them was not measured, dead ones aside."""
    return light_about(counts, telling_channel(counts))


def light_about(counts: Any, channel: int) -> NDArray[np.float64]:
    """(...) median of the channels (..., n) about one, as `signal` has it."""
    about = np.asarray(counts[..., max(0, channel - 4) : channel + 5])
    alive = np.isfinite(about).any(axis=tuple(range(about.ndim - 1)))
    return np.asarray(np.median(about[..., alive] if alive.any() else about, axis=-1), dtype=np.float64)


def without_rays(counts: Counts, row: int, column: int) -> NDArray[np.float64]:
    """(n,) spectrum of one pixel, cut where it is narrower than any line and higher than all pixels around: for choosing what to draw."""
    from scipy.ndimage import grey_opening

    own: NDArray[np.float64] = np.asarray(counts[row, column], dtype=np.float64)
    around = np.asarray(counts[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]).reshape(-1, counts.shape[-1])
    if len(around) < 2 or not np.isfinite(own).all():
        return own
    # The second highest, this pixel among them: where a ray is the highest, that is the highest around it.
    others = np.nan_to_num(np.partition(around, -2, axis=0)[-2], nan=-np.inf)
    return np.asarray(np.minimum(own, np.maximum(grey_opening(own, (SHORTEST_LINE,)), others)))
