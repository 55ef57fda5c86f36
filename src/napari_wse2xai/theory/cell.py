"""A cell of atoms on springs: its modes, and how much of each is a Gamma mode of the pristine crystal."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MASS_U = {
    **{"H": 1.008, "B": 10.81, "C": 12.011, "N": 14.007, "O": 15.999, "F": 18.998, "Si": 28.085, "P": 30.974, "S": 32.06, "Cl": 35.45},
    **{"Ti": 47.867, "Cr": 51.996, "Mn": 54.938, "Fe": 55.845, "Co": 58.933, "Ni": 58.693, "Cu": 63.546, "As": 74.922, "Se": 78.971},
    **{"Br": 79.904, "Zr": 91.224, "Nb": 92.906, "Mo": 95.95, "Ru": 101.07, "Pd": 106.42, "Ag": 107.87, "Te": 127.60, "Hf": 178.49},
    **{"Ta": 180.95, "W": 183.84, "Re": 186.21, "Pt": 195.08, "Au": 196.97},
}
"""Standard atomic weights (IUPAC 2021), u."""
_IN_PLANE_A = 0.5
"""Distance from the metal's plane within which an atom stands in it; chalcogens stand 1.5 to 1.9 A away, oxygen in their place some 1.1."""
_ELEMENTARY_CHARGE, _ATOMIC_MASS, _LIGHT_CM = 1.602176634e-19, 1.66053906660e-27, 2.99792458e10
WAVENUMBER_PER_ROOT = float(np.sqrt(_ELEMENTARY_CHARGE / 1e-20 / _ATOMIC_MASS) / (2 * np.pi * _LIGHT_CM))
"""cm-1 that belong to a spring constant of 1 eV/A^2 at a mass of 1 u."""
GAMMA_MODES = ("A1'", "E'", "A2''", "E''")
"""Optical modes of a pristine MX2 monolayer (point group D3h)."""
_PARTNERS = {"A1'": (2,), "A2''": (2,), "E'": (0, 1), "E''": (0, 1)}
_ONLY_CHALCOGENS = ("A1'", "E''")


@dataclass(frozen=True, eq=False)
class HarmonicCell:
    """Atoms and the second derivatives of their energy.

    Attributes
    ----------
    symbols : (n,) element of each atom
    positions : (n, 3) A, relaxed
    lattice : (3, 3) A, rows
    masses : (n,) u
    hessian : (3 n, 3 n) eV/A^2
    metal, chalcogen : elements of the pristine crystal
    cells : unit cells that it is made of
    """

    symbols: tuple[str, ...]
    positions: Array
    lattice: Array
    masses: Array
    hessian: Array
    metal: str
    chalcogen: str
    cells: int

    @cached_property
    def _solved(self) -> tuple[Array, Array]:
        root = np.sqrt(np.repeat(self.masses, 3))
        dynamical = self.hessian / np.outer(root, root)
        # Shifts of the whole cell cost no energy: in the space without them no mode of frequency nought mixes with a slow one.
        shifts = np.kron(np.sqrt(self.masses)[:, None], np.eye(3))
        rest = np.linalg.qr(shifts, mode="complete")[0][:, 3:]
        # Finite displacements leave a Hessian that is not quite symmetric: half of the sum with its transpose is.
        values, vectors = np.linalg.eigh(rest.T @ (dynamical + dynamical.T) @ rest / 2)
        return np.sign(values) * np.sqrt(np.abs(values)) * WAVENUMBER_PER_ROOT, rest @ vectors

    @property
    def wavenumbers(self) -> Array:
        """(3 n - 3,) cm-1 of the modes, rising; an unstable one is negative.  The whole cell's shifts are projected out before."""
        return self._solved[0]

    @property
    def vectors(self) -> Array:
        """(3 n, 3 n - 3) mass-weighted modes of length 1, one per column."""
        return self._solved[1]

    @property
    def sides(self) -> Array:
        """(n,) +1 above the metal's plane, -1 below, 0 in it."""
        height = self.positions[:, 2] - np.median(self.positions[np.array(self.symbols) == self.metal, 2])
        return np.where(np.abs(height) < _IN_PLANE_A, 0.0, np.sign(height))

    def patterns(self, mode: str) -> Array:
        """(partners, 3 n) displacements of a Gamma mode of the pristine crystal, mass-weighted.

        They have length 1 in the pristine cell; a foreign atom's part is that of the atom that belongs there, and where an atom is
        missing, so is its part (Hashemi et al., arXiv:1902.02143).
        """
        metal, chalcogen = MASS_U[self.metal], MASS_U[self.chalcogen]
        sides = self.sides
        # The centre of mass stays where it is: the metal moves against both chalcogens, in proportion of the masses.
        moves = sides if mode in _ONLY_CHALCOGENS else np.where(sides == 0, -2 * chalcogen / metal, 1.0)
        masses = np.where(sides == 0, metal, chalcogen)
        length = np.sqrt(self.cells * (2 * chalcogen if mode in _ONLY_CHALCOGENS else 2 * chalcogen + (2 * chalcogen) ** 2 / metal))
        pattern = np.zeros((len(_PARTNERS[mode]), len(sides), 3))
        for partner, axis in enumerate(_PARTNERS[mode]):
            pattern[partner, :, axis] = moves * np.sqrt(masses) / length
        return pattern.reshape(len(pattern), -1)

    def overlaps(self, mode: str) -> Array:
        """(partners, 3 n - 3) how much of a Gamma mode each mode of this cell is, signed."""
        return np.asarray(self.patterns(mode) @ self.vectors)

    def with_modes(self, wavenumbers: dict[str, float]) -> "HarmonicCell":
        """Return a cell with the springs that give each named Gamma mode its wavenumber (cm-1), and no others."""
        root = np.sqrt(np.repeat(self.masses, 3))
        dynamical = sum(
            (value / WAVENUMBER_PER_ROOT) ** 2 * self.patterns(mode).T @ self.patterns(mode) for mode, value in wavenumbers.items()
        )
        return replace(self, hessian=dynamical * np.outer(root, root))

    @property
    def out_of_plane(self) -> Array:
        """(3 n - 3,) share of each mode's motion that is along z, 0 to 1."""
        return np.asarray((self.vectors.reshape(len(self.symbols), 3, -1)[:, 2] ** 2).sum(axis=0))


def mode_mass(metal: str, chalcogen: str, mode: str) -> float:
    """Mass in u that goes with a Gamma mode's coordinate: the displacement of a chalcogen, or of the metal against both chalcogens."""
    x, m = 2 * MASS_U[chalcogen], MASS_U[metal]
    return x if mode in _ONLY_CHALCOGENS else m * x / (m + x)
