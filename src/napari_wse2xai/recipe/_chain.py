"""Stages run one after the other."""

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from napari_wse2xai.data import Components, PairedMaps, PeakMaps, SpectralMap
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.stages import BY_NAME, Step, as_kept
from napari_wse2xai.stages._bands import spending


@dataclass(frozen=True)
class Outcome:
    """What a chain makes of a map."""

    map: SpectralMap
    """The map after the last stage that gives one; None of a chain that does not begin with a map."""
    peaks: PeakMaps | None = None
    """None where the chain ends before deconvolution."""
    last: Any = None
    """What the last step gave."""
    components: Components | None = None
    """None where they were not asked for."""


@dataclass(frozen=True)
class Chain:
    """Stages in the order in which they run."""

    stages: tuple[Step, ...]

    @property
    def effort(self) -> float:
        """Share of the time of a run."""
        return sum(stage.effort for stage in self.stages)

    def run(self, source: object, progress: Progress = silent) -> Outcome:
        """Run all stages, each on what those before it gave.

        Parameters
        ----------
        source : what the first takes: a map, a `Pairable`, a list of pairs for `Train`, a model
        """
        known: dict[type, Any] = {PairedMaps if isinstance(source, list) else type(source): source}
        last, ends = source, list(accumulate(stage.effort for stage in self.stages))
        for stage, (start, end) in zip(self.stages, pairwise([0.0, *ends]), strict=True):
            with spending(_spendable(known.get(SpectralMap), source)):
                last = stage.on(known, part(progress, start / ends[-1], end / ends[-1], stage.title))
            known[type(last)] = last
        found: Any = known.get(SpectralMap)
        return Outcome(found, known.get(PeakMaps), last, known.get(Components))

    def stage(self, kind: type[Step]) -> Step | None:
        """Find the first stage of a class; None where the chain has none."""
        return next((stage for stage in self.stages if isinstance(stage, kind)), None)


def _spendable(made: SpectralMap | None, source: object) -> Any:
    """Counts of a map that only the next stage needs; None where they are the caller's."""
    counts, given = getattr(made, "counts", None), getattr(source, "counts", None)
    is_given = isinstance(counts, np.ndarray) and isinstance(given, np.ndarray) and np.may_share_memory(counts, given)
    return None if counts is given or is_given else counts


def from_history(artefact: Any) -> Chain:
    """Rebuild the chain that made an artefact of any kind; run on what its first step took, it makes it again.

    That is the file that was read for a map, its peaks or a comparison with theory, a `Pairable` for a pair, and a list of pairs for a
    model and its explanation.  Records that are no stage (reading a file, editing by hand) are left out.
    """
    return Chain(tuple(as_kept(BY_NAME[record.step], record) for record in artefact.history if record.step in BY_NAME))
