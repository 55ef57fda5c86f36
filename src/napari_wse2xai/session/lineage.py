"""Which artefact came from which, as their histories tell it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, get_args

import numpy as np

from napari_wse2xai.data import Components, Explanation, PairedMaps, PeakMaps, SpectralMap, TrainedModel
from napari_wse2xai.data.history import History, descends, mark_of, roots, spectra_steps
from napari_wse2xai.theory.beside import TheoryBeside

Artefact = SpectralMap | PeakMaps | Components | PairedMaps | TrainedModel | Explanation | TheoryBeside
Kind = TypeVar("Kind", bound=Artefact)
_MADE_OF: dict[type, type] = {PeakMaps: SpectralMap, Components: SpectralMap, Explanation: TrainedModel, TheoryBeside: PeakMaps}
CARRIES_ON: dict[type, tuple[type, ...]] = {kind: (kind, *filter(None, (_MADE_OF.get(kind),))) for kind in get_args(Artefact)}
"""What the history of each kind may begin with: that of the like, which a step turned into it, or of what the kind is made of."""
MEASURED_SIDE = (SpectralMap, PeakMaps, PairedMaps)
"""Kinds of which a later run replaces an earlier one; a second model stands beside the first."""


class Lineage:
    """Artefacts in the order in which they came; asked by descent, never by name, place in a list or equal numbers.

    Parameters
    ----------
    artefacts : the newest last
    """

    def __init__(self, artefacts: Iterable[Artefact] = ()) -> None:
        self._artefacts = tuple(artefacts)

    @property
    def artefacts(self) -> tuple[Artefact, ...]:
        """All of them, the newest last."""
        return self._artefacts

    def __iter__(self) -> Iterator[Artefact]:
        """Give all, the newest last."""
        return iter(self.artefacts)

    def of_kind(self, kind: type[Kind]) -> list[Kind]:
        """All of one kind, the newest last."""
        return [artefact for artefact in self.artefacts if isinstance(artefact, kind)]

    def pairs(self) -> list[PairedMaps]:
        """Newest pair of every flake: with an older one too, a network would be tested on pixels that it learnt."""
        every = self.of_kind(PairedMaps)
        return [one for k, one in enumerate(every) if not any(_of_one_flake(one, later) for later in every[k + 1 :])]

    def peaks_of(self, source: SpectralMap) -> PeakMaps | None:
        """Newest peaks that were found in a map, or in what was made of it on the same axis."""
        return next((peaks for peaks in reversed(self.of_kind(PeakMaps)) if _found_in(peaks, source)), None)

    def source_of(self, peaks: PeakMaps) -> SpectralMap | None:
        """Map that peaks were found in: of those that they descend from, the last."""
        fitting = [source for source in self.of_kind(SpectralMap) if _found_in(peaks, source)]
        return max(fitting, key=lambda source: _closeness(source.history, peaks.history), default=None)

    def model_of(self, explanation: Explanation) -> TrainedModel | None:
        """Model that was explained."""
        return next((model for model in reversed(self.of_kind(TrainedModel)) if descends(explanation.history, model.history)), None)

    def pairs_of(self, made: PeakMaps | TrainedModel) -> list[PairedMaps]:
        """Pairs that hold some peaks, or that a model was trained on, the newest last."""
        pairs = self.of_kind(PairedMaps)
        if isinstance(made, TrainedModel):
            return [pair for pair in pairs if mark_of(pair.history) in given_to(made)]
        return [pair for pair in pairs if mark_of(made.history) in _ever_given_to(pair)]

    def peaks_in(self, pair: PairedMaps) -> list[PeakMaps]:
        """Peaks that a pair was made of, as they were deconvolved."""
        return [peaks for peaks in self.of_kind(PeakMaps) if mark_of(peaks.history) in _ever_given_to(pair)]

    def theory_of(self, explanation: Explanation) -> TheoryBeside | None:
        """Newest comparison with theory that speaks of an explanation."""
        return next((one for one in reversed(self.of_kind(TheoryBeside)) if _speaks_of(one, explanation)), None)

    def explanations_of(self, peaks: PeakMaps) -> list[Explanation]:
        """Explanations of models that were trained on pairs of some RS peaks, the newest last."""
        pairs = self.pairs_of(peaks)
        models = [model for model in self.of_kind(TrainedModel) if any(pair in pairs for pair in self.pairs_of(model))]
        return [one for one in self.of_kind(Explanation) if any(descends(one.history, model.history) for model in models)]

    def parents(self, artefact: Artefact) -> list[Artefact]:
        """What an artefact was made of, as far as it is here."""
        named = self._with_marks(given_to(artefact))
        before = self.carried_on_by(artefact)
        return named if before is None or among(before, named) else [*named, before]

    def with_mark(self, mark: str) -> Artefact | None:
        """Newest artefact of a mark."""
        return next((each for each in reversed(self.artefacts) if mark_in(each) == mark), None)

    def _with_marks(self, marks: Sequence[str]) -> list[Artefact]:
        """Artefacts of some marks, in their order."""
        known = {mark_of(each.history): each for each in self.artefacts} if marks else {}
        return [known[mark] for mark in marks if mark in known]

    def carried_on_by(self, artefact: Artefact) -> Artefact | None:
        """What an artefact's history begins with, the nearest."""
        kinds = CARRIES_ON[type(artefact)]
        others: list[Artefact] = [other for other in self.artefacts if isinstance(other, kinds) and _comes_before(other, artefact)]
        return max(others, key=lambda other: _closeness(other.history, artefact.history), default=None)

    def is_of(self, artefact: Artefact, source: SpectralMap) -> bool:
        """Whether an artefact goes back to the measurement that a map is of."""
        line = [one for one in (artefact, *self.ancestors(artefact)) if isinstance(one, MEASURED_SIDE)]
        return any(of_one_measurement(one, source) for one in line if one.frame == source.frame)

    def ancestors(self, artefact: Artefact) -> list[Artefact]:
        """Everything that an artefact goes back to, the nearest first, each once."""
        found: list[Artefact] = []
        new = self.parents(artefact)
        while new:
            found += [one for one in new if not among(one, found)]
            new = [parent for one in new for parent in self.parents(one) if not among(parent, found)]
        return found

    def replacing(self, artefact: Artefact) -> Artefact | None:
        """Latest run of the same step on the same spectra, which stands in an artefact's place; None where that is the artefact itself."""
        later = [other for other in self.artefacts if isinstance(artefact, MEASURED_SIDE) and _replaces(other, artefact)]
        return max(later, key=lambda other: other.history[-1].when, default=None)

    def replaced(self, artefact: Artefact) -> bool:
        """Whether a later run of the same step on the same spectra stands in an artefact's place."""
        return self.replacing(artefact) is not None

    def outdated(self, artefact: Artefact) -> str:
        """Why an artefact is out of date, a sentence: a step before it was done again since; empty where none was."""
        for before in self.ancestors(artefact):
            if self.replaced(before):
                return f"Out of date: {before.history[-1].step} was run again on '{before.name}' since, and this rests on the run before."
        return ""


