"""Where a map is bright, whatever cosmic rays it holds: what to show of it first."""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float32]
SHORTEST_LINE = 5
"""Channels; what is narrower and stands alone is taken for a cosmic ray."""


def telling_channel(counts: Counts) -> int:
    """Channel of a map (ny, nx, n) in which bright pixels stand out most of the usual ones: where a flake's strongest line is.

    Judged on some 400 pixels from all over the map, so that opening it need not read it twice.
    """
    ny, nx, channels = counts.shape
    stride = max(1, int(np.sqrt(ny * nx / 400)))
    sample = np.asarray(counts[::stride, ::stride]).reshape(-1, channels)
    sample = sample[np.isfinite(sample).all(axis=-1)]
    if not len(sample):
        return int(channels) // 2
    usual, bright = np.percentile(sample, [50, 95], axis=0)
    return int(np.argmax(bright - usual)) if len(sample) > 1 else int(np.argmax(bright))


def signal(counts: Counts) -> NDArray[np.float64]:
    """(ny, nx) median of the channels about the telling one, counts; NaN where one of them was not measured."""
    middle = telling_channel(counts)
    return np.asarray(np.median(np.asarray(counts[..., max(0, middle - 4) : middle + 5]), axis=-1), dtype=np.float64)


def without_rays(counts: Counts, row: int, column: int) -> NDArray[np.float64]:
    """(n,) spectrum of one pixel, cut where it is narrower than any line and higher than all pixels around: for choosing what to draw."""
    from scipy.ndimage import grey_opening

    own: NDArray[np.float64] = np.asarray(counts[row, column], dtype=np.float64)
    around = np.asarray(counts[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]).reshape(-1, counts.shape[-1])
    if len(around) < 2 or not np.isfinite(own).all():
        return own
    others = np.nan_to_num(np.partition(around, -2, axis=0)[-2], nan=-np.inf)
    return np.asarray(np.minimum(own, np.maximum(grey_opening(own, (SHORTEST_LINE,)), others)))
