"""Lines and power laws through a few points, beside numpy's and scipy's."""

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import linregress
from scipy.stats import t as student

from napari_wse2xai.numerics.trend import trend

X = np.array([0.5, 1.0, 2.0, 4.0, 8.0])
NOISE = np.array([0.3, -0.2, 0.1, -0.4, 0.2])


def test_a_line_is_that_of_scipy():
    y = 3.0 - 0.7 * X + NOISE
    found, expected = trend(X, y), linregress(X, y)
    assert (found.slope, found.slope_error, found.intercept) == pytest.approx((expected.slope, expected.stderr, expected.intercept))


def test_known_errors_weigh_and_bound_the_error_from_below():
    y, errors = 3.0 - 0.7 * X + NOISE, np.array([0.5, 0.6, 0.4, 0.9, 0.7])
    values, covariance = curve_fit(lambda x, a, b: a + b * x, X, y, sigma=errors, absolute_sigma=True)
    found = trend(X, y, errors)
    assert (found.slope, found.intercept) == pytest.approx((values[1], values[0]))
    assert found.slope_error == pytest.approx(np.sqrt(covariance[1, 1]))
    assert trend(X, y, 0.01 * errors).slope_error > 5 * found.slope_error * 0.01


@pytest.mark.parametrize("scatter", [0.0, 0.3, 1.5])
def test_errors_cover_where_flakes_differ_by_more_than_their_own_errors(scatter):
    rng, count, inside = np.random.default_rng(0), 8, []
    for _ in range(400):
        own = 0.3 * np.exp(1.5 * rng.normal(size=count))  # flakes of a hundred pixels beside those of many thousands
        x = rng.uniform(1, 10, count)
        found = trend(x, 2 + 0.5 * x + rng.normal(size=count) * np.hypot(own, scatter), own)
        inside.append(abs(found.slope - 0.5) < student.ppf(0.975, count - 2) * found.slope_error)
    assert np.mean(inside) > 0.9


def test_a_power_law_has_its_exponent():
    y = 40 * X**0.83 * np.exp(0.05 * NOISE)
    expected = linregress(np.log(X), np.log(y))
    found = trend(X, y)
    assert (found.exponent, found.exponent_error) == pytest.approx((expected.slope, expected.stderr))
    assert np.isnan(trend(X - 1, y).exponent)


@pytest.mark.parametrize("x", [[1, 2], [1, 1, 1], [], [1, np.nan, 2]])
def test_too_few_points_have_no_trend(x):
    found = trend(x, np.ones(len(x)))
    assert np.isnan([found.slope, found.slope_error, found.exponent]).all()
