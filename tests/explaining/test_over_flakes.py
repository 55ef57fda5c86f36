import numpy as np
import pytest
from scipy.stats import spearmanr

from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining.over_flakes import OverFlakes

NAMES = ("A1'.height", "E'.position", "2LA(M).fwhm", "E'.height", "A1'.fwhm")
EFFECT = np.array([[2.0, -1.0, 0.1, 0.0, 0.2], [2.4, -0.8, 0.0, 0.1, -0.1], [1.6, -1.2, -0.1, 0.05, 0.1], [2.0, 0.9, 0.05, 0.0, 1.5]])


def test_equal_errors_give_the_mean_and_the_variance_that_they_do_not_account_for():
    found = OverFlakes.of(NAMES, EFFECT, np.full(EFFECT.shape, 0.1))
    assert found.mean == pytest.approx(EFFECT.mean(axis=0))
    scatter = np.sqrt(np.maximum(EFFECT.var(axis=0, ddof=1) - 0.1**2, 0))
    assert found.scatter == pytest.approx(scatter)
    assert found.mean_error == pytest.approx(np.sqrt((scatter**2 + 0.1**2) / 4))


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


def test_each_flake_is_compared_with_the_mean_of_the_others():
    found = OverFlakes.of(NAMES, EFFECT, np.full(EFFECT.shape, 0.1)).without_one()
    assert found[1] == pytest.approx(spearmanr(EFFECT[1], EFFECT[[0, 2, 3]].mean(axis=0)).statistic)


def test_one_flake_is_no_comparison():
    with pytest.raises(DataError, match="two flakes or more"):
        OverFlakes.of(NAMES, EFFECT[:1], np.ones((1, 5)))
