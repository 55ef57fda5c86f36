"""How a quantity follows what was changed: a straight line, and a power law, each with standard errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST = 3
"""Points from which a line through them has an error."""


@dataclass(frozen=True)
class Trend:
    """A straight line ``y = intercept + slope x``, and where all is positive a power law ``y ~ x^exponent``; NaN where there is none."""

    points: int
    slope: float = float("nan")
    slope_error: float = float("nan")
    intercept: float = float("nan")
    exponent: float = float("nan")
    exponent_error: float = float("nan")


def trend(x: ArrayLike, y: ArrayLike, errors: ArrayLike | None = None) -> Trend:
    """Fit both through points.

    Parameters
    ----------
    x, y : (n,) NaN where there is no value
    errors : (n,) standard errors of y, where they are known; points count as their inverse squares

    Notes
    -----
    Points scatter about a line by more than their errors, as flakes do: that part, the same for all, is found from the points (random
    effects, DerSimonian and Laird 1986) and added to their variances, so that no point with a tiny error draws the line through itself.
    Standard errors come from what scatter is left (its variance over n - 2; Knapp and Hartung 2003) and are never smaller than what given
    errors allow.  Fewer than three points, or values of x that are all one, have no trend.
    """
    places, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    spread = np.full_like(values, np.nan) if errors is None else np.asarray(errors, dtype=np.float64)
    there = np.isfinite(places) & np.isfinite(values)
    places, values, spread = places[there], values[there], spread[there]
    known = bool(len(spread)) and bool((np.isfinite(spread) & (spread > 0)).all())
    slope, slope_error, intercept = _line(places, values, spread if known else None)
    exponent = exponent_error = float("nan")
    if len(places) and (places > 0).all() and (values > 0).all():
        # d ln y = dy / y.
        exponent, exponent_error, _ = _line(np.log(places), np.log(values), spread / values if known else None)
    return Trend(len(places), slope, slope_error, intercept, exponent, exponent_error)


def _line(x: NDArray[np.float64], y: NDArray[np.float64], errors: NDArray[np.float64] | None) -> tuple[float, float, float]:
    """Slope, its standard error, and intercept."""
    if len(x) < FEWEST or np.ptp(x) == 0:
        return (float("nan"),) * 3
    weights = np.ones_like(x) if errors is None else 1.0 / (errors**2.0 + _between(x, y, errors**-2.0))
    slope, intercept, power = _weighed(x, y, weights)
    scatter = float((weights * (y - intercept - slope * x) ** 2).sum() / (len(x) - 2))
    # Few points may lie closer to a line than their own errors by chance: that makes nothing surer (Birge's ratio, never below 1).
    return slope, float(np.sqrt((scatter if errors is None else max(scatter, 1.0)) / power)), intercept


def _weighed(x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float, float]:
    """Slope, intercept, and what the slope's variance is the inverse of."""
    middle = np.average(x, weights=weights)
    power = float((weights * (x - middle) ** 2).sum())
    slope = float((weights * (x - middle) * y).sum() / power)
    return slope, float(np.average(y, weights=weights) - slope * middle), power


def _between(x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Variance of points about their line that their own errors, the weights' inverse roots, do not account for."""
    slope, intercept, _ = _weighed(x, y, weights)
    excess = float((weights * (y - intercept - slope * x) ** 2).sum()) - (len(x) - 2)
    line = np.stack([np.ones_like(x), x]) * np.sqrt(weights)
    basis = np.linalg.qr(line.T)[0]
    # What a variance common to all adds to that sum, on average: the trace of the weights beside the line.
    share = float(weights.sum() - (weights[:, None] * basis**2).sum())
    return max(0.0, excess / share)
