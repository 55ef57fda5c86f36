"""All that the reference says of one material: both figures of Yoo et al. 2023, every structure and engine together, with null controls."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.theory.cell import GAMMA_MODES, Array, HarmonicCell
from napari_wse2xai.theory.controls import null_controls
from napari_wse2xai.theory.reference import ENGINES, STRUCTURES, PristineModes, gamma_cell, pristine_modes, provenance, supercell
from napari_wse2xai.theory.spectra import GEOMETRIES, lorentzian, raman, spectral_intensity

LDA = "LDA"
"""Name of the first-principles lines among the engines; they are of the pristine crystal alone."""
PROJECTIONS = ("total", "A1'", "E'")
_FROM_CM1, _TO_CM1, _STEP_CM1 = 50.0, 620.0, 0.5
_WITH_SUPERCELLS = "WSe2"


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What the spectra are drawn for; the paper's values where none are given.

    Attributes
    ----------
    fwhm_cm1 : width of every line
    motion_k : temperature of the motion in the spectral intensity
    raman_k : temperature of the Raman spectrum
    laser_ev : photon energy of the laser
    mass_weighted : whether velocities count by their masses in the spectral intensity
    """

    fwhm_cm1: float = 5.0
    motion_k: float = 273.0
    raman_k: float = 300.0
    laser_ev: float = 2.33
    mass_weighted: bool = True

    def __post_init__(self) -> None:
        for name, (low, high, unit) in _LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"{name} is {value:g} {unit}; give a value from {low:g} to {high:g} {unit}.")


_LIMITS = {"fwhm_cm1": (0.5, 100, "cm-1"), "motion_k": (1, 5000, "K"), "raman_k": (1, 5000, "K"), "laser_ev": (0.5, 10, "eV")}


@dataclass(frozen=True, eq=False)
class FoldedPeak:
    """The highest out-of-plane peak of a pristine cell's spectral intensity above A1': modes of the zone's edge, folded back by the cell.

    Attributes
    ----------
    wavenumber : cm-1
    modes : how many lie within 3 cm-1
    out_of_plane : share of their motion along z
    a1_share : share of the Gamma A1' that they hold together
    falls : per structure with a defect, by how much the peak is lower, 0 to 1
    """

    wavenumber: float
    modes: int
    out_of_plane: float
    a1_share: float
    falls: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class TheoryResult:
    """Spectra of a material by every engine of the reference; NaN where an engine has no such structure.

    Attributes
    ----------
    spectral_intensity : (engine, structure, projection, wavenumber) meV cm per unit cell (A^2/ps^2 cm where not mass-weighted)
    raman : (engine, structure, geometry, wavenumber) arbitrary units per unit cell, one scale per material
    mode_frequency : (engine, structure, mode) cm-1, where the spectrum projected on the mode is highest
    relative_height : (engine, structure, mode) height of that peak, against the pristine cell's of the same engine
    control_height : (engine, control, mode) the same of the null controls
    folded : per engine
    """

    material: str
    conditions: Conditions
    modes: PristineModes
    engines: tuple[str, ...]
    structures: tuple[str, ...]
    controls: tuple[str, ...]
    wavenumbers: Array
    spectral_intensity: Array
    raman: Array
    mode_frequency: Array
    relative_height: Array
    control_height: Array
    folded: Mapping[str, FoldedPeak]
    provenance: Mapping[str, str]

    @property
    def supercell_engines(self) -> tuple[str, ...]:
        """Engines that know the defects; none for a material whose supercells the reference lacks."""
        return tuple(engine for engine in self.engines if engine != LDA)

    @property
    def leading(self) -> str:
        """Engine whose places are believed first: the first-principles one where there is one."""
        return LDA if LDA in self.engines else self.engines[0]

    def places(self, engine: str) -> dict[str, float]:
        """Wavenumber of each Gamma mode of the pristine crystal, cm-1, of those that the engine knows."""
        of_pristine = self.mode_frequency[self.engines.index(engine), 0]
        return {mode: float(place) for mode, place in zip(GAMMA_MODES, of_pristine, strict=True) if np.isfinite(place)}


def evaluate(material: str = "WSe2", conditions: Conditions | None = None) -> TheoryResult:
    """Work out everything that the shipped reference says of a material; takes well under a second.

    Notes
    -----
    Spectra are static: resonance is left out, so that at 2.33 eV the ratio of A1' to E' of a measured WSe2 must not be scored against them.
    """
    with threadpool_limits(1):  # matrices of this size cost several threads more than one
        return _evaluated(pristine_modes(material), conditions or Conditions())


