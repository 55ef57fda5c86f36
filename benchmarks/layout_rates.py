"""Rates of the whole deconvolution stage on many layouts, as shares of that on a perfect map.

``python benchmarks/layout_rates.py [--rounds 3] [--scipy]``.  Errors, status, tests of the model and second look are included; one thread,
processor time, all layouts in turn in every round, so that other work on the machine slows all alike.  With ``--scipy`` also a lean serial
`curve_fit`, errors included, on the reference map (see `solvers.py`).
"""

import argparse
import os
import statistics
import time
import warnings

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import reference_map
import torch
from layouts import Layout, imperfect, narrow, published
from solvers import SERIAL, scipy_serial, tasks

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.stages import Deconvolve, Peak


def of_reference() -> Layout:
    """The reference map as a layout: two windows, 8 Lorentzians, straight background."""
    data = reference_map.make()
    x = np.concatenate(data["x"])
    counts = np.concatenate(data["y"], axis=1).reshape(100, 100, -1).astype(np.float32)
    ends = [(float(part[0]), float(part[-1])) for part in data["x"]]
    each = [(window, row) for window in (0, 1) for row in reference_map.INIT[window]]
    peaks = tuple(
        Peak(name=f"{window}.{k}", position=float(row[0]), fwhm=float(row[1]), window=ends[window]) for k, (window, row) in enumerate(each)
    )
    source = SpectralMap.from_arrays(counts, x, AxisKind.RAMAN_SHIFT)
    return Layout("10,000 x 433 x 8, two windows", source, Deconvolve(peaks=peaks, pixels="everywhere"))


def main() -> None:
    """Print one line per layout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scipy", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    perfect, *others = imperfect()
    layouts = [perfect, *others, *narrow(), *published()]
    if given.scipy:
        layouts.append(of_reference())
        work = tasks(reference_map.make())
    rates: dict[str, list[float]] = {layout.name: [] for layout in layouts}
    lean: list[float] = []
    for count in range(given.rounds + 1):
        for layout in layouts:
            started = time.process_time()
            layout.fit()
            rates[layout.name] += [layout.spectra / (time.process_time() - started)] if count else []
        if given.scipy and count:
            started = time.process_time()
            for problem, counts in work:
                scipy_serial(problem, counts[:SERIAL])
            lean.append(SERIAL / (time.process_time() - started))
    print("| layout | spectra/s | over the perfect map in the same round, median (each round) |\n|---|---|---|")
    for name, own in rates.items():
        ratios = [rate / base for rate, base in zip(own, rates[perfect.name], strict=True)]
        print(f"| {name} | {statistics.median(own):,.0f} | {statistics.median(ratios):.2f} ({', '.join(f'{r:.2f}' for r in ratios)}) |")
    if lean:
        ratios = [rate / base for rate, base in zip(rates[layouts[-1].name], lean, strict=True)]
        each = ", ".join(f"{r:.0f}" for r in ratios)
        print(f"scipy, serial, with errors: {statistics.median(lean):,.0f} spectra/s")
        print(f"ours is so many times as fast: {statistics.median(ratios):.0f} ({each})")


if __name__ == "__main__":
    main()
