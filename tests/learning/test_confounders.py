import numpy as np
import pytest
from island import Island
from scipy.spatial.distance import cdist

from napari_wse2xai.learning.confounders import FEWEST_IN_LINE, Confounder, _contiguous, _lines, confounders, edge_distance, grouped, layers
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.variogram import Raster
from napari_wse2xai.learning.verdict import Evidence, judge


@pytest.fixture(scope="module")
def island():
    return Island(5, side=30)


def test_the_distance_from_the_edge_is_that_to_the_nearest_place_off_the_flake(island):
    raster = Raster.of(island.coordinates)
    off = np.argwhere(~np.pad(island.mask, 1)) - 1
    off = off - np.argwhere(island.mask).min(axis=0)
    assert edge_distance(raster) == pytest.approx(cdist(raster.index, off).min(axis=1))


def test_no_distance_stands_for_few_pixels_only(island):
    distance = edge_distance(Raster.of(island.coordinates))
    group = grouped(distance)
    assert np.bincount(group).min() >= 10
    assert all(distance[group == one].max() <= distance[group == one + 1].min() for one in range(group.max()))


def test_two_layers_are_told_apart_where_they_are_regions(island):
    raster = {0: Raster.of(island.coordinates)}
    flake, upper = np.zeros(len(island.coordinates), dtype=np.int64), island.coordinates[:, 1] > np.median(island.coordinates[:, 1]) + 2
    steps = np.where(np.arange(24) % 3 == 2, 15.0, 0.0)
    small = np.sin(island.coordinates[:, 0]) + np.sin(island.coordinates[:, 1]) > 0  # mostly border
    for planted in (upper, small):
        found = layers(island.features + steps * planted[:, None], raster, flake)
        assert found is not None
        assert max(np.mean(found == planted), np.mean(found != planted)) > 0.98
    assert layers(island.features, raster, flake) is None
    shuffled = np.random.default_rng(0).permutation(upper)
    assert layers(island.features + steps * shuffled[:, None], raster, flake) is None


@pytest.mark.parametrize("shape", [(1, 60), (60, 1), (3, 60)])
def test_a_scan_of_few_lines_has_these_for_lines(shape):
    """Its columns, of a pixel each, would take all there is of a map: surrogates with their profile had nothing left to draw."""
    places = np.argwhere(np.ones(shape)).astype(float)
    values = np.random.default_rng(0).standard_normal(len(places))
    scan = next(one for one in confounders(places, places, np.zeros(len(places), dtype=np.int64), values) if one.name == "scan")
    assert scan.design.shape[1] == 2 * min(shape)


def test_neighbours_of_one_group_are_counted_over_what_chance_gives() -> None:
    """Kappa by hand: two flakes with nine pairs of neighbours, seven of them alike."""
    places = np.array([(0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (5, 0), (5, 1), (6, 0), (6, 1)], dtype=float)
    flake, group = np.array([0] * 5 + [1] * 4), np.array([1, 1, 0, 1, 0, 0, 0, 0, 1])
    rasters = {one: Raster.of(places[flake == one]) for one in (0, 1)}
    pairs = [(a, b) for a in range(9) for b in range(a) if flake[a] == flake[b] and np.abs(places[a] - places[b]).sum() == 1]
    alike, chance = np.mean([group[a] == group[b] for a, b in pairs]), (4 / 9) ** 2 + (5 / 9) ** 2
    assert _contiguous(group, rasters, flake) == pytest.approx((alike - chance) / (1 - chance))


def confounded(island, shape, seed):
    """Features and PL of which each follows the shape, and neither the other."""
    rng = np.random.default_rng(seed)
    features = island.features + 1.5 * shape[:, None] * rng.standard_normal(24)
    return features, 20.0 + 1.2 * shape + 0.7 * island.field() + 0.2 * rng.standard_normal(len(shape))


@pytest.mark.parametrize("kind", ["edge", "scan"])
def test_what_only_a_confounder_shapes_in_common_is_found_out(island, kind):
    raster = Raster.of(island.coordinates)
    drift = np.cumsum(np.random.default_rng(2).standard_normal(raster.shape[0]))
    shape = np.exp(-edge_distance(raster) / 3.0) if kind == "edge" else drift[raster.index[:, 0]]
    features, y = confounded(island, (shape - shape.mean()) / shape.std(), 4)
    test = null_test(features, y, island.coordinates, count=39)
    assert test.p_value["blocks"] <= 0.05  # surrogates that only are as smooth are taken in
    told = test.told_beyond(kind)
    assert told.p_value > 0.05
    assert told.correlation < test.told_beyond().correlation
    reasons = judge(Evidence("height", len(y), (), test)).reasons
    words = {"edge": "these distances may have shaped both", "scan": "a drift during the scan may have shaped both"}
    assert any(words[kind] in reason for reason in reasons)


def test_a_law_outlives_every_confounder(island):
    test = null_test(island.features, island.law(), island.coordinates, count=39)
    assert [one.confounder for one in test.beyond] == ["", "", "edge", "scan"]
    assert max(one.p_value for one in test.beyond) <= 0.05


def test_surrogates_have_the_profile_that_the_map_has(island):
    raster = Raster.of(island.coordinates)
    rim = np.exp(-edge_distance(raster) / 2.0)
    flake = np.zeros(len(rim), dtype=np.int64)
    edge = confounders(island.features, island.coordinates, flake, rim)[0]
    near = edge_distance(raster) == 1.0
    assert edge.profile(rim)[near] == pytest.approx(rim[near], rel=0.002)  # distances that few pixels share are one level
    noisy = rim + np.random.default_rng(0).standard_normal(len(rim))
    assert edge.profile(noisy)[near].mean() == pytest.approx(noisy[near].mean())


def test_what_grows_from_the_middle_of_a_star_is_told_beside_its_edge():
    """On a star the distance from the middle is no function of that from the edge; each of two flakes has a middle of its own."""
    y, x = np.indices((41, 41)) - 20.0
    star = np.argwhere(np.hypot(y, x) < 12 + 8 * np.cos(5 * np.arctan2(y, x)))
    places, flake = np.vstack([star, star + 100]), np.repeat([0, 1], len(star))
    radius = np.tile(np.hypot(*(star - star.mean(axis=0)).T), 2)
    grown = np.exp(-(((radius - 6) / 6) ** 2)) * np.where(flake, -2.0, 1.0)
    edge = confounders(np.random.default_rng(0).standard_normal((len(flake), 3)), places, flake, grown)[0]
    assert edge.name == "edge"
    assert edge.alone(grown) > 0.99
    assert Confounder("edge", edge.design[:, :-8]).alone(grown) < 0.95


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_rs_that_is_the_same_everywhere_has_no_layers(island):
    flat = np.full((len(island.coordinates), 6), 3.0)
    assert layers(flat, {0: Raster.of(island.coordinates)}, np.zeros(len(flat), dtype=np.int64)) is None


def test_a_line_of_few_pixels_has_no_slope_of_its_own() -> None:
    line = np.repeat([0, 1], [FEWEST_IN_LINE, FEWEST_IN_LINE - 1])
    level, along = np.eye(2)[line], np.arange(len(line), dtype=float)
    found = _lines(level, along)
    np.testing.assert_array_equal(found[:, :2], level)
    np.testing.assert_allclose(found[:, 2:], np.where(line == 0, along - along[line == 0].mean(), 0.0)[:, None])
