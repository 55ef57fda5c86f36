"""Stages run one after the other."""

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.stages import STAGES, Deconvolve, Stage, as_kept

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
        ends = list(accumulate(_EFFORT.get(type(stage).__name__, 1.0) for stage in self.stages))
        for stage, (start, end) in zip(self.stages, pairwise([0.0, *ends]), strict=True):
            made = stage(outcome.map, part(progress, start / ends[-1], end / ends[-1], stage.title))
            outcome = Outcome(outcome.map, made) if isinstance(made, PeakMaps) else Outcome(made)
        return outcome

    def stage(self, kind: type[Stage[Any, Any]]) -> Stage[Any, Any] | None:
        """Find the first stage of a class; None where the chain has none."""
        return next((stage for stage in self.stages if isinstance(stage, kind)), None)


def from_history(artefact: SpectralMap | PeakMaps) -> Chain:
    """Rebuild the chain that made an artefact; run on the file that was read, it makes it again.

    Records that are no stage (reading a file, editing by hand) are left out.
    """
    return Chain(tuple(as_kept(BY_NAME[record.step], record) for record in artefact.history if record.step in BY_NAME))
