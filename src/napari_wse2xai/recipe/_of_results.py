"""The recipe of results that a mouse made: what their histories tell, as a run without a window takes it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from napari_wse2xai.data import PeakMaps, Record, Results, SpectralMap
from napari_wse2xai.data.history import SAID, History
from napari_wse2xai.errors import DataError
from napari_wse2xai.recipe._model import LATE, STEPS, Recipe, Section
from napari_wse2xai.recipe._write import to_yaml
from napari_wse2xai.stages import BY_NAME, Settings, as_kept

NAMES = {stage.__name__: step for step, stage in STEPS.items()}
"""Name of each stage of a map in a recipe, by that in a history."""
ORDER = list(NAMES)


def recipe_of(results: Results) -> str:
    """YAML that makes results again from their files; comments at its top say what it cannot tell.

    Raises
    ------
    DataError
        A map that was not read from a file.
    """
    remarks: list[str] = []
    sections: dict[str, Any] = {}
    for modality in dict.fromkeys((*results.maps, *results.peaks)):
        part = results.peaks.get(modality) or results.maps[modality]
        sections[modality] = _section(part)
        remarks += [f"{modality}: {remark}" for remark in _remarks(part.history)]
    late = dict(_late(results))
    recipe = Recipe(**sections, **late, stop_after=_last(results, late))
    if results.model is not None and len(results.model.samples.names) > 1:
        flakes = ", ".join(results.model.samples.names)
        remarks.append(f"train: the network was trained on {flakes} together; this recipe trains it on one.")
    return "".join(f"# {remark}\n" for remark in remarks) + to_yaml(recipe)


def _section(part: SpectralMap | PeakMaps) -> Section:
    """One map: where it was read, what was said of it, and the last run of each stage."""
    read = _read_record(part)
    told = {key: read.settings[key] for key in ("item", *SAID) if read.settings.get(key)}
    said = next((record.settings for record in reversed(part.history) if record.step == "load"), {})
    told |= {"laser_nm": said["laser_nm"]} if "laser_nm" in said else {}
    stages: dict[str, Any] = dict.fromkeys(STEPS)
    stages |= {NAMES[record.step]: as_kept(STEPS[NAMES[record.step]], record) for record in part.history if record.step in NAMES}
    return Section(file=Path(read.settings.get("folder", "")) / str(read.settings["file"]), **told, **stages)


def _read_record(part: SpectralMap | PeakMaps) -> Record:
    found = next((record for record in part.history if record.step == "read" and "file" in record.settings), None)
    if found is None:
        raise DataError(f"'{part.name}' was not read from a file, so no recipe can make it again; save the map as NetCDF and open that.")
    return found


def _remarks(history: History) -> Iterator[str]:
    """What a recipe, which runs each stage once and in one order, cannot tell of what was done."""
    done = [record.step for record in history if record.step in NAMES]
    twice = [step for step in ORDER if done.count(step) > 1]
    if twice:
        yield f"{_named(twice)} ran more than once; the last settings stand here."
    if (usual := sorted(done, key=ORDER.index)) != done:
        yield f"the steps ran in the order {_named(done)}; a recipe runs {_named(dict.fromkeys(usual))}."
    if any(record.step == "flake edited by hand" for record in history):
        yield "the flake was edited by hand, which a recipe cannot tell."


def _named(steps: Iterable[str]) -> str:
    return ", ".join(NAMES[step] for step in steps)


def _late(results: Results) -> Iterator[tuple[str, Settings]]:
    """Settings of the stages behind deconvolution."""
    explanation = results.explanation
    recovery = None if explanation is None else explanation.recovery
    for artefact in (results.paired, results.model, explanation, recovery, results.theory):
        if artefact is not None and artefact.history and artefact.history[-1].step in BY_NAME:
            step = BY_NAME[artefact.history[-1].step]
            yield step.key, as_kept(step, artefact.history[-1])


def _last(results: Results, late: dict[str, Settings]) -> str | None:
    """Step to stop after; None where the recipe's own last section says it."""
    if any(name in late for name in LATE):
        return next(name for name in reversed(LATE) if name in late)
    steps = [NAMES[record.step] for peaks in results.peaks.values() for record in peaks.history if record.step in NAMES]
    return max(steps, key=list(STEPS).index) if results.peaks else None
