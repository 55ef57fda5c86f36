"""Where forces come from: an engine behind ASE's calculator interface, as a function of positions."""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.theory.cell import Array, HarmonicCell

ENGINES = ("diep", "GFN1-xTB")
_LIBRARIES = {"diep": "diep", "GFN1-xTB": "tblite"}
_MISSING = "Calculating needs {}, which is not installed: pip install 'napari-wse2xai[theory]'."
_ONLY_THERE = {"tblite": " It has packages for Linux alone; elsewhere use diep."}
FEWEST_CELLS = 3
"""Unit cells along each direction from which on GFN1-xTB, which knows no k points, is near its large cells."""

Forces = Callable[[Array], tuple[float, Array]]
"""Energy (eV) and forces (n, 3) in eV/A at positions (n, 3) in A."""


@dataclass(frozen=True, eq=False)
class EngineForces:
    """Forces on ASE's Atoms that have a calculator, whichever it is."""

    atoms: Any

    @classmethod
    def of(cls, cell: HarmonicCell, calculator: Any) -> "EngineForces":
        """Put a cell's atoms under a calculator."""
        kind = module_of("ase", "ASE").Atoms
        atoms = kind(list(cell.symbols), cell.positions, cell=cell.lattice, pbc=True, masses=cell.masses)
        atoms.calc = calculator
        return cls(atoms)

    def __call__(self, positions: Array) -> tuple[float, Array]:
        """Energy and forces at positions."""
        self.atoms.positions = positions
        with one_thread():
            return float(self.atoms.get_potential_energy()), np.asarray(self.atoms.get_forces(), dtype=np.float64)


def forces_of(engine: str, cell: HarmonicCell, calculator: Any = None) -> EngineForces:
    """Make an engine ready for a cell; an ASE calculator of one's own takes its place where it is given.

    Raises
    ------
    SettingsError
        The engine is not installed, or is wrong for the material.
    """
    if calculator is None:
        require_fit(engine, cell)
    return EngineForces.of(cell, calculator or calculator_of(engine))


def require_engine(engine: str) -> None:
    """Refuse an engine that is not installed, without loading it."""
    for name in ("ase", "phonopy", _LIBRARIES[engine]):
        if find_spec(name) is None:
            raise SettingsError(_MISSING.format(name) + _ONLY_THERE.get(name, ""))


def require_fit(engine: str, cell: HarmonicCell) -> None:
    """Refuse an engine that is wrong for a layer."""
    if engine == "GFN1-xTB" and (cell.metal, cell.chalcogen) != ("W", "Se"):
        raise SettingsError(f"GFN1-xTB is wrong for {cell.metal}{cell.chalcogen}2 (E' of MoS2 comes out at 317 cm-1); use diep, or WSe2.")
    if engine == "GFN1-xTB" and cell.cells < FEWEST_CELLS**2:
        raise SettingsError(
            f"GFN1-xTB has no k points and needs a layer of at least {FEWEST_CELLS} x {FEWEST_CELLS} unit cells; repeat it, or use diep."
        )


def calculator_of(engine: str) -> Any:
    """Load an engine, as a calculator of ASE."""
    with quiet_libraries():
        if engine == "GFN1-xTB":
            return module_of("tblite.ase", "tblite").TBLite(method="GFN1-xTB", verbosity=0, accuracy=0.01)
        return module_of("diep.pretrained", "diep").make_calculator()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch, where it is loaded, work on one thread: for some ten atoms its threads wait for one another."""
    if "torch" not in sys.modules:
        yield
        return
    from napari_wse2xai.numerics.threads import single_thread

    with single_thread():
        yield


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep to themselves what libraries warn of about their own parts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def module_of(name: str, what: str) -> Any:
    """Import a library of the extra; where it is missing, say how to get it."""
    try:
        with quiet_libraries():
            return import_module(name)
    except ImportError as error:
        raise SettingsError(_MISSING.format(what)) from error
