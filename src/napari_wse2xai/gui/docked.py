"""A widget that listens to the viewer as long as it has a place in the window."""

from typing import Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget


class Docked(QWidget):
    """Subclasses say in `listen` and `let_go` what they hear of the viewer.

    napari takes a widget out of its dock, when that is closed, without telling or destroying it: one that still listened would
    go on working unseen for the rest of the session.
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

    def event(self, event: Any) -> bool:
        """Follow the dock: with one, listen; without, let go."""
        if event.type() == QEvent.Type.ParentChange:
            self.set_listening(self.parent() is not None)
        return bool(super().event(event))

    def closeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Let go of the viewer."""
        self.set_listening(False)
        super().closeEvent(event)
