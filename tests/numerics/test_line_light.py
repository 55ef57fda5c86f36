"""The way in which spectra differ most: against numpy's whole singular value decomposition."""

import numpy as np
import pytest

from napari_wse2xai.numerics.bright_spectra import first_direction
from napari_wse2xai.numerics.line_light import Pattern


@pytest.mark.parametrize("shape", [(440, 700), (700, 300), (3, 90), (90, 3), (1, 5), (2, 1)])
def test_the_first_direction_is_that_of_a_whole_decomposition(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    line = np.exp(-0.5 * ((np.arange(shape[1]) - 40) / 4) ** 2)
    table = rng.normal(size=shape) + 3 * np.outer(rng.normal(size=shape[0]), line)
    expected = np.linalg.svd(table, full_matrices=False)[2][0]
    assert abs(first_direction(table) @ expected) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("table", [np.zeros((60, 80)), np.eye(50), np.zeros((2, 2))], ids=["zeros", "all alike", "few zeros"])
def test_where_no_direction_is_the_first_any_will_do(table: np.ndarray) -> None:
    assert np.linalg.norm(first_direction(table)) == pytest.approx(1)


def test_light_in_single_precision_is_light_in_double() -> None:
    rng, at = np.random.default_rng(2), np.linspace(-1, 1, 300)
    height = np.repeat([0.0, 1.0, 3.0], 100)[:, None]
    counts = rng.poisson(60_000 + height * 400 * np.exp(-0.5 * (at / 0.02) ** 2)).astype(np.float32)
    counts[:, 40] += 5000.0  # a ray in each
    pattern = Pattern.of(counts, at)
    (light, noise), (expected, expected_noise) = pattern.light(counts), pattern.light(counts.astype(np.float64))
    assert pattern.contrast > 8, "there is something to be seen"
    np.testing.assert_allclose(light, expected, atol=1e-3 * noise.min())
    np.testing.assert_allclose(noise, expected_noise, rtol=1e-4)
