"""Quantum ESPRESSO: pw.x, ph.x, dynmat.x."""

import numpy as np

from napari_wse2xai.engines.inputs.job import BOHR_A, HARTREE_EV, HARTREE_TIME_FS, CalculationJob, rows

_RYDBERG_TIME_FS = 2 * HARTREE_TIME_FS


def inputs(job: CalculationJob) -> dict[str, str]:
    """Content of every file by its place."""
    files = {"relax/pw.in": _pw(job, "relax", "forc_conv_thr=1d-4, etot_conv_thr=1d-7, nstep=200,", "&ions\n/\n")}
    tasks = {"phonons": _phonons(False)} | ({} if job.metallic else {"raman": _phonons(True)})
    for task, text in tasks.items():
        files |= {f"{task}/pw.in": _pw(job, "scf"), f"{task}/ph.in": text, f"{task}/dynmat.in": _DYNMAT}
    timing = f"dt={job.step_fs / _RYDBERG_TIME_FS:.5f}, nstep={job.steps},"
    ions = "&ions\n ion_dynamics='verlet', ion_velocities='from_input', ion_temperature='not_controlled'\n/\n"
    speed = job.velocities * 1e-3 * _RYDBERG_TIME_FS / BOHR_A
    moving = f"ATOMIC_VELOCITIES a.u\n{rows(speed, 12, job.cell.symbols)}\n"
    return files | {"md/pw.in": _pw(job, "md", timing, ions, gamma=True) + moving}


def _pw(job: CalculationJob, task: str, control: str = "", ions: str = "", *, gamma: bool = False) -> str:
    smearing = "occupations='smearing', smearing='mv', degauss=0.01," if job.metallic else "occupations='fixed',"
    species = "\n".join(f"{element} {job.mass(element):.4f} {job.files[element]}" for element in job.elements)
    points = "gamma" if gamma else f"automatic\n{job.mesh[0]} {job.mesh[1]} 1 0 0 0"
    symmetry = " nosym=.true.," if gamma else ""
    return f"""&control
 calculation='{task}', title='{job.title}', prefix='layer', outdir='./out', pseudo_dir='{job.pseudo_dir}', tprnfor=.true., {control}
/
&system
 ibrav=0, nat={len(job.cell.symbols)}, ntyp={len(job.elements)}, ecutwfc={2 * job.cutoff_ev / HARTREE_EV:.4f}, {smearing}{symmetry}
/
&electrons
 conv_thr={"1d-9" if gamma else "1d-11"}, electron_maxstep=200
/
{ions}ATOMIC_SPECIES
{species}
CELL_PARAMETERS angstrom
{rows(job.cell.lattice)}
ATOMIC_POSITIONS angstrom
{rows(job.cell.positions, 9, job.cell.symbols)}
K_POINTS {points}
"""


def _phonons(with_raman: bool) -> str:
    field = " epsil=.true., lraman=.true.,\n" if with_raman else ""
    common = "prefix='layer', outdir='./out', fildyn='dynmat', tr2_ph=1d-15, trans=.true.,"
    return f"vibrations at Gamma\n&inputph\n {common}\n{field}/\n0.0 0.0 0.0\n"


_DYNMAT = "&input\n fildyn='dynmat', asr='simple', filout='dynmat.out', filxsf='dynmat.axsf'\n/\n"

STEPS = {
    "relax": (("pw.x", "pw"),),
    "phonons": (("pw.x", "pw"), ("ph.x", "ph"), ("dynmat.x", "dynmat")),
    "raman": (("pw.x", "pw"), ("ph.x", "ph"), ("dynmat.x", "dynmat")),
    "md": (("pw.x", "pw"),),
}
"""Programs of each task, and the name of their input."""
INPUT, OUTPUT = ".in", ".out"
DONE = ("JOB DONE",)
"""What stands in the output of a program that came to its end."""


def arguments(name: str) -> list[str]:
    """What a program is called with."""
    return ["-i", f"{name}{INPUT}"]


def reason(text: str) -> list[str]:
    """Lines that say what went wrong."""
    unsettled = [line for line in text.splitlines() if "convergence NOT achieved" in line]
    return unsettled[:1] or text.partition("Error in routine")[2].splitlines()[1:2]


def relaxed(text: str, count: int) -> np.ndarray | None:
    """(n, 3) A at the end of a relaxation's output; None where it has none."""
    if "Begin final coordinates" not in text:
        return None
    lines = text.rpartition("Begin final coordinates")[2].partition("ATOMIC_POSITIONS")[2].splitlines()[1 : count + 1]
    return np.array([[float(word) for word in line.split()[1:4]] for line in lines])
