"""One result of a session as it stands: what made it, of what, and whether it still holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from numpy.typing import NDArray

from napari_wse2xai._version import __version__
from napari_wse2xai.data import PeakMaps, Record, SpectralMap
from napari_wse2xai.data.history import History, mark_of, now
from napari_wse2xai.io.artefacts import KINDS
from napari_wse2xai.session.lineage import Artefact, mark_in
from napari_wse2xai.stages import Settings

PREFIXES = {kind: word for word, kind in KINDS.items()}
"""What an id begins with."""


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
    def of_step(cls, settings: Settings, source: SpectralMap, why: str, kind: type) -> Self:
        """What is known of a stage that failed on a map."""
        of = () if source.history else (source.fingerprint,)
        record = Record(type(settings).__name__, settings.model_dump(mode="json"), __version__, 0.0, now(), of)
        return cls(source.name, why, (*source.history, record), (id_of(source),), kind, modality=modality_of(source))


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
    return held.axis.kind.modality if isinstance(held, SpectralMap | PeakMaps) else ""


def id_of(held: Artefact | Missing) -> str:
    """Id of a result, where no other has taken it."""
    if isinstance(held, Missing):
        return f"{PREFIXES[held.kind]}-{mark_of(held.history)}"
    if not held.history and not isinstance(held, SpectralMap):
        return PREFIXES[type(held)]
    return f"{PREFIXES[type(held)]}-{mark_in(held)}"
