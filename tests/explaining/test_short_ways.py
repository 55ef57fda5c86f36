"""A process knows a short way to predictions with one parameter moved: they are its predictions all the same."""

import numpy as np
import pytest
import torch

from napari_wse2xai.explaining import Subject, ice_slope, partial_dependence
from napari_wse2xai.learning import GaussianProcess
from napari_wse2xai.learning.smooth_process import _moved_along
from napari_wse2xai.progress import silent


@pytest.fixture(scope="module")
def fitted() -> tuple[GaussianProcess, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 5)) * [1, 10, 0.1, 5, 0] + [3, 0, 7, 100, 2]
    z = (x - x.mean(axis=0)) / [1, 10, 0.1, 5, 1]
    y = 50 + 10 * np.tanh(z[:, 0]) + 4 * z[:, 1] * z[:, 2] + rng.normal(0, 0.5, 90)
    return GaussianProcess(kernels=2).fit(x, y), x


def test_slopes_are_those_of_its_predictions(fitted: tuple[GaussianProcess, np.ndarray]) -> None:
    process, x = fitted
    found = ice_slope(process, x)
    for column in range(4):
        step = found.step[column] * np.eye(5)[column]
        wanted = (process.predict(x + step) - process.predict(x - step)) / (2 * found.step[column])
        np.testing.assert_allclose(found.slope[column], wanted, rtol=1e-3, atol=1e-4 * 10 / found.step[column])
    assert (found.slope[4] == 0).all(), "a parameter that is the same everywhere"


def test_moves_of_any_length_are_its_predictions(fitted: tuple[GaussianProcess, np.ndarray]) -> None:
    process, x = fitted
    there = x[:, 1] + np.linspace(-90, 2000, len(x))  # far beyond what one factor for all could hold, and another for each
    moved = x.copy()
    moved[:, 1] = there
    found = Subject.of(process, x).moved(np.array([1]), there[None, None], silent, "")
    np.testing.assert_allclose(found[0, 0], process.predict(moved), rtol=1e-9)


@pytest.mark.parametrize(("step", "far"), [(0.5, 1.0), (30.0, 40.0)])
def test_a_step_that_all_rows_take_is_a_factor_while_that_can_be_held(step: float, far: float) -> None:
    """Beyond, the factors would overflow."""
    rng = np.random.default_rng(0)
    here, pixels, other = (torch.as_tensor(scale * rng.normal(size=count)) for scale, count in ((far, 4), (far, 6), (1.0, 6)))
    weights = torch.as_tensor(rng.normal(size=6))
    squared = (here[:, None] - pixels).square() + other.square()
    found = _moved_along(squared, torch.exp(-squared / 2), weights, here, pixels, here[None] + step)
    wanted = torch.exp(-((here[:, None] + step - pixels).square() + other.square()) / 2) @ weights
    torch.testing.assert_close(found[0], wanted, rtol=1e-6, atol=1e-12)


def test_curves_are_means_of_its_predictions(fitted: tuple[GaussianProcess, np.ndarray]) -> None:
    process, x = fitted
    found = partial_dependence(process, x, [1, 3], grid_resolution=7, nodes=None, samples=None, kind="both")
    for row, column in enumerate([1, 3]):
        for point in (0, 4):
            there = x.copy()
            there[:, column] = found.grid_values[row, point]
            np.testing.assert_allclose(found.individual[row, :, point], process.predict(there), rtol=1e-4)
            assert found.average[row, point] == pytest.approx(process.predict(there).mean(), rel=1e-5)
