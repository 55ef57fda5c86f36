"""Calculations by command: files, restart, mistakes; on an engine of springs along bonds."""

import json
import re

import numpy as np
import pytest
import xarray

ase = pytest.importorskip("ase", reason="ASE comes with the extra 'theory'")
pytest.importorskip("phonopy", reason="phonopy comes with the extra 'theory'")

from bonds import Bonds  # noqa: E402 - needs ASE
from napari_wse2xai import cli, theory_runs  # noqa: E402
from napari_wse2xai.engines import Layer, MolecularDynamics, Phonons, Raman, Relax, relaxation  # noqa: E402
from napari_wse2xai.errors import Cancelled, DataError  # noqa: E402
from napari_wse2xai.io.calculated_here import read_run  # noqa: E402
from napari_wse2xai.io.calculations import read_calculation  # noqa: E402
from napari_wse2xai.theory import pristine_modes  # noqa: E402
from napari_wse2xai.theory.calculated import structure_of  # noqa: E402


@pytest.fixture(autouse=True)
def bonds(monkeypatch):
    monkeypatch.setattr(relaxation, "calculator_of", lambda engine: Bonds())
    monkeypatch.setattr(theory_runs, "calculator_of", lambda engine: Bonds())


def command(*arguments) -> int:
    return cli.main(["theory", *map(str, arguments)])


def fails(capsys, *arguments) -> str:
    assert command(*arguments) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("napari-wse2xai: ")
    return last


def test_the_engine_of_the_tests_has_the_forces_and_the_stress_of_its_energy():
    atoms = ase.Atoms("WSe2", [[0, 0, 0], [0.1, 1.9, 1.6], [0, 1.9, -1.7]], cell=[[3.3, 0, 0], [-1.65, 2.86, 0], [0, 0, 15]], pbc=True)
    atoms.calc = Bonds()
    from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress

    numeric = calculate_numerical_forces(atoms)
    np.testing.assert_allclose(atoms.get_forces(), numeric, atol=1e-3)
    np.testing.assert_allclose(atoms.get_stress(), calculate_numerical_stress(atoms), atol=1e-5)


def test_relax_finds_the_size_at_which_no_stress_is_left(tmp_path, capsys):
    assert command("relax", "--output", tmp_path, "--repeat", "2x3", "--defect", "V_Se") == 0
    assert "a = " in capsys.readouterr().out
    with xarray.open_dataset(tmp_path / "relaxed.nc", engine="h5netcdf") as found:
        assert list(found["element"].values).count("Se") == 11
        a, history = float(found.attrs["a"]), json.loads(found.attrs["history"])
        assert found["position"].attrs["units"] == "angstrom"
    assert history[-1]["step"] == "Relax"
    assert history[-1]["settings"]["layer"]["defects"] == ["V_Se"]
    assert "ase" in history[0]["settings"]
    xyz = pytest.importorskip("ase.io").read(tmp_path / "relaxed.xyz")
    xyz.calc = Bonds()
    assert np.linalg.norm(xyz.get_forces(), axis=1).max() < 0.0031
    unit = Relax(fmax=0.001)()
    atoms = ase.Atoms(unit.cell.symbols, unit.cell.positions, cell=unit.cell.lattice, pbc=True, calculator=Bonds())
    energies = [_stretched(atoms, unit.a + d) for d in (-0.01, 0, 0.01)]
    assert energies[1] < min(energies[0], energies[2])
    assert a == pytest.approx(unit.a, abs=2e-3)


def _stretched(atoms, a: float) -> float:
    other = atoms.copy()
    cell = np.array(other.cell)
    other.set_cell(cell * np.array([[a / np.linalg.norm(cell[0])]] * 2 + [[1]]), scale_atoms=True)
    other.calc = Bonds()
    return other.get_potential_energy()


