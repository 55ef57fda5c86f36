"""What keys do in the workbench, and the list of them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget


class Key(NamedTuple):
    """One shortcut."""

    keys: str
    act: str
    """What `KEYS` are connected to, by name."""
    words: str


KEYS = (
    Key("Ctrl+Return", "run", "Run the step that is open"),
    Key("Ctrl+.", "cancel", "Cancel what runs there"),
    Key("Ctrl+Down", "next", "Open the next step"),
    Key("Ctrl+Up", "previous", "Open the step before"),
    Key("Ctrl+Z", "undo", "Take back the last step, its layers too"),
    Key("Ctrl+Shift+Z", "redo", "Do it again"),
    Key("Ctrl+E", "export", "Save the selected layer as a picture or as numbers"),
    Key("F1", "help", "The documents' page of the step that is open"),
    Key("Shift+F1", "keys", "This list"),
)
"""Of the workbench, while it has the focus; outside they are napari's own."""
ELSEWHERE = (
    ("Tab, Shift+Tab", "From field to field"),
    ("Space", "Press the button, set the tick, open or close the step that has the focus"),
    ("Arrow keys", "On the canvas with a slider: channel by channel"),
    ("Loop with Shift, with Alt", "In the scatter plot of Correlate: add pixels, take them out"),
    ("1 to 9, P, E, F", "On a layer of labels: napari's own, for number, brush, rubber, bucket"),
)


def bind(widget: QWidget, acts: Mapping[str, Callable[[], Any]]) -> None:
    """Let keys do something while a widget, or a part of it, has the focus."""
    for key in KEYS:
        shortcut = QShortcut(QKeySequence(key.keys), widget)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(acts[key.act])


class KeyList(QDialog):
    """Every key, and what it does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys of the workbench")
        column, self.words = QVBoxLayout(self), QLabel(listed())
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.words)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)


def listed() -> str:
    """List of all keys as rich text."""
    rows = [*((key.keys, key.words) for key in KEYS), *ELSEWHERE]
    cells = "".join(f"<tr><td><b>{keys}</b>&nbsp;&nbsp;&nbsp;</td><td>{words}</td></tr>" for keys, words in rows)
    return f"<p>While the focus is in the workbench:</p><table cellpadding=2>{cells}</table>"
