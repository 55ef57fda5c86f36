"""JASCO text: header and foot as the public descriptions of it have them; made-up numbers."""

import numpy as np
import pytest
from made_tables import AXIS, SPECTRA

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import read

FOOT = [
    "",
    "##### Extended Information",
    "[Comments]",
    "Sample name\tWSe2",
    "",
    "[Measurement]",
    "Laser wavelength\t532.05 nm",
    "Exposure\t2 sec",
]


def jasco(*columns, axis=AXIS, units="Raman shift [cm-1]", separator="\t", more=(), n_points=None):
    head = [
        "TITLE\tflake 3",
        "DATA TYPE\tRAMAN SPECTRUM",
        "ORIGIN\tJASCO",
        "OWNER\t",
        "DATE\t25/01/02",
        "SPECTROMETER/DATA SYSTEM\tNRS-4500",
    ]
    head += ["DELTAX\t-2.5", f"XUNITS\t{units}", "YUNITS\tInt.", *more, f"FIRSTX\t{axis[0]}", f"NPOINTS\t{n_points or len(axis)}", "XYDATA"]
    rows = ["\t".join(f"{value:.4f}" for value in row) for row in zip(axis, *columns, strict=True)]
    return "\r\n".join([*head, *rows, *FOOT, ""]).replace("\t", separator)


@pytest.fixture
def write(tmp_path):
    def writer(text, name="point.txt"):
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        return tmp_path / name

    return writer


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_spectrum_with_a_falling_axis(write, separator):
    found = read(write(jasco(SPECTRA[5][::-1], axis=AXIS[::-1], separator=separator)))
    np.testing.assert_array_equal(found.counts[0, 0], SPECTRA[5])
    np.testing.assert_allclose(found.axis.values, AXIS)
    assert (found.axis.kind, found.axis.laser_nm, found.name, found.intensity_unit) == (AxisKind.RAMAN_SHIFT, 532.05, "flake 3", "counts")
    assert (found.metadata["Sample name"], found.metadata["Exposure"]) == ("WSe2", "2 sec")


@pytest.mark.parametrize(("units", "kind"), [("NANOMETERS", AxisKind.WAVELENGTH), ("1/CM", AxisKind.RAMAN_SHIFT), ("eV", AxisKind.ENERGY)])
def test_units(write, units, kind):
    assert read(write(jasco(SPECTRA[5], units=units))).axis.kind is kind


def test_several_columns_are_a_list_unless_they_are_other_signals(write):
    with pytest.warns(DataWarning, match="3 spectra are shown as a list"):
        np.testing.assert_array_equal(read(write(jasco(*SPECTRA[:3]))).counts[:, 0], SPECTRA[:3])
    with pytest.warns(DataWarning, match="1 other signal"):
        np.testing.assert_array_equal(read(write(jasco(*SPECTRA[:2], more=["Y2UNITS\tHT [V]"]))).counts[0, 0], SPECTRA[0])


def test_cut_file(write):
    with pytest.raises(ReaderError, match="after 14 of 20 points"):
        read(write(jasco(SPECTRA[5], n_points=20)))
