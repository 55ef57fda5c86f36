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
    together; ties to a peak that goes are not allowed for.  Where every peak of the window is strong there is nothing to choose.
    """
    choices = _choices(window)
    if not choices:
        return window.fit(problem, counts, solver, progress)
    best = window.fit(problem, counts, solver, lambda done: progress(0.5 * done))
    rows = np.flatnonzero(best.absent(DOUBT).any(axis=1))
    some = counts[rows]
    lowest, chosen = _bic(problem, counts, best)[rows], np.zeros(len(rows), dtype=int)
    found = best.found[rows]
    for number, gone in enumerate(choices, start=1):
        progress(0.5 + 0.5 * (number - 1) / len(choices))
        if len(rows):
            smaller = _without(window, problem, gone)
            less = window.fit(smaller, some, solver, lambda done: None)
            bic = _bic(smaller, some, less)
            lower = bic < lowest
            found[lower], lowest[lower], chosen[lower] = less.found[lower], bic[lower], number
    changed = np.flatnonzero(chosen)
    if not len(changed):
        return best
    return best.merged(rows[changed], _taken(window.judge(problem, some[changed], found[changed], best.noise)))


def _choices(window: FitWindow) -> list[tuple[int, ...]]:
    """Peaks to leave out, each time; never all of a window."""
    extra = [k for k, peak in enumerate(window.peaks) if peak.optional]
    sizes = range(1, len(extra) + 1) if len(extra) <= EVERY else (1, len(extra))
    return [gone for size in sizes for gone in combinations(extra, size) if len(gone) < len(window.peaks)]


def _without(window: FitWindow, problem: "Problem", gone: tuple[int, ...]) -> "Problem":
    """The problem with some peaks held at height 0."""
    return replace(
        problem,
        lower=_with_heights(problem.lower, gone, 0.0),
        upper=_with_heights(problem.upper, gone, 0.0),
        start=_with_heights(_at_home(window, problem, gone), gone, 0.0),
        fixed=problem.fixed | {(k, i) for k in gone for i in range(4)},
    )


def _bic(problem: "Problem", counts: Spectra, fit: Fit) -> NDArray[np.float64]:
    from napari_wse2xai.numerics.uncertainty import left_over

    n = len(problem.x)
    squares = np.maximum((left_over(problem, counts, fit.found) ** 2).sum(axis=1), 1e-300)
    return np.asarray(n * np.log(squares / n) + (len(problem.leaders) + problem.background.shape[1]) * np.log(n))


def _at_home(window: FitWindow, problem: "Problem", peaks: tuple[int, ...]) -> NDArray[np.float64]:
    """Start with some peaks where they are expected: the mean spectrum may have put one on another, and no height has an error then."""
    start = problem.start.copy()
    for k in peaks:
        start[k, :2] = window.peaks[k].position, window.peaks[k].fwhm
    return start


def _with_heights(values: NDArray[np.float64], peaks: tuple[int, ...], height: float) -> NDArray[np.float64]:
    changed = values.copy()
    changed[list(peaks), 2] = height
    return changed


def _taken(fit: Fit) -> Fit:
    """A fit whose absent peaks are what was asked for: it is at its minimum although a height could grow."""
    return replace(fit, quality=replace(fit.quality, distance=np.zeros_like(fit.quality.distance)))
