"""Gradients of an error of values and slopes, written out for a plain smooth network.

Torch can differentiate its own derivatives, but keeps two thousand small steps of every batch for that, and most of the time goes into
them.  Written out it is four passes: values forth; slopes back; what these miss, as a direction, forth along the network; and the errors
of both back to the weights.  The last uses what the others left, so that every layer multiplies six times, as often as it must.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_wse2xai.learning.network import FEATURE_LENGTH, BatchNorm, Convolution, ResidualBlock, SpectralNetwork
from napari_wse2xai.learning.teaching import SLOPES_EVERY, WEIGHT, Lessons

Measure = Callable[[Tensor, Tensor], Tensor]
"""Mean error of predictions (n, target) of targets, differentiable."""


class Written(Protocol):
    """A layer's share of the four passes, of (n, length, channel), or (n, unit) in the linear layers."""

    def forth(self, x: Tensor) -> Tensor:
        """Values of a batch."""

    def back(self, slope: Tensor) -> Tensor:
        """Derivative of the prediction by what enters, from that by what leaves."""

    def along(self, moved: Tensor) -> Tensor:
        """Change of what leaves, from that of what enters, to first order."""

    def learn(self, error: Tensor) -> Tensor:
        """Set the gradients of the weights, and give the error's derivative by what enters, from that by what leaves.

        After `back` and `along` the change of the prediction is part of the error, and so is its derivative by what the layer made.
        """


@dataclass(frozen=True, eq=False)
class WrittenOut:
    """Lessons for one target, drawn once, and the layers that learn them."""

    layers: Sequence[Written]
    drawn: Tensor
    """(row, length, line)"""
    turned: Tensor
    """(row, length, line, parameter): change of a drawn line by a standard deviation of each of its parameters."""
    targets: Tensor
    """(row, target)"""
    slopes: Tensor
    """(row, line, parameter), by standard deviations; 0 where a line has fewer parameters."""

    @classmethod
    def of(cls, module: SpectralNetwork, lessons: Lessons) -> Self | None:
        """Draw the lessons; None for a network, or lessons, that must be left to torch."""
        layers = _layers(module)
        length = module.rendering.axis.shape[1]
        halvings = sum(isinstance(layer, _WrittenPool) for layer in layers or ())
        if layers is None or length != FEATURE_LENGTH << halvings or lessons.targets.shape[1] > 1:
            return None
        drawn, turned = module.rendering.turned(lessons.features, lessons.step)
        slopes = drawn.new_zeros(turned.shape[:3])
        for row, own in enumerate(module.rendering.columns):
            slopes[:, row, : len(own)] = lessons.slopes[0][:, own]
        return cls(layers, drawn.transpose(1, 2).contiguous(), turned.permute(0, 3, 1, 2).contiguous(), lessons.targets, slopes)

    def learn(self, rows: Tensor, measure: Measure, batch: int) -> Tensor:
        """Set the gradients of all weights on the rows of a batch, counted from 0; gives the error that `Lessons.loss` tells."""
        predicted = self._predicted(rows).requires_grad_()
        loss = measure(predicted, self.targets[rows])
        (error,) = torch.autograd.grad(loss, predicted)
        with torch.no_grad():
            if batch % SLOPES_EVERY == SLOPES_EVERY - 1:
                loss = loss.detach() + self._slopes(rows, torch.ones_like(error))
            first, *rest = self.layers
            for layer in reversed(rest):
                error = layer.learn(error)
            cast("_WrittenLinear", first).descend(error)  # nobody asks what it does to the drawn lines
        return loss.detach()

    @torch.no_grad()
    def _predicted(self, rows: Tensor) -> Tensor:
        values = self.drawn[rows]
        for layer in self.layers:
            values = layer.forth(values)
        return values

    def _slopes(self, rows: Tensor, slope: Tensor) -> Tensor:
        """Mean squared error of the slopes; the layers keep what they need for its gradient."""
        for layer in reversed(self.layers):
            slope = layer.back(slope)
        turned = self.turned[rows]
        off = (slope[..., None] * turned).sum(1) - self.slopes[rows]
        # The squared error's gradient is that of the prediction's change along what is missed: only its direction need be followed.
        moved = (turned * (2 * WEIGHT / len(rows) * off)[:, None]).sum(3)
        for layer in self.layers:
            moved = layer.along(moved)
        return WEIGHT * off.square().sum() / len(rows)


