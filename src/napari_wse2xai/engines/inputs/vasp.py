"""VASP: INCAR, KPOINTS and POSCAR for each task; Raman by differences of dielectric tensors."""

from dataclasses import replace

from napari_wse2xai.engines.inputs.job import CalculationJob, rows

_COMMON = """GGA = CA
PREC = Accurate
ENCUT = {cutoff:g}
EDIFF = {tolerance}
LREAL = .FALSE.
LWAVE = .FALSE.
LCHARG = .FALSE.
{occupied}
"""
_TASKS = {
    "relax": "IBRION = 2\nNSW = 200\nISIF = 2\nEDIFFG = -0.003\n",
    "phonons": "IBRION = 8\nNSW = 1\nLEPSILON = .FALSE.\n",
    "raman": "IBRION = -1\nNSW = 0\nLEPSILON = .TRUE.\nISYM = 0\n",
}
_MOVED_A = 0.02


def inputs(job: CalculationJob) -> dict[str, str]:
    """Content of every file by its place."""
    tasks = dict(_TASKS)
    if job.metallic:
        del tasks["raman"]
    tasks["md"] = (
        f"IBRION = 0\nMDALGO = 0\nSMASS = -3\nISYM = 0\nPOTIM = {job.step_fs:g}\nNSW = {job.steps}\n"
        f"TEBEG = {2 * job.temperature_k:g}\nNBLOCK = 1\n"
    )
    occupied = "ISMEAR = 1\nSIGMA = 0.1" if job.metallic else "ISMEAR = 0\nSIGMA = 0.02"
    files: dict[str, str] = {}
    for task, text in tasks.items():
        common = _COMMON.format(cutoff=job.cutoff_ev, tolerance="1E-6" if task == "md" else "1E-8", occupied=occupied)
        files |= {f"{task}/INCAR": f"SYSTEM = {job.title}\n{text}{common}", f"{task}/KPOINTS": _points(job, task)}
        files |= {f"{task}/POSCAR": _poscar(job, moving=task == "md")} | {f"{task}/POTCAR.txt": _potcar(job)}
    return files | ({} if job.metallic else _displaced(job))


def _points(job: CalculationJob, task: str) -> str:
    mesh = (1, 1) if task == "md" else job.mesh
    return f"{job.title}\n0\nGamma\n{mesh[0]} {mesh[1]} 1\n0 0 0\n"


def _potcar(job: CalculationJob) -> str:
    return f"POTCAR: the LDA files of {', '.join(job.files[element] for element in job.elements)}, one after the other, in this order.\n"


def _poscar(job: CalculationJob, *, moving: bool = False) -> str:
    counts = " ".join(str(job.cell.symbols.count(element)) for element in job.elements)
    speed = f"\n{rows(job.velocities * 1e-3, 12)}\n" if moving else ""
    return f"{job.title}\n1.0\n{rows(job.cell.lattice)}\n{' '.join(job.elements)}\n{counts}\nCartesian\n{rows(job.cell.positions)}\n{speed}"


def _displaced(job: CalculationJob) -> dict[str, str]:
    """A POSCAR for each atom moved along each direction, both ways."""
    files: dict[str, str] = {}
    for atom in range(len(job.cell.symbols)):
        for axis, name in enumerate("xyz"):
            for sign, way in (("plus", 1), ("minus", -1)):
                positions = job.cell.positions.copy()
                positions[atom, axis] += way * _MOVED_A
                files[f"raman/POSCAR_{atom + 1:03d}_{name}_{sign}"] = _poscar(replace(job, cell=replace(job.cell, positions=positions)))
    return files
