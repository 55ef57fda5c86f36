"""One flake as a job of its own: known by what goes into it, done once, delivered when it is done."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Self

from napari_wse2xai import io
from napari_wse2xai._version import __version__
from napari_wse2xai.batch._chains import READING, REPORTING, effort_of, read_sources, run_chains
from napari_wse2xai.batch._delivery import Story, deliver
from napari_wse2xai.batch._folders import REPORT, RESULTS
from napari_wse2xai.batch._telling import noting_warnings
from napari_wse2xai.data import Results, Verdict
from napari_wse2xai.data.effects import FlakeEffects, effects_of
from napari_wse2xai.data.pooled import FlakeValue, share_ok
from napari_wse2xai.errors import DataError, UserError
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.recipe import Recipe

DONE, FAILED, WAITING, AT_WORK = "done", "failed", "waiting", "at work"
_BEAT_S = 0.2
"""How often the caller is asked whether to go on."""


@dataclass(frozen=True)
class FlakeRow:
    """What the summary says of a flake."""

    condition: str
    name: str
    state: str
    """``done`` or ``failed``; of a batch that goes on ``waiting`` or ``at work``."""
    reason: str = ""
    """Why it failed, in a sentence."""
    folder: str = ""
    """Where its results lie, from the batch's own folder."""
    value: float | None = None
    """Of what a series runs over."""
    raman_ok: float | None = None
    """Share of the fitted pixels of which all is well."""
    pl_ok: float | None = None
    misalignment_um: float | None = None
    misalignment_error_um: float | None = None
    verdict: str = ""
    """On what has learnt from it: the network of several flakes, or its own."""
    warnings: int = 0
    seconds: float | None = None


@dataclass(frozen=True)
class FlakeOutcome:
    """What came of a job: small, so that it can travel between processes and stand in the results."""

    row: FlakeRow
    values: tuple[FlakeValue, ...] = ()
    told: tuple[str, ...] = ()
    """What was warned of."""
    key: str = ""
    again: bool = False
    """Whether it was there already."""
    effects: tuple[FlakeEffects, ...] = ()
    """What its own training says, where it has one."""
    drawn: bool = False
    """Whether its figures lie beside its results."""

    def to_json(self) -> str:
        """Text for the file of results."""
        records = {name: [each.as_record() for each in getattr(self, name)] for name in ("values", "effects")}
        return json.dumps({"key": self.key, "drawn": self.drawn, "row": asdict(self.row), "told": self.told, **records})

    @classmethod
    def from_json(cls, text: str, job: "FlakeJob") -> Self | None:
        """Read it back, under the name that the flake has now; None where it is of another job, or was made by hand."""
        try:
            data = json.loads(text)
            row = FlakeRow(**{**data["row"], **job.named()})
            values, effects = (FlakeValue(**each) for each in data["values"]), map(FlakeEffects.from_record, data["effects"])
            return cls(row, tuple(values), tuple(data["told"]), data["key"], True, tuple(effects), bool(data["drawn"]))
        except (ValueError, TypeError, KeyError):
            return None


