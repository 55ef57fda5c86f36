"""Many small systems at once, pixels last: as LAPACK solves them one by one."""

import numpy as np
import pytest

from napari_wse2xai.numerics.elimination import inverse


@pytest.mark.parametrize("size", [1, 3, 12, 24])
def test_inverses_are_those_of_lapack(size):
    rng = np.random.default_rng(size)
    slopes = rng.normal(size=(50, size, 3 * size)) * np.exp(rng.normal(size=(50, size, 1)))
    systems = slopes @ slopes.swapaxes(1, 2)
    found = inverse(systems.transpose(1, 2, 0).copy()).transpose(2, 0, 1)
    assert np.allclose(found, np.linalg.inv(systems), rtol=1e-9, atol=0)


def test_a_singular_system_harms_no_other():
    systems = np.stack([np.eye(3), np.ones((3, 3)), 2 * np.eye(3)], axis=-1)
    with np.errstate(all="ignore"):
        found = inverse(systems)
    assert np.array_equal(found[..., 0], np.eye(3))
    assert np.array_equal(found[..., 2], 0.5 * np.eye(3))
