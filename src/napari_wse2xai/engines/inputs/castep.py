"""CASTEP: a .cell and a .param for each task."""

from napari_wse2xai.engines.inputs.job import CalculationJob, rows

_COMMON = """XC_FUNCTIONAL : LDA
CUT_OFF_ENERGY : {cutoff:g} eV
ELEC_ENERGY_TOL : {tolerance} eV
MAX_SCF_CYCLES : 200
GRID_SCALE : 2.0
OPT_STRATEGY : SPEED
{occupied}
"""
_TASKS = {
    "relax": "TASK : GEOMETRYOPTIMIZATION\nGEOM_METHOD : LBFGS\nGEOM_FORCE_TOL : 0.003 eV/ang\nGEOM_MAX_ITER : 200\n",
    "phonons": "TASK : PHONON\nPHONON_METHOD : DFPT\nPHONON_SUM_RULE : TRUE\n",
    "raman": "TASK : PHONON+EFIELD\nPHONON_METHOD : DFPT\nPHONON_SUM_RULE : TRUE\n"
    "PHONON_CALC_LO_TO_SPLITTING : FALSE\nCALCULATE_RAMAN : TRUE\n",
}


def inputs(job: CalculationJob) -> dict[str, str]:
    """Content of every file by its place."""
    tasks = dict(_TASKS)
    if job.metallic:  # linear response and metals do not go together
        del tasks["raman"]
        tasks["phonons"] = tasks["phonons"].replace("DFPT", "FINITEDISPLACEMENT")
    timing = f"MD_TEMPERATURE : {job.temperature_k:g} K\nMD_DELTA_T : {job.step_fs:g} fs\nMD_NUM_ITER : {job.steps}\nMD_SAMPLE_ITER : 1\n"
    tasks["md"] = f"TASK : MOLECULARDYNAMICS\nMD_ENSEMBLE : NVE\n{timing}"
    occupied = "FIX_OCCUPANCY : FALSE\nSMEARING_WIDTH : 0.1 eV" if job.metallic else "FIX_OCCUPANCY : TRUE"
    files: dict[str, str] = {}
    for task, text in tasks.items():
        common = _COMMON.format(cutoff=job.cutoff_ev, tolerance="1e-8" if task == "md" else "1e-10", occupied=occupied)
        files |= {f"{task}/layer.param": f"COMMENT : {job.title}\n{text}{common}", f"{task}/layer.cell": _cell(job, task)}
    return files


def _cell(job: CalculationJob, task: str) -> str:
    mesh = (1, 1) if task == "md" else job.mesh
    blocks = {
        "LATTICE_CART": f"ang\n{rows(job.cell.lattice)}",
        "POSITIONS_ABS": f"ang\n{rows(job.cell.positions, 9, job.cell.symbols)}",
        "SPECIES_POT": "NCP",
        "SPECIES_MASS": "\n".join(f"{element} {job.mass(element):.4f}" for element in job.elements),
    }
    if task in ("phonons", "raman"):
        blocks["PHONON_KPOINT_LIST"] = "0.0 0.0 0.0 1.0"
    if task == "md":
        blocks["IONIC_VELOCITIES"] = f"ang/ps\n{rows(job.velocities)}"
    written = "\n".join(f"%BLOCK {name}\n{text}\n%ENDBLOCK {name}\n" for name, text in blocks.items())
    symmetry = "" if task == "md" else "SYMMETRY_GENERATE\nSNAP_TO_SYMMETRY\n"
    return f"{written}\nKPOINTS_MP_GRID : {mesh[0]} {mesh[1]} 1\nFIX_ALL_CELL : TRUE\nFIX_COM : TRUE\n{symmetry}"
