import numpy as np
import pytest
from scipy.stats import spearmanr

from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.over_flakes import OverFlakes

NAMES = ("A1'.height", "E'.position", "2LA(M).fwhm", "E'.height", "A1'.fwhm")
EFFECT = np.array([[2.0, -1.0, 0.1, 0.0, 0.2], [2.4, -0.8, 0.0, 0.1, -0.1], [1.6, -1.2, -0.1, 0.05, 0.1], [2.0, 0.9, 0.05, 0.0, 1.5]])


def test_equal_errors_give_the_mean_and_the_variance_that_they_do_not_account_for():
    found = OverFlakes.of(NAMES, EFFECT, np.full(EFFECT.shape, 0.1))
    assert found.mean == pytest.approx(EFFECT.mean(axis=0))
    scatter = np.sqrt(np.maximum(EFFECT.var(axis=0, ddof=1) - 0.1**2, 0))
    assert found.scatter == pytest.approx(scatter)
    assert found.mean_error == pytest.approx(np.sqrt((scatter**2 + 0.1**2) / 4))


def test_unequal_errors_give_what_the_formula_gives_by_hand():
    # Weights 4, 4, 1: fixed mean 16/9, Q = 68/9, C = 16/3, so tau2 = 25/24; then weights 24/31, 24/31, 24/49.
    found = OverFlakes.of(["A"], [[1.0], [2.0], [4.0]], [[0.5], [0.5], [1.0]])
    weights = np.array([24 / 31, 24 / 31, 24 / 49])
    assert found.scatter[0] == pytest.approx(np.sqrt(25 / 24))
    assert found.mean[0] == pytest.approx((weights @ [1.0, 2.0, 4.0]) / weights.sum())
    left = (weights @ (np.array([1.0, 2.0, 4.0]) - found.mean[0]) ** 2) / 2  # Knapp and Hartung's factor, 1.07 here
    assert found.mean_error[0] == pytest.approx(np.sqrt(left / weights.sum()))


def test_a_flake_with_a_large_error_counts_less():
    error = np.full(EFFECT.shape, 0.1)
    error[3] = 50.0
    assert OverFlakes.of(NAMES, EFFECT, error).mean[1] == pytest.approx(EFFECT[:3, 1].mean(), abs=0.02)


def test_what_holds_has_its_place_and_its_sign():
    found = OverFlakes.of(NAMES, EFFECT, np.full(EFFECT.shape, 0.1))
    assert NAMES[found.ranking[0]] == "A1'.height"
    assert found.holds[0] == 4
    assert found.holds[1] == 3  # on the last flake it has the other sign
    assert "holds on 4 of 4 flakes" in found.sentences()[0]
    assert "holds on 3 of 4 flakes" in found.sentences()[1]
    assert "holds on 4 of 6 flakes" in found.sentences(silent=2)[0]


def test_one_parameter_alone_has_no_ranking():
    alone = OverFlakes.of(NAMES[:1], EFFECT[:, :1], np.full((len(EFFECT), 1), 0.1))
    assert [line.partition(":")[0] for line in alone.sentences()] == [NAMES[0]]


def test_each_flake_is_compared_with_the_mean_of_the_others():
    found = OverFlakes.of(NAMES, EFFECT, np.full(EFFECT.shape, 0.1)).without_one()
    assert found[1] == pytest.approx(spearmanr(EFFECT[1], EFFECT[[0, 2, 3]].mean(axis=0)).statistic)


def test_one_flake_is_no_comparison():
    with pytest.raises(DataError, match="two flakes or more"):
        OverFlakes.of(NAMES, EFFECT[:1], np.ones((1, 5)))
