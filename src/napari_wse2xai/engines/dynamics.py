"""Born-Oppenheimer dynamics: thermalisation by friction and noise, then NVE by velocity Verlet; it can go on where it was stopped."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np

from napari_wse2xai.engines.forces import Forces, forces_of
from napari_wse2xai.engines.relaxation import Relax
from napari_wse2xai.errors import Cancelled, DataError
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.theory.cell import Array, HarmonicCell
from napari_wse2xai.theory.dynamics import MEV_PER_U_A2_PS2, temperatures
from napari_wse2xai.theory.runs import Run, steps_of
from napari_wse2xai.theory.spectra import BOLTZMANN_MEV_PER_K

_ACCELERATION = 1e3 / MEV_PER_U_A2_PS2
"""A/ps^2 of 1 eV/A on 1 u."""
_FRICTION_PER_PS = 5.0
_KEEP_S = 20.0
RELAXING = 0.05
"""Share of the work that goes into relaxing, roughly."""
_EXPLODED = 50.0
"""Times the temperature that was asked for."""
_LEAST_MOVING = 0.25
"""Share of equipartition's kinetic energy below which velocities are not scaled to the energy that is meant."""


class Dynamics(Settings):
    """How warm, how long, in which steps; the seed decides the start."""

    temperature_k: float = setting(273.0, title="Temperature", unit="K", gt=0, le=3000, description="Temperature of the motion.")
    step_fs: float = setting(5.0, title="Step", unit="fs", gt=0, le=20, description="Time step; the paper printed 10 fs, which is long.")
    thermalise_ps: float = setting(
        1.0, title="Thermalise", unit="ps", ge=0, le=100, description="Time with friction and noise before what is evaluated."
    )
    length_ps: float = setting(5.0, title="Length", unit="ps", gt=0, le=10_000, description="Time that is evaluated, at constant energy.")
    seed: int = setting(0, title="Seed", ge=0, description="Start of the random numbers: the same seed gives the same run.")

    @property
    def before(self) -> int:
        """Steps of the thermalisation."""
        return steps_of(self.thermalise_ps, self.step_fs)

    @property
    def steps(self) -> int:
        """Steps that are evaluated."""
        return max(8, steps_of(self.length_ps, self.step_fs))

    def start(self, cell: HarmonicCell, engine: str) -> Run:
        """Give atoms velocities of a Maxwell distribution, of twice the temperature where nothing follows: half goes into their springs."""
        rng = np.random.default_rng((self.seed, 0))
        # At rest all springs are relaxed: half of the energy goes into them within a vibration (virial theorem).
        warmth = self.temperature_k if self.before else 2 * self.temperature_k
        spread = np.sqrt(warmth * BOLTZMANN_MEV_PER_K / cell.masses / MEV_PER_U_A2_PS2)
        velocities = _still(rng.normal(size=cell.positions.shape) * spread[:, None], cell.masses)
        nothing = np.empty((0, *cell.positions.shape), dtype=np.float32)
        values = self.model_dump(exclude={"length_ps"})
        return Run(cell, engine, **values, done=0, positions=cell.positions, velocities=velocities, kept=nothing, energies=np.empty(0))


def run_nve(run: Run, forces: Forces, length_ps: float, *, keep: Callable[[Run], None] | None = None, progress: Progress = silent) -> Run:
    """Go on with a run until it is so long.

    Parameters
    ----------
    run : a start, or a run that was stopped
    forces : see `Forces`
    keep : is given the run now and then, and when it is cancelled
    progress : may raise `Cancelled`

    Notes
    -----
    The thermalisation is Langevin dynamics (BAOAB: Leimkuhler and Matthews, Appl. Math. Res. Express 2013), whose ensemble is canonical;
    scaling velocities now and then to the temperature, as is often done, misses equipartition, since the springs keep what they have.
    At its end the velocities are scaled once, so that kinetic and potential energy together are those of equipartition.
    """
    total = run.before + max(8, steps_of(length_ps, run.step_fs))
    moving, last = _Moving(run, forces), monotonic()
    try:
        while moving.done < total:
            moving.step()
            progress(moving.done / total, f"dynamics, seed {run.seed}: {moving.done * run.step_fs * 1e-3:.2f} ps")
            if keep is not None and monotonic() - last > _KEEP_S:
                keep(moving.now())
                last = monotonic()
    except Cancelled:
        if keep is not None:
            keep(moving.now())
        raise
    return moving.now()


