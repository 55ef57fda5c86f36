"""A step run again with other settings, and everything that rests on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import numpy as np
from pydantic import ValidationError

from napari_wse2xai.data import Components, Explanation, Pairable, PairedMaps, PeakMaps, Record, SpectralMap, TrainedModel
from napari_wse2xai.data.history import ABOUT_THE_FLAKE, History, mark_of, now
from napari_wse2xai.errors import DataError, SettingsError, UserError
from napari_wse2xai.io.calculations import read_named
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.session.edited import BY_HAND, carried, edited
from napari_wse2xai.session.lineage import Artefact, Lineage, among, given_to, mark_in
from napari_wse2xai.session.node import Missing, Node, id_of, modality_of
from napari_wse2xai.session.sources import is_readable, measured_by, read_again
from napari_wse2xai.stages import TABLE, Review, Settings, Simulate, Step, as_kept
from napari_wse2xai.stages._stage import first_problem
from napari_wse2xai.theory.beside import TheoryBeside

BY_NAME: dict[str, type[Step]] = {step.__name__: step for step in TABLE if step is not Simulate}
"""Steps that give a result of their own; a simulation is part of the explanation that it tests."""
A = TypeVar("A", bound=Artefact)
Run = Callable[[Any, Any, Progress], Any]
"""Runs a stage on what it takes."""


@dataclass(frozen=True)
class Made:
    """What running again gave."""

    label: str
    artefacts: tuple[Artefact, ...]
    """The first is that of the step itself, or of what was asked for."""
    missing: tuple[Missing, ...] = ()
    """What rests on it and failed."""
    instead: tuple[tuple[Artefact, Artefact], ...] = ()
    """Each result that was there, and what was made anew of it."""


class Rerun:
    """What is to be made again: decided at once, so that the work can be done in another thread.

    Parameters
    ----------
    known : everything that there is
    node : a result whose last step, or an earlier one of its history, is run again
    settings : stage with its settings, or those of its settings that change
    step : name of the earlier step
    """

    def __init__(self, known: Lineage, node: Node, settings: object = None, *, step: str = "") -> None:
        if node.artefact is None:
            raise SettingsError(f"'{node.name}' has no result to run again: {node.why}")
        self._known, self._name = known, node.name
        self._record = _record_of(node.artefact.history, node.name, step)
        self._latest = known.replacing(node.artefact) or node.artefact
        self._target = node.artefact if node.record.key == self._record.key else self._latest
        self.stage = with_settings(self._record, settings)
        self.below = self._below()
        """Results that are made again after that of the step."""
        self._made: dict[str, Artefact] = {}
        self._failures: dict[str, UserError] = {}
        self._alike: dict[tuple[Any, ...], Any] = {}
        self._run: Run = _call
        self._progress: Progress = silent

    @property
    def label(self) -> str:
        """What is done, in words."""
        return f"Run again: {self._record.step} of {self._name}"

    def _below(self) -> list[Artefact]:
        """What was made of the step's result, or of a later run of it where that is what others rest on."""
        found = [each for each in self._known if among(self._latest, self._known.ancestors(each))]
        if not found or not self._is_step(self._target.history[-1]):
            found = [each for each in self._known if self._is_changed(each)]
        ends = (self._target, self._latest)
        return [each for each in self._known if among(each, found) and not among(each, ends) and not self._known.replaced(each)]

    def run(self, progress: Progress = silent, run: Run | None = None) -> Made:
        """Make all of it.

        Parameters
        ----------
        run : runs a stage on what it takes, where it is not simply called (a training that is to be kept)
        """
        self._run = run or _call
        wanted = [self._target, *self.below]
        efforts = np.cumsum([0.0, *(BY_NAME[step].effort if (step := each.history[-1].step) in BY_NAME else 1.0 for each in wanted)])
        missing: list[Missing] = []
        for number, each in enumerate(wanted):
            start, end = efforts[number : number + 2] / efforts[-1]
            self._progress = part(progress, float(start), float(end), f"{each.history[-1].step}, {each.name}")
            try:
                self._again(each)
                self._progress(1.0, "done")
            except UserError as error:
                if number == 0:
                    raise
                missing.append(self._missed(each, str(error)))
        instead = tuple((each, self._made[mark_in(each)]) for each in wanted if mark_in(each) in self._made)
        if self._latest is not self._target:
            instead = ((self._latest, self._made[mark_in(self._target)]), *instead)
        return Made(self.label, tuple({id(each): each for each in self._made.values()}.values()), tuple(missing), instead)

    def _missed(self, artefact: Artefact, why: str) -> Missing:
        """What failed, with what it was to be made of."""
        before = [self._made.get(mark_in(parent), parent) for parent in self._known.parents(artefact)]
        last = replace(artefact.history[-1], when=now(), of=tuple(map(mark_in, before)))
        parents, modality = tuple(map(id_of, before)), modality_of(artefact)
        return Missing(artefact.name, why, (*artefact.history[:-1], last), parents, type(artefact), modality=modality)

    # One artefact

    def _again(self, artefact: A) -> A:
        """The artefact made anew, once."""
        mark = mark_in(artefact)
        if mark in self._failures:
            raise DataError(f"It rests on {artefact.history[-1].step} of '{artefact.name}', which failed: {self._failures[mark]}")
        if mark not in self._made:
            try:
                self._made[mark] = self._remade(artefact)
            except UserError as error:
                self._failures[mark] = error
                raise
        return cast("A", self._made[mark])

    def _current(self, artefact: A) -> A:
        """What is to be worked with in an artefact's place: itself, a later run of its step, or what is made anew here."""
        latest = self._known.replacing(artefact) or artefact
        if latest is self._latest or artefact is self._target:
            return cast("A", self._again(self._target))
        if self._is_changed(latest) or self._known.outdated(latest):
            latest = self._again(latest)
        return cast("A", latest)

    def _is_changed(self, artefact: Artefact) -> bool:
        """Whether an artefact rests on the step."""
        line = (artefact, *self._known.ancestors(artefact))
        return any(among(each, (self._target, self._latest)) or self._carries_step(each) for each in line)

    def _carries_step(self, artefact: Artefact) -> bool:
        return any(self._is_step(record) for record in artefact.history)

    def _is_step(self, record: Record) -> bool:
        return record.key == self._record.key

    def _remade(self, artefact: Artefact) -> Any:
        if isinstance(artefact, SpectralMap):
            return self._map(artefact.history, artefact.name, anew=True)
        stage = self._stage(artefact.history[-1])
        if isinstance(stage, Review):
            return self._reviewed(stage, artefact)
        before = self._known.carried_on_by(artefact)
        if type(before) is type(artefact):
            return self._done(stage, self._current(before))
        if isinstance(artefact, PeakMaps | Components):
            return self._done(stage, self._map(artefact.history[:-1], artefact.name, of=given_to(artefact)))
        if isinstance(artefact, TheoryBeside):
            return self._compared(stage, artefact)
        parents: list[Any] = [self._current(parent) for parent in self._named(artefact)]
        if isinstance(artefact, PairedMaps):
            return self._done(stage, Pairable(*parents))
        if isinstance(artefact, TrainedModel):
            return self._done(stage, parents)
        return self._explained(stage, artefact)

    def _named(self, artefact: Artefact) -> list[Artefact]:
        """What an artefact was made of, all of it."""
        found = [self._known.with_mark(mark) for mark in given_to(artefact)]
        there = [each for each in found if each is not None]
        if isinstance(artefact, PairedMaps | TrainedModel) and (not there or len(there) < len(found)):
            raise DataError(f"'{artefact.name}' cannot be made again: what it was made of is not in the session; open that too.")
        return there

    def _explained(self, stage: object, explanation: Explanation) -> Explanation:
        model = self._known.model_of(explanation)
        if model is None:
            raise DataError(f"'{explanation.name}' cannot be explained again: its model is not in the session; open that too.")
        made: Explanation = self._done(stage, self._current(model))
        recovery = explanation.recovery
        if recovery is None or not recovery.history:
            return made
        simulate = as_kept(Simulate, recovery.history[-1])
        return replace(made, recovery=simulate(self._current(model), made, self._progress))

    def _reviewed(self, stage: Review, artefact: Artefact) -> PeakMaps:
        """What was done by hand done again, to the peaks as they are now."""
        former = next((each for each in self._known.parents(artefact) if isinstance(each, PeakMaps)), None)
        if former is None:
            before = artefact.history[:-1]
            peaks = self._done(self._stage(before[-1]), self._map(before[:-1], artefact.name, of=before[-1].of))
        else:
            peaks = self._current(former)
        source = self._map_of(peaks)
        made: PeakMaps = self._once((stage, source, peaks), lambda: stage(source, peaks, self._progress))
        return made

    def _compared(self, stage: Any, beside: TheoryBeside) -> TheoryBeside:
        peaks = next((each for each in self._known.parents(beside) if isinstance(each, PeakMaps)), None)
        if peaks is None:
            raise DataError(f"'{beside.name}' cannot be compared again: its peaks are not in the session; open them too.")
        latest = self._current(peaks)
        given = {type(each): self._current(each) for each in self._named(beside)}
        made: TheoryBeside = self._once(
            (stage, latest, *given.values()),
            lambda: stage(
                self._map_of(latest),
                latest,
                paired=given.get(PairedMaps),
                explanation=given.get(Explanation),
                calculated=read_named(stage),
                progress=self._progress,
            ),
        )
        return made

    def _done(self, stage: object, source: object) -> Any:
        parts = [source.raman, source.pl] if isinstance(source, Pairable) else source if isinstance(source, list) else [source]
        return self._once((stage, *parts), lambda: self._run(stage, source, self._progress))

    def _once(self, what: Sequence[Any], work: Callable[[], Any]) -> Any:
        """Do the same work on the same things once: two results of which only their past differs become one."""
        key = (type(what[0]), what[0].model_dump_json(), *map(mark_in, what[1:]))
        if key not in self._alike:
            self._alike[key] = work()
        return self._alike[key]

    def _stage(self, record: Record) -> Any:
        """Settings to run a step with: those that were asked for, else as they were."""
        if self._is_step(record):
            return self.stage
        if record.step not in BY_NAME:
            raise DataError(f"The step '{record.step}' cannot be done again; run it by hand.")
        return as_kept(BY_NAME[record.step], record)

    def _map_of(self, peaks: PeakMaps) -> SpectralMap:
        """Map that peaks were found in, which may have just been made."""
        for made in (*self._made.values(), *self._alike.values()):
            if isinstance(made, SpectralMap) and made.history == map_history(peaks.history):
                return made
        before = map_history(peaks.history)
        return self._map(before, peaks.name, of=peaks.history[len(before)].of)

    # A map, step by step

    def _map(self, history: History, name: str, *, of: Sequence[str] = (), anew: bool = False) -> SpectralMap:
        """Map of a history, with what changes: the one that is here, or made of the one before it.

        Parameters
        ----------
        of : mark of a map that has no history
        anew : the step itself is run again
        """
        here = self._known.with_mark(mark_of(history) if history else next(iter(of), ""))
        if isinstance(here, SpectralMap) and not anew:
            found: SpectralMap = self._current(here)
            return found
        if not history:
            raise DataError(f"'{name}' cannot be made again: the map that it began with is not in the session; open that too.")
        *before, last = history
        if is_readable(last) and not before:
            return read_again(last, name)
        below = self._map(tuple(before), name, of=last.of)
        if last.step == BY_HAND:
            return self._edited(below, history)
        if last.step in BY_NAME:
            return self._found_elsewhere(below, history) or self._done(self._stage(last), below)
        return measured_by(last, below)

    def _found_elsewhere(self, below: SpectralMap, history: History) -> SpectralMap | None:
        """Map with a flake that was found on other spectra than its own and taken over from there; None where it was not."""
        last = history[-1]
        elsewhere = [
            each
            for each in self._known.of_kind(SpectralMap)
            if last.step == "FindFlake" and each.history and each.history[-1].key == last.key and mark_of(each.history) != mark_of(history)
        ]
        first = min(elsewhere, key=lambda each: len(each.history), default=None)
        if first is None or len(first.history) > len(history):
            return None
        found = self._current(first)
        return carried(below, found.flake, found.history[-1])

    def _edited(self, below: SpectralMap, history: History) -> SpectralMap:
        """Map whose flake is as it is found now, but for the pixels that were changed by hand: those stay."""
        drawn, found = self._flake_of(history), self._flake_of(history[:-1])
        if drawn is None:
            raise DataError("A flake that was edited by hand is not in the session any more; find the flake again and edit it.")
        if below.flake is None or found is None:
            return carried(below, drawn, history[-1])
        flake = np.where(drawn != found, drawn, below.flake)
        return carried(below, flake, edited(flake, int(np.count_nonzero(flake != below.flake))))

    def _flake_of(self, history: History) -> Any:
        """Flake that belongs to a history, taken from any map that has it."""
        alike = (each for each in self._known.of_kind(SpectralMap) if each.flake is not None)
        return next((each.flake for each in alike if _about_the_flake(each.history) == _about_the_flake(history)), None)


