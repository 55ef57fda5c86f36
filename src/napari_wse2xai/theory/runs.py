"""Dynamics run on this machine: what is kept of a run, and what runs of several seeds tell together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.theory.calculated import Trajectory
from napari_wse2xai.theory.cell import Array, HarmonicCell
from napari_wse2xai.theory.dynamics import LIGHT_CM_PER_FS, Averaged, block_error, over_seeds, slope_with_error, temperatures
from napari_wse2xai.theory.sources import Motion

_SINC_SQUARED = 0.8859
"""Width of the squared cardinal sine, which is what the end of a run makes of a line."""
_BLOCKS = 4
"""Pieces of a single run whose spread stands for its error; more of them would be too short to tell lines apart."""


@dataclass(frozen=True, eq=False)
class Run:
    """One seed, as far as it went: enough to go on from.

    Attributes
    ----------
    cell : relaxed atoms; its springs are not looked at
    engine : what gave the forces
    temperature_k, step_fs, thermalise_ps, seed : as they were asked for
    done : steps, those of the thermalisation included
    positions, velocities : (n, 3) A and A/ps, now
    kept : (t, n, 3) A/ps after each step since the thermalisation
    energies : (t,) eV, kinetic and potential
    """

    cell: HarmonicCell
    engine: str
    temperature_k: float
    step_fs: float
    thermalise_ps: float
    seed: int
    done: int
    positions: Array
    velocities: Array
    kept: NDArray[np.float32]
    energies: Array

    @property
    def before(self) -> int:
        """Steps of the thermalisation."""
        return steps_of(self.thermalise_ps, self.step_fs)

    @property
    def temperatures(self) -> Array:
        """(t,) K."""
        return temperatures(self.kept.astype(np.float64), self.cell.masses)

    @property
    def temperature_error(self) -> float:
        """Standard error of the mean temperature, from blocks, K."""
        return block_error(self.temperatures)

    @property
    def drift(self) -> float:
        """Slope of the whole energy, meV per atom and ps; NaN for fewer than two steps."""
        return self._slope[0]

    @property
    def drift_error(self) -> float:
        """Standard error of `drift`; NaN for a run too short to tell.

        Notes
        -----
        Velocity Verlet lets the energy swing about what it conserves, with the motion, so that a short run has a slope by chance.
        Neighbouring steps are alike: what is left beside the line is summed up over blocks before it is squared.
        """
        return self._slope[1]

    @property
    def _slope(self) -> tuple[float, float]:
        return slope_with_error(self.energies * 1e3 / self.kept.shape[1], self.step_fs * 1e-3)

    def trajectory(self) -> Trajectory:
        """Return the part after the thermalisation, as spectra are drawn from it."""
        return Trajectory(
            program=self.engine,
            file=f"seed {self.seed}",
            symbols=self.cell.symbols,
            positions=self.cell.positions,
            lattice=self.cell.lattice,
            masses=self.cell.masses,
            velocities=self.kept.astype(np.float64),
            step_fs=self.step_fs,
            frames=len(self.kept),
            verlet=True,
        )


def steps_of(length_ps: float, step_fs: float) -> int:
    """Steps that a time takes."""
    return round(length_ps * 1e3 / step_fs)


def narrowest_cm1(runs: Sequence[Run]) -> float:
    """Width (FWHM) of a sharp line in the spectrum of the shortest of the runs, cm-1: 30 for 1 ps, 6 for 5 ps."""
    frames = min(len(run.kept) for run in runs)
    return _SINC_SQUARED / (LIGHT_CM_PER_FS * frames * runs[0].step_fs)


def spectrum_of_runs(
    runs: Sequence[Run], x: Array, mode: str | None = None, *, fwhm_cm1: float = 5.0, mass_weighted: bool = True
) -> Averaged:
    """Spectral intensity (n,) of runs of one structure with its error: over seeds by bootstrap, of one run over its blocks.

    Parameters
    ----------
    runs : one per seed
    x : (n,) cm-1
    mode : a Gamma mode of the pristine crystal; None for all velocities

    Notes
    -----
    Each run's spectrum is normalised by its own start and has the area of equipartition.  With fewer than ten seeds of some picoseconds the
    error is itself uncertain, and two structures must not be ranked.
    """
    pieces = [run.trajectory() for run in runs]
    options = {"fwhm_cm1": fwhm_cm1, "temperature_k": runs[0].temperature_k, "mass_weighted": mass_weighted}
    each = np.stack([Motion(piece, runs[0].cell).intensity(x, mode, **options) for piece in pieces])  # type: ignore[arg-type]
    if len(runs) > 1:
        return over_seeds(each)
    blocks = np.array_split(pieces[0].velocities, _BLOCKS)
    parts = [replace(pieces[0], velocities=block, frames=len(block)) for block in blocks]
    spread = np.stack([Motion(part, runs[0].cell).intensity(x, mode, **options) for part in parts])  # type: ignore[arg-type]
    return Averaged(each[0], spread.std(axis=0, ddof=1) / np.sqrt(_BLOCKS))
