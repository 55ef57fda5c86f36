"""Which peaks a spectrum needs: with and without the optional ones, pixel by pixel."""

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.stages._fitting import Done, Fit, FitWindow, Spectra
from napari_wse2xai.stages._unresolved import DISTINCT, beside

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem
    from napari_wse2xai.numerics.residual_noise import Noise

DOUBT = 8.0
"""Errors that the heights of all peaks exceed where none can be spared: leaving one out would raise chi2 by the square."""
SAMPLE = 100
"""Spectra from which it is learnt which optional peaks a map may need."""
EVERY = 3
"""Optional peaks of which every combination is tried."""
RARE = 0.02
"""Share of the sample up to which weak finds of an optional peak may be chance."""


def fit_with_choice(window: FitWindow, problem: "Problem", counts: Spectra, solver: Any, progress: Done) -> Fit:
    """Fit a window; where it has optional peaks, also without each choice of them, and keep per pixel what Bayes' criterion prefers.

    Notes
    -----
    BIC (Schwarz 1978) for noise of unknown size is ``n ln(S/n) + m ln n`` with S the sum of squares and m the number of parameters.
    A peak that is left out has height 0.  Up to three optional peaks are left out in every combination, more of them one by one and all
    together, wherever none of them is strong.  Those that hardly a spectrum of a sample needs, or that are one with the peak beside them in
    most, are left out of all.
    """
    if not any(peak.optional for peak in window.peaks) or not len(counts):
        return window.fit(problem, counts, solver, progress)
    never = _never(window, problem, counts[np.unique(np.linspace(0, len(counts) - 1, min(len(counts), SAMPLE)).astype(np.intp))], solver)
    if not never:
        return _by_pixel(window, problem, counts, solver, progress)
    less = _by_pixel(_lesser(window, never), _without(window, problem, never), counts, solver, progress)
    full = window.judge(problem, counts, _with_gone(window, problem, less.found, never), less.noise)
    stayed = [k for k in range(len(window.peaks)) if k not in never]
    error, covariance = full.quality.error.copy(), np.zeros_like(full.quality.covariance)
    error[:, stayed], covariance[:, stayed] = less.quality.error, less.quality.covariance
    return replace(full, empty=less.empty, quality=replace(less.quality, error=error, covariance=covariance))


def _by_pixel(window: FitWindow, problem: "Problem", counts: Spectra, solver: Any, progress: Done) -> Fit:
    """Choose for every spectrum."""
    choices = _choices(window)
    if not choices:
        return window.fit(problem, counts, solver, progress)
    best = window.fit(problem, counts, solver, lambda done: progress(0.5 * done))
    weak = best.absent(DOUBT) & [peak.optional for peak in window.peaks] & ~best.empty[:, None]
    found, lowest, chosen = best.found.copy(), _bic(problem, counts, best.found), np.zeros(len(counts), dtype=int)
    full, settled = lowest.copy(), np.zeros(len(counts), dtype=bool)
    for number, gone in enumerate(choices, start=1):
        progress(0.5 + 0.5 * (number - 1) / len(choices))
        rows = np.flatnonzero(weak[:, gone].all(axis=1) & ~settled)
        if len(rows):
            smaller = _without(window, problem, gone)
            less, _ = _lesser(window, gone).solve(smaller, counts[rows], solver, lambda done: None)
            bic = _bic(smaller, counts[rows], less)
            lower = (bic < lowest[rows]) & ~_taken(problem, less, gone)
            found[rows[lower]] = _with_gone(window, problem, less[lower], gone)
            lowest[rows[lower]], chosen[rows[lower]] = bic[lower], number
            settled[rows] = (weak[rows].sum(axis=1) == len(gone)) & (bic < _lowest_possible(full[rows], problem, gone))
    changed = np.flatnonzero(chosen)
    if not len(changed):
        return best
    fewer = judged(window, problem, counts[changed], found[changed], best.noise)
    return best.merged(changed, _with_what_went(fewer, best.found[changed, :, 2]))


