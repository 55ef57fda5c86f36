"""What calculating on this machine costs, and what runs of dynamics show: ``python benchmarks/live_theory.py cost|seeds ...``.

``cost [--engine diep]`` loads an engine, then times forces on layers of several sizes, and relaxation with vibrations of a unit cell.
``seeds PRISTINE DEFECT`` reads two folders of ``napari-wse2xai theory md`` and prints, seed by seed, temperature and drift, then the
heights of the projected lines over the seeds with their errors, beside those of endlessly many runs of that length on springs.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.engines import Layer, Phonons, Relax, forces_of
from napari_wse2xai.engines.forces import calculator_of
from napari_wse2xai.io.calculated_here import read_run
from napari_wse2xai.theory import supercell
from napari_wse2xai.theory.cell import HarmonicCell
from napari_wse2xai.theory.dynamics import LIGHT_CM_PER_FS, lags_of, spectrum
from napari_wse2xai.theory.runs import Run
from napari_wse2xai.theory.sources import Motion
from napari_wse2xai.theory.spectra import BOLTZMANN_MEV_PER_K

X = np.arange(150.0, 350.0, 0.25)
WIDTH = 5.0


def cost(engine: str) -> None:
    """Print processor seconds: of loading, of forces, of a unit cell from the start to its vibrations."""
    started = time.process_time()
    calculator = calculator_of(engine)
    print(f"loading {engine}: {time.process_time() - started:.1f} s of CPU")
    for repeat in ((3, 3), (4, 4)) if engine == "GFN1-xTB" else ((1, 1), (2, 2), (4, 4)):
        cell = Layer(repeat=repeat).build()
        forces = forces_of(engine, cell, calculator)
        rng = np.random.default_rng(0)
        spent = []
        for _ in range(6):
            started = time.process_time()
            forces(cell.positions + 0.01 * rng.normal(size=cell.positions.shape))
            spent.append(time.process_time() - started)
        print(f"forces on {len(cell.symbols):3d} atoms: {np.median(spent[1:]):.3f} s of CPU")
    if engine == "diep":
        started = time.process_time()
        Phonons(relax=Relax())(calculator=calculator)
        print(f"1 x 1, relaxation and vibrations: {time.process_time() - started:.1f} s of CPU")


def seeds(folders: Sequence[Path]) -> None:
    """Print what the seeds of two folders show."""
    found = {folder.name: [read_run(path) for path in sorted(folder.glob("seed_?.nc"))] for folder in folders}
    for name, runs in found.items():
        for run in runs:
            print(
                f"{name}, seed {run.seed}: {len(run.kept) * run.step_fs / 1e3:.2f} ps at {run.temperatures.mean():.0f} K, "
                f"drift {run.drift:+.3f} +- {run.drift_error:.3f} meV per atom and ps"
            )
    first, second = found
    shortest = min((run for runs in found.values() for run in runs), key=lambda run: len(run.kept))
    closed = {name: supercell("diep", "V_Se" if name == second else "pristine") for name in found}
    for mode in ("A1'", "E'"):
        on_springs = {name: _on_springs(cell, mode, shortest) for name, cell in closed.items()}
        tops = {name: _height(runs, mode) for name, runs in found.items()}
        for name, (height, error) in tops.items():
            told = f"{mode} in {name}: {height:.3f} +- {error:.3f} meV cm, {len(found[name])} seeds"
            print(f"{told}; on springs {on_springs[name]:.3f}")
        (a, ea), (b, eb) = tops[second], tops[first]
        told = f"{mode}, {second} against {first}: {a / b:.2f} +- {a / b * np.hypot(ea / a, eb / b):.2f}"
        print(f"{told}; on springs {on_springs[second] / on_springs[first]:.2f}")


def _on_springs(cell: HarmonicCell, mode: str, run: Run) -> float:
    """Height that endlessly many runs of the same length on springs have in the mean."""
    weights = (cell.overlaps(mode) ** 2).sum(axis=0)
    frames = len(run.kept)
    times = np.arange(lags_of(frames, run.step_fs, WIDTH))
    correlation = weights @ np.cos(2 * np.pi * LIGHT_CM_PER_FS * run.step_fs * cell.wavenumbers[:, None] * times)
    lines = spectrum(correlation / weights.sum() * (1 - times / frames), run.step_fs, X, WIDTH)
    return float(lines.max() * weights.sum() * BOLTZMANN_MEV_PER_K * run.temperature_k)


def _height(runs: Sequence[Run], mode: str) -> tuple[float, float]:
    """Height of the line of all seeds together, and its bootstrap error; that of single seeds is too high where a line is split."""
    options: dict[str, Any] = {"fwhm_cm1": WIDTH, "temperature_k": runs[0].temperature_k}
    each = np.array([Motion(run.trajectory(), run.cell).intensity(X, mode, **options) for run in runs])
    drawn = np.random.default_rng(0).integers(len(each), size=(1000, len(each)))
    spread = each[drawn].mean(axis=1).max(axis=1).std(ddof=1)
    return float(each.mean(axis=0).max()), float(spread * np.sqrt(len(each) / max(len(each) - 1, 1)))


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("cost").add_argument("--engine", default="diep")
    parts.add_parser("seeds").add_argument("folders", type=Path, nargs=2)
    given = parser.parse_args()
    if given.part == "cost":
        cost(given.engine)
    else:
        seeds(given.folders)


if __name__ == "__main__":
    main()
