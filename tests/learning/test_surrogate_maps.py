import numpy as np
import pytest
from island import Island

from napari_wse2xai.errors import DataError
from napari_wse2xai.learning.surrogate_maps import TOLERANCE, surrogates, variogram_misfit
from napari_wse2xai.learning.variogram import Raster, variogram


@pytest.fixture(scope="module")
def island():
    return Island(1)


@pytest.fixture(scope="module")
def drawn(island):
    return surrogates(np.exp(island.field()), island.coordinates, count=60, rng=3)


def test_they_have_the_values_of_the_map(drawn):
    field = np.exp(Island(1).field())
    for one in drawn:
        assert np.array_equal(np.sort(one), np.sort(field))


def test_they_are_as_smooth_as_the_map_and_shuffled_maps_are_not(drawn):
    island = Island(1)
    field = np.exp(island.field())
    assert variogram_misfit(field, drawn, island.coordinates) < TOLERANCE
    near = variogram(drawn, Raster.of(island.coordinates)).share.mean(axis=0)[0]
    assert near == pytest.approx(variogram(field, Raster.of(island.coordinates)).share[0], abs=0.03)
    shuffled = np.stack([np.random.default_rng(k).permutation(field) for k in range(20)])
    assert variogram_misfit(field, shuffled, island.coordinates) > TOLERANCE


def test_they_owe_nothing_to_the_map_nor_to_each_other(drawn):
    field = np.exp(Island(1).field())
    assert abs(np.mean([np.corrcoef(one, field)[0, 1] for one in drawn])) < 0.1
    among = np.corrcoef(drawn)[np.triu_indices(len(drawn), 1)]
    assert abs(among.mean()) < 0.05
    assert np.abs(among).max() < 0.95


def test_the_same_seed_draws_the_same(island):
    y = island.law()
    first, again, other = (surrogates(y, island.coordinates, count=3, rng=seed) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_each_flake_keeps_its_own_values(island):
    places = np.concatenate([island.coordinates, island.coordinates])
    flake = np.repeat([0, 1], len(island.coordinates))
    y = np.concatenate([island.law(), 100.0 + island.law()])
    one = surrogates(y, places, count=1, flake=flake)[0]
    assert one[flake == 0].max() < 60 < one[flake == 1].min()


def test_a_map_without_variation_is_refused(island):
    with pytest.raises(DataError, match="at least 30 pixels with different values"):
        surrogates(np.ones(len(island.coordinates)), island.coordinates)
    with pytest.raises(DataError, match="no gaps"):
        surrogates(np.full(len(island.coordinates), np.nan), island.coordinates)
