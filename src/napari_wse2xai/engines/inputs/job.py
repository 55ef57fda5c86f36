"""What the input of any program is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from napari_wse2xai.theory.cell import Array, HarmonicCell

BOHR_A = 0.529177210903
HARTREE_EV = 27.211386245988
HARTREE_TIME_FS = 0.02418884326585
NUMBERS = {
    **{"H": 1, "B": 5, "C": 6, "N": 7, "O": 8, "F": 9, "Si": 14, "P": 15, "S": 16, "Cl": 17, "Ti": 22, "Cr": 24, "Mn": 25, "Fe": 26},
    **{"Co": 27, "Ni": 28, "Cu": 29, "As": 33, "Se": 34, "Br": 35, "Zr": 40, "Nb": 41, "Mo": 42, "Ru": 44, "Pd": 46, "Ag": 47},
    **{"Te": 52, "Hf": 72, "Ta": 73, "W": 74, "Re": 75, "Pt": 78, "Au": 79},
}
"""Atomic numbers."""


@dataclass(frozen=True, eq=False)
class CalculationJob:
    """One layer in its box.

    Attributes
    ----------
    title : of the calculation
    cell : the atoms, those of an element together
    mesh : k points along the two directions of the layer
    cutoff_ev : of the plane waves
    velocities : (n, 3) A/ps, with which dynamics begin
    step_fs, steps : of the dynamics
    files : pseudopotential of each element
    pseudo_dir : where these lie, as seen from a task's folder
    metallic : whether bands may be partly filled
    """

    title: str
    cell: HarmonicCell
    mesh: tuple[int, int]
    cutoff_ev: float
    velocities: Array
    step_fs: float
    steps: int
    temperature_k: float
    files: Mapping[str, str] = field(default_factory=dict)
    pseudo_dir: str = "../pseudo"
    metallic: bool = False

    @property
    def elements(self) -> tuple[str, ...]:
        """Each once, in the order of the atoms."""
        return tuple(dict.fromkeys(self.cell.symbols))

    def mass(self, element: str) -> float:
        """Mass of an element, u."""
        return float(self.cell.masses[self.cell.symbols.index(element)])


def rows(values: Array, digits: int = 9, before: tuple[str, ...] | None = None) -> str:
    """Lines of numbers, each after a word where there are some."""
    words = before or ("",) * len(values)
    return "\n".join(
        f"{word:3s} " * bool(word) + " ".join(f"{x:15.{digits}f}" for x in row) for word, row in zip(words, np.asarray(values), strict=True)
    )
