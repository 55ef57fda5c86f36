"""Whole runs without a window: files or a sample flake in, a folder with results, figures and a report out."""

import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import TextIO

from napari_wse2xai import io, recipe, report, synthetic
from napari_wse2xai.data import Explanation, Pairable, PairedMaps, PeakMaps, Results, SpectralMap, TrainedModel
from napari_wse2xai.errors import DataError, DataWarning, UserError
from napari_wse2xai.io.calculations import read_named
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.recipe import Member, Recipe, Series
from napari_wse2xai.stages import Explain, Pair, Simulate, Train, resuming
from napari_wse2xai.stages.pair import StageCoordinates
from napari_wse2xai.stages.train import OneCycle
from napari_wse2xai.theory.calculated import Calculated

RESULTS, REPORT = "results.nc", "report.html"
_TABLES_AND_CARD = ("paired.csv", "scores.csv", "ranking.csv", "pdp.csv", "slopes.csv", "card.html", "card.pdf")
_OF_EARLIER = (*_TABLES_AND_CARD, *(f"figures/{part}_*.{kind}" for part in report.PARTS for kind in ("png", "svg")))
"""What an earlier run may have left in the folder and this one not made: its card and figures beside other results would mislead."""
PRODUCTS = (RESULTS, REPORT, *_TABLES_AND_CARD, io.UNFINISHED)
"""Files that may come to lie in an output folder, beside figures."""
FEWEST_SURROGATES = 39
"""Least number of surrogate maps that a verdict may rest on."""
READING, REPORTING, DRAWN = 4.0, 13.0, 0.95
"""Efforts of what is no stage, in the measure of `stages.Step.effort`; and where the figures of a report are done, as a fraction of it."""


@dataclass(frozen=True)
class _Shares:
    """Where the parts of a run end, as fractions of the whole."""

    read: float
    run: float
    paired: float
    trained: float
    explained: float
    learnt: float

    @classmethod
    def of(cls, wanted: Recipe) -> "_Shares":
        """Shares that follow from the efforts of the stages that a recipe asks for."""
        late = (wanted.pairing, wanted.training, wanted.explaining, wanted.simulating)
        efforts = [0.0 if stage is None else stage.effort for stage in late]
        ends = list(accumulate([READING, sum(chain.effort for chain in wanted.chains().values()), *efforts]))
        return cls(*(end / (ends[-1] + REPORTING) for end in ends))


@dataclass(frozen=True)
class _Story:
    """What the report tells beside the results."""

    title: str
    comparisons: "Mapping[str, report.Comparison]" = field(default_factory=dict)
    figures: bool = True
    """Whether they are drawn."""


def run_recipe(recipe_path: str | Path, output: str | Path, progress: Progress = silent, *, figures: bool = True) -> Results:
    """Run a recipe and write ``results.nc``, ``figures/``, ``report.html`` and, where it pairs, ``paired.csv`` to a folder.

    Parameters
    ----------
    recipe_path : YAML file
    output : folder, made where it is missing; files of an earlier run are replaced, each as a whole
    progress : may raise `Cancelled`; then no result is written, but what was trained is kept in ``unfinished/``: the same call goes on
        from there, and removes it when it is done
    figures : draw the figures and the finding card, which take most of the time of a small run; a recipe with ``figures: false`` has none

    Raises
    ------
    UserError
        With one sentence, before any computing where the mistake can be seen by then.
    """
    wanted = recipe.load(recipe_path)
    folder = Path(output).expanduser()
    with _writable(folder), _noting_warnings() as told, resuming.naming_what_is_kept(folder):
        sources = _read(wanted, progress)
        recipe.check(wanted, sources)
        found = run_chains(wanted, sources, progress, keep_in=folder, calculated=read_named(wanted.theory))
        results = replace(found, warnings=tuple(told))
        story = _Story(Path(recipe_path).stem, figures=figures and wanted.figures)
        _deliver(results, folder, story, part(progress, _Shares.of(wanted).learnt, 1.0))
        resuming.forget(results.model, folder)
    return results


def run(recipe_path: str | Path, output: str | Path, progress: Progress = silent, *, figures: bool = True) -> dict[str, Results]:
    """Run a recipe of one flake or of several; gives what was learnt, by its folder within the output (empty: the output itself)."""
    if not recipe.is_series(recipe_path):
        return {"": run_recipe(recipe_path, output, progress, figures=figures)}
    networks = _run_series(recipe_path, output, progress, figures)
    return {_home_of(*key): results for key, results in networks.items()}


