"""Solvers of the deconvolution against one another and against scipy, one spectrum after the other.

``python benchmarks/solvers.py [--spectra 1000] [--rounds 3]``: five Lorentzians on a line (window 183 to 300 cm-1 of the sample
triangle), the same objective, bounds, start and single thread for all.
"""

import argparse
import os
from collections.abc import Callable
from functools import partial

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
from numpy.typing import NDArray
from rounds import median_seconds, print_ratios
from scipy.optimize import curve_fit

from napari_wse2xai.numerics import gradient_descent, least_squares, moments
from napari_wse2xai.numerics.lineshapes import DERIVATIVES
from napari_wse2xai.numerics.problem import Problem, polynomials
from napari_wse2xai.numerics.uncertainty import model
from napari_wse2xai.recipe import preset
from napari_wse2xai.synthetic import make_flake

Array = NDArray[np.float64]
CHANNELS = "channel LM"


def task_and_spectra(count: int) -> tuple[Problem, NDArray[np.float32]]:
    """Fit of the preset's first window, and spectra of the sample flake after despike and baseline."""
    wanted = preset()
    section = wanted.raman
    assert section is not None
    assert section.deconvolve is not None
    clean = section.chain("baseline").run(make_flake("triangle", seed=0).raman).map
    assert clean.flake is not None
    peaks = [peak for peak in section.deconvolve.peaks if peak.window == section.deconvolve.peaks[0].window]
    channels = clean.axis.between(*peaks[0].window)
    counts = np.ascontiguousarray(clean.counts[clean.flake][:, channels])
    x = clean.axis.values[channels]
    start = np.array([(peak.position, peak.fwhm, 0.2 * counts.mean(axis=0).max()) for peak in peaks])
    reach = np.array([peak.reach for peak in peaks])
    lower = np.column_stack([start[:, 0] - reach, 0.3 * start[:, 1], np.zeros(len(peaks))])
    upper = np.column_stack([start[:, 0] + reach, 3.0 * start[:, 1], np.full(len(peaks), np.inf)])
    task = Problem(x, tuple(p.shape for p in peaks), start, start[:, 0].copy(), lower, upper, polynomials(x, 1), 1e-5)
    mean = least_squares.fit(task, counts.mean(axis=0, keepdims=True), least_squares.Tolerance())
    return task.restarted(mean[0]), counts[:: max(1, len(counts) // count)][:count]


def objective(task: Problem, counts: NDArray[np.float32], found: Array) -> Array:
    """Sum of squares with the pull of the positions, (pixel,) counts^2."""
    pull = (task.pull(counts) * (found[..., 0] - task.anchor) ** 2).sum(axis=1)
    return np.asarray((task.without_background(counts - model(task.x, task.shapes, found)) ** 2).sum(axis=1) + pull)


def scipy_one_by_one(task: Problem, counts: NDArray[np.float32]) -> Array:
    """``curve_fit``, trust region reflective, analytic Jacobian; background as two more parameters, the pull as more data."""
    size, degree = task.start.size, task.background.shape[1]
    bounds = (np.append(task.lower, np.full(degree, -np.inf)), np.append(task.upper, np.full(degree, np.inf)))
    start = np.append(np.clip(task.start, task.lower * 1.0001, task.upper * 0.9999), np.zeros(degree))

    def fit(spectrum: NDArray[np.float32]) -> Array:
        root = np.sqrt(task.pull(spectrum[None])[0])
        jacobian = np.zeros((len(task.x) + len(root), size + degree))
        jacobian[: len(task.x), size:] = task.background
        jacobian[len(task.x) + np.arange(len(root)), 3 * np.arange(len(root))] = root

        def curve(_: Array, *flat: float) -> Array:
            parameters = np.reshape(flat[:size], (1, -1, 3))
            return np.append(model(task.x, task.shapes, parameters)[0] + task.background @ flat[size:], root * parameters[0, :, 0])

        def slopes(_: Array, *flat: float) -> Array:
            for k, shape in enumerate(task.shapes):
                jacobian[: len(task.x), 3 * k : 3 * k + 3] = np.stack(DERIVATIVES[shape](task.x, *flat[3 * k : 3 * k + 3]), axis=1)
            return jacobian.copy()

        data = np.append(spectrum, root * task.anchor)
        found = curve_fit(curve, data, data, start, bounds=bounds, jac=slopes, method="trf", x_scale="jac")[0]
        return np.reshape(found[:size], (-1, 3))

    return np.stack([fit(spectrum) for spectrum in counts])


def keep(found: dict[str, Array], name: str, solve: Callable[[], Array]) -> None:
    """Run a solver and keep what it found."""
    found[name] = solve()


def main() -> None:
    """Time the solvers and compare the minima that they reach."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectra", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    task, counts = task_and_spectra(given.spectra)
    solvers: dict[str, Callable[[], Array]] = {
        CHANNELS: lambda: least_squares.fit(task, counts, least_squares.Tolerance()),
        "moment LM": lambda: moments.fit(task, counts, moments.Tolerance()),
        "RAdam, 400 steps": lambda: gradient_descent.fit(task, counts, gradient_descent.Schedule(400, 0.05)),
        "RAdam, 1000 steps": lambda: gradient_descent.fit(task, counts, gradient_descent.Schedule(1000, 0.05)),
        "scipy curve_fit, trf, serial": lambda: scipy_one_by_one(task, counts),
    }
    found: dict[str, Array] = {}
    rivals = {name: partial(keep, found, name, solve) for name, solve in solvers.items()}
    seconds = median_seconds(rivals, given.rounds)
    print(f"{len(counts)} spectra, {len(task.shapes)} {task.shapes[0]}s on a line, {len(task.x)} channels; times relative to the first")
    print_ratios(seconds, to=CHANNELS)
    costs = {name: objective(task, counts, values) for name, values in found.items()}
    best = np.min(list(costs.values()), axis=0)
    print("objective above the best of all (median, worst), spectra a second")
    for name, cost in costs.items():
        excess = cost / best - 1
        print(f"  {name:<44s} {np.median(excess):9.1e} {excess.max():9.1e} {len(counts) / seconds[name]:8.0f}")


if __name__ == "__main__":
    main()
