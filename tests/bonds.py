"""An engine whose every number is a formula: springs along bonds, for tests of what is built upon engines."""

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list

_SHORT_A, _LONG_A = 2.8, 3.9


class Bonds(Calculator):
    """Half k (r - r0)^2 for every metal-chalcogen bond (2.5 A) and every pair some 3.3 A apart."""

    implemented_properties = ("energy", "free_energy", "forces", "stress")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        first, away, far = neighbor_list("iDd", atoms, _LONG_A)
        short = far < _SHORT_A
        spring, rest = np.where(short, 9.0, 1.2), np.where(short, 2.52, 3.30)
        pull = (spring * (far - rest) / far)[:, None] * away
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, first, pull)
        stress = np.einsum("pi,pj->ij", pull, away) / 2 / atoms.get_volume()
        energy = (0.25 * spring * (far - rest) ** 2).sum()
        self.results = {"energy": energy, "free_energy": energy, "forces": forces, "stress": stress.ravel()[[0, 4, 8, 5, 2, 1]]}
