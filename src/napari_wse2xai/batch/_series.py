"""Several flakes: each a job of its own, then what is learnt from those of one condition together, then all beside one another."""

import hashlib
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_wse2xai import io, recipe, report
from napari_wse2xai._version import __version__
from napari_wse2xai.batch import _pooling, _ranking
from napari_wse2xai.batch._chains import with_steps
from napari_wse2xai.batch._delivery import Story, deliver, write_images
from napari_wse2xai.batch._folders import REPORT, RESULTS, home_of, writable
from napari_wse2xai.batch._jobs import DONE, FAILED, FlakeJob, FlakeOutcome, FlakeRow, before, complete, in_words
from napari_wse2xai.batch._summary import write_rows, write_summary
from napari_wse2xai.batch._telling import noting_warnings
from napari_wse2xai.batch._workers import Telling, Watch, outcomes
from napari_wse2xai.data import Results, TrainedModel
from napari_wse2xai.data.pooled import Pool
from napari_wse2xai.errors import DataError, DataWarning, SettingsError, UserError
from napari_wse2xai.io.calculations import read_named
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.recipe import Member, Series
from napari_wse2xai.session import Session
from napari_wse2xai.stages import Train, resuming

if TYPE_CHECKING:
    import pandas as pd
    from distributed import Client

Case = tuple[str, str]
"""Architecture and condition of a network."""
OWN = (
    "figures",
    "summary.csv",
    "values.csv",
    "conditions.csv",
    "over.csv",
    "scores.csv",
    "ranking_over_flakes.csv",
    "ranking.csv",
    REPORT,
    io.UNFINISHED,
)
"""What lies in the folder of a series beside its flakes."""
FLAKES, LEARNING = 0.15, 0.9
"""Where the flakes end where they are learnt from, and where learning does, as fractions of a series."""


@dataclass(frozen=True)
class Batch:
    """What became of several flakes; their results lie in the folder."""

    folder: Path
    rows: tuple[FlakeRow, ...]
    """One for each flake."""
    networks: Mapping[Case, Results] = field(default_factory=dict)
    """By architecture and condition."""
    lost: tuple[str, ...] = ()
    """Why networks are missing, a sentence each."""

    @property
    def failed(self) -> tuple[FlakeRow, ...]:
        """Flakes that came to nothing, with their reasons."""
        return tuple(row for row in self.rows if row.state == FAILED)

    @property
    def summary(self) -> "pd.DataFrame":
        """The table of ``summary.csv``."""
        import pandas as pd

        return pd.DataFrame([vars(row) for row in self.rows])

    def results(self, name: str, condition: str = "") -> Results:
        """Results of one flake, read from its folder."""
        found = [row for row in self.rows if row.name == name and condition in ("", row.condition)]
        if len(found) != 1 or found[0].state != DONE:
            why = "is not among the flakes" if not found else "has several conditions; name one" if len(found) > 1 else found[0].reason
            raise DataError(f"'{name}' {why}" if len(found) != 1 else f"'{name}' failed: {why}")
        return io.read_results(self.folder / found[0].folder / RESULTS)

    def session(self) -> Session:
        """Session of all that came of it, flakes and networks, at once in memory: to be asked by descent, run again and saved whole."""
        flakes = (self.results(row.name, row.condition) for row in self.rows if row.state == DONE)
        return Session.of(*flakes, *self.networks.values())

    @property
    def places(self) -> dict[str, Results]:
        """Networks by their folders."""
        return {place_of(key, any(row.folder.count("/") for row in self.rows)): each for key, each in self.networks.items()}


