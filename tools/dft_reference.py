"""Compute the first-principles reference of pristine MX2 monolayers: Gamma frequencies and Raman tensors by DFT-LDA.

    python tools/dft_reference.py compute FOLDER [--materials WSe2 MoS2] [--gth GTH_POTENTIALS]
    python tools/dft_reference.py collect FOLDER modes.json [--materials WS2 MoS2]

``compute`` runs Quantum ESPRESSO (``pw.x`` and ``ph.x``, on Debian from the package quantum-espresso) with the GTH-LDA numbers of CP2K
(package cp2k-data) and can be stopped and started again: what is done stays done.  ``collect`` reads its outputs into the small file that
the plugin ships, and leaves the other materials of that file as they are.  Nothing of either program is shipped.

How: a is that of the crystal as measured (the stress at these cutoffs is far from converged, so that the cell must not follow it), the
heights of the chalcogens are relaxed; each Gamma mode is frozen in with +-0.02 A; its force constant is the
slope of the force, its Raman tensor the slope of the static electronic dielectric tensor times volume / 4 pi (a central difference, in
A^2 per cell and A of displacement).
"""

import argparse
import datetime
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MASS_U = {"W": 183.84, "Mo": 95.95, "Te": 127.60, "Se": 78.971, "S": 32.06}
ATOMIC_NUMBER = {"W": 74, "Mo": 42, "Te": 52, "Se": 34, "S": 16}
ELECTRONS = {"W": 14, "Mo": 14, "Te": 6, "Se": 6, "S": 6}
# (metal, chalcogen, a of the 2H crystal in A, height of the chalcogen over the metal in A before it is relaxed).
# a: Schutte, de Boer, Jellinek, J. Solid State Chem. 70, 207 (1987) for W;
# Bronsema, de Boer, Jellinek, Z. anorg. allg. Chem. 540, 15 (1986) for Mo;
# MoTe2: Wikipedia's table (Molybdenum ditelluride).
MATERIALS = {
    "WSe2": ("W", "Se", 3.282, 1.668),
    "WS2": ("W", "S", 3.1532, 1.56),
    "MoS2": ("Mo", "S", 3.1602, 1.56),
    "MoSe2": ("Mo", "Se", 3.289, 1.66),
    "MoTe2": ("Mo", "Te", 3.519, 1.81),
}
VACUUM_CELL_A = 12.0
STEP_A = 0.02
RY_PER_BOHR_IN_EV_PER_A = 25.711043
CM1_PER_SQRT_EV_A2_U = 521.470898
FORCES = (60, 8)  # Ry, k points per direction
# Ry, k points per direction, modes: E" is invisible in backscattering, and computed on the mesh that is cheap.
TENSORS = ((40, 8, ("A1'", "E'", 'E"')), (40, 12, ("A1'", "E'")))
CONVERGENCE_ROW = {"WSe2": ((40, 16, ("A1'", "E'")),)}
# Which atoms a mode moves, in A of its own coordinate: metal, upper chalcogen, lower chalcogen; 0 = x, 1 = y, 2 = z.
MODES = {"A1'": (2, 0.0, 1.0, -1.0), "E'": (1, 1.0, 0.0, 0.0), 'E"': (1, 0.0, 1.0, -1.0), 'A2"': (2, 1.0, 0.0, 0.0)}
# The horizontal mirror turns these two over: a minus run would only repeat the plus run with its sign changed.
ODD_UNDER_MIRROR = ('E"', 'A2"')


@dataclass(frozen=True)
class Cell:
    """A monolayer: its metal and chalcogen, lattice constant and half thickness in A."""

    metal: str
    chalcogen: str
    a: float
    height: float

    def positions(self, mode: str = "", step: float = 0.0) -> np.ndarray:
        """Return the places of metal, upper and lower chalcogen, (3, 3) in A, displaced by ``step`` along ``mode``."""
        b = self.a / np.sqrt(3.0)
        places = np.array([[0, 0, 0], [0, -b, self.height], [0, -b, -self.height]], float)
        if mode:
            axis, *weights = MODES[mode]
            places[:, axis] += step * np.array(weights)
        return places

    @property
    def volume(self) -> float:
        """Volume of the cell with its vacuum, A^3."""
        return self.a**2 * np.sqrt(3) / 2 * VACUUM_CELL_A


