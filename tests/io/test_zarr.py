"""Zarr folders as xarray writes them, and HyperSpy's files."""

import shutil
import subprocess
import sys
import warnings

import h5py
import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.errors import ReaderError, UserError
from napari_wse2xai.io import list_items, read, write_map

NY, NX, N = 3, 4, 6
COUNTS = np.arange(NY * NX * N, dtype=np.float32).reshape(NY, NX, N)
AXIS = 500 + 2.0 * np.arange(N)
FRAME = Frame((NY, NX), (0.5, -0.25), (10.0, 20.0))
SIZES = {"y": NY, "x": NX, "wavelength": N}


def store(path, dims=("y", "x", "wavelength"), *, version=3, group="", **attributes):
    root = zarr.create_group(path, zarr_format=version, overwrite=True)
    owner = root.create_group(group) if group else root
    order = [list(SIZES).index(name) for name in dims]
    coordinates = {"y": FRAME.y_um, "x": FRAME.x_um, "wavelength": AXIS}
    for name, dimensions, values in (("counts", dims, COUNTS.transpose(order)), *((key, (key,), coordinates[key]) for key in dims)):
        named = {"dimension_names": dimensions} if version == 3 else {}
        array = owner.create_array(name, data=np.ascontiguousarray(values), **named)
        array.attrs.update({"units": "nm"} if name == "wavelength" else {})
        if version == 2:
            array.attrs["_ARRAY_DIMENSIONS"] = list(dimensions)
    owner.attrs.update(attributes)
    return path


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dims", [("y", "x", "wavelength"), ("wavelength", "x", "y")])
def test_any_order_of_dimensions(tmp_path, version, dims):
    found = read(store(tmp_path / "flake.zarr", dims, version=version, laser_nm=532.0, sample="A3"))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.frame == Frame((NY, NX), FRAME.step_um, FRAME.origin_um, "A3")
    assert (found.axis.kind, found.axis.laser_nm, found.name) == (AxisKind.WAVELENGTH, 532.0, "flake")


def test_groups_are_items(tmp_path):
    path = store(tmp_path / "flake.zarr", group="pl")
    assert [(item.name, item.shape) for item in list_items(path)] == [("pl", (NY, NX, N))]
    np.testing.assert_array_equal(read(path, "pl").counts, COUNTS)


def test_our_map_by_way_of_xarray_keeps_everything(tmp_path):
    xarray = pytest.importorskip("xarray")
    flake = np.eye(NY, NX, dtype=bool)
    source = SpectralMap.from_arrays(
        COUNTS, AXIS, AxisKind.WAVELENGTH, frame=FRAME, laser_nm=532.0, name="pl", metadata={"a": "b"}, flake=flake
    )
    write_map(source, tmp_path / "flake.nc")
    with warnings.catch_warnings(), xarray.open_dataset(tmp_path / "flake.nc") as opened:
        warnings.simplefilter("ignore")  # Zarr's own remarks on its version 3
        opened.to_zarr(tmp_path / "flake.zarr")
    found = read(tmp_path / "flake.zarr")
    np.testing.assert_array_equal(found.counts, COUNTS)
    np.testing.assert_array_equal(found.flake, flake)
    assert (found.frame, found.name, found.metadata, found.axis.laser_nm) == (FRAME, "pl", {"a": "b"}, 532.0)
    assert found.history[-1].settings["sha256"] == read(tmp_path / "flake.zarr").history[-1].settings["sha256"]


def test_stores_without_a_map(tmp_path):
    zarr.create_group(tmp_path / "empty.zarr")
    with pytest.raises(ReaderError, match="no array 'counts'"):
        read(tmp_path / "empty.zarr")


def test_a_size_that_lies_takes_no_memory(tmp_path):
    path = store(tmp_path / "flake.zarr")
    array = zarr.open_group(path, mode="a")["counts"]
    array.resize((20000, 20000, N))
    for name in ("y", "x"):
        shutil.rmtree(path / name)
    with pytest.raises(ReaderError, match="claims 2400000000 values"):
        read(path)


