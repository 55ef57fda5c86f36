"""Values that span decades, as heights of real maps do, on a scale on which their few largest do not decide alone."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
DECADES = 5.0
"""Values span decades where the largest 2.5 % are this many times as large as the median size (3.3 times in a normal distribution)."""
LINEAR_BELOW = 0.1
"""Sizes up to this share of the median are left as they are; above it the scale is logarithmic."""


def spans_decades(values: ArrayLike) -> bool:
    """Whether a few values (n,) are many times as large as the others."""
    size = np.abs(np.asarray(values, dtype=np.float64))
    size = size[np.isfinite(size)]
    return bool(size.size and np.percentile(size, 97.5) > DECADES * np.median(size) > 0)


def tamed(values: ArrayLike) -> Numbers:
    """Columns (n,) or (n, column): those that span decades as ``arsinh(value / (0.1 median size))``, the others as they are.

    Notes
    -----
    A rising function of each value: it changes neither ranks nor what owes something to what.  Where a map spans a hundredfold, a square
    error is that of its brightest pixels, and a kernel between standardised columns sees one cluster and a few far ones.
    """
    table = np.array(values, dtype=np.float64)
    for column in table.reshape(len(table), -1).T:
        if spans_decades(column):
            column[:] = np.arcsinh(column / (LINEAR_BELOW * np.nanmedian(np.abs(column))))
    return table
