"""Chains run in order, report as one, and can be rebuilt from what they made."""

import numpy as np
import pytest

from napari_wse2xai import io, recipe
from napari_wse2xai.data import Record
from napari_wse2xai.errors import Cancelled, DataWarning, SettingsError
from napari_wse2xai.stages import Despike, FindFlake
from napari_wse2xai.synthetic import make_flake


@pytest.fixture(scope="module")
def small():
    return make_flake("triangle", shape_px=(20, 22), seed=3).raman


@pytest.fixture(scope="module")
def outcome(small):
    return recipe.preset().raman.chain().run(small)


def test_a_chain_gives_map_and_peaks(outcome, small):
    assert outcome.map.flake.any()
    assert outcome.map.repaired is not None
    assert outcome.peaks.names == tuple(peak.name for peak in recipe.preset().raman.deconvolve.peaks)
    assert outcome.map.frame == small.frame


def test_history_makes_the_same_again(outcome, small):
    again = recipe.from_history(outcome.peaks).run(small)
    for name in ("position", "fwhm", "height", "position_error"):
        np.testing.assert_array_equal(getattr(again.peaks, name), getattr(outcome.peaks, name))


def test_history_of_a_map_ends_where_the_map_does(outcome):
    assert [type(stage).__name__ for stage in recipe.from_history(outcome.map).stages][-1] == "Baseline"


def test_a_history_that_this_version_cannot_read_is_told(outcome):
    strange = outcome.map.with_record(Record("Despike", {"colour": "blue"}, "99.0"))
    with pytest.raises(SettingsError, match=r"Despike was made by version 99\.0"):
        recipe.from_history(strange)


def test_progress_rises_from_start_to_end_and_names_the_stage(small):
    seen = []
    recipe.preset().raman.chain("despike").run(small, lambda fraction, words: seen.append((fraction, words)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert {words.partition(":")[0] for _, words in seen} >= {FindFlake.title, Despike.title}


def test_cancelling_comes_through_at_once(small):
    def cancel(fraction, words):
        raise Cancelled

    with pytest.raises(Cancelled):
        recipe.preset().raman.chain().run(small, cancel)


def test_a_chain_of_nothing_gives_the_map_back(small):
    assert recipe.Chain(()).run(small).map is small


def test_what_a_recipe_says_of_a_file_reaches_the_reader(tmp_path):
    axis = np.concatenate([150 + 2.0 * np.arange(20), 180 + 2.0 * np.arange(20)])
    lines = ["\t".join(["", "", *map(str, axis)])]
    lines += ["\t".join(map(str, [y, x, *(1000 * y + 100 * x + axis)])) for x in (0.0, 1.0, 2.0) for y in (5.0, 6.0)]
    (tmp_path / "map.txt").write_text("\n".join(lines) + "\n")
    text = "raman: {file: map.txt, unit: cm-1, overlap: scale, swap_xy: true}\nstop_after: despike\n"
    (tmp_path / "recipe.yaml").write_text(text)
    told = recipe.load(tmp_path / "recipe.yaml").raman.told()
    assert told == {"unit": "cm-1", "overlap": "scale", "swap_xy": True}
    with pytest.warns(DataWarning, match="multiplied by"):
        found = io.read(tmp_path / "map.txt", **told)
    assert found.frame.shape == (2, 3)
    (tmp_path / "recipe.yaml").write_text(text.replace("scale", "mean"))
    with pytest.raises(SettingsError, match=r"raman\.overlap"):
        recipe.load(tmp_path / "recipe.yaml")


class Work:
    """A step that tells where it begins and ends."""

    def __init__(self, title, effort):
        self.title, self.effort = title, effort

    def on(self, known, progress):
        for done in (0.0, 1.0):
            progress(done, "told")
        return next(iter(known.values()))


def test_a_step_takes_as_much_of_the_progress_as_it_has_effort(small):
    heard = []
    recipe.Chain((Work("first", 1.0), Work("second", 3.0), Work("third", 4.0))).run(small, lambda *told: heard.append(told))
    assert [fraction for fraction, _ in heard] == [0.0, 0.125, 0.125, 0.5, 0.5, 1.0]
    assert [words for _, words in heard][::2] == ["first: told", "second: told", "third: told"]