def _layers(module: SpectralNetwork) -> list[Written] | None:
    """Layers of a network, first to last; None where one of them is not written out."""
    made, parts = list[Written](), [part for half in (module.layers, module.head) for part in half.modules()]
    for part in parts:
        if isinstance(part, nn.Sequential | nn.AdaptiveAvgPool2d) or (isinstance(part, nn.Dropout) and not part.p):
            continue  # nothing is left to pool at the usual length
        if isinstance(part, ResidualBlock) or type(part) not in _WRITTEN:
            return None
        made.append(_WRITTEN[type(part)](part))
    return made


class _WrittenLinear:
    """A linear layer; also the product of a convolution."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.slope: Tensor | None = None

    def forth(self, x: Tensor) -> Tensor:
        self.matrix, self.seen, self.slope = self._matrix(), self._seen(x), None
        return self._shaped(torch.addmm(self.layer.bias, self.seen, self.matrix), x)

    def back(self, slope: Tensor) -> Tensor:
        self.slope = slope.flatten(0, -2)
        return self._entering(self.slope @ self.matrix.T, slope)

    def along(self, moved: Tensor) -> Tensor:
        self.moved = self._seen(moved)
        return self._shaped(self.moved @ self.matrix, moved)

    def learn(self, error: Tensor) -> Tensor:
        self.descend(error)
        return self._entering(error.flatten(0, -2) @ self.matrix.T, error)

    def descend(self, error: Tensor) -> None:
        """Set the gradients of the weights alone."""
        rows = error.flatten(0, -2)
        gradient = self.seen.T @ rows
        if self.slope is not None:
            gradient.addmm_(self.moved.T, self.slope)
        self.layer.weight.grad, self.layer.bias.grad = self._as_weight(gradient), rows.sum(0)

    def _matrix(self) -> Tensor:
        """What a row is multiplied by, (entering, leaving)."""
        weight: Tensor = self.layer.weight.T
        return weight

    def _as_weight(self, gradient: Tensor) -> Tensor:
        return gradient.T.contiguous()

    def _seen(self, x: Tensor) -> Tensor:
        """What the matrix multiplies."""
        return x

    def _shaped(self, product: Tensor, _like: Tensor) -> Tensor:
        return product

    def _entering(self, product: Tensor, _like: Tensor) -> Tensor:
        return product


class _WrittenConvolution(_WrittenLinear):
    """A convolution as one product: a row for each position, with its neighbours."""

    def _matrix(self) -> Tensor:
        matrix: Tensor = self.layer.weight.permute(2, 1, 0).flatten(0, 1)
        return matrix

    def _as_weight(self, gradient: Tensor) -> Tensor:
        leaving, entering, kernel = self.layer.weight.shape
        return gradient.view(kernel, entering, leaving).permute(2, 1, 0).contiguous()

    def _seen(self, x: Tensor) -> Tensor:
        (count, length, channels), kernel = x.shape, self.layer.weight.shape[2]
        padded = functional.pad(x, (0, 0, kernel // 2, kernel // 2))
        rows = padded.as_strided((count, length, kernel * channels), (padded.stride(0), channels, 1))
        return rows.reshape(count * length, kernel * channels)

    def _shaped(self, product: Tensor, like: Tensor) -> Tensor:
        return product.view(*like.shape[:2], -1)

    def _entering(self, product: Tensor, like: Tensor) -> Tensor:
        """Give every position what the rows of its neighbours had of it."""
        parts = product.view(*like.shape[:2], self.layer.weight.shape[2], -1).unbind(2)
        half = len(parts) // 2
        whole = parts[half].clone()
        for off in range(1, half + 1):
            whole[:, off:] += parts[half + off][:, :-off]
            whole[:, :-off] += parts[half - off][:, off:]
        return whole


class _WrittenSilu:
    """SiLU, ``x s`` with the logistic function s: its derivative is ``s + x s (1 - s)``."""

    def __init__(self, _layer: object) -> None:
        self.slope: Tensor | None = None

    def forth(self, x: Tensor) -> Tensor:
        self.s, self.slope = torch.sigmoid(x), None
        made = x * self.s
        self.steep = torch.addcmul(self.s + made, made, self.s, value=-1.0)
        return made

    def back(self, slope: Tensor) -> Tensor:
        self.slope = slope
        return slope * self.steep

    def along(self, moved: Tensor) -> Tensor:
        self.moved = moved
        return moved * self.steep

    def learn(self, error: Tensor) -> Tensor:
        found = error * self.steep
        if self.slope is not None:
            bend = torch.addcmul(self.s + self.steep, self.s, self.steep, value=-2.0)  # the second derivative, told by the first
            found.addcmul_(bend, self.slope * self.moved)
        return found


class _WrittenNorm:
    """Batch normalisation: its derivative is a symmetric matrix, so that back and along are one product."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.slope: Tensor | None = None

    def forth(self, x: Tensor) -> Tensor:
        rows = x.flatten(0, -2)
        mean = rows.mean(0)
        centred = rows - mean
        variance = centred.square().mean(0)
        self.layer.follow(mean, variance, len(rows))
        self.rate, self.slope = torch.rsqrt(variance + self.layer.eps), None
        self.normal, self.scale = centred.mul_(self.rate), self.layer.weight * self.rate
        return torch.addcmul(self.layer.bias, self.normal, self.layer.weight).view_as(x)

    def back(self, slope: Tensor) -> Tensor:
        self.slope, self.slope_share = self._freed(slope)
        return self._product(self.slope, self.slope_share).view_as(slope)

    def along(self, moved: Tensor) -> Tensor:
        self.moved, self.moved_share = self._freed(moved)
        return self._product(self.moved, self.moved_share).view_as(moved)

    def learn(self, error: Tensor) -> Tensor:
        free, share = self._freed(error)
        count, found = len(free), self._product(free, share)
        weight = count * share
        if self.slope is not None:
            common, product = (self.slope * self.moved).mean(0), self.slope_share * self.moved_share
            weight += count * self.rate * (common - product)
            by = -self.scale * self.rate
            found.addcmul_(self.slope, by * self.moved_share).addcmul_(self.moved, by * self.slope_share)
            found.addcmul_(self.normal, by * (common - 3 * product))
        self.layer.weight.grad, self.layer.bias.grad = weight, error.flatten(0, -2).sum(0)
        return found.view_as(error)

    def _freed(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Rows less their mean, and the share of the normal ones in them."""
        rows = x.flatten(0, -2)
        free = rows - rows.mean(0)
        return free, (free * self.normal).mean(0)

    def _product(self, free: Tensor, share: Tensor) -> Tensor:
        return torch.addcmul(free, self.normal, share, value=-1.0).mul_(self.scale)


class _WrittenPool:
    """Average of every two positions."""

    def __init__(self, _layer: object) -> None: ...

    def forth(self, x: Tensor) -> Tensor:
        return (x[:, ::2] + x[:, 1::2]).mul_(0.5)

    along = forth

    def back(self, slope: Tensor) -> Tensor:
        return (0.5 * slope)[:, :, None].expand(-1, -1, 2, -1).flatten(1, 2)

    learn = back


class _WrittenFlat:
    """All positions of a channel, then those of the next, as torch flattens them."""

    def __init__(self, _layer: object) -> None: ...

    def forth(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(1)

    along = forth

    def back(self, slope: Tensor) -> Tensor:
        return slope.view(len(slope), -1, FEATURE_LENGTH).transpose(1, 2).contiguous()

    learn = back


_WRITTEN: dict[type, Callable[[Any], Written]] = {
    Convolution: _WrittenConvolution,
    nn.Linear: _WrittenLinear,
    nn.SiLU: _WrittenSilu,
    BatchNorm: _WrittenNorm,
    nn.AvgPool2d: _WrittenPool,
    nn.Flatten: _WrittenFlat,
}
