"""The result of training: the network, how well it and the reference models predict, and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.declared import PIXEL, Coordinates, Tabled, along, attribute
from napari_wse2xai.data.history import History, Recorded
from napari_wse2xai.data.samples import Samples
from napari_wse2xai.data.verdict import Level, Verdict

NETWORK = "CNN"
"""Name of the network among the models of `TrainedModel.scores`; the others are the reference models."""
NOT_SAMPLED = 255
"""Split of a place without a sample."""
SPLITS = {0: "training", 1: "validation", NOT_SAMPLED: "not sampled"}
Numbers = NDArray[np.float64]
of_target = partial(along, "target", PIXEL, unit="target_unit", empty=np.nan)
VALIDATIONS = {
    "random": "random 7:3 split (the paper's; leaks between neighbours)",
    "blocks": "spatial blocks with a buffer",
    "other flake": "another flake",
}


@dataclass(frozen=True)
class Score:
    """How well one model predicts one target on pixels."""

    model: Annotated[str, along(says="the network, or a reference model")]
    """`NETWORK`, or the name of a reference model: ``mean``, ``ridge``, ``gradient boosting``, ..."""
    target: Annotated[str, along(says="what is predicted")]
    validation: Annotated[str, along(says="how pixels were held out")]
    """One of `VALIDATIONS`."""
    part: Annotated[str, along(says="training or validation: pixels that the model saw, or did not")]
    """``training`` or ``validation``: pixels that the model saw, or did not."""
    r2: Annotated[float, along(unit="1", heading="R2", says="coefficient of determination")]
    mae: Annotated[float, along(heading="MAE", says="mean absolute error in the target's unit")]
    mape: Annotated[float, along(unit="percent", heading="MAPE (%)", says="mean absolute percentage error")]
    wape: Annotated[float, along(unit="percent", heading="WAPE (%)", says="sum of absolute errors over the sum of absolute values")]
    """Unlike MAPE it stands values near zero."""
    seconds: Annotated[float, along(unit="s", says="time of fitting")] = 0.0


@dataclass(frozen=True, eq=False)
class Beyond:
    """What RS tells of PL that neither the neighbours of a pixel nor a confounder tell, beside the same of surrogates."""

    confounder: str
    """Empty for none; ``edge``, ``scan``, ``layers``: surrogates then have the target's profile along it, too."""
    validation: str
    """``random`` or ``blocks``: how the pixels were held out that were predicted."""
    correlation: float
    """Of the held-out prediction with the target, both less what neighbours and confounder tell."""
    surrogate_correlation: NDArray[np.float64]
    """(surrogate,)"""
    p_value: float
    """Chance of as good a correlation, with the part that neighbours tell or without."""
    alone: float = float("nan")
    """Share of the target's variance that the confounder alone settles (adjusted R2 of the profile)."""


@dataclass(frozen=True, eq=False)
class NullTest(Tabled):
    """The same fast model on surrogates of the target map that owe nothing to RS but are as smooth."""

    target: Annotated[str, attribute()]
    model: Annotated[str, attribute()]
    """Which fast model."""
    r2: Annotated[Mapping[str, float], along("validation", unit="1", says="R2 of the measured map")]
    """Of the target itself, by validation: ``random``, ``blocks``."""
    surrogate_r2: Mapping[str, NDArray[np.float64]]
    """(surrogate,) of the surrogates, by validation."""
    p_value: Annotated[Mapping[str, float], along("validation", unit="1", says="share of surrogate maps that are predicted as well")]
    """(1 + surrogates at least as good) / (1 + surrogates), by validation; NaN where refused.

    Good is what is so in R2 or in what is `beyond`.
    """
    refused: Annotated[str, attribute()] = ""
    """Why there is no p value: the surrogates do not have the target's variogram."""
    beyond: tuple[Beyond, ...] = ()
    """Of `validation` by `validation` without a confounder, then with each."""
    turned: Annotated[Mapping[str, float], attribute()] = field(default_factory=dict)
    """What `Beyond.correlation` in blocks is for the target turned and mirrored, by the words for it."""
    noise: Annotated[float, attribute()] = float("nan")
    """Share of the target's variance that changes from pixel to pixel, of which neighbours know nothing: no model can be asked for it."""
    scale: Annotated[str, attribute()] = ""
    """``logarithmic`` where the target spans decades and was tested on such a scale."""

    def __post_init__(self) -> None:
        """Let both have the same validations in the same order: they stand side by side in files."""
        object.__setattr__(self, "p_value", {name: self.p_value.get(name, float("nan")) for name in self.r2})

    def told_beyond(self, confounder: str = "", validation: str = "blocks") -> "Beyond | None":
        """What is told beyond neighbours and a confounder, where that was tested."""
        return next((one for one in self.beyond if (one.confounder, one.validation) == (confounder, validation)), None)


