"""Excel workbooks: sheets as tables."""

import sys
import zipfile

import numpy as np
import pytest
from made_tables import AXIS, SPECTRA, TRUTH, X_UM, Y_UM, X, Y

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import list_items, read
from napari_wse2xai.io.readers import xlsx

WIDE = [["x (um)", "y (um)", *AXIS.tolist()], *([x, y, *row.tolist()] for x, y, row in zip(X, Y, SPECTRA, strict=True))]
POINT = [["Raman shift (cm-1)", "Intensity (a.u.)"], *([a, c] for a, c in zip(AXIS.tolist(), SPECTRA[7].tolist(), strict=True))]
NOTES = [["Measured on Monday", None], [None, "flake 3"]]


@pytest.fixture
def write(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")

    def writer(**sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / "flake.xlsx")
        return tmp_path / "flake.xlsx"

    return writer


def test_map_in_one_sheet(write):
    found = read(write(Map=WIDE), unit="cm-1")
    np.testing.assert_array_equal(found.counts, TRUTH)
    np.testing.assert_allclose(found.frame.y_um, Y_UM)
    np.testing.assert_allclose(found.frame.x_um, X_UM, atol=1e-9)
    assert found.name == "flake"


def test_sheets_are_items(write):
    path = write(Notes=NOTES, Point=POINT, Map=WIDE)
    assert [(item.name, item.shape) for item in list_items(path)] == [("Point", (1, 1, 14)), ("Map", TRUTH.shape)]
    with pytest.warns(DataWarning, match="'Map' was read; also there: 'Point'"):
        np.testing.assert_array_equal(read(path, unit="cm-1").counts, TRUTH)
    found = read(path, "Point")
    np.testing.assert_array_equal(found.counts[0, 0], SPECTRA[7])
    assert (found.name, found.axis.kind, found.intensity_unit) == ("Point", AxisKind.RAMAN_SHIFT, "a.u.")
    with pytest.raises(ReaderError, match="no item 'Mop'; did you mean 'Map'"):
        read(path, "Mop")


def test_a_workbook_without_spectra_is_told(write):
    with pytest.raises(ReaderError, match=r"'flake\.xlsx' has no spectral axis"):
        read(write(Notes=NOTES))
    with pytest.raises(ReaderError, match="only empty sheets"):
        read(write(Empty=[]))


def test_damaged_and_swelling_workbooks(write, monkeypatch):
    path = write(Map=WIDE)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ReaderError, match="cannot be read as an Excel workbook"):
        read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(5 << 20))
    monkeypatch.setattr(xlsx, "_MOST_UNPACKED", 4 << 20)
    with pytest.raises(ReaderError, match="unpacks to more than 4 MB"):
        read(path)


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "openpyxl"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "flake.xlsx").write_bytes(b"something")
    with pytest.raises(ReaderError, match=r'pip install "napari-wse2xai\[xlsx\]"'):
        read(tmp_path / "flake.xlsx")
