"""Inputs of first-principles programs, read back by other readers and by the programs themselves; and how these are run."""

import os
import re
import shutil
import stat
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import constants

from napari_wse2xai import cli
from napari_wse2xai.engines import Dynamics, Layer, Relax
from napari_wse2xai.engines.external import run_tasks, write_files
from napari_wse2xai.engines.inputs import PROGRAMS, TASKS, Inputs
from napari_wse2xai.errors import Cancelled, DataError, SettingsError

ase_io = pytest.importorskip("ase.io", reason="ASE comes with the extra 'theory'")
LAYER = Layer(repeat=(2, 3), defects=("V_Se", "O_Se@3"))
MAIN = {"CASTEP": "layer.cell", "Quantum ESPRESSO": "pw.in", "ABINIT": "{task}.abi", "VASP": "POSCAR"}
FORMATS = {"CASTEP": "castep-cell", "Quantum ESPRESSO": "espresso-in", "VASP": "vasp"}


def made(program: str, folder: Path, **settings) -> Inputs:
    asked = Inputs(program=program, **({"layer": LAYER, "k_points": 12} | settings))
    write_files(asked(), folder)
    return asked


def numbers(text: str, name: str, count: int) -> np.ndarray:
    return np.array(re.search(rf"^{name}\b(.*)", text, re.M | re.S)[1].split()[:count], dtype=float)


def read(program: str, folder: Path, task: str):
    path = folder / task / MAIN[program].format(task=task)
    if program != "ABINIT":
        return ase_io.read(path, format=FORMATS[program])
    import ase

    text = path.read_text()
    kinds, charges = numbers(text, "typat", 17).astype(int), numbers(text, "znucl", 3).astype(int)
    assert "angstrom" in text.partition("xcart")[2]
    places = numbers(text, "xcart", 17 * 3).reshape(-1, 3)
    return ase.Atoms(numbers=charges[kinds - 1], positions=places, cell=numbers(text, "rprim", 9).reshape(3, 3), pbc=True)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_another_reader_finds_the_same_layer(tmp_path, program, task):
    asked = made(program, tmp_path)
    found, cell = read(program, tmp_path, task), asked.job().cell
    assert found.get_chemical_symbols() == list(cell.symbols)
    np.testing.assert_allclose(np.array(found.cell), cell.lattice, atol=1e-7)
    np.testing.assert_allclose(found.positions, cell.positions, atol=1e-7)
    built = LAYER.build()
    assert sorted(cell.symbols) == sorted(built.symbols)
    assert np.ptp(cell.positions[:, 2]) + 20 == pytest.approx(cell.lattice[2, 2])
    assert 0 < cell.positions[:, 2].min() < cell.positions[:, 2].max() < cell.lattice[2, 2]


def speeds(program: str, text: str) -> np.ndarray:
    """(n, 3) m/s, by each program's own unit."""
    bohr, hartree_time = constants.value("Bohr radius"), constants.value("atomic unit of time")
    if program == "CASTEP":
        block = text.partition("%BLOCK IONIC_VELOCITIES")[2].partition("%ENDBLOCK")[0]
        assert block.split()[0] == "ang/ps"
        return np.array(block.split()[1:], dtype=float).reshape(-1, 3) * 100
    if program == "Quantum ESPRESSO":
        rows = [line.split()[1:] for line in text.partition("ATOMIC_VELOCITIES a.u\n")[2].splitlines()]
        return np.array(rows, dtype=float) * bohr / (2 * hartree_time)
    if program == "ABINIT":
        return numbers(text, "vel", 51).reshape(-1, 3) * bohr / hartree_time
    return np.array(text.strip().split("\n\n")[-1].split(), dtype=float).reshape(-1, 3) * 1e5


