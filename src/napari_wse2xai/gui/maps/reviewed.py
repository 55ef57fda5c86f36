"""One deed by hand as a step of the session: every one begins from the deconvolution, with all deeds before it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from napari import Viewer
from numpy.typing import NDArray

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.gui.session import contents
from napari_wse2xai.progress import Progress
from napari_wse2xai.session import Lineage
from napari_wse2xai.stages import ByHand, Review, as_kept
from napari_wse2xai.stages._refitted import settings_of
from napari_wse2xai.stages.residual import residuals
from napari_wse2xai.stages.review import DONE, told

DECISIONS = ("accept", "reject")


@dataclass(frozen=True, eq=False)
class Reviewed:
    """What a deed gave."""

    former: PeakMaps
    """What was on the desk."""
    peaks: PeakMaps
    label: str
    decided: bool
    """Whether pixels were accepted or rejected, so that the next one can be looked at."""
    residuals: NDArray[np.float32] | None = None

    @property
    def words(self) -> str:
        """What is done by hand so far."""
        return f"{self.label}. By hand so far: {'; '.join(told(as_kept(Review, self.peaks.history[-1]).deeds))}."


@dataclass(frozen=True, eq=False)
class Reviewing:
    """A deed that is to be done."""

    stage: Review
    source: SpectralMap
    former: PeakMaps
    base: PeakMaps | None
    """The deconvolution; None where it is not in the session, as in a file of results that holds what was reviewed alone."""

    @classmethod
    def of(cls, known: Lineage, peaks: PeakMaps, source: SpectralMap, do: object, pixels: Sequence[tuple[int, int]]) -> "Reviewing":
        """One deed more than what was done to some peaks."""
        last = peaks.history[-1] if peaks.history else None
        if last is None or last.step != Review.__name__:
            return cls(Review(deeds=(ByHand(do=do, pixels=pixels),)), source, peaks, peaks)
        deeds = as_kept(Review, last).deeds
        base = next((each for each in known.parents(peaks) if isinstance(each, PeakMaps)), None)
        return cls(Review(deeds=with_one_more(deeds, ByHand(do=do, pixels=pixels))), source, peaks, base)

    def run(self, progress: Progress, *, with_residuals: bool) -> Reviewed:
        """Do it, in any thread."""
        base = self.base or settings_of(self.former)(self.source, progress)
        made = self.stage(self.source, base, progress)
        deed = self.stage.deeds[-1]
        cube = residuals(made, self.source, progress) if with_residuals else None
        return Reviewed(self.former, made, f"{len(deed.places)} {DONE[deed.do]}", deed.do in DECISIONS, cube)


def with_one_more(deeds: tuple[ByHand, ...], deed: ByHand) -> tuple[ByHand, ...]:
    """Deeds and one more; decisions of a kind that follow one another are one, which a recipe shows as one line."""
    if deeds and deeds[-1].do == deed.do and deed.do in DECISIONS:
        return (*deeds[:-1], ByHand(do=deed.do, pixels=f"{deeds[-1].pixels} {deed.pixels}"))
    return (*deeds, deed)


def put_in_place(viewer: Viewer, made: Reviewed) -> None:
    """Take what was reviewed into the session as one step; what was on the desk before goes where nothing was made of it."""
    known = contents.session(viewer)
    with known.as_one(f"{made.label} by hand: {made.peaks.name}"):
        known.add(made.peaks)
        was_reviewed = made.former.history and made.former.history[-1].step == Review.__name__
        if was_reviewed and any(each is made.former for each in known) and not known.below(made.former):
            known.remove(made.former)
