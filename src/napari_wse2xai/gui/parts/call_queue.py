"""Things that take a moment each, such as adding a layer, done so that the window answers between them."""

from collections import deque
from collections.abc import Callable, Iterable

from qtpy.QtCore import QObject, QTimer

Act = Callable[[], object]


class CallQueue(QObject):
    """Does one thing per turn of the event loop, in order."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: deque[Act] = deque()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._next)

    def do(self, acts: Iterable[Act]) -> None:
        """Do some things soon, after what waits already."""
        self._waiting.extend(acts)
        self._timer.start(0)

    def forget(self) -> None:
        """Do nothing more of what waits."""
        self._waiting.clear()

    def _next(self) -> None:
        if not self._waiting:
            return
        try:
            self._waiting.popleft()()
        finally:
            self._timer.start(0)
