"""Maps as tables: LabSpec's layout with tabs, and a table that pandas reads without arguments."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_wse2xai.data import AxisKind, Frame, Record, SpectralMap
from napari_wse2xai.data.axis import Medium
from napari_wse2xai.errors import DataWarning, ReaderError, SettingsError
from napari_wse2xai.io import read
from napari_wse2xai.io.exporters import export


@pytest.fixture
def spectral_map():
    rng = np.random.default_rng(0)
    return SpectralMap.from_arrays(
        rng.normal(100, 5, (4, 3, 20)),
        np.sort(rng.uniform(700, 800, 20)),
        AxisKind.WAVELENGTH,
        frame=Frame((4, 3), (-0.3, 0.7), (1 / 3, 2.0), "flake 1"),
        laser_nm=532.05,
        name="pl",
        metadata={"Objective": "x50", "Laser Pol. (°)": "0", "Remark": "λ/4 plate"},
    )


@pytest.mark.parametrize("name", ["pl.csv", "pl.txt", "pl.tsv"])
def test_map_comes_back_the_same(spectral_map, tmp_path, name):
    export(spectral_map, tmp_path / name)
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.counts, spectral_map.counts)
    np.testing.assert_array_equal(found.axis.values, spectral_map.axis.values)
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.WAVELENGTH, 532.05)
    assert (found.frame, found.name, found.intensity_unit) == (spectral_map.frame, "pl", "counts")
    assert spectral_map.metadata.items() <= found.metadata.items()


@pytest.mark.parametrize("name", ["pl.csv", "pl.txt"])
def test_what_has_no_column_comes_back_too(spectral_map, tmp_path, name):
    whole = replace(
        spectral_map,
        axis=replace(spectral_map.axis, medium=Medium.AIR, error=np.linspace(0.1, 0.2, 20)),
        name="PL of  flake 1",
        flake=np.eye(4, 3, dtype=bool),
        repaired=np.arange(12, dtype=np.uint16).reshape(4, 3) * 300,
        history=(Record("read", {"file": "a  b.wdf", "item": None}, "0.1", 1.5),),
    )
    export(whole, tmp_path / name)
    found = read(tmp_path / name)
    assert (found.axis.medium, found.name, found.history[:-1]) == (Medium.AIR, whole.name, whole.history)
    assert found.history[-1].step == "read"
    for name in ("flake", "repaired"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
        assert getattr(found, name).dtype == getattr(whole, name).dtype
    np.testing.assert_array_equal(found.axis.error, whole.axis.error)
    assert not any("napari-wse2xai" in key for key in found.metadata)


@pytest.mark.parametrize("name", ["pl.csv", "pl.txt"])
def test_a_damaged_line_of_the_header_is_left_out(spectral_map, tmp_path, name):
    path = tmp_path / name
    export(replace(spectral_map, flake=np.eye(4, 3, dtype=bool)), path)
    content = path.read_bytes().replace(b'"history": []', b'"history": 77').replace(b'\\""history\\"": []', b'\\""history\\"": 77')
    path.write_bytes(content)
    with pytest.warns(DataWarning, match="with its flake and history is damaged"):
        found = read(path)
    np.testing.assert_array_equal(found.counts, spectral_map.counts)
    assert found.flake is None


@pytest.mark.parametrize("name", ["pl.csv", "pl.txt"])
def test_unmeasured_pixels_stay_so(spectral_map, tmp_path, name):
    spectral_map.counts[3, 2] = np.nan
    export(spectral_map, tmp_path / name)
    with pytest.warns(DataWarning, match="20 values in 1 pixel are"):
        np.testing.assert_array_equal(read(tmp_path / name).counts, spectral_map.counts)


def test_pandas_reads_the_csv_of_a_map_as_it_is(spectral_map, tmp_path):
    export(replace(spectral_map, frame=replace(spectral_map.frame, sample="WSe₂, 1")), tmp_path / "pl.csv")
    table = pd.read_csv(tmp_path / "pl.csv")
    assert list(table.columns[:2]) == ["y (um)", "x (um)"]
    np.testing.assert_array_equal([float(name) for name in table.columns[2:-1]], spectral_map.axis.values)
    np.testing.assert_allclose(table.iloc[4, :2].astype(float), (1 / 3 - 0.3, 2.0 + 0.7))  # row 1, column 1 of 3
    np.testing.assert_allclose(table.iloc[:, 2:-1].to_numpy().reshape(4, 3, 20), spectral_map.counts, rtol=1e-7)
    assert read(tmp_path / "pl.csv").frame.sample == "WSe₂, 1"


def test_a_csv_that_the_last_version_wrote_in_the_layout_of_labspec_still_reads(spectral_map, tmp_path):
    export(spectral_map, tmp_path / "pl.txt")
    (tmp_path / "pl.csv").write_bytes(_with_commas((tmp_path / "pl.txt").read_bytes()))
    np.testing.assert_array_equal(read(tmp_path / "pl.csv").counts, spectral_map.counts)


def _with_commas(text: bytes) -> bytes:
    return b"\n".join(line if line.startswith(b"#") else line.replace(b"\t", b",") for line in text.split(b"\n"))


def test_a_csv_with_a_line_too_few_or_another_grid_is_refused(spectral_map, tmp_path):
    export(spectral_map, tmp_path / "pl.csv")
    content = (tmp_path / "pl.csv").read_text(encoding="utf-8")
    for wrong, words in (
        (content[: content.rindex("\n", 0, -1) + 1], "11 lines for 12 pixels"),
        (content.replace("step_um", "stop"), "damaged"),
    ):
        (tmp_path / "pl.csv").write_text(wrong, encoding="utf-8")
        with pytest.raises(ReaderError, match=words):
            read(tmp_path / "pl.csv")


def test_unknown_ending(spectral_map, tmp_path):
    with pytest.raises(SettingsError, match=r"'pl\.xlsx': a map can be written to files that end in .*\.csv"):
        export(spectral_map, tmp_path / "pl.xlsx")
