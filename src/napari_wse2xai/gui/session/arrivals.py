"""Layers of maps that are too large to be read at once: drawn anew as more of the channel that is shown arrives."""

from functools import partial
from weakref import ref

from napari.layers import Layer
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, QTimer, Signal

from napari_wse2xai.gui.parts.later import later
from napari_wse2xai.gui.parts.run import quick_to_answer
from napari_wse2xai.layers import ArrivingPlanes, Follower
from napari_wse2xai.layers.slider import OnSlider

PAUSE_MS = 250
"""Between two drawings."""


class _Arrivals(QObject):
    """Takes word of what arrived from the thread that reads to that of the window."""

    arrived = Signal()
    refused = Signal(str)

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self._layer, self._soon = ref(layer), QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE_MS)
        self._soon.timeout.connect(self._draw)
        self.arrived.connect(self._on_arrival)
        self.refused.connect(show_error)

    def tell(self) -> None:
        """Say, from any thread, that more has arrived."""
        self.arrived.emit()

    def tell_refusal(self, sentence: str) -> None:
        """Say, from any thread, that no more can be read."""
        self.refused.emit(sentence)

    def _on_arrival(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _draw(self) -> None:
        layer = self._layer()
        if layer is not None:
            layer.refresh(highlight=False, extent=False)


def planes_of(layer: Layer) -> ArrivingPlanes | None:
    """Planes of a layer that arrive; None where all its numbers are at hand."""
    data = getattr(layer, "data", None)
    data = data.by_channel if isinstance(data, OnSlider) else data
    return data if isinstance(data, ArrivingPlanes) else None


def follow_planes(layer: Layer) -> None:
    """Draw a layer anew while more of it arrives."""
    if (planes := planes_of(layer)) is not None:
        arrivals = _Arrivals(layer)
        tells = Follower(arrivals.tell, arrivals.tell_refusal, quick_to_answer)
        later(arrivals, partial(planes.read_for, tells), PAUSE_MS)  # when the layer has been drawn


def let_go_of_planes(layer: Layer) -> None:
    """Read no more for a layer that is gone."""
    if (planes := planes_of(layer)) is not None:
        planes.read_for(None)
