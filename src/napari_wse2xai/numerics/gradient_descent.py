"""Deconvolution by gradient descent: the paper's solver, batched over pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import DERIVATIVES
from napari_wse2xai.numerics.problem import Problem
from napari_wse2xai.numerics.threads import single_thread

CACHE_ELEMENTS = 50_000
"""Elements (pixel x peak x channel) worked on at once: about what stays in a core's cache; a GPU takes 200 times as many."""


@dataclass(frozen=True)
class Schedule:
    """How the descent goes."""

    steps: int
    learning_rate: float
    """First step length, in units of the FWHM (position), of ln (FWHM) and of the start's highest peak (height)."""


def fit(
    problem: Problem,
    counts: NDArray[np.float32],
    schedule: Schedule,
    *,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda done: None,
) -> NDArray[np.float64]:
    """Minimise the mean squared error of every spectrum with RAdam.

    Parameters
    ----------
    problem : see `Problem`
    counts : (pixel, n) float32, counts
    schedule : number of steps and first step length, which falls to zero along half a cosine
    progress : called with the share done, several times a second; may raise

    Returns
    -------
    (pixel, peak, 3) float64; position and FWHM in the axis unit, height in counts

    Notes
    -----
    Yoo et al. 2023: RAdam (Liu 2020) on the mean squared error, heights forced positive, positions regularised towards their initial
    values.  Each parameter is counted in its own natural unit, so that one step length serves all of them.  The sum over pixels
    of the objectives has no mixed terms and RAdam is elementwise, so a batch gives what each pixel gives alone.
    """
    elements = CACHE_ELEMENTS * (1 if device == "cpu" else 200)
    chunk = max(1, elements // (len(problem.shapes) * len(problem.x)))
    result = np.empty((len(counts), len(problem.shapes), 3))
    for first in range(0, len(counts), chunk):
        part = slice(first, min(first + chunk, len(counts)))
        begun, share = first / len(counts), (part.stop - first) / len(counts)
        with single_thread():
            result[part] = _descend(problem, counts[part], schedule, device, partial(_within, progress, begun, share))
    return result


def _within(progress: Callable[[float], None], begun: float, share: float, done: float) -> None:
    progress(begun + share * done)


def _descend(
    problem: Problem, counts: NDArray[np.float32], schedule: Schedule, device: str, progress: Callable[[float], None]
) -> NDArray[np.float64]:
    scale = np.maximum(counts.max(axis=1), 1e-12)[:, None]
    units = _Units.of(problem, scale)
    state, lower, upper, pull = (torch.as_tensor(v, dtype=torch.float32, device=device) for v in units.state(problem))
    # float32 keeps its digits when positions are counted from the window's centre.
    centre = float(problem.x.mean())
    x, y, under = (torch.as_tensor(v, dtype=torch.float32, device=device) for v in (problem.x - centre, counts / scale, problem.background))
    position, fwhm = (torch.as_tensor(v, dtype=torch.float32, device=device) for v in (units.position - centre, units.fwhm))
    optimizer = torch.optim.RAdam([state], lr=schedule.learning_rate)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, schedule.steps)
    for step in range(schedule.steps):
        if step % 20 == 0:
            progress(step / schedule.steps)
        now = (position + fwhm * state[..., 0], fwhm * state[..., 1].exp(), state[..., 2])
        by_position, by_fwhm, by_height = _gradient(problem.shapes, x, y, under, now)
        state.grad = torch.stack([by_position * fwhm + 2 * problem.penalty * (state[..., 0] + pull), by_fwhm * now[1], by_height], -1)
        optimizer.step()
        decay.step()
        torch.clamp(state, lower, upper, out=state)
    return np.clip(units.parameters(state.double().cpu().numpy()), problem.lower, problem.upper)


def _gradient(
    shapes: tuple[str, ...], x: torch.Tensor, y: torch.Tensor, under: torch.Tensor, now: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradient of the mean squared error by position, FWHM and height, (pixel, peak) each.

    By hand, not by autograd: recording the graph of a sum of peaks costs three times as much as computing it.
    """
    position, fwhm, height = now
    rows: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for shape, members in _runs(shapes):
        rows.append(DERIVATIVES[shape](x, position[:, members, None], fwhm[:, members, None], height[:, members, None]))
    by_position, by_fwhm, profile = (parts[0] if len(parts) == 1 else torch.cat(parts, 1) for parts in zip(*rows, strict=True))
    residual = torch.baddbmm(y[:, None], height[:, None], profile, beta=-1)
    residual = (residual - (residual @ under) @ under.T).transpose(1, 2).mul_(2.0 / len(x))
    return tuple(torch.bmm(by, residual)[..., 0] for by in (by_position, by_fwhm, profile))  # type: ignore[return-value]


def _runs(shapes: tuple[str, ...]) -> list[tuple[str, slice]]:
    """Neighbouring peaks of one shape, to be computed in one go."""
    starts = [k for k, shape in enumerate(shapes) if k == 0 or shape != shapes[k - 1]]
    return [(shapes[a], slice(a, b)) for a, b in zip(starts, [*starts[1:], len(shapes)], strict=True)]


@dataclass(frozen=True)
class _Units:
    """The natural unit of each parameter: position in the start's FWHM, FWHM as a logarithm, height in the spectrum's highest count."""

    position: NDArray[np.float64]
    fwhm: NDArray[np.float64]
    scale: NDArray[np.float64]
    """(pixel, 1) counts."""

    @classmethod
    def of(cls, problem: Problem, scale: NDArray[np.floating]) -> "_Units":
        return cls(problem.start[:, 0], problem.start[:, 1], scale.astype(np.float64))

    def state(self, problem: Problem) -> tuple[NDArray[np.float64], ...]:
        """Start, lower and upper bound (pixel, peak, 3), and how far the start lies from the anchor (peak,)."""
        relative = problem.start.copy()
        relative[:, 2] /= max(float(relative[:, 2].max()), 1e-12)
        start = self._to_state(np.broadcast_to(relative, (len(self.scale), *relative.shape)), height_scale=1.0)
        bounds = [self._to_state(np.broadcast_to(b, start.shape), height_scale=self.scale) for b in (problem.lower, problem.upper)]
        return start, *bounds, (problem.start[:, 0] - problem.anchor) / self.fwhm

    def _to_state(self, parameters: NDArray[np.float64], height_scale: NDArray[np.float64] | float) -> NDArray[np.float64]:
        position, fwhm, height = np.moveaxis(parameters, -1, 0)
        return np.stack([(position - self.position) / self.fwhm, np.log(fwhm / self.fwhm), height / height_scale], -1)

    def parameters(self, state: NDArray[np.float64]) -> NDArray[np.float64]:
        """Position and FWHM in the axis unit, height in counts."""
        shift, widening, height = np.moveaxis(state, -1, 0)
        return np.stack([self.position + self.fwhm * shift, self.fwhm * np.exp(widening), height * self.scale], -1)
