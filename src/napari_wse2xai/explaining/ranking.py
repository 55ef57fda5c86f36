"""Which parameters matter most, a pure interaction included."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def pdp_spread(values: Numbers, grid: Numbers, average: Numbers) -> Numbers:
    """Standard deviation of each partial dependence over the data, (feature,), in the prediction's unit (Greenwell et al. 2018).

    Parameters
    ----------
    values : (n, feature) the data
    grid, average : (feature, grid) the partial dependence
    """
    at_data = [np.interp(x, points, curve) for x, points, curve in zip(values.T, grid, average, strict=True)]
    return np.asarray(np.std(at_data, axis=1))


def slope_rms(slope: Numbers, step: Numbers) -> Numbers:
    """Root mean square over pixels of slope times step, (feature,), in the prediction's unit.

    Unlike the spread of the PDP it does not average away a parameter that acts one way here and the other way there (a pure interaction).

    Parameters
    ----------
    slope : (feature, n)
    step : (feature,) one standard deviation each
    """
    return np.asarray(np.sqrt(np.mean((slope * step[:, None]) ** 2, axis=1)))


def ranking(spread: Numbers, rms: Numbers) -> tuple[int, ...]:
    """Columns from the most to the least important, by the greater of PDP spread and slope rms."""
    return tuple(int(k) for k in np.argsort(-np.maximum(spread, rms), kind="stable"))
