"""One flake, from its files or grown as a sample, to a folder with results, figures and report."""

from dataclasses import replace
from pathlib import Path

from napari_wse2xai import recipe, report, synthetic
from napari_wse2xai.batch._chains import READING, REPORTING, effort_of, read_sources, run_chains
from napari_wse2xai.batch._delivery import Story, deliver
from napari_wse2xai.batch._folders import writable
from napari_wse2xai.batch._telling import noting_warnings
from napari_wse2xai.data import Results
from napari_wse2xai.io.calculations import read_named
from napari_wse2xai.learning.null_test import FEWEST_SURROGATES
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.recipe import Recipe
from napari_wse2xai.stages import Explain, Pair, Train, resuming
from napari_wse2xai.stages.pair import StageCoordinates
from napari_wse2xai.stages.train import OneCycle


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
    return run_one(wanted, Path(output).expanduser(), Story(Path(recipe_path).stem, figures=figures and wanted.figures), progress)


def run_one(wanted: Recipe, folder: Path, story: Story, progress: Progress) -> Results:
    """Run a recipe that is loaded."""
    begun, ended = _shares(wanted)
    with writable(folder), noting_warnings() as told, resuming.naming_what_is_kept(folder):
        sources = read_sources(wanted, progress)
        calculated = read_named(wanted.theory)
        found = run_chains(wanted, sources, part(progress, begun, ended), keep_in=folder, calculated=calculated)
        results = replace(found, warnings=tuple(told))
        deliver(results, folder, story, part(progress, ended, 1.0))
        resuming.forget(results.model, folder)
    return results


def _shares(wanted: Recipe) -> tuple[float, float]:
    """Where the stages of a run begin and end, as fractions of the whole."""
    effort = effort_of(wanted)
    whole = READING + effort + REPORTING
    return READING / whole, (READING + effort) / whole


def demo(output: str | Path, progress: Progress = silent, *, shape: str = "triangle", seed: int = 0) -> Results:
    """Run the default preset on a synthetic flake, to the finding card, and write what `run_recipe` writes, with the truth beside it.

    To be done within about a minute on a laptop, the network is not trained on the spatial blocks, where the reference models stand for it.
    """
    folder, wanted = Path(output).expanduser(), _demo_recipe()
    begun, ended = _shares(wanted)
    with writable(folder), noting_warnings() as told:
        progress(0.0, "growing the sample flake")
        flake = synthetic.make_flake(shape, seed=seed)
        found = run_chains(wanted, {"raman": flake.raman, "pl": flake.pl}, part(progress, begun, ended))
        results = replace(found, warnings=tuple(told))
        truths = {"raman": flake.truth.raman, "pl": flake.truth.pl}
        comparisons = {name: report.compare(results.maps[name], results.peaks[name], flake.truth, truth) for name, truth in truths.items()}
        title = f"Sample flake: a synthetic WSe₂ {shape}, seed {seed}"
        deliver(results, folder, Story(title, comparisons), part(progress, ended, 1.0))
    return results


def _demo_recipe() -> Recipe:
    """Preset, and the quick way through pairing, training and explaining."""
    train = Train(recipe=OneCycle(epochs=40), network_on_blocks=False, surrogates=FEWEST_SURROGATES)
    return recipe.preset().model_copy(update={"pair": Pair(method=StageCoordinates()), "train": train, "explain": Explain()})
