"""Things that take a moment each, such as adding a layer, done so that the window answers between them."""

from collections import deque
from collections.abc import Iterable

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_wse2xai.gui.parts.turns import Act, drawn_later, in_turn


class CallQueue(QObject):
    """Does one thing per turn of the event loop, in order, for a part of a window."""

    def __init__(self, part: QWidget) -> None:
        super().__init__(part)
        self._part = part
        self._waiting: deque[Act] = deque()

    def do(self, acts: Iterable[Act]) -> None:
        """Do some things soon, after what waits already."""
        for act in acts:
            self._waiting.append(act)
            in_turn(self, self._next)

    def forget(self) -> None:
        """Do nothing more of what waits."""
        self._waiting.clear()

    def _next(self) -> None:
        if self._waiting:
            with drawn_later(self._part):
                self._waiting.popleft()()
