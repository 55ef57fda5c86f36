"""The colour bar of what is seen: its values, and over it what they are and in which unit."""

from textwrap import fill
from typing import Any, TypeGuard

from napari import Viewer
from napari.layers import Image, Layer
from qtpy.QtWidgets import QMainWindow, QWidget

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.gui.parts.turns import Once, drawn_later
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.sliders import shown_channel

WORDS_AT, BAR_AT = "top_left", "top_right"
SIGN_PX, BESIDE_PX, FEWEST_SIGNS = 9.5, 90, 12
"""Width of a sign of the words, and of the bar with its numbers and margins, on the canvas; signs of a line, however narrow that is."""


class ColourBar:
    """Shows one bar, that of the selected image, else of the one on top."""

    def __init__(self, viewer: Viewer, part: QWidget) -> None:
        self.viewer, self._part = viewer, part
        self._layer: Image | None = None
        self._soon = Once(part, self.show)
        overlays: Any = viewer.canvas.overlays
        self._words = overlays.text
        self._before = self._words.text, self._words.position

    def listen(self) -> None:
        """Hear of layers that come, go, are chosen, seen, hidden, renamed, and of the slider."""
        for emitter in self._emitters():
            emitter.connect(self._on_change)
        self.viewer.dims.events.point.connect(self.show)
        for layer in self.viewer.layers:
            self._hear(layer)
        self.show()

    def let_go(self) -> None:
        """Hear of nothing more, and take the bar away."""
        for emitter in self._emitters():
            emitter.disconnect(self._on_change)
        self.viewer.dims.events.point.disconnect(self.show)
        for layer in self.viewer.layers:
            for emitter in (layer.events.visible, layer.events.name):
                emitter.disconnect(self._on_change)
        self._soon.forget()
        self._exchange(None)
        self._words.text, self._words.position = self._before

    def _emitters(self) -> tuple[Any, ...]:
        events = self.viewer.layers.events
        return events.inserted, events.removed, events.reordered, self.viewer.layers.selection.events.active

    def _hear(self, layer: Layer) -> None:
        for emitter in (layer.events.visible, layer.events.name):  # another parameter takes the place of one in its layer
            emitter.connect(self._on_change)

    def _on_change(self, event: Any) -> None:
        """Look anew in a turn of its own: a layer that comes tells of itself five times."""
        if event.type == "inserted":
            self._hear(event.value)
        self._soon.ask()

    def look_again(self) -> None:
        """Look anew in a turn of its own, as where the window has another size."""
        self._soon.ask()

    def show(self, event: Any = None) -> None:
        """Look anew what is seen."""
        self._soon.forget()
        self._exchange(self._seen())

    def _seen(self) -> Image | None:
        active = self.viewer.layers.selection.active
        there = [*self.viewer.layers, *([] if active is None else [active])]
        return next((layer for layer in reversed(there) if layer.visible and _has_values(layer)), None)

    def _exchange(self, layer: Image | None) -> None:
        if self._layer is not None and self._layer is not layer:
            self._layer.colorbar.visible = False
        if layer is not None:
            self._words.text, self._words.position = self._wrapped(self._said_of(layer)), WORDS_AT
            if layer is not self._layer or not layer.colorbar.visible:
                with drawn_later(self._part):
                    layer.colorbar.position = BAR_AT
                    layer.colorbar.visible = True
        if self._words.visible != (layer is not None):
            self._words.visible = layer is not None
        self._layer = layer

    def _wrapped(self, words: str) -> str:
        """Words in as many lines as keep them off the bar: napari lays one over the other."""
        window = self._part.window()
        canvas = window.centralWidget() if isinstance(window, QMainWindow) else None
        if canvas is None:
            return words
        signs = max(int((canvas.width() - BESIDE_PX) / SIGN_PX), FEWEST_SIGNS)
        return "\n".join(fill(line, signs) for line in words.split("\n"))

    def _said_of(self, layer: Image) -> str:
        """What the colours are; of a map of spectra the channel that is seen, and the unit of its counts."""
        is_ = contents.shown(layer)
        if is_ is None or is_.part != "map" or not isinstance(is_.artefact, SpectralMap):
            return str(layer.name)
        source, channel = is_.artefact, shown_channel(layer, is_.artefact, self.viewer.dims.point)
        at = "" if channel is None else f"\nat {source.axis.values[channel]:.5g} {pretty(source.axis.unit)}"
        return f"{layer.name} ({pretty(source.intensity_unit)}){at}"


def _has_values(layer: Layer) -> TypeGuard[Image]:
    return contents.shown(layer) is not None and hasattr(layer, "colorbar") and not getattr(layer, "rgb", False)
