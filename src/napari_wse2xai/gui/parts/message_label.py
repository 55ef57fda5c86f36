"""What a panel says to the user, in colours that can be read in the window's theme."""

from napari import Viewer
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QLabel, QWidget

from napari_wse2xai.data.quantities import in_sentence
from napari_wse2xai.gui.parts.later import later

QUIET, NOTE, BAD = "quiet", "note", "bad"
"""How something is said: by the way, worth knowing, or because something is wrong."""
INKS = {
    "dark": {QUIET: "#b5b8bd", NOTE: "#f0b13f", BAD: "#ff7b7f"},
    "light": {QUIET: "#55585c", NOTE: "#7a5200", BAD: "#b3141f"},
}


class WrappedLabel(QLabel):
    """Words that wrap, and ask for as many lines as they take."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show other words."""
        super().setText(in_sentence(text))
        later(self, self._fit)  # when it is laid out, and has its width

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Take other lines at another width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Ask for as many lines as the words take: a fold does not ask how high they are at its width, and would lay them over the next."""
        self.setMinimumHeight(0)  # which Qt counts in
        self.setMinimumHeight(max(self.heightForWidth(self.width()), 0) if self.text() else 0)


class MessageLabel(WrappedLabel):
    """A line of words that wraps and can be copied."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._severity = QUIET
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setObjectName("message")

    def say(self, text: str, severity: str = QUIET) -> None:
        """Show words in the colour of a severity."""
        self._severity = severity
        self._colour()
        self.setText(text)

    def _colour(self) -> None:
        sheet = f"color: {INKS[ground(self._viewer)][self._severity]}"
        if sheet != self.styleSheet():
            self.setStyleSheet(sheet)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the window's theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._colour()


def ground(viewer: Viewer) -> str:
    """Whether words stand on ``dark`` or ``light``, in any theme."""
    red, green, blue = get_theme(viewer.theme).background.as_rgb_tuple()[:3]
    return "dark" if 0.3 * red + 0.6 * green + 0.1 * blue < 128 else "light"
