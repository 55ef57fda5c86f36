"""Arrays in NumPy, MATLAB and HDF5 files: the length of an axis says which dimension it belongs to, whatever the order of writing."""

import warnings
import zipfile

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from napari_wse2xai.data import AxisKind, Direction
from napari_wse2xai.errors import DataWarning, ReaderError, UserError
from napari_wse2xai.io import list_items, read

NY, NX, N = 3, 4, 6
COUNTS = np.arange(NY * NX * N, dtype=np.float32).reshape(NY, NX, N)
SHIFT = 100 + 3.0 * np.arange(N)
Y, X = 10 + 2.0 * np.arange(NY), -3 + 1.5 * np.arange(NX)
pytestmark = pytest.mark.filterwarnings("ignore:.*does not say:napari_wse2xai.errors.DataWarning")


def write_npz(path, content):
    np.savez_compressed(path, **content)


def write_mat(path, content):
    savemat(path, content, do_compression=True)


def write_h5(path, content):
    with h5py.File(path, "w") as file:
        for name, values in content.items():
            file.create_dataset(name, data=values)


def write_mat73(path, content):
    """As MATLAB writes it: every array in its own order of memory, first index fast, with the class as an attribute."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in content.items():
            array = np.atleast_2d(np.frombuffer(values.encode("utf-16-le"), np.uint16) if isinstance(values, str) else values)
            file.create_dataset(name, data=array.T).attrs["MATLAB_class"] = b"char" if isinstance(values, str) else b"double"
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")


WRITERS = {".npz": write_npz, ".mat": write_mat, ".h5": write_h5, ".nxs": write_h5, "7.3.mat": write_mat73}


@pytest.fixture(params=WRITERS)
def write(request, tmp_path):
    def writer(**content):
        path = tmp_path / f"flake{request.param}"
        WRITERS[request.param](path, content)
        return path

    return writer


def require_whole(found):
    np.testing.assert_array_equal(found.counts, COUNTS)
    np.testing.assert_allclose(found.axis.values, SHIFT)
    np.testing.assert_allclose(found.frame.y_um, Y, atol=1e-9)
    np.testing.assert_allclose(found.frame.x_um, X, atol=1e-9)


@pytest.mark.parametrize("order", ["yxs", "xys", "syx", "sxy", "ysx", "xsy"])
def test_any_order_of_dimensions(write, order):
    cube = COUNTS.transpose(["yxs".index(letter) for letter in order])
    found = read(write(counts=cube, raman_shift=SHIFT, y=Y, x=X, laser_nm=532.0))
    require_whole(found)
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.RAMAN_SHIFT, 532.0)
    assert found.frame.directions == (Direction("y"), Direction("x"))


@pytest.mark.parametrize("form", [".nc", ".zarr"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("with_places", [True, False])
def test_what_xarray_wrote_under_other_names(tmp_path, form, order, with_places):
    """Once taken for (y, x, spectral), with the numbers of the channels as energies in eV."""
    xarray = pytest.importorskip("xarray")
    values = {"Y_um": Y, "X_um": X, "shift": ("shift", SHIFT, {"units": "cm-1"})}
    names = [list(values)[at] for at in order]
    known = {name: values[name] for name in names if with_places or name == "shift"}
    dataset = xarray.Dataset({"intensity" if with_places else "counts": (names, COUNTS.transpose(order))}, known)
    path = tmp_path / f"flake{form}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Zarr's own remarks on its version 3
        dataset.to_netcdf(path, engine="h5netcdf") if form == ".nc" else dataset.to_zarr(path)
    found = read(path)
    np.testing.assert_array_equal(found.counts, COUNTS)
    np.testing.assert_allclose(found.axis.values, SHIFT)
    assert found.frame.step_um == ((2.0, 1.5) if with_places else (1.0, 1.0))
    assert list_items(path)[0].shape == (NY, NX, N)


def test_rows_and_columns_of_a_square_map_that_nothing_tells_are_doubted(write):
    square = COUNTS[:, :NY]
    path = write(cube=square, raman_shift=SHIFT, x=X[:NY], y=Y)
    with pytest.warns(DataWarning, match="both sides of the map have 3 pixels.*swap x and y"):
        found = read(path)
    np.testing.assert_array_equal(found.counts, square)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*does not say", DataWarning)
        read(write(cube=COUNTS, raman_shift=SHIFT, x=X, y=Y))
        read(path, swap_xy=True)


def test_a_falling_axis_turns_the_spectra(write):
    require_whole(read(write(counts=COUNTS[:, :, ::-1], wavenumber=SHIFT[::-1], y=Y, x=X)))


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("wavelength_nm", SHIFT + 600, AxisKind.WAVELENGTH),
        ("raman_shift", SHIFT + 400, AxisKind.RAMAN_SHIFT),  # within the range of wavelengths, but called a shift
        ("energy", 1.5 + SHIFT / 1e3, AxisKind.ENERGY),
        ("wavenumber", 13000 + SHIFT, AxisKind.WAVENUMBER),
    ],
)
def test_the_name_of_the_axis_tells_its_kind(write, name, values, kind):
    path = write(**{"spectra": COUNTS, name: values})
    assert read(path).axis.kind is kind
    assert read(path, unit="nm").axis.kind is AxisKind.WAVELENGTH


def test_spectra_at_points_lie_on_their_grid(write):
    y, x = (each.ravel() for each in np.meshgrid(Y, X, indexing="ij"))
    order = np.random.default_rng(0).permutation(NY * NX)
    require_whole(read(write(counts=COUNTS.reshape(-1, N)[order], shift=SHIFT, y=y[order], x=x[order])))


def test_a_list_of_the_pixels_of_a_map(write):
    path = write(counts=COUNTS.reshape(-1, N), shift=SHIFT, y=Y, x=X)
    if path.suffix == ".mat":  # MATLAB counts down the columns
        path = write(counts=COUNTS.transpose(1, 0, 2).reshape(-1, N), shift=SHIFT, y=Y, x=X)
    require_whole(read(path))


def test_a_list_without_places_and_a_series(write):
    with pytest.warns(DataWarning, match="12 spectra are shown as a list"):
        found = read(write(counts=COUNTS.reshape(-1, N), shift=SHIFT))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS.reshape(-1, N))
    assert not found.frame.has_places
    series = read(write(counts=COUNTS[0], shift=SHIFT, time=[0.0, 1.0, 5.0, 6.0]))
    assert series.frame.directions[0] == Direction("time", "", (0.0, 1.0, 5.0, 6.0))
    assert not series.frame.has_places


def test_a_map_at_several_times_is_an_item_each(write):
    path = write(counts=np.stack([COUNTS, 2 * COUNTS]), shift=SHIFT, y=Y, x=X, time=[0.0, 60.0])
    names = [item.name for item in list_items(path)]
    assert names == ["counts, time 0", "counts, time 60"]
    np.testing.assert_array_equal(read(path, names[1]).counts, 2 * COUNTS)


def test_a_single_spectrum(write):
    found = read(write(counts=COUNTS[0, 0], shift=SHIFT))
    np.testing.assert_array_equal(found.counts[0, 0], COUNTS[0, 0])


def test_counts_go_before_errors_and_one_may_choose(write):
    path = write(counts_error=np.ones_like(COUNTS), intensity=COUNTS, shift=SHIFT)
    with pytest.warns(DataWarning, match="'intensity' was read; also there: 'counts_error'"):
        assert read(path).name == "intensity"
    assert read(path, "counts_error").counts.max() == 1


def test_two_dimensions_as_long_as_the_axis_are_told(write):
    square = np.arange(6 * 3 * 6, dtype=np.float32).reshape(6, 3, 6)
    with pytest.warns(DataWarning, match="the last of them is taken as the spectral one"):
        np.testing.assert_array_equal(read(write(counts=square, shift=SHIFT)).counts, square)


def test_without_an_axis_there_is_one_sentence(write):
    path = write(counts=COUNTS, other=np.arange(5.0))
    with pytest.raises(ReaderError, match="no spectral axis of its length"):
        read(path)
    assert [str(item) for item in list_items(path)] == ["counts: 3 x 4 x 6, no spectral axis of its length beside it"]


def test_complex_counts_are_refused(tmp_path):
    for suffix in (".npz", ".mat", ".h5"):
        WRITERS[suffix](tmp_path / f"flake{suffix}", {"counts": COUNTS + 1j, "shift": SHIFT})
        with pytest.raises(UserError, match="complex"):
            read(tmp_path / f"flake{suffix}")


def test_groups_and_dimension_scales(tmp_path):
    with h5py.File(tmp_path / "flake.h5", "w") as file:
        for name, factor in (("first", 1), ("second", 2)):
            group = file.create_group(f"runs/{name}")
            group["signal"] = factor * COUNTS
            group["w"], group["down"], group["across"] = SHIFT, Y, X
            group["w"].attrs["units"] = "1/cm"
            for index, axis in enumerate(("down", "across", "w")):
                group[axis].make_scale()
                group[axis].attrs["units"] = "1/cm" if axis == "w" else "um"
                group["signal"].dims[index].attach_scale(group[axis])
    found = read(tmp_path / "flake.h5", "runs/second/signal")
    np.testing.assert_array_equal(found.counts, 2 * COUNTS)
    np.testing.assert_allclose(found.frame.x_um, X)
    assert [item.name for item in list_items(tmp_path / "flake.h5")] == ["runs/first/signal", "runs/second/signal"]


def test_nexus_by_its_attributes_and_links(tmp_path):
    with h5py.File(tmp_path / "flake.nxs", "w") as file:
        detector = file.create_group("entry/instrument/detector")
        detector["raw"] = COUNTS.transpose(2, 1, 0)
        file["entry/instrument/laser/wavelength"] = 632.8
        data = file.create_group("entry/data")
        data.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["energy", "sample_x", "sample_y"]})
        data["data"] = h5py.SoftLink("/entry/instrument/detector/raw")
        data["energy"], data["sample_x"], data["sample_y"] = 1500.0 + SHIFT, X * 1e-3, Y * 1e-3
        for name, unit in (("energy", "meV"), ("sample_x", "mm"), ("sample_y", "mm")):
            data[name].attrs["units"] = unit
    found = read(tmp_path / "flake.nxs")
    assert found.axis.laser_nm == 632.8
    assert found.axis.kind is AxisKind.ENERGY
    np.testing.assert_allclose(found.axis.values, 1.5 + SHIFT / 1e3)
    assert sorted(found.frame.shape) == [NY, NX]
    along = {
        direction.name[-1]: values for direction, values in zip(found.frame.directions, (found.frame.y_um, found.frame.x_um), strict=True)
    }
    np.testing.assert_allclose(along["x"], X)
    np.testing.assert_allclose(along["y"], Y)


def test_hyperspy_under_a_common_name(tmp_path):
    with h5py.File(tmp_path / "flake.h5", "w") as file:
        file.attrs["file_format"] = "HyperSpy"
        group = file.create_group("Experiments/one")
        group["data"] = COUNTS[0]
        group.create_group("axis-0").attrs.update({"name": "x", "units": "um", "navigate": True, "size": NX, "scale": 1.5, "offset": -3.0})
        group.create_group("axis-1").attrs.update(
            {"name": "Raman Shift", "units": "cm-1", "navigate": False, "scale": 3.0, "offset": 100.0}
        )
    np.testing.assert_array_equal(read(tmp_path / "flake.h5").counts[:, 0], COUNTS[0])


def test_a_small_archive_cannot_claim_gigabytes(tmp_path):
    head = np.lib.format.magic(1, 0)
    said = str({"descr": "<f8", "fortran_order": False, "shape": (4096, 4096, 512)}).encode().ljust(118) + b"\n"
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("counts.npy", head + len(said).to_bytes(2, "little") + said + bytes(64))
    with pytest.raises(ReaderError, match="claims more values than it holds"):
        read(tmp_path / "huge.npz")


@pytest.mark.parametrize("seed", range(40))
def test_damage_gives_a_sentence_or_a_map(write, seed):
    path = write(counts=COUNTS, shift=SHIFT, y=Y, x=X, note="text")
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for position in rng.integers(0, len(content), 4):
        content[position] ^= 1 << int(rng.integers(8))
    path.write_bytes(content[: int(rng.choice([len(content), rng.integers(1, len(content))]))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = read(path)
        except UserError as error:
            assert "\n" not in str(error)
            return
    assert found.counts.size <= 8 * COUNTS.size
