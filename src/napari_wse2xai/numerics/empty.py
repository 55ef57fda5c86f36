"""Spectra that show nothing: told in one pass, before any start is tried, and what little can be said of their peaks."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.problem import FORM, FWHM, HEIGHT, PER_PEAK, POSITION, Problem
from napari_wse2xai.numerics.slopes import Slopes
from napari_wse2xai.numerics.structure import largest
from napari_wse2xai.numerics.uncertainty import left_over

NOTHING = 3.5
"""Standard deviations that the largest structure of a spectrum stays below where no peak can stand out of its error.  Chance alone exceeds
this in one box of one of ten spectra, but with a line of the peaks' own places and widths only in one of a hundred."""
APART, WIDER = 0.5, 1.5
"""Distance of the places, in its FWHM, and ratio of the widths at which a line is looked for."""
SURELY = 1.5
"""Variance about the background, over that of the noise, from which a spectrum surely shows something."""
AT_ONCE = 512
"""Spectra looked at together: these stay in the cache."""
SWEEPS = 30
"""Times that each height is brought to its best against the others."""


def empty(problem: Problem, counts: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(pixel,) True for a spectrum (pixel, n) that holds nothing but its background and noise as neighbouring channels show it."""
    # Neighbours differ by twice the noise's variance, and by next to nothing of a line or a background (von Neumann 1941).
    difference, n = np.diff(counts, axis=1), counts.shape[1]
    noise = np.einsum("bn,bn->b", difference, difference) * (0.5 / (n - 1))
    result, root, under = np.zeros(len(counts), dtype=bool), problem.root.astype(np.float32), problem.background.astype(np.float32)
    for first in range(0, len(counts), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        left = counts[some] * root
        left -= (left @ under) @ under.T
        quiet = np.flatnonzero(np.einsum("bn,bn->b", left, left) < SURELY * n * noise[some])
        if len(quiet):
            standard = left[quiet] / np.sqrt(noise[some][quiet, None] + np.finfo(np.float32).tiny) / root
            result[first + quiet] = (largest(standard) < NOTHING) | _matched(problem, standard)
    return result


def _matched(problem: Problem, standard: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(pixel,) True where no line that one of the peaks may be is worth `NOTHING`, in residuals (pixel, n) over the noise of a channel.

    Lines that may also change their form are not looked for.
    """
    if any(SHAPES[shape].form for shape in problem.shapes):
        return np.zeros(len(standard), dtype=bool)
    low, high = _reach(problem)
    lines = np.concatenate([_lines(problem, k, low[k], high[k]) for k in range(len(problem.shapes))])
    lines = problem.without_background(lines * problem.root) / problem.root
    lines /= np.maximum(np.linalg.norm(lines, axis=1, keepdims=True), 1e-300)
    return np.asarray((standard @ lines.T.astype(np.float32)).max(axis=1) < NOTHING)


def _reach(problem: Problem) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(peak, 4) least and greatest of every parameter: of what is fixed its start, of what is tied as far as it may be led."""
    # Bounds that are infinite become numbers: links of nought times infinity would be none.
    least, most = (np.clip(problem.fitted(bound), -1e300, 1e300) for bound in (problem.lower, problem.upper))
    up, down = np.maximum(problem.links, 0.0), np.minimum(problem.links, 0.0)
    low, high = problem.start.copy(), problem.start.copy()
    low.ravel()[problem.rows] = up @ least + down @ most + problem.offsets
    high.ravel()[problem.rows] = up @ most + down @ least + problem.offsets
    span, pitch = float(np.ptp(problem.x)), float(np.abs(np.diff(problem.x)).min())
    for bound in (low, high):
        bound[:, POSITION] = np.clip(bound[:, POSITION], problem.x.min() - span, problem.x.max() + span)
        bound[:, FWHM] = np.clip(bound[:, FWHM], 0.5 * pitch, 3 * span)
    return low, high


def _lines(problem: Problem, peak: int, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """(line, n) all that a peak may be, of height 1."""
    widths = np.geomspace(low[FWHM], high[FWHM], 2 + int(np.log(high[FWHM] / low[FWHM]) / np.log(WIDER)))
    grid = [
        (place, width)
        for width in widths
        for place in np.linspace(low[POSITION], high[POSITION], 2 + int((high[POSITION] - low[POSITION]) / (APART * width)))
    ]
    place, width = np.array(grid).T[..., None]
    return np.asarray(SHAPES[problem.shapes[peak]](problem.x, place, width, 1.0, problem.start[peak, FORM], width=problem.across(peak)))


def heights_alone(problem: Problem, counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """(pixel, peak, 4) parameters of peaks that stay where they start: their best heights, none negative."""
    mine: NDArray[np.bool_] = problem.leaders % PER_PEAK == HEIGHT
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
    # One height after the other: least squares within bounds have one minimum, and this descends to it.
    for _ in range(SWEEPS):
        for k in range(len(normal)):
            gain = (right[:, k] - result @ normal[k]) / max(float(normal[k, k]), 1e-300)
            result[:, k] = np.clip(result[:, k] + gain, least[k], most[k])
    return result