def test_phonons_are_the_second_derivatives_and_take_the_references_place(tmp_path, capsys):
    assert command("phonons", "--output", tmp_path / "p", "--repeat", "3x3") == 0
    assert command("phonons", "--output", tmp_path / "v", "--repeat", "3x3", "--defect", "V_Se") == 0
    assert "A1'" in capsys.readouterr().out
    found = {name: read_calculation(tmp_path / name / "phonons.nc") for name in "pv"}
    assert [structure_of(one) for one in found.values()] == ["pristine", "V_Se"]
    cell = found["v"].cell()
    atoms = ase.Atoms(cell.symbols, cell.positions, cell=cell.lattice, pbc=True, calculator=Bonds())
    expected = np.zeros((len(atoms) * 3,) * 2)
    for at in range(len(atoms) * 3):
        for way in (1, -1):
            moved = cell.positions.ravel().copy()
            moved[at] += way * 0.005
            atoms.positions = moved.reshape(-1, 3)
            expected[at] -= way * atoms.get_forces().ravel() / 0.01
    root = np.sqrt(np.repeat(cell.masses, 3))
    values = np.linalg.eigvalsh((expected + expected.T) / 2 / np.outer(root, root))
    np.testing.assert_allclose(cell.wavenumbers[5:], np.sort(np.sqrt(np.abs(values[3:])) * 521.4708984)[5:], atol=1.0)
    files = [part for name in "pv" for part in ("--calculation", tmp_path / name / "phonons.nc")]
    assert command("figures", "--output", tmp_path / "figures", *files) == 0
    with xarray.open_dataset(tmp_path / "figures" / "theory.nc", engine="h5netcdf") as theory:
        assert list(theory["engine"].values) == ["napari-wse2xai"]


def test_raman_puts_the_layer_beside_the_pristine_one(tmp_path, capsys):
    assert command("raman", "--output", tmp_path, "--repeat", "2x2", "--defect", "O_Se", "--width", 4) == 0
    assert "too small for null controls" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {f"raman.{kind}" for kind in ("nc", "csv", "png", "svg")} | {
        "pristine.nc",
        "layer.nc",
    }
    found = Raman(phonons=Phonons(relax=Relax(layer=Layer(repeat=(2, 2), defects=("O_Se",)))), fwhm_cm1=4)()
    with xarray.open_dataset(tmp_path / "raman.nc", engine="h5netcdf") as written:
        curve = written["pristine backscattering"].load()
        np.testing.assert_allclose(curve.values, found.spectra["pristine"][0], rtol=1e-6)
        lines = [
            found.cells["pristine"].wavenumbers[(found.cells["pristine"].overlaps(mode) ** 2).sum(axis=0).argmax()]
            for mode in ("A1'", "E'")
        ]
        assert min(abs(float(curve["wavenumber"][curve.values.argmax()]) - line) for line in lines) < 1


def test_a_defect_is_held_against_null_controls(tmp_path, capsys):
    assert command("raman", "--output", tmp_path, "--material", "mos2", "--repeat", "3x3", "--defect", "V_S") == 0
    told = capsys.readouterr().out
    line = next(line for line in told.splitlines() if line.startswith("V_S against pristine: the projected line A1'"))
    height, null = (float(number) for number in re.findall(r"\d\.\d\d", line))
    assert ("lower than every" in line) == (height < null)
    assert null < 1
    assert ("The Raman tensors of MoS2" in told) == (not pristine_modes("MoS2").converged)


