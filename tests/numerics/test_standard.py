import numpy as np
import pytest
from scipy.stats import zscore

from napari_wse2xai.numerics.standard import or_one, standardised


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_columns_are_those_of_scipy_and_one_that_is_the_same_everywhere_is_nothing():
    table = np.random.default_rng(0).normal(3.0, [1.0, 20.0, 0.5], (50, 3))
    table[:, 2] = 7.0
    found = standardised(table)
    np.testing.assert_allclose(found[:, :2], zscore(table[:, :2]), atol=1e-12)
    assert (found[:, 2] == 0).all()
    assert or_one(np.array([0.0, 0.25, 2.0])).tolist() == [1.0, 0.25, 2.0]
