"""Spectra in columns below titles of all kinds; WITec's own table is tested beside its other formats."""

import warnings

import numpy as np
import pytest
from made_tables import AXIS, SPECTRA, TRUTH, X_UM, Y_UM, X, Y, columns_table

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import read

ONE = range(1)
SHIFT, LIGHT, LENGTH, ENERGY = AxisKind.RAMAN_SHIFT, AxisKind.WAVENUMBER, AxisKind.WAVELENGTH, AxisKind.ENERGY
HEADS = {
    "Raman shift (cm-1),Intensity (a.u.)": (",", SHIFT, "a.u."),
    '"Raman Shift","Intensity"': (",", SHIFT, "counts"),
    "Raman shift [cm⁻¹]\tcounts/s": ("\t", SHIFT, "counts/s"),
    "Raman shift / cm^{-1};Counts": (";", SHIFT, "counts"),
    "cm-1\tcounts": ("\t", SHIFT, "counts"),
    "abs. 1/cm\tCnt": ("\t", LIGHT, "counts"),
    "Wavelength (nm)\tPL intensity (cps)": ("\t", LENGTH, "counts/s"),
    "Energy (eV);PL": (";", ENERGY, "counts"),
    "# Raman shift (cm-1)   intensity": ("  ", SHIFT, "counts"),
    "% Raman shift (cm-1)\tintensity": ("\t", SHIFT, "counts"),
    "Raman Shift\tIntensity\ncm\\+(-1)\ta.u.\n\tflake 1": ("\t", SHIFT, "a.u."),
    "A(X)\tB(Y)\nRaman Shift\tIntensity\ncm-1\tcounts\n\t": ("\t", SHIFT, "counts"),
    "Raman Shift (cm<sup>-1</sup>)\tIntensity": ("\t", SHIFT, "counts"),
}


@pytest.fixture
def write(tmp_path):
    def writer(text, name="point.txt"):
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        return tmp_path / name

    return writer


@pytest.mark.parametrize("head", HEADS)
def test_titles_tell_axis_and_units_without_a_guess(write, head):
    separator, kind, unit = HEADS[head]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(write(columns_table(head, spectra=ONE, separator=separator)))
    np.testing.assert_array_equal(found.counts, TRUTH[:1, :1])
    np.testing.assert_allclose(found.axis.values, AXIS)
    assert (found.axis.kind, found.intensity_unit) == (kind, unit)


@pytest.mark.parametrize("head", ["Wavenumber,Intensity", "Wave Number (cm-1),Intensity", "wavenumber / cm^-1,counts"])
def test_a_wavenumber_that_is_too_small_for_light_is_a_shift_said_aloud(write, head):
    with pytest.warns(DataWarning, match="taken as Raman shift"):
        assert read(write(columns_table(head, spectra=ONE, separator=","))).axis.kind is SHIFT


def test_a_wavenumber_of_light_by_its_size(write):
    lines = ["Wavenumber (cm-1),PL", *(f"{14000 + a},{c}" for a, c in zip(AXIS, SPECTRA[0], strict=True))]
    assert read(write("\n".join(lines))).axis.kind is LIGHT


@pytest.mark.parametrize(("head", "factor"), [("Energy (meV),PL", 1e-3), ("Wavelength (Å),PL", 0.1), ("wavelength (um),PL", 1e3)])
def test_units_with_a_prefix(write, head, factor):
    np.testing.assert_allclose(read(write(columns_table(head, spectra=ONE, separator=","))).axis.values, factor * AXIS)


def test_a_bare_name_cannot_mean_150_ev(write):
    with pytest.warns(DataWarning, match="taken as meV"):
        found = read(write(columns_table("Energy,PL", spectra=ONE, separator=",")))
    np.testing.assert_allclose(found.axis.values, 1e-3 * AXIS)


def test_named_spectra_are_a_list(write):
    head = ",".join(["Raman shift", *(f"s{k}" for k in range(len(X)))])
    with pytest.warns(DataWarning, match="12 spectra are shown as a list"):
        found = read(write(columns_table(head, separator=",")))
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA)


@pytest.mark.parametrize("first", [["Raman shift (cm-1)\t" + "\t".join(f"s{k}" for k in range(len(X)))], []], ids=["names", "none"])
def test_coordinates_above_the_columns(write, first):
    heads = ["x (um)\t" + "\t".join(map(str, X)), "y (um)\t" + "\t".join(map(str, Y))]
    found = read(write(columns_table(*first, *heads)), unit="cm-1")
    np.testing.assert_array_equal(found.counts, TRUTH)
    np.testing.assert_allclose(found.frame.y_um, Y_UM, atol=1e-9)
    np.testing.assert_allclose(found.frame.x_um, X_UM, atol=1e-9)


def test_a_series_by_numbers_above_the_columns(write):
    heads = ["Raman Shift\tA\tB\tC", "cm-1\ta.u.\ta.u.\ta.u.", "\t80\t90\t105"]
    found = read(write(columns_table(*heads, spectra=range(3))))
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA[:3])
    np.testing.assert_array_equal(found.frame.y_um, [80, 90, 105])
    assert not found.frame.has_places


def test_columns_named_by_numbers_are_no_axis(write):
    found = read(write(columns_table("Raman shift (cm-1)\t" + "\t".join(str(k + 1) for k in range(len(X))))))
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA)
    np.testing.assert_allclose(found.axis.values, AXIS)
    assert not found.frame.has_places


