"""LabSpec tables: the real ones, every dialect, and what can be wrong with them."""

import gzip
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataError, DataWarning, ReaderError, UserError
from napari_wse2xai.io import list_items, read

AXIS = (100.5, 200.25, 300.0, 400.0)


OF_LABSPEC_6 = ("#AxisType[2]=X", "#AxisUnit[2]=\u00b5m", "#AxisType[3]=Y", "#AxisUnit[3]=\u00b5m")
HEADER = ("#Laser (nm)=\t532", "#AxisUnit[1]=\t1/cm", *OF_LABSPEC_6)


def table(rows, *, n_coordinates=2, axis=AXIS, header=HEADER, separator="\t", decimal="."):
    lines = [separator.join([*[""] * n_coordinates, *map(str, axis)]), *(separator.join(map(str, row)) for row in rows)]
    return "\n".join([*header, *(line.replace(".", decimal) for line in lines)]) + "\n"


def grid_rows(ny=3, nx=4, *, order="x fast", y0=-2.0, x0=10.0, step=0.5):
    """Lines y, x, counts, as LabSpec 6 writes them."""
    places = [(j, i) for j in range(ny) for i in range(nx)] if order == "x fast" else [(j, i) for i in range(nx) for j in range(ny)]
    return [[y0 + j * step, x0 + i * step, *(100 * j + 10 * i + k for k in range(len(AXIS)))] for j, i in places]


def expected(ny=3, nx=4):
    j, i, k = np.indices((ny, nx, len(AXIS)))
    return (100 * j + 10 * i + k).astype(np.float32)


@pytest.fixture
def write(tmp_path):
    def writer(text, name="map.txt"):
        path = tmp_path / name
        content = text.encode("latin-1")
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return writer


@pytest.mark.parametrize("name", ["map.txt", "map.txt.gz", "MAP.TXT"])
def test_map_of_labspec_6(write, name):
    found = read(write(table(grid_rows()), name))
    np.testing.assert_array_equal(found.counts, expected())
    assert found.frame.step_um == pytest.approx((0.5, 0.5))
    assert found.frame.origin_um == pytest.approx((-2.0, 10.0))
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.RAMAN_SHIFT, 532.0)
    np.testing.assert_array_equal(found.axis.values, AXIS)


def test_row_zero_has_the_smallest_y_whatever_the_scan_direction(write):
    found = read(write(table(grid_rows()[::-1])))
    np.testing.assert_array_equal(found.counts, expected())


def test_falling_axis_is_turned_with_its_counts(write):
    rows = [[*row[:2], *row[2:][::-1]] for row in grid_rows()]
    found = read(write(table(rows, axis=AXIS[::-1])))
    np.testing.assert_array_equal(found.counts, expected())
    np.testing.assert_array_equal(found.axis.values, AXIS)


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_decimal_comma(write, separator):
    found = read(write(table(grid_rows(), decimal=",", separator=separator)))
    np.testing.assert_array_equal(found.counts, expected())
    np.testing.assert_array_equal(found.axis.values, AXIS)


def test_decimal_comma_in_the_counts_alone(write):
    text = "\n".join(["#AxisUnit[1]=\tnm", *OF_LABSPEC_6, "\t\t500\t501", "0\t0\t1,5\t2,5", "0\t1\t3,5\t4,5"])
    np.testing.assert_array_equal(read(write(text)).counts.ravel(), [1.5, 2.5, 3.5, 4.5])


def test_comma_separated_values(write):
    np.testing.assert_array_equal(read(write(table(grid_rows(), separator=","), "map.csv")).counts, expected())


def test_missing_pixels_are_nan_and_counted(write):
    rows = grid_rows()
    del rows[5], rows[0]
    with pytest.warns(DataWarning, match="2 of 12 pixels"):
        found = read(write(table(rows)))
    wanted = expected()
    wanted[0, 0] = wanted[1, 1] = np.nan
    np.testing.assert_array_equal(found.counts, wanted)


def test_a_whole_missing_row_keeps_its_place(write):
    with pytest.warns(DataWarning, match="4 of 20 pixels"):
        found = read(write(table([row for row in grid_rows(5, 4) if row[0] != -1.5])))
    assert found.frame.shape == (5, 4)
    assert np.isnan(found.counts[1]).all()


def test_coordinates_with_jitter(write):
    rng = np.random.default_rng(0)
    rows = [[y + rng.uniform(-0.1, 0.1), x + rng.uniform(-0.1, 0.1), *counts] for y, x, *counts in grid_rows(12, 15, step=1.0)]
    found = read(write(table(rows)))
    assert found.frame.shape == (12, 15)
    assert found.frame.step_um == pytest.approx((1.0, 1.0), abs=0.02)
    np.testing.assert_array_equal(found.counts, expected(12, 15))


