"""Values unlike those around them are found, and only they."""

import warnings

import numpy as np

from napari_wse2xai.numerics import skimming


def one_by_one(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    result = np.zeros(values.shape, dtype=bool)
    for row, column in np.ndindex(values.shape):
        part = values[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3].astype(float).copy()
        part[row - max(row - 2, 0), column - max(column - 2, 0)] = np.nan
        if np.isfinite(part).sum() < 3:
            continue
        middle = np.nanmedian(part)
        scatter = 1.4826 * np.nanmedian(np.abs(part - middle))
        result[row, column] = abs(values[row, column] - middle) > 8 * np.hypot(np.nan_to_num(errors[row, column]), scatter)
    return result


def test_outliers_are_those_that_stand_out_of_scatter_and_error():
    rng = np.random.default_rng(1)
    values = rng.normal(10, 1, (14, 17)).astype(np.float32)
    values[3, 4], values[9, 9], values[0, 0] = 40, -30, 35
    values[rng.random(values.shape) < 0.2] = np.nan
    errors = rng.uniform(0, 1.5, values.shape).astype(np.float32)
    errors[5, 5] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = one_by_one(values, errors)
    found = skimming.outliers(values, errors)
    assert found.any()
    assert (found == expected).all()


def test_a_local_median_leaves_the_pixel_itself_out():
    values = np.arange(25, dtype=np.float32).reshape(5, 5)
    values[2, 2] = 1000
    where = np.zeros((5, 5), dtype=bool)
    where[2, 2] = where[0, 0] = True
    assert skimming.local_median(values, where).tolist() == [6.5, 12.0]
    values[:3, :3] = np.nan
    assert np.isnan(skimming.local_median(values, where)[0])
