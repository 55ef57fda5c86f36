"""Deconvolution against the truth of the reference map: whether its errors are honest, and whether it finds the minimum of weak spectra.

``python benchmarks/truth.py [--side 100] [--weak-side 40]``.  The reference map with so many rows and
columns.  Pull: (estimate - truth) / standard error, of peaks whose true height is above five
errors.  "At the truth" divides by the error that the same formulas give at the true parameters: what is left is the estimate's own
fault.  The best known minimum of a weak spectrum is the lowest of channel LM from the truth, from the common start, from what was
found, and from three ruined starts.
"""

import argparse
import os
import warnings
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import reference_map
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.numerics import least_squares
from napari_wse2xai.numerics.uncertainty import assess, objective
from napari_wse2xai.stages import Deconvolve, Peak
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._plan import Plan
from napari_wse2xai.stages._second_look import second_look

Array = NDArray[np.float64]
SURE = 5.0
"""Errors that a peak's true height must exceed to be judged."""


def fits(side: int, scale: float) -> tuple[list[tuple[Any, Any, Any, Array]], list[Any]]:
    """Per window: problem, counts, fit, and the truth (pixel, peak, 4); and the fits after the second look."""
    data = reference_map.make(side, side, scale=scale)
    source = SpectralMap.from_arrays(data["full"].reshape(data["ny"], data["nx"], -1), reference_map.X, AxisKind.RAMAN_SHIFT)
    peaks = tuple(
        Peak(name=f"{window}.{k}", position=float(start[0]), fwhm=float(start[1]), window=reference_map.WINDOWS[window])
        for window in (0, 1)
        for k, start in enumerate(reference_map.INIT[window])
    )
    stage = Deconvolve(peaks=peaks, pixels="everywhere")
    windows = list(stage._windows(source))
    spectra = Pixels(source, np.ones(source.frame.shape, dtype=bool), windows)
    result, plans = [], []
    for window, truth in zip(windows, data["truth"], strict=True):
        plan, counts = Plan.of(window, spectra, stage.terms), spectra.of(window, slice(None))
        plans.append(plan)
        fit = plan.fit(counts)
        result.append((plan.problem, counts, fit, np.pad(truth, [(0, 0), (0, 0), (0, 1)])))
    again, _ = second_look(plans, [part[2] for part in result], spectra, lambda done: None)
    return result, again


def pulls(side: int) -> None:
    """Print mean and width of all pulls."""
    print("peak    SNR   position: pull, at the truth     FWHM: pull, at the truth      height: pull, at the truth")
    for window, (problem, counts, fit, truth) in enumerate(fits(side, 1.0)[0]):
        there = assess(problem, counts, truth, np.ones(truth.shape, dtype=bool)).error
        strength = truth[..., 2] / there[..., 2]
        for k in range(truth.shape[1]):
            sure, off = strength[:, k] > SURE, fit.found[:, k] - truth[:, k]
            each = [part[sure, i] for i in range(3) for part in (off / fit.quality.error[:, k], off / there[:, k])]
            words = "  ".join(f"{np.nanmean(pull):+.2f} {np.nanstd(pull):.3f}" for pull in each)
            print(f"{window}.{k}  {np.median(strength[:, k]):6.1f}   {words}")


def weak(side: int, scale: float) -> None:
    """Print how many fits of weak spectra end above the best known minimum."""
    rng = np.random.default_rng(1)
    parts, looked_again = fits(side, scale)
    for window, ((problem, counts, fit, truth), again) in enumerate(zip(parts, looked_again, strict=True)):
        reached = [objective(problem, counts, each.found) for each in (fit, again)]
        usual = problem.scaled_start(counts)
        ruined = [
            usual * np.concatenate([np.ones((*usual.shape[:2], 1)), rng.uniform(0.5, 2, (*usual.shape[:2], 3))], -1) for _ in range(3)
        ]
        best = np.minimum(*reached)
        for start in (truth, usual, fit.found, *ruined):
            begin = np.clip(start, problem.lower, problem.upper)
            found = least_squares.fit(problem, counts, least_squares.Tolerance(1e-9, 200), start=begin)
            best = np.minimum(best, objective(problem, counts, found))
        for name, cost in zip(("first pass", "second look"), reached, strict=True):
            excess = cost / best - 1
            shares = ", ".join(f"{(excess > level).mean():.2%} above {level:.1%}" for level in (1e-3, 1e-2))
            print(f"heights x {scale:g}, window {window}, {len(counts)} spectra, {name}: {shares}; worst {excess.max():.2%}")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=100)
    parser.add_argument("--weak-side", type=int, default=40)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    pulls(given.side)
    for scale in (0.3, 0.1):
        weak(given.weak_side, scale)


if __name__ == "__main__":
    main()
