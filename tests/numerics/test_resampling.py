"""Resampling: straight lines come out exactly, errors as those of a weighted mean, nothing is made up."""

import numpy as np

from napari_wse2xai.numerics.resampling import bilinear, nearest


def grid(rows: object, columns: object) -> np.ndarray:
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).astype(np.float64)


def test_a_plane_comes_out_exactly() -> None:
    row, column = np.indices((6, 7))
    pixels = grid(np.linspace(0, 5, 11), np.linspace(0, 6, 13))
    found, _ = bilinear((2.0 * row - 3.0 * column + 1.0)[None], np.ones((1, 6, 7)), pixels)
    np.testing.assert_allclose(found[0], 2.0 * pixels[..., 0] - 3.0 * pixels[..., 1] + 1.0, rtol=1e-6, atol=1e-6)


def test_errors_are_those_of_independent_noise() -> None:
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.5, 2.0, (1, 5, 5))
    pixels = grid([0.5, 1.25, 3.0], [0.0, 2.5, 3.9])
    draws = np.stack([bilinear(sigma * rng.standard_normal((1, 5, 5)), sigma, pixels)[0][0] for _ in range(4000)])
    _, error = bilinear(np.zeros((1, 5, 5)), sigma, pixels)
    np.testing.assert_allclose(draws.std(axis=0), error[0], rtol=0.06)


def test_nothing_is_made_up_beyond_the_map_and_in_its_holes() -> None:
    values = np.ones((1, 4, 4))
    values[0, 1, 1] = np.nan
    found, error = bilinear(values, np.ones_like(values), grid([-0.6, -0.4, 1.0, 1.7, 3.4, 3.6], [1.0, 3.0]))
    expected = [[False, False], [True, True], [False, True], [True, True], [True, True], [False, False]]
    np.testing.assert_array_equal(np.isfinite(found[0]), expected)
    np.testing.assert_array_equal(np.isfinite(error[0]), expected)
    assert (found[np.isfinite(found)] == 1.0).all()


def test_a_value_without_an_error_gives_a_value_without_one() -> None:
    error = np.ones((1, 2, 2))
    error[0, 0, 0] = np.nan
    found, spread = bilinear(np.ones((1, 2, 2)), error, grid([0.0, 1.0], [0.5]))
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(np.isfinite(spread[0, :, 0]), [False, True])


def test_codes_are_taken_from_the_nearest_pixel() -> None:
    codes = np.array([[1, 2], [3, 4]], dtype=np.uint8)
    np.testing.assert_array_equal(nearest(codes, grid([-0.7, -0.4, 0.6], [0.4, 0.6, 1.6]), outside=9), [[9, 9, 9], [1, 2, 9], [3, 4, 9]])
