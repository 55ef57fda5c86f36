"""An explanation on the canvas: slope maps with RS and PL beside them, and a region that can be painted."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from napari import Viewer
from napari.layers import Image, Labels, Layer, Shapes
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_wse2xai.data import Explanation
from napari_wse2xai.gui.parts.covered import covered
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import LayerTuple, Shown, beside_layers, disagreement_layer, region_layer, shapes_layer, slope_layer

ON_PIXELS = ("slope ", "RS ", "PL ")
"""Parts that have a pixel for each of the flake's."""
L = TypeVar("L", bound=Layer)
DRAWING = ("paint", "add_polygon_lasso", "add_polygon")
PAUSE_MS = 30
"""A brush stroke is answered so long after its last change."""


class ExplainCanvas(QObject):
    """Puts layers of one explanation into the viewer and reads them back."""

    painted = Signal()
    """The region was changed by hand."""

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.explanation: Explanation | None = None
        self._own_hand = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.painted)

    def layers(self, kind: type[L], *beginnings: str) -> Iterator[tuple[L, Shown]]:
        """Layers of the explanation, of a kind, whose part begins with some word, or all."""
        every = contents.layers_of(self.viewer, self.explanation)
        return ((layer, is_) for layer, is_ in every if isinstance(layer, kind) and is_.part.startswith(beginnings or ""))

    def show_feature(self, feature: int, *, only_sure: bool, beside: bool) -> None:
        """Show the slope map of one parameter on every flake; RS and PL lie left and right of it where wanted.

        Layers that are there already change what they show: adding and removing layers takes napari too long to play with.
        """
        explanation = self.explanation
        if explanation is None:
            return
        for flake in range(len(explanation.samples.frames)):
            neighbours = beside_layers(explanation, feature, flake)
            for part, new in zip(("RS ", "PL "), neighbours, strict=True):
                self._put(part, flake, new if beside else None)
            if explanation.disagreement is not None:
                self._put("apart ", flake, disagreement_layer(explanation, feature, flake))
            slopes = self._put("slope ", flake, slope_layer(explanation, feature, flake, only_sure=only_sure))
            if not self._regions_there():
                self.viewer.layers.selection.active = slopes

    def _put(self, part: str, flake: int, new: LayerTuple | None) -> Layer | None:
        """Let the layer of a part show something new; None hides it."""
        there = next((layer for layer, shown in self.layers(Image, part) if shown.flake == flake), None)
        if new is None or there is None:
            if there is not None and there.visible:
                there.visible = False
            return None if new is None else contents.add(self.viewer, [new])[0]
        data, keywords, _ = new
        there.metadata = keywords["metadata"]
        if not np.array_equal(there.data, data, equal_nan=True):  # PL is the same whatever the parameter
            there.data, there.name, there.contrast_limits = data, keywords["name"], keywords["contrast_limits"]
            if there.colormap.name != keywords["colormap"]:
                there.colormap = keywords["colormap"]
        if keywords["visible"] and not there.visible:  # to say so again would draw the layer again
            there.visible = True
        return there

    def show_effects(self, new: list[LayerTuple] | None) -> None:
        """Show where a parameter acts in which way, a layer of labels for each flake; None hides them."""
        there = {shown.flake: layer for layer, shown in self.layers(Labels, "effect")}
        active = self.viewer.layers.selection.active
        for layer in there.values():
            contents.see(layer, new is not None)
        for flake, (data, keywords, kind) in enumerate(new or []):
            if flake not in there:
                contents.add(self.viewer, [(data, keywords, kind)])
                self.viewer.layers.selection.active = active
                continue
            there[flake].data = data
            there[flake].name, there[flake].features, there[flake].metadata = (keywords[key] for key in ("name", "features", "metadata"))

    def _regions_there(self) -> bool:
        """Whether the user is painting or drawing: then the brush is not taken away."""
        return any(layer.visible and layer.mode in DRAWING for layer, _ in (*self.layers(Labels, "region"), *self.layers(Shapes, "drawn")))

    def show_alone(self) -> None:
        """Hide all layers that are not of this explanation, and look at the whole."""
        own = [layer for layer, _ in contents.layers_of(self.viewer, self.explanation)]
        for layer in self.viewer.layers:
            contents.see(layer, layer.visible and layer in own)
        self.viewer.reset_view()

    def pixel_under(self, position: object) -> tuple[int, tuple[int, int]] | None:
        """Flake and pixel under the mouse, on the slope map or on RS or PL beside it."""
        for layer, shown in self.layers(Image, *ON_PIXELS):
            pixel = contents.pixel_at(layer, position) if layer.visible else None
            if pixel is not None:
                return shown.flake, pixel
        return None

    def begin_region(self) -> None:
        """Let the user paint on the first flake's map."""
        regions = self._regions()
        if regions:
            self.viewer.layers.selection.active = regions[0]
            regions[0].visible, regions[0].mode, regions[0].brush_size = True, "paint", 3

    def begin_shape(self) -> None:
        """Let the user draw round what is wanted, on any flake."""
        if self.explanation is None:
            return
        drawn = self._drawn()
        if drawn is None:
            drawn = contents.added(self.viewer, shapes_layer(Shown(self.explanation, "drawn"), "drawn regions of the curves"), Shapes)
            for event in (drawn.events.data, drawn.events.visible):
                event.connect(self._on_paint)
        self.viewer.layers.selection.active = drawn
        drawn.visible, drawn.mode = True, "add_polygon_lasso"

    def _drawn(self) -> Shapes | None:
        """Layer of shapes; None where nobody has drawn."""
        return next((layer for layer, _ in self.layers(Shapes, "drawn")), None)

    def regions(self) -> list[NDArray[np.generic]]:
        """Region on each flake: what is painted, and what lies in a shape that is seen."""
        painted = [np.asarray(layer.data) > 0 for layer in self._regions()]
        drawn = self._drawn()
        if drawn is not None and drawn.visible:
            for layer, shown in self.layers(Image, *ON_PIXELS):
                if layer.visible or shown.part.startswith("slope"):
                    painted[shown.flake] = painted[shown.flake] | covered(drawn, layer)
        return list(painted)

    def clear_shapes(self) -> None:
        """Forget what was drawn."""
        if (drawn := self._drawn()) is not None:
            drawn.data = []

    def hide_shapes(self) -> None:
        """Let what was drawn count no more, since curves were chosen otherwise; drawing on brings it back."""
        if (drawn := self._drawn()) is not None and drawn.visible:
            self._own_hand = True
            drawn.visible = False
            self._own_hand = False

    def put_regions(self, labels: list[NDArray[np.uint8]]) -> None:
        """Show where the chosen curves are."""
        self._own_hand = True
        for layer, values in zip(self._regions(), labels, strict=True):
            layer.data, layer.visible = values, True
        self._own_hand = False

    def _regions(self) -> list[Labels]:
        """The regions' layers, made where they are not there."""
        explanation = self.explanation
        if explanation is None:
            return []
        there = {shown.flake: layer for layer, shown in self.layers(Labels, "region")}
        for flake in range(len(explanation.samples.frames)):
            if flake not in there:
                active = self.viewer.layers.selection.active
                there[flake] = contents.added(self.viewer, region_layer(explanation, flake), Labels)
                for event in ("labels_update", "data", "paint"):
                    getattr(there[flake].events, event).connect(self._on_paint)
                self.viewer.layers.selection.active = active
        return [there[flake] for flake in sorted(there)]

    def _on_paint(self, event: object = None) -> None:
        if not self._own_hand:
            self._soon.start(PAUSE_MS)