def test_dynamics_stop_go_on_and_grow(tmp_path, capsys):
    asked = ("--output", tmp_path, "--repeat", "2x2", "--step-fs", 5, "--thermalise", 0.1, "--seeds", 2)
    settings = {"relax": {"layer": {"repeat": (2, 2)}}, "seeds": 2, "dynamics": {"thermalise_ps": 0.1, "length_ps": 0.5}}
    whole = MolecularDynamics.model_validate(settings)()
    calls = []

    def stop(fraction: float, message: str) -> None:
        calls.append(message)
        if message.startswith("dynamics, seed 1") and len([one for one in calls if "seed 1" in one]) == 70:
            raise Cancelled

    with pytest.raises(Cancelled):
        theory_runs.dynamics(MolecularDynamics.model_validate(settings), tmp_path, stop)
    assert {path.name for path in tmp_path.iterdir()} == {"seed_0.nc", "seed_1.unfinished.nc"}
    assert read_run(tmp_path / "seed_1.unfinished.nc").done == 70
    assert command("md", *asked, "--length", 0.5) == 0
    told = capsys.readouterr().out
    assert "seed 1: 0.50 ps at" in told
    assert "drift" in told
    for number, run in enumerate(whole):
        np.testing.assert_allclose(read_run(tmp_path / f"seed_{number}.nc").kept, run.kept, atol=1e-5)
    before = (tmp_path / "seed_0.nc").read_bytes()
    assert command("md", *asked, "--length", 0.5) == 0
    assert (tmp_path / "seed_0.nc").read_bytes() == before
    assert command("md", *asked, "--length", 0.6) == 0
    longer = read_run(tmp_path / "seed_0.nc")
    assert len(longer.kept) == 120
    with xarray.open_dataset(tmp_path / "spectral_intensity.nc", engine="h5netcdf") as found:
        assert {"total", "A1'", "E'", "A1' error"} <= set(found.data_vars)
        assert float(found["total error"].max()) > 0
    assert not list(tmp_path.glob("*.unfinished.nc"))
    assert "with other settings (dynamics.temperature_k 273.0, now 300.0)" in fails(capsys, "md", *asked, "--temperature", 300)
    (tmp_path / "seed_1.nc").write_bytes((tmp_path / "seed_1.nc").read_bytes()[:5000])
    assert "seed_1.nc" in fails(capsys, "md", *asked)


@pytest.mark.parametrize("after", [7, 20, 21])
def test_dynamics_that_are_stopped_while_they_thermalise_go_on_too(tmp_path, after):
    settings = MolecularDynamics.model_validate({"dynamics": {"thermalise_ps": 0.1, "length_ps": 0.1}})
    calls = []

    def stop(fraction: float, message: str) -> None:
        calls.append(message)
        if sum("seed 0" in one for one in calls) == after:
            raise Cancelled

    with pytest.raises(Cancelled):
        theory_runs.dynamics(settings, tmp_path, stop)
    kept = read_run(tmp_path / "seed_0.unfinished.nc")
    assert (kept.done, len(kept.kept)) == (after, max(0, after - 20))
    (run,) = theory_runs.dynamics(settings, tmp_path)
    np.testing.assert_allclose(run.kept, settings()[0].kept, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--repeat", "4"), "write it as 4x4"),
        (("--repeat", "40x4"), "use 1 to 12"),
        (("--material", "MoX2"), "material"),
        (("--defect", "V_S"), "'V_S' is no defect of WSe2"),
        (("--engine", "CHGNet"), "diep"),
        (("--engine", "GFN1-xTB"), "at least 3 x 3"),
        (("--engine", "GFN1-xTB", "--material", "MoS2", "--repeat", "4x4"), "wrong for MoS2"),
        (("--fmax", "-1"), "fmax"),
        (("--fmax", "1e-5", "--steps", "2"), "after 2 steps"),
    ],
)
@pytest.mark.parametrize("part", ["relax", "md"])
def test_a_mistake_is_one_sentence_and_leaves_nothing(tmp_path, capsys, part, arguments, words):
    assert words in fails(capsys, part, "--output", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("part", ["relax", "phonons", "raman", "md"])
def test_a_folder_that_cannot_be_is_told_before_any_work(tmp_path, capsys, monkeypatch, part):
    (tmp_path / "file").write_text("a file")
    monkeypatch.setattr(relaxation, "calculator_of", None)
    assert "choose another output folder" in fails(capsys, part, "--output", tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text() == "a file"


def test_raman_of_a_material_without_tensors_is_refused_before_any_work(tmp_path, capsys):
    assert "MoTe2" in fails(capsys, "raman", "--output", tmp_path / "out", "--material", "MoTe2")


def test_forces_that_do_not_fall_are_one_sentence():
    with pytest.raises(DataError, match="not relaxed after 2 steps"):
        Relax(steps=2, fmax=1e-4)()