def mark_in(artefact: Artefact) -> str:
    """Mark of an artefact; of a map without a history its fingerprint."""
    return artefact.fingerprint if isinstance(artefact, SpectralMap) and not artefact.history else mark_of(artefact.history)


def among(artefact: Artefact, others: Sequence[Artefact]) -> bool:
    """Whether it is one of some artefacts, itself."""
    return any(artefact is other for other in others)


def given_to(artefact: Artefact) -> tuple[str, ...]:
    """Marks of what the last step took beside its own history."""
    return artefact.history[-1].of if artefact.history else ()


def _ever_given_to(pair: PairedMaps) -> set[str]:
    """Marks of what any step of a pair took: of one that was worked on since, the first took the peaks."""
    return {mark for record in pair.history for mark in record.of}


def _closeness(ancestor: History, descendant: History) -> tuple[int, bool, int]:
    """How near an ancestor is: steps on spectra first, then whether also the flake is the descendant's."""
    return len(spectra_steps(ancestor)), descendant[: len(ancestor)] == ancestor, len(ancestor)


def of_one_measurement(one: Any, other: Any) -> bool:
    """Whether two artefacts go back to the same measurement; peaks of which nothing is known go by their name."""
    ours, theirs = _roots(one), _roots(other)
    return not ours.isdisjoint(theirs) if ours and theirs else bool(one.name == other.name)


def _roots(artefact: Artefact) -> frozenset[str]:
    if isinstance(artefact, SpectralMap) and not artefact.history:
        return frozenset((artefact.fingerprint,))
    return roots(artefact.history)


def _found_in(peaks: PeakMaps, source: SpectralMap) -> bool:
    """Whether peaks go back to a map, on its places and its axis."""
    same_axis = source.axis.kind is peaks.axis.kind and np.array_equal(source.axis.values, peaks.axis.values)
    return source.frame == peaks.frame and same_axis and of_one_measurement(peaks, source) and descends(peaks.history, source.history)


def _comes_before(other: Artefact, artefact: Artefact) -> bool:
    """Whether an artefact carries on another's history."""
    # Of a pair or a model without a history nothing tells what was made of it: one of that name need not be.
    known = bool(other.history) or isinstance(other, SpectralMap | PeakMaps)
    longer = type(artefact) is not type(other) or (known and len(artefact.history) > len(other.history))
    return other is not artefact and longer and of_one_measurement(other, artefact) and descends(artefact.history, other.history)


def _of_one_flake(one: PairedMaps, other: PairedMaps) -> bool:
    return of_one_measurement(one.raman, other.raman) and of_one_measurement(one.pl, other.pl)


def _replaces(other: Artefact, before: Artefact) -> bool:
    """Whether another artefact is a later run of the step that gave one, on the same spectra."""
    if type(other) is not type(before) or other is before or not (other.history and before.history):
        return False
    ours, theirs = before.history[-1], other.history[-1]
    same_step = (ours.step, ours.of) == (theirs.step, theirs.of) and ours.when < theirs.when
    return same_step and spectra_steps(before.history[:-1]) == spectra_steps(other.history[:-1])


def _speaks_of(beside: TheoryBeside, explanation: Explanation) -> bool:
    """Whether a comparison was made with an explanation; files of before tell only what it is about."""
    given: Any = given_to(beside)
    return mark_of(explanation.history) in given if given else beside.speaks_of(explanation)
