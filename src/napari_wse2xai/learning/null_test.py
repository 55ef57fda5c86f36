"""Would a map that owes nothing to RS be predicted as well?  The same fast model on the target and on surrogates of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.data import NullTest
from napari_wse2xai.data.trained_model import Beyond
from napari_wse2xai.learning.confounders import Confounder, confounders, levels
from napari_wse2xai.learning.fast_model import FAST_MODEL, fast_model, folds_of, held_out_r2, predictions
from napari_wse2xai.learning.neighbours import Likeness, freed_correlation
from napari_wse2xai.learning.scores import r2
from napari_wse2xai.learning.splits import SpatialBlockKFold
from napari_wse2xai.learning.surrogate_maps import TOLERANCE, surrogates, variogram_misfit, with_ranks
from napari_wse2xai.learning.tame_scale import spans_decades, tamed
from napari_wse2xai.learning.turned_maps import TURNS, turned
from napari_wse2xai.learning.variogram import Numbers
from napari_wse2xai.progress import Progress, part, silent

__all__ = ["fast_model", "folds_of", "held_out_r2", "null_test", "p_of_either", "p_value", "spatial_permutation_test_score"]
FEWEST_SURROGATES = 39
"""Fewer could not tell 5 % apart with any certainty."""
DRAWN = 0.3
"""Where drawing surrogate maps ends, as a fraction of a null test."""


class Permuted(NamedTuple):
    """What `spatial_permutation_test_score` gives, as scikit-learn's `permutation_test_score` does."""

    score: float
    permutation_scores: Numbers
    pvalue: float


