"""What of a map is shown first."""

import numpy as np
import pytest

from napari_wse2xai.numerics.brightness import signal, telling_channel, without_rays


@pytest.fixture
def counts() -> np.ndarray:
    """Noise, a line of 7 channels everywhere, and a brighter spot."""
    made = np.random.default_rng(0).normal(10, 1, (12, 14, 64)).astype(np.float32)
    line = np.exp(-0.5 * ((np.arange(64) - 30) / 3) ** 2)
    made += 100 * line
    made[4:7, 5:9] += 300 * line
    return made


def test_the_telling_channel_is_that_of_the_spot(counts) -> None:
    assert telling_channel(counts) == pytest.approx(30, abs=1)


def test_a_map_of_nan_and_one_of_a_single_pixel_have_a_channel_too(counts) -> None:
    assert telling_channel(np.full_like(counts, np.nan)) == 32
    assert telling_channel(counts[:1, :1]) == pytest.approx(30, abs=1)


def test_the_signal_is_deaf_to_a_cosmic_ray(counts) -> None:
    counts[0, 0, 29:32] += 1e5
    assert np.unravel_index(np.argmax(signal(counts)), (12, 14)) != (0, 0)


@pytest.mark.parametrize("pixel", [(0, 0), (5, 6), (11, 13)])
def test_a_cosmic_ray_is_cut_and_the_line_is_not(counts, pixel: tuple[int, int]) -> None:
    before = counts[pixel].copy()
    counts[(*pixel, slice(50, 53))] += 1e4
    tame = without_rays(counts, *pixel)
    assert tame[50:53].max() < 20
    assert tame.max() == pytest.approx(before.max(), rel=0.1)


def test_a_sharp_line_of_all_pixels_is_not_cut(counts) -> None:
    counts[..., 50] += 1e4
    assert without_rays(counts, 5, 6)[50] > 9e3


def test_what_has_no_neighbours_or_no_values_is_left_as_it_is(counts) -> None:
    np.testing.assert_array_equal(without_rays(counts[:1, :1], 0, 0), counts[0, 0])
    counts[5, 6, 3] = np.nan
    np.testing.assert_array_equal(without_rays(counts, 5, 6), counts[5, 6])


@pytest.mark.parametrize("dead", [[5], [33], [0, 1, 2, 31, 63]])
def test_channels_without_a_value_leave_the_telling_one_and_the_signal_alone(counts, dead) -> None:
    whole = signal(counts)
    counts[..., dead] = np.nan
    counts[2, 3] = np.nan
    counts[8, ::2, 40] = np.nan
    assert telling_channel(counts) == pytest.approx(30, abs=1)
    assert np.isnan(signal(counts)[2, 3])
    others = np.isfinite(signal(counts))
    assert others.sum() == others.size - 1
    assert signal(counts)[others] == pytest.approx(whole[others], abs=40)
