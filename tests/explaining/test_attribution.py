"""Integrated gradients and weight randomisation."""

from types import SimpleNamespace

import laws
import numpy as np
import pytest
import torch

from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining import Subject, integrated_gradients, questions, weight_randomisation
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.model import as_model
from napari_wse2xai.explaining.randomisation import redrawable
from napari_wse2xai.numerics.threads import single_thread


class Drawing(torch.nn.Module):
    """Three numbers per row as a line of eight channels."""

    def __init__(self, centre: np.ndarray, scale: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("centre", torch.as_tensor(centre).float())
        self.register_buffer("scale", torch.as_tensor(scale).float())
        self.register_buffer("channels", torch.linspace(-1, 1, 8).expand(len(centre) // 3, 8).clone())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        position, width, height = ((features - self.centre) / self.scale).reshape(len(features), -1, 3)[..., None].unbind(2)
        return (3 + height) / (1 + ((self.channels - 0.2 * position) / (1 + 0.1 * width)) ** 2)


class Drawn(torch.nn.Module):
    """A network that draws its lines itself."""

    def __init__(self, flake: laws.Flake) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.rendering = Drawing(flake.X.mean(axis=0), flake.X.std(axis=0))
        self.layers = torch.nn.Sequential(
            torch.nn.Conv1d(3, 16, 3, padding=1),
            torch.nn.SiLU(),
            torch.nn.BatchNorm1d(16),
            torch.nn.Flatten(),
            torch.nn.Linear(128, 32),
            torch.nn.SiLU(),
            torch.nn.Dropout(0.5),
            torch.nn.Linear(32, 1),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        predicted: torch.Tensor = self.layers(self.rendering(features))
        return predicted


@pytest.fixture(scope="module")
def flake() -> laws.Flake:
    return laws.flake()


@pytest.fixture(scope="module")
def network(flake) -> Drawn:
    return Drawn(flake)


def test_attributions_add_up_to_what_the_prediction_gains(flake, network) -> None:
    gained = np.ptp(integrated_gradients(network, flake.X[:40], level="parameters").attributions.sum(axis=1))
    for level, shape in (("channels", (40, 3, 8)), ("parameters", (40, 9))):
        found = integrated_gradients(network.train(), flake.X[:40], level=level)
        assert found.attributions.shape == shape
        assert np.abs(found.delta).max() < 0.01 * gained
    assert network.training


def test_a_linear_layer_gets_its_weights_times_the_difference(flake) -> None:
    torch.manual_seed(1)
    layer = torch.nn.Linear(9, 1)
    found = integrated_gradients(layer, flake.X, level="parameters")
    expected = layer.weight.detach().double().numpy() * (flake.X - flake.X.mean(axis=0))
    assert np.allclose(found.attributions, expected, rtol=1e-9, atol=1e-9)


def test_channels_behind_a_linear_part_get_their_weights(flake) -> None:
    network = Drawn(flake)
    torch.manual_seed(2)
    network.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(24, 1))
    found = integrated_gradients(network, flake.X[:30])
    drawn = network.rendering(torch.as_tensor(flake.X[:30]).float()).detach().numpy()
    expected = network.layers[1].weight.detach().numpy().reshape(3, 8) * (drawn - drawn.mean(axis=0))
    assert np.allclose(found.attributions, expected, atol=1e-4)
    assert np.allclose(found.channels, np.tile(np.linspace(-1, 1, 8), (3, 1)), atol=1e-6)


def test_what_draws_no_lines_or_is_no_network_is_refused(flake) -> None:
    with pytest.raises(DataError, match="draws no lines"):
        integrated_gradients(laws.Convolution(flake), flake.X)
    for explainer in (integrated_gradients, weight_randomisation):
        with pytest.raises(DataError, match="network"):
            explainer(laws.Oracle(flake), flake.X)


def test_layers_that_have_weights_are_drawn_anew_and_no_others() -> None:
    layers = torch.nn.Sequential(
        torch.nn.Linear(9, 4), torch.nn.BatchNorm1d(4, affine=False), torch.nn.ReLU(), torch.nn.Linear(4, 4), torch.nn.LayerNorm(4)
    )
    assert redrawable(Subject.of(torch.nn.Sequential(layers, torch.nn.Linear(4, 1)), np.zeros((5, 9)))) == ["1", "0.4", "0.3", "0.0"]


def test_slope_maps_collapse_when_the_weights_are_drawn_anew(flake, network) -> None:
    table, y = torch.as_tensor(flake.X).float(), torch.as_tensor((flake.y - flake.y.mean()) / flake.y.std()).float()
    network.eval()
    with single_thread():
        for _ in range(40):
            loss = (network(table)[:, 0] - y).square().mean()
            for parameter, slope in zip(network.parameters(), torch.autograd.grad(loss, list(network.parameters())), strict=True):
                parameter.data -= 0.05 * slope
    before = torch.random.get_rng_state()
    found = weight_randomisation(network, flake.X, redraws=6)
    assert torch.equal(before, torch.random.get_rng_state())
    assert found.layers == ["layers.7", "layers.4", "layers.2", "layers.0"]
    assert np.abs(found.correlation[-1]).mean() < 0.2
    assert np.abs(found.correlation[-1, laws.STRONG]) < np.abs(found.correlation).max()


def test_wavenumbers_are_mean_sizes_per_width_of_a_channel_and_tell_what_they_miss_at_most(monkeypatch) -> None:
    module = torch.nn.Linear(9, 1)
    module.rendering = SimpleNamespace(scale=torch.full((2, 1), 2.0))
    channels = np.array([[10.0, 12.0, 14.0], [20.0, 21.0, 22.0]])
    attributions = np.stack([np.full((2, 3), 1.0), np.full((2, 3), -3.0)])
    found = Bunch(attributions=attributions, delta=np.array([-0.5, 0.25]), baseline=np.full((2, 3), 7.0), channels=channels)
    monkeypatch.setattr(questions, "integrated_gradients", lambda *_, **__: found)
    told = questions.wavenumbers_of(SimpleNamespace(table=np.zeros((600, 9)), model=as_model(module)))
    assert (told.missed, told.pixels, told.by_line.tolist()) == (0.5, 200, [0.5, 0.5])
    assert told.drawn.tolist() == [[14.0] * 3] * 2 and told.share.tolist() == [[1.0] * 3, [2.0] * 3]