def gth_rows(table: Path, element: str) -> list[list[str]]:
    """Return the numbers of one element's GTH-LDA potential as CP2K's table has them, row by row."""
    lines = table.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(f"{element} GTH-PADE-q{ELECTRONS[element]}"))
    return [line.split() for line in lines[first + 1 : first + 20]]


def write_pseudopotential(table: Path, element: str, folder: Path) -> str:
    """Write the GTH-LDA numbers of one element as a file that QE reads (ABINIT's code 10, no spin-orbit rows); return its name."""
    _, local, count, *rows = gth_rows(table, element)
    lines = [
        f"{element} GTH-LDA",
        f"{ATOMIC_NUMBER[element]} {ELECTRONS[element]} 0",
        f"10 1 {int(count[0]) - 1} 0 2002 0",
        " ".join(local),
        count[0],
    ]
    for angular in range(int(count[0])):
        projectors = int(rows[0][1])
        block, rows = rows[: max(projectors, 1)], rows[max(projectors, 1) :]
        lines += [" ".join(row) for row in block]
        if angular:
            lines += [" ".join(["0.0"] * (projectors - i)) for i in range(projectors)]
    (folder / f"{element}.gth").write_text("\n".join(lines) + "\n")
    return f"{element}.gth"


def scf_input(cell: Cell, places: np.ndarray, cutoff: int, mesh: int, task: str) -> str:
    """Return the input of ``pw.x`` for one geometry."""
    extra = "&ions\n/\n" if task == "relax" else ""
    symbols = (cell.metal, cell.chalcogen, cell.chalcogen)
    atoms = "\n".join(f"{s} {x:.8f} {y:.8f} {z:.8f}" for s, (x, y, z) in zip(symbols, places, strict=True))
    return f"""&control
 calculation='{task}', prefix='m', outdir='./out', pseudo_dir='./', tprnfor=.true., forc_conv_thr=1d-5, disk_io='low'
/
&system
 ibrav=4, a={cell.a:.8f}, c={VACUUM_CELL_A}, nat=3, ntyp=2, ecutwfc={cutoff}
/
&electrons
 conv_thr=1d-11
/
{extra}ATOMIC_SPECIES
{cell.metal} {MASS_U[cell.metal]} {cell.metal}.gth
{cell.chalcogen} {MASS_U[cell.chalcogen]} {cell.chalcogen}.gth
ATOMIC_POSITIONS angstrom
{atoms}
K_POINTS automatic
{mesh} {mesh} 1 0 0 0
"""


EPSILON_INPUT = """dielectric tensor
&inputph
 prefix='m', outdir='./out', tr2_ph=1d-13, epsil=.true., trans=.false., zeu=.false.
/
0.0 0.0 0.0
"""


def call(program: str, text: str, folder: Path, name: str) -> str:
    """Run one of QE's programs on one core and return what it printed; a run that is not done is an error."""
    (folder / f"{name}.in").write_text(text)
    with (folder / f"{name}.out").open("w") as out:
        subprocess.run(
            [program, "-i", f"{name}.in"], cwd=folder, stdout=out, stderr=subprocess.STDOUT, check=False, stdin=subprocess.DEVNULL
        )
    printed = (folder / f"{name}.out").read_text(errors="replace")
    if "JOB DONE" not in printed:
        raise SystemExit(f"{program} did not finish in {folder}: see {name}.out")
    return printed


def run(
    folder: Path, gth: Path, cell: Cell, places: np.ndarray, *, cutoff: int, mesh: int, task: str = "scf", epsilon: bool = False
) -> None:
    """Run one geometry unless it is done already."""
    if (folder / "done").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for element in (cell.metal, cell.chalcogen):
        write_pseudopotential(gth, element, folder)
    call("pw.x", scf_input(cell, places, cutoff, mesh, task), folder, "scf")
    if epsilon:
        call("ph.x", EPSILON_INPUT, folder, "epsilon")
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "done").touch()


