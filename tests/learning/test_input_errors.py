import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from napari_wse2xai.errors import DataError
from napari_wse2xai.learning.input_errors import error_spread


@pytest.fixture
def line():
    """y = 3 a - 4 b, and the model that knows it."""
    inputs = np.random.default_rng(0).standard_normal((2000, 2))
    y = inputs @ (3.0, -4.0)
    return inputs, y, LinearRegression().fit(inputs, y)


def test_a_linear_model_spreads_as_its_coefficients_say(line):
    inputs, y, model = line
    spread = error_spread(model, inputs, np.full(inputs.shape, 0.1), y, count=200)
    assert np.median(spread.prediction_std) == pytest.approx(0.5, rel=0.03)  # 0.1 * hypot(3, 4)
    assert spread.r2.mean() == pytest.approx(1 - 0.25 / y.var(), abs=0.002)
    assert spread.r2_measured == pytest.approx(1.0)
    assert "drawn anew 200 times" in spread.text


def test_without_errors_nothing_changes(line):
    inputs, y, model = line
    spread = error_spread(model, inputs, np.full(inputs.shape, np.nan), y, count=3)
    assert spread.prediction_std.max() < 1e-12
    assert spread.r2 == pytest.approx(1.0)


def test_errors_of_another_shape_are_refused(line):
    inputs, y, model = line
    with pytest.raises(DataError, match=r"shape \(2,\)"):
        error_spread(model, inputs, [0.1, 0.1], y)
