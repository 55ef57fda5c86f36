"""Recipes and presets from YAML."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.ordinary import require_ordinary, shown
from napari_wse2xai.recipe._messages import nearest, sentence
from napari_wse2xai.recipe._model import LATE, MODALITIES, STEPS, Recipe, running
from napari_wse2xai.recipe._peak_file import read_peaks
from napari_wse2xai.recipe._set import with_settings
from napari_wse2xai.recipe._yaml import mapping_of, mapping_of_ours, text_of
from napari_wse2xai.stages import CompareTheory, Separate, Settings

DEFAULT_PRESET = "wse2-532"
FIT_KEYS = ("peaks", "computed")
"""Settings of the deconvolution that may stand in the section itself."""
MATERIALS = get_args(CompareTheory.model_fields["material"].annotation)
_PRESETS = files("napari_wse2xai") / "presets"


def load(path: str | Path) -> Recipe:
    """Read a recipe; files that it names are looked for beside it."""
    place = Path(path)
    return parse(text_of(place), source=place.name, folder=place.parent)


def preset(name: str = DEFAULT_PRESET) -> Recipe:
    """Settings of a preset, for both modalities; they name no files, and ask for no stage beyond deconvolution."""
    data = _preset_data(name, name)
    late = {key: _late_section(stage, data[key], {}) for key, stage in LATE.items() if key in data}
    return _validated(data | late | ({"stop_after": "deconvolve"} if late else {}), f"preset {name}", {})


def preset_names() -> list[str]:
    """Names of the presets that come with the package: the default first, its material next, a paper's procedure last."""
    names = [entry.name.removesuffix(".yaml") for entry in _PRESETS.iterdir() if entry.name.endswith(".yaml")]
    return sorted(names, key=_place)


def parse(text: str, *, source: str, folder: Path) -> Recipe:
    """Read a recipe from text.

    Parameters
    ----------
    text : YAML
    source : name of the recipe in messages
    folder : where the files lie that it names
    """
    return parse_mapping(mapping_of(text, source), source=source, folder=folder)


def parse_with(text: str, settings: Iterable[str], *, source: str, folder: Path) -> Recipe:
    """Read a recipe from text with some settings changed (``deconvolve.detection=8``); its files need not be there."""
    return parse_mapping(with_settings(mapping_of(text, source), settings), source=source, folder=folder, there=False)


def parse_mapping(given: Mapping[str, Any], *, source: str, folder: Path, there: bool = True) -> Recipe:
    """Read a recipe from what its YAML holds; see `parse`.

    Parameters
    ----------
    there : whether the maps' files must be there
    """
    if "flakes" in given:
        raise SettingsError(f"{source} names several flakes where one is wanted; run it as a whole, or give raman and pl of one flake.")
    base = _preset_data(given.get("preset", DEFAULT_PRESET), source)
    merged: dict[str, Any] = {**given, "preset": base["preset"]}
    peaks_at = {}
    for name in MODALITIES:
        if isinstance(given.get(name), Mapping):
            section, peaks_at[name] = _normal(given[name], f"{source}: {name}")
            section = _with_peaks_of_file(section, folder)
            whole = merge(_without_what_peaks_decide(base.get(name, {}), section), section)
            merged[name] = _located(_of_usual_kind(whole), folder)
    merged |= _late_sections(given, base, source) | _theory_section(given, base["preset"], folder)
    recipe = _validated(merged, source, peaks_at)
    _require_files(recipe, source, there)
    return recipe


def merge(base: Mapping[str, object], given: Mapping[str, object]) -> dict[str, Any]:
    """Lay given values over the preset's: mappings key by key, everything else whole, and a method of another kind whole."""
    merged = dict(base)
    for key, value in given.items():
        below = base.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping) and value.get("kind", below.get("kind")) == below.get("kind"):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def _place(name: str) -> tuple[bool, bool, bool, str]:
    material = DEFAULT_PRESET.partition("-")[0]
    return name != DEFAULT_PRESET, name.partition("-")[0] != material, name.startswith("paper"), name


