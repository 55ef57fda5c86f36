"""Simulate my flake: whether training and explaining would find a law that is known on this flake's own parameter maps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from napari_wse2xai.data import NETWORK, Explanation, History, Recovery, Samples, TrainedModel
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.errors import DataError
from napari_wse2xai.learning.explainable import fitted
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.stages._stage import Settings, Step, as_kept, recorded, setting
from napari_wse2xai.stages.explain import Explain
from napari_wse2xai.stages.train import Train

if TYPE_CHECKING:
    from napari_wse2xai.explaining.semi_synthetic import Explained

Kind = TypeVar("Kind", bound=Settings)
USUAL_NOISE = 0.05
"""Share of the variance where no score says how much of it can be predicted."""


class Simulate(Step):
    """Plant a known law on the flake's own parameter maps, train and explain again, and tell how much of the law is found.

    Called as ``Simulate()(model, explanation)``.

    Notes
    -----
    The law takes over the target's mean, spread and gaps.  As much of the variance is noise as no model predicts between neighbours, and as
    much is a smooth map that RS does not show as is lost from there to spatial blocks.  The model that was explained is trained again, and
    the bands come from as many refits and the same reference models as the explanation's.  A semi-synthetic recovery
    tests laws of its family (`explaining.simulate`).
    """

    title: ClassVar[str] = "Simulate"
    order: ClassVar[int] = 140
    takes: ClassVar[tuple[type, ...]] = (TrainedModel, Explanation)
    gives: ClassVar[type] = Recovery
    effort: ClassVar[float] = 45.0
    kept: ClassVar[str] = "explanation.recovery"
    optional: ClassVar[bool] = True
    without: ClassVar[str] = "There is no simulation of the flake: "

    seed: int = setting(0, ge=0, title="Seed", description="The law, its noise and its hidden map follow from it.")

    def __call__(self, model: TrainedModel, explanation: Explanation, progress: Progress = silent) -> Recovery:
        """Plant, train, explain and compare; the result carries these settings in its history."""
        _check(model, explanation)
        return recorded(self, lambda: self._simulated(model, explanation, progress), of=(mark_of(explanation.history),))

    def _simulated(self, model: TrainedModel, explanation: Explanation, progress: Progress) -> Recovery:
        from napari_wse2xai.explaining import simulate

        train, explain = _as_used(Train, model.history), _as_used(Explain, explanation.history)
        noise, hidden = shares(model, explanation.target)
        return simulate(
            explanation.samples,
            _Trainer(train, explanation.model),
            _Explainer([other.model for other in explanation.others], explain, train.seed),
            target=explanation.target,
            noise=noise,
            hidden=hidden,
            seed=self.seed,
            progress=progress,
        )


@dataclass(frozen=True)
class _Trainer:
    """Trains on the planted target as the model was trained on its own."""

    settings: Train
    name: str
    """Of the model that was explained."""

    def __call__(self, planted: Samples, progress: Progress) -> Any:
        """Give the fitted model."""
        known = np.isfinite(planted.targets[:, 0])
        if self.name != NETWORK:
            progress(0.0, f"Fitting the {self.name}")
            return fitted([self.name], planted.features, planted.targets[:, 0], seed=self.settings.seed)[self.name]
        network = self.settings.network(planted.lines).set_params(on_epoch=lambda done, words, _history: progress(done, words))
        return network.fit(planted.features[known], planted.targets[known, 0]).set_params(on_epoch=None)


@dataclass(frozen=True)
class _Explainer:
    """Explains the planted target with as many refits, and with the same reference models, as its own was explained with."""

    references: list[str]
    settings: Explain
    seed: int
    """Of the training."""

    def __call__(self, estimator: Any, planted: Samples, progress: Progress) -> "Explained":
        """Give curves, slopes and bands."""
        from napari_wse2xai.explaining import explained

        others = fitted(self.references, planted.features, planted.targets[:, 0], seed=self.seed)
        return explained(estimator, planted, progress, references=list(others.values()), refits=self.settings.refits)


def _check(model: TrainedModel, explanation: Explanation) -> None:
    """Refuse an explanation of something else."""
    ours, theirs = model.samples, explanation.samples
    of_model = ours is theirs or np.array_equal(ours.features, theirs.features, equal_nan=True)
    if not of_model or explanation.target not in ours.target_names:
        raise DataError(
            f"The explanation of PL {explanation.target} ('{explanation.name}') is not of the model '{model.name}'; "
            "give the model that was explained."
        )


def shares(model: TrainedModel, target: str) -> tuple[float, float]:
    """Share of the target's variance that no model predicts between neighbours, and the share that is lost across the flake."""
    random, blocks = (_best(model, target, validation) for validation in ("random", "blocks"))
    noise = float(np.clip(1 - random, 0.0, 1.0)) if np.isfinite(random) else USUAL_NOISE
    return noise, float(np.clip(random - blocks, 0.0, 1 - noise)) if np.isfinite(random - blocks) else 0.0


def _best(model: TrainedModel, target: str, validation: str) -> float:
    """R2 of the network on pixels not seen, else of its best reference model; NaN where none was tested."""
    scores = model.held_out_r2(target, validation)
    return scores.get(NETWORK, max(scores.values(), default=float("nan")))


def _as_used(stage: type[Kind], history: History) -> Kind:
    """Settings that an artefact was made with; the usual ones where its history does not say."""
    record = next((record for record in reversed(history) if record.step == stage.__name__), None)
    return stage() if record is None else as_kept(stage, record)
