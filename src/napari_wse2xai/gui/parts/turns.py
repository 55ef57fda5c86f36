"""One slow thing at a time: a layer that comes and a drawing take a tenth of a second each, and the window answers in between."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import chain, count

from qtpy.QtCore import QCoreApplication, QEventLoop, QObject, Qt, QTimer, Signal
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

Act = Callable[[], object]
PAUSE_MS = 10
"""Between two of them: else Qt does all that are due in one go."""


class _Turns(QObject):
    """Does what waits in order, one thing per turn of the event loop; held by the application."""

    rested = Signal()
    """Nothing waits any more."""

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())
        self.waiting: dict[int, Act] = {}
        self._numbers = count()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._next)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, nor was done a moment ago."""
        return not (self.waiting or self._timer.isActive())

    def add(self, owner: QObject, act: Act, *, first: bool) -> None:
        """Let something wait as long as its owner is there."""
        number, lives = next(self._numbers), QObject(owner)
        lives.destroyed.connect(partial(self._forget, number))
        mine = {number: partial(self._do, act, lives)}
        self.waiting = mine | self.waiting if first else self.waiting | mine
        if not self._timer.isActive():
            self._timer.start()

    def _do(self, act: Act, lives: QObject) -> None:
        lives.deleteLater()
        act()

    def _forget(self, number: int, gone: object = None) -> None:
        self.waiting.pop(number, None)

    def _next(self) -> None:
        if not self.waiting:
            self.rested.emit()
            return
        try:
            self.waiting.pop(next(iter(self.waiting)))()
        finally:
            self._timer.start()


@cache
def _turns() -> _Turns:
    return _Turns()


def in_turn(owner: QObject, act: Act, *, first: bool = False) -> None:
    """Do something slow when its turn comes, and not at all where its owner is gone by then; `first`: before all that waits."""
    _turns().add(owner, act, first=first)


class Once:
    """Something slow that is done once when its turn comes, however often it was asked for until then."""

    def __init__(self, owner: QObject, act: Act) -> None:
        self._owner, self._act, self._asked = owner, act, False

    def ask(self) -> None:
        """Have it done."""
        if not self._asked:
            self._asked = True
            in_turn(self._owner, self._do)

    def forget(self) -> None:
        """Do not do it, or it was done meanwhile."""
        self._asked = False

    def _do(self) -> None:
        if self._asked:
            self._asked = False
            self._act()


def all_idle() -> bool:
    """Whether nothing waits for its turn."""
    return _turns().idle


def until_idle() -> None:
    """Let the window work until nothing waits for its turn; between events this sleeps."""
    if not all_idle():
        loop = QEventLoop()
        _turns().rested.connect(loop.quit)
        loop.exec()


@contextmanager
def drawn_later(part: QWidget) -> Iterator[None]:
    """Change what the window of a part shows, and have docks and canvas drawn after that, each in a turn of its own."""
    window = part.window()
    middle = window.centralWidget() if isinstance(window, QMainWindow) else None
    canvases = [] if middle is None else middle.findChildren(QOpenGLWidget)
    docks = window.findChildren(QDockWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
    held = [[each for each in group if each.updatesEnabled()] for group in (canvases, docks)]
    for each in chain(*held):
        each.setUpdatesEnabled(False)
    try:
        yield
    finally:
        for group in held:
            in_turn(window, partial(_draw, group), first=True)


def _draw(widgets: Iterable[QWidget]) -> None:
    for each in widgets:
        each.setUpdatesEnabled(True)
