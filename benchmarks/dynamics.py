"""The spectrum of 100,000 steps of 48 atoms against one transform of the same numbers: ``python benchmarks/dynamics.py [--rounds 5]``."""

import argparse
import time

import numpy as np

from napari_wse2xai.theory import supercell
from napari_wse2xai.theory.calculated import Trajectory
from napari_wse2xai.theory.sources import Motion

STEPS, ATOMS = 100_000, 48


def main() -> None:
    """Take turns, and print processor seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    cell = supercell("diep", "pristine")
    velocities = np.random.default_rng(0).normal(size=(STEPS, ATOMS, 3))
    atoms = {"symbols": cell.symbols, "positions": cell.positions, "lattice": cell.lattice, "masses": cell.masses}
    motion = Motion(Trajectory("none", "none", **atoms, velocities=velocities, step_fs=5.0, frames=STEPS), cell)
    x = np.arange(50.0, 620.0, 0.5)
    works = {
        "all atoms": lambda: motion.intensity(x, None, fwhm_cm1=5.0, temperature_k=273.0),
        "projected on A1'": lambda: motion.intensity(x, "A1'", fwhm_cm1=5.0, temperature_k=273.0),
        "one transform": lambda: np.fft.rfft(velocities.reshape(STEPS, -1), axis=0),
    }
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            started = time.process_time()
            work()
            spent[name].append(time.process_time() - started)
    base = np.median(spent["one transform"])
    for name, seconds in spent.items():
        print(f"{name:18s} {np.median(seconds):6.2f} s of CPU, {np.median(seconds) / base:5.2f} x one transform")


if __name__ == "__main__":
    main()
