"""Calls that are made when the window has done what it is at, and not at all where their owner is gone by then."""

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


def later(owner: QObject, act: Callable[[], object], msec: int = 0) -> None:
    """Call a function once: among the next events, or after so many milliseconds.

    Notes
    -----
    In place of ``QTimer.singleShot`` with its owner, a form that PySide6 has and PyQt6 has not.
    """
    timer = QTimer(owner)
    timer.setSingleShot(True)
    for each in (act, timer.deleteLater):  # held by Qt: what waits may be all that holds the owner
        timer.timeout.connect(each)
    timer.start(msec)
