"""Recipes from YAML: what they take from the preset, and one sentence for every mistake."""

from pathlib import Path

import pytest

from napari_wse2xai import recipe
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.stages import Explain, Pair, Simulate, Train
from napari_wse2xai.stages.baseline import AsymmetricLeastSquares, PiecewiseLinear
from napari_wse2xai.stages.despike import FirstDifference, Guarded
from napari_wse2xai.stages.pair import AutomaticPlacing, StageCoordinates
from napari_wse2xai.stages.train import OneCycle, PaperRecipe

PEAKS = "peaks: [{name: A, position: 8, fwhm: 1, window: [6, 9]}, {name: B, position: 18, fwhm: 1, window: [8, 19]}]"
TWICE = "peaks: [{name: A, position: 8, fwhm: 1, window: [6, 9]}, {name: A, position: 8, fwhm: 1, window: [6, 9]}]"

BOTH = "raman: {file: map.txt}\npl: {file: map.txt}\n"


def section(load, more=""):
    return load("raman: {file: map.txt" + (f", {more}" if more else "") + "}").raman


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("raman: {file: map.txt, despike: {method: {treshold: 3}}}", ["raman.despike.method.treshold", "did you mean 'threshold'?"]),
        ("raman: {file: map.txt, despike: {treshold: 3}}", ["raman.despike.treshold", "did you mean 'method.threshold'?"]),
        ("raman: {file: map.txt, peeks: []}", ["raman.peeks", "did you mean 'peaks'?"]),
        ("ramen: {file: map.txt}", ["'ramen'", "did you mean 'raman'?"]),
        ("raman: {file: map.txt, zzz: 1}", ["raman.zzz", "known here are file, item"]),
        ("raman: {file: map.txt, peaks: [{name: A, position: 5, fwhm: 1}]}", ["raman.peaks[0].window", "missing"]),
        ("raman: {file: map.txt, deconvolve: {peaks: [{name: A}]}}", ["raman.deconvolve.peaks[0]", "missing", "2 more problems"]),
        (
            "raman: {file: map.txt, peaks: [{name: A, position: 5, fwhm: 1, window: [6, 9]}]}",
            ["raman.peaks[0]", "outside its window 6 to 9"],
        ),
        (
            "raman: {file: map.txt, peaks: [{name: A, position: 5, fwhm: 1000, window: [3, 9]}]}",
            ["raman.peaks[0]", "FWHM of 1000", "10 times its window 3 to 9"],
        ),
        ("raman: {file: map.txt, review: {deeds: [{do: refit, pixels: [0, 0]}]}}", ["review.deeds[0].pixels", "[0, 0]", "should be text"]),
        ("raman: {file: map.txt, " + TWICE + "}", ["raman.deconvolve", "two peaks are called A"]),
        ("raman: {file: map.txt, peaks: [], deconvolve: {peaks: []}}", ["raman.peaks", "give the peaks once"]),
        ("raman: {file: map.txt, find_flake: {k: -1}}", ["raman.find_flake.k", "-1", "greater than 0"]),
        ("raman: {file: map.txt, find_flake: {k: abc}}", ["raman.find_flake.k", "'abc'", "number"]),
        ("raman: {file: map.txt, find_flake: 3}", ["raman.find_flake", "should hold settings"]),
        ("raman: {file: map.txt, baseline: {method: {areas: [[3, 1]]}}}", ["raman.baseline.method.areas[0]", "from low to high"]),
        ("raman: {file: map.txt, despike: {method: {kind: median}}}", ["raman.despike.method", "'median'", "'first difference'"]),
        ("raman: {file: map.txt, unit: 1/cm}", ["raman.unit", "'cm-1'"]),
        ("raman: {file: 3}", ["raman.file", "name of a file"]),
        ("raman: {file: gone.txt}", ["raman.file", "gone.txt", "does not exist"]),
        ("raman: {item: one}", ["raman.file", "missing"]),
        ("raman: 3", ["'raman'", "should hold settings"]),
        ("raman: {file: map.txt, despike: {method: first diference}}", ["despike.method", "did you mean '{kind: first difference}'?"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\npair: {method: 3}", ["'pair.method' is 3", "{kind: automatic}", "landmarks"]),
        ("raman: {file: map.txt, deconvolve: {width_range: 3}}", ["width_range", "a list, such as [1, 2]"]),
        ("raman: {file: map.txt, swap_xy: maybe}", ["raman.swap_xy", "true or false"]),
        ("raman: {file: map.txt, laser_nm: green}", ["raman.laser_nm", "should be a number"]),
        ("raman: {file: map.txt, laser_nm: 2.33}", ["raman.laser_nm", "2.33", "greater than or equal to 100"]),
        ("stop_after: deconvolve", ["names no map", "raman"]),
        ("preset: wse2-523\nraman: {file: map.txt}", ["wse2-523", "did you mean 'wse2-532'?"]),
        ("raman: {file: map.txt}\npair: {}", ["pair needs", "section pl"]),
        ("raman: {file: map.txt}\npl: {file: map.txt, deconvolve: false}\npair:", ["pair needs", "none of pl"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\npair: {method: {max_rotaton: 3}}", ["pair.method.max_rotaton", "'max_rotation'"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\npair: {method: {kind: landmarks}}", ["pair.method.pl_um", "missing"]),
        ("raman: {file: map.txt}\ntrain: {seed: 0}", ["pair, train and explain need", "none of pl", "stop_after: deconvolve"]),
        ("raman: {file: map.txt}\nstop_after: train", ["pair and train need", "none of pl"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\ntrain:\npair: false", ["pair is false", "train cannot do without"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\ntrain: {target: hight}", ["train.target", "'hight'", "'height'"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\ntrain: {target: [height, height]}", ["train.target", "each only once"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\ntrain: {epochs: 3}", ["train.epochs", "did you mean 'recipe.epochs'?"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\ntrain: {seed: -1}", ["train.seed", "greater than or equal to 0"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\nexplain: {target: hight}", ["explain.target", "'hight'"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\nexplain:\ntrain: false", ["train is false", "explain cannot do without"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\ntrain:\nexplain: {target: area}", ["explain.target is 'area'", "height"]),
        ("pl: {file: map.txt}\nexplain: {anyway: true}", ["explain need", "none of raman"]),
        ("raman: {file: map.txt}\npl: {file: map.txt}\ntrain: 3", ["'train'", "should hold settings"]),
        ("raman: {file: map.txt}\nstop_after: baselin", ["stop_after", "'baselin'", "'baseline'"]),
        ("raman: [a\n", ["not valid YAML", "line 2"]),
        ("raman: {file: map.txt}\nraman: {}", ["line 2", "'raman' is given twice"]),
        ("1: 2\nraman: {file: map.txt}", ["1 is not known"]),
        ("- raman", ["not a recipe"]),
        ("", ["not a recipe"]),
        ("\x00", ["not valid YAML"]),
    ],
)
def test_a_mistake_is_told_in_one_sentence_with_its_place(load, text, parts):
    with pytest.raises(SettingsError) as caught:
        load(text)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == []
    assert message.startswith("recipe.yaml")
    assert "\n" not in message
    assert message[-1] in ".?"


def test_a_recipe_that_is_not_there_or_not_text_is_told(tmp_path):
    with pytest.raises(SettingsError, match=r"does not exist"):
        recipe.load(tmp_path / "none.yaml")
    (tmp_path / "map.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"not UTF-8"):
        recipe.load(tmp_path / "map.yaml")
    with pytest.raises(SettingsError, match=r"cannot be read"):
        recipe.load(tmp_path)


def test_what_a_recipe_leaves_out_is_the_presets(load):
    ours, presets = section(load), recipe.preset().raman
    assert list(ours.stages()) == list(presets.stages())
    assert load("raman: {file: map.txt}").pl is None


def test_one_key_changes_nothing_else(load):
    ours, presets = section(load, "find_flake: {k: 9}"), recipe.preset().raman
    assert ours.find_flake == presets.find_flake.model_copy(update={"k": 9.0})
    assert ours.deconvolve == presets.deconvolve


def test_a_stage_left_empty_is_the_presets_and_false_leaves_it_out(load):
    assert section(load, "despike: ").despike == recipe.preset().raman.despike
    assert section(load, "despike: false").despike is None
    assert not any(stage.title == "Remove spikes" for stage in section(load, "despike: false").stages())


def test_a_method_of_another_kind_takes_nothing_from_the_presets(load):
    ours = section(load, "baseline: {method: {kind: asls, smoothness: 1e4}}")
    assert ours.baseline.method == AsymmetricLeastSquares(smoothness=1e4)


def test_the_usual_kind_of_a_method_need_not_be_named(load):
    assert section(load, "despike: {method: {threshold: 3}}").despike.method == Guarded(threshold=3)
    assert section(load, PEAKS + ", baseline: {method: {margin: 2}}").baseline.method == PiecewiseLinear(areas=((6, 19),), margin=2)


def test_own_peaks_decide_window_areas_and_thresholds(load, monkeypatch):
    data = {
        "raman": {
            "find_flake": {"k": 4, "window": [1, 2]},
            "despike": {"method": {"kind": "first difference", "threshold": 99}},
            "baseline": {"method": {"kind": "piecewise linear", "areas": [[1, 2]], "margin": 0.1}},
            "peaks": [{"name": "P", "position": 1.5, "fwhm": 0.1, "window": [1, 2]}],
        }
    }
    monkeypatch.setattr(
        recipe._read, "_preset_data", lambda name, source: {"raman": recipe._read._normal(data["raman"], "")[0], "preset": "x"}
    )
    theirs, ours = section(load), section(load, PEAKS)
    assert (theirs.find_flake.window, theirs.baseline.method.areas, theirs.despike.method.threshold) == ((1, 2), ((1, 2),), 99)
    assert ours.find_flake.k == 4  # not about the peaks
    assert ours.find_flake.window == (6, 19)
    assert ours.baseline.method == PiecewiseLinear(areas=((6, 19),))
    assert ours.despike.method == Guarded()


def test_what_the_recipe_gives_beside_its_peaks_stays(load):
    more = "find_flake: {window: [1, 2]}, baseline: {method: {areas: [[3, 4]]}}, despike: {method: {kind: first difference, threshold: 9}}"
    ours = section(load, f"{PEAKS}, {more}")
    assert ours.find_flake.window == (1, 2)
    assert ours.baseline.method.areas == ((3, 4),)
    assert ours.despike.method == FirstDifference(threshold=9)


def test_a_window_set_to_null_is_the_whole_axis(load):
    assert section(load, PEAKS + ", find_flake: {window: null}").find_flake.window is None


def test_peaks_beside_the_flake_do_not_say_where_it_shines(load):
    assert section(load, PEAKS + ", deconvolve: {pixels: off flake}").find_flake.window is None


def test_windows_that_overlap_make_one_area_and_others_stay_apart(load):
    apart = PEAKS.replace("window: [8, 19]", "window: [10, 19]")
    assert section(load, PEAKS).baseline.method.areas == ((6, 19),)
    assert section(load, apart).baseline.method.areas == ((6, 9), (10, 19))


def test_peaks_may_stand_in_either_place(load):
    assert section(load, PEAKS) == section(load, "deconvolve: {" + PEAKS + "}")


def test_stop_after_ends_the_chain_and_lets_later_sections_wait(load):
    ours = load("raman: {file: map.txt}\nstop_after: despike\ntrain: {seed: 0}")
    assert [type(stage).__name__ for stage in ours.chains()["raman"].stages][-1] == "Despike"


def test_maps_are_paired_where_the_recipe_says_so(load):
    assert load(BOTH).pairing is None
    assert load(BOTH + "pair:").pairing == load(BOTH + "stop_after: pair").pairing == Pair()
    assert load(BOTH + "pair: {}\nstop_after: deconvolve").pairing is None
    assert load(BOTH + "pair: false").pairing is None


def test_a_method_of_pairing_need_not_name_the_usual_kind(load):
    assert load(BOTH + "pair: {method: {max_rotation: 10}}").pairing.method == AutomaticPlacing(max_rotation=10)
    assert load(BOTH + "pair: {method: {kind: stage coordinates}}").pairing.method == StageCoordinates()


def test_a_network_is_trained_where_the_recipe_says_so(load):
    assert load(BOTH).training is None
    assert load(BOTH + "pair:").training is None
    asked = load(BOTH + "train: {target: [height, area], recipe: {epochs: 7}}\nstop_after: train")
    assert asked.training == Train(target=("height", "area"), recipe=OneCycle(epochs=7))
    assert asked.pairing == Pair()
    assert load(BOTH + "stop_after: train").training == Train()
    assert load(BOTH + "train: {target: height, seed: 0}\nstop_after: pair").training is None
    assert load(BOTH + "train: false").pairing is None


def test_training_goes_on_to_explain_unless_the_recipe_says_otherwise(load):
    asked = load(BOTH + "train: {target: height, seed: 0}")
    assert (asked.training, asked.explaining) == (Train(), Explain())
    assert load(BOTH + "train:\nexplain: false").explaining is None
    assert load(BOTH + "train:\nstop_after: train").explaining is None
    assert load(BOTH + "explain: {grid: 20}").explaining == Explain(grid=20)
    assert load(BOTH + "explain:").training == Train()
    assert load(BOTH + "stop_after: explain").explaining == Explain()
    assert load(BOTH + "pair:\nexplain: false").explaining is None


def test_a_flake_is_simulated_only_where_the_recipe_says_so(load):
    assert load(BOTH + "train:").simulating is None
    asked = load(BOTH + "train: {seed: 2}\nsimulate: {}")
    assert (asked.training, asked.explaining, asked.simulating) == (Train(seed=2), Explain(), Simulate())
    assert load(BOTH + "simulate: {seed: 4}").simulating == Simulate(seed=4)
    assert load(BOTH + "stop_after: simulate").simulating == Simulate()
    assert load(BOTH + "simulate:\nstop_after: explain").simulating is None
    assert load(BOTH + "train:\nsimulate: false").explaining == Explain()


def test_training_takes_the_presets_values_where_the_recipe_gives_none(load):
    asked = load("preset: paper-2023\n" + BOTH + "train: {seed: 3}\nstop_after: train")
    assert asked.training == Train(seed=3, recipe=PaperRecipe(), without_noise=False)
    assert load("preset: paper-2023\n" + BOTH).training is None
    assert recipe.preset("paper-2023").training is None
    assert recipe.preset("paper-2023").train == Train(recipe=PaperRecipe(), without_noise=False)


def test_files_are_looked_for_beside_the_recipe(load, tmp_path):
    assert section(load).file == tmp_path / "map.txt"


def test_a_preset_names_no_files():
    assert all(section.file is None for section in recipe.preset().sections().values())


@pytest.mark.parametrize(
    "text",
    [
        "raman: {file: map.txt}",
        "raman: {file: map.txt, despike: false, " + PEAKS + "}\nstop_after: deconvolve",
        BOTH + "pair: {method: {scale: true}}",
        BOTH + "train: {target: [height, position], recipe: {kind: paper}}\nstop_after: train",
        BOTH + "train: {seed: 2}\nexplain: false",
        BOTH + "explain: {anyway: true, grid: 9}",
        BOTH + "train: {seed: 2}\nsimulate: {seed: 4}",
        BOTH + "explain:\nsimulate: false",
    ],
)
def test_a_recipe_written_and_read_again_is_the_same(load, text, tmp_path):
    once = load(text)
    elsewhere = tmp_path / "deep" / "er"
    elsewhere.mkdir(parents=True)
    (elsewhere / "again.yaml").write_text(recipe.to_yaml(once), encoding="utf-8")
    assert recipe.load(elsewhere / "again.yaml") == once


def test_every_stage_has_its_place_in_a_section():
    from napari_wse2xai.stages import STAGES, Review

    assert tuple(recipe._model.STEPS.values()) == (*STAGES, Review)


def test_a_recipe_is_frozen(load):
    with pytest.raises(ValueError, match="frozen"):
        section(load).file = Path("other")
