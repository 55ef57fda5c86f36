"""Our whole deconvolution stage against the engines of SPECTROview and Fitspy, on the layouts that they publish.

``python benchmarks/peers.py --python ENV/bin/python [--rounds 3] [--engines spectroview fitspy]``; ENV is an environment of its own with
numpy < 2: ``pip install "numpy<2" scipy fitspy PySide6-Essentials superqt`` and ``pip install --no-deps spectroview``.  Both run in
turns on one thread; what counts is processor time.  Ours fits the background with the peaks and gives errors, status and second look;
theirs get spectra whose straight background is off already, and give parameters.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import torch
from layouts import Layout, published

from napari_wse2xai.stages._pixels import Pixels

WORKER = Path(__file__).with_name("peer_worker.py")
ENDS = 3
"""Channels at either end of a window that the straight background is taken from."""


def write(layout: Layout, path: Path) -> None:
    """Spectra without their background, starts and bounds, as a peer needs them."""
    (window,) = layout.stage._windows(layout.map)
    spectra = Pixels(layout.map, layout.stage._chosen(layout.map), [window])
    counts, x = spectra.of(window, slice(None)).astype(np.float64), window.x
    low, high = counts[:, :ENDS].mean(axis=1), counts[:, -ENDS:].mean(axis=1)
    counts -= low[:, None] + (high - low)[:, None] * np.linspace(0, 1, len(x))
    problem = window.problem(spectra.mean(window), None, layout.stage.terms)
    upper = np.minimum(problem.upper[:, :3], 1e9)
    np.savez(path, x=x, spectra=counts, start=problem.start[:, :3], lower=problem.lower[:, :3], upper=upper)


def ours(layout: Layout) -> float:
    """Processor time per spectrum."""
    started = time.process_time()
    layout.fit()
    return (time.process_time() - started) / layout.spectra


def theirs(python: str, engine: str, path: Path) -> float:
    """The same of another engine."""
    done = subprocess.run([python, str(WORKER), engine, str(path)], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[0])


def main() -> None:
    """Print one line per layout and engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", nargs="+", default=["spectroview"])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print("| layout | engine | ours, spectra/s | theirs | ours is so many times as fast, median (each round) |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spectra.npz"
        for layout in published():
            write(layout, path)
            layout.fit()
            for engine in given.engines:
                times = [(ours(layout), theirs(given.python, engine, path)) for _ in range(given.rounds)]
                mine, other = (statistics.median(part) for part in zip(*times, strict=True))
                ratios = [b / a for a, b in times]
                each = ", ".join(f"{ratio:.3g}" for ratio in ratios)
                print(
                    f"| {layout.name} | {engine} | {1 / mine:,.0f} | {1 / other:,.0f} | {statistics.median(ratios):.3g} ({each}) |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