def run_series(
    recipe_path: str | Path, output: str | Path, progress: Progress = silent, *, figures: bool = True
) -> dict[tuple[str, str], TrainedModel]:
    """Run a recipe of several flakes; gives the networks by architecture and condition.

    Each flake has a folder ``CONDITION/FLAKE``, each network a folder ``CONDITION/network_ARCHITECTURE``; beside them lie ``scores.csv``
    with all scores, ``report.html``, and the scatter plots of all networks in ``figures/``.
    """
    return _models(_run_series(recipe_path, output, progress, figures))


def _run_series(recipe_path: str | Path, output: str | Path, progress: Progress, figures: bool) -> dict[tuple[str, str], Results]:
    """Networks with their explanations, by architecture and condition."""
    series, folder = recipe.load_series(recipe_path), Path(output).expanduser()
    figures = figures and series.figures
    homes = [_home(member.condition, member.name) for member in series.members]
    homes += [_home_of(training.architecture, condition) for training in series.trainings for condition in series.conditions]
    with _writable(folder, homes), _noting_warnings() as told, resuming.naming_what_is_kept(folder):
        flakes = _prepared(series, part(progress, 0.0, 0.15))
        networks = _compared(series, flakes, folder, part(progress, 0.15, 0.8))
        places = {_home(member.condition, member.name): results for member, results in flakes.items()}
        places |= {_home_of(*key): results for key, results in networks.items()}
        io.mark_unfinished(folder, REPORT)
        for index, (place, results) in enumerate(places.items()):
            told_of = part(progress, 0.8 + 0.2 * index / len(places), 0.8 + 0.2 * (index + 1) / len(places), place)
            _deliver(results, folder / place, _Story(place, figures=figures), told_of)
        _deliver_series(_models(networks), series, folder, _Story(Path(recipe_path).stem, figures=figures), tuple(told))
        for key, results in networks.items():
            resuming.forget(results.model, folder / _home_of(*key))
        progress(1.0, "report: done")
    return networks


def _models(networks: Mapping[tuple[str, str], Results]) -> dict[tuple[str, str], TrainedModel]:
    return {key: results.model for key, results in networks.items() if results.model is not None}


def _prepared(series: Series, progress: Progress) -> dict[Member, Results]:
    """Every flake, deconvolved and paired."""
    prepared, count = {}, len(series.members)
    for index, member in enumerate(series.members):
        told = part(progress, index / count, (index + 1) / count, member.name)
        with _noting_warnings() as warned:
            sources = _read(member.recipe, told)
            recipe.check(member.recipe, sources)
            prepared[member] = replace(run_chains(member.recipe, sources, told), warnings=tuple(warned))
    return prepared


def _compared(series: Series, flakes: Mapping[Member, Results], folder: Path, progress: Progress) -> dict[tuple[str, str], Results]:
    """A network for each architecture and condition, explained where that is wanted and allowed."""
    networks: dict[tuple[str, str], Results] = {}
    cases = [(training, condition) for training in series.trainings for condition in series.conditions]
    for index, (training, condition) in enumerate(cases):
        told = part(progress, index / len(cases), (index + 1) / len(cases), f"{condition}, {training.architecture}")
        pairs = [pair for member in series.under(condition) if (pair := flakes[member].paired) is not None]
        home = folder / _home_of(training.architecture, condition)
        model = resuming.trained(training, pairs, home, part(told, 0.0, 0.75, "train"))
        explanation = _explained(series.explain, model, part(told, 0.75, 0.85, "explain"))
        explanation = _tested(series.simulate, model, explanation, part(told, 0.85, 1.0, "simulate"))
        first, learnt = series.under(condition)[0], Results({}, model=model, explanation=explanation)
        networks[training.architecture, condition] = _of_network(first, flakes[first], learnt)
    return networks


def _of_network(first: Member, of_flake: Results, learnt: Results) -> Results:
    """Add what theory says of a network's explanation, beside the first of its flakes, where the series asks for theory."""
    if learnt.explanation is None or first.recipe.theory is None:
        return learnt
    of_flake = replace(of_flake, explanation=learnt.explanation)
    return replace(learnt, theory=first.recipe.theory.beside(of_flake, read_named(first.recipe.theory)))


def _deliver_series(
    models: dict[tuple[str, str], TrainedModel], series: Series, folder: Path, story: _Story, told: tuple[str, ...]
) -> None:
    """Write what compares all networks."""
    images = report.series_figures(models) if story.figures else {}
    places = report.Places(
        networks={key: _home_of(*key) for key in models},
        flakes={f"{member.name} ({member.condition})": _home(member.condition, member.name) for member in series.members},
    )
    page = report.series_page(models, images, places, title=story.title, warnings=told)
    with io.delivered(folder, first="scores.csv", last=REPORT, replaced=("figures/scatter_*.*",)) as staged:
        _write_images(images, staged)
        io.write_scores_csv({(*key,): model for key, model in models.items()}, staged / "scores.csv", keys=("architecture", "condition"))
        with io.new_file(staged / REPORT) as place:
            place.write_text(page, encoding="utf-8")


