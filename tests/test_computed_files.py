"""Computed maps through a whole run: recipe in; results, tables, report and figures out, and back."""

import csv

import numpy as np
import pytest

from napari_wse2xai import batch, io
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.io import read_peaks_csv, read_results, write_peaks_csv

RECIPE = """
raman:
  file: map.nc
  find_flake: false
  despike: false
  baseline: false
  peaks:
    - {name: "A1'", position: 250, fwhm: 5, window: [205, 295]}
    - {name: "A exciton", position: 270, fwhm: 6, window: [205, 295]}
  computed:
    - {name: distance, expression: "A exciton.position - A1'.position"}
    - {name: share, expression: '"A exciton".area / ("A exciton".area + A1′.area)'}
stop_after: deconvolve
"""


@pytest.fixture
def home(tmp_path):
    x = np.arange(200.0, 300.0)
    truth = 20 + 300 / (1 + (2 * (x - 250) / 5) ** 2) + 200 / (1 + (2 * (x - 270) / 6) ** 2)
    counts = truth + np.random.default_rng(0).normal(0, 3, (9, 11, len(x)))
    io.write_map(SpectralMap.from_arrays(counts.astype(np.float32), x, AxisKind.RAMAN_SHIFT, laser_nm=532.0), tmp_path / "map.nc")
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def test_a_recipe_computes_maps_that_reach_every_file(home):
    results = batch.run_recipe(home / "recipe.yaml", home / "out")
    asked = results.peaks["raman"].computed
    assert np.nanmedian(asked[0].value) == pytest.approx(20, abs=0.1)
    assert np.nanmedian(asked[1].value) == pytest.approx(1200 / 2700, abs=0.01)
    read = read_results(home / "out" / "results.nc").peaks["raman"].computed
    write_peaks_csv(results.peaks["raman"], home / "peaks.csv")
    for found in (read, read_peaks_csv(home / "peaks.csv").computed):
        for one, other in zip(found, asked, strict=True):
            assert (one.name, one.unit, one.expression) == (other.name, other.unit, other.expression)
            np.testing.assert_array_equal(one.value, other.value)
            np.testing.assert_array_equal(one.error, other.error)
    with (home / "peaks.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert float(rows[13]["distance (cm-1)"]) == pytest.approx(float(asked[0].value[1, 2]), rel=1e-6)
    page = (home / "out" / "report.html").read_text(encoding="utf-8")
    assert "A exciton.position - A1&#39;.position" in page
    assert (home / "out" / "figures" / "raman_computed.png").exists()


def test_other_programs_can_read_them(home):
    xarray = pytest.importorskip("xarray")
    batch.run_recipe(home / "recipe.yaml", home / "out", figures=False)
    with xarray.open_datatree(home / "out" / "results.nc") as tree:
        peaks = tree["/raman/peaks"]
        assert peaks["computed"].values.tolist() == ["distance", "share"]
        assert peaks["computed_value"].dims == ("computed", "y", "x")
        assert peaks["computed_error"].shape == (2, 9, 11)


def test_a_wrong_name_is_one_sentence_before_any_work(home):
    text = RECIPE.replace("A exciton.position -", "B exciton.position -")
    (home / "recipe.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="there are the peaks A1', A exciton") as told:
        batch.run_recipe(home / "recipe.yaml", home / "out")
    assert "\n" not in str(told.value)
    assert not (home / "out").exists()
