"""JCAMP-DX: the forms of the standard's own example, blocks, and what is no spectrum of light or incomplete."""

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import list_items, read

EXAMPLE = (1, 2, 3, 3, 2, 1, 0, -1, -2, -3)
FORMS = {
    "plain": "100 1 2 3 3 2 1 0 -1 -2 -3",
    "packed": "100+1+2+3+3+2+1+0-1-2-3",
    "squeezed": "100ABCCBA@abc",
    "differences": "100AJJ%jjjjjj",
    "differences, repeated": "100AJT%jX",
}
"""McDonald and Wilks 1988, Table VIII."""
HEAD = """##TITLE= quartz $$ a remark
##JCAMP-DX= 4.24
##DATA TYPE= {kind}
##XUNITS= {unit}
##YUNITS= ARBITRARY UNITS
##FIRSTX= 100
##LASTX= {last}
##XFACTOR= 1
##YFACTOR= 0.5
##NPOINTS= {count}
##XYDATA= (X++(Y..Y))
"""


def block(*lines: str, count: int = 10, last: float = 118.0, kind: str = "RAMAN SPECTRUM", unit: str = "1/CM") -> str:
    return HEAD.format(kind=kind, unit=unit, count=count, last=last) + "\n".join(lines) + "\n##END=\n"


@pytest.fixture
def write(tmp_path):
    def written(text: str):
        (tmp_path / "quartz.jdx").write_text(text, encoding="latin-1")
        return tmp_path / "quartz.jdx"

    return written


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS)
def test_every_form_of_the_standards_example_gives_the_same_numbers(write, line):
    found = read(write(block(line)))
    np.testing.assert_array_equal(found.counts, 0.5 * np.array(EXAMPLE)[None, None])
    np.testing.assert_allclose(found.axis.values, 100 + 2 * np.arange(10))
    assert (found.axis.kind, found.name, found.intensity_unit) == (AxisKind.RAMAN_SHIFT, "quartz", "a.u.")
    assert found.metadata["DATATYPE"] == "RAMAN SPECTRUM"


def test_a_line_behind_differences_repeats_the_last_number_as_a_check(write):
    found = read(write(block("100AJJ%jj", "108Ajjjj")))
    np.testing.assert_array_equal(2 * found.counts[0, 0], EXAMPLE)
    with pytest.raises(ReaderError, match="begins with 2 where the one before ended with 1"):
        read(write(block("100AJJ%jj", "108Bjjjj")))


def test_numbers_of_several_digits_exponents_and_gaps(write):
    with pytest.warns(DataWarning, match="1 value"):
        found = read(write(block("1E+2 1.5E+01 ? -.25", "106A23k4b7", count=6, last=110.0)))
    np.testing.assert_array_equal(2 * found.counts[0, 0], [15, np.nan, -0.25, 123, 99, -27])


def test_a_falling_axis_pairs_of_numbers_and_light_in_wavenumbers(write):
    found = read(write(block("100 1 2 3 3 2 1 0 -1 -2 -3", last=82.0)))
    np.testing.assert_array_equal(2 * found.counts[0, 0], EXAMPLE[::-1])
    pairs = block("100.5, 4; 101.25, 6", "103, 9").replace("(X++(Y..Y))", "(XY..XY)")
    found = read(write(pairs))
    np.testing.assert_array_equal(found.axis.values, [100.5, 101.25, 103])
    np.testing.assert_array_equal(found.counts[0, 0], [2, 3, 4.5])
    assert read(write(block(FORMS["plain"], kind="LUMINESCENCE"))).axis.kind is AxisKind.WAVENUMBER
    assert read(write(block(FORMS["plain"], kind="LUMINESCENCE", unit="NANOMETERS"))).axis.kind is AxisKind.WAVELENGTH


def test_each_block_is_an_item(write):
    path = write(
        block(FORMS["plain"]) + block(FORMS["packed"].replace("+3+3", "+3+7")) + block("5 1 2", count=2).replace("quartz", "other")
    )
    assert [item.name for item in list_items(path)] == ["quartz", "quartz (2)", "other"]
    assert read(path, "quartz (2)").counts[0, 0, 3] == 3.5
    assert read(path, "other").counts.shape == (1, 1, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (block(FORMS["plain"], count=11), "has 10 of 11 points"),
        (block(FORMS["plain"], unit="HZ"), "over 'HZ', which is no axis of light"),
        (block(FORMS["plain"]).replace("XYDATA", "PEAK TABLE"), "holds no spectrum"),
        (block(FORMS["plain"]).replace("##NPOINTS", "##POINTS"), "damaged"),
        ("##TITLE= nothing\n##END=\n", "holds no spectrum"),
    ],
)
def test_what_is_no_whole_spectrum_of_light_is_refused_in_a_sentence(write, text, words):
    with pytest.raises(ReaderError, match=words):
        read(write(text))
