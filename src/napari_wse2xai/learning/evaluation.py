"""One target of training: cross-validation on all folds, the null test, the network on all pixels, the verdict."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import NETWORK, Level, Line, NullTest, Samples, Score, TrainedModel, Verdict
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.learning import splits
from napari_wse2xai.learning.common_mode import CommonMode, common_mode, is_intensity
from napari_wse2xai.learning.cross_validation import CrossValidation, Fold, FoldResult, PooledResult, pooled
from napari_wse2xai.learning.explainable import EXPLAINABLE, as_good, evidence, fitted
from napari_wse2xai.learning.input_errors import error_spread
from napari_wse2xai.learning.null_test import null_test, plain_surrogates
from napari_wse2xai.learning.power import Power
from napari_wse2xai.learning.scores import measure, noise_ceiling, r2
from napari_wse2xai.learning.side_by_side import beside
from napari_wse2xai.learning.unexplained import Shares, Unexplained, settled
from napari_wse2xai.learning.verdict import Evidence, judge
from napari_wse2xai.progress import Progress, part, silent

Numbers = NDArray[np.float64]
VALIDATED, TRAINED, FITTED = 0.78, 0.9, 0.97
"""Where the networks on folds, that on all pixels, and the reference models beside them end, as fractions of an evaluation."""


class EvaluationSettings(Protocol):
    """How thoroughly to evaluate, and what: the stage `Train`, or anything with the same attributes."""

    @property
    def seed(self) -> int:
        """Everything random follows from it."""

    @property
    def block_folds(self) -> int:
        """Spatial folds."""

    @property
    def network_on_blocks(self) -> bool:
        """Whether the network is fitted on them too."""

    @property
    def surrogates(self) -> int:
        """Surrogate maps of the null test."""

    @property
    def resamples(self) -> int:
        """How often RS is drawn anew within its errors; 0: never."""

    def network(self, lines: tuple[Line, ...]) -> Any:
        """Unfitted estimator of scikit-learn's kind; one with a parameter ``on_epoch`` is a network."""