def _home(condition: str, name: str) -> str:
    """Folder of one of several within that of the series."""
    return "/".join(re.sub(r"[^\w.-]+", "_", part).strip("._") or "_" for part in (condition, name))


def _home_of(architecture: str, condition: str) -> str:
    """Folder of a network within that of the series."""
    return _home(condition, f"network_{architecture}")


def demo(output: str | Path, progress: Progress = silent, *, shape: str = "triangle", seed: int = 0) -> Results:
    """Run the default preset on a synthetic flake, to the finding card, and write what `run_recipe` writes, with the truth beside it.

    To be done within about a minute on a laptop, the network is not trained on the spatial blocks, where the reference models stand for it.
    """
    folder = Path(output).expanduser()
    with _writable(folder), _noting_warnings() as told:
        progress(0.0, "growing the sample flake")
        flake = synthetic.make_flake(shape, seed=seed)
        wanted = _demo_recipe()
        results = replace(run_chains(wanted, {"raman": flake.raman, "pl": flake.pl}, progress), warnings=tuple(told))
        truths = {"raman": flake.truth.raman, "pl": flake.truth.pl}
        comparisons = {name: report.compare(results.maps[name], results.peaks[name], flake.truth, truth) for name, truth in truths.items()}
        title = f"Sample flake: a synthetic WSe₂ {shape}, seed {seed}"
        _deliver(results, folder, _Story(title, comparisons), part(progress, _Shares.of(wanted).learnt, 1.0))
    return results


def _demo_recipe() -> Recipe:
    """Preset, and the quick way through pairing, training and explaining."""
    train = Train(recipe=OneCycle(epochs=40), network_on_blocks=False, surrogates=FEWEST_SURROGATES)
    return recipe.preset().model_copy(update={"pair": Pair(method=StageCoordinates()), "train": train, "explain": Explain()})


def run_chains(
    wanted: Recipe,
    sources: Mapping[str, SpectralMap],
    progress: Progress = silent,
    *,
    keep_in: Path | None = None,
    calculated: Calculated | None = None,
) -> Results:
    """Run the chain of each modality on its map.

    Parameters
    ----------
    sources : maps by modality, as read
    keep_in : folder in which a training is kept so that it can be resumed
    calculated : what the files hold that the recipe names under theory; read where it is not given
    """
    outcomes: dict[str, recipe.Outcome] = {}
    chains, shares = {name: chain for name, chain in wanted.chains().items() if name in sources}, _Shares.of(wanted)
    for index, (name, chain) in enumerate(chains.items()):
        share = (shares.run - shares.read) / len(chains)
        outcomes[name] = chain.run(sources[name], part(progress, shares.read + index * share, shares.read + (index + 1) * share, name))
        if (found := outcomes[name].peaks) is not None:
            _tell_of_model(name, found, outcomes[name].map)
    maps, peaks = {name: each.map for name, each in outcomes.items()}, {name: each.peaks for name, each in outcomes.items() if each.peaks}
    components = {name: each.components for name, each in outcomes.items() if each.components is not None}
    paired = _paired(wanted, peaks, part(progress, shares.run, shares.paired, "pair"))
    results = _learnt(wanted, Results(maps, peaks, recipe.to_yaml(wanted), paired, components=components), keep_in, progress)
    if wanted.theory is None or "raman" not in peaks:
        return results
    return replace(results, theory=wanted.theory.beside(results, calculated or read_named(wanted.theory)))


def _tell_of_model(name: str, peaks: PeakMaps, source: SpectralMap) -> None:
    """Warn of what the list of peaks misses all over a map."""
    for proposal in recipe.proposals(peaks, source):
        warnings.warn(f"{name}: {proposal.words}{recipe.hint(proposal, peaks)}", DataWarning, stacklevel=2)


def _paired(wanted: Recipe, peaks: Mapping[str, PeakMaps], progress: Progress) -> PairedMaps | None:
    """PL on the RS grid, where the recipe pairs them and both were deconvolved."""
    if wanted.pairing is None or not {"raman", "pl"} <= set(peaks):
        return None
    return wanted.pairing(Pairable(peaks["raman"], peaks["pl"]), progress)


def _learnt(wanted: Recipe, results: Results, keep_in: Path | None, progress: Progress) -> Results:
    """Add the network and its explanation, where the recipe asks for them."""
    if wanted.training is None or results.paired is None:
        return results
    shares = _Shares.of(wanted)
    model = resuming.trained(wanted.training, [results.paired], keep_in, part(progress, shares.paired, shares.trained, "train"))
    explanation = _explained(wanted.explaining, model, part(progress, shares.trained, shares.explained, "explain"))
    explanation = _tested(wanted.simulating, model, explanation, part(progress, shares.explained, shares.learnt, "simulate"))
    return replace(results, model=model, explanation=explanation)


