"""The session: everything that was made of some flakes, how it stands, and the way back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from psygnal import Signal

from napari_wse2xai.errors import DataError
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.session.lineage import Artefact, Lineage, among
from napari_wse2xai.session.node import Missing, Node, State, id_of

if TYPE_CHECKING:
    from napari_wse2xai.session.rerun import Made, Rerun

Held = Artefact | Missing
MOST_UNDONE, MOST_BYTES = 100, 1 << 31
"""Steps that can be undone, and bytes that only they still hold, at most."""


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
class _Moment:
    """One state of affairs."""

    number: int
    label: str
    """What was done to come here."""
    held: Mapping[str, Held]

    @cached_property
    def artefacts(self) -> tuple[Artefact, ...]:
        return tuple(each for each in self.held.values() if not isinstance(each, Missing))


class Session(Lineage):
    """Flakes with all that was made of them: asked by descent, undone and redone, run again from any step, saved and opened whole.

    Parameters
    ----------
    artefacts : the newest last

    Examples
    --------
    >>> session = Session([raman])  # doctest: +SKIP
    >>> session.add(Deconvolve()(raman))  # doctest: +SKIP
    >>> session.rerun(session.nodes[-1].id, {"detection": 8})  # doctest: +SKIP
    >>> session.save("flakes.nc")  # doctest: +SKIP
    """

    leaving = Signal(int)
    """Number of the moment that is left, before anything changes."""
    changed = Signal(Change)

    def __init__(self, artefacts: Iterable[Artefact] = ()) -> None:
        self._now = _Moment(0, "", {})
        self._past: list[_Moment] = []
        self._future: list[_Moment] = []
        self._numbers = 0
        self._parents: dict[int, list[Artefact]] = {}
        self._nodes: tuple[Node, ...] | None = None
        self._label: str | None = None
        self._now = _Moment(0, "", self._with(artefacts))

    @property
    def artefacts(self) -> tuple[Artefact, ...]:
        """All of them, the newest last."""
        return self._now.artefacts

    @property
    def moment(self) -> int:
        """Number of the present state of affairs."""
        return self._now.number

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every result with its parents and how it stands, the newest last."""
        if self._nodes is None:
            ids = {id(each): name for name, each in self._now.held.items()}
            self._nodes = tuple(self._node(name, each, ids) for name, each in self._now.held.items())
        return self._nodes

    def _node(self, name: str, held: Held, ids: Mapping[int, str]) -> Node:
        told: dict[str, Any] = {"record": held.history[-1]} if held.history else {}
        if isinstance(held, Missing):
            return Node(name, None, held.name, held.kind, held.parents, state=State.FAILED, why=held.why, **told)
        parents = tuple(ids[id(parent)] for parent in self.parents(held))
        state, why = State.CURRENT, self.outdated(held)
        if self.replaced(held):
            state, why = State.REPLACED, f"Replaced: {held.history[-1].step} was run again on '{held.name}' since."
        elif why:
            state = State.OUT_OF_DATE
        return Node(name, held, held.name, type(held), parents, state=state, why=why, **told)

    def node(self, what: str | Artefact) -> Node:
        """Result of an id, or that an artefact is."""
        found = next((node for node in self.nodes if node.id == what or node.artefact is what), None)
        if found is None:
            raise DataError(f"The session holds no result '{what if isinstance(what, str) else what.name}'; add it first.")
        return found

    def held(self, name: str) -> Held:
        """What an id stands for: an artefact, or what is known of one that is missing."""
        return self._now.held[name]

    @property
    def all_held(self) -> dict[str, Held]:
        """Artefacts, and what is missing, by their ids."""
        return dict(self._now.held)

    def parents(self, artefact: Artefact) -> list[Artefact]:
        """What an artefact was made of, as far as it is here."""
        if id(artefact) not in self._parents:
            known = among(artefact, self.artefacts)
            found = super().parents(artefact)
            if not known:
                return found
            self._parents[id(artefact)] = found
        return self._parents[id(artefact)]

    def below(self, artefact: Artefact) -> list[Artefact]:
        """Everything that was made of an artefact, the oldest first."""
        return [each for each in self.artefacts if each is not artefact and among(artefact, self.ancestors(each))]

    # What changes it

    def add(self, *held: Held, label: str = "") -> None:
        """Take more, as one step that can be undone; what is here already is left as it is."""
        new = [each for each in held if not any(each is other for other in self._now.held.values())]
        if new:
            self._set(self._with(new), label or _label_of(new[-1]))

    def take(self, made: "Made") -> None:
        """Take what running again gave."""
        self.add(*made.artefacts, *made.missing, label=made.label)

    def remove(self, *artefacts: Artefact | str) -> None:
        """Take out some results and all that was made of them; `undo` brings them back."""
        gone = {node.id for each in artefacts for node in self._branch(self.node(each))}
        kept = {name: each for name, each in self._now.held.items() if name not in gone}
        if gone:
            self._set(kept, f"Remove {self.node(artefacts[0]).name}")

    def _branch(self, node: Node) -> Iterator[Node]:
        yield node
        ids = {node.id}
        for other in self.nodes:
            if other.id not in ids and (node.artefact is not None and among(node.artefact, self._before(other))):
                ids.add(other.id)
                yield other

    def _before(self, node: Node) -> list[Artefact]:
        if node.artefact is not None:
            return self.ancestors(node.artefact)
        near = [held for name in node.parents if not isinstance(held := self._now.held.get(name), Missing | None)]
        return [*near, *(one for each in near for one in self.ancestors(each))]

    def exchange(self, changed: Sequence[tuple[Artefact, Artefact]], label: str = "") -> None:
        """Let results be the same with more to them (computed maps), under the ids that they have."""
        new = {id(former): now for former, now in changed}
        self._set({name: new.get(id(each), each) for name, each in self._now.held.items()}, label or "Compute map")

    def forget_failures(self, step: str, parents: Sequence[Artefact]) -> None:
        """Forget that a step failed, before it is tried again."""
        ids = {self.node(parent).id for parent in parents}
        kept = {name: each for name, each in self._now.held.items() if not _failed(each, step, ids)}
        if len(kept) < len(self._now.held):
            self._set(kept, f"Try {step} again")

    @contextmanager
    def as_one(self, label: str) -> Iterator[None]:
        """Let everything that is done inside be one step for `undo`."""
        depth = len(self._past)
        before = self._now
        yield
        if self._now is not before:
            del self._past[depth + 1 :]
            self._now = _Moment(self._now.number, label, self._now.held)

    def undo(self) -> str:
        """Go one step back; gives what was undone, in words, empty where there is nothing to undo."""
        return self._go(self._past, self._future, self._now.label)

    def redo(self) -> str:
        """Do again what was undone last; gives what that was, in words, empty where there is nothing."""
        return self._go(self._future, self._past, self._future[-1].label if self._future else "")

    @property
    def undoable(self) -> str:
        """What `undo` would take back, in words; empty where there is nothing."""
        return self._now.label if self._past else ""

    @property
    def redoable(self) -> str:
        """What `redo` would do, in words; empty where there is nothing."""
        return self._future[-1].label if self._future else ""

    def _go(self, there: list[_Moment], back: list[_Moment], label: str) -> str:
        if not there:
            return ""
        self.leaving.emit(self._now.number)
        back.append(self._now)
        self._reach(there.pop())
        return label

    def _set(self, held: Mapping[str, Held], label: str) -> None:
        self.leaving.emit(self._now.number)
        self._past.append(self._now)
        self._future.clear()
        self._numbers += 1
        self._reach(_Moment(self._numbers, label, held))

    def _reach(self, moment: _Moment) -> None:
        before, self._now = self._now, moment
        self._parents, self._nodes = {}, None
        self._forget_the_oldest()
        self.changed.emit(_change(before, moment))

    def _forget_the_oldest(self) -> None:
        """Let go of the oldest steps where nobody could want so many back, or what they alone hold fills the memory."""
        while len(self._past) > MOST_UNDONE or (self._past and _bytes_beside(self._now, (*self._past, *self._future)) > MOST_BYTES):
            del self._past[0]

    def _with(self, more: Iterable[Held]) -> dict[str, Held]:
        """What is held and more of it, each under an id of its own; what was missing of the same id is there now."""
        held = dict(self._now.held)
        for each in more:
            name = id_of(each)
            if any(each is other for other in held.values()):
                continue
            if isinstance(held.get(name), Missing):
                del held[name]
            held[_free(name, held)] = each
        return held

    # What is asked of it

    def recipe_of(self, what: str | Artefact) -> str:
        """Recipe (YAML) that makes one result again from its files, whatever else was made of them."""
        from napari_wse2xai.recipe import recipe_of
        from napari_wse2xai.session.flakes import results_of

        node = self.node(what)
        if node.artefact is None:
            raise DataError(f"'{node.name}' has no result; {node.why}")
        return recipe_of(results_of(self, node.artefact))

    def plan(self, what: str | Artefact, settings: Any = None, *, step: str = "") -> "Rerun":
        """What is to be run again, to be done in another thread; see `rerun`."""
        from napari_wse2xai.session.rerun import Rerun

        node = self.node(what)
        return Rerun(Lineage(self.artefacts), node, settings, step=step)

    def rerun(
        self,
        what: str | Artefact,
        settings: Any = None,
        *,
        step: str = "",
        progress: Progress = silent,
    ) -> "Made":
        """Run a step again, with other settings where some are given, and everything below it; all as one step for `undo`.

        Parameters
        ----------
        what : id of a result, or the result
        settings : stage with its settings, or those of its settings that change (``{"detection": 8}``); None runs it as it was
        step : name of an earlier step in the result's history (``"Despike"``); its last step where none is named
        progress : may raise `Cancelled`; then nothing changes

        Raises
        ------
        UserError
            The step itself fails.  What fails below it is kept as failed, with its sentence.
        """
        made = self.plan(what, settings, step=step).run(progress)
        self.take(made)
        return made

    def save(self, path: str | Path, *, spectra: bool = False, view: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write everything into one NetCDF file, which appears complete or not at all.

        Parameters
        ----------
        spectra : put the counts of all maps into the file too; else they are read again from their own files, by path and SHA-256
        view : what a window shows of it, to be given back by `files.view_in`
        """
        from napari_wse2xai.session.files import write_session

        write_session(self, path, spectra=spectra, view=view)

    @classmethod
    def open(cls, path: str | Path, progress: Progress = silent) -> Self:
        """Read what `save` wrote, or the results of a run."""
        from napari_wse2xai.session.files import read_held

        session = cls()
        session._now = _Moment(0, "", read_held(path, progress))
        return session


def _label_of(held: Held) -> str:
    step = held.history[-1].step if held.history else "open"
    return f"{'Open' if step in ('read', 'open', 'load', 'synthetic') else step}: {held.name}"


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _failed(held: Held, step: str, parents: set[str]) -> bool:
    return isinstance(held, Missing) and held.history[-1].step == step and set(held.parents) == parents


def _change(before: _Moment, now: _Moment) -> Change:
    """What is different between two moments."""
    ours, theirs = now.held, before.held
    both = [(theirs[name], each) for name, each in ours.items() if name in theirs and theirs[name] is not each]
    came = [each for name, each in ours.items() if name not in theirs] + [new for old, new in both if isinstance(old, Missing)]
    went = [each for name, each in theirs.items() if name not in ours] + [old for old, new in both if isinstance(new, Missing)]
    exchanged = tuple((old, new) for old, new in both if not isinstance(old, Missing) and not isinstance(new, Missing))
    return Change(_there(came), _there(went), exchanged, now.number)


def _there(held: Iterable[Held]) -> tuple[Artefact, ...]:
    return tuple(each for each in held if not isinstance(each, Missing))


def _bytes_beside(now: _Moment, others: Iterable[_Moment]) -> int:
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
