"""The models that a training can explain: which of them is, and what the others say of the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import NETWORK, OtherModel, TrainedModel
from napari_wse2xai.data.quantities import MODEL_WORDS
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.learning.explainable import EXPLAINABLE, as_good, evidence, model_of
from napari_wse2xai.progress import Progress, part

if TYPE_CHECKING:
    from napari_wse2xai.explaining import Subject

Numbers = NDArray[np.float64]
AUTO = "auto"


@dataclass(frozen=True, eq=False)
class Asked:
    """The model that is explained and those that predict as well, with their slopes."""

    model: TrainedModel
    target: str
    name: str
    """Of the model that is explained, among the scores."""
    subjects: "Mapping[str, Subject]"
    """By name, the one that is explained first."""
    slopes: Mapping[str, Bunch]

    @classmethod
    def of(cls, model: TrainedModel, target: str, wanted: str, scheme: str, progress: Progress) -> "Asked":
        """Ask all that predict as well, and choose the one to explain."""
        from napari_wse2xai.explaining import ice_slope, trusted

        good = as_good(evidence(model.scores, target))
        names = list(dict.fromkeys([*_named(model, target, wanted), *good])) or [NETWORK]
        subjects = {name: subject_of(model, target, name) for name in names}
        told = [part(progress, k / len(names), (k + 1) / len(names)) for k in range(len(names))]
        slopes = {name: ice_slope(subjects[name], scheme=_scheme(subjects[name], scheme), progress=told[k]) for k, name in enumerate(names)}
        maps = {name: found.slope for name, found in slopes.items()}
        first = trusted(maps, slopes[names[0]].step) if wanted == AUTO else names[0]
        order = [first, *(name for name in names if name != first)]
        return cls(model, target, first, {name: subjects[name] for name in order}, {name: slopes[name] for name in order})

    @property
    def subject(self) -> "Subject":
        """What is explained."""
        return self.subjects[self.name]

    def of_model(self, name: str) -> "Subject":
        """Any model of the training."""
        return self.subjects[name] if name in self.subjects else subject_of(self.model, self.target, name)

    @property
    def others(self) -> list[Any]:
        """Models of the others, as `bands` takes them."""
        return [subject.model for name, subject in self.subjects.items() if name != self.name]

    def beside(self, partial: Bunch, errors: Bunch) -> dict[str, Any]:
        """What the others say, as fields of an `Explanation`."""
        from napari_wse2xai.explaining import concordance, disagreement, pdp_spread, slope_rms

        own, scores, table = self.slopes[self.name], evidence(self.model.scores, self.target), self.subject.table
        found = []
        for name, curves in zip(list(self.subjects)[1:], errors.references, strict=True):
            slope = self.slopes[name].slope
            spread, rms = pdp_spread(table, partial.grid_values, curves), slope_rms(slope, own.step)
            found.append(OtherModel(name, scores[name], concordance(own.slope, slope, own.step), spread, rms, curves, slope))
        maps = [each.slope for each in self.slopes.values()]
        where = {"disagreement": disagreement(maps, errors.slope_spread)} if found else {}
        return {"model": self.name, "others": tuple(found), **where}

    def remark(self) -> str:
        """How well the model that is explained predicts, and why it is this one."""
        scores = evidence(self.model.scores, self.target)
        words = MODEL_WORDS.get(self.name, self.name)
        place = "in spatial blocks" if self.model.held_out_r2(self.target, "blocks") else "of the random split"
        if self.name not in scores:
            return f"What is explained is the {words}."
        best = max(scores, key=lambda name: scores[name])
        said = f"What is explained is the {words}, which predicts held-out pixels {place} with R2 {scores[self.name]:.2f}"
        return f"{said}." if best == self.name else f"{said}; the best, {MODEL_WORDS.get(best, best)}, with {scores[best]:.2f}."


def _named(model: TrainedModel, target: str, wanted: str) -> list[str]:
    """The model that was asked for by name; none where that is left to the evidence."""
    if wanted == AUTO:
        return []
    name, scores = EXPLAINABLE[wanted], evidence(model.scores, target)
    if name != NETWORK and name not in scores:
        raise SettingsError(f"The training has no {name}; explain {' or '.join(scores) or 'the network'}, or train again.")
    return [name]


def subject_of(model: TrainedModel, target: str, name: str) -> "Subject":
    """A model of the training, and the table that it has learnt."""
    from napari_wse2xai.explaining import Subject

    return Subject.of(model_of(model, target, name), model.samples.features)


def _scheme(subject: "Subject", scheme: str) -> str:
    """Finite steps for a model that has no derivatives."""
    return scheme if scheme != "autograd" or subject.model.differentiable else "central"
