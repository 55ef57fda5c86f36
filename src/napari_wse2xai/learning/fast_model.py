"""The fast model that a map and all its surrogates are predicted with, and the pixels that are held out."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.learning.scores import r2
from napari_wse2xai.learning.splits import SpatialBlockKFold, Split
from napari_wse2xai.learning.variogram import Numbers
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.progress import Progress, part, silent

FAST_MODEL = "kernel ridge on landmarks, or of what columns alone leave"
LANDMARKS = 300
"""Pixels whose likeness to a pixel describes it to the fast model."""
KERNEL_WIDTH = 16.0
"""Square of the width of the fast model's kernel per feature, in standard deviations: wide, so that places are hard to memorise."""
PENALTIES = tuple(10.0**power for power in range(-8, 3))
FOLDS = 5
"""Each pixel is left out once; with five a model still learns from four fifths of the flake."""


def fast_model(features: int, pixels: int, *, seed: int = 0) -> Any:
    """Kernel ridge on landmarks, for many targets at once: of the targets, and of what the columns alone leave of them.

    Notes
    -----
    Fitting all surrogates costs little more than fitting one, because they share the kernel's factors.  A true law asks for a small
    penalty and a surrogate for a large one, so each must choose for itself to be compared fairly.  Landmarks: Nyström's method.
    """
    from sklearn.kernel_approximation import Nystroem
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from napari_wse2xai.learning.columns_alone import TogetherAndAlone

    kernel = Nystroem(gamma=1.0 / (2.0 * features * KERNEL_WIDTH), n_components=min(LANDMARKS, pixels), random_state=seed)
    return make_pipeline(StandardScaler(), TogetherAndAlone(kernel, PENALTIES, seed))


def folds_of(values: Numbers, places: Numbers, label: NDArray[np.int64], seed: int, *, quiet: bool) -> dict[str, list[Split]]:
    """Folds of pixels at random, and of spatial blocks; where the flake is too small without the latter, and with a warning.

    Notes
    -----
    Both hold every pixel out once and train on equally many, so that what is lost from one to the other is lost to the distance alone.
    """
    try:
        blocks = list(SpatialBlockKFold(FOLDS, seed=seed).split(None, values, np.column_stack([label, places])))
    except DataError as small:
        if not quiet:
            warnings.warn(str(small), DataWarning, stacklevel=4)
        return {"random": _random_folds(len(values), len(values), seed)}
    return {"random": _random_folds(len(values), int(np.mean([len(train) for train, _ in blocks])), seed), "blocks": blocks}


def predictions(
    features: Numbers, targets: Numbers, splits: Mapping[str, Sequence[Split]], seed: int, progress: Progress = silent
) -> dict[str, Numbers]:
    """Held-out predictions (n, target) of targets (n, target) from features (n, feature), for every validation.

    Each target has one of the two fast models, for all folds of all validations the one that missed fewer left-out pixels among those it
    was trained on: what is kept from one validation to the other would else be that of two models.  None goes beyond the values that it was
    trained on: far from them the kernel knows nothing.
    """
    ends = np.linspace(0.0, 1.0, len(splits) + 1).tolist()
    with single_threaded():
        told = {
            name: _predicted(features, targets, folds, name, seed, part(progress, *span))
            for (name, folds), span in zip(splits.items(), pairwise(ends), strict=True)
        }
    together, alone = np.sum([missed for _, missed in told.values()], axis=0)
    return {name: np.where(alone < together, both[1], both[0]) for name, (both, _) in told.items()}


def held_out_r2(
    X: Numbers,  # noqa: N803 - as in scikit-learn
    targets: Numbers,
    splits: Mapping[str, Sequence[Split]],
    *,
    seed: int = 0,
) -> dict[str, Numbers]:
    """R2 of targets (n, target) by the fast model, each (target,), over the pixels that the folds of a validation hold out."""
    return {name: r2(targets, predicted) for name, predicted in predictions(X, targets, splits, seed).items()}


def _random_folds(count: int, training: int, seed: int) -> list[Split]:
    """Folds that together hold out every pixel once, with so many others at most to train on."""
    dice = np.random.default_rng(seed)
    fold = dice.permutation(np.arange(count) % FOLDS)
    folds = []
    for one in range(FOLDS):
        others = dice.permutation(np.flatnonzero(fold != one))[:training]
        folds.append((np.sort(others), np.flatnonzero(fold == one)))
    return folds


def _predicted(
    features: Numbers, targets: Numbers, folds: Sequence[Split], name: str, seed: int, progress: Progress
) -> tuple[Numbers, Numbers]:
    """Held-out predictions (model, n, target), and what the models missed of left-out pixels, (model, target)."""
    predicted, missed = np.full((2, *targets.shape), np.nan), np.zeros((2, targets.shape[1]))
    for index, (train, test) in enumerate(folds):
        progress(index / len(folds), f"Predicting surrogate maps, {name}")
        learnt = targets[train]
        scale, models = fast_model(features.shape[1], len(train), seed=seed).fit(features[train], learnt)
        predicted[:, test] = np.clip(models.predict(scale.transform(features[test])), learnt.min(axis=0), learnt.max(axis=0))
        missed += models.missed_
    return predicted, missed
