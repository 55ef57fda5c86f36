"""How smoothed noise goes on along the channels, against how far sums of it scatter."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from napari_wse2xai.numerics.noise import channel_sigma
from napari_wse2xai.numerics.noise_memory import WHITE, memory

NOISE = np.random.default_rng(0).normal(0, 7, (400, 300))


@pytest.mark.parametrize("smoothed", [uniform_filter1d(NOISE, 3), gaussian_filter1d(NOISE, 1.0), gaussian_filter1d(NOISE, 1.5)])
def test_a_weighted_sum_of_smoothed_channels_scatters_as_far_as_is_said(smoothed):
    shown = channel_sigma(smoothed)[:, None]
    found = memory(smoothed / shown)
    weight = np.cos((np.arange(300) - 150) / 9.0) * np.exp(-(((np.arange(300) - 150) / 12.0) ** 2))
    scatter = float(np.std(smoothed @ weight))
    assert found.size * float(np.median(shown)) == pytest.approx(float(smoothed.std()), rel=0.1)
    assert found.of_sum(weight) * found.size * float(np.median(shown)) == pytest.approx(scatter, rel=0.1)
    assert scatter > 1.5 * float(np.median(shown)) * float(np.linalg.norm(weight))


def test_white_noise_has_none():
    assert memory(NOISE / channel_sigma(NOISE)[:, None]) is WHITE
