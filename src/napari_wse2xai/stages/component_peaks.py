"""Start peaks read off a spectrum before any fit: those of a component, or of a group of like spectra."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Components
from napari_wse2xai.numerics.noise import channel_sigma
from napari_wse2xai.stages.peaks import Peak

MOST = 8
"""Start peaks at most: the highest."""
SURE = 8.0
"""Noises that a maximum must stand out by."""
AROUND = 4.0
"""FWHM to either side that a peak is fitted in."""


def peaks_of(components: Components, index: int) -> tuple[Peak, ...]:
    """Start peaks at the maxima of a component's spectrum, or of a group's mean, the strongest ones, from low to high.

    Where a component also falls below zero, which PCA's do, its dips are no peaks.
    """
    from scipy.signal import find_peaks

    known = np.isfinite(components.spectra[index])
    x, spectrum = components.axis.values[known], components.spectra[index][known].astype(np.float64)
    at, _ = find_peaks(spectrum, prominence=SURE * max(float(channel_sigma(spectrum)), 1e-30))
    at = at[spectrum[at] > 0]
    strongest = at[np.argsort(-spectrum[at])[:MOST]]
    order = np.sort(strongest)
    widths = _widths(x, spectrum, order)
    return tuple(_peak(float(x[place]), width, (float(x[0]), float(x[-1]))) for place, width in zip(order, widths, strict=True))


def _widths(x: NDArray[np.float64], spectrum: NDArray[np.float64], at: NDArray[np.intp]) -> list[float]:
    """Widths at half of what each maximum stands out by, in the axis unit, at least two channels."""
    from scipy.signal import peak_widths

    _, _, left, right = peak_widths(spectrum, at, rel_height=0.5)
    channel = np.arange(len(x))
    low, high = np.interp(left, channel, x), np.interp(right, channel, x)
    step = float(np.median(np.diff(x)))
    return [max(float(each), 2 * step) for each in high - low]


def _peak(position: float, fwhm: float, span: tuple[float, float]) -> Peak:
    low, high = max(position - AROUND * fwhm, span[0]), min(position + AROUND * fwhm, span[1])
    return Peak(name=f"P{position:.4g}", position=round(position, 3), fwhm=round(fwhm, 3), window=(round(low, 3), round(high, 3)))