def test_errors_and_repeated_axes_are_no_spectra(write):
    with_errors = "\n".join(["Raman shift / cm-1,counts,error", *(f"{a},{c},3" for a, c in zip(AXIS, SPECTRA[0], strict=True))])
    with pytest.warns(DataWarning, match="column of errors left out"):
        np.testing.assert_array_equal(read(write(with_errors)).counts, TRUTH[:1, :1])
    rows = [f"{a}\t{b}\t{a}\t{c}" for a, b, c in zip(AXIS, SPECTRA[0], SPECTRA[1], strict=True)]
    with pytest.warns(DataWarning, match="2 spectra are shown"):
        found = read(write("\n".join(["cm-1\tcounts\tcm-1\tcounts", *rows])))
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA[:2])
    rows = [f"{a}\t{b}\t{a + 1}\t{c}" for a, b, c in zip(AXIS, SPECTRA[0], SPECTRA[1], strict=True)]
    with pytest.raises(ReaderError, match="axes that differ"):
        read(write("\n".join(["cm-1\tcounts\tcm-1\tcounts", *rows])))


def test_counting_error_without_a_title_is_known_by_its_size(write):
    rows = [f"{a}\t{c}\t{np.sqrt(c):.3f}" for a, c in zip(AXIS, SPECTRA[0], strict=True)]
    with pytest.warns(DataWarning, match="column of errors left out"):
        np.testing.assert_array_equal(read(write("\n".join(rows)), unit="cm-1").counts, TRUTH[:1, :1])


def seam():
    lines = columns_table(spectra=ONE).splitlines()
    return "\n".join([*lines[:7], lines[6], *lines[7:]])


BAD = {
    "doubled channel": (seam(), "twice"),
    "overlapping gratings": (
        "\n".join(columns_table(spectra=ONE).splitlines()[:9] + columns_table(spectra=ONE).splitlines()[6:]),
        "turns back",
    ),
    "one column": ("\n".join(map(str, SPECTRA[0])), "one column of numbers"),
    "three columns": ("\n".join(f"{a}\t{c}\t{c / 2}" for a, c in zip(AXIS, SPECTRA[0], strict=True)), "three columns without titles"),
    "channels from 1": ("\n".join(f"{k + 1}\t{c}" for k, c in enumerate(SPECTRA[0])), "only counts channels"),
    "channels from 0": ("\n".join(f"{k}\t{c}" for k, c in enumerate(SPECTRA[0])), "only counts channels"),
    "few lines": ("500\t3\n501\t4\n502\t3\n", "too few"),
    "first column in no order": ("\n".join(f"{a}\t1" for a in [5, 3, 8, 1, 9, 2, 7, 7, 6, 1, 2, 3]), "neither rises nor falls"),
    "picture": ("x,y,height\n" + "\n".join(f"{k % 4},{k // 4},{k}" for k in range(20)), "none is a spectral axis"),
    "time trace": ("Time (s)\tCounts\n" + "\n".join(f"{k / 10}\t{k % 7}" for k in range(40)), "none is a spectral axis"),
    "words": ("once upon a time\nthere was a flake\n", "no spectral axis"),
    "page": ("<html><body>no map</body></html>\n", "no spectral axis"),
    "settings": ("[Options]\nsize = 3\n", "no spectral axis"),
}


@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
@pytest.mark.parametrize("case", BAD)
def test_a_table_of_numbers_is_not_a_map(write, case):
    text, message = BAD[case]
    with pytest.raises((ReaderError, DataError), match=message) as caught:
        read(write(text))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("case", ["channels from 1", "few lines"])
def test_who_gives_the_unit_says_that_it_is_an_axis(write, case):
    assert read(write(BAD[case][0]), unit="nm").axis.kind is LENGTH


def test_a_list_in_lines_needs_ten_channels_without_a_header(write):
    lines = "\n".join("\t".join(map(str, row)) for row in [AXIS, *SPECTRA])
    with pytest.warns(DataWarning, match="12 spectra are shown as a list"):
        found = read(write(lines), unit="cm-1")
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA)


@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
@pytest.mark.parametrize("first", [["", ""], ["0", "0"], []], ids=["empty cells", "zeros", "blanks alone"])
def test_lines_of_labspec_without_its_header_are_no_columns(write, first):
    separator = "\t" if first else "   "
    lines = [[*first, *AXIS], *([x, y, *counts] for x, y, counts in zip(X, Y, SPECTRA, strict=True))]
    found = read(write("\n".join(separator.join(map(str, line)) for line in lines)), unit="cm-1")
    np.testing.assert_array_equal(found.counts, TRUTH)
    np.testing.assert_allclose(found.axis.values, AXIS)


def test_places_in_titles_are_no_unit(write):
    heads = "X-Axis\t" + "\t".join(f"Map(F) ({k % 4}/{k // 4})" for k in range(12))
    with pytest.warns(DataWarning):
        found = read(write(columns_table(heads)), unit="cm-1")
    assert (found.counts.shape[:2], found.intensity_unit) == ((3, 4), "counts")


def test_an_axis_that_counts_over_and_over_is_none(write):
    lines = [f"{c}\t{c + 5}" for _ in range(3) for c in range(1, 31)]
    with pytest.raises(ReaderError, match="only counts channels"):
        read(write("\n".join(lines) + "\n"))