@dataclass(frozen=True, eq=False)
class TargetData:
    """One target and the pixels that have it."""

    target: str
    rows: NDArray[np.int64]
    """Pixels of the samples that have a value of the target, (m,)."""
    features: Numbers
    """(m, feature)"""
    values: Numbers
    """(m,)"""
    places: Numbers
    """(m, 2) in um."""
    flake: NDArray[np.int64]
    """(m,)"""
    errors: Numbers
    """(m,) standard errors of the values; NaN where none is known."""
    measured: Numbers
    """(m, feature) as they were measured, where noise was taken out of those that are learnt from: what chance is compared on."""

    @property
    def ceiling(self) -> float:
        """Largest R2 that the target's errors allow."""
        return noise_ceiling(self.values, self.errors)

    @classmethod
    def of(cls, samples: Samples, target: str, measured: Samples | None = None) -> Self:
        """Take the pixels that have the target; `measured` are the same pixels before noise was taken out."""
        column = samples.target(target)
        rows = np.flatnonzero(np.isfinite(samples.targets[:, column]))
        values, errors = samples.targets[rows, column], samples.target_errors[rows, column]
        places, flake = samples.coordinates_um[rows], samples.flake[rows]
        return cls(target, rows, samples.features[rows], values, places, flake, errors, (measured or samples).features[rows])

    def folds(self, count: int, seed: int) -> tuple[list[Fold], NDArray[np.int64], str]:
        """All folds; the spatial fold of each pixel (m,), -1 where there is none; and why there is none."""
        folds = [Fold("random", *splits.random_split(len(self.rows), seed=seed))]
        if len(np.unique(self.flake)) > 1:
            folds += [Fold("other flake", *split) for split in splits.leave_one_flake_out(self.flake)]
        try:
            blocks = splits.SpatialBlockKFold(count, seed=seed).folds(self.values, np.column_stack([self.flake, self.places]))
        except DataError as small:
            return folds, np.full(len(self.rows), -1, dtype=np.int64), str(small)
        folds += [Fold("blocks", blocks.training(fold), np.flatnonzero(blocks.fold == fold)) for fold in range(count)]
        return folds, blocks.fold, ""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What came of one target."""

    data: TargetData
    results: Sequence[FoldResult]
    block: NDArray[np.int64]
    """(m,) spatial fold of the data's pixels."""
    scores: tuple[Score, ...]
    null_test: NullTest
    verdict: Verdict
    network: Any
    """Trained on all pixels."""
    references: dict[str, Any]
    """Reference models that predict as well as the best, by name, trained on all pixels."""
    remarks: tuple[str, ...]
    unexplained: Unexplained | None = None
    """Of the data's pixels, by the model that predicts blocks best; None where they were not tested."""

    @classmethod
    def learn(
        cls,
        settings: EvaluationSettings,
        samples: Samples,
        target: str,
        progress: Progress,
        *,
        measured: Samples | None = None,
        checkpoints: Path | None = None,
    ) -> Self:
        """Let the network and the reference models learn one target, and judge.

        Parameters
        ----------
        measured : the same pixels as they were measured, where noise was taken out of `samples`
        checkpoints : folder that the networks are kept in, from where an interrupted evaluation goes on
        """
        data = TargetData.of(samples, target, measured)
        folds, block, without = data.folds(settings.block_folds, settings.seed)
        results, network, everywhere, chance = _side_by_side(settings, samples, data, folds, progress, checkpoints)
        scores = tuple(_scores(data, pooled(results)))
        shares, unexplained = _unexplained(data, pooled(results), chance.null)
        tests = chance.null, data.ceiling, samples.absent(), chance.shared
        known = Evidence(target, len(data.rows), scores, *tests, shares, doubts=samples.doubts)
        verdict = _judged(known, data, settings.seed)
        references = {name: everywhere[name] for name in as_good(evidence(scores, target)) if name in everywhere}
        remarks = [remark for remark in (without, _spread(settings, samples, data, results), _left_out(samples)) if remark]
        return cls(data, results, block, scores, chance.null, verdict, network, references, tuple(remarks), unexplained)

    def spread(self, count: int, validation: str) -> Numbers:
        """(n,) predictions of the network in the samples' order: of held-out pixels, and for the random split of those trained on too."""
        predicted = np.full(count, np.nan)
        for result in self.results:
            if result.model == NETWORK and result.fold.validation == validation:
                predicted[self.data.rows[result.fold.held_out]] = result.on_held_out
                if validation == "random":
                    predicted[self.data.rows[result.fold.training]] = result.on_training
        return predicted

    @property
    def on_random(self) -> FoldResult:
        """The network on the random split."""
        return next(result for result in self.results if result.model == NETWORK and result.fold.validation == "random")

    def curves(self) -> dict[str, Numbers]:
        """Learning curves of the random split, the target's name in front."""
        history = self.on_random.estimator.history_
        return {f"{self.data.target} {name.replace('_', ' ')}": np.asarray(values, dtype=np.float64) for name, values in history.items()}


def assembled(samples: Samples, evaluations: Sequence[Evaluation]) -> TrainedModel:
    """Put the targets together."""
    first, count = evaluations[0], len(samples)
    split, block = np.zeros(count, dtype=np.uint8), np.full(count, -1, dtype=np.int64)
    split[first.data.rows[first.on_random.fold.held_out]] = 1
    block[first.data.rows] = first.block
    return TrainedModel(
        samples,
        settings=first.network.settings(),
        weights={evaluation.data.target: evaluation.network.state() for evaluation in evaluations},
        split=split,
        predicted=np.stack([evaluation.spread(count, "random") for evaluation in evaluations]),
        held_out=np.stack([evaluation.spread(count, "blocks") for evaluation in evaluations]),
        block=block,
        curves={name: values for evaluation in evaluations for name, values in evaluation.curves().items()},
        scores=tuple(score for evaluation in evaluations for score in evaluation.scores),
        null_tests=tuple(evaluation.null_test for evaluation in evaluations),
        verdicts=tuple(evaluation.verdict for evaluation in evaluations),
        unexplained=_of_all(samples, evaluations, "score", np.nan),
        region=_of_all(samples, evaluations, "region", 0),
        remarks=tuple(dict.fromkeys(remark for evaluation in evaluations for remark in evaluation.remarks)),
        device=first.network.device_,
        name=" + ".join(samples.names),
        fitted={evaluation.data.target: evaluation.references for evaluation in evaluations},
    )


