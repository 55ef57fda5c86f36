"""The session: everything that was made of some flakes, how it stands, and the way back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from psygnal import Signal

from napari_wse2xai.data import Results
from napari_wse2xai.errors import DataError
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.session.lineage import Artefact, Lineage, among
from napari_wse2xai.session.moments import Change, Held, Moment, bytes_beside, change_between
from napari_wse2xai.session.node import Missing, Node, State, id_of, modality_of
from napari_wse2xai.stages import Step

if TYPE_CHECKING:
    from napari_wse2xai.session.rerun import Made, Rerun

MOST_UNDONE, MOST_BYTES = 100, 1 << 31
"""Steps that can be undone, and bytes that only they still hold, at most."""


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
        self._now = Moment(0, "", {})
        self._past: list[Moment] = []
        self._future: list[Moment] = []
        self._numbers = 0
        self._parents: dict[int, list[Artefact]] = {}
        self._nodes: tuple[Node, ...] | None = None
        self._label: str | None = None
        self._now = Moment(0, "", self._with(artefacts))

    @property
    def artefacts(self) -> tuple[Artefact, ...]:
        """All of them, the newest last."""
        return self._now.artefacts

    @property
    def moment(self) -> int:
        """Number of the present state of affairs."""
        return self._now.number

    @property
    def moments(self) -> frozenset[int]:
        """Numbers of all states of affairs that can be reached, the present one too."""
        return frozenset(each.number for each in (*self._past, self._now, *self._future))

    def forget_the_past(self) -> None:
        """Let go of what only undo and redo would bring back."""
        self._past.clear()
        self._future.clear()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every result with its parents and how it stands, the newest last."""
        if self._nodes is None:
            ids = {id(each): name for name, each in self._now.held.items()}
            self._nodes = tuple(self._node(name, each, ids) for name, each in self._now.held.items())
        return self._nodes

    def _node(self, name: str, held: Held, ids: Mapping[int, str]) -> Node:
        told: dict[str, Any] = {"modality": modality_of(held)} | ({"record": held.history[-1]} if held.history else {})
        if isinstance(held, Missing):
            return Node(name, None, held.name, held.kind, held.parents, state=State.FAILED, why=held.why, **told)
        parents = tuple(ids[id(parent)] for parent in self.parents(held)) or self._missing_before(held)
        state, why = State.CURRENT, self.outdated(held)
        if self.replaced(held):
            state, why = State.REPLACED, f"Replaced: {held.history[-1].step} was run again on '{held.name}' since."
        elif why:
            state = State.OUT_OF_DATE
        return Node(name, held, held.name, type(held), parents, state=state, why=why, **told)

    def _missing_before(self, artefact: Artefact) -> tuple[str, ...]:
        """Id of the map that an artefact was made of, where that could not be had."""
        before = artefact.history[:-1]
        return tuple(name for name, each in self._now.held.items() if before and isinstance(each, Missing) and each.history == before)

    def node(self, what: str | Artefact) -> Node:
        """Result of an id, or that an artefact is."""
        found = next((node for node in self.nodes if node.id == what or node.artefact is what), None)
        if found is None:
            raise DataError(f"The session holds no result '{what if isinstance(what, str) else what.name}'; add it first.")
        return found

    def id_of(self, artefact: Artefact) -> str:
        """Id of an artefact; empty where it is not here."""
        return next((name for name, each in self._now.held.items() if each is artefact), "")

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

    def note(self, artefact: Artefact) -> None:
        """Take one more that is no step of its own, such as a map with the flake as it is drawn, on which a step is about to run."""
        self._amend(self._with([artefact]))

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

    def note_failure(self, failed: Missing) -> None:
        """Keep what failed, with its sentence, until its step succeeds; no step that could be undone."""
        kept = {name: each for name, each in self._now.held.items() if not _is_failure_of(each, failed)}
        self._amend({**kept, _free(id_of(failed), kept): failed})

    def note_failure_of(self, step: Step, given: Sequence[Artefact], why: str) -> None:
        """Keep that a stage failed on what it was given; see `Missing.of_step`."""
        parents = tuple(self.id_of(each) or id_of(each) for each in given)
        self.note_failure(Missing.of_step(step, given, why, parents))

    def adopt(self, held: Mapping[str, Held], label: str) -> list[str]:
        """Take what another session held, under the ids that it has; gives the ids of what was not here yet."""
        new = {name: each for name, each in held.items() if name not in self._now.held or isinstance(self._now.held[name], Missing)}
        if new:
            self._set({**self._now.held, **new}, label)
        return list(new)

    @contextmanager
    def as_one(self, label: str) -> Iterator[None]:
        """Let everything that is done inside be one step for `undo`."""
        depth = len(self._past)
        before = self._now
        yield
        if self._now is not before:
            del self._past[depth + 1 :]
            self._now = Moment(self._now.number, label, self._now.held)

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

    def _go(self, there: list[Moment], back: list[Moment], label: str) -> str:
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
        self._reach(Moment(self._numbers, label, held))

    def _amend(self, held: Mapping[str, Held]) -> None:
        """Add to the present state of affairs what is no step of its own."""
        self._reach(Moment(self._now.number, self._now.label, held))

    def _reach(self, moment: Moment) -> None:
        before, self._now = self._now, moment
        self._parents, self._nodes = {}, None
        self._forget_the_oldest()
        self.changed.emit(change_between(before, moment))

    def _forget_the_oldest(self) -> None:
        """Let go of the oldest steps where nobody could want so many back, or what they alone hold fills the memory."""
        while len(self._past) > MOST_UNDONE or (self._past and bytes_beside(self._now, (*self._past, *self._future)) > MOST_BYTES):
            del self._past[0]

    def _with(self, more: Iterable[Held]) -> dict[str, Held]:
        """What is held and more of it, each under an id of its own; what was missing of the same id is there now."""
        held = dict(self._now.held)
        for each in more:
            name = id_of(each)
            if any(each is other for other in held.values()):
                continue
            held = {other: one for other, one in held.items() if not _is_failure_of(one, each) and not (other == name and _is_gone(one))}
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

    def plan(self, what: str | Artefact, settings: object = None, *, step: str = "") -> "Rerun":
        """What is to be run again, to be done in another thread; see `rerun`."""
        from napari_wse2xai.session.rerun import Rerun

        node = self.node(what)
        return Rerun(Lineage(self.artefacts), node, settings, step=step)

    def rerun(
        self,
        what: str | Artefact,
        settings: object = None,
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
    def of(cls, *results: Results) -> Self:
        """Session of what runs without a window gave, one flake or several."""
        every = (each for one in results for each in (*_of_maps(one), *_learnt(one)))
        return cls([each for each in every if each is not None])

    @classmethod
    def open(cls, path: str | Path, progress: Progress = silent) -> Self:
        """Read what `save` wrote, or the results of a run."""
        from napari_wse2xai.session.files import read_held

        session = cls()
        session._now = Moment(0, "", read_held(path, progress))
        return session


def _of_maps(results: Results) -> tuple[Artefact, ...]:
    return (*results.maps.values(), *results.components.values(), *results.peaks.values())


def _learnt(results: Results) -> tuple[Artefact | None, ...]:
    return results.paired, results.model, results.explanation, results.theory


def _label_of(held: Held) -> str:
    step = held.history[-1].step if held.history else "open"
    return f"{'Open' if step in ('read', 'open', 'load', 'synthetic') else step}: {held.name}"


def _free(name: str, taken: Mapping[str, object]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _is_gone(held: Held) -> bool:
    return isinstance(held, Missing)


def _is_failure_of(held: Held, other: Held) -> bool:
    """Whether a step failed that now gave a result, or failed again."""
    if not isinstance(held, Missing) or held.fingerprint or not (held.history and other.history):
        return False
    ours, theirs = held.history, other.history
    return (ours[-1].step, ours[-1].of, ours[:-1]) == (theirs[-1].step, theirs[-1].of, theirs[:-1])
