"""The start peaks of the deconvolution as handles in the spectrum view: drag the top to move a peak, an edge to widen it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import MouseEvent

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.stages import Peak

REACH = 9.0
"""Distance from a handle at which the mouse takes hold of it, in points of the screen."""
COLOR = "#f2c14e"


@dataclass
class _Held:
    """What the mouse holds: which peak, its top (0) or one of its edges, and where on the screen it was taken."""

    peak: int
    handle: int
    place: tuple[float, float]


class StartPeaks:
    """Handles at the top and at half the height of the start peaks, seen while the mouse is over the spectrum of a map of their kind."""

    def __init__(self, axes: Axes, redraw: Callable[[], None]) -> None:
        self.axes, self._redraw = axes, redraw
        self.peaks: tuple[Peak, ...] = ()
        self._panels: Any = None
        self._spectrum: tuple[Any, Any] = (np.empty(0), np.empty(0))
        self._held: _Held | None = None
        style: dict[str, Any] = {"color": COLOR, "linestyle": "", "markeredgecolor": "black", "markeredgewidth": 0.5, "animated": True}
        (self._tops,) = axes.plot([], [], marker="v", markersize=8, **style)
        (self._edges,) = axes.plot([], [], marker="D", markersize=5, **style)
        (self._widths,) = axes.plot([], [], color=COLOR, linewidth=1.0, animated=True)

    @property
    def artists(self) -> tuple[Artist, ...]:
        """All that moves."""
        return (self._widths, self._edges, self._tops)

    def show(self, panels: Any, source: SpectralMap, pixel: tuple[int, int]) -> None:
        """Show the peaks that the panels would start a deconvolution of this map from."""
        self._panels = panels
        self._spectrum = (source.axis.values, source.counts[pixel])
        if self._held is None:
            low, high = source.axis.span
            given = panels.start_peaks()
            self.peaks = given if all(low <= peak.position <= high for peak in given) else ()
        self._place()

    def follow(self, source: SpectralMap, pixel: tuple[int, int]) -> None:
        """Go with the spectrum to another pixel."""
        if self.peaks:
            self._spectrum = (source.axis.values, source.counts[pixel])
            self._place()

    def hide(self) -> None:
        """Show no peaks."""
        if self._held is None and self.peaks:
            self.peaks = ()
            self._place()

    def grab(self, event: MouseEvent) -> bool:
        """Take hold of the handle under the mouse; return whether there is one."""
        nearest = self._under(event)
        if nearest is None:
            return False
        self._held = _Held(nearest // 3, nearest % 3, (event.x, event.y))
        return True

    def remove(self, event: MouseEvent) -> bool:
        """Take the peak whose handle is under the mouse out of the panel's list; return whether there is one."""
        nearest = self._under(event)
        if nearest is None:
            return False
        self.peaks = (*self.peaks[: nearest // 3], *self.peaks[nearest // 3 + 1 :])
        self._place()
        self._redraw()
        self._panels.put_start_peaks(self.peaks)
        return True

    def _under(self, event: MouseEvent) -> int | None:
        """Number of the handle under the mouse, three to a peak; None where there is none."""
        if not self.peaks or event.inaxes is not self.axes:
            return None
        places = self.axes.transData.transform(self._handles().reshape(-1, 2))
        distance = np.hypot(*(places - (event.x, event.y)).T)
        nearest = int(np.argmin(distance))
        return nearest if distance[nearest] <= REACH else None

    def drag(self, event: MouseEvent) -> None:
        """Move what is held to the mouse."""
        held = self._held
        if held is None or event.inaxes is not self.axes or event.xdata is None or event.ydata is None:
            return
        peak = self.peaks[held.peak]
        if held.handle:
            change: dict[str, Any] = {"fwhm": _rounded(max(2 * abs(event.xdata - peak.position), 1e-3 * (peak.window[1] - peak.window[0])))}
        else:
            change = {"position": _rounded(float(np.clip(event.xdata, *peak.window)))}
            if peak.height is not None or abs(event.y - held.place[1]) > REACH:  # a height that was empty stays so in a level move
                change["height"] = _rounded(max(float(event.ydata), 1e-6))
        moved = peak.model_copy(update=change)
        self.peaks = (*self.peaks[: held.peak], moved, *self.peaks[held.peak + 1 :])
        self._place()
        self._redraw()

    def release(self, event: MouseEvent) -> None:
        """Let go, and write what was changed into the panel."""
        if self._held is not None:
            self._held = None
            self._panels.put_start_peaks(self.peaks)

    def _handles(self) -> Any:
        """(peak, 3, 2) axis value and counts of the top and the two edges."""
        x, counts = self._spectrum
        return np.array([_handles(peak, float(np.interp(peak.position, x, counts))) for peak in self.peaks]).reshape(-1, 3, 2)

    def _place(self) -> None:
        handles = self._handles()
        self._tops.set_data(*handles[:, 0].T)
        self._edges.set_data(*handles[:, 1:].reshape(-1, 2).T)
        broken = np.concatenate([handles[:, 1:], np.full((len(handles), 1, 2), np.nan)], axis=1)
        self._widths.set_data(*broken.reshape(-1, 2).T)


def _handles(peak: Peak, seen: float) -> list[tuple[float, float]]:
    top = seen if peak.height is None else peak.height
    return [(peak.position, top), (peak.position - peak.fwhm / 2, top / 2), (peak.position + peak.fwhm / 2, top / 2)]


def _rounded(value: float) -> float:
    """Five digits: a mouse knows no more."""
    return float(f"{value:.5g}")
