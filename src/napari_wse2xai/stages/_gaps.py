"""Spectra that lack some channels of a window: fitted on those that they have."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.stages._fitting import Done, Fit, FitWindow
from napari_wse2xai.stages._model_choice import fit_with_choice, judged
from napari_wse2xai.stages._pixels import CHUNK, Pixels

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem


MANY, FEW = 0.02, 30
"""Share of the spectra with gaps from which the noise is that of the others, and how many of these tell it."""


def without_gaps(window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, solver: Any, progress: Done = lambda done: None) -> Fit:
    """Fit spectra with gaps again without them; from then on the model stands in for what is missing.

    Spectra that lack the same channels are fitted together.
    """
    rows, missing = spectra.gaps(window)
    if not len(rows):
        return fit
    fit = _judged_by_whole(window, problem, fit, spectra, rows)
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        some = rows[which.ravel() == number]
        part = _fitted(window, problem, fit, spectra.of(window, some), ~pattern, solver, progress)
        fit = fit.merged(some, part)
        spectra.fill(window, some, pattern, _model(window, problem, part)[:, pattern])
    return fit


def _judged_by_whole(window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, rows: NDArray[np.intp]) -> Fit:
    """Errors and goodness by the noise of spectra without gaps: what straight lines over the gaps of many left was taken for noise."""
    from napari_wse2xai.numerics.residual_noise import Noise

    whole = np.setdiff1d(np.arange(len(spectra)), rows)
    if len(rows) < MANY * len(spectra) or len(whole) < FEW:
        return fit
    noise = Noise.of(problem, spectra.of(window, whole[:CHUNK]), fit.found[whole[:CHUNK]])
    for first in range(0, len(whole), CHUNK):
        some = whole[first : first + CHUNK]
        fit = fit.merged(some, judged(window, problem, spectra.of(window, some), fit.found[some], noise))
    return replace(fit, noise=noise)


def _fitted(
    window: FitWindow, problem: "Problem", fit: Fit, counts: NDArray[np.float32], kept: NDArray[np.bool_], solver: Any, progress: Done
) -> Fit:
    smaller = replace(window, x=window.x[kept])
    fewer = replace(
        problem,
        x=problem.x[kept],
        weights=None if problem.weights is None else problem.weights[kept] / problem.weights[kept].mean(),
        templates=None if problem.templates is None else problem.templates[kept],
    )
    there = np.ascontiguousarray(counts[:, kept])
    found = fit_with_choice(smaller, fewer, there, solver, progress)
    noise = replace(fit.noise, channel=None if fit.noise.channel is None else fit.noise.channel[kept])
    judged = smaller.judge(fewer, there, found.found, noise)
    return replace(judged, quality=replace(judged.quality, distance=found.quality.distance))


def _model(window: FitWindow, problem: "Problem", fit: Fit) -> NDArray[np.float64]:
    """(pixel, n) peaks and background on all channels of the window."""
    from napari_wse2xai.numerics.slopes import model

    under = window.polynomial(problem.x, fit.background)
    if problem.templates is not None:
        under = under + fit.background[:, len(window.points) :] @ problem.templates.T
    return np.asarray(model(problem.x, problem.shapes, fit.found, problem.width) + under)
