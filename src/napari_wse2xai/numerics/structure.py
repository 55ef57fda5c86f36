"""Structure that a fit leaves in its residual: what a line or a bend there is worth, in standard deviations."""

from collections.abc import Iterator, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

KNOWN = 1e6
"""Degrees of freedom from which noise is known as well as it need be."""
FALSE_ALARMS = 2e-4
"""Share of the spectra of a right model that chance alone raises above `threshold`."""


def boxes(standard: NDArray[np.floating]) -> Iterator[tuple[int, NDArray[np.floating]]]:
    """Sums of 2, 4, 8, ... neighbouring channels, up to half of them.

    Parameters
    ----------
    standard : (n, pixel) residuals over the noise of a channel

    Yields
    ------
    width in channels, and (box, pixel) sums; boxes lie half a width apart
    """
    width, sums = 2, standard[1:] + standard[:-1]
    while len(sums):
        yield width, sums
        if 4 * width > len(standard):
            return
        width, sums = 2 * width, sums[:-2:2] + sums[2::2]


def largest(standard: NDArray[np.floating], memory: Sequence[float] = ()) -> NDArray[np.float64]:
    """Largest sum over a box, in its own standard deviations.

    Parameters
    ----------
    standard : (pixel, n) residuals over the noise of a channel
    memory : correlation of the noise with itself 0, 1, ... channels away, where neighbouring channels share it; none for white noise

    Returns
    -------
    (pixel,) about normal for each box, if the model is right

    Notes
    -----
    A box is a nearly matched filter for a line of its width (Gaussian: 0.94 of what the line itself would find).  Parameters that were
    fitted took their share of the residual, so the test errs on the quiet side near lines.
    """
    result = np.zeros(len(standard))
    for width, sums in boxes(np.ascontiguousarray(standard.T)):  # whole rows of pixels are added and compared at a time
        highest = np.maximum(sums.max(axis=0), -sums.min(axis=0))
        np.maximum(result, highest / np.sqrt(width * raised(width, memory)), out=result)
    return result


def raised(width: int, memory: Sequence[float]) -> float:
    """Variance of the mean over so many channels, over what it is for white noise."""
    if not memory:
        return 1.0
    lags = np.arange(1, min(len(memory), width))
    return max(1.0, float(1.0 + 2 * ((1 - lags / width) * np.asarray(memory)[lags]).sum()))


def threshold(channels: int, freedom: float) -> float:
    """Value of `largest` that chance exceeds in `FALSE_ALARMS` of the spectra.

    Parameters
    ----------
    channels : of the window
    freedom : degrees of freedom that the noise is known with; inf where it is known from many spectra
    """
    chance = FALSE_ALARMS / (4.0 * channels)
    if freedom > KNOWN:
        return -NormalDist().inv_cdf(chance)
    from scipy.special import stdtrit

    return float(-stdtrit(freedom, chance))
