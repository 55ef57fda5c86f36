"""Calls that are made when the window has done what it is at, and not at all where their owner is gone by then."""

from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, QTimer, Signal, Slot


class _Call(QObject):
    """Goes with its owner, and the call that waits with it."""

    due = Signal()

    def __init__(self, owner: QObject, act: Callable[[], object]) -> None:
        super().__init__(owner)
        self._act = act

    @Slot()
    def make(self) -> None:
        self._act()
        self.deleteLater()


def later(owner: QObject, act: Callable[[], object], msec: int = 0) -> None:
    """Call a function once: among the next events, or after so many milliseconds.

    Notes
    -----
    In place of ``QTimer.singleShot`` with its owner, a form that PySide6 has and PyQt6 has not.
    """
    if msec == 0:
        call = _Call(owner, act)
        call.due.connect(call.make, type=Qt.ConnectionType.QueuedConnection)
        call.due.emit()
        return
    timer = QTimer(owner)
    timer.setSingleShot(True)
    for each in (act, timer.deleteLater):  # held by Qt: what waits may be all that holds the owner
        timer.timeout.connect(each)
    timer.start(msec)
