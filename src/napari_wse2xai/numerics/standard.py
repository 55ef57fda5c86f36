"""Columns in standard deviations; one that is the same everywhere is nothing, not NaN."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def or_one(spread: Any) -> Numbers:
    """Return a spread to divide by: 1 where it is 0."""
    return np.where(spread > 0, spread, 1.0)


def standardised(table: Numbers) -> Numbers:
    """Columns of a table (n, column) without their means, in their standard deviations."""
    return np.asarray((table - table.mean(axis=0)) / or_one(table.std(axis=0)))
