"""What is written for other programs, opened by others' libraries: every way out, for every kind that it declares."""

import numpy as np
import pandas as pd
import pytest
import tifffile
import xarray as xr
import zarr

from learned import make_explanation, make_model
from napari_wse2xai.data import AxisKind, Frame, PeakMaps, Results, SpectralAxis, SpectralMap
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.io import convert, parts_of, read_results, write_results
from napari_wse2xai.io.exporters import EXPORTS, WORDS, export
from napari_wse2xai.io.images import PlainImage

FRAME = Frame((3, 4), (-0.3, 0.7), (1.0, 2.0), "flake 1")


def a_map() -> SpectralMap:
    counts = np.random.default_rng(0).normal(100, 5, (3, 4, 20))
    return SpectralMap.from_arrays(counts, np.linspace(200, 300, 20), AxisKind.RAMAN_SHIFT, frame=FRAME, laser_nm=532.0, name="rs")


def peaks() -> PeakMaps:
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4) + 1
    parts = [values + 100 * k for k in range(6)]
    axis = SpectralAxis(np.linspace(200.0, 300.0, 20), AxisKind.RAMAN_SHIFT, 532.0)
    status = np.zeros((3, 4), dtype=np.uint8)
    return PeakMaps(FRAME, axis, ("A", "B"), ("lorentzian",) * 2, ((200.0, 300.0),) * 2, *parts, status, values[0], name="rs peaks")


@pytest.fixture(scope="module")
def made() -> dict[type, object]:
    """One of each kind; a pair and components have tests of their own."""
    model = make_model()
    picture = PlainImage(np.arange(12.0).reshape(3, 4), "seen", (0.3, 0.7), frame=FRAME)
    every = (a_map(), peaks(), model, make_explanation(model.samples), Results({"raman": a_map()}, {"raman": peaks()}), picture)
    return {type(one): one for one in every}


@pytest.mark.parametrize("way", EXPORTS, ids=lambda way: way.name)
def test_every_way_out_writes_every_kind_that_it_declares_and_nothing_else(way, made, tmp_path):
    for kind in WORDS:
        if kind in made and kind in way.takes:
            for ending in way.endings:
                path = tmp_path / f"{kind.__name__}{ending}"
                export(made[kind], path)
                assert path.is_dir() is way.is_folder
                assert path.exists()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"{kind.__name__}{ending}" for kind in made if kind in way.takes for ending in way.endings}, "no temporaries"


def test_what_cannot_be_written_so_is_told_with_the_endings_that_it_can_have(made, tmp_path):
    with pytest.raises(SettingsError, match=r"'model\.ome\.tif': a trained model can be written to files that end in .*\.csv"):
        export(made[next(kind for kind in made if kind.__name__ == "TrainedModel")], tmp_path / "model.ome.tif")
    assert list(tmp_path.iterdir()) == []


def test_peaks_are_channels_of_a_picture(tmp_path):
    export(peaks(), tmp_path / "peaks.ome.tif")
    with tifffile.TiffFile(tmp_path / "peaks.ome.tif") as file:
        known = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
        values = file.asarray()
    names = [channel["Name"] for channel in known["Channel"]]
    assert names[:3] == ["A position (cm-1)", "A fwhm (cm-1)", "A height (counts)"]
    assert names[5] == "B height (counts)"
    np.testing.assert_array_equal(values[5], peaks().height[1])
    export(peaks(), tmp_path / "peaks.ome.zarr")
    np.testing.assert_array_equal(zarr.open_group(tmp_path / "peaks.ome.zarr", mode="r")["0"][3], peaks().position[1])


def test_a_model_and_an_explanation_are_tables_with_a_line_per_pixel(made, tmp_path):
    explanation = next(one for kind, one in made.items() if kind.__name__ == "Explanation")
    export(explanation, tmp_path / "explanation.csv")
    table = pd.read_csv(tmp_path / "explanation.csv")
    name = explanation.features[2]
    np.testing.assert_allclose(table[f"{name}.ice_slope"], explanation.slope[2], rtol=1e-6)
    assert len(table) == len(explanation.samples)


def test_a_picture_has_its_places(made, tmp_path):
    picture = made[PlainImage]
    export(picture, tmp_path / "seen.nc")
    with xr.open_dataset(tmp_path / "seen.nc", engine="h5netcdf") as found:
        np.testing.assert_allclose(found["x"], 2.0 + 0.7 * np.arange(4))
        np.testing.assert_array_equal(found["values"], picture.values)


def test_parts_of_results_are_converted_by_their_names(tmp_path):
    write_results(Results({"raman": a_map()}, {"raman": peaks()}), tmp_path / "results.nc")
    assert list(parts_of(read_results(tmp_path / "results.nc"))) == ["raman", "raman/peaks"]
    convert(tmp_path / "results.nc", tmp_path / "peaks.csv", "raman/peaks")
    np.testing.assert_allclose(pd.read_csv(tmp_path / "peaks.csv")["B height (counts)"], peaks().height[1].ravel(), rtol=1e-6)
    convert(tmp_path / "results.nc", tmp_path / "map.csv", "raman/map")
    assert pd.read_csv(tmp_path / "map.csv").shape == (12, 23)