@pytest.mark.parametrize("program", PROGRAMS)
def test_dynamics_begin_with_twice_the_temperature_in_every_programs_units(tmp_path, program):
    asked = made(program, tmp_path, dynamics=Dynamics(thermalise_ps=0, step_fs=10, seed=3))
    text = (tmp_path / "md" / MAIN[program].format(task="md")).read_text()
    found, masses = speeds(program, text), asked.job().cell.masses * constants.atomic_mass
    assert found.shape == (17, 3)
    kinetic = 0.5 * (masses[:, None] * found**2).sum()
    assert kinetic / constants.k / (3 * 16 / 2) == pytest.approx(546, rel=0.35)
    assert np.abs((masses[:, None] * found).sum(axis=0)).max() < 1e-6 * np.abs(masses[:, None] * found).sum()
    same = [
        speeds(other, (tmp_path / other / "md" / MAIN[other].format(task="md")).read_text()) for other in PROGRAMS if _also(other, tmp_path)
    ]
    for one in same:
        np.testing.assert_allclose(one, found, atol=2e-2)


def _also(program: str, folder: Path) -> bool:
    made(program, folder / program, dynamics=Dynamics(thermalise_ps=0, step_fs=10, seed=3))
    return True


def test_steps_and_k_points(tmp_path):
    for program in PROGRAMS:
        made(program, tmp_path / program, dynamics=Dynamics(thermalise_ps=0, step_fs=10, length_ps=2))
    texts = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert "KPOINTS_MP_GRID : 6 4 1" in texts["CASTEP/raman/layer.cell"]
    assert "KPOINTS_MP_GRID : 1 1 1" in texts["CASTEP/md/layer.cell"]
    assert "automatic\n6 4 1 0 0 0" in texts["Quantum ESPRESSO/raman/pw.in"]
    assert "K_POINTS gamma" in texts["Quantum ESPRESSO/md/pw.in"]
    assert "ngkpt 6 4 1" in texts["ABINIT/phonons/phonons.abi"]
    assert "Gamma\n6 4 1" in texts["VASP/relax/KPOINTS"]
    assert float(re.search(r"dt=([\d.]+)", texts["Quantum ESPRESSO/md/pw.in"])[1]) * 4.8377687e-2 == pytest.approx(10, rel=1e-5)
    assert float(re.search(r"dtion ([\d.]+)", texts["ABINIT/md/md.abi"])[1]) * 2.41888433e-2 == pytest.approx(10, rel=1e-5)
    assert "nstep=200" in texts["Quantum ESPRESSO/md/pw.in"]
    assert "POTIM = 10\nNSW = 200" in texts["VASP/md/INCAR"]
    assert "MD_DELTA_T : 10 fs\nMD_NUM_ITER : 200" in texts["CASTEP/md/layer.param"]
    assert float(re.search(r"ecutwfc=([\d.]+)", texts["Quantum ESPRESSO/relax/pw.in"])[1]) == pytest.approx(816 / 13.605693, rel=1e-5)


def test_castep_is_asked_for_raman_and_vasp_for_dielectric_tensors_of_every_displacement(tmp_path):
    made("CASTEP", tmp_path / "c")
    param = dict(line.split(" : ") for line in (tmp_path / "c/raman/layer.param").read_text().splitlines())
    assert (param["TASK"], param["CALCULATE_RAMAN"], param["XC_FUNCTIONAL"]) == ("PHONON+EFIELD", "TRUE", "LDA")
    asked = made("VASP", tmp_path / "v")
    cell = asked.job().cell
    moved = sorted((tmp_path / "v/raman").glob("POSCAR_*"))
    assert len(moved) == 6 * len(cell.symbols)
    away = np.stack([ase_io.read(path, format="vasp").positions - cell.positions for path in moved])
    np.testing.assert_allclose(np.abs(away).sum(axis=(1, 2)), 0.02, atol=1e-6)
    np.testing.assert_allclose(away.sum(axis=0), 0, atol=1e-6)


