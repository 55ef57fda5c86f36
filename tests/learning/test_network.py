"""The network's own layers against torch's."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score
from torch import nn

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.learning import network_training
from napari_wse2xai.learning.network import (
    BatchNorm,
    Convolution,
    InstanceBatchNorm,
    ResidualBlock,
    _head,
    conv_block,
    conv_layers,
    residual_layers,
)
from napari_wse2xai.learning.network_training import SampleTable, Trainer, TrainingPlan, _duration
from napari_wse2xai.learning.regressor import SpectralCNNRegressor

PAPERS = SpectralCNNRegressor.paper()._layout()
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
        replace(PAPERS, **wrong)


def test_the_papers_network_is_built_of_its_layers_in_their_order() -> None:
    """Yoo et al. 2023: convolution, leaky ReLU, normalisation; pooling to 4; three linear layers, the first two with ReLU and dropout."""
    layout = replace(PAPERS, channels=(4, 6, 8, 8, 10, 10, 10), pool_after=(2, 4))
    first, _, third, *_ = conv_layers(3, layout)
    assert [type(part) for part in first] == [Convolution, nn.LeakyReLU, InstanceBatchNorm]
    assert (first[0].in_channels, first[0].out_channels, first[1].negative_slope) == (3, 4, 0.01)
    assert [k for k, layer in enumerate(conv_layers(3, layout)) if isinstance(layer, nn.AvgPool2d)] == [2, 5]
    assert isinstance(third, nn.AvgPool2d) and third.kernel_size == (1, 2)
    linear = [(3, 5), (5, 7), (7, 2)]
    head = _head(replace(layout, hidden=(5, 7), dropout=0.25), 2)
    assert [type(part) for part in head[:2]] == [nn.AdaptiveAvgPool2d, nn.Flatten] and head[0].output_size == (1, 4)
    assert [type(part) for part in head[2:]] == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert [part.out_features for part in head if isinstance(part, nn.Linear)] == [out for _, out in linear]
    assert head[2].in_features == 4 * 10 and {part.p for part in head if isinstance(part, nn.Dropout)} == {0.25}


def test_the_papers_network_is_trained_as_printed() -> None:
    """Yoo et al. 2023: ten blocks, Adam at 0.001 throughout, batches of 128, squares, dropout 0.5, no teacher."""
    paper = SpectralCNNRegressor.paper()
    plan = paper._plan(0)
    assert (len(PAPERS.channels), PAPERS.dropout, plan.max_epochs, plan.batch_size) == (10, 0.5, 1000, 128)
    assert {plan.rate(done) for done in (0.0, 0.1, 0.5, 0.99)} == {0.001}
    assert type(plan.make_optimizer(nn.Linear(1, 1), torch.device("cpu"))) is torch.optim.Adam
    assert (plan.loss, plan.weight_decay, plan.jitter, paper.teacher, paper.drawing) == ("squared", 0, 0, False, "true")


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_a_convolution_block_keeps_the_length(kernel: int) -> None:
    assert conv_block(3, 4, replace(PAPERS, kernel=kernel))(torch.zeros(2, 3, 1, 16)).shape == (2, 4, 1, 16)


def test_residual_blocks_are_three_convolutions_with_a_pooling_between_any_two() -> None:
    layout = replace(PAPERS, channels=(4, 4, 4, 4, 6, 6, 6), architecture="residual", activation="silu", normalisation="batch")
    layers = residual_layers(3, layout)
    assert [type(part) for part in layers] == [nn.Sequential, ResidualBlock, nn.AvgPool2d, ResidualBlock]
    assert isinstance(layers[1].shortcut, nn.Identity) and layers[3].shortcut.kernel_size == (1,)
    assert [len(block.blocks) for block in layers if isinstance(block, ResidualBlock)] == [3, 3]
    assert [type(part) for part in layers[0]] == [Convolution, nn.SiLU, BatchNorm]
    assert len(residual_layers(3, replace(PAPERS, channels=(4,), architecture="residual"))) == 1
    assert layers[2].kernel_size == (1, 2)
    assert ResidualBlock(4, (8, 6, 10), layout)(torch.zeros(2, 4, 1, 8)).shape == (2, 10, 1, 8)
    x = torch.randn(2, 4, 1, 8)
    torch.testing.assert_close(layers[1].eval()(x), nn.functional.silu(layers[1].blocks(x) + x))


@pytest.mark.parametrize(("jitter", "dropout", "draws"), [(0.0, 0.0, False), (0.05, 0.0, True), (0.0, 0.3, True)])
def test_random_numbers_are_drawn_where_there_is_jitter_or_dropout(jitter: float, dropout: float, draws: bool) -> None:
    plan = TrainingPlan(max_epochs=1, learning_rate=0.01, batch_size=2, jitter=jitter)
    table = SampleTable(torch.zeros(4, 1), torch.zeros(4, 1))
    assert Trainer(nn.Sequential(nn.Linear(1, 1), nn.Dropout(dropout)), table, None, plan).draws is draws


def test_r2_is_that_of_scikit_learn_and_none_where_all_pixels_are_alike() -> None:
    rng = np.random.default_rng(0)
    targets, predicted = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    module = SimpleNamespace(standardised=lambda part: torch.as_tensor(predicted)[: len(part)])
    assert SampleTable(torch.zeros(50, 1), torch.as_tensor(targets)).r2(module) == pytest.approx(r2_score(targets, predicted))


@pytest.mark.parametrize(("seconds", "words"), [(89.4, "89 s"), (90.0, "2 min"), (5399.0, "90 min"), (5400.0, "1.5 h")])
def test_what_is_left_is_told_in_seconds_minutes_or_hours(seconds: float, words: str) -> None:
    assert _duration(seconds) == words


def test_the_time_left_is_that_of_the_steps_left_at_the_pace_since_it_was_begun_or_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    plan = TrainingPlan(max_epochs=10, learning_rate=0.01, batch_size=2)
    table = SampleTable(torch.zeros(5, 1), torch.zeros(5, 1))
    trainer = Trainer(nn.Linear(1, 1), table, None, plan, listen=lambda done, message, history: heard.append((done, message)))
    trainer.begun, trainer.first_step, trainer.epoch = 100.0, 2, 1
    monkeypatch.setattr(network_training.time, "perf_counter", lambda: 130.0)
    trainer._tell(0)
    trainer.epoch, trainer.history["r2_training"], trainer.history["r2_validation"] = 3, [0.1, 0.5], [math.nan]
    trainer._tell(1)  # the seventh of twenty steps, five since it was taken up
    assert heard == [(0.1, "epoch 1 of 10"), (0.35, "epoch 3 of 10, training R2 0.500, about 78 s left")]
    assert trainer.told == 130.0
    trainer.before_s = 500.0
    assert trainer.seconds == trainer.state()["seconds"] == 530.0, "with what went before it was taken up"


@pytest.mark.parametrize("wrong", [{"max_epochs": 0}, {"batch_size": 1}, {"optimizer": "sgd"}, {"schedule": "steps"}, {"loss": "hinge"}])
def test_a_plan_that_cannot_be_trained_by_is_refused_for_each_of_its_reasons(wrong: dict[str, object]) -> None:
    right = {"max_epochs": 1, "learning_rate": 0.01, "batch_size": 2}
    TrainingPlan(**right)
    with pytest.raises(SettingsError, match=str(next(iter(wrong.values())))):
        TrainingPlan(**right | wrong)
