"""Peaks that cannot be told apart: where one describes a spectrum as well as two."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import FWHM, HEIGHT, PER_PEAK, POSITION
from napari_wse2xai.stages._fitting import Done, Fit, FitWindow
from napari_wse2xai.stages._otherwise import fitted_otherwise
from napari_wse2xai.stages._pixels import CHUNK, Pixels
from napari_wse2xai.stages._sampling import by_sample

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

Values = NDArray[np.float64]
Reading = Callable[[NDArray[np.intp]], NDArray[np.float32]]
NEAR = 0.75
"""Distance of two peaks, in their mean FWHM, below which one is tried in the place of both."""
SPARE = 0.25
"""Share of the stronger peak's height that the weaker may have, within two errors, for it to be in doubt which is which."""
OFTEN = 0.4
"""Share of the bright pixels in which two peaks cannot be told apart, from which that holds wherever they are not seen to be two."""
DISTINCT = 100.0
"""Rise of chi2 with one peak in the place of two, places and widths of both free, from which the two are two: below, errors to first order
mean little."""
SEEN = 0.03
"""Share of the bright pixels that show two peaks for it to be asked, of the others, whether one hides in the other or is not there."""
AS_GOOD = 16.0
"""Rise of chi2 up to which a spectrum may as well have both in their usual proportion: four standard deviations."""
RARE = 1
"""Per cent of the pixels that show both in which a peak lies farther to either side than it is thought to go elsewhere."""


def unresolved(
    window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, detection: float, progress: Done = lambda done: None
) -> NDArray[np.bool_]:
    """(pixel, peak) True where a peak and its neighbour cannot be told apart.

    Peaks whose places and widths all are fixed, or follow others, are told apart by that: their heights alone are as linear as errors take
    them to be.  The more of these are free, the better two must be seen to be two.
    """
    result = np.zeros(fit.found.shape[:2], dtype=bool)
    for j, k in combinations(range(fit.found.shape[1]), 2):
        free = np.isin([PER_PEAK * peak + kind for peak in (j, k) for kind in (POSITION, FWHM)], problem.leaders).sum()
        if not free or not _close(fit, (j, k)).any():
            continue
        bright, doubtful = _near(fit, (j, k), detection)
        doubtful &= ~np.any(
            [fit.found[:, i, 2] <= 0 for i in (j, k) if window.peaks[i].optional] or [np.zeros(len(bright), dtype=bool)], axis=0
        )
        one = np.zeros(len(bright), dtype=bool)
        rows = np.flatnonzero(doubtful)
        for first in range(0, len(rows), CHUNK):
            some = rows[first : first + CHUNK]
            one[some] = _rise(window, problem, fit, spectra, some, (j, k), progress) < DISTINCT * (free / 4) ** 2
        two = doubtful & ~one
        if one.sum() > OFTEN * bright.sum():  # the map cannot tell them: it is no news that one took all the light, or fled, elsewhere
            one |= bright & ~two
        one |= _hidden(window, problem, fit, spectra, (j, k), bright, progress)
        result[one, j] = result[one, k] = True
    return result


def _hidden(
    window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, pair: tuple[int, int], bright: NDArray[np.bool_], progress: Done
) -> NDArray[np.bool_]:
    """(pixel,) True where one of two peaks that the map shows was given no light, and may as well have its usual share of the other's."""
    result = np.zeros(len(bright), dtype=bool)
    both, error = fit.found[:, list(pair)], np.nan_to_num(fit.quality.error[:, list(pair), 2], nan=0.0, posinf=0.0)
    height = both[..., 2]
    seen = bright & ((height - 2 * error).min(axis=1) > SPARE * height.max(axis=1))
    if seen.sum() <= SEEN * bright.sum():
        return result
    for gone, kept in ((0, 1), (1, 0)):
        rows = np.flatnonzero(bright & ((height + 2 * error)[:, gone] < SPARE * height[:, kept]))
        shared = _sharing(problem, pair[gone], pair[kept], both[seen][:, [gone, kept]])
        if shared is None or not len(rows):
            continue
        start = np.array(fit.found[rows], dtype=np.float64)
        start[:, pair[gone]] = np.median(both[seen, gone], axis=0)
        start[:, pair[gone], POSITION] = both[rows, kept, 0]
        start = np.clip(start, shared.lower, shared.upper)
        near = np.abs(start[:, list(pair), 0] @ [1, -1]) < 0.5 * NEAR * start[:, list(pair), 1].sum(axis=1)
        rows, start = rows[near], start[near]
        result[rows] = _as_good(shared, problem, fit, partial(spectra.of, window), rows, start, progress)
    return result


def _as_good(
    shared: "Problem", problem: "Problem", fit: Fit, read: Reading, rows: NDArray[np.intp], start: Values, progress: Done
) -> NDArray[np.bool_]:
    """(row,) True where a problem fits some pixels as well, from a start; not all are asked where of a sample none does."""
    result = np.zeros(len(rows), dtype=bool)

    def ask(some: NDArray[np.intp]) -> NDArray[np.bool_]:
        led = shared.complete(shared.fitted(start[some]))
        result[some] = fitted_otherwise(shared, problem, fit, read(rows[some]), rows[some], led, progress)[1] < AS_GOOD
        return result[some]

    by_sample(np.zeros((len(rows), 1), dtype=bool), ask)
    return result


