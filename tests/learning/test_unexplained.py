import numpy as np
import pytest
from island import Island
from sklearn.metrics import r2_score

from napari_wse2xai.learning.unexplained import Shares, Unexplained, settled


@pytest.fixture(scope="module")
def island():
    return Island(8, side=30)


def found(island, rest, errors=None):
    values, flake = 50.0 + rest, np.zeros(len(rest), dtype=np.int64)
    known = np.full(len(rest), np.nan) if errors is None else errors
    return Unexplained.of(values, known, np.full(len(rest), 50.0), island.coordinates, flake)


def test_the_share_is_r2_and_its_error_the_scatter_over_flakes(island):
    shares = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        law = rng.standard_normal(len(island.coordinates))
        y = law + 0.8 * rng.standard_normal(len(law))
        share, error = settled(y, law, island.coordinates)
        assert share == pytest.approx(r2_score(y, law))
        shares.append((share, error))
    shares = np.array(shares)
    assert np.median(shares[:, 1]) == pytest.approx(shares[:, 0].std(), rel=0.5)


def test_a_patch_that_rs_does_not_show_is_found_where_it_is(island):
    rng = np.random.default_rng(0)
    place = np.linalg.norm(island.coordinates - island.coordinates.mean(axis=0), axis=1) < 2.5
    other = island.coordinates[:, 0] > np.percentile(island.coordinates[:, 0], 93)
    rest = rng.standard_normal(len(place)) + 2.5 * place - 2.5 * other
    region = found(island, rest).region
    assert region.max() == 2
    for planted in (place, other):
        (number,) = np.unique(region[planted & (region > 0)])
        both = (planted & (region == number)).sum()
        assert both > 0.75 * planted.sum()
        assert both > 0.6 * (region == number).sum()
    assert np.bincount(region)[1] >= np.bincount(region)[2]


def test_noise_gathers_nowhere(island):
    counts = [found(island, np.random.default_rng(seed).standard_normal(len(island.coordinates))).region.max() for seed in range(10)]
    assert sum(counts) <= 1


def test_what_lies_within_the_errors_of_pl_is_no_riddle(island):
    place = np.linalg.norm(island.coordinates - island.coordinates.mean(axis=0), axis=1) < 2.5
    rest = np.random.default_rng(0).standard_normal(len(place)) + 2.5 * place
    sure = found(island, rest, np.full(len(place), 0.5))
    assert sure.region.max() == 1
    assert sure.score[place].mean() == pytest.approx(2.5, abs=0.5)
    assert found(island, rest, np.full(len(place), 8.0)).region.max() == 0


def test_what_is_left_is_hidden():
    shares = Shares(0.6, 0.05, 0.15, "Gaussian process", 2)
    assert shares.hidden == pytest.approx(0.25)
    assert "RS settles 60% ± 5% (Gaussian process, in blocks), 15% is noise" in shares.text
    assert "25% ± 5% is left to what RS does not show; it gathers in 2 regions" in shares.text
    assert Shares(-0.5, 0.1, 0.3).hidden == pytest.approx(0.7)


def test_no_more_is_noise_than_rs_leaves_and_a_small_error_is_not_told_as_none():
    # A law of rough RS is rough itself: a variogram takes 4 % of it for noise where RS settles 99 %.
    assert "RS settles 99.1% ± 0.3% (CNN, in blocks), 0.9% is noise" in Shares(0.991, 0.003, 0.04, "CNN").text
    assert "0.0% ± 0.3% is left" in Shares(0.991, 0.003, 0.04).text


def test_regions_of_several_flakes_have_numbers_of_their_own_the_largest_first(island):
    places, there = island.coordinates, np.arange(len(island.coordinates)) * 0
    far = np.linalg.norm(places - places.mean(axis=0), axis=1)
    reaches = (2.0, 3.2)
    rest = np.concatenate([np.random.default_rng(k).standard_normal(len(far)) + 3.0 * (far < reach) for k, reach in enumerate(reaches)])
    made = Unexplained.of(rest, np.full(len(rest), np.nan), 0 * rest, np.tile(places, (2, 1)), np.concatenate([there, there + 1]))
    first, second = np.split(made.region, 2)
    assert set(first[far < reaches[0] - 0.7]) == {2} and set(second[far < reaches[1] - 0.7]) == {1}
    assert set(made.region) == {0, 1, 2}
