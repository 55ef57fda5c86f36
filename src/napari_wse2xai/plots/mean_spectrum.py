"""The mean spectrum of a flake with the mean of its fits, drawn on a given Axes."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.numerics.lineshapes import SHAPES

Curve = NDArray[np.float64]


def mean_fit(peaks: PeakMaps, window: tuple[float, float], pixels: NDArray[np.bool_]) -> Curve:
    """Mean over pixels of one window's fits, (n,) counts; a peak that is absent at a pixel adds nothing there.

    Parameters
    ----------
    peaks : the fits
    window : one of its windows; the curve lies on the axis values within
    pixels : (ny, nx) True where a fit counts
    """
    x = peaks.axis.values[peaks.axis.between(*window)]
    total = np.zeros_like(x)
    for index in (index for index, own in enumerate(peaks.windows) if own == window):
        form = np.zeros_like(peaks.height) if peaks.form is None else np.nan_to_num(peaks.form)
        values = np.stack([maps[index][pixels] for maps in (peaks.position, peaks.fwhm, peaks.height, form)]).astype(np.float64)
        present = values[:, np.isfinite(values).all(axis=0)]
        for first in range(0, present.shape[1], 4096):  # bounds the memory
            part = present[:, first : first + 4096, None]
            total += SHAPES[peaks.shapes[index]](x, *part, width=peaks.channel(index)).sum(axis=0)
    return peaks.mean_background(peaks.distinct_windows.index(window), pixels) + total / max(int(pixels.sum()), 1)


def draw_mean_spectrum(axes: Axes, source: SpectralMap, peaks: PeakMaps | None = None) -> None:
    """Mean of the pixels that were fitted (without peaks: of the flake, or of the whole map), and the mean of their fits.

    Parameters
    ----------
    source : the map that was fitted
    peaks : its fits; None for the spectrum alone
    """
    pixels, of = _pixels(source, peaks)
    x = source.axis.values
    axes.plot(x, _mean(source, pixels), color="#3d3d3d", linewidth=0.9, label=f"mean of {int(pixels.sum())} {of}")
    if peaks is not None:
        for index, window in enumerate(peaks.distinct_windows):
            fit = mean_fit(peaks, window, pixels)
            axes.plot(
                x[source.axis.between(*window)], fit, color="#d1495b", linewidth=1.4, label="_again" if index else "mean of their fits"
            )
    axes.set(xlabel=source.axis.label, ylabel=pretty(source.intensity_unit))
    axes.margins(x=0)
    axes.legend(frameon=False, fontsize="small")


def _mean(source: SpectralMap, pixels: NDArray[np.bool_]) -> Curve:
    """(n,) counts; taken a row at a time, for a map on disk."""
    total = np.zeros(len(source.axis))
    for row in np.flatnonzero(pixels.any(axis=1)):
        total += np.asarray(source.counts[row])[pixels[row]].sum(axis=0, dtype=np.float64)
    return total / max(int(pixels.sum()), 1)


def _pixels(source: SpectralMap, peaks: PeakMaps | None) -> tuple[NDArray[np.bool_], str]:
    """Pixels to average, and what to call them."""
    if peaks is not None and np.isfinite(peaks.height).any():
        return np.isfinite(peaks.height[0]), "fitted pixels"
    if source.flake is not None and (source.flake & source.measured).any():
        return source.flake & source.measured, "flake pixels"
    return source.measured, "pixels"
