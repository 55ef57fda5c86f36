"""One shift and one scale, against spectra whose shift and scale are known."""

import numpy as np
import pytest

from napari_wse2xai.theory.matching import match

LINES = (238.0, 244.0)
X = np.arange(100.0, 400.0, 0.5)


def lorentzian(x, centre, fwhm):
    return 1 / (1 + ((x - centre) / (fwhm / 2)) ** 2)


CALCULATED = lorentzian(X, LINES[0], 5) + 2 * lorentzian(X, LINES[1], 5)


def measured(axis, shift, scale, *, noise=0.0, seed=0, more=0.0):
    rng = np.random.default_rng(seed)
    moved = sum(height * lorentzian(axis - shift, line, 5) for height, line in zip((1, 2), LINES, strict=True))
    return scale * moved + 40 + 0.3 * (axis - 200) + more + rng.normal(0, noise, len(axis)) if noise else scale * moved + 40 + more


@pytest.mark.parametrize("shift", [-13.7, 0.0, 6.2, 19.1])
def test_a_known_shift_and_scale_are_found(shift):
    axis = np.arange(150.0, 330.0, 0.9)
    found = match(axis, measured(axis, shift, 500.0), X, CALCULATED, LINES)
    assert found.shift == pytest.approx(shift, abs=0.02)
    assert found.scale == pytest.approx(500, rel=0.01)
    assert found.shift_error < 0.1


def test_the_errors_are_those_of_noise_where_there_is_nothing_but_noise():
    axis = np.arange(150.0, 330.0, 0.9)
    fits = [match(axis, measured(axis, 6.2, 500.0, noise=30.0, seed=seed), X, CALCULATED, LINES) for seed in range(60)]
    off = np.array([(one.shift - 6.2) / one.shift_error for one in fits])
    stretched = np.array([(one.scale - 500) / one.scale_error for one in fits])
    for pulls in (off, stretched):
        assert 0.7 < pulls.std() < 1.4
        assert abs(pulls.mean()) < 0.45


def test_lines_that_theory_does_not_have_make_the_error_larger():
    axis = np.arange(150.0, 330.0, 0.9)
    clean = match(axis, measured(axis, 6.2, 500.0, noise=2.0), X, CALCULATED, LINES)
    other = 400 * lorentzian(axis, 261, 9)
    disturbed = match(axis, measured(axis, 6.2, 500.0, noise=2.0, more=other), X, CALCULATED, LINES)
    assert disturbed.shift_error > 5 * clean.shift_error
    assert abs(disturbed.shift - 6.2) < 3 * disturbed.shift_error


def test_channels_without_a_value_are_left_out():
    axis = np.arange(150.0, 330.0, 0.9)
    counts = measured(axis, 6.2, 500.0)
    counts[::7] = np.nan
    assert match(axis, counts, X, CALCULATED, LINES).shift == pytest.approx(6.2, abs=0.05)


@pytest.mark.parametrize(
    ("axis", "counts", "problem"),
    [
        (np.arange(300.0, 400.0), np.ones(100), "too few channels"),
        (np.arange(150.0, 240.0), np.ones(90), "too few channels"),
        (np.arange(150.0, 330.0), np.random.default_rng(1).normal(0, 1, 180), ""),
        (np.arange(150.0, 330.0), 100 - 50 * lorentzian(np.arange(150.0, 330.0), 244, 5), ""),
    ],
    ids=["elsewhere", "half the lines", "noise", "upside down"],
)
def test_where_nothing_can_be_laid_over_it_is_said(axis, counts, problem):
    found = match(axis, counts, X, CALCULATED, LINES)
    assert found.problem
    assert problem in found.problem
    assert np.isnan(found.shift)
