import numpy as np
import pytest
from island import Island
from numpy.linalg import cholesky, solve
from scipy.spatial.distance import cdist

from napari_wse2xai.learning.neighbours import Likeness, Neighbours, freed_correlation


@pytest.fixture(scope="module")
def island():
    return Island(6, side=26)


def test_what_neighbours_do_not_tell_is_that_of_the_whole_covariance(island):
    """A process of known covariance, whitened by all its pixels at once (Cholesky), tells the same to within some percent."""
    apart = cdist(island.coordinates, island.coordinates)
    covariance = 0.8 * np.exp(-((apart / 3.0) ** 2)) + 0.2 * np.eye(len(apart))
    maps = cholesky(covariance) @ np.random.default_rng(0).standard_normal((len(apart), 40))
    exact = solve(cholesky(covariance), maps)
    found = Neighbours(maps[:, 0], island.coordinates).whitened(maps)
    assert found.var() == pytest.approx(exact.var(), rel=0.15)
    pairs = np.corrcoef(maps.T)[np.triu_indices(40, 1)], np.corrcoef(found.T)[np.triu_indices(40, 1)]
    chance = 1 / np.sqrt(len(apart))
    assert pairs[0].std() > 2 * chance  # smooth maps are alike by chance
    assert pairs[1].std() == pytest.approx(chance, rel=0.25)  # what neighbours do not tell is as independent pairs are


def test_likeness_does_not_hang_on_the_order_of_flakes_or_pixels(island):
    y, other = island.field(), island.field()
    places, flake = np.concatenate([island.coordinates] * 2), np.repeat([0, 1], len(y))
    maps = np.concatenate([y, other])[:, None]
    noisy = maps + 0.5 * np.random.default_rng(1).standard_normal(maps.shape)
    one = np.ones_like(maps)
    straight = Likeness(maps[:, 0], places, flake).between(maps, noisy, one)
    order = np.random.default_rng(2).permutation(len(maps))
    mixed = Likeness(maps[order, 0], places[order], flake[order]).between(maps[order], noisy[order], one)
    assert mixed == pytest.approx(straight, abs=1e-6)
    assert 0.1 < straight[0] < 0.95


def test_freed_of_a_confounder_is_the_correlation_of_what_a_regression_leaves():
    rng = np.random.default_rng(3)
    confounder = rng.standard_normal((80, 3))
    first, second = (confounder @ rng.standard_normal(3) + rng.standard_normal(80) for _ in range(2))
    left = [each - confounder @ np.linalg.lstsq(confounder, each, rcond=None)[0] for each in (first, second)]
    expected = left[0] @ left[1] / np.sqrt((left[0] @ left[0]) * (left[1] @ left[1]))
    assert freed_correlation(first[:, None], second[:, None], confounder)[0] == pytest.approx(expected)
