"""The Gaussian process: it finds a law, says which parameters act, and its module is its prediction."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicHermiteSpline
from sklearn.base import clone

from napari_wse2xai.learning import GaussianProcess
from napari_wse2xai.learning.gaussian_process import Kernel, Processes
from napari_wse2xai.learning.smooth_process import KNOTS, REACH, ProcessModule, _deaf_to_odd_pixels

pytestmark = pytest.mark.usefixtures("whole_lessons")


def table(count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((count, 6))
    law = np.tanh(z[:, 0]) + 0.5 * z[:, 1] * z[:, 2] + 0.3 * z[:, 3]
    return z * [0.1, 1, 100, 0.5, 7, 3] + [250, 6, 500, 390, 1, 1], 1000 + 200 * law


@pytest.fixture(scope="module")
def fitted() -> GaussianProcess:
    x, y = table()
    return GaussianProcess().fit(x[:200], y[:200] + np.random.default_rng(1).normal(0, 20, 200))


def test_it_predicts_what_it_has_not_seen_and_names_what_acts(fitted) -> None:
    x, y = table()
    assert fitted.score(x[200:], y[200:]) > 0.97
    ((kernel, *_),) = fitted.kernels_
    acts = kernel.variance * kernel.rates**2 + kernel.linear + kernel.alone
    assert acts[:4].min() > 20 * acts[4:].max()
    assert kernel.rates[1:3].min() > 5 * kernel.rates[[0, 3, 4, 5]].max(), "two act only together, the others alone"


def test_its_kernel_is_a_line_and_a_bell_of_each_parameter_and_a_bell_of_all_together(fitted) -> None:
    ((kernel, *_),) = fitted.kernels_
    a, b = (np.random.default_rng(seed).normal(0, 3, (7, 6)) for seed in (3, 4))
    b[0] += 20
    apart = a[:, None] - b
    wanted = kernel.variance * np.exp(-0.5 * ((apart * kernel.rates) ** 2).sum(-1)) + (a * kernel.linear) @ b.T
    wanted += (kernel.alone * np.exp(-0.5 * apart**2)).sum(-1)
    np.testing.assert_allclose(kernel.between(a, b), wanted, rtol=1e-12, atol=1e-12)


def test_pixels_that_are_asked_again_with_other_values_are_conditioned_as_anew(fitted) -> None:
    ((kernel, *_),) = fitted.kernels_
    rng = np.random.default_rng(6)
    z = rng.standard_normal((40, 6))
    conditioned = Processes.on_all(kernel, z)
    for y in rng.standard_normal((2, 40)) + 3:
        anew = Processes.conditioned(kernel, z, y, np.ones((1, 40), dtype=np.int64))
        np.testing.assert_allclose(conditioned(y).predict(z), anew.predict(z), rtol=1e-9)


def test_an_effect_that_adds_up_does_not_change_with_what_has_nothing_to_do_with_it() -> None:
    """The slope of ``tanh`` hangs on its own parameter alone: the law's own derivative, at places that were never seen."""
    x, y = table()
    fitted = GaussianProcess().fit(x, y + np.random.default_rng(1).normal(0, 40, len(y)))
    z = np.random.default_rng(5).standard_normal((200, 6))
    raw = torch.as_tensor(z * [0.1, 1, 100, 0.5, 7, 3] + [250, 6, 500, 390, 1, 1]).requires_grad_(True)
    (slopes,) = torch.autograd.grad(fitted.module_(raw).sum(), raw)
    truth = 200 * (1 - np.tanh(z[:, 0]) ** 2) / 0.1
    assert np.corrcoef(slopes[:, 0].numpy(), truth)[0, 1] > 0.97


def test_a_few_odd_pixels_are_drawn_in(fitted) -> None:
    ((kernel, *_),) = fitted.kernels_
    x, y = table()
    z, values = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    odd = values[:200] + 20 * (np.arange(200) < 3)
    left = {
        name: np.sqrt(np.mean((process.predict(z[200:])[0] - values[200:]) ** 2))
        for name, process in (("deaf", _deaf_to_odd_pixels(kernel, z[:200], odd)), ("plain", Processes.on_all(kernel, z[:200])(odd)))
    }
    assert left["deaf"] < 0.7 * left["plain"]


def test_its_module_is_its_prediction_and_differentiable(fitted) -> None:
    x, _ = table()
    inputs = torch.as_tensor(x[:7]).requires_grad_(True)
    predicted = fitted.module_(inputs)
    (slopes,) = torch.autograd.grad(predicted.sum(), inputs)
    assert np.allclose(predicted[:, 0].detach(), fitted.predict(x[:7]))
    for column, step in ((0, 1e-5), (1, 1e-4), (2, 1e-2)):  # alone, and together
        up = x[:7] + step * np.eye(6)[column]
        assert np.allclose(slopes[:, column], (fitted.predict(up) - fitted.predict(x[:7])) / step, rtol=1e-3)


def test_several_targets_and_few_pixels_and_scikit_learns_clone() -> None:
    x, y = table(120)
    both = clone(GaussianProcess(most_pixels=90)).fit(x, np.stack([y, -2 * y], axis=1))
    assert both.predict(x).shape == (120, 2)
    assert np.corrcoef(both.predict(x).T)[0, 1] < -0.98
    assert both.module_.pixels.shape == (90, 6)


@pytest.mark.parametrize("odd", [0.0, 2.0, 300.0])
def test_a_pixel_beyond_four_deviations_counts_as_one_at_four_and_one_within_as_it_is(odd: float) -> None:
    rng = np.random.default_rng(2)
    z = rng.standard_normal((80, 2))
    kernel = Kernel(np.array([0.3, 0.3]), 1.0, np.ones(2), np.zeros(2), 0.05)
    y = np.tanh(z[:, 0]) + rng.normal(0, 0.2, 80)
    y[7] += odd * 0.2
    weights = np.linalg.inv(kernel.between(z, z) + kernel.noise * np.eye(80))
    missed = kernel.noise * weights @ (y - y.mean())
    far = 4 * 1.4826 * np.median(np.abs(missed))
    drawn = y - missed + np.clip(missed, -far, far)
    assert (np.abs(missed) > far).any() == (odd == 300.0)
    np.testing.assert_allclose(_deaf_to_odd_pixels(kernel, z, y).alpha[:, 0], weights @ (drawn - drawn.mean()), rtol=0.02, atol=0.05)


def test_bent_effects_are_the_cubics_through_values_and_slopes_at_knots() -> None:
    knots, rng = np.linspace(-REACH, REACH, KNOTS), np.random.default_rng(0)
    bent, z = rng.normal(size=(1, 2, KNOTS, 3)), rng.uniform(-REACH, REACH, (40, 3))
    found = ProcessModule._alone(SimpleNamespace(bent=torch.as_tensor(bent)), torch.as_tensor(z), slice(None))
    for column in range(3):
        wanted = CubicHermiteSpline(knots, *bent[0, :, :, column])(z[:, column])
        np.testing.assert_allclose(found[0, :, column].numpy(), wanted, rtol=1e-8, atol=1e-8)