@dataclass(frozen=True)
class FlakeJob:
    """A flake of a batch."""

    condition: str
    name: str
    home: str
    """Folder of its results within the batch's."""
    recipe: Recipe
    figures: bool = True
    value: float | None = None
    problem: str = ""
    """Why it cannot be done, where that is known before."""
    anew: bool = False
    """Whether it is done again where its results lie there already."""

    def named(self) -> dict[str, Any]:
        """What the summary calls it."""
        return {"condition": self.condition, "name": self.name, "folder": self.home, "value": self.value}

    def key(self) -> str:
        """Hash of all that its results depend on: the bytes of its files, its settings but for figures, and this version."""
        settings = self.recipe.model_dump(mode="json", exclude={"figures"})
        for name, section in self.recipe.sections().items():
            assert section.file is not None  # the recipe's reading sees to it
            settings[name]["file"] = io.sha256(section.file.expanduser())
        if self.recipe.theory is not None:
            settings["theory"]["calculations"] = [io.sha256(file) for file in self.recipe.theory.calculations]
        text = json.dumps([settings, __version__], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def failed(self, reason: str) -> FlakeOutcome:
        """FlakeOutcome of a job that came to nothing."""
        return FlakeOutcome(FlakeRow(state=FAILED, reason=reason, **self.named()))

    def begun(self) -> FlakeRow:
        """Row of a job that somebody is at."""
        return FlakeRow(state=AT_WORK, **self.named())


Ended = tuple[FlakeJob, "Future[FlakeOutcome]"]


def as_they_end(ours: "Mapping[Future[FlakeOutcome], FlakeJob]", beat: Callable[[], None]) -> Iterator[Ended]:
    """Jobs that were given away, each as soon as it ends; several at once in the order in which they were given; `beat` may end it."""
    order = {future: number for number, future in enumerate(ours)}
    waiting = set(ours)
    while waiting:
        ended, waiting = wait(waiting, _BEAT_S, FIRST_COMPLETED)
        for future in sorted(ended, key=order.__getitem__):
            yield ours[future], future
        beat()


def work(job: FlakeJob, folder: Path, progress: Progress = silent) -> FlakeOutcome:
    """Do a job, unless its results lie there already; raises a `UserError` that says why it cannot be done."""
    from napari_wse2xai.numerics.library_threads import single_threaded
    from napari_wse2xai.numerics.threads import single_thread

    if job.problem:
        raise DataError(job.problem)
    home, started, key = folder / job.home, perf_counter(), job.key()
    io.clear_left_over(home)
    if not job.anew and (kept := _kept(job, home, key)) is not None:
        return kept if kept.drawn or not job.figures else _drawn_too(kept, home, progress)
    effort = effort_of(job.recipe)
    whole = READING + effort + REPORTING
    # One thread each, in one process as in several: sums over threads end in other last digits.
    learning = bool(job.recipe.late_steps)
    with noting_warnings(told=False) as told, single_threaded(learning=learning), single_thread():
        sources = read_sources(job.recipe, progress)
        found = run_chains(job.recipe, sources, part(progress, READING / whole, (READING + effort) / whole))
        results = replace(found, warnings=tuple(told))
        outcome = replace(_outcome(job, results, key, perf_counter() - started), drawn=job.figures)
        story = Story(job.home, figures=job.figures, job=outcome.to_json())
        deliver(results, home, story, part(progress, (READING + effort) / whole, 1.0))
    return outcome


def _drawn_too(kept: FlakeOutcome, home: Path, progress: Progress) -> FlakeOutcome:
    """Draw the figures of results that were made without."""
    outcome = replace(kept, drawn=True)
    deliver(io.read_results(home / RESULTS), home, Story(kept.row.folder, job=outcome.to_json()), progress)
    return outcome


def before(job: FlakeJob, folder: Path) -> FlakeOutcome:
    """What there is of a job before any work.  A flake's files are read for it only where results lie that may be theirs."""
    if job.problem:
        return job.failed(job.problem)
    home = folder / job.home
    try:
        kept = _kept(job, home, job.key()) if complete(home) else None
    except UserError as error:
        return job.failed(str(error))
    return kept or FlakeOutcome(FlakeRow(state=WAITING, **job.named()))


def complete(home: Path) -> bool:
    """Whether the results of a whole job lie in a folder."""
    return (home / REPORT).exists() and (home / RESULTS).exists() and not (home / io.UNFINISHED).exists()


def _kept(job: FlakeJob, home: Path, key: str) -> FlakeOutcome | None:
    """FlakeOutcome of the same job, where its results lie in the folder, complete."""
    if not complete(home):
        return None
    found = FlakeOutcome.from_json(io.read_job(home / RESULTS), job)
    return found if found is not None and found.key == key else None


def _outcome(job: FlakeJob, results: Results, key: str, seconds: float) -> FlakeOutcome:
    shares: dict[str, Any] = {f"{name}_ok": round(share_ok(peaks), 4) for name, peaks in results.peaks.items()}
    paired: Mapping[str, Any] = {}
    if results.paired is not None:
        names = ("misalignment_um", "misalignment_error_um")
        paired = {name: _number(getattr(results.paired, name)) for name in names}
    verdicts = () if results.model is None else results.model.verdicts
    told: dict[str, Any] = {"verdict": in_words(verdicts), "warnings": len(results.warnings), "seconds": round(seconds, 2)}
    row = FlakeRow(state=DONE, **told, **job.named(), **shares, **paired)
    values = [value for name, peaks in results.peaks.items() for value in FlakeValue.of_peaks(name, peaks)]
    effects = tuple(effects_of(results.model, results.explanation))
    return FlakeOutcome(row, tuple(values), results.warnings, key, effects=effects)


def in_words(verdicts: Iterable[Verdict]) -> str:
    """Verdicts as the summary tells them."""
    return "; ".join(dict.fromkeys(f"{verdict.target}: {verdict.level}" for verdict in verdicts))


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
