"""The recipe of what was done by hand makes the same numbers again, without a window."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from napari_wse2xai import batch, io
from napari_wse2xai.data import AxisKind, Frame, Pairable, Record, Results, SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.recipe import load, recipe_of
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Pair, Peak
from napari_wse2xai.stages.baseline import AsymmetricLeastSquares
from napari_wse2xai.stages.pair import StageCoordinates

LINE = Deconvolve(peaks=(Peak(name="A1'", position=250, fwhm=5, window=(210, 290)),))
PL_LINE = Deconvolve(peaks=(Peak(name="A exciton", position=1.65, fwhm=0.05, window=(1.5, 1.8)),), pixels="everywhere")


def written(path, kind: AxisKind) -> SpectralMap:
    """A table of a map of 9 x 13 pixels, bare to the left, as a file of an instrument; read again."""
    rng = np.random.default_rng(3)
    axis, middle, width = (np.linspace(200, 300, 81), 250, 5) if kind is AxisKind.RAMAN_SHIFT else (np.linspace(1.45, 1.85, 71), 1.65, 0.05)
    heights = rng.uniform(500, 900, (9, 13, 1))
    heights[:, :4] = 0
    counts = heights / (1 + (2 * (axis - middle) / width) ** 2) + 40 + 0.1 * np.arange(len(axis)) + rng.normal(0, 3, (9, 13, len(axis)))
    source = SpectralMap.from_arrays(counts, axis, kind, frame=Frame((9, 13), (0.5, 0.25)), laser_nm=532.0)
    io.write_map_table(source, path)
    return io.read(path, unit=kind.code)


@pytest.fixture
def by_hand(tmp_path) -> Results:
    """What a user did step by step."""
    raman, pl = written(tmp_path / "rs.txt", AxisKind.RAMAN_SHIFT), written(tmp_path / "pl.txt", AxisKind.ENERGY)
    above = Baseline(method=AsymmetricLeastSquares())(Despike()(FindFlake(k=4.0, window=(240, 260))(raman)))
    peaks, light = LINE(above), PL_LINE(pl)
    return Results(
        {"raman": above, "pl": pl}, {"raman": peaks, "pl": light}, paired=Pair(method=StageCoordinates())(Pairable(peaks, light))
    )


def test_a_run_of_the_recipe_gives_the_same_numbers(by_hand, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    recipe = tmp_path / "elsewhere" / "recipe.yaml"
    recipe.write_text(recipe_of(by_hand), encoding="utf-8")
    batch.run_recipe(recipe, tmp_path / "out", figures=False)
    again = io.read_results(tmp_path / "out" / "results.nc")
    for modality in ("raman", "pl"):
        for name in ("position", "fwhm", "height", "height_error"):
            np.testing.assert_array_equal(getattr(again.peaks[modality], name), getattr(by_hand.peaks[modality], name))
    np.testing.assert_array_equal(again.maps["raman"].flake, by_hand.maps["raman"].flake)
    np.testing.assert_array_equal(again.paired.pl.height, by_hand.paired.pl.height)
    assert again.model is None


def test_steps_that_were_not_done_are_not_in_it(by_hand):
    recipe = yaml.safe_load(recipe_of(by_hand))
    assert recipe["pl"]["despike"] is False
    assert recipe["pl"]["find_flake"] is False
    assert recipe["raman"]["find_flake"]["k"] == 4.0
    assert recipe["pl"]["unit"] == "eV"
    assert "#" not in recipe_of(by_hand)


def test_what_a_recipe_cannot_tell_is_said_at_its_top(by_hand, tmp_path):
    above = by_hand.maps["raman"]
    edited = replace(above, history=(*above.history, Record("flake edited by hand", {"pixels": 3, "changed": 1})))
    peaks = LINE(FindFlake(k=7.0, window=(240, 260))(edited))
    text = recipe_of(Results({"raman": edited}, {"raman": peaks}))
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert any("find_flake ran more than once" in line for line in head)
    assert any("edited by hand" in line for line in head)
    assert any("in the order find_flake, despike, baseline, find_flake" in line for line in head)
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "recipe.yaml").raman.find_flake.k == 7.0


def test_a_map_that_is_in_no_file_is_refused(by_hand):
    unread = replace(by_hand.maps["pl"], history=())
    with pytest.raises(DataError, match="was not read from a file"):
        recipe_of(Results({"pl": unread}))
