"""Made-up files in binary formats, all of one 4 x 5 map: its counts, its axis and its places, whatever the order they are written in."""

from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Direction
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import list_items, read

FILES = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "files"
pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="the folder of made-up files (shared/cases beside the repository) is not here")
Y, X = 10 + 2.0 * np.arange(4), -3 + 1.5 * np.arange(5)
SHIFT = np.linspace(150, 300, 60)


def truth():
    return np.load(FILES / "truth.npy").astype(np.float32)


def by_place(found):
    """Counts in the order of rising y and x, whatever the map's own."""
    return found.counts[np.argsort(found.frame.y_um)][:, np.argsort(found.frame.x_um)]


PLACED = ["hspy_plain", "hspy_cm**-1", "hspy_cm^-1", "hspy_falling", "hspy_latex_unit", "hspy_nav_nm", "hspy_negative_y", "hspy_no_unit"]
PLACED = [f"{name}.hspy" for name in [*PLACED, "hspy_sup_unit", "hspy_xy_order", "hspy_4d_time"]]
PLACED += [f"spc_{name}.spc" for name in ("laser_log", "map_none_planes", "map_types_none", "map_um", "map_um_noplanes")]


PLACED += ["plain_mat.mat", "nexus.nxs"]


@pytest.mark.parametrize("name", PLACED)
@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
def test_counts_axis_and_places(name):
    found = read(FILES / name)
    np.testing.assert_allclose(by_place(found), truth(), rtol=1e-6)
    np.testing.assert_allclose(found.axis.values, SHIFT, rtol=1e-6)
    assert found.axis.kind is AxisKind.RAMAN_SHIFT
    np.testing.assert_allclose(np.sort(found.frame.y_um), Y, atol=1e-5)
    np.testing.assert_allclose(np.sort(found.frame.x_um), X, atol=1e-5)
    assert [direction.label for direction in found.frame.directions] == ["y (µm)", "x (µm)"]


def test_laser_in_the_log():
    assert read(FILES / "spc_laser_log.spc").axis.laser_nm == 532.43


@pytest.mark.parametrize("name", ["hspy_no_unit.hspy", "spc_map_none_planes.spc", "spc_map_types_none.spc"])
def test_what_is_guessed_is_said(name):
    with pytest.warns(DataWarning, match="does not say the unit"):
        read(FILES / name)


@pytest.mark.parametrize("name", ["hspy_depth_xz.hspy", "hspy_zx.hspy"])
def test_sections_in_depth(name):
    found = read(FILES / name)
    np.testing.assert_allclose(found.counts, truth(), rtol=1e-6)
    assert found.frame.directions == (Direction("z"), Direction("x"))
    np.testing.assert_allclose(found.frame.y_um, np.arange(4.0))
    np.testing.assert_allclose(found.frame.x_um, X)


def test_time_series_and_time_series_of_maps():
    series = read(FILES / "hspy_time_series.hspy")
    assert series.frame.directions[0] == Direction("time", "s")
    np.testing.assert_allclose(series.frame.y_um, 60.0 * np.arange(4))
    assert not series.frame.has_places
    assert not list_items(FILES / "hspy_time_series.hspy")[0].is_map
    names = [item.name for item in list_items(FILES / "hspy_4d_time.hspy")]
    assert names == ["x, time 0 s", "x, time 1 s"]
    later = read(FILES / "hspy_4d_time.hspy", names[1])
    assert later.counts.shape == (4, 5, 60)
    assert later.metadata["time"] == "1 s"


def test_other_kinds_of_axis():
    light = read(FILES / "hspy_abs_wavenumber.hspy").axis
    assert (light.kind, light.span) == (AxisKind.WAVENUMBER, (12900.0, 13490.0))
    assert read(FILES / "hspy_nonuniform_eV.hspy").axis.kind is AxisKind.ENERGY
    whole = read(FILES / "hspy_uint16.hspy")
    np.testing.assert_allclose(whole.counts, 100 * truth(), atol=1)
    assert (whole.axis.kind, whole.axis.span) == (AxisKind.WAVELENGTH, (500.0, 559.0))
    assert read(FILES / "made_wdf_abs_wavenumber.wdf").axis.kind is AxisKind.WAVENUMBER
    with pytest.warns(DataWarning, match="taken as Raman shift"):
        assert read(FILES / "made_wdf_shift.wdf").axis.kind is AxisKind.RAMAN_SHIFT


def test_not_measured_and_not_real():
    with pytest.warns(DataWarning, match="1 value in 1 pixel"):
        found = read(FILES / "hspy_nan.hspy")
    same = np.isclose(found.counts, truth(), rtol=1e-6)
    assert (~same).sum() == np.isnan(found.counts).sum() == 1
    with pytest.raises(ReaderError, match="complex"):
        read(FILES / "hspy_complex.hspy")


@pytest.mark.parametrize("name", ["cube.npy", "falling.npy", "spec_first.npy", "map.npz", "plain.h5"])
def test_arrays_in_any_order(name):
    with pytest.warns(DataWarning, match="does not say") as told:
        found = read(FILES / name)
    np.testing.assert_allclose(found.counts, truth(), rtol=1e-5)
    np.testing.assert_allclose(found.axis.values, SHIFT)
    assert any("distance of its pixels" in str(each.message) for each in told)


@pytest.mark.filterwarnings("ignore:.*does not say the unit:napari_wse2xai.errors.DataWarning")
def test_a_list_in_a_matlab_file():
    with pytest.warns(DataWarning, match="20 spectra are shown as a list"):
        found = read(FILES / "v73like.mat")
    np.testing.assert_allclose(found.counts[:, 0], truth().reshape(20, 60), rtol=1e-5)


@pytest.mark.parametrize("name", ["flat_xy.npy", "cube_noaxis.npy"])
def test_an_array_without_its_axis_asks_for_it(name):
    with pytest.raises(ReaderError, match="needs its spectral axis beside it"):
        read(FILES / name)