@dataclass(frozen=True, eq=False)
class TrainedModel(Recorded, Tabled):
    """A network for each target of `samples`, what was measured on it, and whether it may be believed.

    Predictions are (target, n), in the order of `samples.target_names`.
    """

    samples: Samples
    settings: Annotated[Mapping[str, Any], attribute()]
    """Settings of the network (`learning.SpectralCNNRegressor.get_params`), JSON-able."""
    weights: Mapping[str, Mapping[str, NDArray[np.generic]]]
    """State of the network trained on all pixels, by target: name of the tensor to its values."""
    split: Annotated[NDArray[np.uint8], along(PIXEL, empty=NOT_SAMPLED, flags=SPLITS, says="part of the random split")]
    predicted: Annotated[Numbers, of_target(says="by the network trained on the training pixels of the random split")]
    """The paper's Figure 2."""
    held_out: Annotated[Numbers, of_target(says="by networks that saw neither the pixel's spatial block nor a buffer around it")]
    """NaN where the blocks were left out."""
    block: Annotated[NDArray[np.int64], along(PIXEL, empty=-1, says="fold of spatial validation that holds the pixel out; -1: none")]
    curves: Mapping[str, NDArray[np.float64]]
    """(epoch,) by name: ``height loss``, ``height R2 validation``, ..."""
    scores: Annotated[tuple[Score, ...], along("score", group="scores")]
    null_tests: tuple[NullTest, ...]
    verdicts: tuple[Verdict, ...]
    remarks: Annotated[tuple[str, ...], attribute()] = ()
    """Other things to know, as sentences."""
    device: Annotated[str, attribute()] = "cpu"
    name: Annotated[str, attribute()] = "model"
    history: Annotated[History, attribute()] = ()
    fitted: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    """Reference models fitted to all pixels, by target and name: kept in memory only, made anew by `learning.explained.model_of`."""
    unexplained: Annotated[
        Numbers | None,
        of_target(unit="1", says="measured less predicted in blocks by the model that does this best, in standard errors"),
    ] = None
    """What RS does not explain; NaN where blocks were left out."""
    region: Annotated[
        NDArray[np.int64] | None,
        along("target", PIXEL, empty=0, says="region that RS does not explain, from 1, the largest first; 0: none"),
    ] = None

    def coordinates(self) -> Coordinates:
        """Targets, and where every pixel lies."""
        texts = {"target": self.samples.target_names, "target_unit": self.samples.target_units}
        return self.samples.places() | {name: (("target",), np.array(values, dtype=object), "") for name, values in texts.items()}

    def verdict(self, target: str) -> Verdict:
        """The judgement on one target."""
        return next(verdict for verdict in self.verdicts if verdict.target == target)

    def null_test(self, target: str) -> NullTest | None:
        """The null test of one target, where it was run."""
        return next((test for test in self.null_tests if test.target == target), None)

    def score(self, target: str, *, model: str = NETWORK, validation: str = "random", part: str = "validation") -> Score | None:
        """One score, where it was measured."""
        wanted = (model, target, validation, part)
        return next((s for s in self.scores if (s.model, s.target, s.validation, s.part) == wanted), None)

    def held_out_r2(self, target: str, validation: str = "random") -> dict[str, float]:
        """R2 of the network and the reference models, by name, on pixels that they were not trained on."""
        return {s.model: s.r2 for s in self.scores if (s.target, s.validation, s.part) == (target, validation, "validation")}

    @property
    def stamp(self) -> str:
        """What must stand on everything that is drawn from this model; empty where all its targets are interpretable."""
        worst = [verdict for verdict in self.verdicts if verdict.level is not Level.INTERPRETABLE]
        return "; ".join(f"{verdict.target}: {verdict.level}" for verdict in worst)
