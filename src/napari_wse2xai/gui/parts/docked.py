"""A widget that listens to the viewer as long as it has a place in the window."""

from typing import Any

from napari import Viewer
from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QScrollArea, QVBoxLayout, QWidget


def plain(viewer: Viewer) -> Any:
    """The viewer itself: napari hands a plugin a proxy, each dock its own.

    What a proxy gives is a proxy again, so that a layer just added is not the layer found in the list, and a dock's session not its
    neighbour's; and each look at an attribute inspects the caller's frame.
    """
    return getattr(viewer, "__wrapped__", viewer)


class Docked(QWidget):
    """Subclasses say in `listen` and `let_go` what they hear of the viewer.

    napari takes a widget out of its dock, when that is closed, without telling or destroying it: one that still listened would
    go on working unseen for the rest of the session, and what is left of it would fall to Python's garbage collector at any moment, in
    the middle of whatever Qt is doing.  So it lets go, and ends with the next turn of the event loop.
    """

    _listens = False

    def listen(self) -> None:
        """Connect to the viewer."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Disconnect from the viewer."""
        raise NotImplementedError

    def set_listening(self, wanted: bool) -> None:
        """Connect or disconnect, once."""
        if wanted != self._listens:
            self._listens = wanted
            (self.listen if wanted else self.let_go)()

    def event(self, event: QEvent) -> bool:
        """Follow the dock: with one, listen; without, let go."""
        if event.type() == QEvent.Type.ParentChange:
            self.set_listening(self.parent() is not None)
            if self.parent() is None:
                QTimer.singleShot(0, self._end_outside)
        return bool(super().event(event))

    def _end_outside(self) -> None:
        """End unless there is a place in a window again, as where a panel moves from one dock to another."""
        if self.parent() is None:
            self.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Let go of the viewer."""
        self.set_listening(False)
        super().closeEvent(event)


class FollowsLayers(Docked):
    """A widget that is refreshed once after a burst of layers that come or go."""

    ran = Signal(object)
    """The artefact that a run gave."""
    told = Signal(str, str)
    """What came of a run, and the severity to say it in."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self._soon = QTimer(self)  # a child: it dies with the widget, and with it the refresh that it was set for
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.refresh)

    def refresh(self) -> None:
        """Show what lies in the window now."""
        raise NotImplementedError

    def listen(self) -> None:
        """Hear of layers that come and go."""
        self.viewer.layers.events.inserted.connect(self._later)
        self.viewer.layers.events.removed.connect(self._later)
        self._later()

    def let_go(self) -> None:
        """Hear of nothing more."""
        self.viewer.layers.events.inserted.disconnect(self._later)
        self.viewer.layers.events.removed.disconnect(self._later)

    def _later(self, event: object = None) -> None:
        self._soon.start(0)


class Scrolled(Docked):
    """A panel as a dock of its own, to be scrolled where the window is low."""

    def __init__(self, panel: Docked, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(panel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.setMinimumWidth(360)
        self.set_listening(True)

    def listen(self) -> None:
        """Let the panel listen."""
        self._panel.set_listening(True)

    def let_go(self) -> None:
        """Let the panel let go."""
        self._panel.set_listening(False)
