"""Null controls: changes of a pristine cell that hold no chemistry, to tell how far a line falls for nothing."""

from dataclasses import replace

import numpy as np

from napari_wse2xai.theory.cell import MASS_U, HarmonicCell

ISOTOPES_U = {"S": (31.9721, 35.9671), "Se": (73.9225, 81.9167), "Te": (119.9041, 129.9062)}
"""Lightest and heaviest stable isotope, u (tellurium's heaviest lives 10^21 years)."""
FEWEST_CELLS = 9
"""Unit cells from which on one changed atom is a defect and not another crystal."""


def null_controls(pristine: HarmonicCell) -> dict[str, HarmonicCell]:
    """Pristine cells with one chalcogen changed and every spring left as it is; their names say what was changed."""
    site = int(np.flatnonzero(pristine.sides > 0)[len(pristine.symbols) // 6])
    lightest, heaviest = ISOTOPES_U[pristine.chalcogen]
    return {
        "one atom as its lightest isotope": _with_mass(pristine, site, lightest),
        "one atom as its heaviest isotope": _with_mass(pristine, site, heaviest),
        "one atom with oxygen's mass": _with_mass(pristine, site, MASS_U["O"]),
        "one atom cut out with its springs": _cut_out(pristine, site),
    }


def _with_mass(cell: HarmonicCell, site: int, mass_u: float) -> HarmonicCell:
    masses = cell.masses.copy()
    masses[site] = mass_u
    return replace(cell, masses=masses)


def _cut_out(cell: HarmonicCell, site: int) -> HarmonicCell:
    """Cell without one atom; each neighbour's own spring loses what held it to that atom, so that a shift of all costs nothing."""
    n = len(cell.symbols)
    blocks = cell.hessian.reshape(n, 3, n, 3).copy()
    for atom in range(n):
        blocks[atom, :, atom, :] += blocks[atom, :, site, :]
    left = np.arange(n) != site
    hessian = blocks[left][:, :, left].reshape(3 * (n - 1), 3 * (n - 1))
    return replace(
        cell,
        symbols=tuple(np.array(cell.symbols)[left]),
        positions=cell.positions[left],
        masses=cell.masses[left],
        hessian=(hessian + hessian.T) / 2,
    )
