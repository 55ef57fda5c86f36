"""CASTEP: .phonon and .castep through castep-outputs, .md through ASE.

ASE's own reader of .phonon fails on real files, and castep-outputs gives one frame of three of an .md file: each is used for what it reads.
"""

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io.calculations.frames import count, images, trajectory
from napari_wse2xai.io.calculations.library import library
from napari_wse2xai.theory.calculated import Trajectory, Vibrations

_ATOMIC_TIME_FS = 2.4188843265857e-2


def read_phonon(path: Path, step_fs: float | None = None) -> Vibrations:
    """Vibrations at Gamma, with Raman tensors of the .castep file beside it where that has some."""
    parse = library("castep_outputs.parsers", "Reading CASTEP's .phonon").parse_phonon_file
    with path.open(encoding="utf-8") as stream:
        found = parse(stream)
    gamma = _gamma(path, found)
    coordinates, lattice = found["coords"], np.array(found["unit_cell"])
    atoms, rows = int(found["ions"]), np.array(gamma["eigenvectors"], dtype=np.complex128).real
    if rows.shape != (3 * atoms**2, 3) or not len(coordinates["spec"]) == atoms == len(gamma["eigenvalues"]) / 3:
        raise ReaderError(f"'{path.name}' ends within its eigenvectors ({len(rows)} of {3 * atoms**2} lines); copy it again.")
    vectors = rows.reshape(3 * atoms, atoms, 3)
    return Vibrations(
        "CASTEP",
        path.name,
        tuple(coordinates["spec"]),
        np.stack([coordinates[axis] for axis in "uvw"], axis=1) @ lattice,
        lattice,
        np.array(coordinates["mass"]),
        np.array(gamma["eigenvalues"]),
        vectors,
        _tensors_beside(path, np.array(gamma["eigenvalues"]), abs(np.linalg.det(lattice))),
    )


def _gamma(path: Path, found: Any) -> Any:
    """The entry at Gamma; of several, the one without a direction for the splitting of LO and TO, which a layer does not have."""
    there = [one for one in found["qpts"] if np.allclose(one["qpt"], 0)]
    if not there:
        raise ReaderError(f"'{path.name}' holds no vibrations at Gamma; calculate them at q = 0.")
    plain = [one for one in there if not one.get("dir")]
    return (plain or there)[0]


def _tensors_beside(path: Path, wavenumbers: np.ndarray, volume: float) -> np.ndarray | None:
    """Raman tensors of the .castep file of the same run, mode by mode; A^2 / u^(1/2) up to a factor that all of a program's files share."""
    beside = path.with_suffix(".castep")
    if not beside.is_file():
        return None
    tensors = _raman_of(beside)
    if tensors is None:
        return None
    if len(tensors) != len(wavenumbers):
        warnings.warn(
            f"'{beside.name}' holds {len(tensors)} Raman tensors, '{path.name}' {len(wavenumbers)} modes; the tensors are left out.",
            DataWarning,
            stacklevel=4,
        )
        return None
    return np.asarray(tensors * np.sqrt(volume))


def _raman_of(path: Path) -> np.ndarray | None:
    """(m, 3, 3) tensors as CASTEP prints them, (A / u)^(1/2); None where there are none."""
    parse = library("castep_outputs.parsers", "Reading CASTEP's .castep").parse_castep_file
    runs = parse(io.StringIO(path.read_text(encoding="utf-8", errors="replace")))
    blocks = [block for run in runs for block in run.get("raman", [])]
    return np.array([mode["tensor"] for mode in blocks[-1]], dtype=np.float64) if blocks else None


def read_castep(path: Path, step_fs: float | None = None) -> Vibrations:
    """Vibrations of the .phonon file beside it: a .castep file holds no eigenvectors."""
    beside = path.with_suffix(".phonon")
    if not beside.is_file():
        raise ReaderError(f"'{path.name}' holds no eigenvectors; put '{beside.name}' of the same run beside it, and give that.")
    return read_phonon(beside)


def read_md(path: Path, step_fs: float | None = None) -> Trajectory:
    """Born-Oppenheimer dynamics."""
    found = images(path, "castep-md", count(path, "<-- E"))
    return trajectory("CASTEP", path, found, step_fs or _step(path))


def _step(path: Path) -> float | None:
    """Time between two frames, fs: their times stand on lines of their own, in atomic units."""
    times = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            words = line.split()
            if len(words) == 1 and words[0][0].isdigit():
                times.append(float(words[0]) * _ATOMIC_TIME_FS)
            if len(times) == 2:
                return times[1] - times[0]
    return None
