"""Deconvolution by Levenberg-Marquardt on the channels, batched over pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.problem import PER_PEAK, POSITION, Problem
from napari_wse2xai.numerics.threads import single_thread

CHUNK = 64
"""Spectra worked on at once: their Jacobians stay in a core's cache; a GPU takes 100 times as many."""


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
    start: NDArray[np.float64] | None = None,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda done: None,
) -> NDArray[np.float64]:
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
    chunk = CHUNK if device == "cpu" else 100 * CHUNK
    for first in range(0, len(counts), chunk):
        progress(first / len(counts))
        part = slice(first, first + chunk)
        with single_thread():
            result[part] = _Descent(problem, counts[part], None if start is None else start[part], device).run(tolerance)
    return result


class _Descent:
    """One chunk on its way to the minimum; what moves are the fitted parameters, (pixel, m), heights in counts."""

    def __init__(self, problem: Problem, counts: NDArray[np.float32], start: NDArray[np.float64] | None, device: str) -> None:
        def tensor(values: NDArray[np.floating]) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float64, device=device)

        self.problem = problem
        self.varying = set(problem.rows.tolist())
        self.x, self.root, self.under = tensor(problem.x), tensor(problem.root), tensor(problem.background)
        self.y = tensor(counts) * self.root
        self.links, self.offsets = tensor(problem.links), tensor(problem.offsets)
        self.rows, self.still = torch.as_tensor(problem.rows, device=device), tensor(problem.start.ravel())
        self.now = tensor(problem.fitted(problem.scaled_start(counts) if start is None else start))
        self.lower, self.upper = tensor(problem.fitted(problem.lower)), tensor(problem.fitted(problem.upper))
        own = problem.leaders // PER_PEAK
        self.anchor = tensor(problem.anchor[own])
        self.pull = tensor(np.where(problem.leaders % PER_PEAK == POSITION, problem.pull(counts)[:, own], 0.0))

    def run(self, tolerance: Tolerance) -> NDArray[np.float64]:
        """Iterate until every spectrum is done; return (pixel, peak, 4)."""
        damping = torch.full_like(self.now[:, :1], 0.3)
        active = torch.arange(len(self.now), device=self.now.device)
        normal, downhill, cost = self._linearise(self.now, active)
        for _ in range(tolerance.iterations):
            step, promise = self._step(self.now[active], normal, downhill, damping[active, 0])
            trial = self.now[active] + step
            new_normal, new_downhill, new_cost = self._linearise(trial, active)
            better = new_cost <= cost
            self.now[active[better]] = trial[better]
            gain = (cost - new_cost) / promise.clamp_min(1e-300)
            factor = torch.where(better, torch.where(gain > 0.75, 0.1, torch.where(gain < 0.25, 2.0, 0.5)), 4.0)
            damping[active] *= factor[:, None]
            done = (promise <= tolerance.relative * cost) & (promise >= 0) & (damping[active, 0] < 1e2) | (damping[active, 0] > 1e10)
            pick = better[:, None]
            downhill, cost = torch.where(pick, new_downhill, downhill)[~done], torch.where(better, new_cost, cost)[~done]
            normal = torch.where(pick[..., None], new_normal, normal)[~done]
            active = active[~done]
            if not len(active):
                break
        return self.problem.complete(self.now.cpu().numpy())

    def _linearise(self, fitted: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Half the Hessian (Gauss-Newton), half the downhill gradient, and the objective."""
        everything = self.still.repeat(len(fitted), 1)
        everything[:, self.rows] = fitted @ self.links.T + self.offsets
        columns: list[torch.Tensor] = []
        model = torch.zeros_like(self.y[rows])
        for k, shape in enumerate(self.problem.shapes):
            own = everything[:, PER_PEAK * k : PER_PEAK * (k + 1), None].unbind(1)
            by = SHAPES[shape].slopes(self.x, self.problem.across(k), *own)
            model += own[2] * by[2]
            columns.extend(column for i, column in enumerate(by) if PER_PEAK * k + i in self.varying)
        jacobian = torch.stack(columns, 1) * self.root
        if not self.problem.plain:
            jacobian = self.links.T @ jacobian
        residual = self.y[rows] - model * self.root
        residual -= (residual @ self.under) @ self.under.T
        shadow = jacobian @ self.under
        away, pull = fitted - self.anchor, self.pull[rows]
        normal = jacobian @ jacobian.transpose(1, 2) - shadow @ shadow.transpose(1, 2)
        normal.diagonal(dim1=1, dim2=2).add_(pull)
        downhill = (jacobian @ residual[..., None])[..., 0] - pull * away
        return normal, downhill, residual.square().sum(1) + (pull * away.square()).sum(1)

    def _step(
        self, now: torch.Tensor, normal: torch.Tensor, downhill: torch.Tensor, damping: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Damped step inside the bounds, and by how much it promises to lower the objective."""
        diagonal = normal.diagonal(dim1=1, dim2=2)
        held = ((now <= self.lower) & (downhill < 0)) | ((now >= self.upper) & (downhill > 0))
        held |= diagonal <= 1e-28 * diagonal.amax(1, keepdim=True)
        scale = torch.where(held, 0.0, diagonal.clamp_min(1e-300).rsqrt())
        system = normal * scale[:, :, None] * scale[:, None, :]
        system.diagonal(dim1=1, dim2=2).copy_((1.0 + damping)[:, None].expand_as(scale))
        factor, _ = torch.linalg.cholesky_ex(system)
        free = scale * torch.cholesky_solve((scale * downhill)[..., None], factor)[..., 0]
        step = torch.clamp(now + free, self.lower, self.upper) - now
        promise = 2 * (downhill * step).sum(1) - (step * (normal @ step[..., None])[..., 0]).sum(1)
        return step, promise
