"""A band that is drawn over the spectrum, and the map of its light as a layer that follows."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import MouseEvent
from napari import Viewer
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtWidgets import QWidget

from napari_wse2xai.data import Picture, SpectralMap
from napari_wse2xai.data.quantities import COLORMAPS, pretty
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.newest import Newest
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import KEY, Shown, picture_layer
from napari_wse2xai.layers.shown import limits
from napari_wse2xai.numerics import band_light
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.stages._bands import bands, rows_of

OFF, SUM, ABOVE = "no band", "band: all light", "band: above ends"
COLOR = "#4cc3c7"
REACH_PX = 7
"""How near to an edge the mouse takes hold of it."""


def band_map(source: SpectralMap, low: float, high: float, *, above: bool, progress: Progress = silent) -> NDArray[np.float32]:
    """(ny, nx) integral of every spectrum from low to high, in counts times the axis unit.

    Parameters
    ----------
    above : only what lies above a straight line between the ends of the band
    """
    every = (band_light.above_line if above else band_light.weights)(source.axis.values, low, high)
    inside = np.flatnonzero(every)
    result = np.zeros(source.frame.shape, dtype=np.float32)
    if not len(inside):
        return result
    channels = slice(int(inside[0]), int(inside[-1]) + 1)
    weights = every[channels].astype(np.float32)
    for band in bands(source.counts.shape):
        progress(band.rows.start / len(result), "light of the band")
        result[band.rows] = rows_of(source.counts, band.rows)[..., channels] @ weights
    return result


class BandMap(ComboBox):
    """Choice of what is seen of the band; while it is on, a drag over the spectrum draws, moves or widens it."""

    def __init__(self, viewer: Viewer, axes: Axes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._axes, self._work = viewer, axes, Newest("Light of a band", self)
        self.ends: tuple[float, float] | None = None
        self._held: tuple[float, float, float] | None = None
        self._layer: Image | None = None
        self._span = axes.axvspan(0, 0, color=COLOR, alpha=0.25, linewidth=0, animated=True)
        self._span.set_visible(False)
        self.addItems([OFF, SUM, ABOVE])
        self.setToolTip(
            "Drag over the spectrum: the map shows the light of that band meanwhile. Drag an edge to move it, the middle to shift all."
        )
        self.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(13)
        self._work.gave.connect(self._on_map)
        self.forget = self._work.forget

    @property
    def artists(self) -> list[Artist]:
        """All that moves."""
        return [self._span]

    @property
    def is_on(self) -> bool:
        """Whether a drag draws a band."""
        return bool(self.currentText() != OFF)

    def take_hold(self, event: MouseEvent) -> bool:
        """Begin to draw, or take hold of an edge or of the whole; return whether anything was taken."""
        if not self.is_on or event.inaxes is not self._axes or event.xdata is None:
            return False
        x = float(event.xdata)
        self._held = x, x, x
        if self.ends is not None:
            low, high = self.ends
            near = [abs(self._axes.transData.transform((end, 0))[0] - event.x) for end in self.ends]
            if min(near) <= REACH_PX:
                fixed = high if near[0] < near[1] else low
                self._held = fixed, fixed, x
            elif low < x < high:
                self._held = low, high, x
        return True

    def drag(self, event: MouseEvent, source: SpectralMap | None) -> bool:
        """Follow the mouse; return whether the band has changed."""
        if self._held is None or source is None or event.inaxes is not self._axes or event.xdata is None:
            return False
        low, high, begun = self._held
        x = float(np.clip(event.xdata, *source.axis.span))
        ends = (low + x - begun, high + x - begun) if low < high else (min(low, x), max(low, x))
        self.show_band(source, ends)
        return True

    def release(self) -> bool:
        """Let go; return whether anything was held."""
        held, self._held = self._held is not None, None
        return held

    def show_band(self, source: SpectralMap, ends: tuple[float, float]) -> None:
        """Draw a band and have its map worked out."""
        self.ends = ends
        self._span.set_x(ends[0])
        self._span.set_width(ends[1] - ends[0])
        self.follow(source)

    def follow(self, source: SpectralMap | None) -> None:
        """Show the light of the band on the map that is current."""
        wanted = self.is_on and self.ends is not None and source is not None
        self._span.set_visible(bool(wanted))
        if not wanted or source is None or self.ends is None:
            self._take_away()
            return
        (low, high), above = self.ends, self.currentText() == ABOVE
        self._work.do(lambda progress: (source, low, high, above, band_map(source, low, high, above=above, progress=progress)))

    def _on_map(self, found: tuple[SpectralMap, float, float, bool, NDArray[np.float32]]) -> None:
        source, low, high, above, values = found
        if not self.is_on:
            return
        unit = f"{pretty(source.intensity_unit)} {pretty(source.axis.unit)}"
        name = f"light {'above the ends of ' if above else 'from '}{low:.5g} to {high:.5g} {pretty(source.axis.unit)}"
        picture = Picture(source.frame, values, name, unit)
        if self._layer is not None and self._layer in self._viewer.layers and self._layer.data.shape == values.shape:
            self._layer.data, self._layer.name = values, f"{name} ({unit})"
            self._layer.metadata = {KEY: Shown(picture, "picture")}
            self._layer.contrast_limits = limits(values, 1, 99)
            return
        self._take_away()
        looks = {"name": f"{name} ({unit})", "colormap": COLORMAPS["height"], "contrast_limits": limits(values, 1, 99)}
        self._layer = contents.added(self._viewer, (values, picture_layer(picture)[1] | looks, "image"), Image)

    def _take_away(self) -> None:
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None
