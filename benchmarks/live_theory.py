"""What calculating on this machine costs, and what runs of dynamics show: ``python benchmarks/live_theory.py cost|seeds ...``.

``cost [--engine diep]`` loads an engine, then times forces on layers of several sizes, and relaxation with vibrations of a unit cell.
``seeds PRISTINE DEFECT`` reads two folders of ``napari-wse2xai theory md`` and prints, seed by seed, temperature and drift, then the
heights of the projected lines over the seeds with their errors, beside the closed form at the same width.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_wse2xai.engines import Layer, Phonons, Relax, forces_of
from napari_wse2xai.engines.forces import calculator_of
from napari_wse2xai.io.calculated_here import read_run
from napari_wse2xai.theory import spectral_intensity, supercell
from napari_wse2xai.theory.runs import Run, narrowest_cm1
from napari_wse2xai.theory.sources import Motion

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
    heights = {name: {mode: _heights(runs, mode) for mode in ("A1'", "E'")} for name, runs in found.items()}
    first, second = found
    width = WIDTH + narrowest_cm1(found[first])
    for mode in ("A1'", "E'"):
        for name in found:
            each = heights[name][mode]
            error = each.std(ddof=1) / np.sqrt(len(each))
            print(f"{mode} in {name}: {each.mean():.4f} +- {error:.4f} meV cm, {len(each)} seeds, spread of one {each.std(ddof=1):.4f}")
        (a, ea), (b, eb) = ((h.mean(), h.std(ddof=1) / np.sqrt(len(h))) for h in (heights[second][mode], heights[first][mode]))
        cells = [supercell("diep", name) for name in ("V_Se", "pristine")]
        closed = [spectral_intensity(cell, X, mode=mode, fwhm_cm1=width).max() for cell in cells]
        print(f"{mode}, {second} against {first}: {a / b:.3f} +- {a / b * np.hypot(ea / a, eb / b):.3f}; springs at {width:.0f} cm-1: "
              f"{closed[0] / closed[1]:.3f}")  # fmt: skip


def _heights(runs: Sequence[Run], mode: str) -> np.ndarray:
    """(seeds,) height of the line."""
    options = {"fwhm_cm1": WIDTH, "temperature_k": 273.0}
    return np.array([Motion(run.trajectory(), run.cell).intensity(X, mode, **options).max() for run in runs])  # type: ignore[arg-type]


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
