"""Which coordinate column is x, for every order of header and columns; and what is no place at all."""

import itertools
import json
import warnings

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Direction, Frame, SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import read, write_map_table
from napari_wse2xai.io.laser import laser_in

AXIS = (100.5, 200.25, 300.0)
Y, X = (10.0, 12.0, 14.0, 16.0), (-3.0, -1.5, 0.0, 1.5, 3.0)
TRUTH = np.array([[[1000 * y + 10 * x + channel for channel in range(3)] for x in X] for y in Y], dtype=np.float32)


def scan(first="y", fast="x", *, ys=Y, xs=X, snake=False):
    """Lines of a scan: two coordinates in the order of the columns, then counts by a formula of y and x."""
    outer, inner = (ys, xs) if fast == "x" else (xs, ys)
    lines = []
    for row, slow in enumerate(outer):
        for quick in inner[::-1] if snake and row % 2 else inner:
            y, x = (slow, quick) if fast == "x" else (quick, slow)
            lines.append([*((y, x) if first == "y" else (x, y)), *(1000 * y + 10 * x + channel for channel in range(3))])
    return lines


@pytest.fixture
def write(tmp_path):
    def writer(lines, names=(), units=None, *, axis=AXIS, extra=(), encoding="latin-1", decimal="."):
        n_coordinates = len(lines[0]) - len(axis)
        header = ["#AxisUnit[1]=\t1/cm", *extra]
        for number, (name, unit) in enumerate(zip(names, units or ("µm",) * len(names), strict=True), start=2):
            header += [f"#AxisType[{number}]={name}", f"#AxisUnit[{number}]={unit}"]
        cells = [[*[""] * n_coordinates, *axis], *lines]
        table = ["\t".join(map(str, line)).replace(".", decimal) for line in cells]
        path = tmp_path / "map.txt"
        path.write_bytes("\n".join([*header, *table, ""]).encode(encoding))
        return path

    return writer


