"""NetCDF: a map comes back as it was; others' files and damaged ones."""

import sys
import warnings

import h5netcdf
import h5py
import numpy as np
import pytest
import xarray

from napari_wse2xai.data import AxisKind, Frame, Record, SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import list_items, read, write_map, write_map_table


@pytest.fixture
def spectral_map():
    rng = np.random.default_rng(0)
    counts = rng.normal(100, 5, (4, 3, 50)).astype(np.float32)
    counts[1, 2] = np.nan
    return SpectralMap.from_arrays(
        counts,
        np.linspace(150, 400, 50) ** 1.01,
        AxisKind.RAMAN_SHIFT,
        frame=Frame((4, 3), (-0.3, 0.7), (12.5, -3.1), "flake µ"),
        laser_nm=532.1,
        name="RS",
        intensity_unit="counts/s",
        flake=rng.random((4, 3)) > 0.5,
        repaired=rng.integers(0, 9, (4, 3)).astype(np.uint16),
        metadata={"Objective": "x50", "Temperature (°C)": "-75"},
        history=(Record("read", {"file": "rs.txt", "sha256": "ab"}, "0.1", 0.25), Record("FindFlake", {"k": 5.0})),
    )


def test_round_trip_keeps_everything(spectral_map, tmp_path):
    write_map(spectral_map, tmp_path / "rs.nc")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)  # a hole in our own file is known
        found = read(tmp_path / "rs.nc")
    for name in ("counts", "flake", "repaired"):
        np.testing.assert_array_equal(getattr(found, name), getattr(spectral_map, name))
        assert getattr(found, name).dtype == getattr(spectral_map, name).dtype
    np.testing.assert_array_equal(found.axis.values, spectral_map.axis.values)
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.RAMAN_SHIFT, 532.1)
    for name in ("frame", "name", "intensity_unit", "metadata"):
        assert getattr(found, name) == getattr(spectral_map, name)
    assert found.history[:-1] == spectral_map.history
    assert found.history[-1].step == "read"


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_one_pixel_and_one_line(tmp_path, shape):
    small = SpectralMap.from_arrays(np.ones((*shape, 7)), np.arange(1, 8), AxisKind.ENERGY, frame=Frame(shape, (0.5, 2.0), (3.0, 4.0)))
    write_map(small, tmp_path / "small.nc")
    found = read(tmp_path / "small.nc")
    assert found.frame == small.frame
    assert (found.flake, found.axis.laser_nm) == (None, None)


def test_xarray_opens_it_with_units(spectral_map, tmp_path):
    write_map(spectral_map, tmp_path / "rs.nc")
    with xarray.open_dataset(tmp_path / "rs.nc") as dataset:
        assert dataset["counts"].dims == ("y", "x", "spectral")
        assert dataset["spectral"].attrs["units"] == "cm-1"
        assert dataset["y"].attrs["units"] == "um"
        assert dataset.attrs["laser_nm"] == 532.1
        np.testing.assert_allclose(dataset["y"], spectral_map.frame.y_um)
        np.testing.assert_array_equal(dataset["counts"], spectral_map.counts)


def test_counts_are_contiguous_so_that_opening_is_reading_bytes(spectral_map, tmp_path):
    write_map(spectral_map, tmp_path / "rs.nc")
    with h5py.File(tmp_path / "rs.nc") as file:
        assert file["counts"].chunks is None
        assert file["counts"].compression is None


def test_long_metadata_fits(spectral_map, tmp_path):
    long = SpectralMap(spectral_map.frame, spectral_map.axis, spectral_map.counts, metadata={"Remark": "x" * 200_000})
    write_map(long, tmp_path / "long.nc")
    assert read(tmp_path / "long.nc").metadata == long.metadata


def test_others_files_with_counts_are_read(tmp_path):
    counts = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    xarray.Dataset(
        {"counts": (("y", "x", "spectral"), counts, {"units": "1"})},
        {"y": [1.0, 1.5], "x": [0.0, 2.0, 4.0], "spectral": ("spectral", [1.9, 1.8, 1.7, 1.6], {"units": "eV"})},
        {"history": "2024-01-01 made elsewhere"},
    ).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    found = read(tmp_path / "other.nc")
    np.testing.assert_array_equal(found.counts, counts[:, :, ::-1])
    assert found.frame == Frame((2, 3), (0.5, 2.0), (1.0, 0.0))
    assert found.axis.kind is AxisKind.ENERGY
    assert len(found.history) == 1


