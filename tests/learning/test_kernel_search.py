"""The search for a kernel: its deviance is scikit-learn's likelihood, and its slopes are those of the deviance."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from napari_wse2xai.learning.gaussian_process import Kernel, Processes, _drawn_in
from napari_wse2xai.learning.kernel_search import JITTER, LOG_RATE_BOUNDS, _Search, split


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 4))
    y = np.tanh(z[:, 0]) + z[:, 1] * z[:, 2] + 0.1 * rng.normal(size=60)
    return z, (y - y.mean()) / y.std()


def test_the_slopes_are_those_of_the_deviance(data: tuple[np.ndarray, np.ndarray]) -> None:
    search, at = _Search.of(*data, 1.0), np.random.default_rng(1).normal(-1, 0.5, 14)
    told = search.deviance(at)[1]
    np.testing.assert_allclose(told, approx_fprime(at, lambda logs: search.deviance(logs)[0], 1e-6), atol=1e-4 * np.abs(told).max())


def test_the_shortest_length_that_may_be_found_lets_no_slope_overflow(data: tuple[np.ndarray, np.ndarray]) -> None:
    z, y = data[0].copy(), data[1]
    z[0] = 20.0  # an odd pixel
    kernel = Kernel(np.full(4, np.exp(LOG_RATE_BOUNDS[1])), 1.0, np.zeros(4), np.zeros(4), 0.1)
    process = Processes.conditioned(kernel, z, y, np.ones((1, len(y)), dtype=np.int64))
    with np.errstate(over="raise", invalid="raise"):
        assert np.isfinite(process.slopes(z, np.arange(4), np.ones(4))).all()


def test_without_its_other_parts_it_is_the_likelihood_that_scikit_learn_finds(data: tuple[np.ndarray, np.ndarray]) -> None:
    z, y = data
    rates, tiny = np.array([0.5, 1.0, 0.8, 0.1]), 1e-12
    logs = np.log(np.concatenate([rates, [0.7], np.full(8, tiny), [0.05]]))
    kernel = ConstantKernel(0.7) * RBF(1 / rates) + WhiteKernel(0.05 + JITTER)
    theirs = GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0).fit(z, y).log_marginal_likelihood()
    ours = _Search.of(z, y, 1.0).deviance(logs)[0]
    assert ours + 0.5 * len(y) * np.log(2 * np.pi) == pytest.approx(-theirs, abs=1e-6)
    assert split(np.exp(logs))[1] == pytest.approx(0.7)


def test_a_few_odd_pixels_do_not_hide_which_parameters_act() -> None:
    rng = np.random.default_rng(1)
    z, asked = rng.normal(size=(120, 4)), rng.normal(size=(200, 4))
    law, truth = (np.tanh(2 * each[:, 0]) + each[:, 1] * each[:, 2] for each in (z, asked))
    values = law / law.std() + 0.1 * rng.normal(size=120)
    odd = values.copy()
    odd[:3] = [15.0, -15.0, 15.0]
    process = Processes.on_all(Kernel.likeliest(z, odd, np.random.default_rng(0)), z)(values)
    assert np.corrcoef(process.predict(asked)[0], truth)[0, 1] > 0.95  # 0.62 by the kernel that odd values as they are give


def test_values_are_left_as_they_are_where_none_is_odd_and_where_most_are_alike() -> None:
    rng = np.random.default_rng(0)
    for values in (rng.uniform(-1, 1, 50), np.where(np.arange(50) < 40, 0.0, rng.normal(size=50))):
        np.testing.assert_array_equal(_drawn_in(values), values)
