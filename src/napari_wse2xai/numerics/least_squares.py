"""Deconvolution by Levenberg-Marquardt on the channels, batched over pixels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import DERIVATIVES
from napari_wse2xai.numerics.problem import Problem
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
    start : (pixel, peak, 3) where each spectrum starts; None for the problem's own start
    progress : called with the share done after every chunk; may raise

    Returns
    -------
    (pixel, peak, 3) float64; position and FWHM in the axis unit, height in counts

    Notes
    -----
    Marquardt 1963 with the damping in units of each parameter's own curvature, and bounds kept by projection: a parameter at its
    bound whose gradient points outwards takes no part in the step.  The minimum is that of the paper's objective, only found faster.
    """
    result = np.empty((len(counts), len(problem.shapes), 3))
    chunk = CHUNK if device == "cpu" else 100 * CHUNK
    for first in range(0, len(counts), chunk):
        progress(first / len(counts))
        part = slice(first, first + chunk)
        with single_thread():
            result[part] = _Descent(problem, counts[part], None if start is None else start[part], device).run(tolerance)
    return result


class _Descent:
    """One chunk on its way to the minimum; parameters are (pixel, 3 * peak), peak by peak, heights over the spectrum's highest count."""

    def __init__(self, problem: Problem, counts: NDArray[np.float32], start: NDArray[np.float64] | None, device: str) -> None:
        self.shapes = problem.shapes
        self.scale = np.maximum(counts.max(axis=1), 1e-12).astype(np.float64)[:, None]
        unit = np.ones((len(counts), len(problem.shapes), 3))
        unit[..., 2] = self.scale

        def tensor(values: NDArray[np.floating]) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float64, device=device)

        def flat(values: NDArray[np.float64]) -> torch.Tensor:
            return tensor((np.broadcast_to(values, unit.shape) / unit).reshape(len(counts), -1))

        self.x, self.y, self.under = tensor(problem.x), tensor(counts / self.scale), tensor(problem.background)
        if start is None:
            relative = problem.start.copy()
            relative[:, 2] /= max(float(relative[:, 2].max()), 1e-12)
            start = relative * unit
        self.now = flat(start)
        self.lower, self.upper = flat(problem.lower), flat(problem.upper)
        self.anchor = flat(np.pad(problem.anchor[:, None], [(0, 0), (0, 2)]))
        weight = np.zeros_like(unit)
        weight[..., 0] = problem.pull(counts) / self.scale**2
        self.pull = tensor(weight.reshape(len(counts), -1))

    def run(self, tolerance: Tolerance) -> NDArray[np.float64]:
        """Iterate until every spectrum is done; return (pixel, peak, 3)."""
        damping = torch.full_like(self.now[:, :1], 0.3)
        active = torch.arange(len(self.now), device=self.now.device)
        normal, downhill, cost = self._linearise(self.now, active)
        for _ in range(tolerance.iterations):
            step, promise = self._step(self.now[active], active, normal, downhill, damping[active, 0])
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
        found = self.now.reshape(len(self.now), -1, 3).cpu().numpy()
        found[..., 2] *= self.scale
        return found

    def _linearise(self, parameters: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Half the Hessian (Gauss-Newton), half the downhill gradient, and the objective times n."""
        columns: list[torch.Tensor] = []
        model = torch.zeros_like(self.y[rows])
        for k, shape in enumerate(self.shapes):
            position, fwhm, height = parameters[:, 3 * k : 3 * k + 3, None].unbind(1)
            by = DERIVATIVES[shape](self.x, position, fwhm, height)
            model += height * by[2]
            columns.extend(by)
        jacobian = torch.stack(columns, 1)
        residual = self.y[rows] - model
        residual -= (residual @ self.under) @ self.under.T
        shadow = jacobian @ self.under
        away, pull = parameters - self.anchor[rows], self.pull[rows]
        normal = jacobian @ jacobian.transpose(1, 2) - shadow @ shadow.transpose(1, 2)
        normal.diagonal(dim1=1, dim2=2).add_(pull)
        downhill = (jacobian @ residual[..., None])[..., 0] - pull * away
        return normal, downhill, residual.square().sum(1) + (pull * away.square()).sum(1)

    def _step(
        self, now: torch.Tensor, rows: torch.Tensor, normal: torch.Tensor, downhill: torch.Tensor, damping: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Damped step inside the bounds, and by how much it promises to lower the objective."""
        lower, upper = self.lower[rows], self.upper[rows]
        diagonal = normal.diagonal(dim1=1, dim2=2)
        held = ((now <= lower) & (downhill < 0)) | ((now >= upper) & (downhill > 0)) | (diagonal <= 1e-14 * diagonal.amax(1, keepdim=True))
        scale = torch.where(held, 0.0, diagonal.clamp_min(1e-300).rsqrt())
        system = normal * scale[:, :, None] * scale[:, None, :]
        system.diagonal(dim1=1, dim2=2).copy_((1.0 + damping)[:, None].expand_as(scale))
        factor, _ = torch.linalg.cholesky_ex(system)
        free = scale * torch.cholesky_solve((scale * downhill)[..., None], factor)[..., 0]
        step = torch.clamp(now + free, lower, upper) - now
        promise = 2 * (downhill * step).sum(1) - (step * (normal @ step[..., None])[..., 0]).sum(1)
        return step, promise
