"""Made-up tables of many programs, each beside the truth that it was written from."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import read

MAPS = ("wide_xy.csv", "wide_XY_semicolon.csv", "wire_map.txt", "wire_map_crlf.txt", "orange_xyz.txt")
WITEC_MAPS = (
    "witec_header.txt",
    "witec_one_based.txt",
    "witec_partial.txt",
    "witec_table.txt",
    "witec_table_bom.txt",
    "witec_table_comma.txt",
    "witec_table_utf16.txt",
)
SPECTRA = (
    "head_nm.txt",
    "head_origin.txt",
    "head_quoted.csv",
    "head_raman.csv",
    "head_unit_first.txt",
    "head_wavenumber.csv",
    "wire_single.txt",
)
NO_MAPS = {
    "e_seam.txt": "twice; join its pieces with the option .overlap.",
    "e_single_column.txt": "one column of numbers",
    "e_three_cols.txt": "three columns without titles",
    "e_channel.txt": "only counts channels",
}


@pytest.fixture(scope="module")
def cases() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "cases" / "files"
    if not folder.is_dir():
        pytest.skip("the folder of made-up inputs (shared/cases beside the repository) is not on this machine")
    return folder


@pytest.fixture(scope="module")
def truth(cases):
    return np.load(cases / "truth.npy")


def quietly(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read(path, **options)


@pytest.mark.parametrize("name", [*MAPS, *WITEC_MAPS])
def test_maps(cases, truth, name):
    found = quietly(cases / name)
    np.testing.assert_allclose(found.counts, truth + 300 * (name == "wire_map_crlf.txt"), atol=6e-4)
    np.testing.assert_allclose(found.axis.values, np.linspace(150, 300, 60), atol=6e-4)
    assert found.axis.kind is AxisKind.RAMAN_SHIFT
    if name in MAPS:
        np.testing.assert_allclose(found.frame.y_um, [10, 12, 14, 16])
        np.testing.assert_allclose(found.frame.x_um, [-3, -1.5, 0, 1.5, 3], atol=1e-9)
    if name == "witec_header.txt":
        assert found.frame.step_um == (2.0, 1.5)


@pytest.mark.parametrize("name", ["wide_columns.csv", "witec_table_nohead_bom.txt"])
def test_lists(cases, truth, name):
    found = quietly(cases / name)
    n_spectra = {"wide_columns.csv": 5}.get(name, 20)
    np.testing.assert_allclose(found.counts[:, 0], truth.reshape(20, 60)[:n_spectra], atol=6e-4)
    assert not found.frame.has_places


def test_time_series(cases, truth):
    found = quietly(cases / "wire_time.txt")
    np.testing.assert_allclose(found.counts[:, 0], truth[0, :3] + 300, atol=6e-4)
    np.testing.assert_allclose(found.frame.y_um, [0, 10, 20])
    assert (found.frame.directions[0].label, found.frame.has_places) == ("time (s)", False)


@pytest.mark.parametrize("name", SPECTRA)
def test_spectra(cases, truth, name):
    found = quietly(cases / name)
    np.testing.assert_allclose(found.counts, truth[:1, :1], atol=6e-4)
    np.testing.assert_allclose(found.axis.values, np.linspace(150, 300, 60), atol=6e-4)
    assert found.axis.kind is (AxisKind.WAVELENGTH if name == "head_nm.txt" else AxisKind.RAMAN_SHIFT)


def test_truematch(cases, truth):
    found = quietly(cases / "witec_truematch.txt")
    np.testing.assert_allclose(found.counts, truth[:1, :1], atol=6e-3)
    assert (found.axis.kind, found.axis.laser_nm, found.name) == (AxisKind.WAVELENGTH, 532.2, "P1")


def test_gaps_and_signs_of_thousands(cases, truth):
    found = quietly(cases / "e_na.csv")
    assert np.argwhere(np.isnan(found.counts[0, 0])).tolist() == [[7]]
    np.testing.assert_allclose(np.delete(found.counts[0, 0], 7), np.delete(truth[0, 0], 7), atol=6e-3)
    np.testing.assert_allclose(quietly(cases / "e_thousands.csv").counts[0, 0], 20 * truth[0, 0], rtol=2e-3)


def test_a_window_that_may_be_either_is_guessed_aloud_and_can_be_given(cases):
    with pytest.warns(DataWarning, match="give the unit"):
        read(cases / "e_si_window_cm.txt")
    assert read(cases / "e_si_window_cm.txt", unit="cm-1").axis.kind is AxisKind.RAMAN_SHIFT


@pytest.mark.parametrize("name", NO_MAPS)
def test_what_is_no_map(cases, name):
    with pytest.raises((ReaderError, DataError), match=NO_MAPS[name]):
        quietly(cases / name)


LABSPEC_MAPS = {
    # directions of rows and columns, and what is warned of besides a guessed unit
    "labspec6_xy_map.txt": ("y", "x", None),
    "labspec6_xz_map.txt": ("z", "x", None),
    "labspec6_xaya_map.txt": ("YA", "XA", "at an angle to the stage"),
    "ls_map.txt": ("y", "x", "as its header names them"),
    "ls_map_xz.txt": ("z", "x", "as its header names them"),
    "ls_map_yx.txt": ("y", "x", None),
    "ls_map_zx.txt": ("z", "x", None),
    "ls_xyz.txt": ("y", "x", "as its header names them"),
} | dict.fromkeys(
    (
        "ls_abs.txt",
        "ls_bom.txt",
        "ls_bom_nohead.txt",
        "ls_columns.txt",
        "ls_decimal_comma_map.txt",
        "ls_decimal_comma_semicolon.csv",
        "ls_map_trailing_tabs.txt",
        "ls_negative.txt",
        "ls_no_header.txt",
        "ls_no_header_zero.txt",
        "ls_snake.txt",
    ),
    ("y", "x", "does not name its coordinates"),
)


@pytest.mark.parametrize("name", LABSPEC_MAPS)
def test_maps_of_labspec(cases, truth, name):
    rows, columns, warning = LABSPEC_MAPS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        found = read(cases / name)
    told = [str(one.message) for one in caught if "the unit of its spectral axis" not in str(one.message)]
    assert len(told) == (warning is not None)
    assert warning is None or warning in told[0]
    is_turned = name == "ls_columns.txt"  # no header, and y is the fast column
    np.testing.assert_allclose(found.counts, truth.transpose(1, 0, 2) if is_turned else truth, atol=6e-4)
    np.testing.assert_allclose(found.axis.values, np.linspace(150, 300, 60), atol=6e-4)
    y, x = ([-3, -1.5, 0, 1.5, 3], [10, 12, 14, 16])[:: 1 if is_turned else -1]
    np.testing.assert_allclose(found.frame.y_um, y, atol=1e-9)
    np.testing.assert_allclose(found.frame.x_um, x, atol=1e-9)
    assert [direction.name for direction in found.frame.directions] == [rows, columns]
    kinds = {"ls_abs.txt": AxisKind.WAVENUMBER, "ls_bom.txt": AxisKind.WAVELENGTH}
    assert found.axis.kind is kinds.get(name, AxisKind.RAMAN_SHIFT)
    assert found.axis.laser_nm == (None if name.startswith(("ls_no", "ls_bom")) else 532)


def test_millimetres(cases, truth):
    found = quietly(cases / "ls_map_mm.txt")
    np.testing.assert_allclose(found.counts, truth, atol=6e-4)
    np.testing.assert_allclose(found.frame.y_um, [10_000, 12_000, 14_000, 16_000])


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("ls_time.txt", "time (s)", [0, 60, 120, 180]),
        ("ls_temp.txt", "temperature (K)", [77, 100, 200, 300]),
        ("ls_points.txt", "point", [1, 2, 3, 4]),
    ],
)
def test_series_of_labspec(cases, truth, name, label, values):
    found = read(cases / name)
    np.testing.assert_allclose(found.counts, truth[:, :1], atol=6e-4)
    assert found.frame.directions[0].label == label
    np.testing.assert_allclose(found.frame.y_um, values)
    assert not found.frame.has_places


@pytest.mark.parametrize(
    "name",
    [
        "bom.txt",
        "cr_only.txt",
        "e_blank_lines.txt",
        "e_comma_blank.csv",
        "e_lead_tab.txt",
        "percent_comment.txt",
        "spaces.txt",
        "spaces_padded.txt",
        "two.asc",
        "two.dat",
        "two.prn",
        "utf16.txt",
    ],
)
def test_one_spectrum_in_many_dresses(cases, truth, name):
    found = read(cases / name, unit="cm-1")
    np.testing.assert_allclose(found.counts, truth[:1, :1], atol=6e-3)
    np.testing.assert_allclose(found.axis.values, np.linspace(150, 300, 60), atol=6e-3)


def test_minus_signs_of_print_and_commas_that_come_late(cases, truth):
    found = read(cases / "e_unicode_minus.txt", unit="cm-1")
    np.testing.assert_allclose(found.counts, truth[:1, :1], atol=6e-3)
    np.testing.assert_allclose(found.axis.values, np.linspace(-50, 100, 60), atol=6e-3)
    late = read(cases / "e_int_then_comma.txt", unit="cm-1")
    lines = (cases / "e_int_then_comma.txt").read_text(encoding="utf-8").replace(",", ".").split()
    np.testing.assert_array_equal(late.axis.values, [float(cell) for cell in lines[::2]])
    np.testing.assert_array_equal(late.counts[0, 0], np.array([float(cell) for cell in lines[1::2]], dtype=np.float32))
