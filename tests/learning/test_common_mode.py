import numpy as np
import pytest
from island import Island

from napari_wse2xai.data import NullTest
from napari_wse2xai.errors import DataError
from napari_wse2xai.learning.common_mode import HEIGHTS, _correlation, _first_component, common_factor, common_mode
from napari_wse2xai.learning.null_test import null_test


@pytest.fixture(scope="module")
def drifting():
    """A flake whose heights differ by a few percent of their own, under a focus that changes much more."""
    island = Island(4, side=28)
    focus = np.exp(0.3 * island.field())
    features = island.features.copy()
    features[:, HEIGHTS] = 1000.0 * np.exp(0.05 * features[:, HEIGHTS]) * focus[:, None]
    return island, features, focus


def test_the_common_factor_is_the_focus(drifting):
    _, features, focus = drifting
    factor = common_factor(features[:, HEIGHTS])
    assert np.corrcoef(np.log(factor), np.log(focus))[0, 1] > 0.95
    np.testing.assert_allclose(common_factor(1e-6 * features[:, HEIGHTS]), factor)  # whatever heights are counted in


def test_a_map_that_is_nothing_but_the_focus_is_found_out(drifting):
    island, features, focus = drifting
    pl = 6000.0 * focus * (1 + 0.02 * island.rng.standard_normal(len(focus)))
    test = null_test(features, pl, island.coordinates, target="height", count=39)
    assert test.p_value["random"] <= 0.05  # the null test alone is taken in
    found = common_mode(features, pl, island.coordinates, test)
    assert found.first_share > 0.6
    assert found.together
    assert found.p_normalised["random"] > 0.05
    assert found.r2_normalised["blocks"] < 0.8 < found.r2["blocks"]
    assert found.text.startswith("All RS heights move together (first component")
    logs = np.log(features[:, HEIGHTS])
    assert found.first_share == pytest.approx(np.linalg.eigvalsh(np.corrcoef(logs.T))[-1] / logs.shape[1])
    assert found.correlation == pytest.approx(np.corrcoef(np.log(common_factor(features[:, HEIGHTS])), pl)[0, 1])


def test_a_flake_too_small_for_blocks_is_asked_on_the_random_split_without_a_further_warning():
    rng = np.random.default_rng(0)
    strip = np.argwhere(np.ones((3, 40)))
    focus = np.exp(0.3 * np.sin(strip[:, 1] / 6.0))
    features = 100.0 * focus[:, None] * np.exp(0.02 * rng.standard_normal((120, 6)))
    measured = NullTest("height", "fast model", {"random": 0.9}, {"random": np.zeros(39)}, {"random": 0.025}, "")
    found = common_mode(features, 50.0 * focus, strip, measured, heights=slice(None))
    assert set(found.r2_normalised) == set(found.r2_divided) == {"random"}
    assert "R2 on the random split: 0.90 as measured" in found.text


def test_a_law_outlives_the_division(drifting):
    island, features, focus = drifting
    pl = 6000.0 * np.exp(0.4 * features[:, 3] / features[:, 3].std()) * focus**0.3
    pl[:4] = np.nan
    found = common_mode(features, pl, island.coordinates, null_test(features, pl, island.coordinates, count=39))
    assert found.p_normalised == {"random": 1 / 40, "blocks": 1 / 40}


def test_of_one_line_alone_nobody_says_that_all_heights_move_together(drifting):
    island, features, focus = drifting
    measured = NullTest("height", "fast model", {"blocks": 0.9}, {"random": np.zeros(3)}, {"random": 0.25}, "")
    found = common_mode(features[:, :3], 50.0 * focus, island.coordinates, measured)
    correlation = np.corrcoef(np.log(features[:, 2]), focus)[0, 1]
    assert found.text.startswith("One RS line alone rises above the noise in most pixels")
    assert f"(correlation with PL {correlation:.2f}). R2 in spatial blocks: 0.90 as measured" in found.text
    assert "together" not in found.text
    assert "without that height" in found.text


def test_pl_divided_by_the_focus_too_is_what_a_law_beside_the_focus_makes_of_it(drifting):
    island, features, focus = drifting
    pl = 6000.0 * np.exp(0.4 * features[:, 3] / features[:, 3].std()) * focus
    measured = NullTest("height", "fast model", {"random": 0.9}, {"random": np.zeros(3)}, {"random": 0.25}, "")
    found = common_mode(features, pl, island.coordinates, measured)
    assert found.r2_divided["blocks"] > 0.9 > found.r2_normalised["blocks"]


def test_heights_that_are_all_noise_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="No RS line rises above the noise"):
        common_factor(rng.standard_normal((100, 8)))


def test_a_line_that_does_not_rise_above_the_noise_takes_no_part(drifting):
    _, features, _ = drifting
    heights = features[:, HEIGHTS].copy()
    rest = common_factor(heights[:, 1:])
    heights[:, 0] = np.random.default_rng(0).standard_normal(len(heights))
    np.testing.assert_allclose(common_factor(heights), rest)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_heights_that_are_the_same_everywhere_do_not_move_together():
    heights = np.full((50, 3), 7.0)
    assert _first_component(np.zeros((50, 3))) == (0.0, False)
    assert _correlation(np.log(common_factor(heights)), np.arange(50.0)) == 0.0
    assert _correlation(np.arange(50.0), -np.arange(50.0)) == pytest.approx(-1)
