"""What the plugin knows of MX2 before anything is computed: first-principles lines and tensors, and springs of WSe2 cells with defects."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NotRequired, TypedDict

import numpy as np

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.theory.cell import MASS_U, Array, HarmonicCell, mode_mass
from napari_wse2xai.theory.spectra import all_partners

ENGINES = ("diep", "GFN1-xTB")
"""Engines that gave the springs of the 4 x 4 cells of WSe2."""
STRUCTURES = ("pristine", "V_Se", "O_Se")
COARSEST_MESH = 8
"""k points per direction below which a Raman tensor is noise: at 6 x 6 the ratio of A1' to E' is 0.31, from 8 x 8 on 1.5 to 1.6."""
_COMMON_MESH = 12
"""k points per direction that all materials were calculated with; finer meshes count as no better, so that materials compare."""
_CELLS = 16
"""Unit cells in a supercell, 4 x 4."""


@dataclass(frozen=True)
class PristineModes:
    """Gamma modes of one pristine monolayer by density-functional theory (LDA).

    Attributes
    ----------
    material : as WSe2
    wavenumbers : cm-1 per mode
    tensors : (partners, 3, 3) per Raman-active mode, derivative of the polarisability of a unit cell by the mode's coordinate, A^2
    ratios : |T_A1' / T_E'| of the mass-weighted tensors, per mesh, as "40 Ry, 12 x 12"
    converged : whether the tensors change by less than 10 % from 8 x 8 to 12 x 12 k points
    mesh : the one that the tensors of A1' and E' are of; that of E'', which backscattering does not see, may be of a coarser one
    """

    material: str
    metal: str
    chalcogen: str
    wavenumbers: dict[str, float]
    tensors: dict[str, Array]
    ratios: dict[str, float]
    converged: bool
    mesh: str


_Monolayer = TypedDict(
    "_Monolayer",
    {
        "masses_u": dict[str, float],
        "raman_tensors_A2": dict[str, dict[str, list[list[float]]]],
        "frequencies_cm-1": dict[str, float],
        "ratios_of_other_runs": NotRequired[dict[str, float]],
        "provenance": NotRequired[dict[str, object]],
        "a_A": float,
        "height_A": float,
    },
)


class _Modes(TypedDict):
    materials: dict[str, _Monolayer]
    provenance: dict[str, object]


@cache
def _modes() -> _Modes:
    found: _Modes = json.loads(files("napari_wse2xai.theory").joinpath("mx2_modes.json").read_text(encoding="utf-8"))
    return found


def materials() -> tuple[str, ...]:
    """Return the monolayers that the reference knows."""
    return tuple(_modes()["materials"])


def provenance(material: str) -> dict[str, str]:
    """Return how a material's reference was computed: code, functional, pseudopotentials, cutoffs, date."""
    told = _modes()["materials"][known(material)].get("provenance", _modes()["provenance"])
    return {key: str(value) for key, value in told.items()}


def known(material: str) -> str:
    """Return the material's name as the reference spells it, whatever its capitals."""
    for name in materials():
        if name.lower() == material.lower():
            return name
    names = ", ".join(materials())
    raise SettingsError(f"The reference has no '{material}'; it knows {names}: choose one of these, or take calculations of your own.")


def pristine_modes(material: str) -> PristineModes:
    """Return the Gamma modes of a pristine monolayer."""
    name = known(material)
    entry = _modes()["materials"][name]
    metal, chalcogen = entry["masses_u"]
    meshes = {mesh: {mode: np.array(t) for mode, t in tensors.items()} for mesh, tensors in entry["raman_tensors_A2"].items()}
    rising = sorted(meshes, key=_fineness)
    best = rising[-1]
    _require_fine(name, best)
    return PristineModes(
        material=name,
        metal=metal,
        chalcogen=chalcogen,
        wavenumbers={_double_prime(mode): value for mode, value in entry["frequencies_cm-1"].items()},
        tensors=all_partners({_double_prime(mode): t for mesh in rising for mode, t in meshes[mesh].items()}),
        ratios=entry.get("ratios_of_other_runs", {}) | {mesh: _ratio(tensors, metal, chalcogen) for mesh, tensors in meshes.items()},
        converged=any(_agree(meshes[mesh], meshes[best]) for mesh in rising[:-1] if _fineness(mesh)[0] == COARSEST_MESH),
        mesh=best,
    )


