"""Whole runs without a window: files or a sample flake in, a folder with results, figures and a report out; of one flake or of hundreds."""

from pathlib import Path

from napari_wse2xai import recipe
from napari_wse2xai.batch._chains import run_chains
from napari_wse2xai.batch._delivery import Story, deliver
from napari_wse2xai.batch._folders import PRODUCTS, REPORT, RESULTS
from napari_wse2xai.batch._jobs import AT_WORK, DONE, FAILED, WAITING, FlakeRow
from napari_wse2xai.batch._rerun import rerun
from napari_wse2xai.batch._series import Batch, look, run_batch
from napari_wse2xai.batch._whole import demo, run_recipe
from napari_wse2xai.data import Results, TrainedModel
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.progress import Progress, silent

__all__ = [
    "AT_WORK",
    "DONE",
    "FAILED",
    "PRODUCTS",
    "REPORT",
    "RESULTS",
    "WAITING",
    "Batch",
    "FlakeRow",
    "Story",
    "deliver",
    "demo",
    "look",
    "rerun",
    "run",
    "run_batch",
    "run_chains",
    "run_recipe",
    "run_series",
]


def run(
    recipe_path: str | Path,
    output: str | Path,
    progress: Progress = silent,
    *,
    figures: bool = True,
    jobs: int | None = 1,
    scheduler: str | None = None,
    anew: bool = False,
) -> Results | Batch:
    """Run a recipe of one flake, which is always done anew, or of several; see `run_recipe` and `run_batch`."""
    if recipe.is_series(recipe_path):
        return run_batch(recipe_path, output, progress, figures=figures, jobs=jobs, scheduler=scheduler, anew=anew)
    if scheduler is not None:
        raise SettingsError("A scheduler shares flakes out, and this recipe is of one; run it without, or name several under 'flakes'.")
    return run_recipe(recipe_path, output, progress, figures=figures)


def run_series(
    recipe_path: str | Path, output: str | Path, progress: Progress = silent, *, figures: bool = True
) -> dict[tuple[str, str], TrainedModel]:
    """Run a recipe of several flakes in this process; gives the networks by architecture and condition.  See `run_batch`."""
    networks = run_batch(recipe_path, output, progress, figures=figures).networks
    return {key: each.model for key, each in networks.items() if each.model is not None}
