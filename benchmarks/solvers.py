"""Solvers of the deconvolution against one another and against scipy, on the reference map: 10,000 spectra, 8 Lorentzians, 24 parameters.

``python benchmarks/solvers.py [--rounds 5]``.  Every rival has the same bounds and (slightly wrong) start; in each round all run in turn,
on one thread where nothing else is said, and the ratio to scipy is taken within the round.  "Channel LM" is also what a batched engine of
that kind does elsewhere.
"""

import argparse
import functools
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import reference_map
import torch
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from napari_wse2xai.numerics import gradient_descent, least_squares, moments
from napari_wse2xai.numerics.problem import Problem
from napari_wse2xai.numerics.uncertainty import model

Array = NDArray[np.float64]
Spectra = NDArray[np.float32]
SERIAL, ADAM = 100, 64
"""Spectra given to the slow rivals."""
WORKERS = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))


def tasks(data: dict[str, Any]) -> list[tuple[Problem, Spectra]]:
    """One problem per window, with its spectra."""
    result = []
    for window in (0, 1):
        low, high = reference_map.bounds(window)
        high[:, 2] = np.inf
        start, low, high = (np.pad(values, [(0, 0), (0, 1)]) for values in (reference_map.INIT[window], low, high))
        problem = Problem(data["x"][window], ("lorentzian",) * len(start), start, start[:, 0].copy(), low, high, None, 0.0)
        result.append((problem, data["y"][window].astype(np.float32)))
    return result


def scipy_serial(problem: Problem, counts: Spectra) -> Array:
    """``curve_fit``, trust region reflective, analytic Jacobian, one spectrum after the other."""
    size = len(problem.start)
    bounds = (problem.lower[:, :3].ravel(), problem.upper[:, :3].ravel())

    def curve(x: Array, *flat: float) -> Array:
        p, w, h = np.reshape(flat, (size, 3, 1)).swapaxes(0, 1)
        return np.asarray((h / (1 + (2 * (x - p) / w) ** 2)).sum(axis=0))

    def slopes(x: Array, *flat: float) -> Array:
        p, w, h = np.reshape(flat, (size, 3, 1)).swapaxes(0, 1)
        u = 2 * (x - p) / w
        profile = 1 / (1 + u * u)
        slope = -2 * h * u * profile**2
        return np.stack([-2 * slope / w, -u * slope / w, profile], axis=1).reshape(3 * size, -1).T

    found = [curve_fit(curve, problem.x, y, problem.start[:, :3].ravel(), bounds=bounds, jac=slopes, method="trf")[0] for y in counts]
    return np.pad(np.reshape(found, (-1, size, 3)), [(0, 0), (0, 0), (0, 1)])


def in_two_processes(problem: Problem, counts: Spectra) -> Array:
    """Moment LM with half of the spectra in either of two processes, which are there already and hold the map."""
    jobs = [WORKERS.submit(fit_half, len(problem.shapes), half) for half in (0, 1)]
    return np.concatenate([job.result() for job in jobs])


@functools.cache
def held() -> dict[int, tuple[Problem, Spectra]]:
    """The windows by their number of peaks, in a process of its own."""
    torch.set_num_threads(1)
    return {len(problem.shapes): (problem, counts) for problem, counts in tasks(reference_map.make())}


def fit_half(peaks: int, half: int) -> Array:
    """Moment LM on the first or the second half of a window's spectra."""
    problem, counts = held()[peaks]
    return moments.fit(problem, np.array_split(counts, 2)[half], moments.MomentTolerance())[0]


def cost(problem: Problem, counts: Spectra, found: Array) -> Array:
    """Sum of squares, (pixel,)."""
    return np.asarray(((counts - model(problem.x, problem.shapes, found)) ** 2).sum(axis=1))


def main() -> None:
    """Time all rivals round by round and compare the minima that they reach."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    work = tasks(reference_map.make())
    total = len(work[0][1])
    rivals: dict[str, tuple[int, Callable[[Problem, Spectra], Array]]] = {
        "scipy trf, serial": (SERIAL, scipy_serial),
        "moment LM": (total, lambda p, y: moments.fit(p, y, moments.MomentTolerance())[0]),
        "moment LM, two processes": (total, in_two_processes),
        "channel LM": (2000, lambda p, y: least_squares.fit(p, y, least_squares.Tolerance())),
        "RAdam, 1000 steps": (ADAM, lambda p, y: gradient_descent.fit(p, y, gradient_descent.Schedule(1000, 0.05))),
    }
    rates: dict[str, list[float]] = {name: [] for name in rivals}
    found: dict[str, list[Array]] = {}
    for count in range(given.rounds + 1):
        for name, (spectra, solve) in rivals.items():
            started = time.perf_counter()
            found[name] = [solve(problem, counts[:spectra]) for problem, counts in work]
            if count:  # the first round warms up
                rates[name].append(spectra / (time.perf_counter() - started))
    print(f"{'rival':<24s} {'spectra/s':>10s} {'ratio':>8s}  (each round)      excess over the best: p99, worst, share > 0.1 %")
    best = [least_squares.fit(p, y, least_squares.Tolerance(1e-10), start=moments_start(p, y)) for p, y in work]
    for name, (spectra, _) in rivals.items():
        ratios = [own / base for own, base in zip(rates[name], rates["scipy trf, serial"], strict=True)]
        excess = np.concatenate(
            [cost(p, y[:spectra], f) / cost(p, y[:spectra], b[:spectra]) - 1 for (p, y), f, b in zip(work, found[name], best, strict=True)]
        )
        rounds = " ".join(f"{ratio:.3g}" for ratio in ratios)
        print(
            f"{name:<24s} {statistics.median(rates[name]):10.0f} {statistics.median(ratios):8.3g}  ({rounds})"
            f"  {np.percentile(excess, 99):.1e} {excess.max():.1e} {(excess > 1e-3).mean():.2%}"
        )


def moments_start(problem: Problem, counts: Spectra) -> Array:
    """A good start for the best known minimum."""
    return np.clip(moments.fit(problem, counts, moments.MomentTolerance(1e-6))[0], problem.lower, problem.upper)


if __name__ == "__main__":
    main()
