"""Tables for spreadsheets."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Frame, Record, SpectralMap
from napari_wse2xai.data.axis import Medium
from napari_wse2xai.errors import DataWarning, SettingsError
from napari_wse2xai.io import read, write_map_table


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
    write_map_table(spectral_map, tmp_path / name)
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.counts, spectral_map.counts)
    np.testing.assert_array_equal(found.axis.values, spectral_map.axis.values)
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.WAVELENGTH, 532.05)
    assert (found.frame, found.name, found.intensity_unit) == (spectral_map.frame, "pl", "counts")
    assert spectral_map.metadata.items() <= found.metadata.items()


def test_what_has_no_column_comes_back_too(spectral_map, tmp_path):
    whole = replace(
        spectral_map,
        axis=replace(spectral_map.axis, medium=Medium.AIR, error=np.linspace(0.1, 0.2, 20)),
        name="PL of  flake 1",
        flake=np.eye(4, 3, dtype=bool),
        repaired=np.arange(12, dtype=np.uint16).reshape(4, 3) * 300,
        history=(Record("read", {"file": "a  b.wdf", "item": None}, "0.1", 1.5),),
    )
    write_map_table(whole, tmp_path / "pl.csv")
    found = read(tmp_path / "pl.csv")
    assert (found.axis.medium, found.name, found.history[:-1]) == (Medium.AIR, whole.name, whole.history)
    assert found.history[-1].step == "read"
    for name in ("flake", "repaired"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
        assert getattr(found, name).dtype == getattr(whole, name).dtype
    np.testing.assert_array_equal(found.axis.error, whole.axis.error)
    assert not any("napari-wse2xai" in key for key in found.metadata)


def test_a_damaged_line_of_the_header_is_left_out(spectral_map, tmp_path):
    write_map_table(replace(spectral_map, flake=np.eye(4, 3, dtype=bool)), tmp_path / "pl.csv")
    content = (tmp_path / "pl.csv").read_bytes().replace(b'"history": []', b'"history": 77')
    (tmp_path / "pl.csv").write_bytes(content)
    with pytest.warns(DataWarning, match="with its flake and history is damaged"):
        found = read(tmp_path / "pl.csv")
    np.testing.assert_array_equal(found.counts, spectral_map.counts)
    assert found.flake is None


def test_unmeasured_pixels_stay_so(spectral_map, tmp_path):
    spectral_map.counts[3, 2] = np.nan
    write_map_table(spectral_map, tmp_path / "pl.csv")
    with pytest.warns(DataWarning, match="20 values in 1 pixel are"):
        np.testing.assert_array_equal(read(tmp_path / "pl.csv").counts, spectral_map.counts)


def test_unknown_ending(spectral_map, tmp_path):
    with pytest.raises(SettingsError, match=r"'\.xlsx'"):
        write_map_table(spectral_map, tmp_path / "pl.xlsx")
