import numpy as np
import pytest
from island import Island
from sklearn.linear_model import Ridge

from napari_wse2xai.errors import Cancelled, DataWarning
from napari_wse2xai.learning.null_test import null_test, p_value, spatial_permutation_test_score


def test_p_counts_the_target_itself():
    assert p_value(0.9, np.linspace(0.0, 0.8, 39)) == pytest.approx(1 / 40)
    assert p_value(0.4, np.linspace(0.0, 0.8, 9)) == pytest.approx(6 / 10)


def test_a_law_beats_every_surrogate_between_neighbours_and_across_blocks():
    island = Island(0)
    y = island.law()
    y[:3] = np.nan
    test = null_test(island.features, y, island.coordinates, target="height", count=39)
    assert test.p_value == {"random": 1 / 40, "blocks": 1 / 40}
    assert test.r2["blocks"] > 0.8 > np.quantile(test.surrogate_r2["blocks"], 0.95)
    assert len(test.surrogate_r2["random"]) == 39
    assert not test.refused


def test_smooth_maps_that_owe_nothing_to_the_features_are_no_better_than_surrogates():
    values = []
    for seed in range(3):
        island = Island(seed, side=30)
        test = null_test(island.features, island.field(), island.coordinates, count=39)
        assert test.r2["random"] > 0.3  # the trap: a random split alone would let it pass
        values.append([test.p_value["random"], test.p_value["blocks"]])
    assert np.max(values, axis=0).min() > 0.3
    assert not (np.array(values) <= 0.05).all(axis=1).any()


def test_where_blocks_do_not_fit_only_the_random_split_is_tested():
    rng = np.random.default_rng(0)
    strip = np.argwhere(np.ones((3, 40)))
    ramp = strip @ (0.1, 1.0)
    with pytest.warns(DataWarning, match="too small for honest blocks"):
        test = null_test(rng.standard_normal((120, 6)), ramp, strip, count=39)
    assert "blocks" not in test.p_value


def test_cancel_passes_through():
    def cancel(fraction, _message):
        if fraction > 0:
            raise Cancelled

    island = Island(0, side=20)
    with pytest.raises(Cancelled):
        null_test(island.features, island.law(), island.coordinates, count=39, progress=cancel)


def test_any_estimator_of_scikit_learn():
    island = Island(2, side=24)
    rng = np.random.default_rng(0)
    linear = island.features @ rng.standard_normal(24)
    score, others, p = spatial_permutation_test_score(Ridge(), island.features, linear, island.coordinates, n_permutations=19)
    assert (p, len(others)) == (1 / 20, 19)
    assert score > 0.95 > others.max()
    assert spatial_permutation_test_score(Ridge(), island.features, island.field(), island.coordinates, n_permutations=19).pvalue > 0.05
