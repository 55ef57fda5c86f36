"""Relaxation: of the unit cell of a pristine layer in its plane, and of the atoms."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import field_validator

from napari_wse2xai.engines.forces import ENGINES, FEWEST_CELLS, calculator_of, forces_of, module_of, one_thread, require_fit
from napari_wse2xai.engines.layer import Layer, spelled
from napari_wse2xai.errors import DataError
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.theory.cell import HarmonicCell
from napari_wse2xai.theory.relaxed import Relaxed

_IN_PLANE = [1, 1, 0, 0, 0, 1]
"""Components of the strain that are free (Voigt): the vacuum above the layer is not."""


class Relax(Settings):
    """Let the pristine unit cell find its size, then the atoms of the layer their places."""

    layer: Layer = setting(Layer(), title="Layer", description="What is calculated.")
    engine: Literal["diep", "GFN1-xTB"] = setting(
        ENGINES[0], title="Engine", description="What gives the forces: diep for any of the materials; GFN1-xTB, slower, for WSe2 alone."
    )
    fmax: float = setting(0.003, title="Force left", unit="eV/Å", gt=0, le=1, description="Largest force that may be left on an atom.")
    steps: int = setting(1000, title="Steps", ge=1, description="Most steps of either relaxation.")

    @field_validator("engine", mode="before")
    @classmethod
    def _however_written(cls, value: object) -> object:
        return spelled(value, ENGINES)

    def __call__(self, progress: Progress = silent, *, calculator: Any = None) -> Relaxed:
        """Relax; an ASE calculator of one's own takes the engine's place where it is given.

        Raises
        ------
        SettingsError
            The engine is not installed, or is wrong for the layer.
        DataError
            The forces do not fall below `fmax` in `steps`.
        """
        if calculator is None:
            require_fit(self.engine, self.layer.build())
        progress(0.0, f"loading {self.engine}")
        ready = calculator or calculator_of(self.engine)
        small = self.layer.unit(FEWEST_CELLS if self.engine == "GFN1-xTB" else 1)
        unit, _, _ = self._relaxed(small.build(), ready, part(progress, 0.0, 0.3, "unit cell"), with_cell=True)
        a = float(np.linalg.norm(unit.lattice[0])) / small.repeat[0]
        height = float(np.abs(unit.positions[unit.sides != 0, 2] - unit.positions[unit.sides == 0, 2].mean()).mean())
        start = self.layer.build(a, height)
        cell, left, steps = self._relaxed(start, ready, part(progress, 0.3, 1.0, self.layer.name), with_cell=False)
        return Relaxed(cell, a, height, left, steps, ready)

    def _relaxed(self, cell: HarmonicCell, calculator: Any, progress: Progress, *, with_cell: bool) -> tuple[HarmonicCell, float, int]:
        forces = forces_of(self.engine, cell, calculator)
        fire = module_of("ase.optimize", "ASE").FIRE
        target = module_of("ase.filters", "ASE").FrechetCellFilter(forces.atoms, mask=_IN_PLANE) if with_cell else forces.atoms
        search = fire(target, logfile=None)
        with one_thread():
            for _ in search.irun(fmax=self.fmax, steps=self.steps):
                progress(min(1.0, search.nsteps / self.steps), f"relaxing: step {search.nsteps}")
        atoms = forces.atoms
        left = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        if left > self.fmax * 1.01:
            name = f"{self.layer.material} ({self.layer.name})"
            raise DataError(
                f"{name} is not relaxed after {self.steps} steps: {left:.4f} eV/A are left; allow more steps, or a larger force."
            )
        return replace(cell, positions=atoms.positions.copy(), lattice=np.array(atoms.cell)), left, int(search.nsteps)
