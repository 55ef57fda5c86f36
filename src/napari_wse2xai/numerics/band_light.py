"""The light of a band of a spectrum as a weighted sum of its channels."""

import numpy as np
from numpy.typing import NDArray

FEWEST = 5
"""Channels that a band must hold for a line between its ends to tell anything."""


def weights(x: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """(n,) weights with which the counts of channels (n,) add up to the integral from low to high, in counts times the axis unit.

    Notes
    -----
    The integral is that of the straight lines between the channels (trapezoids), so bands that touch add up, whatever their ends.
    """
    return _up_to(x, high) - _up_to(x, low)


def above_line(x: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """(n,) weights of the same integral above a straight line between the ends of the band, each the mean of an eighth of it."""
    result = weights(x, low, high)
    inside = np.flatnonzero((x >= low) & (x <= high))
    if len(inside) < FEWEST:
        return result
    many = max(2, len(inside) // 8)
    ends = inside[:many], inside[-many:]
    left, right = (float(x[end].mean()) for end in ends)
    rising = (x - left) / (right - left)
    for end, share in zip(ends, (float(result @ (1.0 - rising)), float(result @ rising)), strict=True):
        result[end] -= share / many
    return result


def _up_to(x: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """Weights of the integral from the first channel to a place."""
    step = np.diff(x)
    share = np.clip((end - x[:-1]) / step, 0.0, 1.0)
    right = 0.5 * step * share**2
    result = np.zeros(len(x))
    result[:-1] += step * share - right
    result[1:] += right
    return result
