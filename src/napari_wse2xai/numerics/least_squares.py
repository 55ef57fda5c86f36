"""Deconvolution by Levenberg-Marquardt on the channels, batched over pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.problem import HEIGHT, PER_PEAK, POSITION, Problem

Array = NDArray[np.float64]
CHUNK = 64
"""Spectra worked on at once: their Jacobians stay in a core's cache."""
LEAST_DAMPING = 1e-12
"""In units of the scaled normal matrix, whose diagonal is 1: without any, two peaks on one place would make it singular."""


@dataclass(frozen=True)
class Tolerance:
    """When to stop."""

    relative: float = 1e-7
    """Stop a spectrum when the step promises to lower its sum of squares by less than this share."""
    iterations: int = 100


def fit(
    problem: Problem,
    counts: NDArray[np.float32],
    tolerance: Tolerance,
    *,
    start: Array | None = None,
    progress: Callable[[float], None] = lambda done: None,
) -> Array:
    """Minimise the objective of `Problem` for every spectrum.

    Parameters
    ----------
    problem : see `Problem`
    counts : (pixel, n) float32, counts
    start : (pixel, peak, 4) where each spectrum starts; None for the problem's own start
    progress : called with the share done after every chunk; may raise

    Returns
    -------
    (pixel, peak, 4) float64; position and FWHM in the axis unit, height in counts, form

    Notes
    -----
    Marquardt 1963 with the damping in units of each parameter's own curvature, and bounds kept by projection: a parameter at its
    bound whose gradient points outwards takes no part in the step.  The minimum is that of the paper's objective, only found faster.
    """
    result = np.empty((len(counts), *problem.start.shape))
    for first in range(0, len(counts), CHUNK):
        progress(first / len(counts))
        part = slice(first, first + CHUNK)
        with np.errstate(all="ignore"):  # a step that leads beyond what numbers hold is one that is not taken
            result[part] = _ChannelDescent(problem, counts[part], None if start is None else start[part]).run(tolerance)
    return result


class _ChannelDescent:
    """One chunk on its way to the minimum; what moves are the fitted parameters, (pixel, m), heights in counts."""

    def __init__(self, problem: Problem, counts: NDArray[np.floating], start: Array | None) -> None:
        self.problem = problem
        self.y = np.asarray(counts * problem.root, dtype=np.float64)
        self.now = problem.fitted(problem.scaled_start(counts) if start is None else start)
        self.lower, self.upper = problem.fitted(problem.lower), problem.fitted(problem.upper)
        own = problem.leaders // PER_PEAK
        self.anchor = problem.anchor[own]
        self.pull = np.where(problem.leaders % PER_PEAK == POSITION, problem.pull(counts)[:, own], 0.0)

    def run(self, tolerance: Tolerance) -> Array:
        """Iterate until every spectrum is done; return (pixel, peak, 4)."""
        # Between Gauss and Newton's step and a careful one: starts are the same for all pixels, and some are far off.
        damping = np.full(len(self.now), 0.3)
        active = np.arange(len(self.now))
        normal, downhill, cost = self._linearise(self.now, active)
        for _ in range(tolerance.iterations):
            step, promise = self._step(self.now[active], normal, downhill, damping[active])
            trial = self.now[active] + step
            new_normal, new_downhill, new_cost = self._linearise(trial, active)
            better = new_cost <= cost
            self.now[active[better]] = trial[better]
            gain = (cost - new_cost) / np.maximum(promise, 1e-300)
            # Fletcher (1971): bolder where the parabola foretold the gain, more careful where it did not, back where the cost rose.
            factor = np.where(better, np.where(gain > 0.75, 0.1, np.where(gain < 0.25, 2.0, 0.5)), 4.0)
            damping[active] = np.maximum(damping[active] * factor, LEAST_DAMPING)
            small = (promise <= tolerance.relative * cost) & (promise >= 0) & (damping[active] < 1e2)
            # So damped that a step changes nothing: from here the cost cannot be lowered.
            left = ~(small | (damping[active] > 1e10))
            if not left.any():
                break
            pick = better[left]
            downhill = np.where(pick[:, None], new_downhill[left], downhill[left])
            normal = np.where(pick[:, None, None], new_normal[left], normal[left])
            cost, active = np.where(better, new_cost, cost)[left], active[left]
        return self.problem.complete(self.now)

    def _linearise(self, fitted: Array, rows: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """Half the Hessian (Gauss-Newton), half the downhill gradient, and the objective."""
        model, jacobian = self._drawn(fitted)
        residual, under = self.y[rows] - model, self.problem.background
        residual -= (residual @ under) @ under.T
        shadow = jacobian @ under
        away, pull = fitted - self.anchor, self.pull[rows]
        normal = jacobian @ np.swapaxes(jacobian, 1, 2) - shadow @ np.swapaxes(shadow, 1, 2)
        diagonal = np.einsum("bii->bi", normal)
        diagonal += pull
        downhill = (jacobian @ residual[..., None])[..., 0] - pull * away
        return normal, downhill, np.einsum("bn,bn->b", residual, residual) + (pull * away * away).sum(axis=1)

    def _drawn(self, fitted: Array) -> tuple[Array, Array]:
        """Weighted sum of the peaks (pixel, n), and its derivatives by what is fitted (pixel, m, n)."""
        problem, everything = self.problem, self.problem.complete(fitted)
        place = {int(row): at for at, row in enumerate(problem.rows)}
        model = np.zeros((len(fitted), len(problem.x)))
        jacobian = np.empty((len(fitted), len(place), len(problem.x)))
        for k, shape in enumerate(problem.shapes):
            own = everything[:, k, :, None].swapaxes(0, 1)
            by = SHAPES[shape].slopes(problem.x, problem.across(k), *own)
            model += own[HEIGHT] * by[HEIGHT]
            for i, column in enumerate(by):
                if PER_PEAK * k + i in place:
                    jacobian[:, place[PER_PEAK * k + i]] = column
        if problem.weights is not None:
            model *= problem.root
            jacobian *= problem.root
        return model, jacobian if problem.plain else problem.links.T @ jacobian

    def _step(self, now: Array, normal: Array, downhill: Array, damping: Array) -> tuple[Array, Array]:
        """Damped step inside the bounds, and by how much it promises to lower the objective."""
        diagonal = np.einsum("bii->bi", normal)
        held = ((now <= self.lower) & (downhill < 0)) | ((now >= self.upper) & (downhill > 0))
        # What changes nothing, such as the place of a line of height 0, would make the system singular.
        held |= diagonal <= 1e-28 * diagonal.max(axis=1, keepdims=True)
        scale = np.where(held, 0.0, 1.0 / np.sqrt(np.maximum(diagonal, 1e-300)))
        system = normal * scale[:, :, None] * scale[:, None, :]
        # Scaled so, the diagonal is 1; what is held has an empty row, and stays where it is.
        np.einsum("bii->bi", system)[...] = 1.0 + damping[:, None]
        free = scale * np.linalg.solve(system, (scale * downhill)[..., None])[..., 0]
        step = np.clip(now + free, self.lower, self.upper) - now
        promise = 2 * (downhill * step).sum(axis=1) - (step * (normal @ step[..., None])[..., 0]).sum(axis=1)
        return step, promise