def run_batch(
    recipe_path: str | Path,
    output: str | Path,
    progress: Progress = silent,
    *,
    figures: bool = True,
    jobs: int | None = 1,
    scheduler: "str | Client | None" = None,
    anew: bool = False,
    watch: Watch | None = None,
) -> Batch:
    """Run a recipe of several flakes, each as far as it can go; what is there already is not done again.

    A folder for each flake, ``NAME`` or ``CONDITION/NAME``, and one for each network, ``network_ARCHITECTURE`` in that of its condition;
    beside them ``summary.csv`` with a row for each flake, ``values.csv`` and ``conditions.csv`` with every parameter by flake and by
    condition, ``over.csv`` against what the series runs over, ``ranking_over_flakes.csv`` of flakes that learn apart, ``scores.csv`` of all
    networks, ``report.html`` and ``figures/``.

    Parameters
    ----------
    output : folder; the same call again does only what is missing in it, or failed, or has other settings or files now
    jobs : processes; None for one per core.  A script that asks for more than one begins with ``if __name__ == "__main__":``
    scheduler : address of a Dask scheduler, or a `distributed.Client`: its workers do the flakes; they must see files and output folder by
        the same paths.  What is learnt from several flakes is learnt here
    anew : do also what is there already
    watch : told the row of every flake when it is begun and when it ends, in the calling thread; then even a single process is another
        than this one, so that a window stays free
    """
    # Whole paths: another machine has another current folder.
    series, folder = recipe.load_series(Path(recipe_path).expanduser().absolute(), there=False), Path(output).expanduser()
    work = _jobs(series, figures and series.figures, anew=anew)
    cases = [(training.architecture, condition) for training in series.trainings for condition in series.conditions]
    homes = [*(job.home for job in work), *(place_of(case, series.has_conditions) for case in cases)]
    _refuse_same_folders(homes)
    with writable(folder, homes), noting_warnings() as told, resuming.naming_what_is_kept(folder):
        io.clear_left_over(folder)
        io.mark_unfinished(folder, REPORT)
        ends = (FLAKES, LEARNING) if series.trainings else (LEARNING, LEARNING)
        telling = Telling(part(progress, 0.0, ends[0]), len(work), watch or (lambda row: None))
        with closing(outcomes(work, folder, telling, jobs, scheduler, apart=watch is not None)) as ended:
            done = _flakes(ended, work, folder)
        networks, lost = _learnt(series, done, folder, part(progress, *ends), figures=figures and series.figures, anew=anew)
        done = [_judged(outcome, networks) for outcome in done]
        batch = Batch(folder, tuple(outcome.row for outcome in done), networks, lost)
        progress(LEARNING, "report: all flakes")
        _deliver(series, batch, done, Story(Path(recipe_path).stem, figures=figures and series.figures), told)
        progress(1.0, "report: done")
    return batch


def look(series: Series, output: str | Path, progress: Progress = silent) -> tuple[FlakeRow, ...]:
    """Rows of all flakes before any work: done where their results lie in the folder, failed where nothing can come of it.

    With the verdicts on what was learnt from them, where that lies there too.
    """
    work, found, folder = _jobs(series, series.figures), list[FlakeOutcome](), Path(output).expanduser()
    for index, job in enumerate(work):
        progress(index / len(work), job.name)
        found.append(before(job, folder))
    networks = {shared.case: kept for shared in _shared_trainings(series, found, folder) if (kept := _kept_network(shared)) is not None}
    return tuple(_judged(outcome, networks).row for outcome in found)


def place_of(case: Case, has_conditions: bool) -> str:
    """Folder of a network within that of the series."""
    architecture, condition = case
    return home_of(*([condition] if has_conditions else []), f"network_{architecture}")


def _jobs(series: Series, figures: bool, *, anew: bool = False) -> list[FlakeJob]:
    return [
        FlakeJob(
            member.condition,
            member.name,
            home_of(*([member.condition] if series.has_conditions else []), member.name),
            member.recipe,
            figures,
            member.value,
            member.problem,
            anew,
        )
        for member in series.members
    ]