def _normal(section: Mapping[str, object], place: str) -> tuple[dict[str, Any], str]:
    """Write peaks and computed maps where they belong, a stage left empty as no settings, and ``false`` as a stage left out."""
    normal = dict(section)
    for step in STEPS:
        if step in normal:
            value = normal[step]
            normal[step] = {} if value is None else None if value is False else value
    moved = [key for key in FIT_KEYS if key in normal]
    for key in moved:
        fit = normal.get("deconvolve", {})
        if not isinstance(fit, Mapping) or key in fit:
            raise SettingsError(f"{place}.{key} stands beside a 'deconvolve' that leaves it no room; give the {key} once.")
        normal["deconvolve"] = {**fit, key: normal.pop(key)}
    if "separate" in normal:
        normal["deconvolve"] = _with_causes(normal.get("deconvolve", {}), normal.pop("separate"), place)
    fit = normal.get("deconvolve")
    return normal, "deconvolve.peaks" if "peaks" not in moved and isinstance(fit, Mapping) and "peaks" in fit else "peaks"


def _with_causes(fit: object, separate: object, place: str) -> dict[str, Any]:
    """Add the maps of strain, charge and temperature to the computed ones."""
    if not isinstance(fit, Mapping):
        raise SettingsError(f"{place}.separate stands beside a deconvolution that is left out; give its settings, or leave out separate.")
    try:
        wanted = Separate.model_validate(separate).maps()
    except ValidationError as error:
        raise SettingsError(sentence(error, Separate, f"{place}.separate")) from None
    if not wanted:
        raise SettingsError(f"{place}.separate names no lines; give as many as there are causes, such as E' and A1' for strain and charge.")
    return {**fit, "computed": [*fit.get("computed", ()), *(each.model_dump(mode="json") for each in wanted)]}


