"""A few pixels that stand for all."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.standard import standardised

Numbers = NDArray[np.float64]

RIDGE = 1e-3
"""Of the calibration, in units of a column's variance: keeps the weights calm."""
PAIRS = 8
"""Leading directions whose products are calibrated as well."""


def representative(table: Numbers, predicted: Numbers, count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Numbers]:
    """Choose pixels, and weights with which their means are those of all pixels.

    Parameters
    ----------
    table : (n, feature)
    predicted : (n,) the model's prediction
    count : number of pixels to choose
    rng : where in each stratum a pixel is taken

    Returns
    -------
    rows : (count,) of the table, rising; every stratum of equal prediction gives one
    weights : (count,) with sum 1; the weighted means of prediction, parameters, their squares and the products of their leading
        directions are those of all

    Notes
    -----
    Calibration estimator of survey sampling (Deville and Sarndal 1992): what the auxiliary columns explain of a curve has no sampling
    error.
    """
    n = len(table)
    if count >= n:
        return np.arange(n), np.full(n, 1.0 / n)
    order = np.argsort(predicted, kind="stable")
    # One pixel from each stratum of equal prediction: the spread of the curves within a stratum is all that is left to chance.
    drawn = (np.arange(count) * n + rng.integers(n, size=count)) // count
    rows = np.sort(order[drawn])
    known = _auxiliary(table, predicted)
    return rows, _calibrated(known[rows], known.mean(axis=0))


def _auxiliary(table: Numbers, predicted: Numbers) -> Numbers:
    """Columns whose means over all pixels are known, standardised."""
    z = standardised(np.column_stack([table, predicted]))
    _, _, directions = np.linalg.svd(z, full_matrices=False)
    leading = z @ directions[:PAIRS].T
    first, second = np.triu_indices(leading.shape[1])
    return standardised(np.column_stack([z, z**2, leading[:, first] * leading[:, second]]))


def _calibrated(known: Numbers, means: Numbers) -> Numbers:
    """Weights nearest to equal ones that reproduce the means."""
    count = len(known)
    centred = known - known.mean(axis=0)
    gram = centred.T @ centred / count
    # Chi-squared distance: of all weights that give the means these differ least from equal ones (Deville and Sarndal, case 1).
    pull = np.linalg.solve(gram + RIDGE * np.eye(len(gram)), means - known.mean(axis=0))
    return np.asarray((1.0 + centred @ pull) / count)
