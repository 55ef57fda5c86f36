"""Recipes of several flakes: what each gets, and one sentence for every mistake."""

from pathlib import Path

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


def test_flakes_learn_together_apart_or_both(load):
    both, apart = (load(f"flakes: [{ONE}]\nlearn: {learn}\ntrain: {{seed: 3}}\nexplain: {{grid: 9}}") for learn in ("both", "apart"))
    assert {series.members[0].recipe.training for series in (both, apart)} == {Train(seed=3)}
    assert both.members[0].recipe.explaining == Explain(grid=9)
    assert ([train.seed for train in both.trainings], apart.trainings) == ([3], ())
    assert load(f"flakes: [{ONE}]\nlearn: apart\nstop_after: deconvolve").members[0].recipe.training is None
    assert load(f"flakes: [{ONE}]\nlearn: apart\nstop_after: train").members[0].recipe.explaining is None


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
        ("flakes: [{raman: {file: map.txt}}]\ntrain: {}", ["flakes[0].pl", "missing", "train needs both", "stop_after: deconvolve"]),
        ("flakes: [{raman: {file: map.txt}, pair: {}}]", ["flakes[0].pl", "pair needs both"]),
        ("flakes: [{name: a}]", ["flakes[0]", "names no map"]),
        ("flakes: {files: {raman: 'map.txt'}}", ["flakes[0].files.raman", "not a pattern"]),
        ("flakes: {files: {raman: '*.wdf'}}", ["flakes[0].files.raman", "no file matches '*.wdf'"]),
        ("flakes: {files: {raman: '{flake}.txt'}}", ["{flake} is not known", "{name}"]),
        ("flakes: {name: a, files: {raman: '*.txt'}}", ["flakes[0]", "leave the name out"]),
        ("flakes: [{raman: {file: map.txt}, pl: {file: gone.txt}}]", ["flakes[0]", "gone.txt", "does not exist"]),
        ("flakes: [{raman: {file: map.txt, peeks: 3}, pl: {file: map.txt}}]", ["flakes[0]", "raman.peeks", "'peaks'"]),
        ("flakes: [{raman: {file: map.txt}, pl: {file: map.txt}, conditon: x}]", ["flakes[0].conditon", "'condition'"]),
        ("flakes: [{name: a, " + ONE[1:] + ", {name: a, " + ONE[1:] + "]", ["two flakes", "'a'", "apart"]),
        ("flakes: [{condition: off, " + ONE[1:] + "]", ["flakes[0].condition", "in quotes"]),
        (f"flakes: [{ONE}]\ntrain: {{target: hight}}", ["train.target", "'hight'"]),
        (f"flakes: [{ONE}]\nstop_after: pairing", ["stop_after", "'pair'"]),
    ],
)
def test_a_mistake_is_told_in_one_sentence_with_its_place(load, text, parts):
    with pytest.raises(SettingsError) as caught:
        load(text)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == []
    assert message.startswith("series.yaml")
    assert "\n" not in message


def named(series):
    return [
        (member.name, member.condition, member.value, sorted(member.recipe.sections()), bool(member.problem)) for member in series.members
    ]


def test_one_map_is_enough_up_to_deconvolution(load):
    series = load("flakes: [{raman: {file: map.txt}}, {name: b, pl: {file: map.txt}}]")
    assert named(series) == [("flake 1", "all", None, ["raman"], False), ("b", "all", None, ["pl"], False)]
    assert (series.trainings, series.has_conditions) == ((), False)
    early = load(f"flakes: [{ONE}]\npair: {{}}\nstop_after: despike")
    assert early.members[0].recipe.stop_after == "despike"
    assert (early.members[0].recipe.pairing, early.trainings) == (None, ())
    paired = load(f"flakes: [{ONE}]\nstop_after: pair")
    assert paired.members[0].recipe.pairing is not None
    assert paired.trainings == ()