def _evaluated(modes: PristineModes, given: Conditions) -> TheoryResult:
    engines = (*ENGINES, LDA) if modes.material == _WITH_SUPERCELLS else (LDA,)
    cells = [[_cell(engine, structure, modes) for structure in STRUCTURES] for engine in engines]
    controls = [null_controls(row[0]) if engine != LDA and row[0] else {} for engine, row in zip(engines, cells, strict=True)]
    names = tuple(controls[0])
    x = np.arange(_FROM_CM1, _TO_CM1 + _STEP_CM1 / 2, _STEP_CM1)
    summits = np.array([[_summits(cell, given) for cell in row] for row in cells])
    of_controls = np.array([[_summits(found.get(name), given)[1] for name in names] for found in controls])
    return TheoryResult(
        material=modes.material,
        conditions=given,
        modes=modes,
        engines=engines,
        structures=STRUCTURES,
        controls=names,
        wavenumbers=x,
        spectral_intensity=np.array([[_intensities(cell, x, given) for cell in row] for row in cells]),
        raman=np.array([[_ramans(cell, modes, x, given) for cell in row] for row in cells]),
        mode_frequency=summits[:, :, 0],
        relative_height=summits[:, :, 1] / summits[:, :1, 1],
        control_height=of_controls.reshape(len(engines), len(names), len(GAMMA_MODES)) / summits[:, :1, 1],
        folded={engine: _folded(row, given) for engine, row in zip(engines, cells, strict=True) if engine != LDA},
        provenance=provenance(),
    )


def _cell(engine: str, structure: str, modes: PristineModes) -> HarmonicCell | None:
    if engine != LDA:
        return supercell(engine, structure)
    return gamma_cell(modes) if structure == "pristine" else None


def _summits(cell: HarmonicCell | None, given: Conditions) -> Array:
    """(2, modes) where the spectrum projected on each Gamma mode is highest, cm-1, and how high."""
    if cell is None:
        return np.full((2, len(GAMMA_MODES)), np.nan)
    fine = np.arange(_FROM_CM1, _TO_CM1, _STEP_CM1 / 4)
    curves = np.stack([spectral_intensity(cell, fine, mode=mode, fwhm_cm1=given.fwhm_cm1) for mode in GAMMA_MODES])
    strongest = [(cell.overlaps(mode) ** 2).sum(axis=0).argmax() for mode in GAMMA_MODES]
    there = cell.wavenumbers[strongest] > _FROM_CM1  # a mode that was not computed has no springs
    return np.where(there, np.stack([fine[curves.argmax(axis=1)], curves.max(axis=1)]), np.nan)


def _intensities(cell: HarmonicCell | None, x: Array, given: Conditions) -> Array:
    """(projection, wavenumber); a cell of three atoms has no total, since the modes off Gamma are not in it."""
    nothing = np.full(len(x), np.nan)
    options = {"fwhm_cm1": given.fwhm_cm1, "temperature_k": given.motion_k}
    return np.stack(
        [
            nothing
            if cell is None or (mode == "total" and cell.cells == 1)
            else spectral_intensity(cell, x, mode=None if mode == "total" else mode, mass_weighted=given.mass_weighted, **options)
            for mode in PROJECTIONS
        ]
    )


def _ramans(cell: HarmonicCell | None, modes: PristineModes, x: Array, given: Conditions) -> Array:
    """(geometry, wavenumber)."""
    if cell is None:
        return np.full((len(GEOMETRIES), len(x)), np.nan)
    options = {"laser_ev": given.laser_ev, "temperature_k": given.raman_k, "fwhm_cm1": given.fwhm_cm1}
    return np.stack([raman(cell, modes.tensors, x, geometry=geometry, **options) for geometry in GEOMETRIES])


_NEAR_CM1 = 3.0
_MOSTLY = 0.8
"""Share along z from which a mode is called out of plane."""
_ABOVE_A1_CM1 = (12.0, 60.0)


def _folded(cells: list[HarmonicCell | None], given: Conditions) -> FoldedPeak:
    """Find the peak that a reader takes for A1' in the spectral intensity of all velocities, and what it is made of."""
    pristine, *changed = [cell for cell in cells if cell is not None]
    gamma = pristine.wavenumbers[(pristine.overlaps("A1'") ** 2).sum(axis=0).argmax()]
    x = np.arange(gamma + _ABOVE_A1_CM1[0], gamma + _ABOVE_A1_CM1[1], _STEP_CM1)
    upright = (pristine.out_of_plane > _MOSTLY) @ lorentzian(x, pristine.wavenumbers, given.fwhm_cm1)
    place = float(x[upright.argmax()])
    near = np.abs(pristine.wavenumbers - place) < _NEAR_CM1
    around = np.linspace(place - _NEAR_CM1, place + _NEAR_CM1, 25)
    before, *after = (spectral_intensity(cell, around, fwhm_cm1=given.fwhm_cm1).max() for cell in (pristine, *changed))
    return FoldedPeak(
        wavenumber=place,
        modes=int(near.sum()),
        out_of_plane=float(pristine.out_of_plane[near].mean()),
        a1_share=float((pristine.overlaps("A1'")[:, near] ** 2).sum()),
        falls={name: 1 - float(height / before) for name, height in zip(STRUCTURES[1:], after, strict=True)},
    )
