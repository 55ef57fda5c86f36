"""Frames of molecular dynamics through ASE, counted a second time by what every frame begins with."""

from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.calculations.library import library
from napari_wse2xai.theory.calculated import Trajectory

FEWEST = 3
_FS_OF_ASE = 98.22694788464062
"""ASE's unit of time is 1 / this fs: A sqrt(u / eV) is 10.18 fs."""


def images(path: Path, kind: str, frames: int) -> list[Any]:
    """Every frame of a file as ASE's Atoms; ASE may give fewer than it holds without a word, so that they are counted.

    Parameters
    ----------
    kind : ASE's name of the format
    frames : how many the file holds, counted otherwise
    """
    read = library("ase.io", "Reading molecular dynamics").read
    found = list(read(path, index=":", format=kind))
    if len(found) != frames:
        raise ReaderError(f"'{path.name}' begins {frames} frames, but {len(found)} could be read: it is cut or damaged; copy it again.")
    if frames < FEWEST:
        raise ReaderError(f"'{path.name}' holds {frames} frame{'s' * (frames != 1)}; dynamics need at least {FEWEST}.")
    if len({tuple(image.symbols) for image in found}) > 1:
        raise ReaderError(f"'{path.name}' changes its atoms from frame to frame; give dynamics of one structure.")
    return found


def count(path: Path, sign: str) -> int:
    """How many lines of a file hold a sign."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return sum(sign in line for line in lines)


def trajectory(program: str, path: Path, found: list[Any], step_fs: float | None) -> Trajectory:
    """Trajectory of ASE's frames: with their velocities where they have some, else from their positions."""
    if step_fs is None or not step_fs > 0:
        raise ReaderError(f"'{path.name}' does not say the time between its frames; give it in fs (--step-fs, or step_fs in a recipe).")
    first = found[0]
    atoms = {"symbols": tuple(first.symbols), "lattice": np.array(first.cell), "masses": first.get_masses()}
    if first.cell.rank < 3:
        raise ReaderError(f"'{path.name}' has no cell; dynamics of a layer need one.")
    positions = np.stack([image.positions for image in found])
    if not all(image.has("momenta") for image in found):
        return Trajectory.of_positions(program, path.name, positions, step_fs, **atoms)
    velocities = np.stack([image.get_velocities() for image in found]) * _FS_OF_ASE
    return Trajectory(program, path.name, positions=positions[0], velocities=velocities, step_fs=step_fs, frames=len(found), **atoms)


def read_extxyz(path: Path, step_fs: float | None) -> Trajectory:
    """Extended XYZ, as ASE and many others write it; a time in its comments gives the step."""
    found = images(path, "extxyz", _frames_of_xyz(path))
    return trajectory("extended XYZ", path, found, step_fs or _step_of([image.info for image in found]))


def _frames_of_xyz(path: Path) -> int:
    """Frames by their own numbers of atoms; a last one that is cut counts too."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    frames = at = 0
    while at < len(lines) and lines[at].strip():
        at += int(lines[at].split()[0]) + 2
        frames += 1
    return frames


def _step_of(notes: list[dict[str, Any]]) -> float | None:
    """Time between frames, fs, from what each says of its own time; None where they do not say it."""
    times = [time for note in notes if (time := note.get("time_fs", note.get("time"))) is not None]
    return float(times[1]) - float(times[0]) if len(times) == len(notes) > 1 else None
