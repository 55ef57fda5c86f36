"""Least squares with no negative unknown: as scipy finds them."""

import numpy as np
import pytest
from scipy.optimize import nnls

from napari_wse2xai.numerics.nonnegative import nonnegative


@pytest.mark.parametrize("unknowns", [1, 2, 5, 12])
def test_it_finds_what_scipy_finds(unknowns):
    rng = np.random.default_rng(unknowns)
    for _ in range(50):
        columns = rng.normal(size=(40, unknowns)) * np.exp(rng.normal(size=unknowns)) + rng.normal(size=(40, 1))
        right = columns @ rng.normal(size=unknowns) + 3 * rng.normal(size=40)
        expected, left = nnls(columns, right)
        found = nonnegative(columns, right)
        assert found.min() >= 0
        assert np.linalg.norm(right - columns @ found) == pytest.approx(left, rel=1e-9)
        assert np.allclose(found, expected, atol=1e-7 * max(expected.max(), 1e-9))


def test_columns_that_are_alike_or_nothing_do_no_harm():
    line = np.linspace(1, 2, 30)
    columns = np.stack([line, line, np.zeros(30), -line], axis=1)
    found = nonnegative(columns, 5 * line)
    assert np.allclose(columns @ found, 5 * line)
    assert not nonnegative(columns[:, 2:], 5 * line).any()
