"""RS without its noise, against what errors in variables do by textbook formulas."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from learned import make_samples
from napari_wse2xai.learning.calibrated import _rings, calibrated, drawn_in

SHAPE = (40, 40)
ROW, COLUMN = (each.ravel() for each in np.indices(SHAPE))
COUNT = ROW.size


def fitted(table: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slopes of a straight fit."""
    return np.linalg.lstsq(np.column_stack([table, np.ones(len(table))]), y, rcond=None)[0][:-1]


def test_slopes_that_noise_flattens_and_hands_to_the_neighbour_are_right_again():
    rng = np.random.default_rng(0)
    spread, error = np.array([[1.0, 0.9], [0.9, 1.0]]), 0.3
    true = rng.multivariate_normal([5.0, -2.0], spread, COUNT)
    measured = true + error * rng.standard_normal(true.shape)
    y = 2.0 * true[:, 0]
    # By formula, 1.49 and 0.43 in place of 2 and 0: the neighbour seems to act.
    flattened = np.linalg.solve(spread + error**2 * np.eye(2), spread @ [2.0, 0.0])
    assert fitted(measured, y) == pytest.approx(flattened, abs=0.06)
    assert flattened[1] > 0.4
    found, _ = drawn_in(measured, np.full(true.shape, error), ROW, COLUMN)
    assert fitted(found, y) == pytest.approx([2.0, 0.0], abs=0.15)


def test_each_ring_is_the_mean_of_the_neighbours_at_one_distance():
    rng = np.random.default_rng(3)
    row, column = np.nonzero(rng.random((9, 11)) < 0.7)
    z = rng.standard_normal((len(row), 2))
    apart = (row[:, None] - row) ** 2 + (column[:, None] - column) ** 2
    for ring, squared in zip(_rings(z, row, column), (1, 2, 4, 5), strict=True):
        wanted = [z[near].mean(axis=0) if near.any() else np.zeros(2) for near in apart == squared]
        np.testing.assert_allclose(ring, wanted, atol=1e-12)


def test_what_is_left_of_the_error_is_how_far_values_are_off():
    rng = np.random.default_rng(1)
    true = np.stack([gaussian_filter(rng.standard_normal(SHAPE), 2.0, mode="wrap").ravel() * 7, 100 * rng.standard_normal(COUNT)], axis=1)
    errors = np.array([0.5, 20.0]) * rng.uniform(0.7, 1.3, true.shape)
    found, left = drawn_in(true + errors * rng.standard_normal(true.shape), errors, ROW, COLUMN)
    off = np.sqrt(((found - true) ** 2).mean(axis=0))
    stated = np.sqrt((left**2).mean(axis=0))
    assert off == pytest.approx(stated, rel=0.1)
    assert off[0] < 0.6 * 0.5  # a smooth map tells more of its pixels than they do themselves
    assert off[1] == pytest.approx(20 / np.sqrt(1.04), rel=0.1)  # of a rough one nothing is known but its spread


def test_a_value_without_an_error_stays_and_a_step_is_no_noise():
    rng = np.random.default_rng(2)
    step = np.where(SHAPE[1] // 2 > COLUMN, 0.0, 50.0)
    errors = np.full((COUNT, 1), 0.5)
    errors[::7] = np.nan
    measured = (step + 0.5 * rng.standard_normal(COUNT))[:, None]
    found, left = drawn_in(measured, errors, ROW, COLUMN)
    np.testing.assert_array_equal(found[::7], measured[::7])
    assert np.isnan(left[::7]).all()
    assert np.abs(found - measured).max() <= 2 * 0.5 + 1e-9


def test_flakes_tell_nothing_of_one_another_and_small_ones_stay():
    both, small = make_samples(flakes=2), make_samples(shape=(12, 12))
    found = calibrated(both)
    here = found.flake == 0
    assert not np.array_equal(found.features, both.features)
    np.testing.assert_array_equal(found.targets, both.targets)
    np.testing.assert_array_equal(calibrated(_first(both)).features, found.features[here])
    np.testing.assert_array_equal(calibrated(small).features, small.features)
    assert here.sum() > 150 > len(small)


def _first(samples):
    """The pixels of the first flake alone."""
    here = samples.flake == 0
    names = ("features", "feature_errors", "filled", "targets", "target_errors", "flake", "row", "column")
    return replace(samples, frames=samples.frames[:1], names=samples.names[:1], **{name: getattr(samples, name)[here] for name in names})
