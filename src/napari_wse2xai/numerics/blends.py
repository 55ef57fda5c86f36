"""Errors of lines that lie on one another: along the direction that the data hardly tell, the errors themselves change."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.local_problem import LocalProblem

Values = NDArray[np.float64]
ALIKE = 0.9
"""Correlation of two parameters from which the data hardly tell one from the other."""
FAR = 2.0
"""Standard deviations to either side at which errors are taken anew: estimates are as far off now and then."""
STEPS = 8
"""Of the power iteration to the direction that is told least."""


def of_blends(
    local: LocalProblem, covariance: Values, variance: NDArray[np.float32], memory: tuple[float, ...] = (), *, flat: bool = False
) -> Values:
    """Factors of the errors to first order, (pixel, peak, 4), from the ``covariance`` (q, q, pixel) that these are taken from.

    Parameters
    ----------
    variance, memory, flat : as of `LocalProblem.covariance`

    Notes
    -----
    Two lines closer than their width can be exchanged one for another, and what is left undecided depends on where noise has put them: an
    estimate at a place with small errors has them by chance.  The errors are taken anew to both sides along the direction that is told
    least, and the largest of the three is believed.  Measured by `benchmarks/blends.py`.
    """
    factors = np.ones_like(local.parameters)
    rows = _hardly_told(covariance)
    if not len(rows):
        return factors
    some = np.moveaxis(covariance[..., rows], -1, 0)
    here = largest = np.sqrt(np.abs(np.einsum("pii->pi", some)))
    outer = here[:, :, None] * here[:, None, :]
    alike = np.divide(some, outer, out=np.zeros_like(some), where=outer > 0)
    away = FAR * _least_told(alike) * here
    for step in (-away, away):
        there = local.moved(rows, step).covariance(variance[rows], memory, flat=flat)
        largest = np.maximum(largest, np.sqrt(np.abs(np.einsum("iip->pi", there))))
    each = factors.reshape(len(factors), -1)
    each[np.ix_(rows, local.problem.rows)] = np.divide(largest, here, out=np.ones_like(here), where=here > 0)
    return factors


def _hardly_told(covariance: Values) -> NDArray[np.intp]:
    """Pixels in which two of the parameters are `ALIKE`, from covariances (q, q, pixel)."""
    variance = np.einsum("iip->ip", covariance)
    found = np.zeros(covariance.shape[-1], dtype=bool)
    for k, row in enumerate(covariance):
        found |= (row[k + 1 :] ** 2 > ALIKE**2 * variance[k] * variance[k + 1 :]).any(axis=0)
    return np.flatnonzero(found)


def _least_told(alike: Values) -> Values:
    """(pixel, q) one standard deviation along the direction of the largest eigenvalue of correlations, in errors."""
    # The row of the parameter that is most like another points roughly there already, so few steps do.
    most = np.abs(np.tril(alike, -1)).max(axis=2).argmax(axis=1)
    ahead = np.take_along_axis(alike, most[:, None, None], axis=1)[:, 0]
    for _ in range(STEPS):
        ahead = np.einsum("pij,pj->pi", alike, ahead)
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    value = np.einsum("pi,pij,pj->p", ahead, alike, ahead)
    return np.asarray(ahead * np.sqrt(np.maximum(value, 0.0))[:, None])
