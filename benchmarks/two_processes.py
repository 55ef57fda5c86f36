"""Deconvolution of some 200,000 spectra in one process and in two that have loaded everything before, against serial scipy.

``python benchmarks/two_processes.py [--rounds 3] [--copies 20]``.  The reference map, so many times below one another.  Time on the wall
counts here, so other work on the machine spoils it: the processor time of this process, and of what it waits for, is printed beside it.
"""

import argparse
import os
import statistics
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing import get_context

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import reference_map
from layout_rates import of_reference
from layouts import Layout
from solvers import SERIAL, scipy_serial, tasks

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.stages import fitting_in


def timed(layout: Layout, pool: ProcessPoolExecutor | None) -> tuple[float, float]:
    """Spectra a second on the wall, and seconds of this process's processor."""
    with ExitStack() as around:
        if pool is not None:
            around.enter_context(fitting_in(pool))
        wall, processor = time.perf_counter(), time.process_time()
        layout.fit()
        return layout.spectra / (time.perf_counter() - wall), time.process_time() - processor


def main() -> None:
    """Print the medians and what each round gave."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=20)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    small = of_reference()
    counts = np.concatenate([np.asarray(small.map.counts)] * given.copies)
    large = replace(small, map=SpectralMap.from_arrays(counts, small.map.axis.values, small.map.axis.kind))
    work = tasks(reference_map.make())
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        timed(replace(large, map=SpectralMap.from_arrays(counts[:400], small.map.axis.values, small.map.axis.kind)), pool)
        rounds = []
        for _ in range(given.rounds):
            started = time.perf_counter()
            for problem, some in work:
                scipy_serial(problem, some[:SERIAL])
            lean = SERIAL / (time.perf_counter() - started)
            rounds.append((lean, *timed(large, None), *timed(large, pool)))
    lean, alone, processor, together, fed = (statistics.median(part) for part in zip(*rounds, strict=True))
    each = ", ".join(f"{row[3] / row[0]:.0f}" for row in rounds)
    print(f"{large.spectra} spectra; load {os.getloadavg()[0]:.1f}; scipy, serial: {lean:,.0f} spectra/s")
    print(f"one process: {alone:,.0f} spectra/s, {alone / lean:.0f} times scipy; {processor:.1f} s of its processor")
    print(f"two warm processes: {together:,.0f} spectra/s, {together / lean:.0f} times scipy ({each}); {fed:.1f} s of this one's processor")


if __name__ == "__main__":
    main()