def null_test(  # noqa: PLR0913 - data, then options
    X: Numbers,  # noqa: N803 - as in scikit-learn
    y: ArrayLike,
    coordinates: ArrayLike,
    *,
    target: str = "",
    flake: ArrayLike | None = None,
    count: int = 99,
    alone: bool = False,
    plain: Numbers | None = None,
    quiet: bool = False,
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
    alone : leave out confounders
    plain : what `plain_surrogates` drew of the same map, where it was asked before
    quiet : no warning where the flake is too small for blocks

    Notes
    -----
    A random split and spatial blocks are tested; where the flake is too small for blocks, only the former, with a warning.
    """
    data = MapData.of(X, y, coordinates, flake)
    progress(0.0, "Drawing surrogate maps")
    # Confounders have surrogates of their own: each keeps the target's profile along what may have shaped it.
    drawn = DrawnMaps.of(data, max(count, FEWEST_SURROGATES), [] if alone else confounders(*data.table), seed, plain)
    refused = _refusal(variogram_misfit(data.values, drawn.plain, data.places, data.flake))
    splits = folds_of(data.values, data.places, data.flake, seed, quiet=quiet)
    predicted = predictions(data.features, drawn.targets.T, splits, seed, part(progress, DRAWN, 1.0))
    found = compared(data, drawn, predicted, target)
    told = replace(found, refused=refused, scale="logarithmic" if spans_decades(y) else "")
    return replace(told, p_value=dict.fromkeys(told.p_value, float("nan"))) if refused else told


def plain_surrogates(y: ArrayLike, coordinates: ArrayLike, *, flake: ArrayLike | None, count: int, seed: int) -> Numbers:
    """Surrogates (count, n) of a target that only have its values and smoothness, as `null_test` draws them: for several tests of it."""
    data = MapData.of(np.empty((len(np.asarray(y)), 0)), y, coordinates, flake)
    return surrogates(data.values, data.places, count=count, rng=seed, flake=data.flake)


def compared(data: "MapData", drawn: "DrawnMaps", predicted: Mapping[str, Numbers], target: str) -> NullTest:
    """How the target does beside its surrogates, from held-out predictions (n, map) of all of them."""
    likeness = Likeness(data.values, data.places, data.flake)
    beyond = tuple(_beyond(drawn, likeness, predicted))
    plain = drawn.members[""]
    r2s = {name: r2(drawn.targets[plain].T, each[:, plain]) for name, each in predicted.items()}
    return NullTest(
        target,
        FAST_MODEL,
        {name: float(each[0]) for name, each in r2s.items()},
        {name: each[1:] for name, each in r2s.items()},
        {one.validation: p_of_either(r2s[one.validation], _all(one)) for one in beyond if not one.confounder},
        beyond=beyond,
        turned=_turned(drawn, likeness, list(predicted.values())[-1]),
        noise=likeness.noise,
    )


def p_value(score: float, null: Numbers) -> float:
    """Chance of a score at least as good under the null (surrogate,): ``(1 + number at least as good) / (1 + number)``."""
    return float((1 + np.count_nonzero(null >= score)) / (1 + len(null)))


def p_of_either(scores: Numbers, others: Numbers) -> float:
    """Chance that a map does as well in either of two scores, each (map,) with the target first and then surrogates.

    Every map's better rank of the two is compared with the target's (Tippett), so that two looks are no better than one.
    """
    best = np.minimum(*(np.count_nonzero(each[None, :] >= each[:, None], axis=1) for each in (scores, others)))
    return float(np.mean(best <= best[0]))


def spatial_permutation_test_score(
    estimator: object,
    X: ArrayLike,  # noqa: N803
    y: ArrayLike,
    coords: ArrayLike,
    *,
    cv: object = None,
    scoring: object = None,
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


@dataclass(frozen=True, eq=False)
class MapData:
    """What has a value, on scales that no few values rule."""

    features: Numbers
    values: Numbers
    places: Numbers
    flake: NDArray[np.int64]

    @property
    def table(self) -> tuple[Numbers, Numbers, NDArray[np.int64], Numbers]:
        return self.features, self.places, self.flake, self.values

    @classmethod
    def of(cls, features: Numbers, y: ArrayLike, coordinates: ArrayLike, flake: ArrayLike | None) -> Self:
        values = np.asarray(y, dtype=np.float64)
        known = np.isfinite(values)
        label = np.zeros(known.sum(), dtype=np.int64) if flake is None else np.asarray(flake)[known]
        return cls(tamed(features[known]), tamed(values[known]), np.asarray(coordinates, dtype=np.float64)[known], label)


@dataclass(frozen=True, eq=False)
class DrawnMaps:
    """The target, then its surrogates of every kind, then the target turned."""

    targets: Numbers
    """(map, n)"""
    members: dict[str, NDArray[np.int64]]
    """Rows by confounder, the target first; none: plain surrogates."""
    confounders: list[Confounder]

    @classmethod
    def of(cls, data: MapData, count: int, others: list[Confounder], seed: int, plain: Numbers | None = None) -> Self:
        everywhere = Confounder("", levels(data.flake, np.zeros_like(data.flake)))
        found = [everywhere, *others]
        maps, members, end = [data.values[None]], {}, 1
        for number, each in enumerate(found):
            more = count if number == 0 else max(FEWEST_SURROGATES, count // 2)
            maps.append(plain if number == 0 and plain is not None else _with_profile(data, each, more, seed + number))
            members[each.name] = np.concatenate([[0], np.arange(end, end + len(maps[-1]))])
            end += len(maps[-1])
        # The target turned has its values and its smoothness but not its places: a law must fail on it as on a surrogate.
        turns = turned(data.values, data.places, data.flake).T
        return cls(np.concatenate([*maps, turns]), members, found)

    @property
    def plain(self) -> Numbers:
        """(surrogate, n) those that only have the target's values and smoothness."""
        return self.targets[self.members[""][1:]]

    @property
    def turned(self) -> slice:
        """Rows of the target turned."""
        return slice(len(self.targets) - len(TURNS), None)


def _with_profile(data: MapData, confounder: Confounder, count: int, seed: int) -> Numbers:
    """Surrogates (count, n) with the target's profile along a confounder, and the smoothness of what that leaves."""
    if not confounder.name:
        return surrogates(data.values, data.places, count=count, rng=seed, flake=data.flake)
    profile = confounder.profile(data.values)
    rest = surrogates(data.values - profile, data.places, count=count, rng=seed, flake=data.flake)
    for one in np.unique(data.flake):
        here = data.flake == one
        rest[:, here] = with_ranks(profile[here] + rest[:, here], data.values[here])
    return rest


def _beyond(drawn: DrawnMaps, likeness: Likeness, predicted: Mapping[str, Numbers]) -> Iterator[Beyond]:
    """What is told beyond neighbours: for every validation, then beyond each confounder for the sternest."""
    sternest = list(predicted)[-1]
    for confounder in drawn.confounders:
        rows = drawn.members[confounder.name]
        for validation in predicted if not confounder.name else [sternest]:
            maps, others = drawn.targets[rows].T, predicted[validation][:, rows]
            told, smooth = likeness.between(maps, others, confounder.design), freed_correlation(maps, others, confounder.design)
            yield Beyond(
                confounder.name, validation, float(told[0]), told[1:], p_of_either(told, smooth), confounder.alone(drawn.targets[0])
            )


def _turned(drawn: DrawnMaps, likeness: Likeness, predicted: Numbers) -> dict[str, float]:
    """What is told of the target turned and mirrored."""
    found = likeness.between(drawn.targets[drawn.turned].T, predicted[:, drawn.turned], drawn.confounders[0].design)
    return dict(zip(TURNS, found.tolist(), strict=True))


def _all(one: Beyond) -> Numbers:
    """The target's and the surrogates'."""
    return np.concatenate([[one.correlation], one.surrogate_correlation])


def _refusal(misfit: float) -> str:
    if misfit <= TOLERANCE:
        return ""
    missed = f"The surrogates miss the variogram of the target by {misfit:.2f} of its variance"
    return f"{missed} (at most {TOLERANCE:g} is fair), so no p value is given."
