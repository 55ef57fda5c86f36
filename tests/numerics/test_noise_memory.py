"""The memory of noise, read off residuals: that of smoothed spectra and no other, whatever outliers, slow misfits and short windows do."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from napari_wse2xai.numerics.problem import Problem
from napari_wse2xai.numerics.residual_noise import Noise

PIXELS, SIGMA = 420, 6.0
LINE = np.array([[250.0, 8.0, 300.0, 0.0]])


def problem(low: float, high: float) -> Problem:
    x = np.arange(low, high, 0.6)
    return Problem(x, ("lorentzian",), LINE, LINE[:, 0], LINE * [0.5, 0.5, 0.01, 1.0], LINE * [2.0, 2.0, 100.0, 1.0], 1, 0.0)


def drawn(x: np.ndarray, wide: int, seed: int = 0) -> np.ndarray:
    """A line in noise that a moving mean over some channels smoothed."""
    rng = np.random.default_rng(seed)
    noise = uniform_filter1d(rng.normal(size=(PIXELS, len(x) + 40)), wide)[:, 20:-20]
    position, fwhm, height, _ = LINE[0]
    return 100 + height / (1 + 4 * ((x - position) / fwhm) ** 2) + SIGMA * noise / noise.std()


def fitted(asked: Problem, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from napari_wse2xai.numerics import least_squares

    return counts, least_squares.fit(asked, counts, least_squares.Tolerance(), start=np.repeat(LINE[None], len(counts), axis=0))


def read(asked: Problem, counts: np.ndarray) -> Noise:
    return Noise.of(asked, *fitted(asked, counts.astype(np.float32)))


@pytest.mark.parametrize("window", [(190, 310), (220, 280), (234, 266)])
@pytest.mark.parametrize("wide", [2, 3, 5, 9])
def test_a_moving_mean_is_remembered_as_far_as_it_reaches(window, wide):
    asked = problem(*window)
    memory = read(asked, drawn(asked.x, wide)).memory
    assert len(memory) == pytest.approx(wide, abs=1 + wide // 4)
    true = 1 - np.arange(min(wide, len(memory))) / wide
    np.testing.assert_allclose(memory[:wide], true, atol=0.06)


def test_white_noise_is_not_remembered():
    asked = problem(220, 280)
    noise = read(asked, drawn(asked.x, 1))
    assert noise.memory == ()
    assert noise.usual == pytest.approx(SIGMA**2, rel=0.03)
    assert noise.channel is None


def test_what_lone_channels_did_to_their_fits_is_not_remembered():
    asked, rng = problem(220, 280), np.random.default_rng(1)
    counts = drawn(asked.x, 1)
    hit = rng.random(counts.shape) < 0.02
    counts[hit] += rng.choice([-1.0, 1.0], hit.sum()) * rng.uniform(100, 400, hit.sum())
    assert read(asked, counts).memory == ()


def test_slow_misfits_of_either_sign_are_not_remembered():
    asked, rng = problem(190, 310), np.random.default_rng(2)
    wave = np.cos(2 * np.pi * (asked.x - 190) / 60)
    assert read(asked, drawn(asked.x, 1) + 20 * rng.normal(size=(PIXELS, 1)) * wave).memory == ()
    memory = read(asked, drawn(asked.x, 3) + 20 * rng.normal(size=(PIXELS, 1)) * wave).memory
    np.testing.assert_allclose(memory, (1, 2 / 3, 1 / 3), atol=0.06)


def test_misfits_that_pixels_beside_one_another_share_are_not_remembered():
    """A second line that comes and goes over a map: stripes of some pixels with it and some where the first is too high instead."""
    asked = problem(220, 280)
    sign = np.where(np.arange(PIXELS) // 10 % 2, 1.0, -1.0)[:, None]
    second = 60 / (1 + 4 * ((asked.x - 262) / 3) ** 2)
    assert read(asked, drawn(asked.x, 1) + sign * second).memory == ()


def test_some_pixels_that_nothing_fits_do_not_speak_for_the_others():
    asked, rng = problem(220, 280), np.random.default_rng(3)
    counts = drawn(asked.x, 1)
    counts[rng.permutation(PIXELS)[:60]] += 150 / (1 + 4 * ((asked.x - rng.uniform(225, 275, (60, 1))) / 5) ** 2)
    assert read(asked, counts).memory == ()


@pytest.mark.parametrize("gain", [1.0, 3.0])
@pytest.mark.parametrize("height", [300.0, 10_000.0])
def test_a_pixels_own_noise_is_told_by_its_dark_channels(gain, height):
    """Differences under a bright line are nearly all shot noise: what they left for the dark channels was up to five times too little."""
    asked, rng = problem(200, 300), np.random.default_rng(5)
    line = height * rng.uniform(0.5, 1.5, (PIXELS // 4, 1)) / (1 + 4 * ((asked.x - 250) / 8) ** 2)
    counts = line + SIGMA * rng.normal(size=line.shape) + rng.normal(size=line.shape) * np.sqrt(gain * line)
    counts, found = fitted(asked, counts.astype(np.float32))
    noise = Noise.of(asked, counts, found)
    left = counts - line
    variance = noise.variance(left.astype(np.float32), line.astype(np.float32))
    ratio = variance / (SIGMA**2 + gain * line)
    assert np.abs(np.quantile(ratio, [0.02, 0.5, 0.98]) - 1).max() < 0.25
    pixels = (left**2 / variance).mean(axis=1)
    assert pixels.std() < 1.3 * np.sqrt(2 / len(asked.x))


def test_a_pixel_that_is_noisier_than_the_others_says_so():
    asked, rng = problem(200, 300), np.random.default_rng(6)
    line = 500 / (1 + 4 * ((asked.x - 250) / 8) ** 2) * np.ones((PIXELS // 4, 1))
    sigma = np.where(np.arange(len(line)) % 10 == 0, 30.0, SIGMA)[:, None]
    counts = line + sigma * rng.normal(size=line.shape) + rng.normal(size=line.shape) * np.sqrt(line)
    counts, found = fitted(asked, counts.astype(np.float32))
    variance = Noise.of(asked, counts, found).variance((counts - line).astype(np.float32), line.astype(np.float32))
    assert np.median(variance[::10, :10]) == pytest.approx(900, rel=0.25)
