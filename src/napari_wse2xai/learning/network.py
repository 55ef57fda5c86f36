"""The paper's one-dimensional convolutional network, from line parameters to PL."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.learning.rendering import Rendering

ARCHITECTURES = ("convolution", "residual")
NORMALISATIONS = ("batch", "instance-batch")
ACTIVATIONS = ("silu", "leaky-relu")
FEATURE_LENGTH = 4
"""Channels left before the linear layers (Yoo et al. 2023)."""
SLOPE = 0.01
"""Of the leaky ReLU on its negative side (Yoo et al. 2023)."""
BLOCKS_PER_RESIDUAL = 3
"""Convolution blocks in a residual block (Yoo et al. 2023)."""
MOMENTUM = 0.1
"""Share of a new batch in the usual statistics of a batch normalisation; torch's."""


@dataclass(frozen=True)
class Layout:
    """Shape of the network; what the paper has stands in `regressor.PAPER`."""

    architecture: str
    channels: tuple[int, ...]
    """Width of each convolution block."""
    pool_after: tuple[int, ...]
    """Number of the blocks that an average pooling follows; the residual variant pools after each residual block."""
    dropout: float
    normalisation: str
    """``instance-batch`` is the paper's; ``batch`` takes two thirds of the time, and its slopes are nearer to the truth."""
    activation: str
    """``leaky-relu`` is the paper's; with ``silu`` a network is smooth, and so are its slopes."""
    kernel: int = 3
    hidden: tuple[int, int] = (128, 64)
    """Width of the first two linear layers."""

    def __post_init__(self) -> None:
        for name, known in (("architecture", ARCHITECTURES), ("normalisation", NORMALISATIONS), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in known:
                raise SettingsError(f"The {name} '{getattr(self, name)}' is not known; use {' or '.join(known)}.")
        if not self.channels or min(self.channels) < 2:
            raise SettingsError(f"A network needs convolution blocks of at least 2 channels, not channels={self.channels}.")
        if not 0 <= self.dropout < 1:
            raise SettingsError(f"The dropout must be at least 0 and below 1, not {self.dropout}.")


class Convolution(nn.Conv1d):
    """One-dimensional convolution of (n, channel, 1, length).

    With a height of one, tensors can be kept with their channels last in memory, where processors convolve, normalise and pool two to
    three times as fast as along plain rows.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve along the last axis."""
        return functional.conv2d(x, self.weight.unsqueeze(2), self.bias, padding=(0, int(self.padding[0])))


class BatchNorm(nn.BatchNorm2d):
    """Torch's own of (n, channel, 1, length), in plain steps while it is trained on a processor.

    Slopes are learnt by derivatives of derivatives, and for those of torch's one step half as much time again goes by as for plain ones.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        if not self.training or x.device.type != "cpu":
            return super().forward(x)
        count, channels, _, length = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(-1, channels)
        mean = rows.mean(0)
        centred = rows - mean
        variance = centred.square().mean(0)
        with torch.no_grad():
            self.follow(mean, variance, len(rows))
        normal = torch.addcmul(self.bias, centred, self.weight * torch.rsqrt(variance + self.eps))
        return normal.reshape(count, 1, length, channels).permute(0, 3, 1, 2)

    def follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Draw the usual statistics towards those of a batch with so many values."""
        self.get_buffer("running_mean").lerp_(mean, MOMENTUM)
        # As torch does: a batch is normalised by its own variance, what is kept for evaluation is an estimate of the whole's.
        self.get_buffer("running_var").lerp_(variance * (count / (count - 1)), MOMENTUM)
        self.get_buffer("num_batches_tracked").add_(1)


class InstanceBatchNorm(nn.Module):
    """Half of the channels instance-normalised, half batch-normalised (IBN-Net, Pan et al. 2018).

    Both are a shift and a scale, and the batch's statistics follow from those of its instances: so on a processor both halves take one
    pass together.  Elsewhere every operation costs a launch, and torch's own two are fewer.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.instances = channels // 2
        self.instance = nn.InstanceNorm2d(self.instances, affine=True)
        self.batch = nn.BatchNorm2d(channels - self.instances, momentum=MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (n, channel, 1, length)."""
        if x.device.type != "cpu":
            return torch.cat([self.instance(x[:, : self.instances]), self.batch(x[:, self.instances :])], 1)
        return self._of_batch(x) if self.training else self._usual(x)

    def _usual(self, x: Tensor) -> Tensor:
        """Normalise by the usual statistics and each instance's own: one scale and one shift, with no centred copy between."""
        own = x[:, : self.instances]
        mean = own.mean((2, 3), keepdim=True)
        variance = (own * own).mean((2, 3), keepdim=True).addcmul_(mean, mean, value=-1.0).clamp_min_(0.0)
        scale = self._scale(self.instance, variance)
        shift = self.instance.bias[:, None, None] - mean * scale
        common = self._scale(self.batch, self.batch.get_buffer("running_var")[:, None, None])
        usual = self.batch.bias[:, None, None] - self.batch.get_buffer("running_mean")[:, None, None] * common
        scales, shifts = (torch.cat([each, rest.expand(len(x), -1, -1, -1)], 1) for each, rest in ((scale, common), (shift, usual)))
        return torch.addcmul(shifts, x, scales)

    def _of_batch(self, x: Tensor) -> Tensor:
        """Normalise by the batch's own statistics, and draw the usual ones towards them."""
        mean = x.mean((2, 3), keepdim=True)
        centred = x - mean
        variance = centred.square().mean((2, 3), keepdim=True)
        usual_mean, usual_variance = self._followed(mean[:, self.instances :], variance[:, self.instances :], x.shape[3])
        own = self._scale(self.instance, variance[:, : self.instances])
        common = self._scale(self.batch, usual_variance)
        shift = self.batch.bias[:, None, None] + (mean[:, self.instances :] - usual_mean) * common
        scales = torch.cat([own, common.expand_as(shift)], 1)
        shifts = torch.cat([self.instance.bias[:, None, None].expand_as(own), shift], 1)
        return torch.addcmul(shifts, centred, scales)

    def _followed(self, means: Tensor, variances: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Mean and variance (channel, 1, 1) of a batch, which the usual ones follow."""
        usual = self.batch.get_buffer("running_mean"), self.batch.get_buffer("running_var")
        # All instances are of one length, so the batch's variance is that within them and that between them (law of total variance).
        mean, variance = means.mean(0), variances.mean(0) + means.var(0, correction=0)
        count = len(means) * length
        with torch.no_grad():
            for buffer, new in zip(usual, (mean, variance * (count / (count - 1))), strict=True):
                buffer.lerp_(new.flatten(), MOMENTUM)
        return mean, variance

    @staticmethod
    def _scale(norm: nn.InstanceNorm2d | nn.BatchNorm2d, variance: Tensor) -> Tensor:
        return norm.weight[:, None, None] * torch.rsqrt(variance + norm.eps)


def activated(layout: Layout, *, head: bool = False) -> nn.Module:
    """Nonlinearity after a convolution, or in the linear layers, where the paper's is not leaky."""
    if layout.activation == "silu":
        return nn.SiLU(inplace=True)
    return nn.ReLU() if head else nn.LeakyReLU(SLOPE, inplace=True)


def conv_block(entering: int, leaving: int, layout: Layout) -> nn.Sequential:
    """Convolution, nonlinearity, normalisation: in this order in the paper."""
    normalised = InstanceBatchNorm if layout.normalisation == "instance-batch" else BatchNorm
    convolution = Convolution(entering, leaving, layout.kernel, padding=layout.kernel // 2)
    return nn.Sequential(convolution, activated(layout), normalised(leaving))


class ResidualBlock(nn.Module):
    """Three convolution blocks beside a short cut, and one nonlinearity after their sum."""

    def __init__(self, entering: int, widths: Sequence[int], layout: Layout) -> None:
        super().__init__()
        chain = (entering, *widths)
        self.blocks = nn.Sequential(*(conv_block(a, b, layout) for a, b in pairwise(chain)))
        self.shortcut = nn.Identity() if entering == chain[-1] else Convolution(entering, chain[-1], 1)
        self.activation = activated(layout)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channel, 1, length) -> (n, width, 1, length)."""
        after: Tensor = self.activation(self.blocks(x) + self.shortcut(x))
        return after


def conv_layers(rows: int, layout: Layout) -> nn.Sequential:
    """Convolution blocks with average poolings between, (n, rows, 1, l) -> (n, width, 1, l / 2^poolings)."""
    layers: list[nn.Module] = []
    for number, width in enumerate(layout.channels, start=1):
        layers.append(conv_block(rows if number == 1 else layout.channels[number - 2], width, layout))
        if number in layout.pool_after:
            layers.append(nn.AvgPool2d((1, 2)))
    return nn.Sequential(*layers)


def residual_layers(rows: int, layout: Layout) -> nn.Sequential:
    """One convolution block, then residual blocks of three, an average pooling before each but the first."""
    layers: list[nn.Module] = [conv_block(rows, layout.channels[0], layout)]
    entering, rest = layout.channels[0], layout.channels[1:]
    for first in range(0, len(rest), BLOCKS_PER_RESIDUAL):
        widths = rest[first : first + BLOCKS_PER_RESIDUAL]
        layers += [*([nn.AvgPool2d((1, 2))] if first else []), ResidualBlock(entering, widths, layout)]
        entering = widths[-1]
    return nn.Sequential(*layers)


class SpectralNetwork(nn.Module):
    """(n, 3 x line) numbers, raw units -> (n, target) PL parameters, raw units; differentiable throughout."""

    target_mean: Tensor
    target_scale: Tensor

    def __init__(self, rendering: Rendering, layout: Layout, targets: int) -> None:
        super().__init__()
        rows, length = rendering.axis.shape
        build = conv_layers if layout.architecture == "convolution" else residual_layers
        poolings = len(layout.pool_after) if layout.architecture == "convolution" else (len(layout.channels) - 2) // BLOCKS_PER_RESIDUAL
        if length >> max(poolings, 0) < FEATURE_LENGTH:
            raise SettingsError(
                f"Rows of {length} channels are too short for {poolings} poolings; use a length of {FEATURE_LENGTH << poolings}."
            )
        self.rendering = rendering
        self.layers = build(rows, layout)
        self.head = _head(layout, targets)
        self.register_buffer("target_mean", torch.zeros(targets))
        self.register_buffer("target_scale", torch.ones(targets))

    def forward(self, features: Tensor) -> Tensor:
        """Predict in the targets' units."""
        return self.standardised(features) * self.target_scale + self.target_mean

    def standardised(self, features: Tensor) -> Tensor:
        """Predict in standard deviations of the training targets."""
        drawn = self.rendering(features).unsqueeze(2)
        memory = torch.channels_last if drawn.device.type == "cpu" else torch.contiguous_format
        predicted: Tensor = self.head(self.layers(drawn.contiguous(memory_format=memory)))
        return predicted


def _head(layout: Layout, targets: int) -> nn.Sequential:
    """Average pooling to length 4 and three linear layers, the first two with a nonlinearity and dropout."""
    first, second = layout.hidden
    return nn.Sequential(
        nn.AdaptiveAvgPool2d((1, FEATURE_LENGTH)),
        nn.Flatten(),
        nn.Linear(FEATURE_LENGTH * layout.channels[-1], first),
        activated(layout, head=True),
        nn.Dropout(layout.dropout),
        nn.Linear(first, second),
        activated(layout, head=True),
        nn.Dropout(layout.dropout),
        nn.Linear(second, targets),
    )