def _side_by_side(
    settings: EvaluationSettings, samples: Samples, data: TargetData, folds: Sequence[Fold], progress: Progress, checkpoints: Path | None
) -> "tuple[list[FoldResult], Any, dict[str, Any], _Chance]":
    """All models on all folds, those that can be explained on all pixels, and chance: networks in this thread, the rest beside it."""
    with (
        beside(partial(_of_references, settings, data, folds)) as compared,
        beside(partial(_Chance.of, settings, samples, data)) as chance,
    ):
        validation = CrossValidation(data.features, data.values, part(progress, 0.0, VALIDATED), _watch(progress), checkpoints)
        mine = [fold for fold in folds if settings.network_on_blocks or fold.validation != "blocks"]
        results = list(validation.run({NETWORK: settings.network(samples.lines)}, mine))
        everything = Fold("all pixels", np.arange(len(data.rows)), np.arange(0))
        network = validation.fit(settings.network(samples.lines), everything, part(progress, VALIDATED, TRAINED), NETWORK)
        others, everywhere = compared(part(progress, TRAINED, FITTED))
        return results + others, network, everywhere, chance(part(progress, FITTED, 1.0))


def _of_references(
    settings: EvaluationSettings, data: TargetData, folds: Sequence[Fold], progress: Progress
) -> tuple[list[FoldResult], dict[str, Any]]:
    """Reference models on all folds; and on all pixels those that an explanation may ask, before it is known which predict as well."""
    from napari_wse2xai.learning.references import reference_models

    models = reference_models(settings.seed)
    results = list(CrossValidation(data.features, data.values, part(progress, 0.0, 0.9), _watch(silent)).run(models, folds))
    progress(0.9, "Reference models on all pixels")
    return results, fitted([name for name in models if name in EXPLAINABLE.values()], data.features, data.values, seed=settings.seed)


@dataclass(frozen=True, eq=False)
class _Chance:
    """How the target does beside maps that owe nothing to RS, with and without what all heights have in common."""

    null: NullTest
    shared: CommonMode | None

    @classmethod
    def of(cls, settings: EvaluationSettings, samples: Samples, data: TargetData, progress: Progress) -> Self:
        """Draw surrogates once for both tests."""
        plain = plain_surrogates(data.values, data.places, flake=data.flake, count=settings.surrogates, seed=settings.seed)
        null = _null_test(settings, data, plain, part(progress, 0.0, 0.6))
        return cls(null, _common_mode(settings, samples, data, null, plain, part(progress, 0.6, 1.0)))