def test_line_scan_is_one_column_smallest_coordinate_first(write):
    rows = [[5.0 - 0.5 * i, *(10 * i + k for k in range(4))] for i in range(6)]
    with pytest.warns(DataWarning, match="does not name its coordinate, which is taken as y in µm"):
        found = read(write(table(rows, n_coordinates=1, header=HEADER[:2])))
    assert found.frame.shape == (6, 1)
    assert found.frame.step_um[0] == pytest.approx(0.5)
    assert found.frame.origin_um[0] == pytest.approx(2.5)
    np.testing.assert_array_equal(found.counts[:, 0, 0], [50, 40, 30, 20, 10, 0])


def test_bare_list_of_spectra(write):
    with pytest.warns(DataWarning, match="as a list"):
        found = read(write(table([[1, 2, 3, 4], [5, 6, 7, 8]], n_coordinates=0)))
    assert found.frame.shape == (2, 1)
    np.testing.assert_array_equal(found.counts[1, 0], [5, 6, 7, 8])


def test_one_pixel_map(write):
    found = read(write(table(grid_rows(1, 1))))
    assert found.frame.shape == (1, 1)
    np.testing.assert_array_equal(found.counts, expected(1, 1))


def test_one_channel(write):
    found = read(write("\n".join(["#AxisUnit[1]=\tnm", *OF_LABSPEC_6, "\t\t500", "0\t0\t1", "0\t1\t2"])))
    assert found.counts.shape == (1, 2, 1)


def test_header_is_kept_in_latin_1_and_repeated_keys_stay_apart(write):
    header = ("#AxisUnit[1]=\tnm", "#Laser Pol. (°)=\t0", "#Range=\tOff", "#Range=\tVisible", "#Sample=\tflake 7", *OF_LABSPEC_6)
    found = read(write(table(grid_rows(), header=header)))
    assert found.metadata["Laser Pol. (°)"] == "0"
    assert (found.metadata["Range"], found.metadata["Range (2)"]) == ("Off", "Visible")
    assert found.frame.sample == "flake 7"


def test_header_may_name_y_first(write):
    header = ("#AxisUnit[1]=\tnm", "#AxisType[2]=Y", "#AxisType[3]=X")
    for order in ("x fast", "y fast"):
        np.testing.assert_array_equal(read(write(table(grid_rows(order=order), header=header))).counts, expected())


@pytest.mark.parametrize(
    ("axis", "kind"), [((1.2, 1.5, 1.8, 2.0), AxisKind.ENERGY), ((700, 720, 750, 800), AxisKind.WAVELENGTH), (AXIS, AxisKind.RAMAN_SHIFT)]
)
def test_missing_unit_is_guessed_aloud_and_can_be_given(write, axis, kind):
    path = write(table(grid_rows(), axis=axis, header=OF_LABSPEC_6))
    with pytest.warns(DataWarning, match=f"is taken as {kind.unit}"):
        assert read(path).axis.kind is kind
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, unit="nm").axis.kind is AxisKind.WAVELENGTH


def test_nan_and_inf_become_nan_and_are_counted(write):
    rows = grid_rows()
    rows[0][2], rows[1][3], rows[2][4] = "nan", "inf", "-inf"
    with pytest.warns(DataWarning, match="3 values in 3 pixels"):
        found = read(write(table(rows)))
    assert np.isnan(found.counts).sum() == 3
    assert not found.measured[0, :3].any()
    assert found.measured[1:].all()


def test_positions_on_no_grid_become_a_list(write):
    rng = np.random.default_rng(1)
    rows = [[*rng.uniform(0, 100, 2), 1, 2, 3, 4] for _ in range(60)]
    with pytest.warns(DataWarning, match="no rectangular grid"), pytest.warns(DataWarning, match="equally fast"):
        assert read(write(table(rows))).frame.shape == (60, 1)


@pytest.mark.parametrize("name", ["flake 1.5 um.txt", "flake 1.5 um.TXT.gz"])
def test_name_is_that_of_the_file_dots_included(write, name):
    assert read(write(table(grid_rows()), name)).name == "flake 1.5 um"


def test_history_names_the_file_and_its_hash(write):
    path = write(table(grid_rows()))
    (record,) = read(path).history
    assert record.step == "read"
    assert record.settings["file"] == "map.txt"
    assert len(record.settings["sha256"]) == 64


def test_items(write):
    (item,) = list_items(write(table(grid_rows())))
    assert (item.name, item.shape, item.axis, item.is_map) == ("map", (3, 4, 4), "100–400 cm-1", True)


def test_unknown_item(write):
    path = write(table(grid_rows()))
    assert read(path, "map").counts.shape == (3, 4, 4)
    with pytest.raises(ReaderError, match="no item 'mop'; did you mean 'map'"):
        read(path, "mop")


