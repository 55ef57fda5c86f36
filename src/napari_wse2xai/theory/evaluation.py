"""All that the reference says of one material: both figures of Yoo et al. 2023, every structure and engine together, with null controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
from threadpoolctl import threadpool_limits

from napari_wse2xai.data.declared import Coordinates, Tabled, along, attribute
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.theory.calculated import Calculated, composition
from napari_wse2xai.theory.cell import GAMMA_MODES, Array
from napari_wse2xai.theory.controls import FEWEST_CELLS, null_controls
from napari_wse2xai.theory.reference import ENGINES, STRUCTURES, PristineModes, gamma_cell, materials, pristine_modes, provenance, supercell
from napari_wse2xai.theory.sources import Source, Springs, source_of
from napari_wse2xai.theory.spectra import GEOMETRIES, lorentzian, spectral_intensity

LDA = "LDA"
"""Name of the first-principles lines among the engines; they are of the pristine crystal alone."""
PROJECTIONS = ("total", "A1'", "E'")
spectra = partial(along, "engine", "structure")
_FROM_CM1, _TO_CM1, _STEP_CM1 = 50.0, 620.0, 0.5
"""Where calculated spectra begin and end, and their step: below 50 lie the acoustic branches, beyond 620 no MX2 monolayer vibrates."""
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
class TheoryResult(Tabled):
    """Spectra of a material by every engine of the reference; NaN where an engine has no such structure."""

    material: Annotated[str, attribute()]
    conditions: Annotated[Conditions, attribute()]
    modes: PristineModes
    engines: Annotated[tuple[str, ...], along("engine", stored="engine", says="what calculated")]
    structures: Annotated[tuple[str, ...], along("structure", stored="structure", says="pristine crystal or defect")]
    controls: Annotated[tuple[str, ...], along("control", stored="control", says="cell changed without chemistry")]
    wavenumbers: Annotated[Array, along("wavenumber", stored="wavenumber", unit="cm-1", says="wavenumber of the vibration")]
    spectral_intensity: Annotated[
        Array, spectra("projection", "wavenumber", unit="{0.intensity_unit}", says="spectrum of the velocity autocorrelation per unit cell")
    ]
    raman: Annotated[Array, spectra("geometry", "wavenumber", unit="arbitrary", says="Stokes Raman intensity per unit cell")]
    """One scale per material."""
    mode_frequency: Annotated[Array, spectra("mode", unit="cm-1", says="where the spectrum projected on the mode is highest")]
    relative_height: Annotated[Array, spectra("mode", unit="1", says="height there, against the pristine cell of the same engine")]
    control_height: Annotated[Array, along("engine", "control", "mode", unit="1", says="the same of cells changed without chemistry")]
    folded: Annotated[Mapping[str, FoldedPeak], attribute()]
    """Per engine."""
    provenance: Annotated[Mapping[str, str], attribute()]

    @property
    def intensity_unit(self) -> str:
        """Unit of `spectral_intensity`."""
        return "meV cm" if self.conditions.mass_weighted else "angstrom2 ps-2 cm"

    def coordinates(self) -> Coordinates:
        """What the spectra are projected on, how they are seen, and the modes."""
        texts = {"projection": PROJECTIONS, "geometry": GEOMETRIES, "mode": GAMMA_MODES}
        return {name: ((name,), np.array(values, dtype=object), "") for name, values in texts.items()}

    @property
    def supercell_engines(self) -> tuple[str, ...]:
        """Engines that know a defect."""
        return tuple(engine for engine, heights in zip(self.engines, self.relative_height, strict=True) if np.isfinite(heights[1:]).any())

    @property
    def moving_engines(self) -> tuple[str, ...]:
        """Engines that know how all atoms of a cell move, not only its Gamma modes."""
        return tuple(engine for engine, found in zip(self.engines, self.spectral_intensity, strict=True) if np.isfinite(found[0, 0]).any())

    @property
    def leading(self) -> str:
        """Engine whose places are believed first: the first-principles one where there is one."""
        return LDA if LDA in self.engines else self.engines[0]

    def places(self, engine: str) -> dict[str, float]:
        """Wavenumber of each Gamma mode of the pristine crystal, cm-1, of those that the engine knows."""
        of_pristine = self.mode_frequency[self.engines.index(engine), 0]
        return {mode: float(place) for mode, place in zip(GAMMA_MODES, of_pristine, strict=True) if np.isfinite(place)}


def evaluate(material: str = "WSe2", conditions: Conditions | None = None, calculated: Calculated | None = None) -> TheoryResult:
    """Work out everything that is known of a material; takes well under a second.

    Parameters
    ----------
    material : whose shipped reference is asked; not looked at where `calculated` is given
    conditions : what the spectra are drawn for
    calculated : a user's own calculations, in place of the reference

    Notes
    -----
    Spectra are static: resonance is left out, so that at 2.33 eV the ratio of A1' to E' of a measured WSe2 must not be scored against them.
    """
    given = conditions or Conditions()
    with threadpool_limits(1):  # matrices of this size cost several threads more than one
        return _of_reference(material, given) if calculated is None else _of_calculations(calculated, given)


def _of_reference(material: str, given: Conditions) -> TheoryResult:
    modes = pristine_modes(material)
    engines = ENGINES if modes.material == _WITH_SUPERCELLS else ()
    sources: Sources = {engine: {name: Springs(supercell(engine, name)) for name in STRUCTURES} for engine in engines}
    sources[LDA] = {STRUCTURES[0]: Springs(gamma_cell(modes))}
    return _evaluated(sources, modes, STRUCTURES, given, provenance(material))


def _of_calculations(calculated: Calculated, given: Conditions) -> TheoryResult:
    sources = {program: {name: source_of(one) for name, one in found.items()} for program, found in calculated.found.items()}
    metal, chalcogen, _ = composition(next(iter(next(iter(calculated.found.values())).values())))
    modes = _own_modes(calculated.material, metal, chalcogen, next(iter(sources.values()))[STRUCTURES[0]], given)
    files = {program: "; ".join(f"{name}: {one.file}" for name, one in found.items()) for program, found in calculated.found.items()}
    shipped = f"the shipped ones of {calculated.material}" if modes.tensors else "none"
    told = {"raman tensors": f"of the files where they hold some, else {shipped}"}
    told |= {f"SHA-256 of {file}": checksum for file, checksum in calculated.checksums.items()}
    return _evaluated(sources, modes, ("pristine", f"V_{chalcogen}", f"O_{chalcogen}"), given, files | told)


def _own_modes(material: str, metal: str, chalcogen: str, pristine: Source, given: Conditions) -> PristineModes:
    """Gamma modes of a user's own pristine layer; the tensors are the shipped ones, for files without any."""
    places = dict(zip(GAMMA_MODES, _summits(pristine, given)[0].tolist(), strict=True))
    tensors = pristine_modes(material).tensors if material in materials() else {}
    return PristineModes(material, metal, chalcogen, places, tensors, {}, True, "")


