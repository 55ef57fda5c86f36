"""What a user's own first-principles calculation found: vibrations or dynamics of one structure, in place of the shipped reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from napari_wse2xai.errors import DataError
from napari_wse2xai.theory.cell import WAVENUMBER_PER_ROOT, Array, HarmonicCell
from napari_wse2xai.theory.dynamics import unwrapped, velocities_of

METALS, CHALCOGENS = ("Mo", "W"), ("S", "Se")


@dataclass(frozen=True, eq=False)
class Vibrations:
    """Vibrations at Gamma of one structure, as a program's file has them.

    Attributes
    ----------
    program, file : which program wrote which file
    symbols, positions, lattice, masses : (n,) elements; (n, 3) A; (3, 3) A, rows; (n,) u
    wavenumbers : (m,) cm-1, negative where unstable
    vectors : (m, n, 3) mass-weighted, orthonormal
    tensors : (m, 3, 3) derivative of the cell's polarisability by the mass-weighted coordinate, A^2 / u^(1/2); None where it has none
    remarks : what a user should know of it
    """

    program: str
    file: str
    symbols: tuple[str, ...]
    positions: Array
    lattice: Array
    masses: Array
    wavenumbers: Array
    vectors: Array
    tensors: Array | None = None
    remarks: tuple[str, ...] = ()

    def cell(self) -> HarmonicCell:
        """Springs that give these vibrations."""
        flat = self.vectors.reshape(len(self.wavenumbers), -1)
        squares = np.sign(self.wavenumbers) * (self.wavenumbers / WAVENUMBER_PER_ROOT) ** 2
        root = np.sqrt(np.repeat(self.masses, 3))
        return _layer(self, (flat.T * squares) @ flat * np.outer(root, root))

    def polarisability(self) -> Array | None:
        """(3, 3, 3 n) derivative of the cell's polarisability by each mass-weighted motion, a shift of all adding nothing."""
        if self.tensors is None:
            return None
        slopes = np.einsum("mij,mk->ijk", self.tensors, self.vectors.reshape(len(self.wavenumbers), -1))
        shifts = np.kron(np.sqrt(self.masses / self.masses.sum())[:, None], np.eye(3))
        return np.asarray(slopes - slopes @ shifts @ shifts.T)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Molecular dynamics of one structure.

    Attributes
    ----------
    velocities : (t, n, 3) A/ps
    step_fs : time between two of them
    frames : how many the file holds
    verlet : whether they are all the steps of velocity Verlet, so that its shift of the wavenumbers is known
    further : velocities of other runs of the same structure, from other seeds or later on
    """

    program: str
    file: str
    symbols: tuple[str, ...]
    positions: Array
    lattice: Array
    masses: Array
    velocities: Array
    step_fs: float
    frames: int
    remarks: tuple[str, ...] = ()
    verlet: bool = False
    further: tuple[Array, ...] = ()

    @classmethod
    def of_positions(cls, program: str, file: str, positions: Array, step_fs: float, **atoms: object) -> "Trajectory":
        """Take velocities from positions (t, n, 3), in A, of a file that holds none."""
        lattice = np.asarray(atoms["lattice"], dtype=np.float64)
        whole = unwrapped(positions @ np.linalg.inv(lattice)) @ lattice
        velocities = velocities_of(whole, step_fs)
        kept: dict[str, object] = {"positions": positions[0], "velocities": velocities, "step_fs": step_fs, "frames": len(positions)}
        return cls(program, file, **atoms, **kept)  # type: ignore[arg-type]

    def cell(self) -> HarmonicCell:
        """Atoms of the cell; it has no springs."""
        return _layer(self, np.zeros((3 * len(self.symbols),) * 2))


Calculation = Vibrations | Trajectory


def _layer(found: Calculation, hessian: Array) -> HarmonicCell:
    """The cell with the metal's plane in the middle of it."""
    metal, chalcogen, count = composition(found)
    lattice = found.lattice
    if max(abs(lattice[0, 2]), abs(lattice[1, 2])) > 1e-3 * abs(lattice[2, 2]):
        raise DataError(
            f"'{found.file}': the layer does not lie in the plane of x and y; turn the cell so that its third vector is along z."
        )
    fractions = found.positions @ np.linalg.inv(lattice)
    first = found.symbols.index(metal)
    # A cell is periodic along z as well: atoms of one layer may be written on both its sides, and the vacuum between them.
    away = fractions[:, 2] - fractions[first, 2]
    fractions[:, 2] += np.round(away) * -1
    return HarmonicCell(found.symbols, fractions @ lattice, lattice, found.masses, hessian, metal, chalcogen, count)


