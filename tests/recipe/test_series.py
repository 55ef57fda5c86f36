"""Recipes of several flakes: what each gets, and one sentence for every mistake."""

import pytest

from napari_wse2xai import recipe
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.stages import Explain, Simulate, Train
from napari_wse2xai.stages.pair import StageCoordinates

ONE = "{raman: {file: map.txt}, pl: {file: map.txt}}"


@pytest.fixture
def load(tmp_path):
    """Load a series given as text, beside an (unread) map file."""
    (tmp_path / "map.txt").touch()

    def load(text):
        path = tmp_path / "series.yaml"
        path.write_text(text, encoding="utf-8")
        assert recipe.is_series(path)
        return recipe.load_series(path)

    return load


def test_flakes_share_the_settings_at_the_top_and_keep_their_own(load):
    series = load(
        "raman: {find_flake: {k: 9}}\npair: {method: {kind: stage coordinates}}\nflakes:\n"
        "  - {name: a, condition: 532, raman: {file: map.txt}, pl: {file: map.txt}}\n"
        '  - {condition: "off", preset: wse2-633, raman: {file: map.txt, find_flake: {k: 4}}, pl: {file: map.txt}}\n'
    )
    first, second = series.members
    assert (first.recipe.raman.find_flake.k, second.recipe.raman.find_flake.k) == (9, 4)
    assert second.recipe.raman.deconvolve == recipe.preset("wse2-633").raman.deconvolve
    assert first.recipe.pairing.method == second.recipe.pairing.method == StageCoordinates()
    assert first.recipe.training is None
    assert ([m.name for m in series.members], series.conditions) == (["a", "flake 2"], ("532", "off"))
    assert series.under("off") == (second,)


def test_every_architecture_is_trained_with_the_same_settings(load):
    series = load(f"flakes: [{ONE}]\narchitectures: [convolution, residual]\ntrain: {{seed: 3, recipe: {{epochs: 5}}}}")
    assert [train.architecture for train in series.trainings] == ["convolution", "residual"]
    assert {(train.seed, train.recipe.epochs) for train in series.trainings} == {(3, 5)}
    assert (series.explain, series.simulate) == (Explain(), None)
    assert load(f"flakes: [{ONE}]\nsimulate: {{seed: 2}}").simulate == Simulate(seed=2)
    assert series.conditions == ("all",)


def test_what_is_not_named_is_the_usual(load):
    series = load(f"flakes: [{ONE}]\nstop_after: train")
    assert (series.trainings, series.explain) == ((Train(),), None)
    assert load(f"flakes: [{ONE}]\ntrain: {{architecture: residual}}\nexplain: false").trainings[0].architecture == "residual"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("flakes: []", ["flakes", "at least 1"]),
        ("flakes: 3", ["flakes", "3"]),
        (f"flakes: [{ONE}]\narchitecture: residual", ["architecture", "did you mean 'architectures'?"]),
        (f"flakes: [{ONE}]\narchitectures: [transformer]", ["'transformer'", "'residual'"]),
        (f"flakes: [{ONE}]\nraman: {{file: map.txt}}", ["raman.file", "under flakes"]),
        ("flakes: [{raman: {file: map.txt}}]", ["flakes[0].pl", "missing"]),
        ("flakes: [{raman: {file: map.txt}, pl: {file: gone.txt}}]", ["flakes[0]", "gone.txt", "does not exist"]),
        ("flakes: [{raman: {file: map.txt, peeks: 3}, pl: {file: map.txt}}]", ["flakes[0]", "raman.peeks", "'peaks'"]),
        ("flakes: [{raman: {file: map.txt}, pl: {file: map.txt}, conditon: x}]", ["flakes[0].conditon", "'condition'"]),
        ("flakes: [{name: a, " + ONE[1:] + ", {name: a, " + ONE[1:] + "]", ["two flakes", "'a'", "apart"]),
        ("flakes: [{condition: off, " + ONE[1:] + "]", ["flakes[0].condition", "in quotes"]),
        (f"flakes: [{ONE}]\ntrain: {{target: hight}}", ["train.target", "'hight'"]),
        (f"flakes: [{ONE}]\nstop_after: pair", ["stop_after", "'train', 'explain' or 'simulate'"]),
    ],
)
def test_a_mistake_is_told_in_one_sentence_with_its_place(load, text, parts):
    with pytest.raises(SettingsError) as caught:
        load(text)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == []
    assert message.startswith("series.yaml")
    assert "\n" not in message


def test_a_recipe_of_several_is_not_read_as_one(load, tmp_path):
    load(f"flakes: [{ONE}]")
    with pytest.raises(SettingsError, match="several flakes where one is wanted"):
        recipe.load(tmp_path / "series.yaml")
    (tmp_path / "one.yaml").write_text("raman: {file: map.txt}", encoding="utf-8")
    assert not recipe.is_series(tmp_path / "one.yaml")