Sources = dict[str, dict[str, Source]]
"""By engine, then by structure."""


def _evaluated(
    sources: Sources, modes: PristineModes, structures: tuple[str, ...], given: Conditions, provenance: Mapping[str, str]
) -> TheoryResult:
    rows = [[found.get(structure) for structure in structures] for found in sources.values()]
    controls = [_controls(row[0]) for row in rows]
    names = tuple(dict.fromkeys(name for found in controls for name in found))
    x = np.arange(_FROM_CM1, _TO_CM1 + _STEP_CM1 / 2, _STEP_CM1)
    summits = np.array([[_summits(source, given) for source in row] for row in rows])
    of_controls = np.array([[_summits(found.get(name), given)[1] for name in names] for found in controls])
    return TheoryResult(
        material=modes.material,
        conditions=given,
        modes=modes,
        engines=tuple(sources),
        structures=structures,
        controls=names,
        wavenumbers=x,
        spectral_intensity=np.array([[_intensities(source, x, given) for source in row] for row in rows]),
        raman=np.array([[_ramans(source, modes, x, given) for source in row] for row in rows]),
        mode_frequency=summits[:, :, 0],
        # To the pristine layer of the same engine: engines differ in every height, their ratios can be compared.
        relative_height=summits[:, :, 1] / summits[:, :1, 1],
        control_height=of_controls.reshape(len(sources), len(names), len(GAMMA_MODES)) / summits[:, :1, 1],
        folded={engine: peak for engine, found in sources.items() if (peak := _folded(found, given)) is not None},
        provenance=provenance,
    )


