"""A part of a panel that can be folded away."""

from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QWidget
from superqt import QCollapsible

from napari_wse2xai.gui.parts.help import HelpButton

HELP_PX = 22
"""Width of the button in the head."""
NO_LIMIT = 2**24 - 1
"""Largest height that Qt knows."""


class CollapsibleSection(QCollapsible):
    """Opens at once, and to whatever height its content wants: superqt's limit squeezes words that came later onto one another."""

    def __init__(self, title: str, content: QWidget, page: str = "") -> None:
        """Make a fold.

        Parameters
        ----------
        page : of the documents, as ``stages.md#find-flake``; its head then has a button that opens it
        """
        super().__init__(title, expandedIcon="▾", collapsedIcon="▸")
        for layout in (self.layout(), self.content().layout()):
            assert layout is not None
            layout.setContentsMargins(0, 0, 0, 0)
        self.addWidget(content)
        self.toggleButton().setToolTip("Open or close this step.")
        self.help_button = HelpButton(page, self) if page else None

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the button at the end of the head."""
        super().resizeEvent(event)
        if self.help_button is not None:
            head = self.toggleButton()
            self.help_button.setGeometry(head.x() + head.width() - HELP_PX, head.y(), HELP_PX, max(head.height(), HELP_PX))
            self.help_button.raise_()

    def expand(self, animate: bool = False) -> None:
        """Open, without superqt's limit to the height."""
        super().expand(animate=False)
        self.content().setMaximumHeight(NO_LIMIT)

    def collapse(self, animate: bool = False) -> None:
        """Close."""
        super().collapse(animate=False)

    def eventFilter(self, watched: object, event: object) -> bool:  # noqa: N802 - Qt's name
        """Leave the height alone when the content grows."""
        return False
