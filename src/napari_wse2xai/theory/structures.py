"""Cells of atoms to look at: those that the reference holds, or the pristine crystal where it holds none."""

import math

import numpy as np

from napari_wse2xai.theory.cell import MASS_U, HarmonicCell
from napari_wse2xai.theory.evaluation import TheoryResult
from napari_wse2xai.theory.reference import ENGINES, STRUCTURES, geometry, supercell

_REPEATED = 4
"""Unit cells along each side: the 4 x 4 of Yoo et al. 2023."""


def structures(result: TheoryResult) -> dict[str, HarmonicCell]:
    """Cells by structure, relaxed by the first engine that knows the defects."""
    engine = next((engine for engine in result.supercell_engines if engine in ENGINES), None)
    if engine is None:
        return {STRUCTURES[0]: monolayer(result.modes.metal, result.modes.chalcogen, *geometry(result.material))}
    return {structure: supercell(engine, structure) for structure in STRUCTURES}


def monolayer(metal: str, chalcogen: str, a: float, height: float, repeated: tuple[int, int] = (_REPEATED, _REPEATED)) -> HarmonicCell:
    """Return a pristine MX2 monolayer without springs.

    Parameters
    ----------
    metal, chalcogen : elements
    a, height : lattice constant, and height of the chalcogens above the metal's plane, A
    repeated : unit cells along each direction
    """
    lattice = np.array([[a, 0, 0], [-a / 2, a * math.sqrt(3) / 2, 0], [0, 0, 2 * height + 12]])
    corners = np.stack(np.meshgrid(range(repeated[0]), range(repeated[1]), indexing="ij"), axis=-1).reshape(-1, 2) @ lattice[:2]
    basis = np.array([[0, 0, 0], [0, a / math.sqrt(3), height], [0, a / math.sqrt(3), -height]])
    symbols = (metal, chalcogen, chalcogen) * len(corners)
    return HarmonicCell(
        symbols=symbols,
        positions=(corners[:, None] + basis[None]).reshape(-1, 3),
        lattice=lattice * np.array([[repeated[0]], [repeated[1]], [1]]),
        masses=np.array([MASS_U[symbol] for symbol in symbols]),
        hessian=np.zeros((3 * len(symbols),) * 2),
        metal=metal,
        chalcogen=chalcogen,
        cells=repeated[0] * repeated[1],
    )
