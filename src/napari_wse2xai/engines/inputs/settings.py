"""Which program, which layer, how fine."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import field_validator

from napari_wse2xai.engines.dynamics import Dynamics
from napari_wse2xai.engines.inputs import abinit, castep, espresso, vasp
from napari_wse2xai.engines.inputs.job import CalculationJob
from napari_wse2xai.engines.layer import START, Layer, spelled
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.theory.cell import Array, HarmonicCell

PROGRAMS = {"CASTEP": castep, "Quantum ESPRESSO": espresso, "ABINIT": abinit, "VASP": vasp}
TASKS = ("relax", "phonons", "raman", "md")
_SHORT = ("qe", "espresso", "quantum-espresso", "pwscf")
_METALS = ("Nb", "Ta")
"""Metals whose MX2 conduct: their bands are partly filled."""
_EXTENSIONS = {"CASTEP": "", "Quantum ESPRESSO": ".UPF", "ABINIT": ".psp8", "VASP": ""}


class Inputs(Settings):
    """Write what a program needs for a layer: relaxation, vibrations, Raman tensors, dynamics; LDA, as the paper has it."""

    program: Literal["CASTEP", "Quantum ESPRESSO", "ABINIT", "VASP"] = setting(title="Program", description="Whose inputs are written.")
    layer: Layer = setting(Layer(), title="Layer", description="What is calculated.")
    a: float | None = setting(
        None, title="Lattice constant", unit="Å", gt=2, lt=6, description="Of the unit cell; empty: about the measured one."
    )
    vacuum: float = setting(20.0, title="Vacuum", unit="Å", ge=8, le=60, description="Empty room between a layer and its next image.")
    cutoff_ev: float = setting(816.0, title="Cutoff", unit="eV", ge=50, le=5000, description="Of the plane waves; 816 eV are 60 Ry.")
    k_points: int = setting(
        12,
        title="k points",
        ge=1,
        le=48,
        description="Along each direction of the unit cell; larger cells get as many fewer. Raman tensors need 8 or more.",
    )
    dynamics: Dynamics = setting(
        Dynamics(step_fs=10, thermalise_ps=0), title="Dynamics", description="At Gamma alone, as in the paper, which printed 10 fs."
    )
    pseudopotentials: tuple[str, ...] = setting(
        (), title="Pseudopotentials", description="Files by element, as W=W.UPF; norm-conserving ones, for LDA."
    )
    pseudo_dir: str = setting("../pseudo", title="Their folder", description="As seen from the folder of a task.")

    @field_validator("program", mode="before")
    @classmethod
    def _however_written(cls, value: object) -> object:
        return spelled("Quantum ESPRESSO" if str(value).lower() in _SHORT else value, tuple(PROGRAMS))

    @field_validator("pseudopotentials")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            element, equals, file = one.partition("=")
            if not (element.isalpha() and equals and file) or set(file) & set("\"'\n"):
                raise ValueError(f"'{one}' names no pseudopotential; write it as W=W.UPF")
        return value

    def __call__(self, relaxed: HarmonicCell | None = None) -> dict[str, str]:
        """Return the content of every file by its place, as ``relax/pw.in``; of a cell that was relaxed before, where it is given."""
        job = self.job(relaxed)
        files = {place: text if text.endswith("\n") else f"{text}\n" for place, text in PROGRAMS[self.program].inputs(job).items()}
        return files | {"README.txt": _readme(self.program, job, files)}

    def job(self, relaxed: HarmonicCell | None = None) -> CalculationJob:
        """Return what is calculated, whatever the program."""
        usual = START[self.layer.material]
        cell = _in_box(relaxed or self.layer.build(self.a or usual[0], usual[1]), self.vacuum)
        start = self.dynamics.start(cell, self.program)
        first, second = self.layer.repeat
        given = dict(one.split("=", 1) for one in self.pseudopotentials)
        return CalculationJob(
            title=f"{self.layer.material} {self.layer.name} {first} x {second}",
            cell=cell,
            mesh=(-(-self.k_points // first), -(-self.k_points // second)),
            cutoff_ev=self.cutoff_ev,
            velocities=start.velocities,
            step_fs=self.dynamics.step_fs,
            steps=self.dynamics.steps,
            temperature_k=self.dynamics.temperature_k,
            files={element: given.get(element, f"{element}{_EXTENSIONS[self.program]}") for element in dict.fromkeys(cell.symbols)},
            pseudo_dir=self.pseudo_dir,
            metallic=cell.metal in _METALS,
        )


def _in_box(cell: HarmonicCell, vacuum: float) -> HarmonicCell:
    """The layer in the middle of its box, the atoms of an element together."""
    kinds = list(dict.fromkeys(cell.symbols))
    order = np.argsort([kinds.index(symbol) for symbol in cell.symbols], kind="stable")
    positions = cell.positions[order]
    thick = float(np.ptp(positions[:, 2]))
    lattice: Array = cell.lattice.copy()
    lattice[2] = [0, 0, thick + vacuum]
    positions[:, 2] += lattice[2, 2] / 2 - (positions[:, 2].max() + positions[:, 2].min()) / 2
    symbols = tuple(cell.symbols[index] for index in order)
    return replace(cell, symbols=symbols, positions=positions, lattice=lattice, masses=cell.masses[order])


def _readme(program: str, job: CalculationJob, files: Mapping[str, str]) -> str:
    there = [task for task in TASKS if any(place.startswith(f"{task}/") for place in files)]
    lines = [
        f"{job.title}: inputs for {program}, LDA, norm-conserving, {job.cutoff_ev:g} eV, {job.mesh[0]} x {job.mesh[1]} x 1 k points.",
        "",
        f"Tasks: {', '.join(there)}.  Run relax first, and put its atoms into the others (for Quantum ESPRESSO and ABINIT --run does so).",
        "The size of the cell is kept: relaxing it with plane waves needs a far higher cutoff (Pulay stress).",
        f"Pseudopotentials ({', '.join(job.files.values())}) belong into {job.pseudo_dir}, as seen from a task's folder; none are shipped."
        if program != "CASTEP"
        else "CASTEP makes its norm-conserving pseudopotentials itself (NCP).",
        "Raman tensors need 8 or more k points along each direction of the unit cell; with fewer they are noise.",
        f"Dynamics: {job.steps} steps of {job.step_fs:g} fs at constant energy, Gamma alone; velocities of {2 * job.temperature_k:g} K, "
        f"half of which goes into the springs, so that {job.temperature_k:g} K are left.",
        "A cell with an odd number of electrons needs spin, which is not asked for here.",
    ]
    if "raman" not in there:
        lines.append("There is no Raman: the bands of this material are partly filled, and it has no static dielectric constant.")
    return "\n".join(lines) + "\n"
