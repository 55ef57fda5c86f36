"""ICE slopes against coefficients and true slopes."""

import laws
import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining import SCHEMES, derivatives, ice_slope


@pytest.fixture(scope="module")
def flake() -> laws.Flake:
    return laws.flake()


class FloatLinear(torch.nn.Module):
    """A linear function of the raw table that a float32 convolution computes."""

    def __init__(self, coefficients: np.ndarray, centre: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("centre", torch.as_tensor(centre).float())
        self.layer = torch.nn.Conv1d(len(coefficients), 1, 1)
        self.layer.weight.data = torch.as_tensor(coefficients).float()[None, :, None]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        predicted: torch.Tensor = self.layer((features - self.centre)[..., None])
        return predicted[..., 0]


@pytest.mark.parametrize("scheme", ["central", "forward", "backward"])
def test_a_linear_model_gives_its_coefficients(flake, scheme) -> None:
    model = LinearRegression().fit(flake.X, flake.y)
    assert np.allclose(ice_slope(model, flake.X, scheme=scheme).slope, model.coef_[:, None], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("scheme", ["central", "autograd"])
def test_a_single_precision_model_gives_its_coefficients_too(flake, scheme) -> None:
    coefficients = np.linspace(0.5, 1.5, 9) / flake.X.std(axis=0)
    slope = ice_slope(FloatLinear(coefficients, flake.X.mean(axis=0)), flake.X, scheme=scheme).slope
    assert np.allclose(slope, coefficients.astype(np.float32)[:, None], rtol=1e-5)


def test_the_printed_formula_is_a_curvature_and_none_for_a_linear_model(flake) -> None:
    linear = LinearRegression().fit(flake.X, flake.y)
    assert np.abs(ice_slope(linear, flake.X, scheme="paper-literal").slope * flake.X.std(axis=0)[:, None]).max() < 1e-9
    printed = ice_slope(laws.Oracle(flake), flake.X, scheme="paper-literal")
    assert np.allclose(printed.slope, printed.curvature * printed.step[:, None] / 2)
    assert np.allclose(printed.curvature[laws.SQUARE] * printed.step[laws.SQUARE] ** 2, 2 * 0.245)
    assert np.allclose(printed.curvature[laws.PARTNER] * printed.step[laws.PARTNER] ** 2, 0, atol=1e-9)


def test_slopes_and_derivatives_are_those_of_the_law(flake) -> None:
    module = laws.LawModule(flake)
    central, exact = ice_slope(module, flake.X), derivatives(module, flake.X)
    step, z = flake.X.std(axis=0)[:, None], flake.z.T
    strong = 0.8 * (np.tanh(0.9 * (z[laws.STRONG] + 1)) - np.tanh(0.9 * (z[laws.STRONG] - 1))) + 0.4 * z[laws.PARTNER]
    tangent = 1.44 / np.cosh(0.9 * z[laws.STRONG]) ** 2 + 0.4 * z[laws.PARTNER]
    assert np.allclose(central.slope[laws.STRONG] * step[laws.STRONG], strong, atol=1e-5)
    assert np.allclose(exact[laws.STRONG] * step[laws.STRONG], tangent, atol=1e-5)
    for slope in (central.slope, exact):
        assert np.allclose(slope[laws.SQUARE] * step[laws.SQUARE], 0.49 * z[laws.SQUARE], atol=1e-5)
        assert np.allclose(slope[laws.PARTNER] * step[laws.PARTNER], 0.4 * z[laws.STRONG], atol=1e-5)


def test_the_nonlinearity_is_nought_on_a_line_and_one_at_a_vertex(flake) -> None:
    slopes = ice_slope(laws.Oracle(flake), flake.X)
    assert np.abs(slopes.nonlinearity[laws.LINEAR]).max() < 1e-9
    vertex = np.abs(flake.z[:, laws.SQUARE]).argmin()
    assert slopes.nonlinearity[laws.SQUARE, vertex] > 0.9


def test_forward_and_backward_average_to_central(flake) -> None:
    by_scheme = {scheme: ice_slope(laws.Oracle(flake), flake.X, [2, 7], scheme=scheme).slope for scheme in SCHEMES[:3]}
    assert np.allclose((by_scheme["forward"] + by_scheme["backward"]) / 2, by_scheme["central"])


def test_a_step_can_be_given(flake) -> None:
    step = [0.1, 0.2]
    slopes = ice_slope(laws.Oracle(flake), flake.X, [0, 3], step=step)
    assert slopes.step.tolist() == step
    assert np.allclose(slopes.slope[1], 0.5 / flake.X[:, 3].std())


@pytest.mark.parametrize(
    ("changes", "words"), [({"scheme": "newton"}, "scheme 'newton'"), ({"step": "iqr"}, "'iqr'"), ({"step": 0.0}, "above zero")]
)
def test_wrong_settings_are_refused_in_words(flake, changes, words) -> None:
    with pytest.raises(SettingsError, match=words):
        ice_slope(laws.Oracle(flake), flake.X, **changes)