def test_others_order_of_dimensions_packing_and_missing_coordinates(tmp_path):
    counts = np.arange(24, dtype=np.float64).reshape(4, 2, 3) / 2
    dataset = xarray.Dataset(
        {"counts": (("spectral", "y", "x"), counts)}, {"spectral": ("spectral", [500.0, 501, 502, 503], {"units": "nm"})}
    )
    packing = {"dtype": "int16", "scale_factor": 0.5, "_FillValue": -1, "zlib": True}
    dataset.to_netcdf(tmp_path / "packed.nc", engine="h5netcdf", encoding={"counts": packing})
    found = read(tmp_path / "packed.nc")
    np.testing.assert_array_equal(found.counts, counts.transpose(1, 2, 0))
    assert found.frame == Frame((2, 3))


def test_nan_in_others_files_is_counted(tmp_path):
    with h5netcdf.File(tmp_path / "nan.nc", "w") as file:
        file.dimensions.update({"y": 1, "x": 2, "spectral": 3})
        file.create_variable("counts", ("y", "x", "spectral"), data=np.array([[[1, np.nan, np.inf], [1, 2, 3.0]]]))
        file.create_variable("spectral", ("spectral",), data=np.array([1.0, 2, 3])).attrs["units"] = "eV"
    with pytest.warns(DataWarning, match="2 values in 1 pixel are"):
        found = read(tmp_path / "nan.nc")
    assert np.isnan(found.counts).sum() == 2


def test_items(spectral_map, tmp_path):
    write_map(spectral_map, tmp_path / "rs.nc")
    (item,) = list_items(tmp_path / "rs.nc")
    assert (item.name, item.shape) == ("map", (4, 3, 50))
    assert item.axis.endswith("cm-1")
    with pytest.raises(ReaderError, match="no item 'maps'; did you mean 'map'"):
        read(tmp_path / "rs.nc", "maps")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_cut_file(spectral_map, tmp_path, part):
    path = tmp_path / "rs.nc"
    write_map(spectral_map, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(ReaderError, match=r"'rs\.nc' cannot be read as NetCDF-4"):
        read(path)


def test_size_that_is_a_lie_takes_no_memory(tmp_path):
    with h5netcdf.File(tmp_path / "lie.nc", "w") as file:
        file.dimensions.update({"y": 100_000, "x": 100_000, "spectral": 1000})
        file.create_variable("counts", ("y", "x", "spectral"), dtype=np.float32, chunks=(1, 1, 1000))
    with pytest.raises(ReaderError, match="claims"):
        read(tmp_path / "lie.nc")


def test_no_map_inside_and_netcdf_3(tmp_path):
    with h5netcdf.File(tmp_path / "none.nc", "w") as file:
        file.attrs["title"] = "nothing"
    with pytest.raises(ReaderError, match="no variable 'counts'"):
        read(tmp_path / "none.nc")
    (tmp_path / "old.nc").write_bytes(b"CDF\x01" + bytes(100))
    with pytest.raises(ReaderError, match="NetCDF-3"):
        read(tmp_path / "old.nc")


def test_importing_io_loads_no_heavy_library():
    import subprocess

    code = "import sys, napari_wse2xai.io; print({'pandas','xarray','witio','h5py','scipy','torch','qtpy'} & set(sys.modules) or 'light')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "light"


@pytest.mark.parametrize("low", [-150.0, 1.2, 300.0, 3_000.0, 13_000.0, 40_000.0])
@pytest.mark.parametrize("kind", list(AxisKind))
@pytest.mark.parametrize("name", ["map.nc", "map.csv", "map.txt", "map.zarr"])
@pytest.mark.filterwarnings("ignore:Consolidated metadata")
def test_every_kind_of_axis_comes_back_without_a_guess(tmp_path, kind, low, name):
    """Wherever it lies: a Raman shift of 13,000 cm-1 is light of 1.7 um for 532 nm, and was settled once."""
    axis = low + (0.3 + abs(low) / 1e4) * np.arange(12)
    source = SpectralMap.from_arrays(np.arange(72.0).reshape(2, 3, 12), axis, kind, laser_nm=532.0)
    if name.endswith(".nc"):
        write_map(source, tmp_path / name)
    elif name.endswith(".zarr"):
        write_map(source, tmp_path / "map.nc")
        xarray.open_dataset(tmp_path / "map.nc").to_zarr(tmp_path / name, zarr_format=2)
    else:
        write_map_table(source, tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        again = read(tmp_path / name)
    assert again.axis.kind is kind
    np.testing.assert_array_equal(again.axis.values, source.axis.values)
    np.testing.assert_array_equal(again.counts, source.counts)