def told(path):
    """Map, and the words of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = read(path)
    return found, [str(one.message) for one in caught]


def names_of(found):
    return tuple(direction.name for direction in found.frame.directions)


RULES = {
    # header, first column, fast: what the contract says it is, and the words of the warning
    (("X", "Y"), "y", "x"): None,  # LabSpec 6
    (("X", "Y"), "x", "x"): "taken as X and Y, as its header names them",
    (("Y", "X"), "y", "x"): None,
    (("Y", "X"), "y", "y"): None,
    ((), "y", "x"): "does not name its coordinates",
    ((), "x", "x"): "does not name its coordinates",
}


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("snake", [False, True])
@pytest.mark.parametrize(("names", "first", "fast"), RULES)
def test_every_order_of_header_and_columns(write, names, first, fast, snake, decimal):
    found, words = told(write(scan(first, fast, snake=snake), names, decimal=decimal))
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert found.frame.origin_um == pytest.approx((10, -3))
    assert found.frame.step_um == pytest.approx((2, 1.5))
    assert names_of(found) == ("y", "x")
    wanted = RULES[names, first, fast]
    assert len(words) == (wanted is not None)
    assert wanted is None or wanted in words[0]


@pytest.mark.parametrize("first", ["y", "x"])
def test_without_a_header_the_fast_column_is_x_even_if_it_was_y(write, first):
    found, (word,) = told(write(scan(first, "y")))
    np.testing.assert_array_equal(found.counts, TRUTH.transpose(1, 0, 2))
    assert "the column that changes faster is taken as x" in word


def test_missing_pixels_do_not_change_which_column_is_fast(write):
    rng = np.random.default_rng(0)
    ys, xs = tuple(range(9)), tuple(range(7))
    lines = scan(ys=ys, xs=xs)
    kept = [line for line in lines if rng.random() > 0.4]
    found, (word,) = told(write(kept, ("X", "Y")))
    assert "pixels of the 9 x 7 grid are missing" in word
    is_there = np.isfinite(found.counts[:, :, 0])
    assert is_there.sum() == len(kept)
    y, x = np.indices((9, 7))
    np.testing.assert_array_equal(found.counts[is_there, 0], (1000 * y + 10 * x)[is_there])


def test_a_stage_that_trembles_does_not_change_it_either(write):
    rng = np.random.default_rng(1)
    lines = [[line[0] + rng.uniform(-0.1, 0.1), line[1] + rng.uniform(-0.1, 0.1), *line[2:]] for line in scan()]
    found, words = told(write(lines, ("X", "Y")))
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert not words


def test_falling_coordinates_and_a_falling_axis(write):
    lines = [[*line[:2], *line[:1:-1]] for line in scan(ys=Y[::-1], xs=X[::-1])]
    found, words = told(write(lines, ("X", "Y"), axis=AXIS[::-1]))
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert not words


def test_one_row_of_labspec_6(write):
    found, words = told(write(scan(ys=(10.0,)), ("X", "Y")))
    np.testing.assert_array_equal(found.counts, TRUTH[:1])
    assert not words


def test_one_pixel(write):
    found, words = told(write(scan(ys=(10.0,), xs=(-3.0,)), ("X", "Y")))
    np.testing.assert_array_equal(found.counts, TRUTH[:1, :1])
    assert found.frame.origin_um == (10, -3)
    assert not words


def test_a_first_column_that_alone_changes_is_taken_as_named_and_said(write):
    found, (word,) = told(write(scan(xs=(-3.0,)), ("X", "Y")))
    assert found.frame.shape == (1, 4)
    assert "compare the map" in word


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1e3), ("nm", 1e-3), ("um", 1), ("µm", 1), ("μm", 1), ("", 1)])
def test_units_of_length(write, unit, factor):
    found, words = told(write(scan(), ("X", "Y"), (unit, unit), encoding="utf-8"))
    assert found.frame.step_um == pytest.approx((2 * factor, 1.5 * factor))
    assert not words


def test_units_go_with_their_names(write):
    lines = [[line[0], 1000 * line[1], *line[2:]] for line in scan()]
    found, _ = told(write(lines, ("X", "Y"), ("nm", "µm")))
    assert found.frame.step_um == pytest.approx((2, 1.5))


PLANES = {
    ("X", "Z"): (("z", "x"), None),
    ("Y", "Z"): (("z", "y"), None),
    ("XA", "YA"): (("YA", "XA"), "at an angle to the stage"),
    ("x", "y"): (("y", "x"), None),
    ("X (µm)", "Y (µm)"): (("y", "x"), None),
}


@pytest.mark.parametrize("names", PLANES)
def test_planes_get_their_own_names(write, names):
    found, words = told(write(scan(), names))
    wanted, warning = PLANES[names]
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert names_of(found) == wanted
    assert found.frame.has_places
    assert [warning in word for word in words] == [True] * (warning is not None)


def test_z_named_first_is_the_first_column(write):
    found, words = told(write(scan(), ("Z", "X")))
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert (names_of(found), words) == (("z", "x"), [])


SERIES = {
    ("Time", "s"): Direction("time", "s"),
    ("Temps", "min"): Direction("time", "min"),
    ("Temperature", "K"): Direction("temperature", "K"),
    ("Temperatur", "°C"): Direction("temperature", "°C"),
    ("Température (°C)", ""): Direction("temperature", "°C"),
    ("Power", "mW"): Direction("power", "mW"),
    ("Leistung", "%"): Direction("power", "%"),
    ("Points", ""): Direction("point", ""),
    ("Voltage", "V"): Direction("voltage", "V"),
}


@pytest.mark.parametrize("values", [(0.0, 60.0, 120.0, 180.0), (77.0, 100.0, 300.0, 150.0), (1.0, 1.0, 2.0, 1.0)], ids=str)
@pytest.mark.parametrize(("name", "unit"), SERIES)
def test_a_series_keeps_its_values_and_is_no_place(write, name, unit, values):
    lines = [[value, *spectrum] for value, spectrum in zip(values, TRUTH[:, 0].tolist(), strict=True)]
    found, words = told(write(lines, (name,), (unit,)))
    np.testing.assert_array_equal(found.counts[:, 0], TRUTH[:, 0])
    rows = found.frame.directions[0]
    assert (rows.name, rows.unit) == (SERIES[name, unit].name, SERIES[name, unit].unit)
    np.testing.assert_allclose(found.frame.y_um, values)
    assert not found.frame.has_places
    assert not words


@pytest.mark.parametrize(("name", "shape"), [("Y", (4, 1)), ("X", (1, 4)), ("Z", (4, 1)), ("Depth", (4, 1))])
def test_a_line_lies_as_it_was_scanned(write, name, shape):
    lines = [[y, *spectrum] for y, spectrum in zip(Y, TRUTH[:, 0].tolist(), strict=True)]
    found, words = told(write(lines, (name,)))
    assert found.frame.shape == shape
    np.testing.assert_array_equal(found.counts.reshape(4, 3), TRUTH[:, 0])
    along = 1 if name == "X" else 0
    assert (found.frame.origin_um[along], found.frame.step_um[along]) == pytest.approx((10, 2))
    assert found.frame.directions[along].name == name.lower()
    assert found.frame.has_places
    assert not words


def test_a_line_over_time(write):
    lines = [[time, x, *counts] for time, x, *counts in scan(ys=(0.0, 30.0, 90.0, 100.0))]
    found, words = told(write(lines, ("X", "Time"), ("µm", "s")))
    assert found.frame.shape == (4, 5)
    assert [direction.label for direction in found.frame.directions] == ["time (s)", "x (µm)"]
    assert found.frame.y_um.tolist() == [0, 30, 90, 100]
    np.testing.assert_array_equal(found.counts[2, 1], [90_000 - 15 + channel for channel in range(3)])
    assert not found.frame.has_places
    assert not words


@pytest.mark.parametrize("order", list(itertools.permutations("xyz")))
def test_a_third_coordinate_that_stays_is_left_out(write, order):
    lines = [[{"x": line[1], "y": line[0], "z": 5.0}[name] for name in order] + line[2:] for line in scan()]
    names = [name.upper() for name in order]
    named = names[::-1] if names == ["Z", "Y", "X"] else names  # LabSpec 6 names x first and writes it last
    found, _ = told(write(lines, named))
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert names_of(found) == ("y", "x")


def test_a_height_that_follows_the_surface_is_said(write):
    lines = [[0.1 * number, *line] for number, line in enumerate(scan())]
    found, (word,) = told(write(lines, ("X", "Y", "Z")))
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert "z (µm) follows the surface from 0 to 1.9" in word


def test_a_volume_is_refused(write):
    lines = [[z, *line] for z in (0.0, 1.0) for line in scan()]
    with pytest.raises(ReaderError, match="3 coordinate columns that all change"):
        read(write(lines, ("X", "Y", "Z")))


@pytest.mark.parametrize("over", ["0", "0.0", "nan"])
def test_zeros_over_the_coordinates_are_no_channels(write, over):
    path = write(scan(), ("X", "Y"))
    path.write_bytes(path.read_bytes().replace(b"\t\t100.5", f"{over}\t{over}\t100.5".encode()))
    found, words = told(path)
    np.testing.assert_array_equal(found.counts, TRUTH)
    np.testing.assert_array_equal(found.axis.values, AXIS)
    assert not words


def test_blanks_show_no_empty_cells(write):
    path = write(scan(), ("X", "Y"))
    path.write_bytes(path.read_bytes().replace(b"=\t", b"=").replace(b"\t", b"   "))
    found, words = told(path)
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert not words


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-16-be"])
@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_a_map_in_another_encoding(write, encoding, end):
    path = write(scan(), ("X", "Y"))
    path.write_bytes(path.read_bytes().decode("latin-1").replace("\n", end).encode(encoding))
    found, words = told(path)
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert not words


@pytest.mark.parametrize("frame", [Frame((4, 5), (2.0, 1.5), (10.0, -3.0)), Frame((4, 5), (-2.0, 1.5), (16.0, -3.0)), Frame((1, 1))])
def test_own_tables_read_back_without_a_word_and_others_agree(tmp_path, frame):
    rng = np.random.default_rng(2)
    counts = rng.normal(100, 5, (*frame.shape, 3)).astype(np.float32)
    whole = SpectralMap.from_arrays(counts, AXIS, AxisKind.RAMAN_SHIFT, frame=frame)
    write_map_table(whole, tmp_path / "own.txt")
    found, words = told(tmp_path / "own.txt")
    np.testing.assert_array_equal(found.counts, counts)
    assert (found.frame, words) == (frame, [])
    lines = (tmp_path / "own.txt").read_text(encoding="latin-1").splitlines()
    (tmp_path / "stripped.txt").write_text("\n".join(line for line in lines if "napari-wse2xai" not in line), encoding="latin-1")
    other, words = told(tmp_path / "stripped.txt")
    up = slice(None, None, -1 if frame.step_um[0] < 0 else 1)
    np.testing.assert_array_equal(other.counts, counts[up])
    assert not words


def test_tables_of_version_0_1_read_as_before(write):
    """They have columns x, y, and y is slow."""
    kept = json.dumps({"shape": [4, 5], "step_um": [2.0, 1.5], "origin_um": [10.0, -3.0], "sample": "flake"})
    found, words = told(write(scan("x"), ("X", "Y"), extra=(f"#Frame (napari-wse2xai)=\t{kept}",)))
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert found.frame == Frame((4, 5), (2.0, 1.5), (10.0, -3.0), "flake")
    assert not words


LASERS = {
    ("Laser (nm)", "532 "): 532,
    ("Laser (nm)", "532,05"): 532.05,
    ("LASER (NM)", "785.0"): 785,
    ("EXCIT_LINE", "514.532"): 514.532,
    ("Excit. Line", "632.8 nm"): 632.8,
    ("Laser", "532nm_Edge"): 532,
    ("Laser", "L2 (633 nm) edge"): 633,
    ("ExcitationWavelength", "532.2"): 532.2,
    ("Laserwellenlänge (nm)", "488"): 488,
    ("Laser Pol. (°)", "180"): None,
    ("Laser power (mW)", "500"): None,
    ("Laser", "HeNe 1"): None,
    ("Objective", "x50"): None,
}


@pytest.mark.parametrize(("key", "value"), LASERS)
def test_laser_in_the_words_of_instruments(key, value):
    assert laser_in({"Laser Pol.": "No", key: value}) == LASERS[key, value]


def test_what_changes_equally_fast_is_said(write):
    rng = np.random.default_rng(3)
    lines = [[*rng.uniform(0, 100, 2), 1, 2, 3] for _ in range(40)]
    with pytest.warns(DataWarning, match="change equally fast"), pytest.warns(DataWarning, match="no rectangular grid"):
        read(write(lines, ("X", "Y")))
