"""One target of training: the contest on all folds, the null test, the network on all pixels, the verdict."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import NETWORK, NullTest, Samples, Score, TrainedModel, Verdict
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.learning import splits
from napari_wse2xai.learning.common_mode import CommonMode, common_mode
from napari_wse2xai.learning.contest import Contest, Fold, Heat, Pooled, pooled
from napari_wse2xai.learning.input_errors import error_spread
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.scores import measure, noise_ceiling
from napari_wse2xai.learning.verdict import Evidence, judge
from napari_wse2xai.progress import Progress, part

if TYPE_CHECKING:
    from napari_wse2xai.stages.train import Train

Numbers = NDArray[np.float64]
CONTESTED, TESTED = 0.8, 0.88
"""Where the contest and the null test end, as fractions of a lesson."""


@dataclass(frozen=True, eq=False)
class Pupil:
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
    ceiling: float
    """Largest R2 that the target's errors allow."""

    @classmethod
    def of(cls, samples: Samples, target: str) -> Self:
        """Take the pixels that have the target."""
        column = samples.target(target)
        rows = np.flatnonzero(np.isfinite(samples.targets[:, column]))
        values, errors = samples.targets[rows, column], samples.target_errors[rows, column]
        places, flake = samples.coordinates_um[rows], samples.flake[rows]
        return cls(target, rows, samples.features[rows], values, places, flake, noise_ceiling(values, errors))

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
class Lesson:
    """What came of one target."""

    pupil: Pupil
    heats: Sequence[Heat]
    block: NDArray[np.int64]
    """(m,) spatial fold of the pupil's pixels."""
    scores: tuple[Score, ...]
    null_test: NullTest
    verdict: Verdict
    network: Any
    """Trained on all pixels."""
    remarks: tuple[str, ...]

    @classmethod
    def learn(cls, settings: "Train", samples: Samples, target: str, progress: Progress, *, checkpoints: Path | None = None) -> Self:
        """Let the network and its rivals learn one target, and judge.

        Parameters
        ----------
        checkpoints : folder that the networks are kept in, from where an interrupted lesson goes on
        """
        pupil = Pupil.of(samples, target)
        folds, block, without = pupil.folds(settings.block_folds, settings.seed)
        contest = Contest(pupil.features, pupil.values, part(progress, 0.0, CONTESTED), _watch(progress), checkpoints)
        heats = list(_heats(settings, samples, contest, folds))
        scores = tuple(_scores(pupil, pooled(heats)))
        null = _null_test(settings, pupil, part(progress, CONTESTED, (TESTED + CONTESTED) / 2))
        shared = _common_mode(settings, samples, pupil, null, part(progress, (TESTED + CONTESTED) / 2, TESTED))
        verdict = judge(Evidence(target, len(pupil.rows), scores, null, pupil.ceiling, samples.absent(), shared, samples.doubts))
        everything = Fold("all pixels", np.arange(len(pupil.rows)), np.arange(0))
        network = contest.fit(settings.network(samples.lines), everything, part(progress, TESTED, 1), NETWORK)
        remarks = [remark for remark in (without, _spread(settings, samples, pupil, heats), _left_out(samples)) if remark]
        return cls(pupil, heats, block, scores, null, verdict, network, tuple(remarks))

    def spread(self, count: int, validation: str) -> Numbers:
        """(n,) predictions of the network in the samples' order: of held-out pixels, and for the random split of those trained on too."""
        predicted = np.full(count, np.nan)
        for heat in self.heats:
            if heat.model == NETWORK and heat.fold.validation == validation:
                predicted[self.pupil.rows[heat.fold.held_out]] = heat.on_held_out
                if validation == "random":
                    predicted[self.pupil.rows[heat.fold.training]] = heat.on_training
        return predicted

    @property
    def on_random(self) -> Heat:
        """The network on the random split."""
        return next(heat for heat in self.heats if heat.model == NETWORK and heat.fold.validation == "random")

    def curves(self) -> dict[str, Numbers]:
        """Learning curves of the random split, the target's name in front."""
        history = self.on_random.estimator.history_
        return {f"{self.pupil.target} {name.replace('_', ' ')}": np.asarray(values, dtype=np.float64) for name, values in history.items()}


