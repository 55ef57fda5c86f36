"""The key ``theory`` of a recipe: what it takes from the preset, and what it refuses."""

import pytest

from napari_wse2xai import recipe
from napari_wse2xai.errors import SettingsError

RAMAN = "raman: {file: map.txt}\n"


def test_nothing_is_compared_unless_it_is_asked_for(load):
    assert load(RAMAN).theory is None
    assert load(RAMAN + "theory: false\n").theory is None


@pytest.mark.parametrize(
    ("text", "material"),
    [
        ("theory:\n", "WSe2"),
        ("theory: {}\n", "WSe2"),
        ("theory: {fwhm: 4}\npreset: mos2-633\n", "MoS2"),
        ("theory: {material: WS2}\npreset: mos2-532\n", "WS2"),
        ("theory: {}\npreset: paper-2023\n", "WSe2"),
    ],
)
def test_the_material_is_the_presets_where_none_is_given(load, text, material):
    assert load(RAMAN + text).theory.material == material


def test_what_was_read_is_written_again(load, tmp_path):
    first = load(RAMAN + "theory: {share: 0.1, laser_ev: 1.96}\npreset: ws2-633\n")
    assert load(recipe.to_yaml(first)).theory == first.theory
    assert load(recipe.to_yaml(load(RAMAN))).theory is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (RAMAN + "theory: {materal: WSe2}\n", ["theory.materal", "did you mean 'material'?"]),
        (RAMAN + "theory: {material: gold}\n", ["theory.material", "'gold'", "'WSe2'"]),
        (RAMAN + "theory: {}\npreset: graphene-532\n", ["theory.material", "'graphene'"]),
        (RAMAN + "theory: {share: 0.7}\n", ["theory.share", "0.7"]),
        (RAMAN + "theory: 3\n", ["theory", "should hold settings"]),
        (RAMAN + "theory: {}\nstop_after: baseline\n", ["theory needs the peaks of the Raman map"]),
        ("pl: {file: map.txt}\ntheory: {}\n", ["theory needs the peaks of the Raman map"]),
        ("raman: {file: map.txt, deconvolve: false}\ntheory: {}\n", ["theory needs the peaks of the Raman map"]),
    ],
)
def test_a_mistake_is_one_sentence_that_names_its_place(load, text, parts):
    with pytest.raises(SettingsError) as caught:
        load(text)
    assert all(part in str(caught.value) for part in parts), caught.value
    assert "\n" not in str(caught.value)


def test_calculations_are_looked_for_beside_the_recipe(load, tmp_path):
    found = load(RAMAN + "theory: {calculations: [run/a.phonon, /abs/b.phonon]}\n").theory
    assert [str(path) for path in found.calculations] == [str(tmp_path / "run/a.phonon"), "/abs/b.phonon"]
    assert len(load(RAMAN + "theory: {calculations: one.phonon}\n").theory.calculations) == 1


def test_the_flakes_of_a_series_share_it(tmp_path):
    (tmp_path / "map.txt").touch()
    path = tmp_path / "series.yaml"
    flake = "{raman: {file: map.txt}, pl: {file: map.txt}"
    path.write_text(f"theory: {{share: 0.2}}\nflakes:\n- {flake}}}\n- {flake}, name: b, preset: wse2-633}}\n", encoding="utf-8")
    assert [member.recipe.theory.share for member in recipe.load_series(path).members] == [0.2, 0.2]
