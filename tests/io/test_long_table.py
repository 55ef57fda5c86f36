"""Long tables, as WiRE exports maps: any order of lines and columns, interrupted, along a line, in a series."""

import warnings

import numpy as np
import pytest
from made_tables import AXIS, SPECTRA, TRUTH, X_UM, Y_UM, X, Y, long_table

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import read

HEAD = "#X\t\t#Y\t\t#Wave\t\t#Intensity\n"
NX = len(X_UM)
Y_FAST = [row * NX + column for column in range(NX) for row in range(len(Y_UM))]
SNAKE = [row * NX + (column if row % 2 == 0 else NX - 1 - column) for row in range(len(Y_UM)) for column in range(NX)]
FALLING = range(len(AXIS) - 1, -1, -1)
MAPS = {
    "x fast": long_table(HEAD),
    "falling": long_table(HEAD, channels=FALLING),
    "y fast": long_table(HEAD, order=Y_FAST, channels=FALLING),
    "snake": long_table(HEAD, order=SNAKE),
    "from the last row": long_table(HEAD, order=range(len(X) - 1, -1, -1)),
    "carriage returns": long_table(HEAD).replace("\n", "\r\n"),
    "y before x": long_table("#Y\t\t#X\t\t#Wave\t\t#Intensity\n", "yxwi"),
    "tidy": long_table("x,y,Raman shift,intensity\n", separator=","),
    "other order": long_table("wavenumber (cm-1);counts;x (um);y (um)\n", "wixy", separator=";"),
    "decimal comma": long_table("X;Y;Wave;Intensity\n", separator=";").replace(".", ","),
    "single tabs": long_table("#X\t#Y\t#Wave\t#Intensity\n"),
    "millimetres": long_table("x (mm),y (mm),wave,intensity\n", separator=","),
}


@pytest.fixture
def write(tmp_path):
    def writer(text, name="map.txt"):
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        return tmp_path / name

    return writer


@pytest.mark.parametrize("case", MAPS)
def test_map(write, case):
    found = read(write(MAPS[case]), unit="cm-1")
    np.testing.assert_array_equal(found.counts, TRUTH)
    np.testing.assert_allclose(found.axis.values, AXIS)
    factor = 1000 if case == "millimetres" else 1
    np.testing.assert_allclose(found.frame.y_um, factor * Y_UM, atol=1e-9)
    np.testing.assert_allclose(found.frame.x_um, factor * X_UM, atol=1e-9)


def test_lines_in_any_order_and_channel_by_channel(write):
    lines = long_table("").splitlines()
    shuffled = [lines[k] for k in np.random.default_rng(0).permutation(len(lines))]
    by_channel = [lines[k * len(AXIS) + c] for c in range(len(AXIS)) for k in range(len(X))]
    for order in (shuffled, by_channel):
        found = read(write(HEAD + "\n".join(order)), unit="cm-1")
        np.testing.assert_array_equal(found.counts, TRUTH)
        np.testing.assert_allclose(found.axis.values, AXIS)


def test_interrupted_scan(write):
    with pytest.warns(DataWarning) as told:
        found = read(write(long_table(HEAD, drop=len(AXIS) + 4)), unit="cm-1")
    assert all(part in str(one.message) for part, one in zip(("4 values in 1 pixel", "1 of 12 pixels"), told, strict=True))
    wanted = TRUTH.copy()
    wanted[-1, -1], wanted[-1, -2, -4:] = np.nan, np.nan
    np.testing.assert_array_equal(found.counts, wanted)


def test_unit_is_guessed_aloud_where_the_title_tells_none(write):
    with pytest.warns(DataWarning, match="taken as cm-1"):
        read(write(MAPS["x fast"]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(write(MAPS["tidy"])).axis.kind is AxisKind.RAMAN_SHIFT


@pytest.mark.parametrize(
    ("title", "name", "unit", "is_length"),
    [
        ("#Time", "time", "s", False),
        ("Temperature (K)", "temperature", "K", False),
        ("#Z", "z", "um", True),
        ("Time / min", "time", "min", False),
    ],
)
def test_series_and_depths_are_no_rows_of_a_plan(write, title, name, unit, is_length):
    found = read(write(long_table(f"{title}\t\t#Wave\t\t#Intensity\n", "ywi", order=range(0, len(X), NX))), unit="cm-1")
    np.testing.assert_array_equal(found.counts, TRUTH[:, :1])
    direction = found.frame.directions[0]
    assert (direction.name, direction.unit, found.frame.has_places) == (name, unit, is_length)
    np.testing.assert_allclose(found.frame.y_um, Y_UM, atol=1e-9)


def test_uneven_series_keeps_its_values_and_the_order_of_the_file(write):
    head, times = "#Time\t#Wave\t#Intensity\n", (0, 30, 31, 7)
    lines = [
        f"{time}\t{wave}\t{count}"
        for time, spectrum in zip(times, SPECTRA, strict=False)
        for wave, count in zip(AXIS, spectrum, strict=True)
    ]
    found = read(write(head + "\n".join(lines)), unit="cm-1")
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA[:4])
    np.testing.assert_array_equal(found.frame.y_um, times)


def test_line_along_x(write):
    found = read(write(long_table("#X\t#Wave\t#Intensity\n", "xwi", order=range(NX))), unit="cm-1")
    np.testing.assert_array_equal(found.counts[:, 0], TRUTH[0])
    assert (found.frame.directions[0].name, found.frame.step_um[0]) == ("x", pytest.approx(1.5))


def test_a_plane_in_depth_and_a_volume(write):
    found = read(write(long_table("#X\t#Z\t#Wave\t#Intensity\n")), unit="cm-1")
    np.testing.assert_array_equal(found.counts, TRUTH)
    assert [direction.name for direction in found.frame.directions] == ["z", "x"]
    rows = [f"{x}\t{y}\t{z}\t{wave}\t1" for z in (0, 1) for x, y in zip(X, Y, strict=True) for wave in AXIS]
    with pytest.raises(ReaderError, match="x, y, z at once"):
        read(write("#X\t#Y\t#Z\t#Wave\t#Intensity\n" + "\n".join(rows)))


BAD = {
    "no titles": (long_table(""), "looks like a long table"),
    "axes that differ": (
        "#X\t#Y\t#Wave\t#Intensity\n" + "\n".join(f"{k}\t0\t{100 * k + c}\t1" for k in range(9) for c in range(20)),
        "axes that differ",
    ),
    "word": (long_table(HEAD).replace("120.000000", "many"), "many"),
    "no position": (long_table(HEAD).replace("-3.000000\t12", "\t12"), "no position"),
    "titles alone": (HEAD, "no spectral axis"),
    "cut": (long_table(HEAD)[:-12], "breaks off in its last line"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_told_in_one_sentence(write, case):
    text, message = BAD[case]
    with pytest.raises(ReaderError, match=message) as caught:
        read(write(text))
    assert "\n" not in str(caught.value)