def relaxed(folder: Path, start: Cell) -> Cell:
    """Read the relaxed heights."""
    text = (folder / "scf.out").read_text()
    final = text[text.index("Begin final coordinates") :]
    heights = [float(line.split()[3]) for line in re.findall(rf"^{start.chalcogen} .*$", final, re.MULTILINE)]
    return Cell(start.metal, start.chalcogen, start.a, (heights[0] - heights[1]) / 2)


def frozen(folder: Path, mode: str, sign: str, cutoff: int, mesh: int, kind: str) -> Path:
    """Return the folder of one frozen mode."""
    name = {"A1'": "A1p", "E'": "Ep", 'E"': "Epp", 'A2"': "A2pp"}[mode]
    return folder / f"{kind}_{cutoff}Ry_{mesh}k_{name}{sign}"


def signs(mode: str) -> tuple[tuple[str, float], ...]:
    """Return the displacements to run: both ways, or one where the mirror gives the other."""
    return (("+", STEP_A),) if mode in ODD_UNDER_MIRROR else (("+", STEP_A), ("-", -STEP_A))


def tensor_runs(material: str) -> tuple[tuple[int, int, tuple[str, ...]], ...]:
    """Return the cutoffs (Ry), meshes and modes at which Raman tensors of a material are computed."""
    return (*TENSORS, *CONVERGENCE_ROW.get(material, ()))


def compute_forces(home: Path, gth: Path, start: Cell) -> None:
    """Relax the heights of one material, and run what its frequencies need."""
    run(home / "relax", gth, start, start.positions(), cutoff=FORCES[0], mesh=FORCES[1], task="relax")
    cell = relaxed(home / "relax", start)
    cutoff, mesh = FORCES
    for mode in MODES:
        for sign, step in signs(mode):
            run(frozen(home, mode, sign, cutoff, mesh, "force"), gth, cell, cell.positions(mode, step), cutoff=cutoff, mesh=mesh)


def compute_tensors(home: Path, gth: Path, start: Cell, cutoff: int, mesh: int, modes: tuple[str, ...]) -> None:
    """Run what the Raman tensors of one material need on one mesh."""
    cell = relaxed(home / "relax", start)
    for mode in modes:
        for sign, step in signs(mode):
            where = frozen(home, mode, sign, cutoff, mesh, "tensor")
            run(where, gth, cell, cell.positions(mode, step), cutoff=cutoff, mesh=mesh, epsilon=True)


def compute(folder: Path, gth: Path, materials: list[str]) -> None:
    """Run everything, what is cheap of all materials first."""
    cells = {name: Cell(*MATERIALS[name]) for name in materials}
    for name, start in cells.items():
        compute_forces(folder / name, gth, start)
        compute_tensors(folder / name, gth, start, *TENSORS[0])
    for name, start in cells.items():
        for row in tensor_runs(name)[1:]:
            compute_tensors(folder / name, gth, start, *row)


def forces(folder: Path) -> np.ndarray:
    """Return the forces on the three atoms, (3, 3) in eV/A."""
    text = (folder / "scf.out").read_text()
    rows = re.findall(r"atom +\d+ +type +\d+ +force = +(\S+) +(\S+) +(\S+)", text)[:3]
    return np.array(rows, float) * RY_PER_BOHR_IN_EV_PER_A


def epsilon(folder: Path) -> np.ndarray:
    """Return the static electronic dielectric tensor, (3, 3)."""
    text = (folder / "epsilon.out").read_text()
    rows = re.findall(r"\( +(\S+) +(\S+) +(\S+) +\)", text[text.index("Dielectric constant in cartesian") :])[:3]
    return np.array(rows, float)


def slope(home: Path, mode: str, cutoff: int, mesh: int, kind: str) -> np.ndarray:
    """Return the derivative along one mode's coordinate, of the forces (kind "force") or of the dielectric tensor ("tensor")."""
    read = forces if kind == "force" else epsilon
    plus = read(frozen(home, mode, "+", cutoff, mesh, kind))
    if mode not in ODD_UNDER_MIRROR:
        return (plus - read(frozen(home, mode, "-", cutoff, mesh, kind))) / (2 * STEP_A)
    if kind == "force":
        return plus / STEP_A
    odd = plus / STEP_A  # xx, yy, zz are even in the displacement: only xz and yz have a slope
    odd[np.ix_([0, 1], [0, 1])] = 0.0
    odd[2, 2] = 0.0
    return odd