def _with_peaks_of_file(section: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Put the peaks of a file that the recipe names in their place."""
    fit = section.get("deconvolve")
    if not isinstance(fit, Mapping) or not isinstance(fit.get("peaks"), str):
        return section
    peaks = read_peaks(folder / fit["peaks"])
    return {**section, "deconvolve": {**fit, "peaks": [peak.model_dump(mode="json") for peak in peaks]}}


def _without_what_peaks_decide(base: Mapping[str, object], section: Mapping[str, object]) -> dict[str, Any]:
    """Drop from the preset what holds for its own peaks only, where the recipe brings others."""
    kept, _ = _normal(base, "preset")
    fit = section.get("deconvolve")
    if not isinstance(fit, Mapping) or "peaks" not in fit:
        return kept
    kept.pop("despike", None)  # thresholds of areas; the default is in units of the data's noise
    kept["find_flake"] = {key: value for key, value in (kept.get("find_flake") or {}).items() if key != "window"}
    baseline = dict(kept.get("baseline") or {})
    baseline["method"] = {key: value for key, value in baseline.get("method", {}).items() if key not in ("areas", "margin")}
    kept["baseline"] = baseline if baseline["method"] else {}
    return kept


def _of_usual_kind(section: dict[str, Any]) -> dict[str, Any]:
    """Name the default kind where settings of a method are given without one."""
    named = dict(section)
    for step, stage in STEPS.items():
        values = section.get(step)
        if isinstance(values, Mapping):
            named[step] = {name: _with_kind(value, stage.model_fields.get(name)) for name, value in values.items()}
    return named


def _late_sections(given: Mapping[str, Any], base: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Sections of the stages that need both maps: the preset's values under the recipe's, for those that the recipe asks for.

    A recipe that trains goes on to explain, unless it says ``explain: false`` or stops before; it simulates only where it says so.
    """
    order, last = list(LATE), _last(given)
    needed = running([name for name in order if given.get(name, False) is not False], last)
    sections: dict[str, Any] = {}
    for index, name in enumerate(order):
        is_needed = name in needed
        if given.get(name) is False and is_needed:
            asker = next((other for other in order[index + 1 :] if given.get(other, False) is not False), last)
            raise SettingsError(f"{source}: {name} is false, but {asker} cannot do without it; remove '{name}: false', or {asker}.")
        if name in given or is_needed:
            sections[name] = _late_section(LATE[name], given.get(name), base.get(name, {}))
    return sections


def _last(given: Mapping[str, object]) -> str | None:
    """Last of the stages that need both maps that a recipe asks for."""
    if given.get("stop_after") is not None:
        return next((name for name in LATE if name == given["stop_after"]), None)
    named = [name for name in LATE if given.get(name, False) is not False]
    last = next(reversed(named), None)
    return "explain" if last == "train" and "explain" not in given else last


def _theory_section(given: Mapping[str, object], preset: str, folder: Path) -> dict[str, Any]:
    """Read an empty section as the usual settings and ``false`` as none; the material is the preset's where none is given."""
    values = given.get("theory", False)
    if values is False:
        return {"theory": None}
    if values is not None and not isinstance(values, Mapping):
        return {"theory": values}
    section = {"material": _material_of(preset), **(values or {})}
    files = section.get("calculations")
    if isinstance(files, str | list):
        every = [files] if isinstance(files, str) else files
        section["calculations"] = [str(folder / file) if isinstance(file, str) else file for file in every]
    return {"theory": section}


def _material_of(preset: str) -> str:
    word = preset.partition("-")[0]
    return next((name for name in MATERIALS if name.lower() == word), word if word == "graphene" else MATERIALS[0])


def _late_section(stage: type[Settings], values: object, base: Mapping[str, object]) -> Any:
    """Read an empty section as the preset's and ``false`` as left out, and name the default kind where a method has none."""
    if values is False:
        return None
    if values is not None and not isinstance(values, Mapping):
        return values
    merged = merge(base, values or {})
    return {name: _with_kind(value, stage.model_fields.get(name)) for name, value in merged.items()}


def _with_kind(value: object, field: FieldInfo | None) -> Any:
    kind = getattr(field.default, "kind", None) if field is not None else None
    return {"kind": kind, **value} if kind is not None and isinstance(value, Mapping) else value


def _located(section: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Name files by their full path: the map's, and those of the spectra to correct it with."""
    spectra = ("dark", "response", "response_dark", "lamp")
    located = {**section, "correct_response": _beside(section.get("correct_response"), spectra, folder)}
    located["deconvolve"] = _beside(section.get("deconvolve"), ("substrate_file",), folder)
    return {key: value for key, value in _beside(located, ("file",), folder).items() if key in section}


def _beside(values: object, names: tuple[str, ...], folder: Path) -> Any:
    if not isinstance(values, Mapping):
        return values
    return {key: str(folder / value) if key in names and isinstance(value, str) else value for key, value in values.items()}


def _preset_data(name: object, source: str) -> dict[str, Any]:
    if name not in preset_names():
        close = nearest(str(name), preset_names())
        hint = f"did you mean '{close}'?" if close else f"known are {', '.join(preset_names())}."
        raise SettingsError(f"{source}: the preset '{shown(str(name))}' is not known; {hint}")
    return deepcopy(_shipped(name))


@cache
def _shipped(name: str) -> dict[str, Any]:
    """What a preset's file holds, read once: a window asks for it once per panel, and a check of the material for all there are."""
    data = mapping_of_ours((_PRESETS / f"{name}.yaml").read_text(encoding="utf-8"))
    for modality in MODALITIES:
        if modality in data:
            data[modality], _ = _normal(data[modality], f"preset {name}: {modality}")
    return {**data, "preset": name}


def _validated(data: Mapping[str, object], source: str, peaks_at: Mapping[str, str]) -> Recipe:
    try:
        recipe = Recipe.model_validate(dict(data))
    except ValidationError as error:
        modality = str(next(iter(error.errors()[0]["loc"]), ""))
        raise SettingsError(sentence(error, Recipe, source, peaks_at=peaks_at.get(modality, "peaks"))) from error
    return recipe.model_copy(update={name: section.following_peaks() for name, section in recipe.sections().items()})


def _require_files(recipe: Recipe, source: str, there: bool) -> None:
    sections = recipe.sections()
    if not sections:
        raise SettingsError(f"{source} names no map; add a section 'raman' or 'pl' with a 'file'.")
    for name, section in sections.items():
        if section.file is None:
            raise SettingsError(f"{source}: '{name}.file' is missing; name the file that holds the map.")
        if there and require_ordinary(section.file, SettingsError) is None:  # a map may be a folder, as in Zarr
            raise SettingsError(f"{source}: {name}.file names {shown(section.file)}, which does not exist; correct the path.")
