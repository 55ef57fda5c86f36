"""The chain of stages as a YAML file: read, check, run, and rebuild from a result's history."""

from napari_wse2xai.recipe._chain import Chain, Outcome, from_history
from napari_wse2xai.recipe._checks import check, conversion_for, with_laser
from napari_wse2xai.recipe._explained import explained
from napari_wse2xai.recipe._hints import hint
from napari_wse2xai.recipe._model import MODALITIES, Recipe, Section
from napari_wse2xai.recipe._of_results import recipe_of
from napari_wse2xai.recipe._patterns import pattern_like
from napari_wse2xai.recipe._peak_file import read_peaks, write_peaks
from napari_wse2xai.recipe._read import load, parse_with, preset, preset_names
from napari_wse2xai.recipe._rival_presets import better_presets, proposals
from napari_wse2xai.recipe._schema import recipe_schema, schema_line
from napari_wse2xai.recipe._series import Member, Series, is_series, load_series, parse_series
from napari_wse2xai.recipe._series_keys import Over
from napari_wse2xai.recipe._write import series_yaml, to_yaml

__all__ = [
    "MODALITIES",
    "Chain",
    "Member",
    "Outcome",
    "Over",
    "Recipe",
    "Section",
    "Series",
    "better_presets",
    "check",
    "conversion_for",
    "explained",
    "from_history",
    "hint",
    "is_series",
    "load",
    "load_series",
    "parse_series",
    "parse_with",
    "pattern_like",
    "preset",
    "preset_names",
    "proposals",
    "read_peaks",
    "recipe_of",
    "recipe_schema",
    "schema_line",
    "series_yaml",
    "to_yaml",
    "with_laser",
    "write_peaks",
]
