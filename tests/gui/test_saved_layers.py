"""A layer with a map or with peak maps is saved as NetCDF or CSV from napari's own menu, and opens again the same."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import tifffile
import xarray as xr
import zarr

from napari_wse2xai.data import AxisKind, Frame, Medium, PeakMaps, Results, SpectralAxis, SpectralMap
from napari_wse2xai.errors import ReaderError, UserError
from napari_wse2xai.gui.contributions import get_reader, read_for_napari, read_layers, write_map
from napari_wse2xai.gui.session import contents
from napari_wse2xai.io import list_items, read
from napari_wse2xai.layers import KEY, to_layers
from napari_wse2xai.session.opening import PL, ItemChoice, all_of, as_measured, opened

FRAME = Frame((3, 4), (-0.3, 0.7), (1.0, 2.0), "flake 1")


@pytest.fixture
def spectral_map():
    counts = np.random.default_rng(0).normal(100, 5, (3, 4, 20))
    found = SpectralMap.from_arrays(counts, np.linspace(700, 800, 20), AxisKind.WAVELENGTH, frame=FRAME, laser_nm=532.0, medium=Medium.AIR)
    return replace(found, name="pl map", flake=np.eye(3, 4, dtype=bool))


@pytest.fixture
def peaks():
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4) + 1
    axis = SpectralAxis(np.linspace(1.5, 1.8, 30), AxisKind.ENERGY, 532.0)
    window = (1.5, 1.8)
    status = np.zeros((3, 4), dtype=np.uint8)
    return PeakMaps(FRAME, axis, ("A", "B"), ("gaussian",) * 2, (window,) * 2, *[values] * 6, status, values[0], name="peaks")


def saved(artefact, path):
    data, keywords, _ = to_layers(artefact)[0]
    assert write_map(str(path), data, keywords) == [str(path)]
    return path


@pytest.mark.parametrize("name", ["map.nc", "map.csv"])
def test_a_map_comes_back_the_same(spectral_map, tmp_path, name):
    (found,) = all_of(saved(spectral_map, tmp_path / name))
    np.testing.assert_array_equal(found.counts, spectral_map.counts)
    np.testing.assert_array_equal(found.flake, spectral_map.flake)
    assert (found.frame, found.axis.medium, found.axis.laser_nm, found.name) == (FRAME, Medium.AIR, 532.0, "pl map")


@pytest.mark.parametrize("name", ["peaks.nc", "peaks.csv"])
def test_peak_maps_come_back_the_same(peaks, tmp_path, name):
    path = saved(peaks, tmp_path / name)
    (found,) = all_of(path)
    found = found.peaks["pl"] if isinstance(found, Results) else found
    for field in fields(PeakMaps):
        if field.name not in ("axis", "history"):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(peaks, field.name), err_msg=field.name)
    assert get_reader(str(path)) is not None
    assert [keywords["name"] for _, keywords, _ in read_layers(str(path))] == [keywords["name"] for _, keywords, _ in to_layers(peaks)]


def test_peaks_that_are_opened_alone_leave_nothing_waiting_for_a_map(viewer, peaks, tmp_path):
    assert read_for_napari(str(saved(peaks, tmp_path / "peaks.nc")))
    assert [each for each in viewer.layers.events.inserted.callbacks if getattr(each, "__module__", "").startswith("napari_wse2xai")] == []


def test_a_table_of_peaks_is_listed_and_loaded_but_no_map(peaks, tmp_path):
    path = saved(peaks, tmp_path / "peaks.csv")
    (item,) = list_items(path)
    assert (item.name, item.what, item.shape) == ("peaks", "peak maps", (3, 4, 2))
    (found,) = opened(ItemChoice(path, item))
    assert isinstance(found, PeakMaps)
    with pytest.raises(ReaderError, match="holds peak maps, not spectra"):
        read(path)


def test_a_layer_of_other_making_is_left_to_others(tmp_path):
    assert write_map(str(tmp_path / "other.nc"), np.zeros((3, 3)), {"metadata": {}}) == []


def layer_of(artefact, part: str):
    return next(layer for layer in to_layers(artefact) if layer[1]["metadata"][KEY].part == part)


def opened_by_others(path, name: str):
    """Values of a CSV or NetCDF file, as pandas and xarray have them."""
    if path.suffix == ".csv":
        return pd.read_csv(path).iloc[:, -1].to_numpy().reshape(FRAME.shape)
    return xr.open_dataset(path, engine="h5netcdf")["values"].to_numpy()


@pytest.mark.parametrize("name", ["seen.nc", "seen.csv"])
def test_a_count_of_channels_and_a_flake_are_saved_as_they_are_seen(spectral_map, tmp_path, name):
    counts = np.arange(12, dtype=np.uint16).reshape(3, 4)
    for part in ("repaired", "flake"):
        data, keywords, kind = layer_of(replace(spectral_map, repaired=counts), part)
        data = np.array(data)
        data[0, 3] = 1  # painted by hand
        write_map(str(tmp_path / f"{part}{name}"), data, keywords)
        np.testing.assert_array_equal(opened_by_others(tmp_path / f"{part}{name}", part), data)
        assert kind == ("labels" if part == "flake" else "image")


def test_places_of_a_saved_flake_are_those_of_the_stage(spectral_map, tmp_path):
    data, keywords, _ = layer_of(spectral_map, "flake")
    write_map(str(tmp_path / "flake.csv"), data, keywords)
    table = pd.read_csv(tmp_path / "flake.csv")
    assert list(table.columns[:2]) == ["y (um)", "x (um)"]
    np.testing.assert_allclose(table.iloc[6, :2], (1.0 - 0.3, 2.0 + 2 * 0.7))  # row 1, column 2


def test_fiji_gets_micrometres_and_every_channel_s_name(spectral_map, tmp_path):
    """Read with tifffile, which knows nothing of us."""
    data, keywords, _ = layer_of(spectral_map, "map")
    write_map(str(tmp_path / "map.ome.tif"), data, keywords)
    with tifffile.TiffFile(tmp_path / "map.ome.tif") as file:
        known = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
        np.testing.assert_allclose(file.asarray(), np.moveaxis(spectral_map.counts, -1, 0), rtol=1e-6)
    assert (known["SizeX"], known["SizeY"], known["SizeC"]) == (4, 3, 20)
    assert (known["PhysicalSizeX"], known["PhysicalSizeY"]) == (0.7, 0.3)
    assert (known["PhysicalSizeXUnit"], known["PhysicalSizeYUnit"]) == ("µm", "µm")
    assert [channel["Name"] for channel in known["Channel"]][1] == f"{spectral_map.axis.values[1]:.6g} nm"


def test_ome_zarr_is_a_folder_in_micrometres_and_is_not_written_over(spectral_map, tmp_path):
    data, keywords, _ = layer_of(spectral_map, "flake")
    place = tmp_path / "flake.ome.zarr"
    write_map(str(place), data, keywords)
    group = zarr.open_group(place, mode="r")
    (described,) = group.attrs["multiscales"]
    np.testing.assert_array_equal(group[described["datasets"][0]["path"]][:], data)
    assert [axis["unit"] for axis in described["axes"]] == ["micrometer", "micrometer"]
    assert described["datasets"][0]["coordinateTransformations"] == [{"type": "scale", "scale": [0.3, 0.7]}]
    with pytest.raises(UserError, match=r"flake\.ome\.zarr"):
        write_map(str(place), data, keywords)
    assert [each.name for each in tmp_path.iterdir()] == ["flake.ome.zarr"]


def test_napari_s_own_save_offers_them_for_images_and_labels(viewer, spectral_map, tmp_path):
    image, *_, flake = contents.add(viewer, to_layers(spectral_map))
    assert viewer.layers.selection.active is flake
    for layer, name in ((image, "map.ome.tif"), (flake, "flake.ome.tif"), (flake, "flake.csv")):
        layer.save(str(tmp_path / name))
        assert (tmp_path / name).is_file()
    with tifffile.TiffFile(tmp_path / "flake.ome.tif") as file:
        assert 'PhysicalSizeX="0.7"' in file.ome_metadata


def test_what_the_user_says_of_air_is_kept_and_used(spectral_map):
    silent = replace(spectral_map, axis=replace(spectral_map.axis, medium=None))
    said = as_measured(silent, PL, None, Medium.AIR)
    assert (said.axis.medium, said.axis.kind) == (Medium.AIR, AxisKind.WAVELENGTH)
    assert said.history[-1].settings["medium"] == "air"
    shifts = replace(silent, axis=SpectralAxis(np.linspace(100, 500, 20), AxisKind.RAMAN_SHIFT, 532.0))
    air, unsaid = (as_measured(shifts, PL, None, medium).axis.values for medium in (Medium.AIR, None))
    assert 1e-4 < np.abs(air - unsaid).max() < 1e-3  # eV: the refraction of air
    assert as_measured(spectral_map, None, None, Medium.AIR) is spectral_map
