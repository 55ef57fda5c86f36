"""Which peaks a spectrum needs: with and without the optional ones, pixel by pixel."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.stages._fitting import Done, Fit, FitWindow, Spectra

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem


def fit_with_choice(window: FitWindow, problem: "Problem", counts: Spectra, solver: Any, progress: Done) -> Fit:
    """Fit a window; where it has optional peaks, also without them, and keep per pixel what Bayes' information criterion prefers.

    Notes
    -----
    BIC (Schwarz 1978) for noise of unknown size is ``n ln(S/n) + m ln n`` with S the sum of squares and m the number of parameters.
    A peak that is left out has height 0.  All optional peaks stay or go together; ties to a peak that goes are not allowed for.
    """
    extra = [k for k, peak in enumerate(window.peaks) if peak.optional]
    if not extra or len(extra) == len(window.peaks):
        return window.fit(problem, counts, solver, progress)
    full = window.fit(problem, counts, solver, lambda done: progress(0.6 * done))
    without = replace(
        problem,
        lower=_with_heights(problem.lower, extra, 0.0),
        upper=_with_heights(problem.upper, extra, 0.0),
        start=_with_heights(_at_home(window, problem, extra), extra, 0.0),
        fixed=problem.fixed | {(k, i) for k in extra for i in range(4)},
    )
    less = window.fit(without, counts, solver, lambda done: progress(0.6 + 0.4 * done))
    rows = np.flatnonzero(_bic(without, counts, less) < _bic(problem, counts, full))
    if not len(rows):
        return full
    return full.merged(rows, _taken(window.judge(problem, counts[rows], less.found[rows])))


def _bic(problem: "Problem", counts: Spectra, fit: Fit) -> NDArray[np.float64]:
    from napari_wse2xai.numerics.uncertainty import left_over

    n = len(problem.x)
    squares = np.maximum((left_over(problem, counts, fit.found) ** 2).sum(axis=1), 1e-300)
    return np.asarray(n * np.log(squares / n) + (len(problem.leaders) + problem.background.shape[1]) * np.log(n))


def _at_home(window: FitWindow, problem: "Problem", peaks: list[int]) -> NDArray[np.float64]:
    """Start with some peaks where they are expected: the mean spectrum may have put one on another, and no height has an error then."""
    start = problem.start.copy()
    for k in peaks:
        start[k, :2] = window.peaks[k].position, window.peaks[k].fwhm
    return start


def _with_heights(values: NDArray[np.float64], peaks: list[int], height: float) -> NDArray[np.float64]:
    changed = values.copy()
    changed[peaks, 2] = height
    return changed


def _taken(fit: Fit) -> Fit:
    """A fit whose absent peaks are what was asked for: it is at its minimum although a height could grow."""
    return replace(fit, quality=replace(fit.quality, distance=np.zeros_like(fit.quality.distance)))
