"""The network's own layers against torch's."""

import pytest
import torch

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.learning.network import BatchNorm, Convolution, InstanceBatchNorm, Layout

CHANNELS, LENGTH = 6, 16


def rows(number: int = 5) -> torch.Tensor:
    """(n, channel, 1, length) with channels of different mean and spread."""
    steps = torch.arange(1.0, CHANNELS + 1)[:, None, None]
    return torch.randn(number, CHANNELS, 1, LENGTH, generator=torch.Generator().manual_seed(1)) * steps + steps


def halves() -> tuple[torch.nn.InstanceNorm1d, torch.nn.BatchNorm1d]:
    return torch.nn.InstanceNorm1d(CHANNELS // 2, affine=True), torch.nn.BatchNorm1d(CHANNELS // 2)


def test_both_halves_are_normalised_as_torch_does_in_training_and_in_evaluation() -> None:
    own, (instance, batch) = InstanceBatchNorm(CHANNELS), halves()
    for parameter, other in zip(own.parameters(), [*instance.parameters(), *batch.parameters()], strict=True):
        with torch.no_grad():
            other.copy_(torch.randn_like(other))
            parameter.copy_(other)
    for training in (True, False):
        own.train(training), batch.train(training)
        for x in (rows(), 2 * rows(3)):
            expected = torch.cat([instance(x[:, : CHANNELS // 2, 0]), batch(x[:, CHANNELS // 2 :, 0])], 1)
            torch.testing.assert_close(own(x)[:, :, 0], expected, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(own.batch.running_mean, batch.running_mean)
        torch.testing.assert_close(own.batch.running_var, batch.running_var)


def test_training_sends_the_same_gradients_back_as_torch_does() -> None:
    own, (instance, batch) = InstanceBatchNorm(CHANNELS), halves()
    weights = torch.randn(5, CHANNELS, LENGTH, generator=torch.Generator().manual_seed(2))
    one, other = rows().requires_grad_(True), rows().requires_grad_(True)
    (own(one)[:, :, 0] * weights).sum().backward()
    (torch.cat([instance(other[:, : CHANNELS // 2, 0]), batch(other[:, CHANNELS // 2 :, 0])], 1) * weights).sum().backward()
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5)


def test_batches_are_normalised_as_torch_does_with_the_derivatives_of_derivatives() -> None:
    own, torchs = BatchNorm(CHANNELS), torch.nn.BatchNorm2d(CHANNELS)
    weights, told = torch.randn(5, CHANNELS, 1, LENGTH, generator=torch.Generator().manual_seed(2)), []
    for layer in (own, torchs):
        with torch.no_grad():
            layer.weight.copy_(torch.arange(1.0, CHANNELS + 1)), layer.bias.fill_(0.3)
        x = rows().requires_grad_(True)
        out = layer(x)
        (slope,) = torch.autograd.grad((out * weights).square().sum(), x, create_graph=True)
        (out.sum() + (slope * weights).sum()).backward()
        told.append([out, slope, x.grad, layer.weight.grad, layer.running_mean, layer.running_var, layer.eval()(x)])
    for one, other in zip(*told, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("memory", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("kernel", [1, 3])
def test_a_convolution_of_height_one_is_the_one_dimensional_one(memory: torch.memory_format, kernel: int) -> None:
    layer = Convolution(CHANNELS, 4, kernel, padding=kernel // 2)
    plain = torch.nn.Conv1d(CHANNELS, 4, kernel, padding=kernel // 2)
    plain.load_state_dict(layer.state_dict())
    x = rows().contiguous(memory_format=memory)
    torch.testing.assert_close(layer(x)[:, :, 0], plain(x[:, :, 0]))


@pytest.mark.parametrize("wrong", [{"dropout": 1.0}, {"dropout": -0.1}, {"channels": (4, 1)}, {"channels": ()}])
def test_a_layout_that_could_learn_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Layout(**wrong)
