"""Deconvolution by gradient descent: the paper's solver, batched over pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.problem import FWHM, HEIGHT, PER_PEAK, POSITION, Problem
from napari_wse2xai.numerics.threads import single_thread

CACHE_ELEMENTS = 50_000
"""Elements (pixel x peak x channel) worked on at once: about what stays in a core's cache; a GPU takes 200 times as many."""


@dataclass(frozen=True)
class Schedule:
    """How the descent goes."""

    steps: int
    learning_rate: float
    """First step length, in units of the FWHM (position), of ln (FWHM), of the spectrum's highest count (height) and of 1 (form)."""


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
    (pixel, peak, 4) float64; position and FWHM in the axis unit, height in counts, form

    Notes
    -----
    Yoo et al. 2023: RAdam (Liu 2020) on the mean squared error, heights forced positive, positions regularised towards their initial
    values.  Each parameter is counted in its own natural unit, so that one step length serves all of them.  The sum over pixels
    of the objectives has no mixed terms and RAdam is elementwise, so a batch gives what each pixel gives alone.
    """
    elements = CACHE_ELEMENTS * (1 if device == "cpu" else 200)
    chunk = max(1, elements // (len(problem.shapes) * len(problem.x)))
    result = np.empty((len(counts), *problem.start.shape))
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
    descent = _GradientDescent(problem, counts, device)
    optimizer = torch.optim.RAdam([descent.state], lr=schedule.learning_rate)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, schedule.steps)
    for step in range(schedule.steps):
        if step % 20 == 0:
            progress(step / schedule.steps)
        descent.state.grad = descent.gradient()
        optimizer.step()
        decay.step()
        # Bounds after every step, not as a penalty: RAdam's steps do not shrink at a wall.
        torch.clamp(descent.state, descent.lower, descent.upper, out=descent.state)
    return descent.found()


class _GradientDescent:
    """One chunk on its way; the state holds each fitted parameter in its natural unit, (pixel, m).

    A position in FWHM of the start and from there, a FWHM as ln of its ratio to the start, a height over the spectrum's highest count.
    float32 keeps its digits when positions are counted from the window's centre.
    """

    def __init__(self, problem: Problem, counts: NDArray[np.float32], device: str) -> None:
        def tensor(values: NDArray[np.floating]) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32, device=device)

        self.problem = problem
        # Heights over the spectrum's highest count: one learning rate then serves bright pixels and dark ones.
        self.scale = np.maximum(counts.max(axis=1), 1e-12).astype(np.float64)[:, None]
        self.kind, own = problem.leaders % PER_PEAK, problem.leaders // PER_PEAK
        self.centre = float(problem.x.mean())
        self.start, self.width = problem.fitted(problem.start), problem.start[own, FWHM]
        self.x, self.root, self.under = tensor(problem.x - self.centre), tensor(problem.root), tensor(problem.background)
        self.y = tensor(counts / self.scale) * self.root
        self.links, self.offsets = tensor(problem.links), tensor(self._offsets())
        self.rows = torch.as_tensor(problem.rows, device=device)
        self.still = tensor(self._still())
        self.state = tensor(self._to_state(problem.fitted(problem.scaled_start(counts))))
        self.lower, self.upper = (tensor(self._to_state(problem.fitted(bound)[None])) for bound in (problem.lower, problem.upper))
        self.is_position, self.is_width = (torch.as_tensor(self.kind == kind, device=device) for kind in (POSITION, FWHM))
        self.centred, self.unit = tensor(self.start - self.centre * (self.kind == POSITION)), tensor(self.width)
        self.pull = tensor(np.where(self.kind == POSITION, 2 * problem.penalty, 0.0))
        self.away = tensor((self.start - problem.anchor[own]) / self.width)

    def gradient(self) -> torch.Tensor:
        """Gradient of the objective by the state.

        By hand, not by autograd: recording the graph of a sum of peaks costs three times as much as computing it.
        """
        fitted = self._fitted()
        everything = self.still.clone()
        everything[:, self.rows] = fitted @ self.links.T + self.offsets
        by, model = self._columns(everything)
        residual = (model * self.root - self.y)[:, None]
        residual = (residual - (residual @ self.under) @ self.under.T) * self.root
        gradient = torch.bmm(by, residual.transpose(1, 2).mul_(2.0 / len(self.x)))[..., 0] @ self.links
        # Chain rule from the axis unit to the state: d position = width d state, d width = width d ln width.
        gradient = gradient * torch.where(self.is_position, self.unit, torch.where(self.is_width, fitted, 1.0))
        return gradient + self.pull * (self.state + self.away)

    def found(self) -> NDArray[np.float64]:
        """All parameters, (pixel, peak, 4), in the axis unit and counts."""
        fitted = self._fitted().double().cpu().numpy()
        fitted = fitted + self.centre * (self.kind == POSITION)
        fitted = np.where(self.kind == HEIGHT, fitted * self.scale, fitted)
        problem = self.problem
        return problem.complete(np.clip(fitted, problem.fitted(problem.lower), problem.fitted(problem.upper)))

    def _fitted(self) -> torch.Tensor:
        """Fitted parameters, positions from the centre, heights over the scale."""
        position, width = self.centred + self.unit * self.state, self.centred * self.state.exp()
        return torch.where(self.is_position, position, torch.where(self.is_width, width, self.state))

    def _columns(self, everything: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Derivatives by all that varies, (pixel, q, n), in the order of `Problem.rows`, and the sum of the peaks."""
        varying = set(self.problem.rows.tolist())
        columns: list[torch.Tensor] = []
        model = torch.zeros_like(self.y)
        for k, shape in enumerate(self.problem.shapes):
            own = everything[:, PER_PEAK * k : PER_PEAK * (k + 1), None].unbind(1)
            by = SHAPES[shape].slopes(self.x, self.problem.across(k), *own)
            model = torch.addcmul(model, own[HEIGHT], by[HEIGHT])
            columns.extend(column for i, column in enumerate(by) if PER_PEAK * k + i in varying)
        return torch.stack(columns, 1), model

    def _offsets(self) -> NDArray[np.float64]:
        """Offsets of what follows, with positions counted from the centre."""
        led, follows = self.problem.leaders % PER_PEAK == POSITION, self.problem.rows % PER_PEAK == POSITION
        return np.asarray(self.problem.offsets + self.centre * (self.problem.links @ led - follows))

    def _still(self) -> NDArray[np.float64]:
        """Start of every parameter, (pixel, 4 * peak), in the units of `_fitted`: what is fixed keeps it."""
        still = np.repeat(self.problem.start[None], len(self.scale), axis=0)
        still[..., POSITION] -= self.centre
        still[..., HEIGHT] /= self.scale
        return still.reshape(len(still), -1)

    def _to_state(self, fitted: NDArray[np.float64]) -> NDArray[np.float64]:
        """State of fitted parameters given in the axis unit and counts."""
        with np.errstate(divide="ignore", invalid="ignore"):
            position, width, height = (fitted - self.start) / self.width, np.log(fitted / self.start), fitted / self.scale
        return np.select([self.kind == POSITION, self.kind == FWHM, self.kind == HEIGHT], [position, width, height], fitted)
