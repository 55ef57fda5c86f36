"""Would a map that owes nothing to RS be predicted as well?  The same fast model on the target and on surrogates of it."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.data import NullTest
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.learning.scores import r2
from napari_wse2xai.learning.splits import SpatialBlockKFold, Split, random_split
from napari_wse2xai.learning.surrogate_maps import TOLERANCE, surrogates, variogram_misfit
from napari_wse2xai.learning.variogram import Numbers
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.progress import Progress, silent

FAST_MODEL = "kernel ridge"
LANDMARKS = 300
"""Pixels whose likeness to a pixel describes it to the fast model."""
KERNEL_WIDTH = 16.0
"""Square of the width of the fast model's kernel per feature, in standard deviations: wide, so that places are hard to memorise."""
PENALTIES = tuple(10.0**power for power in range(-8, 3))
FEWEST_SURROGATES = 39
"""Fewer could not tell 5 % apart with any certainty."""


class Permuted(NamedTuple):
    """What `spatial_permutation_test_score` gives, as scikit-learn's `permutation_test_score` does."""

    score: float
    permutation_scores: Numbers
    pvalue: float


def fast_model(features: int, pixels: int, *, seed: int = 0) -> Any:
    """Kernel ridge on landmarks, for many targets at once: each target gets the penalty that predicts left-out pixels best.

    Notes
    -----
    Fitting all surrogates costs little more than fitting one, because they share the kernel's factors.  A true law asks for a small
    penalty and a surrogate for a large one, so each must choose for itself to be compared fairly.  Landmarks: Nyström's method.
    """
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kernel = Nystroem(gamma=1.0 / (2.0 * features * KERNEL_WIDTH), n_components=min(LANDMARKS, pixels), random_state=seed)
    return make_pipeline(StandardScaler(), kernel, RidgeCV(PENALTIES, alpha_per_target=True))


def null_test(
    X: Numbers,  # noqa: N803 - as in scikit-learn
    y: ArrayLike,
    coordinates: ArrayLike,
    *,
    target: str = "",
    flake: ArrayLike | None = None,
    count: int = 99,
    seed: int = 0,
    progress: Progress = silent,
) -> NullTest:
    """Compare how well a fast model predicts a target with how well it predicts maps that are as smooth but owe nothing to X.

    Parameters
    ----------
    X : (n, feature) without NaN
    y : (n,); pixels that are NaN are left out
    coordinates : (n, 2) y and x
    flake : (n,) which flake a pixel lies on, where there are several
    count : surrogates, at least `FEWEST_SURROGATES`

    Notes
    -----
    A random split and spatial blocks are tested; where the flake is too small for blocks, only the former, with a warning.
    """
    known = np.isfinite(np.asarray(y, dtype=np.float64))
    values, places = np.asarray(y, dtype=np.float64)[known], np.asarray(coordinates, dtype=np.float64)[known]
    label = np.zeros(len(values), dtype=np.int64) if flake is None else np.asarray(flake)[known]
    progress(0.0, "Drawing surrogate maps")
    drawn = surrogates(values, places, count=max(count, FEWEST_SURROGATES), rng=seed, flake=label)
    refused = _refusal(variogram_misfit(values, drawn, places, label))
    progress(0.3, "Predicting surrogate maps")
    splits = folds_of(values, places, label, seed)
    scored = held_out_r2(X[known], np.column_stack([values, drawn.T]), splits, seed=seed, progress=progress)
    own, null = {name: float(s[0]) for name, s in scored.items()}, {name: s[1:] for name, s in scored.items()}
    p_values = {name: float("nan") if refused else p_value(own[name], null[name]) for name in scored}
    return NullTest(target, FAST_MODEL, own, null, p_values, refused)


def held_out_r2(
    X: Numbers,  # noqa: N803
    targets: Numbers,
    splits: Mapping[str, Sequence[Split]],
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, Numbers]:
    """R2 of targets (n, target) by the fast model, each (target,), pooled over the pixels that the folds of a validation hold out."""
    with single_threaded():
        return {name: _pooled_r2(X, targets, folds, name, seed, progress) for name, folds in splits.items()}


def p_value(score: float, null: Numbers) -> float:
    """Chance of a score at least as good under the null (surrogate,): ``(1 + number at least as good) / (1 + number)``."""
    return float((1 + np.count_nonzero(null >= score)) / (1 + len(null)))


def spatial_permutation_test_score(
    estimator: Any,
    X: ArrayLike,  # noqa: N803
    y: ArrayLike,
    coords: ArrayLike,
    *,
    cv: Any = None,
    scoring: Any = None,
    n_permutations: int = 99,
    random_state: int = 0,
) -> Permuted:
    """Score an estimator on a map and on surrogates of it, as scikit-learn's `permutation_test_score` does on shuffled labels.

    Parameters
    ----------
    estimator : any regressor of scikit-learn's kind; it is cloned
    X, y : (n, feature), (n,)
    coords : (n, 2) y and x of the pixels
    cv : splitter or list of splits; `SpatialBlockKFold()` where not given, its blocks taken from y
    scoring : as in scikit-learn; the estimator's own `score` where not given

    Notes
    -----
    Fits the estimator ``(n_permutations + 1) * folds`` times: where that is slow use `null_test`, which shares the work.
    """
    from sklearn.model_selection import check_cv, cross_val_score

    splitter = check_cv(SpatialBlockKFold() if cv is None else cv)
    features, values = np.asarray(X), np.asarray(y, dtype=np.float64)
    folds = list(splitter.split(features, values, coords))
    drawn = surrogates(values, coords, count=n_permutations, rng=random_state)
    score, *rest = (float(np.mean(cross_val_score(estimator, features, one, cv=folds, scoring=scoring))) for one in (values, *drawn))
    return Permuted(score, np.array(rest), p_value(score, np.array(rest)))


def folds_of(values: Numbers, places: Numbers, label: NDArray[np.int64], seed: int) -> dict[str, list[Split]]:
    """The random split, and folds of spatial blocks; without the latter, and with a warning, where the flake is too small."""
    splits = {"random": [random_split(len(values), seed=seed)]}
    try:
        splits["blocks"] = list(SpatialBlockKFold(seed=seed).split(None, values, np.column_stack([label, places])))
    except DataError as small:
        warnings.warn(str(small), DataWarning, stacklevel=3)
    return splits


def _pooled_r2(X: Numbers, targets: Numbers, folds: Sequence[Split], name: str, seed: int, progress: Progress) -> Numbers:  # noqa: N803
    predicted = np.full(targets.shape, np.nan)
    for index, (train, test) in enumerate(folds):
        progress(0.4 + 0.6 * index / len(folds), f"Predicting surrogate maps, {name}")
        model = fast_model(X.shape[1], len(train), seed=seed).fit(X[train], targets[train])
        predicted[test] = model.predict(X[test]).reshape(len(test), -1)
    tested = np.isfinite(predicted[:, 0])
    return r2(targets[tested], predicted[tested])


def _refusal(misfit: float) -> str:
    if misfit <= TOLERANCE:
        return ""
    missed = f"The surrogates miss the variogram of the target by {misfit:.2f} of its variance"
    return f"{missed} (at most {TOLERANCE:g} is fair), so no p value is given."