def _refuse_same_folders(homes: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for home in homes:
        top = home.split("/")[0]
        if top in OWN:
            raise SettingsError(f"A flake or condition called '{top}' would lie where the series' own '{top}' does; give it another name.")
        if home in seen:
            raise SettingsError(f"Two flakes or networks would lie in the folder '{home}'; name them apart by letters and digits.")
        seen[home] = home


def _flakes(ended: Iterable[tuple[FlakeJob, FlakeOutcome]], work: Sequence[FlakeJob], folder: Path) -> list[FlakeOutcome]:
    """Take the jobs as they end; the summary on disk grows with them."""
    done: dict[str, FlakeOutcome] = {}
    for job, outcome in ended:
        done[job.home] = outcome
        for sentence in outcome.told:
            warnings.warn(f"{job.name}: {sentence}", DataWarning, stacklevel=2)
        if outcome.row.state == FAILED:
            warnings.warn(f"{job.name} failed: {outcome.row.reason}", DataWarning, stacklevel=2)
            if (folder / job.home / RESULTS).exists():
                io.mark_unfinished(folder / job.home, REPORT)
        write_summary([done[each.home].row for each in work if each.home in done], folder)
    return [done[job.home] for job in work]


# What is learnt from several


def _learnt(
    series: Series, done: Sequence[FlakeOutcome], folder: Path, progress: Progress, *, figures: bool, anew: bool
) -> tuple[dict[Case, Results], tuple[str, ...]]:
    """A network for each architecture and condition, explained where that is wanted and allowed; and why others are missing."""
    networks: dict[Case, Results] = {}
    lost: list[str] = []
    trainings = list(_shared_trainings(series, done, folder, figures=figures, anew=anew))
    for index, shared in enumerate(trainings):
        architecture, condition = shared.case
        told = part(progress, index / len(trainings), (index + 1) / len(trainings), f"{condition}, {architecture}")
        try:
            networks[shared.case] = _network(shared, told)
        except UserError as error:
            lost.append(f"{condition}, {architecture}: {error}")
            warnings.warn(f"There is no network. {lost[-1]}", DataWarning, stacklevel=2)
    return networks, tuple(lost)


def _shared_trainings(
    series: Series, done: Sequence[FlakeOutcome], folder: Path, *, figures: bool | None = None, anew: bool = False
) -> "Iterator[_SharedTraining]":
    """All networks of a series, each with its flakes."""
    drawn = series.figures if figures is None else figures
    for training in series.trainings:
        for condition in series.conditions:
            yield _SharedTraining(series, done, (training.architecture, condition), training, folder, drawn, anew)


@dataclass(frozen=True)
class _SharedTraining:
    """One network, with the flakes that it learns from."""

    series: Series
    done: Sequence[FlakeOutcome]
    case: Case
    training: Train
    folder: Path
    figures: bool
    anew: bool

    @property
    def home(self) -> Path:
        """Its folder."""
        return self.folder / place_of(self.case, self.series.has_conditions)

    def members(self) -> Iterator[tuple[Member, FlakeOutcome]]:
        """Flakes of its condition that are done."""
        for member, outcome in zip(self.series.members, self.done, strict=True):
            if member.condition == self.case[1] and outcome.row.state == DONE:
                yield member, outcome

    @property
    def job(self) -> dict[str, Any]:
        """What its file says of it: a hash of all that it depends on, and whether its figures lie beside it."""
        steps = [{"step": step.key, **step.model_dump(mode="json")} for step in self.series.late_steps(self.training)]
        text = json.dumps([[outcome.key for _, outcome in self.members()], steps, __version__], sort_keys=True)
        return {"key": hashlib.sha256(text.encode()).hexdigest(), "drawn": self.figures}

    @property
    def story(self) -> Story:
        """What its report tells."""
        return Story(place_of(self.case, self.series.has_conditions), figures=self.figures, job=json.dumps(self.job))


def _kept_network(shared: _SharedTraining, progress: Progress | None = None) -> Results | None:
    """The network that lies in the folder, where it is of the same flakes and settings; its figures are drawn where that can be told of."""
    job = _job_in(shared.home)
    if job.get("key") != shared.job["key"]:
        return None
    kept = io.read_results(shared.home / RESULTS)
    if progress is not None and shared.figures and not job.get("drawn"):
        deliver(kept, shared.home, shared.story, progress)
    return kept


def _job_in(home: Path) -> dict[str, Any]:
    """What the results in a folder say of the job that made them; nothing where they do not, or are not complete."""
    try:
        found = json.loads(io.read_job(home / RESULTS)) if complete(home) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _network(shared: _SharedTraining, progress: Progress) -> Results:
    """One network with its explanation: the one that lies in the folder, where it is of the same flakes and settings."""
    members = list(shared.members())
    if not members:
        raise DataError("None of its flakes is done; see their reasons in summary.csv.")
    _refuse_unlike([outcome for _, outcome in members])
    home = shared.home
    io.clear_left_over(home)
    if not shared.anew and (kept := _kept_network(shared, progress)) is not None:
        return kept
    flakes = [io.read_results(shared.folder / outcome.row.folder / RESULTS) for _, outcome in members]
    pairs = [flake.paired for flake in flakes if flake.paired is not None]
    steps = shared.series.late_steps(shared.training)
    with noting_warnings() as told:
        learnt = with_steps(Results({}), steps, part(progress, 0.0, 0.8), pairs=pairs, keep_in=home)
        learnt = _with_theory(replace(learnt, warnings=tuple(told)), members[0][0], flakes[0])
    deliver(learnt, home, shared.story, part(progress, 0.8, 1.0))
    resuming.forget(learnt.model, home)
    return learnt


def _refuse_unlike(done: Sequence[FlakeOutcome]) -> None:
    """Refuse to learn from heights that were taken differently: what is learnt would be the exposure."""
    taken = {outcome.row.name: {value.taken for value in outcome.values if value.parameter == "height"} for outcome in done}
    first = next(iter(taken))
    for name, lit in taken.items():
        if lit != taken[first]:
            ours, theirs = (" and ".join(filter(None, sorted(each))) or "what its file does not say" for each in (lit, taken[first]))
            raise DataError(
                f"'{name}' was taken with {ours}, '{first}' with {theirs}: their heights must not be learnt together; "
                "divide all by exposure and power (normalise: {} under raman and pl)."
            )


def _with_theory(learnt: Results, first: Member, of_flake: Results) -> Results:
    """Add what theory says of a network's explanation, beside the first of its flakes, where the series asks for theory."""
    theory = first.recipe.theory
    if learnt.explanation is None or theory is None:
        return learnt
    beside = with_steps(replace(of_flake, explanation=learnt.explanation), [theory], calculated=read_named(theory)).theory
    return replace(learnt, theory=beside)


def _judged(outcome: FlakeOutcome, networks: Mapping[Case, Results]) -> FlakeOutcome:
    """FlakeOutcome with the verdicts on what was learnt from the flake together with others; its own where nothing was."""
    models = [each.model for (_, condition), each in networks.items() if condition == outcome.row.condition and each.model is not None]
    if outcome.row.state != DONE or not models:
        return outcome
    return replace(outcome, row=replace(outcome.row, verdict=in_words(verdict for model in models for verdict in model.verdicts)))


# All of them


def _deliver(series: Series, batch: Batch, done: Sequence[FlakeOutcome], story: Story, told: Sequence[str]) -> None:
    """Write what is said of all flakes and networks together."""
    pooled, placed, ranked = _pooling.pools(done), _placed(series, done), _ranking.over_flakes(done)
    models: dict[Case, TrainedModel] = {key: each.model for key, each in batch.networks.items() if each.model is not None}
    over = series.over.label if series.over is not None else ""
    drawn = (
        (report.over_flakes_figures(ranked), report.series_figures(models), report.pooled_figures(pooled, placed, over))
        if story.figures
        else ()
    )
    images = {name: picture for each in drawn for name, picture in each.items()}
    trends = list(_pooling.along(placed))
    places = {key: place_of(key, series.has_conditions) for key in models}
    rankings = {key: each.explanation for key, each in batch.networks.items() if each.explanation is not None}
    overview = report.Overview([vars(row) for row in batch.rows], places, rankings, trends, over, ranked)
    page = report.series_page(models, images, overview, title=story.title, warnings=tuple(told))
    tables = (name for name in OWN if name.endswith(".csv") and name != "summary.csv")
    with io.delivered(batch.folder, first="summary.csv", last=REPORT, replaced=(*tables, "figures/*_*.png", "figures/*_*.svg")) as staged:
        write_images(images, staged)
        write_summary(batch.rows, staged)
        over_flakes = [row for each in ranked for row in each.rows()]
        _write_tables(staged, done, pooled, {"over.csv": trends, "ranking_over_flakes.csv": over_flakes})
        if models:
            io.write_scores_csv(
                {(*key,): model for key, model in models.items()}, staged / "scores.csv", keys=("architecture", "condition")
            )
        with io.new_file(staged / REPORT) as place:
            place.write_text(page, encoding="utf-8")


def _placed(series: Series, done: Sequence[FlakeOutcome]) -> list[Pool]:
    """What is drawn against the values of the flakes; what is left out of that was told already, or is not meant to be the same."""
    if series.over is None:
        return []
    with noting_warnings(told=False):
        return _pooling.pools(done, series.over.name)


def _write_tables(folder: Path, done: Sequence[FlakeOutcome], pooled: Sequence[Pool], further: Mapping[str, list[Any]]) -> None:
    tables: dict[str, list[Any]] = {
        "values.csv": list(_pooling.values_by_flake(done)),
        "conditions.csv": list(_pooling.by_condition(pooled)),
        **further,
    }
    for name, rows in tables.items():
        if rows:
            write_rows(rows, folder / name)
