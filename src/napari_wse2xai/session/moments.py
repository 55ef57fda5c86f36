"""States of affairs of a session, one after the other, and what is different between two of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from napari_wse2xai.session.lineage import Artefact
from napari_wse2xai.session.node import Missing

Held = Artefact | Missing


@dataclass(frozen=True, eq=False)
class Change:
    """What became of a session."""

    came: tuple[Artefact, ...] = ()
    went: tuple[Artefact, ...] = ()
    exchanged: tuple[tuple[Artefact, Artefact], ...] = ()
    """Former and new one of each result that is the same with more to it, such as computed maps."""
    moment: int = 0
    """Number of the state of affairs that is reached; equal where undo or redo lead back to it."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One state of affairs."""

    number: int
    label: str
    """What was done to come here."""
    held: Mapping[str, Held]

    @cached_property
    def artefacts(self) -> tuple[Artefact, ...]:
        """All that is there."""
        return tuple(each for each in self.held.values() if not isinstance(each, Missing))


def change_between(before: Moment, now: Moment) -> Change:
    """What is different between two moments."""
    ours, theirs = now.held, before.held
    both = [(theirs[name], each) for name, each in ours.items() if name in theirs and theirs[name] is not each]
    came = [each for name, each in ours.items() if name not in theirs] + [new for old, new in both if isinstance(old, Missing)]
    went = [each for name, each in theirs.items() if name not in ours] + [old for old, new in both if isinstance(new, Missing)]
    exchanged = tuple((old, new) for old, new in both if not isinstance(old, Missing) and not isinstance(new, Missing))
    return Change(_there(came), _there(went), exchanged, now.number)


def _there(held: Iterable[Held]) -> tuple[Artefact, ...]:
    return tuple(each for each in held if not isinstance(each, Missing))


def bytes_beside(now: Moment, others: Iterable[Moment]) -> int:
    """Bytes of large arrays that other moments hold and this one does not."""
    here = {id(each) for each in now.artefacts}
    gone = {id(each): each for moment in others for each in moment.artefacts if id(each) not in here}
    if not gone:
        return 0
    shared = set(_arrays(now.artefacts))
    return sum(size for _, size in set(_arrays(gone.values())) - shared)


def _arrays(artefacts: Iterable[Artefact]) -> Iterator[tuple[int, int]]:
    """Identity and size of each array, which several artefacts may share."""
    for artefact in artefacts:
        for value in vars(artefact).values():
            if isinstance(value, np.ndarray):
                yield id(value), value.nbytes
