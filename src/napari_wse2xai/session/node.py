"""One result of a session as it stands: what made it, of what, and whether it still holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from numpy.typing import NDArray

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Components, PeakMaps, Record, SpectralMap
from napari_wse2xai.data.history import History, mark_of, now
from napari_wse2xai.io.artefacts import KINDS
from napari_wse2xai.session.lineage import CARRIES_ON, Artefact, mark_in
from napari_wse2xai.stages import Step

PREFIXES = {kind: word for word, kind in KINDS.items()}
"""What an id begins with."""
ON_AN_AXIS = (SpectralMap, PeakMaps, Components)
"""Kinds that are of RS or of PL alone."""


class State(StrEnum):
    """Whether a result holds."""

    CURRENT = "current"
    REPLACED = "replaced"
    """A later run of the same step, on the same spectra, stands in its place."""
    OUT_OF_DATE = "out of date"
    """A step before it was run again since."""
    FAILED = "failed"
    """There is no result: its step ended with a sentence, or its spectra cannot be had any more."""


@dataclass(frozen=True, eq=False)
class Missing:
    """What is known of a result that could not be made, or could not be had again."""

    name: str
    why: str
    """A sentence."""
    history: History
    """As it would have been; its last record is that of the step."""
    parents: tuple[str, ...] = ()
    """Ids of what it was to be made of."""
    kind: type = SpectralMap
    flake: NDArray[Any] | None = None
    """(ny, nx) bool, of a map whose spectra could not be had."""
    fingerprint: str = ""
    """Of those spectra."""
    modality: str = ""
    """``raman`` or ``pl``, of a map or of peaks."""

    @classmethod
    def of_step(cls, step: Step, given: Sequence[Artefact], why: str, parents: tuple[str, ...] = ()) -> Self:
        """What is known of a stage that failed on what it was given; its history is as that of a result would be.

        Parameters
        ----------
        given : what the stage worked on; what the result's history would begin with comes first
        parents : ids of what was given, where they are not as usual
        """
        first, kind = given[0], step.gives
        carries_on = isinstance(first, CARRIES_ON.get(kind, ()))
        before = first.history if carries_on else ()
        of = tuple(map(mark_in, given[1:] if before else given))
        record = Record(type(step).__name__, step.model_dump(mode="json"), __version__, 0.0, now(), of)
        name = first.name if carries_on else " + ".join(one.name for one in given)
        modality = modality_of(first) if issubclass(kind, ON_AN_AXIS) else ""
        return cls(name, why, (*before, record), parents or tuple(map(id_of, given)), kind, modality=modality)


@dataclass(frozen=True, eq=False)
class Node:
    """One result of a session."""

    id: str
    """Stays the same in files, in undo and where computed maps are added."""
    artefact: Artefact | None
    """None where it failed."""
    name: str
    kind: type
    parents: tuple[str, ...]
    """Ids of what it was made of, as far as that is here."""
    record: Record = field(default_factory=lambda: Record("measured"))
    """The step that made it."""
    state: State = State.CURRENT
    why: str = ""
    """A sentence where the state is not `State.CURRENT`."""

    modality: str = ""
    """``raman`` or ``pl``, of a map or of peaks."""

    @property
    def step(self) -> str:
        """Name of the step that made it."""
        return self.record.step

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the step that made it."""
        return self.record.settings


def modality_of(held: Artefact | Missing) -> str:
    """Whether a map or peaks are of RS or of PL; empty for what is of both."""
    if isinstance(held, Missing):
        return held.modality
    return held.axis.kind.modality if isinstance(held, ON_AN_AXIS) else ""


def id_of(held: Artefact | Missing) -> str:
    """Id of a result, where no other has taken it."""
    if isinstance(held, Missing):
        return f"{PREFIXES[held.kind]}-{mark_of(held.history)}"
    if not held.history and not isinstance(held, SpectralMap):
        return PREFIXES[type(held)]
    return f"{PREFIXES[type(held)]}-{mark_in(held)}"