def test_vasp_settings_are_known_to_another_reader(tmp_path):
    vasp = pytest.importorskip("pymatgen.io.vasp", reason="pymatgen comes with the extra 'theory'")
    made("VASP", tmp_path)
    import warnings

    for task in TASKS:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message=r"\w+: -?\d+ is not a float")  # of pymatgen before 2026
            incar = vasp.Incar.from_file(tmp_path / task / "INCAR")
            incar.check_params()
        assert incar["GGA"].upper() == "CA"
        assert vasp.Kpoints.from_file(tmp_path / task / "KPOINTS").num_kpts == 0
    assert vasp.Incar.from_file(tmp_path / "md" / "INCAR")["SMASS"] == -3


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_material_that_conducts_gets_no_raman(tmp_path, program):
    made(program, tmp_path, layer=Layer(material="NbSe2"))
    assert not (tmp_path / "raman").exists()
    assert "no Raman" in (tmp_path / "README.txt").read_text()


@pytest.mark.parametrize(("name", "program"), [("qe", "Quantum ESPRESSO"), ("castep", "CASTEP"), ("Abinit", "ABINIT"), ("VASP", "VASP")])
def test_names_may_be_written_short_and_small(name, program):
    asked = Inputs(program=name, layer=Layer(material="mos2"))
    assert (asked.program, asked.layer.material) == (program, "MoS2")
    assert Relax(engine="gfn1-XTB").engine == "GFN1-xTB"


def settings_of(program: str, **more) -> Inputs:
    files = {"ABINIT": ("W=74w.14.hgh", "Se=34se.6.hgh"), "Quantum ESPRESSO": ("W=Mg.pz-n-vbc.UPF", "Se=H.pz-vbc.UPF")}[program]
    folder = {"ABINIT": "/usr/share/abinit/psp", "Quantum ESPRESSO": "/usr/share/espresso/pseudo"}[program]
    dynamics = Dynamics(thermalise_ps=0, step_fs=2, length_ps=0.016)
    return Inputs(
        program=program, pseudopotentials=files, pseudo_dir=folder, cutoff_ev=120, k_points=1, vacuum=8, dynamics=dynamics, **more
    )