def test_a_pattern_finds_flakes_and_brings_their_maps_together(load, tmp_path):
    for name in ("day1/a_rs.txt", "day1/a_pl.txt", "day1/_x_rs.txt", "day2/a10_rs.txt", "day2/a10_pl.txt", "day2/a9_rs.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    series = load('flakes: {files: {raman: "day*/[!_]*_rs.txt", pl: "day*/[!_]*_pl.txt"}}\nstop_after: deconvolve')
    both = ["pl", "raman"]
    assert named(series) == [
        ("day1_a", "all", None, both, False),
        ("day2_a9", "all", None, ["raman"], True),
        ("day2_a10", "all", None, both, False),
    ]
    assert "no pl file that belongs to 'a9_rs.txt'" in series.members[1].problem
    assert series.members[0].recipe.pl.file == tmp_path / "day1" / "a_pl.txt"
    short = load('flakes: {raman: "day*/[!_]*_rs.txt"}')
    assert [member.name for member in short.members] == ["day1_a", "day2_a9", "day2_a10"]


def test_names_conditions_and_values_are_read_from_the_names_of_files(load, tmp_path):
    for name in ("hot/a_0p5mW.txt", "hot/a_10mW.txt", "cold/a_2mW.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    series = load('over: power (mW)\nflakes: [{files: {pl: "{condition}/a_{value}mW.txt"}}]')
    assert [(condition, value) for _, condition, value, *_ in named(series)] == [("cold", 2.0), ("hot", 0.5), ("hot", 10.0)]
    assert len({(member.condition, member.name) for member in series.members}) == 3
    assert (series.over.name, series.over.unit, series.has_conditions) == ("power", "mW", True)
    (tmp_path / "hot" / "b_3mW.txt").touch()
    called = load('over: power (mW)\nflakes: {files: {pl: "{condition}/{name}_{value}mW.txt"}}').members
    assert [(member.name, member.value) for member in called] == [("a", 2.0), ("a_0p5", 0.5), ("a_10", 10.0), ("b", 3.0)]


@pytest.mark.parametrize(
    ("more", "both", "alone"),
    [
        ("stop_after: deconvolve", ("deconvolve", False, 0), "deconvolve"),
        ("stop_after: pair", ("pair", True, 0), "deconvolve"),
        ("train: {seed: 3}\nexplain: false", (None, True, 1), "deconvolve"),
        ("", (None, False, 0), None),
        ("stop_after: despike", ("despike", False, 0), "despike"),
    ],
)
def test_many_flakes_are_done_as_one_was(load, tmp_path, more, both, alone):
    for name in ("a_rs.txt", "a_pl.txt", "b_rs.txt", "b_pl.txt"):
        (tmp_path / name).touch()
    one = recipe.parse_with(
        f"raman: {{file: a_rs.txt, laser_nm: 633, find_flake: {{k: 4}}}}\npl: {{file: a_pl.txt}}\n{more}", (), source="one", folder=tmp_path
    )
    series = load(recipe.series_yaml(one, {"raman": str(tmp_path / "*_rs.txt"), "pl": str(tmp_path / "*_pl.txt")}))
    stop_after, pairs, trainings = both
    assert [member.name for member in series.members] == ["a", "b"]
    first = series.members[0].recipe
    assert (first.raman, first.pl) == (one.raman, one.pl)
    assert (first.pairing is not None, len(series.trainings), series.explain) == (pairs, trainings, None)
    assert first.stop_after in (stop_after, None)
    raman = load(recipe.series_yaml(one, {"raman": str(tmp_path / "*_rs.txt")}))
    assert {(member.recipe.pl, member.recipe.stop_after) for member in raman.members} == {(None, alone)}


@pytest.mark.parametrize(
    ("file", "other", "pattern"),
    [
        ("d/day1_a_rs.wdf", "d/day1_a_pl.wdf", "d/*_rs.wdf"),
        ("d/rs_a.wdf", "d/pl_a.wdf", "d/rs_*.wdf"),
        ("d/a_raman.nc", "d/a_ramp.nc", "d/*_raman.nc"),
        ("rs/a.wdf", "pl/a.wdf", "rs/*.wdf"),
        ("d/a.wdf", None, "d/*.wdf"),
        ("d/rs.nc", "d/pl.nc", "d/*.nc"),
    ],
)
def test_the_pattern_of_a_file_is_what_tells_it_from_the_other_of_its_flake(file, other, pattern):
    assert recipe.pattern_like(Path(file), None if other is None else Path(other)) == str(Path(pattern))


def test_a_missing_file_may_be_left_to_when_its_flake_is_read(load, tmp_path):
    with pytest.raises(SettingsError, match=r"gone\.txt"):
        load("flakes: [{raman: {file: gone.txt}}, {raman: {file: map.txt}}]")
    assert len(recipe.load_series(tmp_path / "series.yaml", there=False).members) == 2


def test_a_recipe_of_several_is_not_read_as_one(load, tmp_path):
    load(f"flakes: [{ONE}]")
    with pytest.raises(SettingsError, match="several flakes where one is wanted"):
        recipe.load(tmp_path / "series.yaml")
    (tmp_path / "one.yaml").write_text("raman: {file: map.txt}", encoding="utf-8")
    assert not recipe.is_series(tmp_path / "one.yaml")
