"""What a recipe may hold, as JSON schema (draft 2020-12): editors complete keys by it and underline what is wrong."""

from importlib.resources import files
from typing import Any

from napari_wse2xai.recipe._model import AFTER, MODALITIES, STEPS, Recipe
from napari_wse2xai.recipe._read import FIT_KEYS
from napari_wse2xai.recipe._series_keys import SeriesKeys
from napari_wse2xai.stages import Separate

SHIPPED = "recipe.schema.json"
"""File of this package that holds it."""
_LEFT_OUT: list[dict[str, Any]] = [{"const": False}, {"type": "null"}]
_ONE_OR_SEVERAL = ("target", "features", "architectures", "calculations")


def schema_line() -> str:
    """First line of a recipe by which editors find the schema."""
    return f"# yaml-language-server: $schema={files('napari_wse2xai') / SHIPPED}\n"


def recipe_schema() -> dict[str, Any]:
    """Build the schema from the classes that recipes are read with, as loose as their reading is."""
    made, several = Recipe.model_json_schema(), SeriesKeys.model_json_schema()
    models = {**several["$defs"], **made["$defs"], "Separate": Separate.model_json_schema()}
    models["Spectrum"] = {"type": "string", "description": "Path of a text file."}
    section = models["Section"]["properties"]
    fit = models["Deconvolve"]["properties"]
    fit["peaks"] = {**fit["peaks"], "type": ["array", "string"]}
    section |= {key: fit[key] for key in FIT_KEYS} | {"separate": {"$ref": "#/$defs/Separate"}}
    top = made["properties"] | {key: several["properties"][key] for key in ("flakes", "over", "architectures", "learn")}
    top["flakes"] = {"description": top["flakes"]["description"], "anyOf": [top["flakes"], {"$ref": "#/$defs/Flake"}]}
    top["over"] = {"description": top["over"]["description"], "anyOf": [top["over"], {"type": "string"}]}
    for properties, keys in ((section, STEPS), (top, [step.key for step in AFTER])):
        for key in keys:
            properties[key] = {"anyOf": [_reference(properties[key]), *_LEFT_OUT]}
    flake = models["Flake"]["properties"]
    flake |= {name: {"anyOf": [{"$ref": "#/$defs/Section"}, {"type": "string"}]} for name in MODALITIES}
    flake |= {name: {"type": ["string", "number"], "description": flake[name]["description"]} for name in ("name", "condition")}
    whole = {"title": "Recipe of napari-wse2xai", "type": "object", "additionalProperties": False, "properties": top}
    loose: dict[str, Any] = _loosened({**whole, "$defs": models})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **loose}


def _reference(of_field: dict[str, Any]) -> dict[str, Any]:
    """The settings among what a field may be."""
    return next((each for each in of_field.get("anyOf", [of_field]) if "$ref" in each), of_field)


def _loosened(node: object) -> Any:
    """A schema without what a preset may fill in; descriptions by their first line."""
    if isinstance(node, list):
        return [_loosened(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _loosened(value) for key, value in node.items() if key not in ("required", "default", "discriminator", "title")}
    if "oneOf" in kept:
        kept["anyOf"] = kept.pop("oneOf")  # the usual kind may be left out, and then several fit
    if isinstance(kept.get("description"), str):
        kept["description"] = kept["description"].splitlines()[0]
    properties = kept.get("properties")
    for name in _ONE_OR_SEVERAL if isinstance(properties, dict) else ():
        if isinstance(properties, dict) and name in properties:
            properties[name] = {"anyOf": [properties[name], {"type": "string"}]}
    return kept
