"""What one flake, trained and explained by itself, says of every parameter, in numbers that may be compared with another flake's."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from napari_wse2xai.data.explanation import Explanation
from napari_wse2xai.data.trained_model import TrainedModel
from napari_wse2xai.data.verdict import Level

LEAST_ERROR = 1e-3
"""Of an effect: a model that never uses a parameter is else sure of its zero beyond all measure, and would outweigh every other flake."""


@dataclass(frozen=True)
class FlakeEffects:
    """Effects on one target: mean slopes, in standard deviations of PL per standard deviation of the parameter.

    Notes
    -----
    Without units, so that flakes lit by different power or for different times may stand side by side.
    """

    target: str
    level: str
    """Of the verdict."""
    model: str = ""
    """Which model was explained; empty where none was."""
    features: tuple[str, ...] = ()
    effect: tuple[float, ...] = ()
    error: tuple[float, ...] = ()
    """One standard error of each."""

    @property
    def told(self) -> bool:
        """Whether it says anything: a model that must not be interpreted does not, even where it was explained anyway."""
        return bool(self.features) and self.level != Level.DO_NOT_INTERPRET

    def as_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Read it back."""
        lists = {name: tuple(record[name]) for name in ("features", "effect", "error")}
        return cls(**{**record, **lists})

    @classmethod
    def of_explanation(cls, explanation: Explanation) -> Self:
        """Effects of what was explained with errors of its mean slopes."""
        values = explanation.samples.targets[:, explanation.samples.target(explanation.target)]
        unit = explanation.step / np.nanstd(values)
        effect = np.nanmean(explanation.slope, axis=1) * unit
        error = np.maximum(np.asarray(explanation.mean_slope_error) * unit, LEAST_ERROR)
        level, words = str(explanation.verdict.level), explanation.model_words
        return cls(explanation.target, level, words, explanation.features, tuple(effect.tolist()), tuple(error.tolist()))


def effects_of(model: TrainedModel | None, explanation: Explanation | None) -> Iterator[FlakeEffects]:
    """What a flake's own training says, of every target that was explained or refused."""
    if explanation is not None and explanation.mean_slope_error is not None:
        yield FlakeEffects.of_explanation(explanation)
    elif model is not None:
        yield from (FlakeEffects(each.target, str(each.level)) for each in model.verdicts if each.level is Level.DO_NOT_INTERPRET)