def mode_mass(cell: Cell, mode: str) -> float:
    """Return the mass (u) that goes with the coordinate of a mode (the centre of mass at rest)."""
    metal, chalcogen = MASS_U[cell.metal], MASS_U[cell.chalcogen]
    return 2 * chalcogen if mode in ("A1'", 'E"') else metal * 2 * chalcogen / (metal + 2 * chalcogen)


def frequency(home: Path, cell: Cell, mode: str) -> float:
    """Return the frequency of a mode in cm-1 from the slope of the forces along its coordinate."""
    axis, *weights = MODES[mode]
    constant = -float(np.array(weights) @ slope(home, mode, *FORCES, "force")[:, axis])
    return float(np.sqrt(constant / mode_mass(cell, mode)) * CM1_PER_SQRT_EV_A2_U)


def record(folder: Path, material: str) -> dict[str, object]:
    """Return what the plugin needs of one material, with its convergence row."""
    start = Cell(*MATERIALS[material])
    home = folder / material
    cell = relaxed(home / "relax", start)
    scale = cell.volume / (4 * np.pi)
    tensors = {}
    for cutoff, mesh, modes in tensor_runs(material):
        if all(frozen(home, m, s, cutoff, mesh, "tensor").joinpath("done").exists() for m in modes for s, _ in signs(m)):
            row = {m: np.round(scale * slope(home, m, cutoff, mesh, "tensor"), 5).tolist() for m in modes}
            tensors[f"{cutoff} Ry, {mesh} x {mesh}"] = row
    return {
        "a_A": round(cell.a, 5),
        "height_A": round(cell.height, 5),
        "cell_height_A": VACUUM_CELL_A,
        "masses_u": {cell.metal: MASS_U[cell.metal], cell.chalcogen: MASS_U[cell.chalcogen]},
        "frequencies_cm-1": {mode: round(frequency(home, cell, mode), 2) for mode in MODES},
        "frequencies_at": f"{FORCES[0]} Ry, {FORCES[1]} x {FORCES[1]}",
        "raman_tensors_A2": tensors,
    }


def is_done(home: Path) -> bool:
    """Whether a material's frequencies are there; its tensors may come later."""
    runs = [frozen(home, mode, sign, *FORCES, "force") for mode in MODES for sign, _ in signs(mode)]
    return all((run_folder / "done").exists() for run_folder in (home / "relax", *runs))


def collect(folder: Path, out: Path, materials: list[str]) -> None:
    """Put everything that is done into the reference file."""
    done = {name: record(folder, name) for name in materials if is_done(folder / name)}
    first = next(folder.glob("*/relax/scf.out")).read_text()
    version = re.search(r"Program PWSCF (v\.\S+)", first)[1]  # type: ignore[index]
    provenance = {
        "code": f"Quantum ESPRESSO {version} (pw.x, ph.x)",
        "functional": "LDA (Perdew-Zunger)",
        "pseudopotentials": "GTH-PADE of CP2K's GTH_POTENTIALS: W q14, Mo q14, Se q6, S q6",
        "displacement_A": STEP_A,
        "geometry": f"a of the 2H crystal as measured, heights relaxed at {FORCES[0]} Ry, 8 x 8, cell {VACUUM_CELL_A} A high",
        "date": datetime.date.today().isoformat(),
        "script": "tools/dft_reference.py",
    }
    before = json.loads(out.read_text()) if out.exists() else {"provenance": provenance, "materials": {}}
    for entry in done.values():
        entry["provenance"] = provenance
    out.write_text(json.dumps({**before, "materials": {**before["materials"], **done}}, indent=1) + "\n")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("compute", "collect"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=Path("modes.json"))
    parser.add_argument("--materials", nargs="+", default=list(MATERIALS), choices=list(MATERIALS))
    parser.add_argument("--gth", type=Path, default=Path("/usr/share/cp2k/GTH_POTENTIALS"))
    chosen = parser.parse_args()
    if chosen.task == "collect":
        collect(chosen.folder, chosen.out, chosen.materials)
        return
    compute(chosen.folder, chosen.gth, chosen.materials)


if __name__ == "__main__":
    main()
