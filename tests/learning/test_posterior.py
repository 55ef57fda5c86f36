"""What a process does not know, against the joint posterior of every value that goes into it."""

import numpy as np
import pytest

from napari_wse2xai.learning import posterior
from napari_wse2xai.learning.gaussian_process import Kernel
from napari_wse2xai.learning.kernel_search import JITTER
from napari_wse2xai.learning.posterior import MOST_PIXELS, Posterior

FEATURES = np.arange(6)
RNG = np.random.default_rng(0)
Z, ROWS, WEIGHTS = RNG.standard_normal((80, 6)), RNG.standard_normal((30, 6)), RNG.dirichlet(np.ones(30))
# Together and bent, together and straight, nothing, together and bent alone, straight alone, together.
KERNEL = Kernel(
    np.array([0.5, 0.3, 1e-5, 0.8, 0.0, 0.2]),
    0.4,
    np.array([0.2, 0.1, 0.0, 0.0, 0.3, 0.0]),
    np.array([0.5, 0.0, 0.0, 0.3, 0.0, 0.0]),
    0.1,
)


def deviations(weights, table):
    """Standard deviations of weighted sums (sum, row) of the function at rows of a table, given pixels (Rasmussen and Williams 2.24)."""
    known = KERNEL.between(Z, Z) + (KERNEL.noise + JITTER) * np.eye(len(Z))
    across = KERNEL.between(table, Z)
    left = KERNEL.between(table, table) - across @ np.linalg.solve(known, across.T)
    return np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", weights, left, weights), 0.0))


def moved(feature, values):
    """All rows with one parameter set to a value, or to one value each."""
    return np.where(feature == FEATURES, np.reshape(values, (-1, 1)), ROWS)


@pytest.mark.parametrize("feature", FEATURES)
def test_a_slope_is_as_unsure_as_the_difference_of_two_values(feature):
    step, here = 0.7, ROWS[:, feature]
    table = np.vstack([moved(feature, here + step), moved(feature, here - step)])
    expected = deviations(np.hstack([np.eye(len(ROWS)), -np.eye(len(ROWS))]) / (2 * step), table)
    found = Posterior.of(KERNEL, Z).slopes(ROWS, np.array([feature]), np.array([step]))[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.max() > 0.02 or feature == 2


@pytest.mark.parametrize("feature", FEATURES)
def test_a_curve_is_as_unsure_as_the_mean_of_moved_rows_less_that_of_all(feature):
    grid = np.linspace(-2.5, 2.5, 5)
    table = np.vstack([*(moved(feature, value) for value in grid), ROWS])
    weights = np.hstack([np.kron(np.eye(len(grid)), WEIGHTS), np.tile(-WEIGHTS, (len(grid), 1))])
    found = Posterior.of(KERNEL, Z).curves(ROWS, WEIGHTS, np.array([feature]), grid[None])[0]
    np.testing.assert_allclose(found, deviations(weights, table), atol=1e-4)
    assert found.max() > 0.02 or feature == 2


def test_pixels_that_stand_for_several_tell_as_much_as_all(monkeypatch):
    z = np.repeat(Z, 5, axis=0)
    assert len(z) <= MOST_PIXELS
    every = Posterior.of(KERNEL, z).slopes(ROWS, FEATURES, np.ones(6))
    monkeypatch.setattr(posterior, "MOST_PIXELS", len(Z))
    few = Posterior.of(KERNEL, z)
    assert len(few.z) == len(Z)
    np.testing.assert_allclose(few.slopes(ROWS, FEATURES, np.ones(6)), every, rtol=0.15, atol=0.01)
