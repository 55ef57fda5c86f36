"""The command for the theory figures: its files, without torch and without a network."""

import subprocess
import sys

import numpy as np
import pytest
import xarray

from napari_wse2xai import cli

WITHOUT = """
import socket, sys
for name in ("torch", "napari", "qtpy"):
    sys.modules[name] = None
def refuse(*args, **options):
    raise OSError("no network")
socket.socket = refuse
from napari_wse2xai.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theory")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "theory", "figures", "--output", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "A1' falls, by 28 to 62 %" in done.stdout
    return folder


def test_files_come_without_torch_and_network(folder):
    names = {f"{name}.{kind}" for name in ("spectral_intensity", "raman") for kind in ("png", "svg", "csv")}
    assert {path.name for path in folder.iterdir()} == names | {"theory.nc"}


def test_the_netcdf_file_has_its_dimensions_units_and_provenance(folder):
    with xarray.open_dataset(folder / "theory.nc", engine="h5netcdf") as found:
        assert found["spectral_intensity"].dims == ("engine", "structure", "projection", "wavenumber")
        assert found["raman"].dims == ("engine", "structure", "geometry", "wavenumber")
        assert found["mode_frequency"].dims == ("engine", "structure", "mode")
        assert list(found["structure"].values) == ["pristine", "V_Se", "O_Se"]
        assert list(found["projection"].values) == ["total", "A1'", "E'"]
        assert all(variable.attrs.get("units") for name, variable in found.data_vars.items())
        assert "Quantum ESPRESSO" in found.attrs["provenance"]
        spectrum = found["spectral_intensity"].sel(engine="diep", structure="pristine", projection="A1'")
        assert float(spectrum["wavenumber"][int(spectrum.values.argmax())]) == pytest.approx(244, abs=1)


def test_the_table_holds_the_same_numbers(folder):
    table = np.genfromtxt(folder / "raman.csv", delimiter=",", names=True)
    with xarray.open_dataset(folder / "theory.nc", engine="h5netcdf") as found:
        column = next(name for name in table.dtype.names if name.startswith("diep_V_Se_powder"))
        np.testing.assert_allclose(table[column], found["raman"].sel(engine="diep", structure="V_Se", geometry="powder"), rtol=1e-4)


def test_bad_wishes_are_one_sentence_and_leave_nothing(tmp_path, capsys):
    assert cli.main(["theory", "figures", "--output", str(tmp_path / "out"), "--material", "gold"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_figures_of_a_folder_that_blocks_them_are_refused_before_work(tmp_path, capsys):
    (tmp_path / "theory.nc").mkdir()
    assert cli.main(["theory", "figures", "--output", str(tmp_path)]) == 2
    assert "theory.nc" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["theory.nc"]
