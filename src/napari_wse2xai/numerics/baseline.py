"""Baselines under spectra."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def anchor_weights(
    x: NDArray[np.float64], areas: Sequence[tuple[float, float]], margin: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights that average a spectrum near each boundary of the areas.

    Parameters
    ----------
    x : (n,) axis values, rising
    areas : (low, high) each, in the axis unit
    margin : width of the band about a boundary that is averaged, in the axis unit; at least one channel is taken

    Returns
    -------
    position (a,) of the anchors, rising, and weights (n, a): ``counts @ weights`` are the signals at the anchors
    """
    boundaries = np.unique(np.clip(np.asarray(areas, dtype=np.float64).ravel(), x[0], x[-1]))
    inside = np.abs(x[:, None] - boundaries) <= margin / 2
    nearest = np.abs(x[:, None] - boundaries).argmin(axis=0)
    inside[nearest, np.arange(len(boundaries))] = True
    weights = inside / inside.sum(axis=0)
    position = x @ weights
    keep = np.concatenate([[True], np.diff(position) > 0])
    return position[keep], weights[:, keep]


def piecewise_linear(
    x: NDArray[np.float64], counts: NDArray[np.floating], areas: Sequence[tuple[float, float]], margin: float
) -> NDArray[np.float32]:
    """Straight lines through the average signal near the boundaries of areas; level outside the outermost ones.

    Parameters
    ----------
    x : (n,) axis values, rising
    counts : (..., n) counts
    areas, margin : see `anchor_weights`

    Returns
    -------
    (..., n) float32, counts

    Notes
    -----
    The baseline of Yoo et al. 2023.  Not for areas whose boundaries lie on a line's flank: the flank is then taken for baseline.
    """
    position, weights = anchor_weights(x, areas, margin)
    spread = np.stack([np.interp(x, position, row) for row in np.eye(len(position))])
    return np.asarray((counts @ weights.astype(np.float32)) @ spread.astype(np.float32), dtype=np.float32)
