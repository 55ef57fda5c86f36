import warnings

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, r2_score

from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.learning.scores import measure, noise_ceiling
from napari_wse2xai.numerics.relative_error import in_percent


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y = rng.uniform(50.0, 100.0, 200)
    prediction = y + rng.normal(0.0, 5.0, 200)
    r2, mae, mape, wape = measure(y, prediction)
    assert r2 == pytest.approx(r2_score(y, prediction))
    assert mae == pytest.approx(mean_absolute_error(y, prediction))
    assert mape == pytest.approx(100 * mean_absolute_percentage_error(y, prediction))
    assert wape == pytest.approx(100 * mae / y.mean())


def test_values_near_zero_call_for_another_measure_than_mape():
    y = np.linspace(50.0, 100.0, 100)
    y[:5] = 0.01
    with pytest.warns(DataWarning, match="5.0% of the measured values lie near zero.*WAPE"):
        scores = measure(y, y + 1.0)
    assert np.isnan(scores.mape)
    assert scores.wape < 100.0


def test_one_value_of_next_to_nothing_leaves_mape_out_too():
    y = np.linspace(50.0, 100.0, 500)
    y[7] = 1e-9
    assert mean_absolute_percentage_error(y, y + 1.0) > 1e6  # what would stand in a title
    with pytest.warns(DataWarning, match="MAPE means nothing"):
        assert np.isnan(measure(y, y + 1.0).mape)
    assert in_percent(np.nan, 2.345) == "WAPE 2.3 %"
    assert in_percent(1.0, 2.345) == "MAPE 1.0 %"


def test_pixels_without_value_are_left_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measure([np.nan, 1.0, 2.0, 3.0], [1.0, 1.0, np.nan, 3.0]) == (1.0, 0.0, 0.0, 0.0)


def test_nothing_to_score_is_refused():
    with pytest.raises(DataError, match="nothing can be scored"):
        measure([np.nan], [1.0])
    with pytest.raises(DataError, match=r"shape \(2,\)"):
        measure([1.0, 2.0, 3.0], [1.0, 2.0])


def test_errors_of_the_target_bound_what_a_model_can_reach():
    rng = np.random.default_rng(1)
    truth = rng.normal(50.0, 2.0, 5000)
    measured = truth + rng.normal(0.0, 1.0, 5000)
    assert noise_ceiling(measured, np.ones(5000)) == pytest.approx(measure(measured, truth).r2, abs=0.02)
    assert np.isnan(noise_ceiling(measured, np.full(5000, np.nan)))
