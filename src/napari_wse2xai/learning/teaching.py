"""What a teacher says of pixels between and beside the measured ones: values, and slopes by every parameter."""

import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Numbers = NDArray[np.float64]
FEWEST_TO_TEACH = 30
"""Pixels below which a teacher knows no more than they do."""
COPIES, MOST_ROWS = 4, 8000
"""Rows for each pixel, the pixel itself the first of them; and rows in all."""
BY = 0.7
"""How far the copies lie from their pixel, in standard deviations of each parameter."""
STEPS = 10
"""Batches in an epoch of lessons, however many pixels there are: they are as good in any number."""
SLOPES_EVERY = 2
"""Of so many batches one tells slopes too: it costs as much as three others, and more of them teach no more."""
WEIGHT = 1.0
"""Of the slopes' squared error beside the error of the values, in a batch that tells them."""
ROWS = 512
"""Rows whose slopes are asked at once."""


@dataclass(frozen=True)
class Lessons:
    """Rows to learn from, their standardised values, and the slopes of these by every parameter's standard deviation.

    Notes
    -----
    Measured pixels say what PL is; a slope asks what it would be with one parameter changed, which none of them shows. A network that is
    fitted to values alone is right at the pixels and wrong beside them: each lesson with slopes tells 25 numbers instead of one (Sobolev
    training, Czarnecki et al. 2017).
    """

    features: Tensor
    """(row, column) raw."""
    targets: Tensor
    """(row, target)"""
    slopes: Tensor
    """(target, row, column)"""
    step: Tensor
    """(column,) standard deviations."""

    @classmethod
    def of(cls, teacher: Any, features: Numbers, scale: Tensor, mean: Tensor, seed: int | None) -> Self:
        """Ask a fitted teacher about pixels (n, column) and a cloud about them; scale and mean (target,) of the targets."""
        cloud, step = cloud_about(features, np.random.default_rng(seed)), features.std(axis=0)
        # The pupil's precision: the teacher's own would take twice as long, and none of it would arrive.
        values, slopes = _asked(copy.deepcopy(teacher.module_).float(), torch.as_tensor(cloud, dtype=torch.float32))
        units = scale.cpu()
        standard = (values - mean.cpu()) / units, slopes / units[:, None, None] * torch.as_tensor(step, dtype=torch.float32)
        parts = torch.as_tensor(cloud), *standard, torch.as_tensor(step)
        return cls(*(part.to(scale.device, torch.float32) for part in parts))

    def loss(self, module: Any, rows: Tensor, measure: Any, batch: int) -> Tensor:
        """Error of a network on the rows of a batch, counted from 0: of values, and with each `SLOPES_EVERY`th of slopes too."""
        with_slopes = batch % SLOPES_EVERY == SLOPES_EVERY - 1
        features = self.features[rows].requires_grad_(with_slopes)
        predicted = module.standardised(features)
        loss: Tensor = measure(predicted, self.targets[rows])
        if not with_slopes:
            return loss
        for target in range(predicted.shape[1]):
            (slopes,) = torch.autograd.grad(predicted[:, target].sum(), features, create_graph=True)
            loss = loss + WEIGHT * (slopes * self.step - self.slopes[target, rows]).square().sum(1).mean()
        return loss


def cloud_about(features: Numbers, rng: np.random.Generator) -> Numbers:
    """Pixels (n, column), and copies of them that lie beside, (row, column)."""
    kept = features if len(features) <= MOST_ROWS // 2 else features[np.sort(rng.permutation(len(features))[: MOST_ROWS // 2])]
    copies = min(COPIES, MOST_ROWS // len(kept)) - 1
    beside = kept + BY * features.std(axis=0) * rng.standard_normal((copies, *kept.shape))
    return np.concatenate([kept, beside.reshape(-1, features.shape[1])])


def _asked(module: nn.Module, cloud: Tensor) -> tuple[Tensor, Tensor]:
    """Values (row, target) and slopes (target, row, column) of a differentiable teacher."""
    values, slopes = [], []
    for part in torch.split(cloud, ROWS):
        inputs = part.requires_grad_(True)
        out = module(inputs)
        # A row's value hangs on that row alone, so the gradient of their sum holds the slopes of each.
        each = [torch.autograd.grad(out[:, k].sum(), inputs, retain_graph=True)[0] for k in range(out.shape[1])]
        values.append(out.detach())
        slopes.append(torch.stack(each))
    return torch.cat(values), torch.cat(slopes, 1)
