"""A part of a panel that can be folded away."""

from typing import Any

from qtpy.QtWidgets import QWidget
from superqt import QCollapsible

NO_LIMIT = 2**24 - 1
"""Largest height that Qt knows."""


class CollapsibleSection(QCollapsible):
    """Opens at once, and to whatever height its content wants: superqt's limit squeezes words that came later onto one another."""

    def __init__(self, title: str, content: QWidget) -> None:
        super().__init__(title, expandedIcon="▾", collapsedIcon="▸")
        self.layout().setContentsMargins(0, 0, 0, 0)
        self.content().layout().setContentsMargins(0, 0, 0, 0)
        self.addWidget(content)

    def expand(self, animate: bool = False) -> None:
        """Open, without superqt's limit to the height."""
        super().expand(animate=False)
        self.content().setMaximumHeight(NO_LIMIT)

    def collapse(self, animate: bool = False) -> None:
        """Close."""
        super().collapse(animate=False)

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's name
        """Leave the height alone when the content grows."""
        return False
