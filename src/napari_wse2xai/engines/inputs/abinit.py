"""ABINIT: one input with several data sets for each task."""

import numpy as np

from napari_wse2xai.engines.inputs.job import BOHR_A, HARTREE_EV, HARTREE_TIME_FS, NUMBERS, CalculationJob, rows


def inputs(job: CalculationJob) -> dict[str, str]:
    """Content of every file by its place."""
    speed = job.velocities * 1e-3 * HARTREE_TIME_FS / BOHR_A
    moving = f"ionmov 6\nntime {job.steps}\ndtion {job.step_fs / HARTREE_TIME_FS:.6f}\ntoldff 1.0d-6\nvel\n{rows(speed, 12)}\n"
    files = {
        "relax/relax.abi": _head(job) + "ionmov 22\nntime 100\ntolmxf 5.0d-5\ntolvrs 1.0d-14\n",
        "phonons/phonons.abi": _head(job) + _PHONONS.format(count=len(job.cell.symbols)),
        "md/md.abi": _head(job, gamma=True) + moving,
    }
    files |= {"phonons/anaddb.abi": _ANADDB.format(task="phonons", set=2)}
    if job.metallic:
        return files
    return files | {"raman/raman.abi": _head(job) + _RAMAN.format(count=len(job.cell.symbols))}


def _head(job: CalculationJob, *, gamma: bool = False) -> str:
    kinds = [job.elements.index(symbol) + 1 for symbol in job.cell.symbols]
    occupied = "occopt 4\ntsmear 0.005" if job.metallic else "occopt 1"
    return f"""# {job.title}
pp_dirpath "{job.pseudo_dir}"
pseudos "{", ".join(job.files[element] for element in job.elements)}"
ntypat {len(job.elements)}
znucl {" ".join(str(NUMBERS[element]) for element in job.elements)}
amu {" ".join(f"{job.mass(element):.4f}" for element in job.elements)}
natom {len(kinds)}
typat
{_wrapped(kinds)}
acell 1 1 1 angstrom
rprim
{rows(job.cell.lattice)}
xcart
{rows(job.cell.positions)} angstrom
ixc 7
ecut {job.cutoff_ev / HARTREE_EV:.4f}
ngkpt {f"{job.mesh[0]} {job.mesh[1]} 1" if not gamma else "1 1 1"}
nshiftk 1
shiftk 0 0 0
{occupied}
nstep 200
optforces 1
chksymbreak 0
"""


def _wrapped(kinds: list[int], width: int = 24) -> str:
    return "\n".join(" ".join(map(str, kinds[first : first + width])) for first in range(0, len(kinds), width))


_PHONONS = """ndtset 2
tolvrs1 1.0d-18
getwfk2 1
kptopt2 3
nqpt2 1
qpt2 0 0 0
rfphon2 1
rfatpol2 1 {count}
rfdir2 1 1 1
tolvrs2 1.0d-10
"""
_RAMAN = """# 1 ground state, 2 over half of the zone, 3 derivatives by k, 4 answers to field and displacements, 5 third derivatives
ndtset 5
prtden1 1
tolvrs1 1.0d-18
getden2 1
getwfk2 1
iscf2 -2
kptopt2 2
tolwfr2 1.0d-18
getden3 1
getwfk3 2
iscf3 -3
kptopt3 2
rfelfd3 2
rfdir3 1 1 1
nqpt3 1
qpt3 0 0 0
tolwfr3 1.0d-18
getden4 1
getwfk4 2
getddk4 3
kptopt4 2
nqpt4 1
qpt4 0 0 0
rfphon4 1
rfatpol4 1 {count}
rfelfd4 3
rfdir4 1 1 1
prepanl4 1
prtden4 1
prtwf4 1
tolvrs4 1.0d-12
optdriver5 5
getden5 1
get1den5 4
get1wf5 4
getwfk5 2
getddk5 3
kptopt5 2
d3e_pert1_elfd5 1
d3e_pert1_phon5 1
d3e_pert1_atpol5 1 {count}
d3e_pert1_dir5 1 1 1
d3e_pert2_elfd5 1
d3e_pert2_dir5 1 1 1
d3e_pert3_elfd5 1
d3e_pert3_dir5 1 1 1
"""
_ANADDB = """ddb_filepath "{task}o_DS{set}_DDB"
output_file "anaddb.out"
outdata_prefix "anaddb"
ifcflag 0
asr 2
nph1l 1
qph1l 0.0 0.0 0.0 1.0
"""

STEPS = {
    "relax": (("abinit", "relax"),),
    "phonons": (("abinit", "phonons"), ("anaddb", "anaddb")),
    "raman": (("abinit", "raman"),),
    "md": (("abinit", "md"),),
}
"""Programs of each task, and the name of their input."""
INPUT, OUTPUT = ".abi", ".log"
DONE = ("Calculation completed", "the run completed succesfully")
"""What stands in the output of a program, of abinit or of anaddb, that came to its end."""


def arguments(name: str) -> list[str]:
    """What a program is called with."""
    return [f"{name}{INPUT}"]


def reason(text: str) -> list[str]:
    """Lines that say what went wrong."""
    kind = next((kind for kind in ("--- !ERROR", "ScfConvergenceWarning") if kind in text), "--- !ERROR")
    return text.partition(kind)[2].partition("message:")[2].splitlines()[1:4]


def relaxed(text: str, count: int) -> np.ndarray | None:
    """(n, 3) A at the end of a relaxation's log; None where it has none."""
    place = text.rpartition("xangst")[2]
    words = place.split()[: 3 * count]
    return np.array(words, dtype=np.float64).reshape(-1, 3) if "after computation" in text and len(words) == 3 * count else None