FILES = ["zarr.json", "counts/zarr.json", "y/zarr.json", "counts/c/0/0/0"]


@settings(max_examples=60, deadline=3000)
@given(
    st.sampled_from(["zarr.json", "counts/zarr.json", "y/zarr.json", "counts/c/0/0/0"]),
    st.integers(0, 2000),
    st.integers(0, 7),
    st.booleans(),
)
def test_damage_gives_a_sentence_or_a_map(tmp_path_factory, name, position, bit, cut):
    path = tmp_path_factory.getbasetemp() / "damaged.zarr"
    shutil.rmtree(path, ignore_errors=True)
    damaged = store(path) / name
    content = bytearray(damaged.read_bytes())
    position %= len(content)
    content[position] ^= 1 << bit
    damaged.write_bytes(content[:position] if cut else content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = read(path)
        except UserError as error:
            assert "\n" not in str(error)
            return
    assert found.counts.size == COUNTS.size


def fill_experiment(root, name="flake", *, signal, first=("y", "x"), place_unit="µm", **metadata):
    """One experiment in HyperSpy's layout, into an open HDF5 file or Zarr group."""
    group = root.create_group(f"Experiments/{name}")
    records = [
        {"name": key, "navigate": True, "size": SIZES[key], "scale": 0.5, "offset": 10.0, "units": place_unit, "index_in_array": index}
        for index, key in enumerate(first)
    ]
    counts = COUNTS if first == ("y", "x") else COUNTS.transpose(1, 0, 2)
    values = signal.pop("axis", None)
    for index, record in enumerate([*records, {"navigate": False, "size": N, **signal}]):
        group.create_group(f"axis-{index}").attrs.update(record)
    write = group.create_dataset if isinstance(root, h5py.Group) else group.create_array
    write("data", data=np.ascontiguousarray(counts))
    if values is not None:
        axis = group["axis-2"]
        (axis.create_dataset if isinstance(root, h5py.Group) else axis.create_array)("axis", data=values)
    for key, record in metadata.items():
        group.create_group(f"metadata/{key}").attrs.update(record)


@pytest.fixture(params=[".hspy", ".zspy"])
def save(request, tmp_path):
    def saver(**options):
        path = tmp_path / f"flake{request.param}"
        if request.param == ".hspy":
            with h5py.File(path, "w") as file:
                fill_experiment(file, **options)
        else:
            fill_experiment(zarr.create_group(path), **options)
        return path

    return saver


@pytest.mark.parametrize("first", [("y", "x"), ("x", "y")])
def test_hyperspy_map(save, first):
    path = save(
        signal={"name": "Raman", "units": "1/cm", "offset": 100.0, "scale": 3.0},
        first=first,
        place_unit="nm",
        Signal={"quantity": "Intensity (Counts/s)"},
        **{"Acquisition_instrument/Laser": {"wavelength": 532.0}},
    )
    found = read(path)
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.frame == Frame((NY, NX), pytest.approx((5e-4, 5e-4)), pytest.approx((0.01, 0.01)))
    np.testing.assert_array_equal(found.axis.values, 100 + 3.0 * np.arange(N))
    assert (found.axis.kind, found.axis.laser_nm, found.intensity_unit) == (AxisKind.RAMAN_SHIFT, 532.0, "counts/s")
    assert [(item.name, item.shape) for item in list_items(path)] == [("flake", (NY, NX, N))]


def test_hyperspy_axis_of_values_in_micrometres(save):
    found = read(save(signal={"name": "Wavelength", "units": "µm", "axis": AXIS[::-1] / 1e3}))
    np.testing.assert_allclose(found.axis.values, AXIS)
    np.testing.assert_array_equal(found.counts, COUNTS[:, :, ::-1])


def test_hyperspy_axis_that_was_never_calibrated(save):
    path = save(signal={"name": "", "units": "<undefined>"})
    with pytest.raises(ReaderError, match="no spectral axis, only channel numbers"):
        read(path)
    assert read(path, unit="nm").axis.kind is AxisKind.WAVELENGTH


def test_a_hyperspy_size_that_lies_makes_no_axis(tmp_path):
    with h5py.File(tmp_path / "huge.hspy", "w") as file:
        fill_experiment(file, signal={"units": "nm", "offset": 500.0})
        del file["Experiments/flake/data"]
        file.create_dataset("Experiments/flake/data", (NY, NX, 10**9), "f4", chunks=(1, 1, 64))
    with pytest.raises(ReaderError, match="claims 12000000000 values"):
        list_items(tmp_path / "huge.hspy")


def test_hyperspy_axes_that_are_no_lengths(save):
    found = read(save(signal={"units": "nm", "offset": 500.0}, place_unit="s"))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert [direction.unit for direction in found.frame.directions] == ["s", "s"]
    assert not found.frame.has_places


def test_hyperspy_file_of_the_library_that_defines_it(tmp_path):
    """Axes, metadata and data as RosettaSciIO writes them."""
    writer = pytest.importorskip("rsciio.hspy")
    place = {"navigate": True, "units": "µm", "_type": "UniformDataAxis", "is_binned": False, "scale": 0.5, "offset": 1.0}
    axes = [{"name": name, "size": SIZES[name], "index_in_array": index, **place} for index, name in enumerate("yx")]
    axes.append({"name": "E", "navigate": False, "axis": AXIS / 300, "units": "eV", "_type": "DataAxis", "size": N, "is_binned": False})
    signal = {"data": COUNTS, "axes": axes, "metadata": {"General": {"title": "t"}}, "attributes": {"_lazy": False}, "package_info": {}}
    empty = {key: {} for key in ("original_metadata", "learning_results", "models", "tmp_parameters")}
    writer.file_writer(tmp_path / "flake.hspy", signal | empty)
    found = read(tmp_path / "flake.hspy")
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert (found.axis.kind, found.frame.step_um, found.metadata["General.title"]) == (AxisKind.ENERGY, (0.5, 0.5), "t")


DAMAGED = """
import sys, warnings
from pathlib import Path
from napari_wse2xai.errors import UserError
from napari_wse2xai.io import read
chunk, whole = Path(sys.argv[2]), Path(sys.argv[2]).read_bytes()
for part in (whole[:72], whole[:10], whole[:-1], whole[:4] + b"\\xff" * 4 + whole[8:], whole[:12] + b"\\xff\\xff\\0\\0" + whole[16:]):
    chunk.write_bytes(part)
    try:
        read(sys.argv[1])
    except UserError as error:
        print(error)
"""


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_chunk_of_blosc_that_was_cut_does_not_end_the_process(tmp_path, zarr_format):
    """Blosc reads as far as its header says; a chunk of 72 bytes in place of 4,462 ended Python by SIGSEGV."""
    root = zarr.create_group(tmp_path / "map.zarr", zarr_format=zarr_format)
    codec = numcodecs.Blosc("lz4") if zarr_format == 2 else zarr.codecs.BloscCodec(cname="lz4")
    values = np.random.default_rng(0).integers(0, 9999, (NY, NX, 600)).astype(np.float32)
    names = ["y", "x", "w"]
    options = {"dimension_names": names} if zarr_format == 3 else {}
    array = root.create_array("counts", data=values, chunks=(NY, NX, 300), compressors=codec, **options)
    axis = root.create_array("w", data=500 + np.arange(600.0), compressors=None, **({"dimension_names": ["w"]} if options else {}))
    axis.attrs["units"] = "nm"
    if zarr_format == 2:
        array.attrs["_ARRAY_DIMENSIONS"], axis.attrs["_ARRAY_DIMENSIONS"] = names, ["w"]
    np.testing.assert_array_equal(read(tmp_path / "map.zarr").counts, values)
    chunk = next(each for each in (tmp_path / "map.zarr" / "counts").rglob("*") if each.is_file() and each.name[0].isdigit())
    command = [sys.executable, "-c", DAMAGED, str(tmp_path / "map.zarr"), str(chunk)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is incomplete or damaged") == 5