@pytest.mark.skipif(shutil.which("abinit") is None, reason="ABINIT is not installed")
@pytest.mark.parametrize("task", TASKS)
def test_abinit_accepts_its_inputs(tmp_path, task):
    write_files(settings_of("ABINIT")(), tmp_path)
    done = subprocess.run(
        ["abinit", f"{task}.abi", "--dry-run"], cwd=tmp_path / task, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout[-1500:]
    assert "ERROR" not in done.stdout


@pytest.mark.skipif(shutil.which("pw.x") is None, reason="Quantum ESPRESSO is not installed")
def test_espresso_runs_its_dynamics_with_the_energy_that_was_meant(tmp_path):
    """With pseudopotentials of other elements, which it takes; the kinetic energy that it prints is that of our velocities."""
    asked = settings_of("Quantum ESPRESSO")
    run_tasks(asked, tmp_path, ["md"])
    text = (tmp_path / "md/pw.out").read_text()
    printed = float(re.search(r"kinetic energy \(Ekin\) =\s+([\d.]+) Ry", text)[1]) * constants.value("Rydberg constant times hc in eV")
    job = asked.job()
    meant = 0.5 * (job.cell.masses[:, None] * job.velocities**2).sum() * constants.atomic_mass * 1e4 / constants.e
    assert printed == pytest.approx(meant, rel=1e-5)
    assert text.count("kinetic energy (Ekin)") == job.steps


FAKE = """#!/bin/sh
echo started >> {log}
{body}
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs of Quantum ESPRESSO's names that do what a test says."""
    folder, log = tmp_path / "bin", tmp_path / "log"
    folder.mkdir()

    def install(body: str, names=("pw.x", "ph.x", "dynmat.x")) -> Path:
        for name in names:
            (folder / name).write_text(FAKE.format(log=log, body=body))
            (folder / name).chmod(0o755 | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return log

    return install


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_tasks_run_in_turn_and_relaxed_atoms_go_on(tmp_path, programs):
    asked = Inputs(program="Quantum ESPRESSO", dynamics=Dynamics(thermalise_ps=0))
    cell = asked.job().cell
    rows = "\n".join(f"{s} {x} {y} {z + 0.05}" for s, (x, y, z) in zip(cell.symbols, cell.positions, strict=True))
    log = programs(f"cat <<EOF\nBegin final coordinates\n\nATOMIC_POSITIONS (angstrom)\n{rows}\nEnd final coordinates\nJOB DONE.\nEOF")
    run_tasks(asked, tmp_path / "out", ["relax", "raman"])
    assert log.read_text().count("started") == 4
    before, after = (ase_io.read(tmp_path / "out" / task / "pw.in", format="espresso-in").positions for task in ("relax", "raman"))
    np.testing.assert_allclose(before, cell.positions, atol=1e-6)
    np.testing.assert_allclose(after - before, np.broadcast_to(after[0] - before[0], (3, 3)), atol=1e-6)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_program_that_fails_is_one_sentence(tmp_path, programs, capsys):
    programs("echo ' %%%%%%'; echo '     Error in routine readpp (2):'; echo '     file W.UPF not found'; exit 1")
    with pytest.raises(DataError, match=r"pw.x did not come to its end .*W.UPF not found"):
        run_tasks(Inputs(program="Quantum ESPRESSO"), tmp_path / "out", ["phonons"])
    arguments = ["theory", "inputs", "--program", "Quantum ESPRESSO", "--run", "relax", "--output", str(tmp_path / "cli")]
    assert cli.main(arguments) == 2
    assert "W.UPF not found" in capsys.readouterr().err.splitlines()[-1]
    assert (tmp_path / "cli/README.txt").exists()


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_a_run_that_ends_without_converging_is_no_result(tmp_path, programs):
    programs("echo '     convergence NOT achieved after 200 iterations: stopping'; echo '   JOB DONE.'")
    with pytest.raises(DataError, match="convergence NOT achieved"):
        run_tasks(Inputs(program="Quantum ESPRESSO"), tmp_path / "out", ["phonons"])


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_cancel_ends_the_program(tmp_path, programs):
    programs(f"echo $$ > {tmp_path}/pid; exec sleep 60")
    stop = threading.Event()

    def progress(fraction: float, message: str) -> None:
        if stop.is_set():
            raise Cancelled

    threading.Timer(1.0, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        run_tasks(Inputs(program="Quantum ESPRESSO"), tmp_path / "out", ["relax"], progress=progress)
    assert time.monotonic() - begun < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_cannot_be_run_is_said_before_any_work(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="not run from here"):
        run_tasks(Inputs(program="VASP"), tmp_path / "out", ["relax"])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"pw.x of Quantum ESPRESSO is not installed"):
        run_tasks(Inputs(program="Quantum ESPRESSO"), tmp_path / "out", ["relax"])
    with pytest.raises(SettingsError, match="'bands' is no task"):
        run_tasks(Inputs(program="ABINIT"), tmp_path / "out", ["bands"])
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValidationError, match="names no pseudopotential"):
        Inputs(program="VASP", pseudopotentials=("W",))


def test_the_command_writes_all_tasks_of_a_relaxed_layer(tmp_path, capsys):
    from napari_wse2xai.io.calculated_here import write_relaxed
    from napari_wse2xai.theory.relaxed import Relaxed

    cell = Layer().build(3.25, 1.61)
    write_relaxed(Relaxed(cell, 3.25, 1.61, 0.001, 5), tmp_path / "relaxed.nc")
    arguments = ["theory", "inputs", "--program", "CASTEP", "--output", str(tmp_path / "out"), "--relaxed", str(tmp_path / "relaxed.nc")]
    assert cli.main(arguments) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*TASKS, "README.txt"}
    assert np.linalg.norm(read("CASTEP", tmp_path / "out", "md").cell[0]) == pytest.approx(3.25, abs=1e-6)
    assert cli.main([*arguments, "--repeat", "2x2"]) == 2
    assert "other atoms" in capsys.readouterr().err
    for mistake, words in (
        (["--program", "WIEN2k"], "program"),
        (["--cutoff", "1"], "cutoff_ev"),
        (["--relaxed", str(tmp_path / "no.nc")], "no.nc"),
    ):
        assert cli.main([*arguments, *mistake]) == 2
        assert words in capsys.readouterr().err.splitlines()[-1]