def _sharing(problem: "Problem", gone: int, kept: int, seen: Values) -> "Problem | None":
    """The problem with one peak, as where both are seen (pixel, 2, 4), where it may be and as high; None where more is said of heights."""
    from napari_wse2xai.numerics.problem import Tie

    heights = {(gone, HEIGHT), (kept, HEIGHT)}
    if heights & (problem.fixed | {place for tie in problem.ties for place in (tie.follower, tie.leader)}):
        return None
    usual, lower, upper = np.median(seen, axis=0), problem.lower.copy(), problem.upper.copy()
    if PER_PEAK * gone + POSITION in problem.leaders:
        low, high = np.percentile(seen[:, 0, POSITION], [RARE, 100 - RARE]) + 0.5 * usual[0, FWHM] * np.array([-1, 1])
        lower[gone, POSITION], upper[gone, POSITION] = max(lower[gone, POSITION], low), min(upper[gone, POSITION], high)
    tie = Tie((gone, HEIGHT), (kept, HEIGHT), float(usual[0, HEIGHT] / usual[1, HEIGHT]))
    return replace(problem, lower=lower, upper=upper, ties=(*problem.ties, tie))


def beside(found: NDArray[np.float64], peak: int, within: float = NEAR) -> NDArray[np.bool_]:
    """(pixel,) True where a peak lies so near to another, in their mean FWHM: by default, that the two may be called merged."""
    others = [k for k in range(found.shape[1]) if k != peak]
    away = np.abs(found[:, others, 0] - found[:, [peak], 0])
    near = (away < within * 0.5 * (found[:, others, 1] + found[:, [peak], 1])) & (found[:, others, 2] > 0)
    return np.asarray(near.any(axis=1))


def _close(fit: Fit, pair: tuple[int, int]) -> NDArray[np.bool_]:
    """(pixel,) True where two peaks lie close beside one another."""
    (one, other), widths = (fit.found[:, k, 0] for k in pair), (fit.found[:, pair[0], 1] + fit.found[:, pair[1], 1])
    return np.asarray(np.abs(one - other) < 0.5 * NEAR * widths)


def _near(fit: Fit, pair: tuple[int, int], detection: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(pixel,) True where two peaks together stand out of the noise; and where they lie close besides, and neither is surely absent."""
    both = fit.found[:, list(pair)]
    height, error = both[..., 2], np.nan_to_num(fit.quality.error[:, list(pair), 2], nan=0.0, posinf=0.0)
    bright = height.sum(axis=1) > detection * fit.quality.noise
    return bright, bright & _close(fit, pair) & ((height + 2 * error).min(axis=1) > SPARE * height.max(axis=1))


def _rise(
    window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, rows: NDArray[np.intp], pair: tuple[int, int], progress: Done
) -> NDArray[np.float64]:
    """(row,) by how much chi2 rises where one peak stands for two."""
    counts, rises = spectra.of(window, rows), []
    for kept, gone in (pair, pair[::-1]) if problem.held else (pair,):
        fewer = _with_one(problem, kept, gone)
        start = np.clip(_as_one(fit.found[rows], kept, gone), fewer.lower, fewer.upper)
        rises.append(fitted_otherwise(fewer, problem, fit, counts, rows, start, progress)[1])
    return np.asarray(np.min(rises, axis=0))


def _with_one(problem: "Problem", kept: int, gone: int) -> "Problem":
    """The problem with one of two peaks having the room of both; its width is held only if both widths are."""
    held = {place for place in problem.held if place[0] == kept}
    if {(kept, FWHM), (gone, FWHM)} <= problem.fixed:
        held.discard((kept, FWHM))
    problem = problem.freed(held) if held else problem
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[kept], upper[kept] = np.minimum(lower[kept], lower[gone]), np.maximum(upper[kept], upper[gone])
    rest = [i for i in range(len(problem.shapes)) if i != gone]
    return replace(replace(problem, lower=lower, upper=upper).of_peaks(rest), penalty=0.0)


def _as_one(found: NDArray[np.float64], j: int, k: int) -> NDArray[np.float64]:
    """(row, peak - 1, 4) parameters with the first of two peaks having the area and the place of both."""
    result = found.copy()
    weight = found[:, k, 2] / np.maximum(found[:, j, 2] + found[:, k, 2], 1e-300)
    result[:, j, 0] = (1 - weight) * found[:, j, 0] + weight * found[:, k, 0]
    result[:, j, 1] = np.hypot((1 - weight) * found[:, j, 1] + weight * found[:, k, 1], 0.7 * np.abs(found[:, j, 0] - found[:, k, 0]))
    result[:, j, 2] = found[:, j, 2] + found[:, k, 2]
    return np.delete(result, k, axis=1)
