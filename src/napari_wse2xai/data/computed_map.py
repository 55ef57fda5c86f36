"""A map that is worked out of peak parameters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ComputedMap:
    """One quantity at every pixel, such as the distance of two lines, with its standard error."""

    name: str
    expression: str
    """Formula over peak parameters, as it was typed."""
    unit: str
    """1 for a plain number."""
    value: NDArray[np.float32]
    """(ny, nx) NaN where a parameter has no value, or where a divisor is no farther from zero than chance."""
    error: NDArray[np.float32]
    """(ny, nx) one standard error to first order, with the covariances of the fit; NaN where a parameter that it needs has none."""
