"""Wide tables: the axis in a head line, beside the names of coordinates wherever they stand."""

import numpy as np
import pytest
from made_tables import AXIS, SPECTRA, TRUTH, X_UM, Y_UM, X, wide_table

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import read

FALLING = range(len(AXIS) - 1, -1, -1)
SHUFFLED = np.random.default_rng(1).permutation(len(X)).tolist()
XYC = ["x", "y", ""]
MAPS = {
    "pandas": wide_table(XYC),
    "spectroview": wide_table(["X", "Y", ""], separator=";"),
    "y first": wide_table(["Y", "X", ""], "yxc", separator="\t"),
    "coordinates last": wide_table(["", "x (um)", "y (um)"], "cxy"),
    "coordinates around": wide_table(["y [µm]", "", "x [µm]"], "ycx", separator=";"),
    "names of samples": wide_table(["sample", "x", "y", ""], "nxyc"),
    "falling": wide_table(XYC, channels=FALLING),
    "shuffled": wide_table(XYC, order=SHUFFLED),
    "index of pandas": "\n".join(f"{k - 1 if k else ''},{line}" for k, line in enumerate(wide_table(XYC).splitlines())),
    "title of a wafer": wide_table(["X", "Y", ""], separator=";", words=["wafer 12;lot 4"]),
    "decimal comma": wide_table(["X", "Y", ""], separator=";").replace(".", ","),
    "comment": "# " + wide_table(XYC, separator=" "),
    "quoted": wide_table(['"x"', '"y"', ""]),
    "position words": wide_table(["pos_x", "map_y", ""]),
    "byte order mark": "\ufeff" + wide_table(XYC),
}


@pytest.fixture
def write(tmp_path):
    def writer(text, name="map.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        return tmp_path / name

    return writer


@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
@pytest.mark.parametrize("case", MAPS)
def test_map(write, case):
    found = read(write(MAPS[case]), unit="cm-1")
    np.testing.assert_array_equal(found.counts, TRUTH)
    np.testing.assert_allclose(found.axis.values, AXIS)
    np.testing.assert_allclose(found.frame.y_um, Y_UM, atol=1e-9)
    np.testing.assert_allclose(found.frame.x_um, X_UM, atol=1e-9)


def test_units_below_the_names_or_beside_the_numbers(write):
    names, *rows = wide_table(["x", "y", ""], separator="\t").splitlines()
    below = "\t".join(["mm", "mm", *["eV"] * len(AXIS)])
    found = read(write("\n".join([names, below, *rows]), "map.txt"))
    assert found.axis.kind is AxisKind.ENERGY
    np.testing.assert_allclose(found.frame.x_um, 1000 * X_UM, atol=1e-9)
    beside = [",".join(["x", "y", *(f"{value} nm" for value in AXIS)]), *wide_table(XYC).splitlines()[1:]]
    assert read(write("\n".join(beside))).axis.kind is AxisKind.WAVELENGTH


def test_what_is_left_out_is_said(write):
    with pytest.warns(DataWarning, match="'sample' left out"):
        read(write(MAPS["names of samples"]), unit="cm-1")


def test_missing_pixels_and_no_places(write):
    with pytest.warns(DataWarning, match="1 of 12 pixels"):
        found = read(write(wide_table(XYC, order=[k for k in range(len(X)) if k != 5])), unit="cm-1")
    assert np.isnan(found.counts[1, 1]).all()
    with pytest.warns(DataWarning) as told:
        found = read(write(wide_table(["sample", ""], "nc")), unit="cm-1")
    assert all(part in str(one.message) for part, one in zip(("'sample' left out", "no positions"), told, strict=True))
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA)


@pytest.mark.parametrize("first", ["word", "number"])
def test_the_corner_may_name_the_axis_beside_it(write, first):
    names, *rows = wide_table(["Raman shift", ""], "nc").splitlines()
    rows = rows if first == "word" else [row[1:] for row in rows]  # s0, s1... or 0, 1...
    with pytest.warns(DataWarning):
        found = read(write("\n".join([names, *rows])), unit="cm-1")
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA)
    np.testing.assert_allclose(found.axis.values, AXIS)


def test_series(write):
    found = read(write(wide_table(["time (min)", ""], "yc", order=range(0, len(X), len(X_UM)))), unit="cm-1")
    np.testing.assert_array_equal(found.counts, TRUTH[:, :1])
    assert (found.frame.directions[0].label, found.frame.has_places) == ("time (min)", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y,1,2,3\n" + "".join(f"{k},{k % 4},5,6,7\n" for k in range(30)), "none is a spectral axis"),
        (wide_table(XYC).splitlines()[0] + "\n", "no spectral axis"),
        (wide_table(XYC)[:-9], "breaks off"),
    ],
    ids=["five columns", "head alone", "cut"],
)
def test_bad_tables_are_told_in_one_sentence(write, text, message):
    with pytest.raises(ReaderError, match=message) as caught:
        read(write(text))
    assert "\n" not in str(caught.value)
