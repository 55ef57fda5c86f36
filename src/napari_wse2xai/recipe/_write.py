"""A recipe as YAML again, with everything that it left to the preset filled in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from napari_wse2xai.recipe._model import LATE, MODALITIES, STEPS, Recipe, Section
from napari_wse2xai.stages import Deconvolve, Review


def to_yaml(recipe: Recipe) -> str:
    """Write a recipe that `load` reads back as the same, wherever it then lies: its files are named by their full path."""
    return _text(_mapping(recipe))


def series_yaml(recipe: Recipe, patterns: Mapping[str, str]) -> str:
    """Write a recipe of many flakes, each done as one of one flake says; what was done by hand there is of that flake alone.

    Parameters
    ----------
    patterns : of the flakes' files by modality; with one modality, steps that need both are left out
    """
    data = _mapping(recipe)
    for name in recipe.sections():
        if name in patterns:
            data[name] = {key: value for key, value in data[name].items() if key not in ("file", Review.key)}
        else:
            del data[name]
    if len(patterns) < len(MODALITIES) and recipe.last is not None:
        data = {key: value for key, value in data.items() if key not in LATE} | {"stop_after": Deconvolve.key}
    if recipe.training is None:
        data["train"] = False  # where it is not named, flakes of which both maps are there are learnt together
    return _text(data | {"flakes": {"files": dict(patterns)}})


def _mapping(recipe: Recipe) -> dict[str, Any]:
    data = recipe.model_dump(mode="json", exclude=set(MODALITIES), exclude_none=True)
    for name, section in recipe.sections().items():
        data[name] = _section(section)
    if recipe.train is not None and recipe.explain is None and recipe.simulate is None:
        data["explain"] = False  # where it is not named, training goes on to it
    return data


def _text(data: Mapping[str, object]) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def _section(section: Section) -> dict[str, Any]:
    data = section.model_dump(mode="json", exclude=set(STEPS), exclude_none=True)
    if section.file is not None:
        data["file"] = str(Path(section.file).absolute())
    for step in STEPS:
        stage = getattr(section, step)
        data[step] = False if stage is None else stage.model_dump(mode="json")
    return data
