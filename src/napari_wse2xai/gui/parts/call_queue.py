"""Things that take a moment each, such as adding a layer, done so that the window answers between them."""

from collections import deque
from collections.abc import Callable, Iterable
from weakref import WeakSet

from qtpy.QtCore import QObject, QTimer

Act = Callable[[], object]
PAUSE_MS = 20
"""Between two of them: time for the window to draw what the first has changed, which Qt would else do after the second, and to answer."""
_busy: "WeakSet[CallQueue]" = WeakSet()


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
        _busy.add(self)
        self._timer.start(0)

    def forget(self) -> None:
        """Do nothing more of what waits."""
        self._waiting.clear()
        _busy.discard(self)

    def _next(self) -> None:
        if not self._waiting:
            _busy.discard(self)
            return
        try:
            self._waiting.popleft()()
        finally:
            self._timer.start(PAUSE_MS)


def all_idle() -> bool:
    """Whether nothing waits in any queue."""
    return not _busy
