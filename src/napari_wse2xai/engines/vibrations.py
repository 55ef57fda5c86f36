"""Vibrations: springs by displacing atoms, as few as symmetry leaves (phonopy)."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from napari_wse2xai.engines.forces import Forces, forces_of, module_of, quiet_libraries
from napari_wse2xai.engines.relaxation import Relax
from napari_wse2xai.errors import DataWarning, counted
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.theory.cell import Array, HarmonicCell
from napari_wse2xai.theory.relaxed import Relaxed

_SYMMETRY_A = 5e-3
"""Distance within which atoms count as symmetric: engines break symmetry by some 0.5 to 1.5 cm-1."""
_UNSTABLE_CM1 = -15.0


class Phonons(Settings):
    """Relax, then displace atoms: the springs of a unit cell, or of a layer with defects, and from them its vibrations at Gamma."""

    relax: Relax = setting(Relax(), title="Relax", description="What is relaxed before, and by which engine.")
    displacement: float = setting(0.02, title="Displacement", unit="Å", gt=0, le=0.2, description="By how much atoms are displaced.")

    def __call__(self, progress: Progress = silent, *, calculator: Any = None) -> HarmonicCell:
        """Return the relaxed cell with its springs; `wavenumbers`, `vectors` and `overlaps` are its vibrations.

        Raises
        ------
        SettingsError, DataError
            See `Relax`.
        """
        return self.of(self.relax(part(progress, 0.0, 0.4), calculator=calculator), part(progress, 0.4, 1.0))

    def of(self, relaxed: Relaxed, progress: Progress = silent) -> HarmonicCell:
        """Return a cell that was relaxed before with its springs."""
        forces = forces_of(self.relax.engine, relaxed.cell, relaxed.calculator)
        found = replace(relaxed.cell, hessian=hessian(relaxed.cell, forces, displacement=self.displacement, progress=progress))
        _tell_unstable(found, self.relax.layer.name)
        return found


def _tell_unstable(cell: HarmonicCell, name: str) -> None:
    falling = int((cell.wavenumbers < _UNSTABLE_CM1).sum())
    if falling:
        lowest = -cell.wavenumbers[0]
        warnings.warn(
            f"{cell.metal}{cell.chalcogen}2 ({name}) is not stable in this cell: {counted(falling, 'vibration')} with imaginary "
            f"wavenumbers, up to {lowest:.0f}i cm-1; try a larger layer, or do not trust its low lines.",
            DataWarning,
            stacklevel=3,
        )


def hessian(cell: HarmonicCell, forces: Forces, *, displacement: float = 0.02, progress: Progress = silent) -> Array:
    """(3 n, 3 n) eV/A^2, from forces after displacements that symmetry makes of a few (phonopy), without forces on a shift of the whole.

    Notes
    -----
    Every atom is displaced along the cell's vectors, one at a time and both ways.  Phonopy's usual displacements along sums of them point
    nearly out of the plane where the cell is small and its vacuum long, and an engine's small breach of symmetry then moves E' of a unit
    cell by 10 cm-1.
    """
    crystal = _crystal(cell)
    crystal.generate_displacements(distance=displacement, is_diagonal=False, is_plusminus=True)
    moved = crystal.supercells_with_displacements
    found = []
    for number, one in enumerate(moved):
        progress(number / len(moved), f"displacing atoms: {number} of {len(moved)}")
        found.append(forces(np.asarray(one.scaled_positions) @ cell.lattice)[1])
    crystal.forces = found
    with quiet_libraries():
        crystal.produce_force_constants()
        crystal.symmetrize_force_constants()
    n = len(cell.symbols)
    springs = np.asarray(crystal.force_constants, dtype=np.float64).transpose(0, 2, 1, 3).reshape(3 * n, 3 * n)
    # Forces are known to the engine's convergence only: what is left of asymmetry would make complex frequencies.
    return np.asarray((springs + springs.T) / 2)


def _crystal(cell: HarmonicCell) -> Any:
    kind = module_of("phonopy", "phonopy").Phonopy
    atoms = module_of("phonopy.structure.atoms", "phonopy").PhonopyAtoms
    fractions = cell.positions @ np.linalg.inv(cell.lattice)
    unit = atoms(symbols=list(cell.symbols), cell=cell.lattice, scaled_positions=fractions, masses=cell.masses)
    with quiet_libraries():
        return kind(unit, supercell_matrix=np.eye(3, dtype=int), primitive_matrix=np.eye(3), symprec=_SYMMETRY_A)