def _scores(data: TargetData, results: Sequence[PooledResult]) -> Iterator[Score]:
    for result in results:
        for pixels, rows, predicted in (
            ("validation", result.rows, result.predicted),
            ("training", result.training_rows, result.predicted_training),
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # said once, of the target, not once for each model
                scored = measure(data.values[rows], predicted)
            yield Score(result.model, data.target, result.validation, pixels, *scored, seconds=result.seconds)


def _of_all(samples: Samples, evaluations: Sequence[Evaluation], name: str, empty: float) -> Any:
    """What RS does not explain of every target, (target, n) in the samples' order; None where no target has it."""
    if all(evaluation.unexplained is None for evaluation in evaluations):
        return None
    found = np.full((len(evaluations), len(samples)), empty, dtype=np.int64 if name == "region" else np.float64)
    for row, evaluation in zip(found, evaluations, strict=True):
        if evaluation.unexplained is not None:
            row[evaluation.data.rows] = getattr(evaluation.unexplained, name)
    return found


def _unexplained(data: TargetData, results: Sequence[PooledResult], null: NullTest) -> tuple[Shares | None, Unexplained | None]:
    """What RS settles and where it does not, by the model that predicts blocks best; nothing where they were not tested."""
    tested = [result for result in results if result.validation == "blocks" and len(result.rows) == len(data.rows)]
    if not tested or not np.isfinite(null.noise):
        return None, None
    best = max(tested, key=lambda result: float(r2(data.values[result.rows], result.predicted)))
    predicted = np.empty(len(data.rows))
    predicted[best.rows] = best.predicted
    found = Unexplained.of(data.values, data.errors, predicted, data.places, data.flake)
    return Shares(*settled(data.values, predicted, data.places), _noise(data, null), best.model, int(found.region.max())), found


def _noise(data: TargetData, null: NullTest) -> float:
    """Share of noise in PL: what changes from pixel to pixel, or what its errors make, where that is more.

    A variogram begins at one pixel: what is smooth over hardly more looks like noise there, and the fit gives some of one to the other.
    """
    of_errors = 1.0 - data.ceiling
    return max(null.noise, of_errors) if np.isfinite(of_errors) else null.noise


def _judged(evidence: Evidence, data: TargetData, seed: int) -> Verdict:
    """Judge; where that is not the best, say what could have been found at all."""
    verdict, test = judge(evidence), evidence.null_test
    if verdict.level is Level.INTERPRETABLE or test is None or test.refused:
        return verdict
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # a flake too small for blocks: cross-validation has said so
        power = Power.of(data.measured, data.values, data.places, data.flake, test, seed=seed)
    return judge(replace(evidence, power=power))


def _null_test(settings: EvaluationSettings, data: TargetData, plain: Numbers, progress: Progress) -> NullTest:
    return null_test(
        data.measured,
        data.values,
        data.places,
        target=data.target,
        flake=data.flake,
        count=settings.surrogates,
        plain=plain,
        quiet=True,  # a flake too small for blocks: cross-validation has said so
        seed=settings.seed,
        progress=progress,
    )


def _common_mode(
    settings: EvaluationSettings, samples: Samples, data: TargetData, null: NullTest, plain: Numbers, progress: Progress
) -> CommonMode | None:
    """Whether the focus alone could have made the map; only intensities follow it."""
    unit = samples.target_units[samples.target(data.target)]
    if null.refused or not is_intensity(data.target, unit):
        return None
    return common_mode(
        data.measured,
        data.values,
        data.places,
        null,
        heights=samples.columns("height"),
        flake=data.flake,
        plain=plain,
        seed=settings.seed,
        progress=progress,
    )


def _spread(settings: EvaluationSettings, samples: Samples, data: TargetData, results: Sequence[FoldResult]) -> str:
    """What the errors of RS do to the network's prediction, as a sentence; empty where that was not asked for."""
    if not settings.resamples:
        return ""
    result = next(result for result in results if result.model == NETWORK and result.fold.validation == "random")
    rows = result.fold.held_out
    errors = samples.feature_errors[data.rows[rows]]
    spread = error_spread(result.estimator, data.features[rows], errors, data.values[rows], count=settings.resamples, seed=settings.seed)
    return f"PL {data.target}: {spread.text}"


def _left_out(samples: Samples) -> str:
    """Say which optional peaks were no features; empty where all were."""
    if not samples.left_out:
        return ""
    return f"The fits of nearly all pixels have no {' and no '.join(samples.left_out)}: not learnt from."


def _watch(progress: Progress) -> Any:
    return getattr(progress, "watch", lambda _validation, _history: None)
