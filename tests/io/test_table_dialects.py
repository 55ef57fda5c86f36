"""The same numbers in every dress in which programs write a text table."""

import gzip
import warnings

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import read, table_text

AXIS = np.array([150.25, 152.5, 155.75, 158.0, 1160.5, 2163.25, 2166.0])
COUNTS = np.array([998.5, 1003.75, 2100.5, 12345.25, 1234567.5, -3.5, 0.25])


def spectrum(separator="\t", *, decimal=".", minus="-", group="", start="", end="\n", quote=""):
    """Two columns, written by hand."""
    cells = [[f"{value:,.2f}" for value in pair] for pair in zip(AXIS, COUNTS, strict=True)]
    table = str.maketrans({",": group, ".": decimal, "-": minus})
    return "".join(start + separator.join(quote + cell.translate(table) + quote for cell in line) + end for line in cells)


DRESSES = {
    "tabs": spectrum(),
    "semicolons": spectrum(";"),
    "commas": spectrum(","),
    "comma and blank": spectrum(", "),
    "blank": spectrum(" "),
    "blanks, padded": spectrum("      ", start="    "),
    "several tabs": spectrum("\t\t"),
    "tab and blanks": spectrum(" \t "),
    "decimal comma, tabs": spectrum(decimal=","),
    "decimal comma, semicolons": spectrum(";", decimal=","),
    "decimal comma, blanks": spectrum("   ", decimal=","),
    "decimal comma, comma and blank": spectrum(", ", decimal=","),
    "German thousands": spectrum(";", decimal=",", group="."),
    "German thousands, tabs": spectrum(decimal=",", group="."),
    "English thousands, tabs": spectrum(group=","),
    "English thousands, blanks": spectrum(" ", group=","),
    "Swiss thousands": spectrum(";", group="'"),
    "typographic thousands": spectrum(";", group="\u2019"),
    "French thousands": spectrum(";", decimal=",", group="\u202f"),
    "French thousands, hard blank": spectrum(decimal=",", group="\u00a0"),
    "thousands by a blank": spectrum(group=" "),
    "quoted": spectrum(",", quote='"'),
    "quoted decimal commas": spectrum(",", decimal=",", quote='"'),
    "quoted thousands": spectrum(",", group=",", quote='"'),
    "minus sign": spectrum(minus="\u2212"),
    "minus sign and decimal comma": spectrum(";", minus="\u2212", decimal=","),
    "CRLF": spectrum(end="\r\n"),
    "CR": spectrum(end="\r"),
    "CR CR LF": spectrum(end="\r\r\n"),
    "tab at the end": spectrum(end="\t\n"),
    "semicolons at the end": spectrum(";", end=";;\n"),
    "tab at the start": spectrum(start="\t"),
    "two tabs at the start": spectrum(start="\t\t"),
    "no line end at the end": spectrum().rstrip("\n"),
    "blank lines": "\n\n" + spectrum(end="\n\n") + "\n \n\t\n",
    "rows of empty cells": spectrum(";") + ";\n;\n",
    "comment": "# made by a program\n" + spectrum(),
    "comment with percent": "% made by a program\n%\n" + spectrum(),
    "comments between and after": "#\n" + spectrum().replace("155.75", "# half way\n155.75") + "% the end\n",
    "empty comments": "#\n#\n" + spectrum(","),
    "exponents": "".join(f"{x:.6E}\t{y:+.7e}\n" for x, y in zip(AXIS, COUNTS, strict=True)),
    "integers first": "100\t5\n" * 0 + "".join(f"{n}\t{n + 7}\n" for n in range(1, 140)) + spectrum(decimal=","),
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.fixture
def write(tmp_path):
    def writer(text, name="spectrum.txt", encoding="utf-8"):
        path = tmp_path / name
        content = text.encode(encoding)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return writer


def quiet(path):
    """Read without another word than that the unit is a guess."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read(path, unit="cm-1")


@pytest.mark.parametrize("dress", DRESSES)
def test_every_dress_gives_the_same_spectrum(write, dress):
    found = quiet(write(DRESSES[dress]))
    n_before = len(found.axis) - len(AXIS)
    assert n_before == (139 if dress == "integers first" else 0)
    np.testing.assert_allclose(found.axis.values[n_before:], AXIS, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.counts[0, 0, n_before:], COUNTS.astype(np.float32))


@pytest.mark.parametrize("name", ["s.txt", "s.txt.gz"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_with_every_line_end(write, name, encoding, end):
    text = "#Remark=\tµm\n" + spectrum(minus="\u2212")
    found = quiet(write(text.replace("\n", end), name, encoding))
    np.testing.assert_array_equal(found.counts[0, 0], COUNTS.astype(np.float32))
    assert found.metadata["Remark"] == "µm"


@pytest.mark.parametrize("ending", ["asc", "dat", "dpt", "prn", "xyz", "tsv", "csv", "DAT"])
def test_endings_under_which_tables_go(write, ending):
    np.testing.assert_array_equal(quiet(write(spectrum(" "), f"s.{ending}")).counts[0, 0], COUNTS.astype(np.float32))


@pytest.mark.parametrize("ending", ["dat", "xyz", "prn", "asc", "dpt"])
def test_what_goes_under_such_an_ending_and_is_no_table(write, ending):
    with pytest.raises(ReaderError, match="no spectral axis"):
        read(write("3\nwater molecule\nO 0.0 0.0 0.1\nH 0.0 0.7 -0.4\nH 0.0 -0.7 -0.4\n".replace("3\n", "three\n"), f"s.{ending}"))


@pytest.mark.parametrize("empty", ["", "NA", "N/A", "#N/A", "nan", "NaN", "--", "null", "-1.#IND"])
@pytest.mark.parametrize("separator", ["\t", ";", ","])
def test_no_value_is_nan_and_counted(write, empty, separator):
    path = write(spectrum(separator).replace("12345.25", empty))
    with pytest.warns(DataWarning, match="1 value in 1 pixel is no finite number"):
        found = read(path, unit="cm-1")
    wanted = COUNTS.astype(np.float32)
    wanted[3] = np.nan
    np.testing.assert_array_equal(found.counts[0, 0], wanted)


@pytest.mark.parametrize("empty", ["", "#N/A"])
def test_no_value_in_the_last_line_is_no_break(write, empty):
    with pytest.warns(DataWarning, match="1 value"):
        assert np.isnan(read(write(spectrum(";").replace(";0.25", f";{empty}")), unit="cm-1").counts[0, 0, -1])


def test_lines_of_words_at_the_end_are_left_out_and_named(write):
    with pytest.warns(DataWarning, match="2 lines after the numbers, from 'End of file' on, left out"):
        found = read(write(spectrum() + "End of file\nsaved by NAME\n"), unit="cm-1")
    np.testing.assert_array_equal(found.counts[0, 0], COUNTS.astype(np.float32))


def test_words_between_numbers_are_refused(write):
    with pytest.raises(ReaderError, match=r"words between its numbers \('Spectrum 2'\)"):
        read(write(spectrum() + "Spectrum 2\n" + spectrum()))


def test_a_sign_that_may_be_of_thousands_is_said(write):
    text = "150,5\t7,5\n151,5\t1.003\n152,5\t2.500\n"
    with pytest.warns(DataWarning, match=r"'\.' is taken for the sign of thousands"):
        np.testing.assert_array_equal(read(write(text), unit="cm-1").counts.ravel(), [7.5, 1003, 2500])


def test_a_sign_of_thousands_far_down_the_table_is_seen(write):
    lines = [f"{n}\t{n / 4}" for n in range(1, 3000)]
    text = "\n".join([*lines, "3000\t1,003.5", "3001\t2,004.5"]) + "\n"
    np.testing.assert_array_equal(quiet(write(text)).counts[0, 0, -2:], [1003.5, 2004.5])


def test_a_point_far_down_a_table_of_decimal_commas_is_no_decimal_sign(write):
    lines = [f"{n},5\t{n},25" for n in range(1, 999)]
    text = "\n".join([*lines, "999,5\t1.003"]) + "\n"
    with pytest.warns(DataWarning, match="sign of thousands"):
        np.testing.assert_array_equal(read(write(text), unit="cm-1").counts[0, 0, -2:], [998.25, 1003])


def test_a_cut_table_is_told(write):
    with pytest.raises(ReaderError, match="breaks off in its last line, after 1 of 2 cells"):
        read(write(spectrum() + "3000.5"))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_positions_in_a_translated_table(tmp_path, encoding):
    text = "".join(f"line {number} of µ\r" for number in range(40_000))
    path = tmp_path / "t.txt"
    path.write_bytes(text.encode(encoding))
    with table_text.open_table(path) as stream:
        first = stream.readline()
        place = stream.tell()
        following = [stream.readline() for _ in range(30_000)]
        stream.seek(place)
        assert [stream.readline() for _ in range(30_000)] == following
        stream.seek(0)
        assert stream.readline() == first == "line 0 of µ\n".encode()
        assert sum(1 for _ in stream) == 39_999


def test_axis_kind_is_still_guessed_aloud(write):
    with pytest.warns(DataWarning, match="does not say the unit"):
        assert read(write(spectrum(" ") + "2167 1\n2168 2\n2169 3\n")).axis.kind is AxisKind.RAMAN_SHIFT


@pytest.mark.parametrize("separator", ["\t", ";", ","])
@pytest.mark.parametrize("decimal", [".", ","])
def test_gaps_are_read_alike_in_every_dress(tmp_path, separator, decimal):
    """Empty cells, words for no value, a dash, blanks, comments and a foot in one table, against the values that were written."""
    if separator == decimal:
        pytest.skip("no such table")
    axis, rng = 150 + 2.5 * np.arange(20), np.random.default_rng(3)
    truth = np.round(rng.normal(0, 50, (12, 20)), 2)
    words = {0: "", 1: "", 2: "NA", 3: "-", 4: "", 5: "--", 6: ""}
    lines = [separator.join(["", "", *(f"{value:g}" for value in axis)])]
    for row, values in enumerate(truth):
        cells = [f"{value:.2e}" if row % 2 else f"{value:.2f}" for value in values]
        for gap in range(row % 4):
            at = (5 * gap + row) % 20 if gap else (0, 19)[row % 2]
            cells[at], truth[row, at] = words[(row + gap) % 7], np.nan
        lines.append(separator.join([f"{row // 4}", f"{row % 4}", *cells]))
    lines.insert(5, "# a comment")
    text = "\n".join([*lines, ""])
    text = text if decimal == "." else text.replace(".", ",")
    (tmp_path / "map.txt").write_text("#AxisUnit[1]=\t1/cm\n#AxisType[2]=Y\n#AxisType[3]=X\n" + text)
    with pytest.warns(DataWarning):
        found = read(tmp_path / "map.txt")
    np.testing.assert_allclose(found.counts.reshape(12, 20), truth, rtol=6e-3, equal_nan=True)
