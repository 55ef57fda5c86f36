"""Recipes that are no recipe, or made to harm: one sentence, soon, before any file is read."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from napari_wse2xai import recipe
from napari_wse2xai.errors import SettingsError


def refused(path: Path) -> str:
    """Sentence with which a recipe is refused; soon, and short."""
    started = time.process_time()
    with pytest.raises(SettingsError) as caught:
        recipe.load_series(path) if recipe.is_series(path) else recipe.load(path)
    assert time.process_time() - started < 20
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 900
    return str(caught.value)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raman: " + "[" * 20_000 + "]" * 20_000, "in line 1: it nests more than 40 levels deep"),
        ("{a: " * 5_000 + "1" + "}" * 5_000, "nests more than 40 levels"),
        (BOMB, "holds more than 500,000 values"),
        ("raman: &a [*a]", "a part repeats itself within itself"),
        ("train: {seed: " + "9" * 5_000 + "}", "a number of 5,000 digits"),
        ("raman: {file: 2024-99-99}", "'2024-99-99' is no value that can be used"),
        ("? [a, b]\n: 1", "unhashable key"),
        ("\n".join(f"k{i}: 1" for i in range(3_000)) + "\nk7: 2", "in line 3001: 'k7' is given twice"),
        ("stop_after: [a]\nraman: {file: rs.txt}", "'stop_after' is ['a']"),
        ("raman: {file: " + "a" * 5_000 + ".txt}", "(File name too long)"),
        ("raman: {file: rs.txt, " + "k" * 900 + ": 1}", "is not known"),
        ('raman: {file: "a\\0b"}', "a character that none can have"),
        ("preset: " + "p" * 5_000, "is not known"),
    ],
)
def test_text_that_would_exhaust_the_machine_or_is_none(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    assert words in refused(tmp_path / "r.yaml")


def test_repetition_by_name_is_still_allowed(tmp_path: Path) -> None:
    (tmp_path / "rs.txt").write_text("x")
    peaks = "[{name: A, position: 250, fwhm: 4, window: &w [183, 300]}, {name: B, position: 260, fwhm: 4, window: *w}]"
    (tmp_path / "r.yaml").write_text(f"raman: {{file: rs.txt, peaks: {peaks}}}")
    loaded = recipe.load(tmp_path / "r.yaml")
    assert loaded.raman is not None
    assert loaded.raman.deconvolve is not None
    assert [peak.window for peak in loaded.raman.deconvolve.peaks] == [(183, 300)] * 2


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices with a file's name are a matter of Unix")
def test_pipes_and_devices_are_no_recipe_and_no_file_of_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is a pipe" in refused(tmp_path / "pipe")
    assert "is a device" in refused(Path("/dev/zero"))
    (tmp_path / "r.yaml").write_text("raman: {file: pipe}")
    assert "is a pipe" in refused(tmp_path / "r.yaml")
    (tmp_path / "r.yaml").write_text("raman: {file: r.yaml, correct_response: {dark: pipe}}")
    assert "is a pipe" in refused(tmp_path / "r.yaml")
    with (tmp_path / "large.yaml").open("wb") as sparse:
        sparse.truncate(1 << 34)
    assert "is larger than any recipe" in refused(tmp_path / "large.yaml")


WRONG: list[Any] = [
    ["a"],
    {"a": 1},
    {"kind": ["a"]},
    10**30,
    float("nan"),
    float("inf"),
    "",
    True,
    None,
    [],
    {},
    [None],
    [{}],
    b"ab",
    "$\\frac",
]


def places(tree: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Ways to every value of a recipe."""
    keys = list(tree) if isinstance(tree, dict) else range(min(1, len(tree))) if isinstance(tree, list) else ()
    return (
        [here, *(place for key in keys for place in places(tree[key], (*here, key)))]
        if here
        else [p for k in keys for p in places(tree[k], (k,))]
    )


def test_what_stands_where_something_else_belongs_is_told(tmp_path: Path) -> None:
    """Every value of a whole recipe replaced by every kind of wrong one: accepted, or one sentence."""
    (tmp_path / "rs.txt").write_text("x")
    whole = yaml.safe_load(recipe.to_yaml(recipe.preset()))
    for name in ("raman", "pl"):
        whole[name]["file"] = "rs.txt"
    whole |= {"stop_after": "train", "preset": "wse2-532"}
    wrong = 0
    for number, place in enumerate(places(whole)):
        owner = whole
        for key in place[:-1]:
            owner = owner[key]
        kept, owner[place[-1]] = owner[place[-1]], WRONG[number % len(WRONG)]
        try:
            recipe._read.parse_mapping(whole, source="r.yaml", folder=tmp_path)
        except SettingsError as error:
            wrong += 1
            assert "\n" not in str(error)
        owner[place[-1]] = kept
    assert wrong > 50
    recipe._read.parse_mapping(whole, source="r.yaml", folder=tmp_path)


@pytest.mark.parametrize("value", [".nan", ".inf"])
def test_a_setting_is_a_finite_number(tmp_path: Path, value: str) -> None:
    (tmp_path / "rs.txt").write_text("x")
    (tmp_path / "r.yaml").write_text(f"raman: {{file: rs.txt, find_flake: {{window: [{value}, 300]}}}}")
    assert "finite number" in refused(tmp_path / "r.yaml")
