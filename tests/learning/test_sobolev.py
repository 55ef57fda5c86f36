"""The written-out gradients against those that torch finds by itself."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_wse2xai.data import Line
from napari_wse2xai.learning.network import Layout, SpectralNetwork
from napari_wse2xai.learning.rendering import Rendering
from napari_wse2xai.learning.sobolev import WrittenOut
from napari_wse2xai.learning.teaching import Lessons

LINES = (Line("A", "lorentzian", (150.0, 210.0)), Line("B", "voigt", (220.0, 280.0), own_form=True), Line("C", "number", (0.0, 0.0)))
SIMPLE = Layout("convolution", (4, 6), (1, 2), dropout=0.0, normalisation="batch", activation="silu", hidden=(7, 5))


def network(layout: Layout, targets: int = 1) -> SpectralNetwork:
    rng = np.random.default_rng(0)
    table = rng.normal([180, 8, 300, 250, 9, 200, 0.5, 40], [1, 0.5, 30, 1, 0.5, 20, 0.05, 3], (60, 8))
    torch.manual_seed(0)
    return SpectralNetwork(Rendering.of(table, LINES, length=16, exaggerated=True), layout, targets)


def lessons(module: SpectralNetwork, targets: int = 1) -> Lessons:
    dice = torch.Generator().manual_seed(1)
    features = module.rendering.usual + 2 * module.rendering.spread * torch.randn(40, 8, generator=dice)
    told = torch.randn(40, targets, generator=dice), torch.randn(targets, 40, 8, generator=dice)
    return Lessons(features, *told, 0.7 * module.rendering.spread)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("batch", [0, 1])
def test_gradients_and_usual_statistics_are_those_of_torch(kernel: int, batch: int) -> None:
    layout, rows, found = Layout(**{**vars(SIMPLE), "kernel": kernel}), torch.arange(5, 25), []
    for written in (False, True):
        module = network(layout).train()
        told = lessons(module)
        if written:
            loss = WrittenOut.of(module, told).learn(rows, nn.functional.huber_loss, batch)
        else:
            loss = told.loss(module, rows, nn.functional.huber_loss, batch)
            loss.backward()
        found.append([loss.detach(), *(parameter.grad for parameter in module.parameters()), *module.buffers()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "targets"),
    [
        ({}, 2),
        ({"dropout": 0.1}, 1),
        ({"activation": "leaky-relu"}, 1),
        ({"normalisation": "instance-batch"}, 1),
        ({"pool_after": (1,)}, 1),
        ({"architecture": "residual", "channels": (4, 6, 6, 6)}, 1),
    ],
)
def test_other_networks_are_left_to_torch(change: dict[str, object], targets: int) -> None:
    module = network(Layout(**{**vars(SIMPLE), **change}), targets)
    assert WrittenOut.of(module, lessons(module, targets)) is None