def assembled(settings: "Train", samples: Samples, lessons: Sequence[Lesson]) -> TrainedModel:
    """Put the targets together."""
    first, count = lessons[0], len(samples)
    split, block = np.zeros(count, dtype=np.uint8), np.full(count, -1, dtype=np.int64)
    split[first.pupil.rows[first.on_random.fold.held_out]] = 1
    block[first.pupil.rows] = first.block
    return TrainedModel(
        samples,
        settings=first.network.settings(),
        weights={lesson.pupil.target: lesson.network.state() for lesson in lessons},
        split=split,
        predicted=np.stack([lesson.spread(count, "random") for lesson in lessons]),
        held_out=np.stack([lesson.spread(count, "blocks") for lesson in lessons]),
        block=block,
        curves={name: values for lesson in lessons for name, values in lesson.curves().items()},
        scores=tuple(score for lesson in lessons for score in lesson.scores),
        null_tests=tuple(lesson.null_test for lesson in lessons),
        verdicts=tuple(lesson.verdict for lesson in lessons),
        remarks=tuple(dict.fromkeys(remark for lesson in lessons for remark in lesson.remarks)),
        device=first.network.device_,
        name=" + ".join(samples.names),
    )


def _heats(settings: "Train", samples: Samples, contest: Contest, folds: Sequence[Fold]) -> Iterator[Heat]:
    """The rivals on all folds, the network on those it is asked for."""
    from napari_wse2xai.learning import zoo

    network = {NETWORK: settings.network(samples.lines)}
    mine = [fold for fold in folds if settings.network_on_blocks or fold.validation != "blocks"]
    entries = [(network, mine), (zoo(settings.seed), folds)]
    work = [sum(len(fold.training) for fold in theirs) * (8.0 if models is network else 2.0) for models, theirs in entries]
    told, ends = contest.told, np.cumsum(work) / sum(work)
    for (models, theirs), (start, end) in zip(entries, pairwise([0.0, *ends.tolist()]), strict=True):
        contest.told = part(told, start, end)
        yield from contest.run(models, theirs)


def _scores(pupil: Pupil, results: Sequence[Pooled]) -> Iterator[Score]:
    for result in results:
        for pixels, rows, predicted in (
            ("validation", result.rows, result.predicted),
            ("training", result.training_rows, result.predicted_training),
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # said once, of the target, not once for each model
                scored = measure(pupil.values[rows], predicted)
            yield Score(result.model, pupil.target, result.validation, pixels, *scored, seconds=result.seconds)


def _null_test(settings: "Train", pupil: Pupil, progress: Progress) -> NullTest:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # a flake too small for blocks: the contest has said so
        return null_test(
            pupil.features,
            pupil.values,
            pupil.places,
            target=pupil.target,
            flake=pupil.flake,
            count=settings.surrogates,
            seed=settings.seed,
            progress=progress,
        )


def _common_mode(settings: "Train", samples: Samples, pupil: Pupil, null: NullTest, progress: Progress) -> CommonMode | None:
    """Whether the focus alone could have made the map; only intensities follow it."""
    unit = samples.target_units[samples.target(pupil.target)]
    if (pupil.target not in ("height", "area") and "counts" not in unit.split()) or null.refused:
        return None
    return common_mode(
        pupil.features,
        pupil.values,
        pupil.places,
        null,
        heights=samples.columns("height"),
        flake=pupil.flake,
        seed=settings.seed,
        progress=progress,
    )


def _spread(settings: "Train", samples: Samples, pupil: Pupil, heats: Sequence[Heat]) -> str:
    """What the errors of RS do to the network's prediction, as a sentence; empty where that was not asked for."""
    if not settings.resamples:
        return ""
    heat = next(heat for heat in heats if heat.model == NETWORK and heat.fold.validation == "random")
    rows = heat.fold.held_out
    errors = samples.feature_errors[pupil.rows[rows]]
    spread = error_spread(heat.estimator, pupil.features[rows], errors, pupil.values[rows], count=settings.resamples, seed=settings.seed)
    return f"PL {pupil.target}: {spread.text}"


def _left_out(samples: Samples) -> str:
    """Say which optional peaks were no features; empty where all were."""
    if not samples.left_out:
        return ""
    return f"The fits of nearly all pixels have no {' and no '.join(samples.left_out)}: not learnt from."


def _watch(progress: Progress) -> Any:
    return getattr(progress, "watch", lambda _validation, _history: None)
