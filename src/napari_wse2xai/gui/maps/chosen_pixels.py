"""The pixels that are chosen, as a Labels layer that can be painted on, and lines and loops drawn beside it."""

from typing import TypeVar

import numpy as np
from napari import Viewer
from napari.layers import Labels, Layer, Shapes
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_wse2xai.data import PairedMaps, PeakMaps
from napari_wse2xai.gui.parts.covered import covered
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import KEY, LayerTuple, Shown, kinds_layer, shapes_layer
from napari_wse2xai.layers.shown import BY_HAND

Pixels = NDArray[np.bool_]
L = TypeVar("L", bound=Layer)
Found = PeakMaps | PairedMaps
CHOSEN, LINE, LOOP = "chosen", "line of a profile", "drawn round"
PAUSE_MS = 30
"""A stroke is answered so long after its last change."""


class ChosenPixels(QObject):
    """Puts the chosen pixels of one deconvolution, or pair, into the viewer and reads them back."""

    changed = Signal()
    """Other pixels are chosen, by hand or from elsewhere."""
    line_changed = Signal()

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.found: Found | None = None
        self._own_hand = False
        self._soon, self._line_soon = QTimer(self), QTimer(self)
        for timer, signal in ((self._soon, self.changed), (self._line_soon, self.line_changed)):
            timer.setSingleShot(True)
            timer.setInterval(PAUSE_MS)
            timer.timeout.connect(signal)

    def pixels(self) -> Pixels:
        """(ny, nx) chosen pixels; what lies within a loop that is seen is chosen too."""
        assert self.found is not None
        layer, loops = self._layer(CHOSEN, Labels), self._layer(LOOP, Shapes)
        chosen = np.zeros(self.found.frame.shape, dtype=bool) if layer is None else np.asarray(layer.data) > 0
        if layer is not None and loops is not None and loops.visible:
            chosen = chosen | covered(loops, layer)
        return chosen

    def put(self, pixels: Pixels) -> None:
        """Choose pixels, and show them; loops that were drawn are forgotten."""
        if self.found is None:
            return
        loops = self._layer(LOOP, Shapes)
        self._own_hand = True
        if loops is not None:
            loops.data = []
        layer = self._layer(CHOSEN, Labels)
        if layer is None:
            self._added(labels_layer(self.found, pixels), Labels, ("labels_update", "data", "paint"))
        else:
            layer.data = pixels.astype(np.uint8)
        self._own_hand = False
        self.changed.emit()

    def paint(self) -> None:
        """Let the user paint pixels."""
        if self.found is None:
            return
        layer = self._own()
        self.viewer.layers.selection.active = layer
        layer.visible, layer.mode, layer.brush_size, layer.selected_label = True, "paint", 3, 1

    def draw(self, part: str, mode: str) -> None:
        """Let the user draw shapes of a kind."""
        if self.found is None:
            return
        if part == LOOP:
            self._own()
        layer = self._layer(part, Shapes)
        if layer is None:
            layer = self._added(shapes_layer(Shown(self.found, part), f"{self.found.name} · {part}"), Shapes, ("data", "visible"))
        self.viewer.layers.selection.active = layer
        layer.visible, layer.mode = True, mode

    def line(self) -> NDArray[np.float64] | None:
        """Corners (corner, 2) of the line that was drawn last, in rows and columns; None where there is none."""
        layer = self._layer(LINE, Shapes)
        if layer is None or not len(layer.data) or not layer.visible:
            return None
        corners = np.asarray(layer.data[-1], dtype=np.float64)
        return corners if len(corners) > 1 else None

    def of_layer(self, layer: Layer) -> Pixels | None:
        """Pixels that a layer of labels or shapes marks, wherever it was moved to; None for a layer of another kind."""
        if self.found is None or not isinstance(layer, Labels | Shapes):
            return None
        return covered(layer, self._own()) if isinstance(layer, Shapes) else marked(layer, self._own())

    def _own(self) -> Labels:
        """Layer of the chosen pixels, made where it is not there."""
        if self._layer(CHOSEN, Labels) is None:
            self.put(np.zeros(self.found.frame.shape, dtype=bool))  # type: ignore[union-attr]  # asked where something was found
        layer = self._layer(CHOSEN, Labels)
        assert layer is not None
        return layer

    def _layer(self, part: str, kind: type[L]) -> L | None:
        """Newest layer of a part; None where there is none."""
        found = [layer for layer, is_ in contents.layers_of(self.viewer, self.found) if is_.part == part and isinstance(layer, kind)]
        return found[-1] if found else None

    def _added(self, layer: LayerTuple, kind: type[L], events: tuple[str, ...]) -> L:
        active = self.viewer.layers.selection.active
        added = contents.added(self.viewer, layer, kind)
        answer = self._on_line if layer[1]["metadata"][KEY].part == LINE else self._on_hand
        for event in events:
            getattr(added.events, event).connect(answer)
        if active is not None:
            self.viewer.layers.selection.active = active
        return added

    def _on_hand(self, event: object = None) -> None:
        if not self._own_hand:
            self._soon.start()

    def _on_line(self, event: object = None) -> None:
        self._line_soon.start()


def labels_layer(found: Found, pixels: Pixels, name: str = "") -> LayerTuple:
    """Chosen pixels as labels that lie on the map; with a name of its own it is a copy, which no choice changes any more."""
    shown = Shown(found, "kept" if name else CHOSEN)
    kinds = ("others", "#00000000"), ("chosen", BY_HAND)
    return kinds_layer(shown, name or f"{found.name} · chosen", pixels.astype(np.uint8), kinds, heading="pixels", opacity=0.45)


def marked(labels: Labels, own: Layer) -> Pixels:
    """Pixels of one layer whose middle lies on a marked pixel of another; both may lie anywhere."""
    corners = [np.asarray(labels.world_to_data(own.data_to_world(corner)), dtype=np.float64) for corner in ((0, 0), (1, 0), (0, 1))]
    origin, down, right = corners[0][-2:], (corners[1] - corners[0])[-2:], (corners[2] - corners[0])[-2:]
    rows, columns = np.indices(own.data.shape)
    places = np.rint(origin + rows[..., None] * down + columns[..., None] * right).astype(np.int64)
    data: Pixels = np.asarray(labels.data) > 0
    while data.ndim > 2:  # of a stack, whatever is marked in any of its slices
        data = np.asarray(data.any(axis=0))
    inside = ((places >= 0) & (places < data.shape)).all(axis=-1)
    found = np.zeros(own.data.shape, dtype=bool)
    found[inside] = data[tuple(places[inside].T)]
    return found