def _taken(problem: "Problem", less: NDArray[np.float64], gone: tuple[int, ...]) -> NDArray[np.bool_]:
    """(pixel,) whether a peak that stayed (pixel, peak, 4) lies where one that went is expected, rather than where it is itself.

    Then its neighbour was left out in its place, and one line's light would be told as another's.
    """
    places, stayed = problem.start[:, 0], [k for k in range(len(problem.start)) if k not in gone]
    off = np.abs(less[..., 0] - places[stayed])
    return np.asarray(np.any([np.abs(less[..., 0] - places[k]) < off for k in gone], axis=(0, 2)))


def _with_what_went(fit: Fit, height: NDArray[np.float64]) -> Fit:
    """Errors of heights that were left out, (pixel, peak) before: a line of six errors that noise draws down to four is left out, too."""
    from napari_wse2xai.numerics.problem import HEIGHT

    went = np.where(fit.found[..., HEIGHT] > 0, 0.0, height)
    error, covariance = fit.quality.error.copy(), fit.quality.covariance.copy()
    error[..., HEIGHT] = np.hypot(error[..., HEIGHT], went)
    covariance[..., 1, 1] += went**2  # of FWHM, height and form
    return replace(fit, quality=replace(fit.quality, error=error, covariance=covariance))


def _never(window: FitWindow, problem: "Problem", counts: Spectra, solver: Any) -> tuple[int, ...]:
    """Optional peaks that hardly one of a sample of spectra (pixel, n) needs, or that most cannot tell from the peak beside them."""
    from napari_wse2xai.numerics.uncertainty import objective

    fit = _by_pixel(window, problem, counts, solver, lambda done: None)
    found, there = fit.found, fit.found[..., 2] > 0
    sure = (there & ~fit.absent(DOUBT)).any(axis=0) | (there.mean(axis=0) > RARE)
    optional = [k for k, peak in enumerate(window.peaks) if peak.optional]
    never = [k for k in optional if not sure[k]]
    best, n = objective(problem, counts, found), len(problem.x)
    for k in (k for k in optional if k not in never):
        here = np.flatnonzero((found[:, k, 2] > 0) & beside(found, k))
        if 2 * len(here) > (found[:, k, 2] > 0).sum():
            smaller = _without(window, problem, (k,))
            less, _ = _lesser(window, (k,)).solve(smaller, counts[here], solver, lambda done: None)
            rise = (objective(smaller, counts[here], less) / best[here] - 1) * n
            never += [k] if float(np.median(rise)) < DISTINCT else []
    return tuple(sorted(never))[: len(window.peaks) - 1]


def _choices(window: FitWindow) -> list[tuple[int, ...]]:
    """Peaks to leave out, each time, most of them first; never all of a window."""
    extra = [k for k, peak in enumerate(window.peaks) if peak.optional]
    sizes = range(len(extra), 0, -1) if len(extra) <= EVERY else (len(extra), 1)
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


def _lowest_possible(full: NDArray[np.float64], problem: "Problem", gone: tuple[int, ...]) -> NDArray[np.float64]:
    """Least criterion of any fit that keeps one or more of the peaks that may go: squares no smaller than those with all of them."""
    sizes = [sum(leader // 4 == k for leader in problem.leaders) for k in gone]
    return np.asarray(full - (sum(sizes) - min(sizes)) * np.log(len(problem.x)))


def judged(window: FitWindow, problem: "Problem", counts: Spectra, found: NDArray[np.float64], noise: "Noise") -> Fit:
    """A fit some of whose peaks may have gone: it is at its minimum although their heights could grow; what stays has its own errors."""
    gone = np.array([peak.optional for peak in window.peaks]) & (found[..., 2] <= 0)
    full = window.judge(problem, counts, found, noise)
    if not gone.any():
        return full
    rest = window.judge(problem, counts, found, noise, gone)
    error = np.where(gone[..., None], full.quality.error, rest.quality.error)
    distance = np.where(gone.any(axis=1), 0.0, rest.quality.distance)
    return replace(rest, free=full.free, quality=replace(rest.quality, error=error, distance=distance))
