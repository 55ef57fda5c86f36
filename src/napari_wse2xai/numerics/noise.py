"""The noise that the data themselves show."""

import numpy as np
from numpy.typing import NDArray

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def robust_sigma(values: NDArray[np.floating], axis: int | None = None) -> NDArray[np.float64]:
    """Standard deviation from the median absolute deviation about zero, deaf to outliers; NaN values are left out."""
    size = np.abs(values)
    median = np.nanmedian if np.isnan(size.min(initial=0.0)) else np.median  # the former walks through Python for every channel
    return np.asarray(MAD_TO_SIGMA * median(size, axis=axis), dtype=np.float64)


def channel_sigma(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Noise of each spectrum from the differences of neighbouring channels.

    Parameters
    ----------
    counts : (..., n) counts

    Returns
    -------
    (...) float64, counts; one standard deviation of one channel

    Notes
    -----
    Lines steeper than the noise raise it a little; broad signals do not.
    """
    return np.asarray(robust_sigma(np.diff(counts, axis=-1), axis=-1) / np.sqrt(2.0))


def variance_line(deviation: NDArray[np.floating], level: NDArray[np.floating], *, bins: int = 24) -> tuple[float, float]:
    """Variance as a straight line of the signal's level: read noise squared, and gain (shot noise).

    Parameters
    ----------
    deviation : (m,) counts
        Samples of the noise, each of one standard deviation.
    level : (m,) counts
        Signal under each sample.
    bins : number of equally filled level classes

    Returns
    -------
    constant (counts^2) and slope (counts) of ``variance = constant + slope * level``; both make the variance positive
    """
    order = np.argsort(level)
    classes = [chunk for chunk in np.array_split(order, bins) if len(chunk)]
    at = np.array([np.median(level[chunk]) for chunk in classes])
    variance = np.array([float(robust_sigma(deviation[chunk])) ** 2 for chunk in classes])
    weight = 1.0 / np.maximum(variance, np.median(variance) * 1e-3 + 1e-12)
    slope, constant = np.polyfit(at, variance, 1, w=weight) if np.ptp(at) > 0 else (0.0, float(np.median(variance)))
    # A class of m samples knows its variance to 2.3 / sqrt(m) of it: a slope that this explains is none.
    chance = 2.3 / np.sqrt(len(order) / len(classes)) * np.median(variance) / max(float(np.std(at)) * np.sqrt(len(classes)), 1e-300)
    if slope <= 4.0 * chance:
        return float(np.median(variance)), 0.0
    return max(float(constant), -slope * float(at[0]) + float(variance.min())), float(slope)
