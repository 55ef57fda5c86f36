"""A relaxed layer."""

from dataclasses import dataclass
from typing import Any

from napari_wse2xai.theory.cell import HarmonicCell


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A relaxed cell.

    Attributes
    ----------
    cell : the atoms where no force is left, without springs
    a, height : lattice constant of the pristine layer, and height of its chalcogens above the metal's plane, A
    largest_force : eV/A, that is left on an atom
    steps : how many it took
    calculator : the engine as it was loaded, for what comes next
    """

    cell: HarmonicCell
    a: float
    height: float
    largest_force: float
    steps: int
    calculator: Any = None
