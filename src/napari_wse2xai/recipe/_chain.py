"""Stages run one after the other."""

from dataclasses import dataclass
from typing import Any

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.stages import STAGES, Deconvolve, Progress, Stage, silent

BY_NAME = {stage.__name__: stage for stage in STAGES}
_EFFORT = {Deconvolve.__name__: 8.0}
"""Share of the running time that a stage takes, against one for every other."""


@dataclass(frozen=True)
class Outcome:
    """What a chain makes of a map."""

    map: SpectralMap
    """The map after the last stage that gives one."""
    peaks: PeakMaps | None = None
    """None where the chain ends before deconvolution."""


@dataclass(frozen=True)
class Chain:
    """Stages in the order in which they run."""

    stages: tuple[Stage[Any, Any], ...]

    def run(self, source: SpectralMap, progress: Progress = silent) -> Outcome:
        """Run all stages on a map."""
        outcome = Outcome(source)
        efforts = [_EFFORT.get(type(stage).__name__, 1.0) for stage in self.stages]
        for index, stage in enumerate(self.stages):
            start, share = sum(efforts[:index]) / sum(efforts), efforts[index] / sum(efforts)
            made = stage(outcome.map, _part(progress, start, share, stage.title))
            outcome = Outcome(outcome.map, made) if isinstance(made, PeakMaps) else Outcome(made)
        return outcome

    def stage(self, kind: type[Stage[Any, Any]]) -> Stage[Any, Any] | None:
        """Find the first stage of a class; None where the chain has none."""
        return next((stage for stage in self.stages if isinstance(stage, kind)), None)


def from_history(artefact: SpectralMap | PeakMaps) -> Chain:
    """Rebuild the chain that made an artefact; run on the file that was read, it makes it again.

    Records that are no stage (reading a file, editing by hand) are left out.
    """
    stages = []
    for record in artefact.history:
        if record.step in BY_NAME:
            stages.append(_rebuilt(record.step, dict(record.settings), record.version))
    return Chain(tuple(stages))


def _rebuilt(step: str, settings: dict[str, Any], version: str) -> Stage[Any, Any]:
    try:
        return BY_NAME[step].model_validate(settings)
    except ValueError as error:
        raise SettingsError(
            f"The history's step {step} was made by version {version or 'unknown'} with settings that this version does not know; "
            "open the result with that version."
        ) from error


def _part(progress: Progress, start: float, share: float, title: str) -> Progress:
    """Progress of one stage as a part of the whole chain's."""
    return lambda fraction, message: progress(start + share * fraction, f"{title}: {message}" if message else title)