class MolecularDynamics(Settings):
    """Relax, then follow the atoms in time: one run per seed, at constant energy after a thermalisation."""

    relax: Relax = setting(Relax(), title="Relax", description="What is relaxed before, and by which engine.")
    dynamics: Dynamics = setting(Dynamics(), title="Dynamics", description="Temperature, step, length, first seed.")
    seeds: int = setting(1, title="Seeds", ge=1, le=1000, description="Number of runs; ten or more before two structures are ranked.")

    def __call__(self, progress: Progress = silent, *, calculator: Any = None) -> tuple[Run, ...]:
        """Relax, and run every seed."""
        relaxed = self.relax(part(progress, 0.0, RELAXING), calculator=calculator)
        forces = forces_of(self.relax.engine, relaxed.cell, relaxed.calculator)
        starts = [self.start(relaxed.cell, number) for number in range(self.seeds)]
        shares = [part(progress, *self.share(number)) for number in range(self.seeds)]
        return tuple(run_nve(start, forces, self.dynamics.length_ps, progress=each) for start, each in zip(starts, shares, strict=True))

    def start(self, cell: HarmonicCell, number: int) -> Run:
        """Return the start of one of the seeds, counted from 0."""
        return self.dynamics.model_copy(update={"seed": self.dynamics.seed + number}).start(cell, self.relax.engine)

    def share(self, number: int) -> tuple[float, float]:
        """Where one seed's part of the work begins and ends, 0 to 1."""
        each = (1 - RELAXING) / self.seeds
        return RELAXING + number * each, RELAXING + (number + 1) * each


class _Moving:
    """Atoms on their way."""

    def __init__(self, run: Run, forces: Forces) -> None:
        self._run, self._forces = run, forces
        self._pull = _ACCELERATION / run.cell.masses[:, None]
        self.done, self._positions, self._velocities = run.done, run.positions, run.velocities
        self._kept, self._energies = list(run.kept), run.energies.tolist()
        self._rest = forces(run.cell.positions)[0] if run.done <= run.before else np.nan
        self._potential, self._force = forces(run.positions)
        if run.before == run.done == 0:
            self._set_energy()

    def now(self) -> Run:
        """Return the run as it stands."""
        kept = np.array(self._kept, dtype=np.float32).reshape(-1, *self._positions.shape)
        state = {"done": self.done, "positions": self._positions, "velocities": self._velocities}
        return Run(**(vars(self._run) | state | {"kept": kept, "energies": np.array(self._energies)}))

    def step(self) -> None:
        """One step."""
        # Half steps about the stirring (BAOAB) err least in positions; without it the same is velocity Verlet.
        thermal, half = self.done < self._run.before, 0.5 * self._run.step_fs * 1e-3
        self._velocities = self._velocities + half * self._pull * self._force
        if thermal:
            self._positions = self._positions + half * self._velocities
            self._velocities = self._stirred()
            self._positions = self._positions + half * self._velocities
        else:
            self._positions = self._positions + 2 * half * self._velocities
        self._potential, self._force = self._forces(self._positions)
        self._velocities = self._velocities + half * self._pull * self._force
        self._look()
        self.done += 1
        if self.done == self._run.before:
            self._set_energy()
        elif not thermal:
            self._kept.append(self._velocities.astype(np.float32))
            self._energies.append(self._potential + self._kinetic())

    def _stirred(self) -> Array:
        """Velocities after friction and noise; the noise of a step depends on seed and step alone, so that a run can go on."""
        run = self._run
        # Ornstein and Uhlenbeck's exact step: whatever its length it keeps Maxwell's distribution.
        fades = np.exp(-_FRICTION_PER_PS * run.step_fs * 1e-3)
        spread = np.sqrt((1 - fades**2) * run.temperature_k * BOLTZMANN_MEV_PER_K / run.cell.masses / MEV_PER_U_A2_PS2)
        noise = np.random.default_rng((run.seed, self.done + 1)).normal(size=self._velocities.shape)
        return _still(fades * self._velocities + noise * spread[:, None], run.cell.masses)

    def _set_energy(self) -> None:
        """Scale velocities so that the energy above that of the relaxed atoms is k_B T for each of the 3 n - 3 motions."""
        motions = 3 * len(self._positions) - 3
        meant = motions * BOLTZMANN_MEV_PER_K * 1e-3 * self._run.temperature_k
        kinetic = meant - (self._potential - self._rest)
        if kinetic > _LEAST_MOVING * meant / 2:
            self._velocities = self._velocities * np.sqrt(kinetic / self._kinetic())

    def _kinetic(self) -> float:
        return 0.5 * float((self._run.cell.masses[:, None] * self._velocities**2).sum()) * MEV_PER_U_A2_PS2 * 1e-3

    def _look(self) -> None:
        """Refuse to go on where the atoms fly apart."""
        run = self._run
        if not temperatures(self._velocities[None], run.cell.masses)[0] < _EXPLODED * run.temperature_k:
            how = f"seed {run.seed}, {run.step_fs:g} fs a step, {self.done} steps"
            raise DataError(f"The atoms fly apart ({how}); use a shorter step or a lower temperature.")


def _still(velocities: Array, masses: Array) -> Array:
    """Velocities without the motion of the whole."""
    return np.asarray(velocities - (masses[:, None] * velocities).sum(axis=0) / masses.sum())
