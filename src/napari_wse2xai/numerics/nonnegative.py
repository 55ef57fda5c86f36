"""Least squares none of whose unknowns may be negative (Lawson and Hanson 1974), of few unknowns."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
ROUNDING = 1e-10
"""Gain, over the largest, from which an unknown is let go from zero."""


def nonnegative(columns: Values, right: Values) -> Values:
    """(m,) unknowns for which columns (n, m) come nearest to a right-hand side (n,).

    scipy's `nnls` does the same; to load it takes longer than all that a check of a model asks of it.
    """
    normal, slope = columns.T @ columns, columns.T @ right
    found, free = np.zeros(len(slope)), np.zeros(len(slope), dtype=bool)
    for _ in range(3 * len(slope)):
        gain = np.where(free, -np.inf, slope - normal @ found)
        if not len(gain) or gain.max() <= ROUNDING * max(float(np.abs(slope).max()), 1e-300):
            break
        free[gain.argmax()] = True
        found = _to(found, free, normal, slope)
    return found


def _to(found: Values, free: NDArray[np.bool_], normal: Values, slope: Values) -> Values:
    """Best values of what is free; what would become negative on the way stays at zero, and is free no longer."""
    while free.any():
        best = np.zeros_like(found)
        best[free] = np.linalg.lstsq(normal[np.ix_(free, free)], slope[free], rcond=None)[0]
        below = free & (best <= 0)
        if not below.any():
            return best
        way = float((found[below] / np.maximum(found[below] - best[below], 1e-300)).min())
        found = found + way * (best - found)
        free &= found > ROUNDING * max(float(found.max()), 1e-300)
        found = np.where(free, found, 0.0)
    return np.zeros_like(found)
