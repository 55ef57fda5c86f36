"""How two maps go together, with an error that knows that neighbouring pixels are alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.likeness import MaskedGrid

Array = NDArray[np.float64]
FEWEST = 5
"""Pixels from which a correlation is worked out."""
FEWEST_INDEPENDENT = 3.0
"""At fewer there is nothing to test."""


@dataclass(frozen=True)
class Correlation:
    """Correlation coefficient of two maps."""

    r: float
    """NaN where one of the maps is the same everywhere, or there are too few pixels."""
    error: float
    """One standard error."""
    low: float
    high: float
    """Ends of the 95 % interval (Fisher's z)."""
    pixels: int
    independent: float
    """Effective sample size: as many independent pixels would make as sure."""
    p: float
    """How often two maps as smooth that owe nothing to one another correlate as much, either way."""


NONE = Correlation(np.nan, np.nan, np.nan, np.nan, 0, np.nan, np.nan)


def correlate(one: Array, other: Array, step: tuple[float, float] = (1.0, 1.0), *, ranks: bool = False) -> Correlation:
    """Correlate two maps of one grid, over the pixels where both have a value.

    Parameters
    ----------
    one, other : (ny, nx), NaN where there is no value
    step : distance of rows and of columns
    ranks : of the ranks (Spearman) in place of the values (Pearson)

    Notes
    -----
    The modified t test of Dutilleul 1993 (doi 10.2307/2532625) after Clifford, Richardson and Hemon 1989 (doi 10.2307/2532039), with
    covariances by distance as in `MaskedGrid.covariance`.  It takes both maps for stationary: a trend over the whole flake counts as one
    long likeness, and says little.  Do not use it on a few pixels of a line: fewer than three independent ones leave nothing to test.
    """
    from scipy.stats import rankdata  # takes long to load

    there = np.isfinite(one) & np.isfinite(other)
    first, second = (values[there].astype(np.float64) for values in (one, other))
    if len(first) < FEWEST or not (np.ptp(first) and np.ptp(second)):
        return Correlation(np.nan, np.nan, np.nan, np.nan, len(first), np.nan, np.nan)
    if ranks:
        first, second = rankdata(first), rankdata(second)
    grid = MaskedGrid.of(there, step)
    ratio = grid.variance_ratio(grid.covariance(first), grid.covariance(second))
    return _judged(float(np.corrcoef(first, second)[0, 1]), len(first), 1.0 + 1.0 / ratio)


def _judged(r: float, pixels: int, independent: float) -> Correlation:
    """A coefficient with its error and p value, for so many independent pixels."""
    from scipy.stats import t

    free = independent - 2.0
    if independent <= FEWEST_INDEPENDENT:
        return Correlation(r, 1.0, -1.0, 1.0, pixels, independent, 1.0)
    rest = max(1.0 - r * r, float(np.finfo(np.float64).eps))
    p = 2.0 * float(t.sf(abs(r) * np.sqrt(free / rest), free))
    # Fisher's z: arctanh(r) is nearly normal, with a variance of 1 / (n - 3).
    reach = 1.959964 / np.sqrt(independent - 3.0)
    low, high = np.tanh(np.arctanh(np.clip(r, -1 + 1e-15, 1 - 1e-15)) + np.array([-reach, reach]))
    return Correlation(r, float(rest / np.sqrt(free)), float(low), float(high), pixels, independent, p)
