"""Quantum ESPRESSO: the dynamical matrix of ph.x with its Raman tensors, and dynamics of pw.x."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.calculations.frames import count, images, trajectory
from napari_wse2xai.theory.calculated import Trajectory, Vibrations
from napari_wse2xai.theory.cell import WAVENUMBER_PER_ROOT, Array

_BOHR_A, _RYDBERG_EV = 0.529177210903, 13.605693122994
_RYDBERG_MASS_U = 2 * 5.48579909065e-4
"""Mass of Rydberg atomic units, u: that of two electrons."""
_SPRING = _RYDBERG_EV / _BOHR_A**2


def read_dynamical(path: Path, step_fs: float | None = None) -> Vibrations:
    """Vibrations at Gamma from the file that ph.x calls ``fildyn``; the acoustic sum rule is put on its springs."""
    lines = _EspressoLines(path)
    lines.skip(2)
    kinds, atoms, bravais, *cell = (float(word) for word in lines.next().split())
    lattice = _lattice(lines, int(bravais), np.array(cell))
    names, masses = zip(*(_kind(lines.next()) for _ in range(int(kinds))), strict=True)
    rows = [lines.next().split() for _ in range(int(atoms))]
    which = [int(row[1]) - 1 for row in rows]
    positions = np.array([[float(word) for word in row[2:5]] for row in rows]) * cell[0] * _BOHR_A
    matrix = _matrix(lines, int(atoms))
    mass = np.array([masses[kind] for kind in which])
    values, vectors = np.linalg.eigh(matrix / np.sqrt(np.outer(np.repeat(mass, 3), np.repeat(mass, 3))))
    modes = vectors.T.reshape(-1, int(atoms), 3)
    return Vibrations(
        "Quantum ESPRESSO",
        path.name,
        tuple(names[kind] for kind in which),
        positions,
        lattice,
        mass,
        np.sign(values) * np.sqrt(np.abs(values)) * WAVENUMBER_PER_ROOT,
        modes,
        _tensors(lines, modes, mass),
    )


class _EspressoLines:
    """The lines of a file; at its end there is one sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._left: Iterator[str] = iter(path.read_text(encoding="utf-8").splitlines())

    def next(self) -> str:
        """Next line that is not empty."""
        for line in self._left:
            if line.strip():
                return line
        raise ReaderError(f"'{self.path.name}' ends too soon; copy it again.")

    def skip(self, count: int) -> None:
        """Leave some lines out, empty ones included."""
        for _ in range(count):
            next(self._left, None)

    def until(self, sign: str) -> bool:
        """Go on behind the line with a sign; False where none has it."""
        return any(sign in line for line in self._left)


def _lattice(lines: _EspressoLines, bravais: int, cell: Array) -> Array:
    """(3, 3) A, rows."""
    if bravais == 0:
        lines.next()  # "Basis vectors"
        rows = np.array([[float(word) for word in lines.next().split()] for _ in range(3)])
        return np.asarray(rows * cell[0] * _BOHR_A, dtype=np.float64)
    _, second, third = cell[:3]
    known = {
        1: np.eye(3),
        2: np.array([[-1, 0, 1], [0, 1, 1], [-1, 1, 0]]) / 2,
        4: np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, third]]),
        6: np.diag([1, 1, third]),
        8: np.diag([1, second, third]),
    }
    if bravais not in known:
        raise ReaderError(
            f"'{lines.path.name}' was calculated with ibrav = {bravais}; use {', '.join(map(str, known))}, or 0 with CELL_PARAMETERS."
        )
    return np.asarray(known[bravais] * cell[0] * _BOHR_A, dtype=np.float64)


def _kind(line: str) -> tuple[str, float]:
    _, name, mass = re.match(r"\s*(\d+)\s+'\s*(\S+?)\s*'\s+(\S+)", line).groups()  # type: ignore[union-attr]
    return re.sub(r"[^A-Za-z].*", "", name), float(mass) * _RYDBERG_MASS_U


def _matrix(lines: _EspressoLines, atoms: int) -> Array:
    """(3 n, 3 n) eV/A^2, symmetric, without forces on a shift of the whole."""
    if not lines.until("q = (    0.000000000   0.000000000   0.000000000 )"):
        raise ReaderError(f"'{lines.path.name}' holds no dynamical matrix at Gamma; calculate it at q = 0.")
    blocks = np.empty((atoms, 3, atoms, 3))
    for _ in range(atoms * atoms):
        one, other = (int(word) - 1 for word in lines.next().split())
        rows = [[float(word) for word in lines.next().split()[::2]] for _ in range(3)]
        blocks[one, :, other] = rows
    for atom in range(atoms):
        blocks[atom, :, atom] -= blocks[atom].sum(axis=1)
    matrix = blocks.reshape(3 * atoms, 3 * atoms)
    return np.asarray((matrix + matrix.T) / 2 * _SPRING)


def _tensors(lines: _EspressoLines, modes: Array, masses: Array) -> Array | None:
    """(m, 3, 3) A^2 / u^(1/2); None where ph.x was not asked for them."""
    if not lines.until("Raman tensor (A^2)"):
        return None
    by_atom = np.empty((len(masses), 3, 3, 3))
    for atom in range(len(masses)):
        for axis in range(3):
            lines.next()
            by_atom[atom, axis] = [[float(word) for word in lines.next().split()] for _ in range(3)]
    return np.asarray(np.einsum("max,axij->mij", modes / np.sqrt(masses)[:, None], (by_atom + by_atom.transpose(0, 1, 3, 2)) / 2))


def refuse_table(path: Path, step_fs: float | None = None) -> Vibrations:
    """Say that the output of dynmat.x holds no atoms."""
    raise ReaderError(f"'{path.name}' is what dynmat.x printed, without the atoms; give the dynamical matrix that it read (its 'fildyn').")


def read_dynamics(path: Path, step_fs: float | None = None) -> Trajectory:
    """Born-Oppenheimer dynamics of pw.x."""
    found = images(path, "espresso-out", count(path, "!    total energy"))
    return trajectory("Quantum ESPRESSO", path, found, step_fs or _step(path))


def _step(path: Path) -> float | None:
    found = re.search(r"Time step\s*=\s*\S+ a\.u\.,\s*(\S+) femto-seconds", path.read_text(encoding="utf-8", errors="replace"))
    return float(found[1]) if found else None