BAD = {
    "cut within a line": (table(grid_rows())[:-8], "breaks off in its last line"),
    "cut within the axis": ("#Laser (nm)=\t532\n\t\t100\t20", "no spectra"),
    "cut within the header": ("#Laser (nm)=\t532\n#AxisU", "before its spectral axis"),
    "no spectra": (table([]), "no spectra"),
    "words": ("once upon a time\nthere was a flake\n", "no spectral axis"),
    "word among the counts": (table(grid_rows()).replace("210", "many"), "cannot be read as a table of numbers"),
    "longer line": (table([*grid_rows(), [*grid_rows()[0], 1, 2, 3]]), "more values than its first line"),
    "four coordinates": (table([[0, 0, 0, 0, 1, 2, 3, 4]], n_coordinates=4), "4 coordinate columns"),
    "one column": ("1\n2\n3\n", "one column of numbers"),
    "no coordinate": (table(grid_rows()).replace("-2.0\t10.0", "\t10.0", 1), "spectrum 1 has no coordinates"),
    "strange unit": (table(grid_rows(), header=("#AxisUnit[1]=\tpixel", *OF_LABSPEC_6)), "'pixel' is not known"),
    "axis turns back": (table(grid_rows(), axis=(100, 300, 200, 400)), "turns back at 200 cm-1"),
    "axis doubles a value": (table(grid_rows(), axis=(100, 200, 200, 400)), "200 cm-1 twice"),
    "axis of nan": (table(grid_rows(), axis=(100, "nan", 300, 400)), "not numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_told_in_one_sentence(write, case):
    text, message = BAD[case]
    with pytest.raises((ReaderError, DataError), match=message) as caught:
        read(write(text))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_cut_gzip(write):
    path = write(table(grid_rows(20, 20)), "map.txt.gz")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ReaderError, match=r"map\.txt\.gz.*incomplete"):
        read(path)


WHOLE = table(grid_rows()).encode("latin-1")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7), st.integers(0, len(WHOLE)))
def test_damage_gives_a_sentence_or_a_map(tmp_path_factory, position, bit, length):
    content = bytearray(WHOLE)
    content[position] ^= 1 << bit
    path = tmp_path_factory.getbasetemp() / "damaged.txt"
    path.write_bytes(content[:length])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            found = read(path)
        except UserError:
            return
    assert found.counts.size < 100 * len(WHOLE)


def test_memory_stays_near_three_times_the_array(write):
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 5000, (400, 1000))
    rows = [[i // 20, i % 20, *counts[i]] for i in range(400)]
    path = write(table(rows, axis=range(100, 1100)))
    read(path)  # imports done
    tracemalloc.start()
    found = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found.counts.reshape(400, 1000), counts)
    assert peak < 3.5 * found.counts.nbytes + 4e6


def test_real_map(shared_data):
    found = read(shared_data / "labram" / "map_nm.txt.gz")
    assert found.counts.shape == (20, 20, 1020)
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.WAVELENGTH, 405.0)
    assert found.axis.span == (445.114, 553.967)
    assert found.counts[0, 0, -1] == np.float32(12.0275)  # y -30, x 10, and the axis falls in the file
    assert found.counts[0, 1, -1] == np.float32(13.8779)  # the file's next line: x is the fast one
    assert found.frame.origin_um == pytest.approx((-30, 10), abs=1e-3)
    assert found.metadata["Objective"] == "x50"


def test_real_line(shared_data):
    found = read(shared_data / "labram" / "raman_linescan.txt.gz")
    assert found.counts.shape == (100, 1, 1020)
    assert found.frame.step_um[0] == pytest.approx(0.6874, abs=1e-4)
    assert found.frame.origin_um[0] == pytest.approx(-34.91, abs=0.01)
    assert found.counts[0, 0, -1] == np.float32(50.1997)


def test_real_decimal_comma(shared_data):
    with pytest.warns(DataWarning, match="taken as cm-1"), pytest.warns(DataWarning, match="does not name its coordinates"):
        found = read(shared_data / "other" / "horiba_decimal_comma.txt")
    assert found.counts.shape == (12, 10, 681)
    assert found.axis.values[0] == 102.245
    assert found.measured.all()


def test_real_map_with_holes(shared_data):
    with pytest.warns(DataWarning) as told:
        found = read(shared_data / "other" / "horiba_irregular_map.txt")
    parts = ("does not name its coordinates", "equally wide", "342 of 740 pixels", "taken as cm-1")
    assert all(part in str(one.message) for part, one in zip(parts, told, strict=True))
    assert found.counts.shape == (37, 20, 616)
    assert found.measured.sum() == 398


def test_lines_longer_than_the_axis_are_refused(tmp_path):
    path = tmp_path / "map.txt"
    path.write_text("#AxisUnit[1]=\tcm-1\n\t\t100\t101\n0\t0\t1\t2\t3\n0\t1\t1\t2\t3\n")
    with pytest.raises(ReaderError, match="more values than its first line"):
        read(path)
