"""The paper's one-dimensional convolutional network, from line parameters to PL."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

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


@dataclass(frozen=True)
class Layout:
    """Shape of the network."""

    architecture: str = "convolution"
    channels: tuple[int, ...] = (32,) * 7 + (64,) * 3
    """Width of each convolution block."""
    pool_after: tuple[int, ...] = (2, 4, 7)
    """Number of the blocks that an average pooling follows; the residual variant pools after each residual block."""
    kernel: int = 3
    hidden: tuple[int, int] = (128, 64)
    """Width of the first two linear layers."""
    dropout: float = 0.5
    normalisation: str = "instance-batch"
    """``instance-batch`` is the paper's; ``batch`` takes two thirds of the time, and its slopes are nearer to the truth."""
    activation: str = "leaky-relu"
    """``leaky-relu`` is the paper's; with ``silu`` a network is smooth, and so are its slopes."""

    def __post_init__(self) -> None:
        for name, known in (("architecture", ARCHITECTURES), ("normalisation", NORMALISATIONS), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in known:
                raise SettingsError(f"The {name} '{getattr(self, name)}' is not known; use {' or '.join(known)}.")
        if not self.channels or min(self.channels) < 2:
            raise SettingsError(f"A network needs convolution blocks of at least 2 channels, not channels={self.channels}.")
        if not 0 <= self.dropout < 1:
            raise SettingsError(f"The dropout must be at least 0 and below 1, not {self.dropout}.")


class InstanceBatchNorm(nn.Module):
    """Half of the channels instance-normalised, half batch-normalised (IBN-Net, Pan et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.instances = channels // 2
        self.instance = nn.InstanceNorm1d(self.instances, affine=True)
        self.batch = nn.BatchNorm1d(channels - self.instances)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (n, channel, length)."""
        return torch.cat([self.instance(x[:, : self.instances]), self.batch(x[:, self.instances :])], 1)


def activated(layout: Layout, *, head: bool = False) -> nn.Module:
    """Nonlinearity after a convolution, or in the linear layers, where the paper's is not leaky."""
    if layout.activation == "silu":
        return nn.SiLU(inplace=not head)
    return nn.ReLU() if head else nn.LeakyReLU(SLOPE, inplace=True)


def conv_block(entering: int, leaving: int, layout: Layout) -> nn.Sequential:
    """Convolution, nonlinearity, normalisation: in this order in the paper."""
    normalised = InstanceBatchNorm if layout.normalisation == "instance-batch" else nn.BatchNorm1d
    convolution = nn.Conv1d(entering, leaving, layout.kernel, padding=layout.kernel // 2)
    return nn.Sequential(convolution, activated(layout), normalised(leaving))


class ResidualBlock(nn.Module):
    """Three convolution blocks beside a short cut, and one nonlinearity after their sum."""

    def __init__(self, entering: int, widths: Sequence[int], layout: Layout) -> None:
        super().__init__()
        chain = (entering, *widths)
        self.blocks = nn.Sequential(*(conv_block(a, b, layout) for a, b in pairwise(chain)))
        self.shortcut = nn.Identity() if entering == chain[-1] else nn.Conv1d(entering, chain[-1], 1)
        self.activation = activated(layout)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channel, length) -> (n, width, length)."""
        after: Tensor = self.activation(self.blocks(x) + self.shortcut(x))
        return after


def conv_layers(rows: int, layout: Layout) -> nn.Sequential:
    """Convolution blocks with average poolings between, (n, rows, l) -> (n, width, l / 2^poolings)."""
    layers: list[nn.Module] = []
    for number, width in enumerate(layout.channels, start=1):
        layers.append(conv_block(rows if number == 1 else layout.channels[number - 2], width, layout))
        if number in layout.pool_after:
            layers.append(nn.AvgPool1d(2, 2))
    return nn.Sequential(*layers)


def residual_layers(rows: int, layout: Layout) -> nn.Sequential:
    """One convolution block, then residual blocks of three, an average pooling after each but the last."""
    layers: list[nn.Module] = [conv_block(rows, layout.channels[0], layout)]
    entering, rest = layout.channels[0], layout.channels[1:]
    for first in range(0, len(rest), BLOCKS_PER_RESIDUAL):
        widths = rest[first : first + BLOCKS_PER_RESIDUAL]
        layers += [ResidualBlock(entering, widths, layout), nn.AvgPool1d(2, 2)]
        entering = widths[-1]
    return nn.Sequential(*(layers[:-1] if len(layers) > 1 else layers))


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
        predicted: Tensor = self.head(self.layers(self.rendering(features)))
        return predicted


def _head(layout: Layout, targets: int) -> nn.Sequential:
    """Average pooling to length 4 and three linear layers, the first two with a nonlinearity and dropout."""
    first, second = layout.hidden
    return nn.Sequential(
        nn.AdaptiveAvgPool1d(FEATURE_LENGTH),
        nn.Flatten(),
        nn.Linear(FEATURE_LENGTH * layout.channels[-1], first),
        activated(layout, head=True),
        nn.Dropout(layout.dropout),
        nn.Linear(first, second),
        activated(layout, head=True),
        nn.Dropout(layout.dropout),
        nn.Linear(second, targets),
    )
