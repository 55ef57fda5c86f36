"""A layer of MX2 to calculate: material, size, and what is missing or foreign in it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import ValidationInfo, field_validator

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.theory.cell import MASS_U, HarmonicCell
from napari_wse2xai.theory.structures import monolayer

START = {
    **{"WSe2": (3.30, 1.67), "WS2": (3.17, 1.56), "MoSe2": (3.30, 1.66), "MoS2": (3.17, 1.56), "MoTe2": (3.54, 1.80)},
    **{"WTe2": (3.55, 1.81), "NbS2": (3.34, 1.56), "NbSe2": (3.47, 1.68), "TaS2": (3.34, 1.56), "TaSe2": (3.47, 1.68)},
}
"""Lattice constant and height of the chalcogens to begin with, A; relaxation does the rest.  All are of the 2H kind."""
Material = Literal["WSe2", "WS2", "MoSe2", "MoS2", "MoTe2", "WTe2", "NbS2", "NbSe2", "TaS2", "TaSe2"]
_DEFECT = re.compile(r"(V|[A-Z][a-z]?)_([A-Z][a-z]?)(?:@(\d+))?")
_SINKS_A = 0.6
"""By how much oxygen lies nearer to the metal than the atom that it replaces."""
_LARGEST = 12


def spelled(value: object, known: Sequence[str]) -> object:
    """Return a name as it is spelled here, whatever its capitals; anything else as it is."""
    return next((name for name in known if isinstance(value, str) and name.lower() == value.lower()), value)


class Layer(Settings):
    """A layer with `repeat` unit cells along its two directions, whole or with defects."""

    material: Material = setting("WSe2", title="Material", description="Monolayer, of the 2H kind.")
    repeat: tuple[int, int] = setting((1, 1), title="Repeat", description="Unit cells along the two directions of the layer.")
    defects: tuple[str, ...] = setting(
        (),
        title="Defects",
        examples=["V_Se; O_Se@5"],
        description="V_Se: an atom missing; O_Se: another in its place; V_W, Mo_W: a metal's. @5 is the sixth such site; "
        "those of chalcogens are numbered on the upper side, then, in the same order, on the lower.",
    )

    @field_validator("material", mode="before")
    @classmethod
    def _however_written(cls, value: object) -> object:
        return spelled(value, tuple(START))

    @field_validator("repeat")
    @classmethod
    def _of_sensible_size(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(1 <= number <= _LARGEST for number in value):
            raise ValueError(f"{value[0]} x {value[1]} unit cells cannot be calculated here; use 1 to {_LARGEST} along each direction")
        return value

    @field_validator("defects")
    @classmethod
    def _can_be(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if {"material", "repeat"} <= set(info.data):
            try:
                cls.model_construct(**info.data, defects=value).build()
            except SettingsError as error:
                raise ValueError(str(error)) from error
        return value

    @property
    def elements(self) -> tuple[str, str]:
        """Metal and chalcogen."""
        metal, chalcogen = re.findall(r"[A-Z][a-z]?", self.material)
        return metal, chalcogen

    @property
    def name(self) -> str:
        """``pristine``, or the defects."""
        return " ".join(self.defects) or "pristine"

    def build(self, a: float | None = None, height: float | None = None) -> HarmonicCell:
        """Place the atoms, without springs; `a` and `height` (A) of a relaxed unit cell where they are known."""
        usual = START[self.material]
        cell = monolayer(*self.elements, a or usual[0], height or usual[1], self.repeat)
        return _with_defects(cell, self.defects)

    def unit(self, cells: int = 1) -> "Layer":
        """Return the pristine layer of so many unit cells along each direction."""
        return self.model_copy(update={"defects": (), "repeat": (cells, cells)})

    def pristine(self) -> "Layer":
        """Return the layer without its defects."""
        return self.model_copy(update={"defects": ()})


def _with_defects(cell: HarmonicCell, defects: tuple[str, ...]) -> HarmonicCell:
    symbols, positions, sides = np.array(cell.symbols), cell.positions.copy(), cell.sides
    missing = np.zeros(len(symbols), dtype=bool)
    taken: set[int] = set()
    for defect in defects:
        new, site = _site(cell, defect, taken)
        taken.add(site)
        if new == "V":
            missing[site] = True
        else:
            symbols[site] = new
            positions[site, 2] -= sides[site] * _SINKS_A * (new == "O")
    kept = ~missing
    masses = np.array([MASS_U[symbol] for symbol in symbols[kept]])
    hessian = np.zeros((3 * kept.sum(),) * 2)
    return replace(cell, symbols=tuple(str(s) for s in symbols[kept]), positions=positions[kept], masses=masses, hessian=hessian)


def _site(cell: HarmonicCell, defect: str, taken: set[int]) -> tuple[str, int]:
    """What comes to stand on which site: the given one, else the first that is free."""
    found = _DEFECT.fullmatch(defect)
    if (
        found is None
        or (found[1] != "V" and found[1] not in MASS_U)
        or found[2] not in (cell.metal, cell.chalcogen)
        or found[1] == found[2]
    ):
        usual = f"V_{cell.chalcogen} for a missing atom, O_{cell.chalcogen} for another one ({', '.join(MASS_U)}) in its place"
        raise SettingsError(f"'{defect}' is no defect of {cell.metal}{cell.chalcogen}2; write {usual}.")
    of_kind = np.array(cell.symbols) == found[2]
    sites = [int(site) for side in (0, 1, -1) for site in np.flatnonzero(of_kind & (cell.sides == side))]
    if found[3] is not None and int(found[3]) >= len(sites):
        raise SettingsError(f"'{defect}': there are {len(sites)} such sites, numbered from 0; choose one of them.")
    site = sites[int(found[3])] if found[3] is not None else next((one for one in sites if one not in taken), None)
    if site is None or site in taken:
        raise SettingsError(f"'{defect}' has no free site left; choose another one, or a larger layer.")
    return found[1], site
