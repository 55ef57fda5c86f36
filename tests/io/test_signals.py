"""Arrays with described axes, as HyperSpy writes them: what their axes are, by name and unit, and which of them are places."""

import h5py
import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Direction
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import list_items, read

NY, NX, N = 3, 4, 6
COUNTS = np.arange(NY * NX * N, dtype=np.float32).reshape(NY, NX, N)
SHIFT = {"name": "Raman Shift", "units": "cm-1", "offset": 100.0, "scale": 3.0}


@pytest.fixture
def write(tmp_path):
    def writer(data, *axes, spectral=None):
        """Axes of the spectra in the order of the array; those with a list of values are uneven."""
        with h5py.File(tmp_path / "flake.hspy", "w") as file:
            file.attrs["file_format"] = "HyperSpy"
            group = file.create_group("Experiments/flake")
            group["data"] = data
            for index, record in enumerate((*axes, spectral or SHIFT)):
                axis = group.create_group(f"axis-{index}")
                axis.attrs.update({key: value for key, value in record.items() if key != "values"} | {"navigate": index < len(axes)})
                if "values" in record:
                    axis["axis"] = record["values"]
        return tmp_path / "flake.hspy"

    return writer


def along(name, unit="µm", scale=1.0, offset=0.0):
    return {"name": name, "units": unit, "scale": scale, "offset": offset}


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (along("time", "s", 60.0), Direction("time", "s")),
        (along("Temperature", "K", 10.0, 4.0), Direction("Temperature", "K")),
        (along("power", "mW"), Direction("power", "mW")),
        ({"name": "time", "units": "s", "values": [0.0, 1.0, 5.0]}, Direction("time", "s", (0.0, 1.0, 5.0))),
        (along("z", "nm", 500.0), Direction("z")),
        (along("", ""), Direction("point", "")),
    ],
)
@pytest.mark.filterwarnings("ignore:.*shown as a list:napari_wse2xai.errors.DataWarning")
def test_a_series_runs_over_what_its_axis_says(write, axis, expected):
    found = read(write(COUNTS[:, 0], axis))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS[:, 0])
    assert found.frame.directions[0] == expected
    assert found.frame.has_places is expected.is_length
    wanted = axis.get("values", axis.get("offset", 0.0) + axis.get("scale", 1.0) * np.arange(NY))
    np.testing.assert_allclose(found.frame.y_um, np.asarray(wanted) / (1e3 if axis["units"] == "nm" else 1))


@pytest.mark.parametrize(("rows", "columns"), [("y", "x"), ("z", "x"), ("z", "y"), ("time", "x"), ("height", "width")])
@pytest.mark.parametrize("is_swapped", [False, True])
def test_x_runs_along_the_columns_whatever_the_order_in_the_file(write, rows, columns, is_swapped):
    axes = [along(rows, "s" if rows == "time" else "µm", 2.0, 10.0), along(columns, "µm", 1.5, -3.0)]
    path = write(COUNTS.transpose(1, 0, 2) if is_swapped else COUNTS, *(axes[::-1] if is_swapped else axes))
    found = read(path)
    np.testing.assert_array_equal(found.counts, COUNTS)
    names = {"height": "y", "width": "x"}
    assert [direction.name for direction in found.frame.directions] == [names.get(rows, rows), names.get(columns, columns)]
    assert (found.frame.step_um, found.frame.origin_um) == ((2.0, 1.5), (10.0, -3.0))
    assert found.frame.has_places is (rows != "time")


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("extra", ["time", "z"])
def test_each_map_of_a_stack_is_an_item(write, at, extra):
    stack = np.stack([COUNTS, 2 * COUNTS], axis=at)
    axes = [along("y"), along("x")]
    axes.insert(at, along(extra, "s" if extra == "time" else "µm", 60.0))
    path = write(stack, *axes)
    items = list_items(path)
    if extra == "time" or at == 0:
        assert [item.shape for item in items] == [(NY, NX, N)] * 2
        np.testing.assert_array_equal(read(path, items[1].name).counts, 2 * COUNTS)
        assert items[1].name == f"flake, {extra} 60 {'s' if extra == 'time' else 'µm'}"
    with pytest.warns(DataWarning, match="more than one item"):
        read(path)


@pytest.mark.parametrize(
    ("name", "unit", "start", "kind", "is_told"),
    [
        ("Raman Shift", "1/cm", 100.0, AxisKind.RAMAN_SHIFT, False),
        ("Raman Shift", "1/cm", 13000.0, AxisKind.RAMAN_SHIFT, True),
        ("Wavenumber", "1/cm", 13000.0, AxisKind.WAVENUMBER, False),
        ("Wavenumber", "1/cm", 100.0, AxisKind.RAMAN_SHIFT, True),
        ("Spectral", "1/cm", 13000.0, AxisKind.WAVENUMBER, True),
        ("Spectral", "abs. 1/cm", 13000.0, AxisKind.WAVENUMBER, False),
        ("Raman Shift", "", 500.0, AxisKind.RAMAN_SHIFT, True),
        ("Wavelength", "", 100.0, AxisKind.WAVELENGTH, True),
        ("Energy", "meV", 1500.0, AxisKind.ENERGY, False),
        ("Wavelength", "Å", 6000.0, AxisKind.WAVELENGTH, False),
    ],
)
def test_kind_of_the_axis_by_name_and_unit(write, name, unit, start, kind, is_told, recwarn):
    path = write(COUNTS, along("y"), along("x"), spectral={"name": name, "units": unit, "offset": start, "scale": 3.0})
    found = read(path)
    assert found.axis.kind is kind
    factor = {"meV": 1e-3, "Å": 0.1}.get(unit, 1.0)
    np.testing.assert_allclose(found.axis.values, factor * (start + 3.0 * np.arange(N)))
    assert any("is taken as" in str(each.message) for each in recwarn) is is_told
    for wanted in AxisKind:
        assert read(path, unit=wanted.code).axis.kind is wanted


def test_a_unit_that_is_none_of_light_is_listed_refused_and_repaired(write):
    path = write(COUNTS, along("y"), along("x"), spectral={"name": "Delay", "units": "ps", "offset": 500.0, "scale": 3.0})
    assert list_items(path)[0].axis == "500–515 (unit ?)"
    with pytest.raises(DataError, match="'ps' is not known"):
        read(path)
    assert read(path, unit="nm").axis.kind is AxisKind.WAVELENGTH


def test_complex_counts_and_uneven_steps(write):
    with pytest.raises(ReaderError, match="complex"):
        read(write(COUNTS + 1j, along("y"), along("x")))
    with pytest.warns(DataWarning, match="distances along 'y' differ"):
        found = read(write(COUNTS, {"name": "y", "units": "um", "values": [0.0, 1.0, 5.0]}, along("x")))
    np.testing.assert_allclose(found.frame.y_um, [0, 1, 5])
