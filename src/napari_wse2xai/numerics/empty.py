"""Spectra that show nothing: told in one pass, before any start is tried, and what little can be said of their peaks."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import HEIGHT, PER_PEAK, Problem
from napari_wse2xai.numerics.slopes import Slopes
from napari_wse2xai.numerics.structure import largest
from napari_wse2xai.numerics.uncertainty import left_over

NOTHING = 3.5
"""Standard deviations that the largest structure of a spectrum stays below where no peak can stand out of its error: a box finds three
quarters of what the line itself would, and chance alone exceeds this in one of ten spectra, which are then fitted like others."""
SURELY = 1.5
"""Variance about the background, over that of the noise, from which a spectrum surely shows something."""
SWEEPS = 30
"""Times that each height is brought to its best against the others."""


def empty(problem: Problem, counts: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(pixel,) True for a spectrum (pixel, n) that holds nothing but its background and noise as neighbouring channels show it."""
    difference, n = np.diff(counts, axis=1), counts.shape[1]
    noise = np.einsum("bn,bn->b", difference, difference) * (0.5 / (n - 1))
    result = np.zeros(len(counts), dtype=bool)
    for first in range(0, len(counts), 1024):  # in the cache
        some = slice(first, first + 1024)
        left = problem.without_background(counts[some] * problem.root.astype(np.float32))
        quiet = np.flatnonzero(np.einsum("bn,bn->b", left, left) < SURELY * n * noise[some])
        standard = left[quiet] / np.sqrt(noise[some][quiet, None] + np.finfo(np.float32).tiny) / problem.root.astype(np.float32)
        result[first + quiet] = largest(standard) < NOTHING
    return result


def heights_alone(problem: Problem, counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """(pixel, peak, 4) parameters of peaks that stay where they start: their best heights, none negative."""
    mine = problem.leaders % PER_PEAK == HEIGHT
    fitted = np.repeat(problem.fitted(problem.start)[None], len(counts), axis=0)
    if mine.any():
        slopes = Slopes(problem, problem.start[None])
        columns = problem.without_background((problem.links.T @ slopes.all[0, : len(problem.rows)])[mine].astype(np.float64))
        fixed = fitted[:1].copy()
        fixed[:, mine] = 0.0
        rest = left_over(problem, counts, problem.complete(fixed))
        least, most = (problem.fitted(bound)[mine] for bound in (problem.lower, problem.upper))
        fitted[:, mine] = _within(columns @ columns.T, rest @ columns.T, least, most)
    return problem.complete(fitted)


def _within(
    normal: NDArray[np.float64], right: NDArray[np.float64], least: NDArray[np.float64], most: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(pixel, m) least squares with bounds, one after the other."""
    result = np.zeros_like(right) + least
    for _ in range(SWEEPS):
        for k in range(len(normal)):
            gain = (right[:, k] - result @ normal[k]) / max(float(normal[k, k]), 1e-300)
            result[:, k] = np.clip(result[:, k] + gain, least[k], most[k])
    return result