def _require_fine(name: str, mesh: str) -> None:
    if _fineness(mesh)[0] < COARSEST_MESH:
        least = f"{COARSEST_MESH} x {COARSEST_MESH}"
        raise SettingsError(f"The Raman tensors of {name} were computed with {mesh} k points, where they are noise; use at least {least}.")


def _fineness(mesh: str) -> tuple[int, int, int]:
    """Return k points per direction and cutoff of a name as "40 Ry, 12 x 12"; 12 x 12 is the mesh that all materials have."""
    cutoff, points = (int(part.split()[0]) for part in mesh.split(", "))
    return min(points, _COMMON_MESH), cutoff, -points


def _double_prime(mode: str) -> str:
    return mode.replace('"', "''")


def _ratio(tensors: dict[str, Array], metal: str, chalcogen: str) -> float:
    along = {"A1'": tensors["A1'"][0, 0], "E'": (tensors["E'"][0, 0] - tensors["E'"][1, 1]) / 2}
    a1, e = (along[mode] / np.sqrt(mode_mass(metal, chalcogen, mode)) for mode in ("A1'", "E'"))
    return float(abs(a1 / e))


def _agree(coarse: dict[str, Array], fine: dict[str, Array]) -> bool:
    return all(abs(coarse[mode][0, 0] - fine[mode][0, 0]) < 0.1 * abs(fine[mode][0, 0]) for mode in ("A1'", "E'"))


@cache
def supercell(engine: str, structure: str) -> HarmonicCell:
    """Return the 4 x 4 cell of WSe2 with one of `STRUCTURES`, by one of `ENGINES`."""
    with files("napari_wse2xai.theory").joinpath("wse2_supercells.npz").open("rb") as stream, np.load(stream) as kept:
        key = f"{engine}/{structure}"
        symbols = tuple(str(symbol) for symbol in kept[f"{key}/symbols"])
        size = 3 * len(symbols)
        hessian = np.zeros((size, size))
        hessian[np.triu_indices(size)] = kept[f"{key}/hessian"]
        return HarmonicCell(
            symbols=symbols,
            positions=kept[f"{key}/positions"].astype(np.float64),
            lattice=kept[f"{key}/lattice"],
            masses=np.array([MASS_U[symbol] for symbol in symbols]),
            hessian=hessian + np.triu(hessian, 1).T,
            metal="W",
            chalcogen="Se",
            cells=_CELLS,
        )


def gamma_cell(modes: PristineModes) -> HarmonicCell:
    """Return one unit cell whose modes are exactly the given ones, as springs between three atoms."""
    symbols = (modes.metal, modes.chalcogen, modes.chalcogen)
    masses = np.array([MASS_U[symbol] for symbol in symbols])
    bare = HarmonicCell(
        symbols=symbols,
        positions=np.array([[0.0, 0.0, 0.0], [0.0, -1.9, 1.67], [0.0, -1.9, -1.67]]),
        lattice=np.diag([3.3, 3.3, 12.0]),
        masses=masses,
        hessian=np.zeros((9, 9)),
        metal=modes.metal,
        chalcogen=modes.chalcogen,
        cells=1,
    )
    return bare.with_modes(modes.wavenumbers)


def geometry(material: str) -> tuple[float, float]:
    """Return lattice constant and the chalcogens' height above the metal's plane, A, of the relaxed pristine monolayer."""
    entry = _modes()["materials"][known(material)]
    return float(entry["a_A"]), float(entry["height_A"])