def composition(found: Calculation) -> tuple[str, str, int]:
    """Metal, chalcogen and number of unit cells of an MX2 layer, with or without one defect."""
    metals, chalcogens = ([e for e in known if e in found.symbols] for known in (METALS, CHALCOGENS))
    if len(metals) != 1 or len(chalcogens) != 1:
        raise DataError(f"'{found.file}' holds {_formula(found.symbols)}, which is no layer of MoS2, MoSe2, WS2 or WSe2; give one that is.")
    return metals[0], chalcogens[0], found.symbols.count(metals[0])


def _formula(symbols: Sequence[str]) -> str:
    return "".join(f"{element}{symbols.count(element)}" for element in dict.fromkeys(symbols))


def structure_of(found: Calculation) -> str:
    """``pristine``, ``V_Se`` (a chalcogen missing) or ``O_Se`` (oxygen in its place), by counting atoms."""
    _, chalcogen, cells = composition(found)
    there, oxygen = found.symbols.count(chalcogen), found.symbols.count("O")
    others = len(found.symbols) - cells - there - oxygen
    kinds = {(2 * cells, 0): "pristine", (2 * cells - 1, 0): f"V_{chalcogen}", (2 * cells - 1, 1): f"O_{chalcogen}"}
    if others or (there, oxygen) not in kinds:
        raise DataError(
            f"'{found.file}' holds {_formula(found.symbols)}; only a pristine layer, one with a missing {chalcogen} and one with an O in "
            "its place are compared."
        )
    return kinds[there, oxygen]


@dataclass(frozen=True, eq=False)
class Calculated:
    """Calculations of one material that stand in for the shipped reference."""

    material: str
    found: Mapping[str, Mapping[str, Calculation]] = field(default_factory=dict)
    """By program, then by structure."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file."""

    @classmethod
    def of(cls, every: Sequence[Calculation], checksums: Mapping[str, str] | None = None) -> "Calculated":
        """Sort calculations by program and structure.

        Raises
        ------
        DataError
            No pristine layer among those of a program, several materials, or one structure twice.
        """
        by_program: dict[str, dict[str, Calculation]] = {}
        names = {}
        for one in every:
            metal, chalcogen, _ = composition(one)
            names[f"{metal}{chalcogen}2"] = one.file
            program = f"{one.program} dynamics" if isinstance(one, Trajectory) else one.program
            there, structure = by_program.setdefault(program, {}), structure_of(one)
            there[structure] = _together(there[structure], one, f"{structure} by {program}") if structure in there else one
        _check(names, by_program)
        return cls(next(iter(names)), by_program, dict(checksums or {}))


def _together(before: Calculation, one: Calculation, what: str) -> Calculation:
    """Take several runs of dynamics as one, of several seeds; everything else can be there once only."""
    if not (isinstance(before, Trajectory) and isinstance(one, Trajectory)):
        raise DataError(f"'{before.file}' and '{one.file}' are both of {what}; give one of them.")
    runs = (before.velocities, *before.further)
    if any(np.array_equal(run, one.velocities) for run in runs):
        raise DataError(f"'{one.file}' holds the same run of {what} as '{before.file}'; give it once.")
    if one.symbols != before.symbols or one.step_fs != before.step_fs:
        raise DataError(
            f"'{before.file}' and '{one.file}' are both of {what}, but with other atoms or another time step; give runs that are alike."
        )
    return replace(before, file=f"{before.file}, {one.file}", frames=before.frames + one.frames, further=(*before.further, one.velocities))


def _check(names: Mapping[str, str], by_program: Mapping[str, Mapping[str, Calculation]]) -> None:
    if not names:
        raise DataError("No calculation was given; name at least one file, of the pristine layer.")
    if len(names) > 1:
        told = " and ".join(f"{name} ('{file}')" for name, file in names.items())
        raise DataError(f"The calculations are of several materials, {told}; give those of one.")
    for program, there in by_program.items():
        if "pristine" not in there:
            file = next(iter(there.values())).file
            raise DataError(f"'{file}' has nothing to be compared with: give a calculation of the pristine layer by {program} too.")
        sizes = {found.symbols.count(composition(found)[0]) for found in there.values()}
        if len(sizes) > 1:
            raise DataError(
                f"The cells by {program} are of different size ({', '.join(map(str, sorted(sizes)))} metal atoms); use one size."
            )
