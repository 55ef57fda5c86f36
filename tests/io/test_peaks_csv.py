"""Peak maps as a table."""

import csv
from dataclasses import fields, replace

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Frame, PeakMaps, Record, SpectralAxis
from napari_wse2xai.data.axis import Medium
from napari_wse2xai.data.declared import declared
from napari_wse2xai.data.peak_maps import Under
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import read_peaks_csv, write_peaks_csv

FRAME = Frame((4, 3), (-0.3, 0.7), (1 / 3, 2.0), "flake 1")
AXIS = SpectralAxis(np.linspace(700, 800, 21) ** 1.001, AxisKind.WAVELENGTH, 532.05, Medium.VACUUM, np.full(21, 0.02))
VALUES = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
WINDOWS = ((700.0, 800.0), (710.0, 750.0))


def peak_maps(**more):
    values, status = VALUES.copy(), np.zeros((4, 3), dtype=np.uint8)
    values[1, 0, 0], status[0, 0] = np.nan, 1
    return PeakMaps(FRAME, AXIS, ("A", "B"), ("gaussian", "voigt"), WINDOWS, *[values] * 6, status, values[0], **more)


@pytest.fixture
def full():
    rng = np.random.default_rng(0)
    maps = {name: rng.normal(size=(2, 4, 3)).astype(np.float32) for name in ("form", "form_error", "area", "area_error")}
    maps["background"] = rng.normal(size=(2, 4, 4, 3)).astype(np.float32)
    maps["substrate_share"] = rng.random((2, 4, 3)).astype(np.float32)
    maps |= {"substrate": np.where(AXIS.values > 710, rng.normal(size=21), np.nan), "averaged": np.array([0.3, 0.0])}
    maps["r2"] = rng.random((4, 3)).astype(np.float32)
    maps["at_bound"] = rng.integers(0, 11, (2, 4, 3)).astype(np.uint8)
    maps["peak_status"] = rng.integers(0, 14, (2, 4, 3)).astype(np.uint8)
    words = {
        "name": "pl",
        "report": "3 pixels",
        "metadata": {"Remark": 'λ/4, "plate"'},
        "under": (Under(3, ((690.0, 695.0),)), Under(None)),
        "history": (Record("read", {"file": "a.wdf"}, "0.1", 1.5),),
    }
    return replace(peak_maps(), **maps, **words)


def test_peaks_have_one_line_per_pixel(tmp_path):
    write_peaks_csv(peak_maps(), tmp_path / "peaks.csv")
    with (tmp_path / "peaks.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 12
    assert (rows[4]["row"], rows[4]["column"]) == ("1", "1")
    assert float(rows[4]["y (um)"]) == pytest.approx(1 / 3 - 0.3, abs=1e-6)
    assert rows[4]["B height (counts)"] == "16"
    assert rows[4]["A position error (nm)"] == "4"
    assert (rows[0]["status"], rows[0]["B fwhm (nm)"]) == ("not on flake", "")


def test_columns_are_called_as_they_always_were(full, tmp_path):
    write_peaks_csv(replace(full, background=full.background[:, [0, -1]]), tmp_path / "peaks.csv")
    with (tmp_path / "peaks.csv").open(encoding="utf-8") as stream:
        headings = next(csv.reader(stream))
    assert headings[:7] == ["row", "column", "y (um)", "x (um)", "status", "reduced chi2", "R2"]
    assert headings[7:18] == [
        "A position (nm)", "A position error (nm)", "A fwhm (nm)", "A fwhm error (nm)", "A height (counts)", "A height error (counts)",
        "A form (1)", "A form error (1)", "A area (counts nm)", "A area error (counts nm)", "A at bound",
    ]  # fmt: skip
    assert {"background 700-800 at 700 (counts)", "background 700-800 at 800 (counts)", "background 710-750 at 750 (counts)"} < {*headings}


@pytest.mark.parametrize("which", ["least", "full"])
def test_everything_comes_back_the_same(full, tmp_path, which):
    assert all(getattr(full, each.field) is not None for each in declared(PeakMaps)), "a field that this test does not ask for"
    peaks = full if which == "full" else peak_maps()
    write_peaks_csv(peaks, tmp_path / "peaks.csv")
    found = read_peaks_csv(tmp_path / "peaks.csv")
    np.testing.assert_array_equal(found.axis.values, AXIS.values)
    np.testing.assert_array_equal(found.axis.error, AXIS.error)
    assert (found.axis.kind, found.axis.laser_nm, found.axis.medium) == (AXIS.kind, AXIS.laser_nm, AXIS.medium)
    for field in fields(PeakMaps):
        if field.name != "axis":
            before, after = getattr(peaks, field.name), getattr(found, field.name)
            np.testing.assert_array_equal(after, before, err_msg=field.name)
            assert not isinstance(before, np.ndarray) or after.dtype == before.dtype


def test_tables_of_others_and_cut_ones(full, tmp_path):
    path = tmp_path / "peaks.csv"
    path.write_text("row,column\n0,0\n", encoding="utf-8")
    with pytest.raises(ReaderError, match="no table of peaks"):
        read_peaks_csv(path)
    write_peaks_csv(full, path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-2]), encoding="utf-8")
    with pytest.raises(ReaderError, match="10 lines for 12 pixels"):
        read_peaks_csv(path)
    with pytest.raises(ReaderError, match="cannot be read"):
        read_peaks_csv(tmp_path / "none.csv")
