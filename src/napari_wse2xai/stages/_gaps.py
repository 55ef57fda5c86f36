"""Spectra that lack some channels of a window: fitted on those that they have."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.stages._fitting import Fit, FitWindow
from napari_wse2xai.stages._model_choice import fit_with_choice
from napari_wse2xai.stages._pixels import Pixels

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem


def without_gaps(window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, solver: Any) -> Fit:
    """Fit spectra with gaps again without them; from then on the model stands in for what is missing.

    Spectra that lack the same channels are fitted together.
    """
    rows, missing = spectra.gaps(window)
    if not len(rows):
        return fit
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        some = rows[which.ravel() == number]
        part = _fitted(window, problem, fit, spectra.of(window, some), ~pattern, solver)
        fit = fit.merged(some, part)
        spectra.fill(window, some, pattern, _model(window, problem, part)[:, pattern])
    return fit


def _fitted(window: FitWindow, problem: "Problem", fit: Fit, counts: NDArray[np.float32], kept: NDArray[np.bool_], solver: Any) -> Fit:
    smaller = replace(window, x=window.x[kept])
    fewer = replace(
        problem,
        x=problem.x[kept],
        weights=None if problem.weights is None else problem.weights[kept] / problem.weights[kept].mean(),
        templates=None if problem.templates is None else problem.templates[kept],
    )
    there = np.ascontiguousarray(counts[:, kept])
    found = fit_with_choice(smaller, fewer, there, solver, lambda done: None)
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
