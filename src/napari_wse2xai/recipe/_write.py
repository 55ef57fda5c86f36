"""A recipe as YAML again, with everything that it left to the preset filled in."""

from pathlib import Path
from typing import Any

import yaml

from napari_wse2xai.recipe._model import MODALITIES, STEPS, Recipe, Section


def to_yaml(recipe: Recipe) -> str:
    """Write a recipe that `load` reads back as the same, wherever it then lies: its files are named by their full path."""
    data = recipe.model_dump(mode="json", exclude=set(MODALITIES), exclude_none=True)
    for name, section in recipe.sections().items():
        data[name] = _section(section)
    if recipe.train is not None and recipe.explain is None and recipe.simulate is None:
        data["explain"] = False  # where it is not named, training goes on to it
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


def _section(section: Section) -> dict[str, Any]:
    data = section.model_dump(mode="json", exclude=set(STEPS), exclude_none=True)
    if section.file is not None:
        data["file"] = str(Path(section.file).absolute())
    for step in STEPS:
        stage = getattr(section, step)
        data[step] = False if stage is None else stage.model_dump(mode="json")
    return data