def _about_the_flake(history: History) -> list[str]:
    return [record.key for record in history if record.step in ABOUT_THE_FLAKE]


def map_history(history: History) -> History:
    """What a history of peaks tells of the map that they were found in."""
    ends = (number for number, record in enumerate(history) if record.step in BY_NAME and BY_NAME[record.step].gives is PeakMaps)
    return history[: next(ends, len(history) - 1)]


def with_settings(record: Record, settings: Any) -> Settings:
    """Stage of a record, with other settings where some are given."""
    if isinstance(settings, Settings):
        if type(settings).__name__ != record.step:
            raise SettingsError(
                f"These are settings of {type(settings).__name__}, but the step is {record.step}; give those of {record.step}."
            )
        return settings
    if record.step not in BY_NAME:
        raise SettingsError(f"The step '{record.step}' has no settings to run it again with; choose a step that was run.")
    kept = as_kept(BY_NAME[record.step], record)
    try:
        return type(kept).model_validate(_merged(kept.model_dump(), settings or {}))
    except ValidationError as error:
        place, words, given = first_problem(error)
        raise SettingsError(f"{record.step}: {place}: {words}{'' if given is None else f', not {given}'}.") from None


def _merged(kept: dict[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """Settings with changes in them; ``method.threshold`` is a setting within a setting."""
    for key, value in changes.items():
        first, _, rest = key.partition(".")
        within = kept.get(first)
        kept[first] = _merged(dict(within), {rest: value}) if rest and isinstance(within, Mapping) else value
    return kept


def _record_of(history: History, name: str, step: str) -> Record:
    """Record of the step that is run again."""
    if not history:
        raise SettingsError(f"'{name}' was measured, not made: there is no step to run again.")
    found = next((record for record in reversed(history) if not step or record.step == step), None)
    if found is None:
        raise SettingsError(f"'{name}' has no step {step}; it has {', '.join(dict.fromkeys(record.step for record in history))}.")
    return found


def _call(stage: Any, source: Any, progress: Progress) -> Any:
    return stage(source, progress)