def _controls(pristine: Source | None) -> dict[str, Source]:
    if not isinstance(pristine, Springs) or pristine.cells < FEWEST_CELLS:
        return {}
    return {name: Springs(cell) for name, cell in null_controls(pristine.cell).items()}


def _summits(source: Source | None, given: Conditions) -> Array:
    """(2, modes) where the spectrum projected on each Gamma mode is highest, cm-1, and how high."""
    if source is None:
        return np.full((2, len(GAMMA_MODES)), np.nan)
    # A tenth of the width steps over no line; its top is then looked for at a quarter of that.
    step = min(_STEP_CM1, given.fwhm_cm1 / 10)
    coarse = np.arange(_FROM_CM1, _TO_CM1, step)
    options: dict[str, Any] = {"fwhm_cm1": given.fwhm_cm1, "temperature_k": given.motion_k}
    found = []
    for mode in GAMMA_MODES:
        near = coarse[source.intensity(coarse, mode, **options).argmax()]
        around = near + step * np.linspace(-1, 1, 9)
        curve = source.intensity(around, mode, **options)
        found.append((around[curve.argmax()], curve.max()) if source.knows(mode) else (np.nan, np.nan))
    return np.array(found).T


def _intensities(source: Source | None, x: Array, given: Conditions) -> Array:
    """(projection, wavenumber); a cell of three atoms has no total, since the modes off Gamma are not in it."""
    nothing = np.full(len(x), np.nan)
    if source is None:
        return np.stack([nothing] * len(PROJECTIONS))
    options: dict[str, Any] = {"fwhm_cm1": given.fwhm_cm1, "temperature_k": given.motion_k, "mass_weighted": given.mass_weighted}
    total = nothing if source.cells == 1 else source.intensity(x, None, **options)
    return np.stack([total, *(source.intensity(x, mode, **options) for mode in PROJECTIONS[1:])])


def _ramans(source: Source | None, modes: PristineModes, x: Array, given: Conditions) -> Array:
    """(geometry, wavenumber)."""
    if source is None:
        return np.full((len(GEOMETRIES), len(x)), np.nan)
    options = {"laser_ev": given.laser_ev, "temperature_k": given.raman_k, "fwhm_cm1": given.fwhm_cm1}
    return np.stack([source.raman(modes.tensors, x, geometry, **options) for geometry in GEOMETRIES])


_NEAR_CM1 = 3.0
"""Modes that far from a peak of 5 cm-1 width are what it is made of."""
_MOSTLY = 0.8
"""Share along z from which a mode is called out of plane."""
_ABOVE_A1_CM1 = (12.0, 60.0)
"""Where the folded peak of a supercell is looked for, above A1' at Gamma."""


def _folded(found: Mapping[str, Source], given: Conditions) -> FoldedPeak | None:
    """Find the peak that a reader takes for A1' in the spectral intensity of all velocities, and what it is made of."""
    springs = {name: source.cell for name, source in found.items() if isinstance(source, Springs)}
    if STRUCTURES[0] not in springs or springs[STRUCTURES[0]].cells < FEWEST_CELLS:
        return None
    pristine = springs.pop(STRUCTURES[0])
    gamma = pristine.wavenumbers[(pristine.overlaps("A1'") ** 2).sum(axis=0).argmax()]
    x = np.arange(gamma + _ABOVE_A1_CM1[0], gamma + _ABOVE_A1_CM1[1], _STEP_CM1)
    upright = (pristine.out_of_plane > _MOSTLY) @ lorentzian(x, pristine.wavenumbers, given.fwhm_cm1)
    place = float(x[upright.argmax()])
    near = np.abs(pristine.wavenumbers - place) < _NEAR_CM1
    around = np.linspace(place - _NEAR_CM1, place + _NEAR_CM1, 25)
    before, *after = (spectral_intensity(cell, around, fwhm_cm1=given.fwhm_cm1).max() for cell in (pristine, *springs.values()))
    return FoldedPeak(
        wavenumber=place,
        modes=int(near.sum()),
        out_of_plane=float(pristine.out_of_plane[near].mean()) if near.any() else 0.0,
        a1_share=float((pristine.overlaps("A1'")[:, near] ** 2).sum()) if near.any() else 1.0,
        falls={name: 1 - float(height / before) for name, height in zip(springs, after, strict=True)},
    )
