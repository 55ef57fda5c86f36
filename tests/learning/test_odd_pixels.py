"""Which pixels' PL is not learnt from: those that stand alone, not those of an edge, a grain, a stripe or a noisy place."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.learning.odd_pixels import odd_pixels

SHAPE = (20, 24)
Y, X = np.indices(SHAPE)
RNG = np.random.default_rng(0)
SMOOTH = 1000 + 200 * np.sin(Y / 5) * np.cos(X / 6)
NOISY = SMOOTH + 20 * RNG.standard_normal(SHAPE)


def odd(samples, picture):
    """(ny, nx) what is found in a picture that all pixels of the samples' flake are on."""
    row, column = Y.ravel(), X.ravel()
    nothing = np.zeros((row.size, 0))
    made = replace(
        samples,
        lines=(),
        features=nothing,
        feature_errors=nothing,
        filled=nothing.astype(bool),
        targets=picture.reshape(-1, 1),
        target_errors=np.full((row.size, 1), np.nan),
        flake=np.zeros(row.size, dtype=np.int64),
        row=row,
        column=column,
    )
    return odd_pixels(made)[:, 0].reshape(SHAPE)


@pytest.mark.parametrize("factor", [0.0, 5.0])
def test_dead_and_bright_pixels_are_found_and_no_others(samples, factor):
    planted = np.zeros(SHAPE, dtype=bool)
    planted[[0, 4, 9, 10, 19], [7, 12, 3, 4, 23]] = True  # at an edge, inside, two that touch, in a corner
    planted[19, 23] = False  # three neighbours tell too little
    np.testing.assert_array_equal(odd(samples, np.where(planted, factor * NOISY, NOISY)), planted)


@pytest.mark.parametrize(
    "picture",
    [
        NOISY,
        np.where((Y < 11) & (X < 13), 300.0, 1500.0) + 5 * RNG.standard_normal(SHAPE),  # a convex corner
        np.where(np.abs(Y - X) < 2, 300.0, 1500.0) + 5 * RNG.standard_normal(SHAPE),  # a narrow line
        np.exp(SMOOTH / 100) * (1 + 0.3 * np.random.default_rng(0).standard_normal(SHAPE)),  # noise that goes with light over decades
        np.where(RNG.random(SHAPE) < 0.08, 0.0, NOISY),  # too many: it is what the flake is like
        np.where((Y == 5) & (X == 5), NOISY + 150, NOISY),  # off, but it holds nothing
    ],
)
def test_what_has_more_of_its_kind_is_kept(samples, picture):
    assert not odd(samples, picture).any()
