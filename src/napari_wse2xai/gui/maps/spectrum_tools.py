"""What can be done in the spectrum view beside looking: pins, the mean of a region, a band, the unit; a row of fields above the curves."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.gui.maps.band_map import BandMap
from napari_wse2xai.gui.maps.pins import Pins
from napari_wse2xai.gui.maps.region_mean import RegionMean
from napari_wse2xai.gui.maps.shown_unit import ShownUnit
from napari_wse2xai.gui.session import contents

STILL_PX = 4
"""How far the mouse may move between press and release for a click."""


class SpectrumTools(QWidget):
    """The row, and what its fields draw."""

    changed = Signal()
    """There is something else to draw, all of it."""

    def __init__(self, viewer: Viewer, axes: Axes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.pin, self.unpin = QPushButton("Pin"), QPushButton("Clear pins")
        self.pins, self.mean = Pins(viewer, axes), RegionMean(viewer, axes)
        self.band, self.unit = BandMap(viewer, axes), ShownUnit()
        self.source: SpectralMap | None = None
        self.pin.setCheckable(True)
        self.pin.setToolTip("While this is on, a click on the map pins the pixel (always: Shift and click); a second click lets go of it.")
        self.unpin.setToolTip("Let go of all pinned pixels.")
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 2, 4, 0)
        row.setSpacing(4)
        for part, least_px in ((self.pin, 36), (self.unpin, 80), (self.mean, 70), (self.band, 70), (self.unit, 56)):
            part.setMinimumWidth(least_px)  # in a low window the whole row must go below the canvas
            row.addWidget(part)
        row.addStretch()
        self.unpin.clicked.connect(self._clear)
        self.mean.drawn.connect(self.changed)
        self.band.currentIndexChanged.connect(lambda _: self._on_band())
        self.unit.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._set_buttons()

    @property
    def artists(self) -> list[Artist]:
        """All that moves."""
        return self.band.artists

    def know(self, source: SpectralMap | None) -> None:
        """Follow another current map."""
        self.source = source
        self.setVisible(source is not None)
        if source is not None:
            self.unit.follow(source.axis)
        self.mean.refresh()
        ends = self.band.ends
        if source is not None and ends is not None and not source.axis.span[0] <= ends[0] < ends[1] <= source.axis.span[1]:
            self.band.ends = None
        self.band.follow(source)

    def levels(self, source: SpectralMap) -> Any:
        """Curves (k, n) that the axes must hold beside the spectrum of the pixel."""
        pinned, curves = self.pins.follow(source), self.mean.curves
        if curves is None or len(curves[0]) != len(source.axis):
            return pinned
        mean, spread, _ = curves
        return np.concatenate([pinned, [mean - spread, mean + spread]])

    def words(self, source: SpectralMap) -> str:
        """What is drawn beside the pixel, in its colours."""
        return f"{self.pins.words(source)}{self.mean.words()}"

    def on_press(self, viewer: Viewer, event: Any) -> Iterator[None]:
        """Pin or let go where the map is clicked, as napari's generators of a drag do it."""
        begun, layer = np.asarray(event.pos), contents.current(self._viewer).layer
        active = viewer.layers.selection.active
        draws = active is not None and str(active.mode) not in ("pan_zoom", "transform")
        if event.button != 1 or draws or not (self.pin.isChecked() or "Shift" in event.modifiers) or layer is None:
            return
        yield
        while event.type == "mouse_move":
            yield
        pixel = contents.pixel_at(layer, event.position)
        if np.abs(np.asarray(event.pos) - begun).max() <= STILL_PX and pixel is not None and self.source is not None:
            self.toggle(pixel)

    def toggle(self, pixel: tuple[int, int]) -> None:
        """Pin a pixel of the current map, or let go of it."""
        if self.source is not None:
            self.pins.toggle(self.source, pixel)
            self._set_buttons()
            self.changed.emit()

    def _clear(self) -> None:
        self.pins.clear()
        self._set_buttons()
        self.changed.emit()

    def _set_buttons(self) -> None:
        self.unpin.setEnabled(bool(self.pins.pixels))

    def _on_band(self) -> None:
        self.band.follow(self.source)
        self.changed.emit()

    def let_go(self) -> None:
        """Stop what runs."""
        self.mean.forget()
        self.band.forget()
