"""Who sees that x was taken for y says so: pixels, places and all that is known of them change together."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai import cli
from napari_wse2xai.data import AxisKind, Direction, Frame, SpectralMap
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.io import read, write_map

AXIS = 150 + 2.5 * np.arange(12)
Y, X = (10.0, 12.0, 14.0), (-3.0, -1.5, 0.0, 1.5)


@pytest.fixture
def table(tmp_path):
    """Table without a header, whose first column is y; its fast column is y too, so that it is read as x."""
    lines = ["\t".join(["", "", *map(str, AXIS)])]
    lines += ["\t".join(map(str, [y, x, *(1000 * y + 10 * x + AXIS)])) for x in X for y in Y]
    (tmp_path / "map.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "map.txt"


def words_of(path, **told):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        found = read(path, **told)
    return found, " ".join(str(each.message) for each in caught)


def test_the_warning_names_what_mends_it_and_is_silent_then(table):
    found, words = words_of(table, unit="cm-1")
    assert "'swap x and y' when you load it (in the Load maps panel, swap_xy: true in a recipe, --swap-xy)" in words
    assert (found.frame.shape, found.frame.y_um.tolist()) == ((4, 3), pytest.approx(X))
    mended, words = words_of(table, unit="cm-1", swap_xy=True)
    assert words == ""
    assert (mended.frame.y_um.tolist(), mended.frame.x_um.tolist()) == (pytest.approx(Y), pytest.approx(X))
    truth = 1000 * np.array(Y)[:, None, None] + 10 * np.array(X)[None, :, None] + AXIS
    np.testing.assert_allclose(mended.counts, truth, rtol=1e-6)
    assert mended.history[-1].settings["swap_xy"] is True


def test_the_command_line_swaps(table, tmp_path):
    assert cli.main(["convert", str(table), str(tmp_path / "map.nc"), "--swap-xy"]) == 0
    assert read(tmp_path / "map.nc").frame.y_um.tolist() == pytest.approx(Y)


def made(frame, **fields):
    ny, nx = frame.shape
    counts = np.arange(ny * nx * len(AXIS), dtype=np.float32).reshape(ny, nx, -1)
    return SpectralMap.from_arrays(counts, AXIS, AxisKind.RAMAN_SHIFT, frame=frame, **fields)


def test_every_pixel_goes_where_its_coordinates_exchanged_say(tmp_path):
    """Of a turned scan with flake and falling x."""
    flake = np.array([[1, 0, 0], [1, 1, 0]], dtype=bool)
    repaired = np.arange(6, dtype=np.uint16).reshape(2, 3)
    source = made(Frame((2, 3), (2.0, -1.5), (7.0, 3.0), rotation_deg=20.0), flake=flake, repaired=repaired)
    write_map(source, tmp_path / "map.nc")
    found = read(tmp_path / "map.nc", swap_xy=True)
    assert found.frame.shape == (3, 2)
    for row, column in np.ndindex(2, 3):
        np.testing.assert_allclose(found.frame.at(column, row), source.frame.at(row, column)[::-1])
        assert np.array_equal(found.counts[column, row], source.counts[row, column])
        assert (found.flake[column, row], found.repaired[column, row]) == (flake[row, column], repaired[row, column])
    again = replace(found)
    write_map(again, tmp_path / "again.nc")
    assert read(tmp_path / "again.nc", swap_xy=True).frame == source.frame


def test_a_series_has_no_x_and_y(tmp_path):
    series = made(Frame((4, 1), directions=(Direction("time", "s"), Direction("x"))))
    write_map(series, tmp_path / "series.nc")
    with pytest.raises(DataError, match=r"time \(s\) in one direction, which is no place"):
        read(tmp_path / "series.nc", swap_xy=True)


def test_uneven_rows_keep_their_values(tmp_path):
    frame = Frame((3, 2), (2.0, 1.0), (0.0, 5.0), directions=(Direction("y", values=(0.0, 1.0, 4.0)), Direction("x")))
    write_map(made(frame), tmp_path / "map.nc")
    found = read(tmp_path / "map.nc", swap_xy=True)
    assert found.frame.x_um.tolist() == [0.0, 1.0, 4.0]
    assert found.frame.y_um.tolist() == [5.0, 6.0]
