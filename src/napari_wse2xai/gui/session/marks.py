"""Pixels that are marked on the canvas: squares in a layer of points, which belongs to no result."""

from collections.abc import Sequence

import numpy as np
from napari import Viewer
from napari.layers import Points
from numpy.typing import NDArray

from napari_wse2xai.data import Frame
from napari_wse2xai.layers.shown import place

Pixel = tuple[int, int]


class Marks:
    """One layer of hollow squares, a pixel each; it comes with the first mark and goes with the last."""

    def __init__(self, viewer: Viewer, name: str) -> None:
        self._viewer, self._name = viewer, name
        self._layer: Points | None = None
        self._frame: Frame | None = None

    def show(self, frame: Frame, pixels: Sequence[Pixel], colours: Sequence[str]) -> None:
        """Mark some pixels of a frame, each in its colour, and no others; the selected layer stays selected."""
        if self._layer is not None and (not pixels or frame != self._frame):
            self.clear()
        if not pixels:
            return
        places = np.asarray(pixels, dtype=float)
        if self._layer is None or self._layer not in self._viewer.layers:
            self._layer = self._added(frame, places, colours)
        else:
            self._layer.data = places
        self._layer.border_color = list(colours)
        self._layer.refresh()

    def _added(self, frame: Frame, places: NDArray[np.float64], colours: Sequence[str]) -> Points:
        chosen, self._frame = self._viewer.layers.selection.active, frame
        looks = {"symbol": "square", "face_color": "transparent", "border_color": list(colours), "border_width": 0.16, "size": 1.0}
        layer: Points = Points(places, name=self._name, **looks, **place(frame))
        self._viewer.add_layer(layer)
        layer.selected_data = set()
        if chosen is not None:
            self._viewer.layers.selection.active = chosen
        return layer

    def clear(self) -> None:
        """Mark nothing."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None
