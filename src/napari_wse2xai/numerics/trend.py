"""How a quantity follows what was changed: a straight line, and a power law, each with standard errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.numerics.random_effects import RandomEffects, weighted

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
    Where errors are given, points may scatter about the line by more (`RandomEffects`); where not, the standard error comes from their
    scatter (its variance over n - 2).  Fewer than three points, or values of x that are all one, have no trend.
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
    middle = float(x.mean())  # about it, so that slope and level do not hang together more than they must
    columns = np.stack([np.ones_like(x), x - middle], axis=1)
    if errors is None:
        found, (inverse,) = weighted(columns, y[:, None], np.ones((len(x), 1)))
        variance = float(((y[:, None] - columns @ found) ** 2).sum()) / (len(x) - 2)
        (level, slope), slope_error = found[:, 0], np.sqrt(variance * inverse[1, 1])
    else:
        fit = RandomEffects.of(columns, y[:, None], errors[:, None])
        (level, slope), slope_error = fit.coefficients[:, 0], fit.errors[1, 0]
    return float(slope), float(slope_error), float(level - slope * middle)
