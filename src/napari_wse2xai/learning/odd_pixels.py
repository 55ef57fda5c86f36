"""Pixels whose PL stands alone, as dirt, holes and failed fits leave them: a few rule every score, and no law of RS tells them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Samples
from napari_wse2xai.learning.variogram import Numbers
from napari_wse2xai.numerics.noise import MAD_TO_SIGMA

FARTHEST = 5.0
"""Standard deviations from all neighbours but one; of what a pixel differs by from the middle of its neighbours, or of these."""
FEWEST = 4
"""Neighbours of eight that a pixel must have to be called odd."""
MOST = 0.05
"""Share of a flake beyond which odd pixels are what the flake is like."""
LEAST = 0.05
"""Share of the variance that they hold at least, by what they differ from their neighbours, else they rule nothing."""


def without_odd(samples: Samples) -> Samples:
    """Give the same pixels, with no value of a target where they are odd in it: they are not learnt from, and explained like the others."""
    return replace(samples, targets=np.where(odd_pixels(samples), np.nan, samples.targets))


def odd_pixels(samples: Samples) -> NDArray[np.bool_]:
    """Find pixels (n, target) that are far from all of their neighbours but one at most: an edge, a step or a grain has more of a kind."""
    found = np.zeros(samples.targets.shape, dtype=bool)
    for one in range(len(samples.frames)):
        here = np.flatnonzero(samples.flake == one)
        for target, values in enumerate(samples.targets[here].T):
            found[here, target] = _alone(values, samples.row[here], samples.column[here])
    return found


def _alone(values: Numbers, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The same of one target (n,) of one flake."""
    around = _around(values, row, column)
    judged = np.flatnonzero(np.isfinite(values) & (np.isfinite(around).sum(axis=1) >= FEWEST))
    found = np.zeros(len(values), dtype=bool)
    if not judged.size:
        return found
    around, own = around[judged], values[judged]
    middle = np.nanmedian(around, axis=1)
    scatter = MAD_TO_SIGMA * np.nanmedian(np.abs(around - middle[:, None]), axis=1)
    usual = MAD_TO_SIGMA * float(np.median(np.abs(own - middle)))
    second = np.sort(np.abs(around - own[:, None]), axis=1)[:, 1]
    # Where light spans decades its noise does too: what neighbours differ by among themselves counts where that is more.
    found[judged] = (usual > 0) & (second > FARTHEST * np.maximum(usual, scatter))
    held = float(((own - middle)[found[judged]] ** 2).sum() / np.nansum((values - np.nanmean(values)) ** 2)) if found.any() else 0.0
    return found if found.mean() <= MOST and held >= LEAST else np.zeros_like(found)


def _around(values: Numbers, row: NDArray[np.int64], column: NDArray[np.int64]) -> Numbers:
    """Values (n, 8) of the neighbours in rows, columns and diagonals; NaN where there is none."""
    picture = np.full((int(row.max()) + 3, int(column.max()) + 3), np.nan)
    picture[row + 1, column + 1] = values
    return np.stack([picture[row + 1 + y, column + 1 + x] for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)], axis=1)
