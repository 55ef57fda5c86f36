"""A run again, from the record that its results are: the same files to the byte, the same settings, or others where they are given."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_wse2xai import io, recipe
from napari_wse2xai._version import __version__
from napari_wse2xai.batch._delivery import Story
from napari_wse2xai.batch._folders import RESULTS
from napari_wse2xai.batch._whole import run_one
from napari_wse2xai.data import PeakMaps, Record, Results, SpectralMap
from napari_wse2xai.errors import DataError, DataWarning, UserError
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.recipe import Recipe
from napari_wse2xai.session.sources import file_of


def rerun(
    results_path: str | Path,
    output: str | Path | None = None,
    progress: Progress = silent,
    *,
    settings: Iterable[str] = (),
    figures: bool = True,
) -> Results:
    """Do again what made a file of results; with the same settings it gives the same arrays, to the bit.

    Parameters
    ----------
    results_path : ``results.nc`` of a run, or of a window
    output : folder; ``rerun`` beside the file where none is given
    settings : what is to differ, as ``KEY=VALUE`` (``deconvolve.detection=8``)

    Raises
    ------
    UserError
        A file is missing or another one now (its SHA-256 differs), or the results cannot tell what made them.
    """
    place = Path(results_path).expanduser()
    folder = place.parent / "rerun" if output is None else Path(output).expanduser()
    if (folder / RESULTS).resolve() == place.resolve():
        raise UserError(f"The new results would take the place of '{place}' that they are made from; choose another output folder.")
    kept = io.read_results(place)
    wanted = _located(_recipe_of(kept, place, settings), kept, place)
    _tell_of_version(kept)
    return run_one(wanted, folder, Story(folder.name, figures=figures and wanted.figures), progress)


def _recipe_of(kept: Results, place: Path, settings: Iterable[str]) -> Recipe:
    """Recipe of results, with what is to differ."""
    if kept.model is not None and not kept.maps and not kept.peaks:
        flakes = ", ".join(kept.model.samples.names)
        raise DataError(f"'{place}' is of a network that has learnt from {flakes} together; run their series again, which makes it anew.")
    text = kept.recipe or recipe.recipe_of(kept)
    for line in text.splitlines():
        if line.startswith("# ") and not line.startswith("# yaml-language-server"):
            warnings.warn(f"The record does not tell all: {line[2:]}", DataWarning, stacklevel=3)
    return recipe.parse_with(text, settings, source=str(place), folder=place.parent)


def _located(wanted: Recipe, kept: Results, place: Path) -> Recipe:
    """Recipe with its files where they are now: where they were, or beside the results; each the one that was read."""
    found: dict[str, Any] = {}
    for name, section in wanted.sections().items():
        assert section.file is not None  # the recipe's reading sees to it
        file = file_of(_read_record(kept, name), name, place.parent, place.parent.parent, first=section.file)
        found[name] = section.model_copy(update={"file": file})
    return wanted.model_copy(update=found)


def _read_record(kept: Results, name: str) -> Record:
    part = kept.maps.get(name) or kept.peaks.get(name)
    first = part.history[0] if part is not None and part.history else None
    if first is None or first.step != "read" or not first.settings.get("sha256"):
        raise DataError(f"{name}: the results do not say which file they were made from, so it cannot be known to be the same.")
    return first


def _tell_of_version(kept: Results) -> None:
    """Say where another version made the results."""
    parts: list[SpectralMap | PeakMaps] = [*kept.maps.values(), *kept.peaks.values()]
    others = {record.version for part in parts for record in part.history if record.version not in ("", __version__)}
    if others:
        text = (
            f"The results were made by version {', '.join(sorted(others))}, this is {__version__}: numbers may differ in their last digits."
        )
        warnings.warn(text, DataWarning, stacklevel=3)
