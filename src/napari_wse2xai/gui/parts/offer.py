"""A sentence with a button that does what it proposes."""

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_wse2xai.gui.parts.message_label import NOTE, MessageLabel


class Offer(QWidget):
    """Out of the way while there is nothing to propose."""

    taken = Signal()

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words, self.button = MessageLabel(viewer), QPushButton()
        self.button.setToolTip("Do what is proposed above.")
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 2)
        column.addWidget(self.words)
        column.addWidget(self.button)
        self.button.clicked.connect(self.taken)
        self.setVisible(False)

    def propose(self, words: str, verb: str) -> None:
        """Show a sentence and what the button does; nothing where the sentence is empty."""
        self.words.say(words, NOTE)
        self.button.setText(verb)
        self.setVisible(bool(words))