def _explained(explain: Explain | None, model: TrainedModel, progress: Progress) -> Explanation | None:
    """Explain a network; where its verdict forbids that, say so and keep what there is."""
    if explain is None:
        return None
    if refusal := explain.refusal(model):
        warnings.warn(refusal, DataWarning, stacklevel=2)
        return None
    return explain(model, progress)


def _tested(simulate: Simulate | None, model: TrainedModel, explanation: Explanation | None, progress: Progress) -> Explanation | None:
    """Add the scores of a simulation of the flake; where there can be none, say so and keep what there is."""
    if simulate is None or explanation is None:
        return explanation
    try:
        return replace(explanation, recovery=simulate(model, explanation, progress))
    except DataError as error:
        warnings.warn(f"There is no simulation of the flake: {error}", DataWarning, stacklevel=2)
        return explanation


def _read(wanted: Recipe, progress: Progress) -> dict[str, SpectralMap]:
    sources = {}
    for name, section in wanted.sections().items():
        assert section.file is not None  # `recipe.load` sees to it
        progress(0.0, f"{name}: reading {section.file.name}")
        sources[name] = recipe.with_laser(io.read(section.file, section.item, **section.told()), section)
    return sources


def _deliver(results: Results, folder: Path, story: _Story, progress: Progress) -> None:
    """Draw first and write then, so that whatever stops the drawing leaves nothing behind."""
    images = report.draw_figures(results, part(progress, 0.0, DRAWN, "report")) if story.figures else {}
    card = _card(results, story.title, images) if story.figures else None
    text = report.page(results, images, title=story.title, comparisons=story.comparisons)
    progress(DRAWN, "report: writing")
    with io.delivered(folder, first=RESULTS, last=REPORT, replaced=_OF_EARLIER) as staged:
        io.write_results(results, staged / RESULTS)
        _write_images(images, staged)
        _write_tables(results, staged)
        if card is not None:
            _write_card(card, staged)
        with io.new_file(staged / REPORT) as place:
            place.write_text(text, encoding="utf-8")
    progress(1.0, "report: done")


def _write_images(images: "report.Images", folder: Path) -> None:
    for name, content in images.items():
        with io.new_file(folder / "figures" / name) as place:
            place.write_bytes(content)


def _card(results: Results, title: str, images: "report.Images") -> "report.Card | None":
    """Finding card, where there is something to find."""
    if results.model is None or results.explanation is None:
        return None
    evidence = results.theory.evidence if results.theory is not None else ()
    return report.card(results.model, results.explanation, title=title, images=images, theory=evidence)


def _write_card(card: "report.Card", folder: Path) -> None:
    with io.new_file(folder / "card.html") as place:
        place.write_text(card.html, encoding="utf-8")
    with io.new_file(folder / "card.pdf") as place:
        place.write_bytes(card.pdf)


def _write_tables(results: Results, folder: Path) -> None:
    if results.paired is not None:
        io.write_paired_csv(results.paired, folder / "paired.csv")
    if results.model is not None:
        io.write_scores_csv({(): results.model}, folder / "scores.csv")
    if results.explanation is not None:
        io.write_ranking_csv(results.explanation, folder / "ranking.csv")
        io.write_pdp_csv(results.explanation, folder / "pdp.csv")
        io.write_slopes_csv(results.explanation, folder / "slopes.csv")


@contextmanager
def _writable(folder: Path, homes: Sequence[str] = ()) -> Iterator[None]:
    """Make sure of the output folder, and those in it, before any computing; take it away again where nothing came to lie in it."""
    for home in ("", *homes):
        drawn = [place for place in folder.glob(f"{home or '.'}/figures/*") if place.suffix in (".png", ".svg")]
        io.require_room(folder / home, [*PRODUCTS, *(f"figures/{place.name}" for place in drawn)], ["figures"])
    io.require_room(folder, [], homes)
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"The output folder '{folder}' cannot be written ({error.strerror}); choose another one.") from error
    try:
        yield
    finally:
        with suppress(OSError):  # not empty: something was delivered
            for place in missing:
                place.rmdir()


@contextmanager
def _noting_warnings() -> Iterator[list[str]]:
    """Collect what the user is told about the data, for the report, and still tell it."""
    told: list[str] = []
    with warnings.catch_warnings():
        show = warnings.showwarning

        def note(
            message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
        ) -> None:
            if issubclass(category, DataWarning):
                told.append(str(message))
            show(message, category, filename, lineno, file, line)

        warnings.showwarning = note
        yield told
