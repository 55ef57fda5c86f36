"""What theory says of a finding: rank correlations against scipy's, sentences against made-up references."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from napari_wse2xai.theory.agreement import Agreement, NetworkFinding, pristine_mode, rank_correlation, sentences_of
from napari_wse2xai.theory.evaluation import evaluate
from napari_wse2xai.theory.findings import fall_with_defects
from napari_wse2xai.theory.naming import propose


@pytest.fixture(scope="module")
def result():
    return evaluate("WSe2")


@pytest.fixture(scope="module")
def unmoved(result):
    """A made-up reference: no defect makes any line lower than a null control does."""
    heights = result.relative_height.copy()
    heights[:, 1:] = 0.95
    return replace(result, relative_height=heights)


PROPOSALS = propose(["P220", "A1'"], [219.8, 249.7], [10.0, 1.0], {"A1'": 249.0, "E'": 247.7})


def found(feature="A1'.height", agreement=None, stamp=""):
    return NetworkFinding(feature, "height", stamp, agreement, "A1'")


def test_the_correlation_is_that_of_ranks_ties_included():
    rng = np.random.default_rng(4)
    one = rng.integers(0, 9, 70).astype(float)
    other = one + rng.normal(0, 3, 70).round()
    got = rank_correlation(one, other, rng.normal(size=(70, 2)))
    assert got.correlation == pytest.approx(spearmanr(one, other).statistic)


@pytest.mark.parametrize("smooth", [0.0, 1.2, 2.5])
def test_the_error_is_the_spread_over_maps_that_owe_nothing_to_each_other(smooth):
    rows, columns = np.indices((20, 26)).reshape(2, -1)
    places = np.column_stack([rows, columns]).astype(float)
    rng = np.random.default_rng(5)
    got = []
    for _ in range(60):
        one, other = (gaussian_filter(rng.normal(size=(20, 26)), smooth).ravel() for _ in range(2))
        got.append(rank_correlation(one, other, places))
    spread = np.std([one.correlation for one in got])
    assert np.mean([one.error for one in got]) == pytest.approx(spread, rel=0.35)
    assert np.mean([one.verdict == "tells nothing" for one in got]) > 0.9


def test_pixels_of_two_flakes_are_no_neighbours():
    rng = np.random.default_rng(6)
    rows, columns = np.indices((14, 17)).reshape(2, -1)
    one, other = (gaussian_filter(rng.normal(size=(14, 17)), 2).ravel() for _ in range(2))
    apart = np.column_stack([np.tile(rows, 2), np.tile(columns, 2), np.repeat([0, 1], len(rows))]).astype(float)
    alone = rank_correlation(one, other, apart[: len(one), :2])
    twice = rank_correlation(np.tile(one, 2), np.tile(other, 2), apart)
    assert twice.error == pytest.approx(alone.error / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(
    ("correlation", "error", "verdict"),
    [(0.5, 0.1, "agrees"), (-0.5, 0.1, "disagrees"), (0.15, 0.1, "tells nothing"), (np.nan, np.nan, "tells nothing")],
)
def test_two_standard_errors_are_asked_for(correlation, error, verdict):
    assert Agreement(correlation, error, 100).verdict == verdict


def test_a_flat_map_has_no_correlation():
    got = rank_correlation(np.ones(10), np.arange(10.0), np.indices((5, 2)).reshape(2, -1).T.astype(float))
    assert np.isnan(got.correlation)


def test_three_sentences_with_numbers(result):
    exists, falls, slopes = sentences_of(result, PROPOSALS, found(agreement=Agreement(0.41, 0.08, 950)))
    assert "relies most on the height of A1', measured at 249.7 cm-1; theory has A1' at 249.0 cm-1 (LDA)" in exists
    assert "A1' falls, by 28 to 62 %" in falls
    assert "below every null control" in falls
    assert "agrees: the slope is high where" in slopes
    assert "0.41 ± 0.08, 950 pixels" in slopes


def test_a_slope_image_that_says_the_opposite_is_told(result):
    *_, slopes = sentences_of(result, PROPOSALS, found(agreement=Agreement(-0.41, 0.08, 950)))
    assert "disagrees: the slope is low where" in slopes


def test_a_reference_whose_line_does_not_fall_says_nothing(unmoved):
    assert not fall_with_defects(unmoved, "A1'").real
    assert pristine_mode(unmoved, "A1'") == ""
    exists, falls, slopes = sentences_of(unmoved, PROPOSALS, found(agreement=Agreement(0.41, 0.08, 950)))
    assert "theory has A1'" in exists
    assert "theory says nothing here" in falls
    assert "theory says nothing here" in slopes
    assert "agrees" not in slopes


def test_a_line_that_theory_does_not_have_is_told_and_nothing_else(result):
    (only,) = sentences_of(result, PROPOSALS, found("P220.height"))
    assert "P220 at 219.8 cm-1: theory says nothing here" in only


def test_one_engine_alone_is_not_enough(result):
    heights = result.relative_height.copy()
    heights[result.engines.index("GFN1-xTB"), 1:] = 0.95
    assert not fall_with_defects(replace(result, relative_height=heights), "A1'").real


def test_the_stamp_of_a_doubtful_network_is_on_the_sentence(result):
    exists, *_ = sentences_of(result, PROPOSALS, found(stamp="DO NOT INTERPRET"))
    assert "the network (do not interpret) relies" in exists
