import numpy as np
import pytest
from island import Island

from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.power import SHARES, Power, _law


def told(side):
    island = Island(3, side=side)
    pixels = len(island.coordinates)
    y, flake = island.field() + 0.3 * np.random.default_rng(0).standard_normal(pixels), np.zeros(pixels, dtype=np.int64)
    test = null_test(island.features, y, island.coordinates, count=39)
    return Power.of(island.features, 1e3 * y, island.coordinates, flake, test), test  # in whatever unit


def test_a_larger_flake_shows_weaker_laws_and_a_strong_law_is_seen_on_either():
    (small, _), (large, _) = told(18), told(34)
    assert large.found.mean() > small.found.mean()
    assert large.least <= small.least
    assert large.found[-1] == 1.0
    assert large.least < SHARES[-1]
    assert f"With these {large.pixels} pixels" in large.text


def test_pixels_that_are_needed_go_with_the_square_of_what_is_seen():
    power = Power(1000, np.array([0, 0, 0.5, 0.9, 1, 1, 1]), 4321.0)
    assert power.least == 0.3
    assert "if it settled 30% of the variance of PL or more; what was measured" in power.text
    assert power.text.endswith("would need about 4,300 pixels.")
    assert "more than 80%" in Power(1000, np.zeros(7), np.nan).text


def test_needed_pixels_are_those_at_which_chance_shrinks_to_what_was_seen():
    power, test = told(18)
    one = test.told_beyond(validation=list(test.r2)[-1])
    if one.correlation > 0:
        assert power.needed == pytest.approx(power.pixels * (np.quantile(one.surrogate_correlation, 0.95) / one.correlation) ** 2)
    else:
        assert np.isnan(power.needed)


def test_the_laws_that_are_tried_have_no_mean_and_unit_spread_whatever_the_features_are():
    features = Island(3, side=18).features
    for seed in range(3):
        law = _law(features, np.random.default_rng(seed))
        assert (law.mean(), law.std()) == pytest.approx((0.0, 1.0), abs=1e-9)
        np.testing.assert_allclose(_law(7.0 + 1e-3 * features, np.random.default_rng(seed)), law, rtol=1e-6, atol=1e-9)
