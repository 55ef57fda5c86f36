"""The schema that editors complete recipes by takes what a recipe takes, and the explanation names every setting."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from napari_wse2xai import cli, io, recipe
from napari_wse2xai.data import AxisKind, Results, SpectralMap
from napari_wse2xai.stages import TABLE, Deconvolve, FindFlake, Peak

ROOT = Path(__file__).parents[2]
SHIPPED = json.loads((files("napari_wse2xai") / "recipe.schema.json").read_text(encoding="utf-8"))


def test_the_shipped_schema_is_that_of_the_classes():
    assert recipe.recipe_schema() == SHIPPED, "run python docs/make_schema.py"
    jsonschema.Draft202012Validator.check_schema(SHIPPED)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_examples_are_valid(path):
    jsonschema.validate(yaml.safe_load(path.read_text(encoding="utf-8")), SHIPPED)


@pytest.mark.parametrize("name", recipe.preset_names())
def test_presets_are_valid_as_they_are_written(name):
    jsonschema.validate(yaml.safe_load(recipe.to_yaml(recipe.preset(name))), SHIPPED)


@pytest.mark.parametrize(
    "text",
    [
        "raman: {file: a.nc, peaks: [{name: A, position: 250, fwhm: 4, window: [240, 260]}], despike: false}",
        "raman: {file: a.nc, baseline: {method: {kind: snip}}}",
        "flakes: {files: {raman: '*.nc'}}\nover: power (mW)\nstop_after: deconvolve",
        "flakes: [{name: 3, condition: 532, raman: {file: a.nc}, pl: {file: b.nc}}]\ntrain: {target: height}\nexplain: false",
        "raman: {file: a.nc}\ntheory: {}",
    ],
)
def test_short_forms_are_valid(text):
    jsonschema.validate(yaml.safe_load(text), SHIPPED)


@pytest.mark.parametrize(
    "text", ["ramn: {file: a.nc}", "raman: {file: a.nc, find_flake: {kk: 1}}", "raman: {file: a.nc, find_flake: {k: high}}"]
)
def test_mistakes_are_not(text):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), SHIPPED)


def test_a_saved_recipe_names_the_schema_in_its_first_line(tmp_path):
    import numpy as np

    counts = np.random.default_rng(0).normal(100, 1, size=(3, 4, 40)).astype(np.float32)
    io.write_map(SpectralMap.from_arrays(counts, np.linspace(200, 300, 40), AxisKind.RAMAN_SHIFT), tmp_path / "a.nc")
    peaks = Deconvolve(peaks=(Peak(name="A", position=250, fwhm=5, window=(230, 270)),), pixels="everywhere")(io.read(tmp_path / "a.nc"))
    first, *rest = (recipe.schema_line() + recipe.recipe_of(Results({}, {"raman": peaks}))).splitlines()
    assert Path(first.removeprefix("# yaml-language-server: $schema=")).is_file()
    jsonschema.validate(yaml.safe_load("\n".join(rest)), SHIPPED)


def test_every_setting_is_explained(capsys):
    assert cli.main(["recipe", "--explain"]) == 0
    text = capsys.readouterr().out
    for step in TABLE:
        assert f"\n{step.key}:  {step.what()}" in text
        for name, field in step.model_fields.items():
            assert f"    {name}: " in text
            assert field.description in text
    assert cli.main(["recipe", "--explain", "find_flake"]) == 0
    text = capsys.readouterr().out
    assert f"k: {FindFlake().k}" in text
    assert "deconvolve" not in text
    assert cli.main(["recipe", "--explain", "despik"]) == 2
    assert "did you mean despike" in capsys.readouterr().err


def test_a_preset_is_printed_as_a_recipe(capsys):
    assert cli.main(["recipe", "--preset", "wse2-532"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["preset"] == "wse2-532"
