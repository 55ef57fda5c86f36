"""NeXus: what NXraman and NXoptical_spectroscopy ask for, read with h5py; a validator is asked by tools/check_exports.py."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from test_exporters import a_map, peaks

from napari_wse2xai.data import AxisKind, Results, SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.io import convert, read, write_map
from napari_wse2xai.io.exporters import export
from napari_wse2xai.session.sources import read_again


def text(dataset: h5py.Dataset) -> str:
    return dataset[()].decode()


def test_a_raman_map_with_its_peaks_has_what_nxraman_asks_for(tmp_path):
    export(Results({"raman": a_map()}, {"raman": peaks()}), tmp_path / "flake.nxs")
    with h5py.File(tmp_path / "flake.nxs") as file:
        entry = file[file.attrs["default"]]
        assert (entry.attrs["NX_class"], text(entry["definition"])) == ("NXentry", "NXraman")
        assert (text(entry["experiment_type"]), text(entry["raman_experiment_type"])) == ("Raman spectroscopy", "Raman imaging")
        beam = entry["instrument/beam_incident"]
        assert (beam["wavelength"][()], beam["wavelength"].attrs["units"]) == (532.0, "nm")
        data = entry[entry.attrs["default"]]
        assert list(data.attrs["axes"]) == ["y", "x", "spectral"]
        np.testing.assert_array_equal(data[data.attrs["signal"]], a_map().counts)
        np.testing.assert_allclose(data["x"], 2.0 + 0.7 * np.arange(4))
        np.testing.assert_allclose(data["y"], 1.0 - 0.3 * np.arange(3))
        second = entry["fit/peak_1"]
        assert (text(second["title"]), second.attrs["signal"]) == ("B", "height")
        np.testing.assert_array_equal(second["position"], peaks().position[1])
        np.testing.assert_array_equal(second["fwhm_errors"], peaks().fwhm_error[1])
        assert second["position"].attrs["units"] == "1/cm"
        assert text(entry["fit/peak_0_parameters/function_type"]) == "lorentzian"


def test_photoluminescence_is_optical_spectroscopy_and_needs_no_laser(tmp_path):
    light = SpectralMap.from_arrays(np.ones((3, 4, 20)), np.linspace(1.5, 1.8, 20), AxisKind.ENERGY, name="pl")
    export(light, tmp_path / "pl.nxs")
    with h5py.File(tmp_path / "pl.nxs") as file:
        entry = file["pl"]
        assert (text(entry["definition"]), text(entry["experiment_type"])) == ("NXoptical_spectroscopy", "photoluminescence")
        assert "wavelength" not in entry["instrument/beam_incident"]
        assert entry["data/spectral"].attrs["units"] == "eV"


def test_a_raman_map_whose_laser_is_not_known_is_refused_in_a_sentence(tmp_path):
    unlit = replace(a_map(), axis=replace(a_map().axis, laser_nm=None))
    with pytest.raises(DataError, match=r"'rs\.nxs': NXraman wants the wavelength of the laser"):
        export(unlit, tmp_path / "rs.nxs")
    assert list(tmp_path.iterdir()) == []
    write_map(unlit, tmp_path / "rs.nc")
    convert(tmp_path / "rs.nc", tmp_path / "rs.nxs", laser_nm=633)
    with h5py.File(tmp_path / "rs.nxs") as file:
        assert file[file.attrs["default"]]["instrument/beam_incident/wavelength"][()] == 633
    again = read_again(read(tmp_path / "rs.nc", laser_nm=633).history[-1], "rs")
    assert again.axis.laser_nm == 633


def test_the_spectra_open_here_again_in_their_places(tmp_path):
    export(a_map(), tmp_path / "rs.nxs")
    found = read(tmp_path / "rs.nxs")
    np.testing.assert_array_equal(found.counts, a_map().counts)
    np.testing.assert_allclose((*found.frame.step_um, *found.frame.origin_um), (-0.3, 0.7, 1.0, 2.0))
    assert found.axis.kind is AxisKind.RAMAN_SHIFT
