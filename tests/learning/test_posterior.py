"""What a process does not know, against the joint posterior of every value that goes into it."""

from dataclasses import replace

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
# Every parameter may do as much as parameters do on average.
ASKED = replace(KERNEL, linear=np.maximum(KERNEL.linear, (KERNEL.linear + KERNEL.alone).sum() / 6))


def deviations(weights, table):
    """Standard deviations of weighted sums (sum, row) of the function at rows of a table, given pixels (Rasmussen and Williams 2.24)."""
    known = ASKED.between(Z, Z) + (ASKED.noise + JITTER) * np.eye(len(Z))
    across = ASKED.between(table, Z)
    left = ASKED.between(table, table) - across @ np.linalg.solve(known, across.T)
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
    assert found.max() > 0.02


@pytest.mark.parametrize("feature", FEATURES)
def test_a_curve_is_as_unsure_as_the_mean_of_moved_rows_less_that_of_all(feature):
    grid = np.linspace(-2.5, 2.5, 5)
    table = np.vstack([*(moved(feature, value) for value in grid), ROWS])
    weights = np.hstack([np.kron(np.eye(len(grid)), WEIGHTS), np.tile(-WEIGHTS, (len(grid), 1))])
    found = Posterior.of(KERNEL, Z).curves(ROWS, WEIGHTS, np.array([feature]), grid[None])[0]
    np.testing.assert_allclose(found, deviations(weights, table), atol=1e-4)
    assert found.max() > 0.02


def test_pixels_that_stand_for_several_tell_as_much_as_all(monkeypatch):
    z = np.repeat(Z, 5, axis=0)
    assert len(z) <= MOST_PIXELS
    every = Posterior.of(KERNEL, z).slopes(ROWS, FEATURES, np.ones(6))
    monkeypatch.setattr(posterior, "MOST_PIXELS", len(Z))
    few = Posterior.of(KERNEL, z)
    assert len(few.z) == len(Z)
    np.testing.assert_allclose(few.slopes(ROWS, FEATURES, np.ones(6)), every, rtol=0.15, atol=0.01)


def test_a_parameter_of_which_nothing_was_seen_is_as_unsure_as_a_straight_line_through_the_pixels():
    """Seven straight effects, of which the likelihood found six: the error of the seventh is that of a ridge's coefficient."""
    z = RNG.standard_normal((60, 7)) + RNG.standard_normal((60, 1))
    likeliest, asked, noise = np.array([1.0] * 6 + [0.0]), np.array([1.0] * 6 + [6 / 7]), 0.5
    inverse = np.linalg.inv(z.T @ z / (noise + JITTER) + np.diag(1 / asked))
    found = Posterior.of(Kernel(np.zeros(7), 0.0, likeliest, np.zeros(7), noise), z).slopes(z[:5], np.arange(7), np.full(7, 0.3))
    np.testing.assert_allclose(found, np.broadcast_to(np.sqrt(np.diag(inverse))[:, None], (7, 5)), rtol=1e-6)
    assert found[6].min() > 0.05
