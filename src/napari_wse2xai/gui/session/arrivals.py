"""Layers of maps that are too large to be read at once: drawn anew as more of the channel that is shown arrives."""

from contextlib import suppress
from functools import cache, partial
from weakref import WeakSet, ref

from napari.layers import Layer
from napari.utils.notifications import show_error
from qtpy.QtCore import QCoreApplication, QObject, QTimer, Signal

from napari_wse2xai.gui.parts.later import later
from napari_wse2xai.gui.parts.run import quick_to_answer
from napari_wse2xai.layers import ArrivingPlanes, Follower
from napari_wse2xai.layers.slider import OnSlider

PAUSE_MS = 250
"""Between two drawings."""


class _Arrivals(QObject):
    """Takes word of what arrived from the threads that read to that of the window.

    One for all layers, held by the application: Qt's objects must not end in another thread, and a thread that reads may be the last to
    hold what it tells.
    """

    arrived = Signal(object)
    refused = Signal(str)

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())
        self.followed = WeakSet[ArrivingPlanes]()
        self._changed = list[ref[Layer]]()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE_MS)
        self._soon.timeout.connect(self._draw)
        self.arrived.connect(self._on_arrival)
        self.refused.connect(show_error)

    def tell(self, layer: "ref[Layer]") -> None:
        """Say, from any thread, that more of a layer has arrived."""
        with suppress(RuntimeError):  # the application is at its end
            self.arrived.emit(layer)

    def tell_refusal(self, sentence: str) -> None:
        """Say, from any thread, that no more can be read."""
        with suppress(RuntimeError):
            self.refused.emit(sentence)

    def begin(self, planes: ArrivingPlanes, layer: "ref[Layer]") -> None:
        """Let planes be read for a layer that is still there."""
        if planes in self.followed:
            planes.read_for(Follower(partial(self.tell, layer), self.tell_refusal, quick_to_answer))

    def _on_arrival(self, layer: "ref[Layer]") -> None:
        if not any(each is layer for each in self._changed):
            self._changed.append(layer)
        if not self._soon.isActive():
            self._soon.start()

    def _draw(self) -> None:
        changed, self._changed = self._changed, []
        for layer in (each() for each in changed):
            if layer is not None:
                layer.refresh(highlight=False, extent=False)


@cache
def _arrivals() -> _Arrivals:
    return _Arrivals()


def planes_of(layer: Layer) -> ArrivingPlanes | None:
    """Planes of a layer that arrive; None where all its numbers are at hand."""
    data = getattr(layer, "data", None)
    data = data.by_channel if isinstance(data, OnSlider) else data
    return data if isinstance(data, ArrivingPlanes) else None


def follow_planes(layer: Layer) -> None:
    """Draw a layer anew while more of it arrives."""
    if (planes := planes_of(layer)) is not None:
        arrivals = _arrivals()
        arrivals.followed.add(planes)
        later(arrivals, partial(arrivals.begin, planes, ref(layer)), PAUSE_MS)  # when the layer has been drawn


def let_go_of_planes(layer: Layer) -> None:
    """Read no more for a layer that is gone."""
    if (planes := planes_of(layer)) is not None:
        _arrivals().followed.discard(planes)
        planes.read_for(None)
