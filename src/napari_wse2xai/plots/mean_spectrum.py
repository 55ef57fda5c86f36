"""The mean spectrum of a flake with the mean of its fits, drawn on a given Axes."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from napari_wse2xai.data import PARAMETERS, PeakMaps, SpectralMap
from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.plots.maps import unit_text

Curve = NDArray[np.float64]


def mean_fit(x: Curve, peaks: PeakMaps, window: tuple[float, float], pixels: NDArray[np.bool_]) -> Curve:
    """Mean over pixels of the sum of one window's peaks, (n,) counts; a peak that is absent at a pixel adds nothing there.

    Parameters
    ----------
    x : (n,) axis values within the window
    pixels : (ny, nx) True where a fit counts
    """
    total = np.zeros_like(x)
    for index in (index for index, own in enumerate(peaks.windows) if own == window):
        values = np.stack([getattr(peaks, name)[index][pixels] for name in PARAMETERS]).astype(np.float64)
        present = values[:, np.isfinite(values).all(axis=0)]
        for first in range(0, present.shape[1], 4096):  # bounds the memory
            part = present[:, first : first + 4096, None]
            total += SHAPES[peaks.shapes[index]](x, *part).sum(axis=0)
    return total / max(int(pixels.sum()), 1)


def draw_mean_spectrum(axes: Axes, source: SpectralMap, peaks: PeakMaps | None = None) -> None:
    """Mean of the pixels that were fitted (without peaks: of the flake, or of the whole map), and the mean of their fits.

    Parameters
    ----------
    source : the map that was fitted
    peaks : its fits; None for the spectrum alone
    """
    pixels, of = _pixels(source, peaks)
    x = source.axis.values
    axes.plot(
        x, source.counts[pixels].mean(axis=0, dtype=np.float64), color="#3d3d3d", linewidth=0.9, label=f"mean of {int(pixels.sum())} {of}"
    )
    label = "mean of their fits"
    for window in dict.fromkeys(peaks.windows) if peaks is not None else ():
        inside = x[source.axis.between(*window)]
        if peaks is not None:
            axes.plot(inside, mean_fit(inside, peaks, window, pixels), color="#d1495b", linewidth=1.4, label=label)
        label = "_again"
    axes.set(xlabel=source.axis.label, ylabel=unit_text(source.intensity_unit))
    axes.margins(x=0)
    axes.legend(frameon=False, fontsize="small")


def _pixels(source: SpectralMap, peaks: PeakMaps | None) -> tuple[NDArray[np.bool_], str]:
    """Pixels to average, and what to call them."""
    if peaks is not None and np.isfinite(peaks.height).any():
        return np.isfinite(peaks.height[0]), "fitted pixels"
    if source.flake is not None and (source.flake & source.measured).any():
        return source.flake & source.measured, "flake pixels"
    return source.measured, "pixels"
