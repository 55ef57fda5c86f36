"""Which peaks a spectrum needs: with and without the optional ones, pixel by pixel."""

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.stages._fitting import Done, Fit, FitWindow, Spectra

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

DOUBT = 8.0
"""Errors that the heights of all peaks exceed where none can be spared: leaving one out would raise chi2 by the square."""
EVERY = 3
"""Optional peaks of which every combination is tried."""


def fit_with_choice(window: FitWindow, problem: "Problem", counts: Spectra, solver: Any, progress: Done) -> Fit:
    """Fit a window; where it has optional peaks, also without each choice of them, and keep per pixel what Bayes' criterion prefers.

    Notes
    -----
    BIC (Schwarz 1978) for noise of unknown size is ``n ln(S/n) + m ln n`` with S the sum of squares and m the number of parameters.
    A peak that is left out has height 0.  Up to three optional peaks are left out in every combination, more of them one by one and all
    together, wherever none of them is strong.
    """
    choices = _choices(window)
    if not choices:
        return window.fit(problem, counts, solver, progress)
    best = window.fit(problem, counts, solver, lambda done: progress(0.5 * done))
    weak = best.absent(DOUBT) & ~best.empty[:, None]
    found, lowest, chosen = best.found.copy(), _bic(problem, counts, best.found), np.zeros(len(counts), dtype=int)
    for number, gone in enumerate(choices, start=1):
        progress(0.5 + 0.5 * (number - 1) / len(choices))
        rows = np.flatnonzero(weak[:, gone].all(axis=1))
        if len(rows):
            smaller = _without(window, problem, gone)
            less, _ = _lesser(window, gone).solve(smaller, counts[rows], solver, lambda done: None)
            bic = _bic(smaller, counts[rows], less)
            lower = bic < lowest[rows]
            found[rows[lower]] = _with_gone(window, problem, less[lower], gone)
            lowest[rows[lower]], chosen[rows[lower]] = bic[lower], number
    changed = np.flatnonzero(chosen)
    if not len(changed):
        return best
    return best.merged(changed, _taken(window.judge(problem, counts[changed], found[changed], best.noise)))


def _choices(window: FitWindow) -> list[tuple[int, ...]]:
    """Peaks to leave out, each time; never all of a window."""
    extra = [k for k, peak in enumerate(window.peaks) if peak.optional]
    sizes = range(1, len(extra) + 1) if len(extra) <= EVERY else (1, len(extra))
    return [gone for size in sizes for gone in combinations(extra, size) if len(gone) < len(window.peaks)]


def _lesser(window: FitWindow, gone: tuple[int, ...]) -> FitWindow:
    return replace(window, peaks=tuple(peak for k, peak in enumerate(window.peaks) if k not in gone))


def _without(window: FitWindow, problem: "Problem", gone: tuple[int, ...]) -> "Problem":
    """The problem without some peaks; what is tied to one of them keeps its start."""
    return problem.of_peaks([k for k in range(len(window.peaks)) if k not in gone])


def _with_gone(window: FitWindow, problem: "Problem", found: NDArray[np.float64], gone: tuple[int, ...]) -> NDArray[np.float64]:
    """(pixel, peak, 4) parameters of all peaks; those that went lie where they are expected, without height.

    The mean spectrum may have put one on another, and no height has an error then.
    """
    result = np.repeat(problem.start[None], len(found), axis=0)
    stayed = [k for k in range(len(window.peaks)) if k not in gone]
    result[:, stayed] = found
    for k in gone:
        result[:, k, :3] = window.peaks[k].position, window.peaks[k].fwhm, 0.0
    return result


def _bic(problem: "Problem", counts: Spectra, found: NDArray[np.float64]) -> NDArray[np.float64]:
    from napari_wse2xai.numerics.uncertainty import left_over

    n = len(problem.x)
    squares = np.maximum((left_over(problem, counts, found) ** 2).sum(axis=1), 1e-300)
    return np.asarray(n * np.log(squares / n) + (len(problem.leaders) + problem.background.shape[1]) * np.log(n))


def _taken(fit: Fit) -> Fit:
    """A fit whose absent peaks are what was asked for: it is at its minimum although a height could grow."""
    return replace(fit, quality=replace(fit.quality, distance=np.zeros_like(fit.quality.distance)))
