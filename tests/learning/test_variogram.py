import numpy as np
import pytest
from island import SMOOTH, Island
from scipy.spatial.distance import pdist

from napari_wse2xai.errors import DataError
from napari_wse2xai.learning import variogram as variogram_module
from napari_wse2xai.learning.variogram import Raster, Variogram, correlation_length, variogram


def test_it_is_half_the_mean_squared_difference_of_all_pairs():
    island = Island(3, side=14)
    values = island.law()
    curve = variogram(values, Raster.of(island.coordinates))
    distance, difference = pdist(island.coordinates), pdist(values[:, None], "sqeuclidean")
    lag = np.rint(distance / 0.5).astype(int)
    slow = [0.5 * difference[lag == k].mean() / values.var() for k in range(1, 7)]
    assert curve.share[:6] == pytest.approx(slow, rel=1e-9)
    assert curve.pairs[:6].tolist() == [2 * np.count_nonzero(lag == k) for k in range(1, 7)]
    assert curve.distance[2] == pytest.approx(distance[lag == 3].mean())


def test_many_maps_at_once_are_the_same_as_one_by_one():
    island = Island(3, side=20)
    maps = np.stack([island.field(), island.law()])
    raster = Raster.of(island.coordinates)
    assert variogram(maps, raster).share[1] == pytest.approx(variogram(maps[1], raster).share)


def test_the_length_is_that_of_the_filter():
    lengths = [correlation_length(island.field(), island.coordinates) for island in map(Island, range(6))]
    # a Gaussian-filtered noise has 1 - exp(-h^2 / 4 s^2), at 63 % where h = 2 s; a small flake sees a little less
    assert 0.5 * SMOOTH < np.mean(lengths) / 2 / 0.5 * 1.0 < 1.3 * SMOOTH
    noise = np.random.default_rng(0).standard_normal(len(Island(0).coordinates))
    assert correlation_length(noise, Island(0).coordinates) < 0.5


def test_a_grid_with_other_steps_in_rows_than_in_columns():
    y, x = np.mgrid[:9, :12]
    raster = Raster.of(np.stack([2.0 * y.ravel() - 7.0, 0.25 * x.ravel()], axis=1))
    assert raster.step == (2.0, 0.25)
    assert raster.shape == (9, 12)
    assert raster.area == pytest.approx(9 * 12 * 0.5)


def test_places_off_a_grid_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="do not lie on a regular grid"):
        Raster.of(rng.uniform(0.0, 10.0, (50, 2)))
    with pytest.raises(DataError, match="do not lie on a regular grid"):
        Raster.of([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    with pytest.raises(DataError, match=r"shape \(3,\)"):
        Raster.of([0.0, 1.0, 2.0])
    with pytest.raises(DataError, match="different values are needed"):
        correlation_length(np.ones(50), np.argwhere(np.ones((5, 10))))


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_the_length_lies_where_a_straight_line_between_two_distances_reaches_its_level(first: int) -> None:
    level, distance = variogram_module.LENGTH_LEVEL, np.array([1.0, 2.5, 3.0])
    share = np.where(np.arange(3) < first, 0.3 * level, 1.2 * level)
    wanted = np.interp(level, [0.0, *share[: first + 1]], [0.0, *distance[: first + 1]]) if first else 1.0 / 1.2
    wanted = 3.0 if first == 3 else wanted  # as far as was looked
    assert Variogram(distance, share, np.ones(3)).length() == pytest.approx(wanted)
