"""What spectra are drawn from: atoms on springs, or atoms that were followed in time."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from napari_wse2xai.theory.calculated import Trajectory, Vibrations
from napari_wse2xai.theory.cell import Array, HarmonicCell, mode_mass
from napari_wse2xai.theory.dynamics import as_stepped, autocorrelation, lags_of, mass_weighted, spectrum
from napari_wse2xai.theory.spectra import A2_PER_PS2_U_IN_MEV, BOLTZMANN_MEV_PER_K, raman, raman_of_modes, spectral_intensity

_SLOWEST_CM1 = 50.0
"""A mode below it was not calculated: without springs it has the frequency 0, but for rounding."""


class Source(Protocol):
    """One structure, as some engine knows it."""

    @property
    def cells(self) -> int:
        """Unit cells that it is made of."""
        ...

    def intensity(self, x: Array, mode: str | None, *, fwhm_cm1: float, temperature_k: float, mass_weighted: bool = True) -> Array:
        """Spectrum of its velocities, see `spectral_intensity`; `mode` None for all of them."""
        ...

    def knows(self, mode: str) -> bool:
        """Whether the Gamma mode was calculated."""
        ...

    def raman(self, tensors: dict[str, Array], x: Array, geometry: str, **options: float) -> Array:
        """Raman spectrum, with its own tensors where it has some; NaN where it cannot have one."""
        ...


@dataclass(frozen=True, eq=False)
class Springs:
    """A harmonic cell, with the change of its polarisability (3, 3, 3 n) by each mass-weighted motion where that was calculated."""

    cell: HarmonicCell
    slopes: Array | None = None

    @classmethod
    def of(cls, found: Vibrations) -> "Springs":
        """Take over what a program found."""
        return cls(found.cell(), found.polarisability())

    @property
    def cells(self) -> int:
        """Unit cells that it is made of."""
        return self.cell.cells

    def intensity(self, x: Array, mode: str | None, *, fwhm_cm1: float, temperature_k: float, mass_weighted: bool = True) -> Array:
        """Spectrum of its velocities in closed form."""
        options = {"fwhm_cm1": fwhm_cm1, "temperature_k": temperature_k}
        return spectral_intensity(self.cell, x, mode=mode, mass_weighted=mass_weighted, **options)

    def knows(self, mode: str) -> bool:
        """Whether the Gamma mode was calculated: one that was not has no springs."""
        strongest = (self.cell.overlaps(mode) ** 2).sum(axis=0).argmax()
        return bool(self.cell.wavenumbers[strongest] > _SLOWEST_CM1)

    def raman(self, tensors: dict[str, Array], x: Array, geometry: str, **options: float) -> Array:
        """Raman spectrum per unit cell."""
        if self.slopes is not None:
            # A mode of a supercell moves all its cells: the light of one cell goes by their root, its intensity by their number.
            own = np.einsum("ijk,km->mij", self.slopes, self.cell.vectors) / np.sqrt(self.cells)
            return raman_of_modes(self.cell.wavenumbers, own, x, geometry=geometry, **options)
        return raman(self.cell, tensors, x, geometry=geometry, **options) if tensors else np.full(len(x), np.nan)


@dataclass(frozen=True, eq=False)
class Motion:
    """Dynamics: each spectrum has the area that equipartition gives it, so that a warm or a cold run tells the same."""

    found: Trajectory
    cell: HarmonicCell

    @classmethod
    def of(cls, found: Trajectory) -> "Motion":
        """Take over what a program found."""
        return cls(found, found.cell())

    @property
    def cells(self) -> int:
        """Unit cells that it is made of."""
        return self.cell.cells

    def intensity(self, x: Array, mode: str | None, *, fwhm_cm1: float, temperature_k: float, mass_weighted: bool = True) -> Array:
        """Spectrum of its velocities by Wiener and Khinchin; that of each run is normalised by its own start."""
        area = BOLTZMANN_MEV_PER_K * temperature_k * self._motions(mode, mass_weighted)
        # Verlet's steps raise every frequency a little: looked up where the run has it, and stretched to keep the area.
        places, stretch = as_stepped(x, self.found.step_fs) if self.found.verlet else (x, np.ones(len(x)))
        runs = (self.found.velocities, *self.found.further)
        parts = [self._normalised(self._series(run, mode, mass_weighted), np.nan_to_num(places), fwhm_cm1) for run in runs]
        return np.asarray(np.nan_to_num(np.mean(parts, axis=0) * stretch) * area)

    def _normalised(self, series: Array, places: Array, fwhm_cm1: float) -> Array:
        """Spectrum of area 1."""
        correlation = autocorrelation(series, lags_of(len(series), self.found.step_fs, fwhm_cm1))
        return spectrum(correlation / correlation[0], self.found.step_fs, places, fwhm_cm1)

    def _series(self, velocities: Array, mode: str | None, weighted: bool) -> Array:
        moving = mass_weighted(velocities, self.found.masses)
        if mode is not None:
            return np.asarray(moving @ self.cell.patterns(mode).T)
        return moving if weighted else moving / np.sqrt(np.repeat(self.found.masses, 3))

    def _motions(self, mode: str | None, weighted: bool) -> float:
        """How many k_B T the spectrum holds: one for each partner of a mode, three per atom less the shifts; over masses where asked."""
        if mode is not None:
            held = float((self.cell.patterns(mode) ** 2).sum())
            return held if weighted else held / mode_mass(self.cell.metal, self.cell.chalcogen, mode) * A2_PER_PS2_U_IN_MEV
        masses = self.found.masses
        if weighted:
            # The centre of mass stands still: three motions have no energy.
            return (3 * len(masses) - 3) / self.cells
        return float(3 * (1 / masses).sum() - 3 * len(masses) / masses.sum()) / self.cells * A2_PER_PS2_U_IN_MEV

    def knows(self, mode: str) -> bool:
        """Whether the Gamma mode was calculated: dynamics hold all."""
        return True

    def raman(self, tensors: dict[str, Array], x: Array, geometry: str, **options: float) -> Array:
        """NaN: velocities alone tell of no polarisability."""
        return np.full(len(x), np.nan)


def source_of(found: Vibrations | Trajectory) -> Source:
    """Make what spectra are drawn from."""
    return Motion.of(found) if isinstance(found, Trajectory) else Springs.of(found)
