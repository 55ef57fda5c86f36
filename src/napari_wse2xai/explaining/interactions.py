"""Two parameters at once: partial dependence surfaces, and how much of a pair's effect is interaction."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.curves import grids, ice_curves, refined
from napari_wse2xai.explaining.model import Model, Numbers
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, part, silent

NODES = 7
"""Points along each parameter of a pair's surface."""
PIXELS = 150
"""Over so many weighted pixels a surface is averaged."""
POINTS = 60
"""Pixels at which a pair's interaction is looked at, averaged over as many: the cost grows with the square."""
Pairs = Sequence[tuple[int, int]]


def partial_dependence_pairs(  # noqa: PLR0913 - scikit-learn's arguments, and how much may be saved
    estimator: object,
    X: Numbers | None,  # noqa: N803 - scikit-learn's name
    pairs: Pairs,
    *,
    grid_resolution: int = 25,
    percentiles: tuple[float, float] = (0.025, 0.975),
    nodes: int | None = NODES,
    samples: int | None = PIXELS,
    random_state: int = 0,
    progress: Progress = silent,
) -> Bunch:
    """Partial dependence on two parameters: mean prediction over all pixels with both set.

    Parameters
    ----------
    estimator : whatever `as_model` takes, or a `Subject`, which has a table of its own
    X : (n, column) raw units
    pairs : which columns
    grid_resolution, percentiles, nodes, samples, random_state, progress : as in `partial_dependence`, for either parameter

    Returns
    -------
    Bunch with ``grid_values`` (pair, 2, grid) and ``average`` (pair, grid of the first, grid of the second)
    """
    subject = Subject.of(estimator, X)
    table, chosen = subject.table, subject.columns([column for pair in pairs for column in pair]).reshape(-1, 2)
    pixels, weights = subject.pixels(samples, random_state)
    few = min(nodes or grid_resolution, grid_resolution)
    fine, coarse = (np.stack([grids(table[:, pair], points, percentiles) for pair in pairs]) for points in (grid_resolution, few))
    both = np.stack([np.stack(np.meshgrid(*two, indexing="ij"), axis=-1).reshape(-1, 2) for two in coarse])
    values = _with_both_set(subject.model, table[pixels], chosen, both, progress) @ weights
    return Bunch(grid_values=fine, average=_refined_twice(values.reshape(len(pairs), few, few), grid_resolution))


def h_statistic(
    estimator: object,
    X: Numbers | None = None,  # noqa: N803 - scikit-learn's name
    pairs: Pairs | None = None,
    *,
    features: Sequence[int] | None = None,
    samples: int = POINTS,
    random_state: int = 0,
    progress: Progress = silent,
) -> Bunch:
    """Friedman and Popescu's (2008) H: the share of a pair's joint effect that is no sum of two separate ones.

    Parameters
    ----------
    estimator : whatever `as_model` takes, or a `Subject`, which has a table of its own
    X : (n, column) raw units
    pairs : which columns; all pairs of `features` where none are given
    features : columns to pair; all where none are named
    samples : pixels at which, and over which, the partial dependences are taken
    random_state : seed of the choice of pixels
    progress : called per chunk

    Returns
    -------
    Bunch with ``pairs`` (pair, 2); ``h`` (pair,) from 0 (additive) to 1 (nothing but interaction); ``strength`` (pair,) standard deviation
    of the interaction in the prediction's unit: H alone is large where two parameters do next to nothing (Inglis et al. 2022).
    """
    subject = Subject.of(estimator, X)
    every = list(combinations(subject.columns(features).tolist(), 2)) if pairs is None else list(pairs)
    model, table = subject.model, subject.table
    few, _ = subject.pixels(samples, random_state)
    here, used = table[few], np.array(sorted({column for pair in every for column in pair}))
    turn = len(used) / (len(used) + len(every))  # each takes as many predictions
    alone = ice_curves(model, here, used, here[:, used].T, part(progress, 0.0, turn)).mean(axis=1)
    single = dict(zip(used.tolist(), alone - alone.mean(axis=1, keepdims=True), strict=True))
    both = np.stack([here[:, pair] for pair in every])
    joint = _with_both_set(model, here, np.asarray(every), both, part(progress, turn, 1.0)).mean(axis=2)
    joint -= joint.mean(axis=1, keepdims=True)
    rest = joint - np.stack([single[a] + single[b] for a, b in every])
    strength, whole = np.sqrt((rest**2).mean(axis=1)), np.sqrt((joint**2).mean(axis=1))
    return Bunch(pairs=np.asarray(every), h=np.divide(strength, whole, out=np.zeros_like(whole), where=whole > 0), strength=strength)


def _with_both_set(model: Model, table: Numbers, pairs: NDArray[np.int64], values: Numbers, progress: Progress) -> Numbers:
    """Predictions (pair, point, pixel) with the two columns of each pair set to its values (pair, point, 2)."""
    shape = (len(pairs), values.shape[1], len(table))

    def rows(start: int, stop: int) -> Numbers:
        pair, point, pixel = np.unravel_index(np.arange(start, stop), shape)
        changed, here = table[pixel], np.arange(stop - start)
        for side in (0, 1):
            changed[here, pairs[pair, side]] = values[pair, point, side]
        return changed

    return model.rows(int(np.prod(shape)), rows, progress, "Pairs of parameters").reshape(shape)


def _refined_twice(surfaces: Numbers, points: int) -> Numbers:
    return refined(refined(surfaces, points).swapaxes(1, 2), points).swapaxes(1, 2)
