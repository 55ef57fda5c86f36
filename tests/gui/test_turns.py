"""Slow things come one at a time, with events between them; what is changed on a canvas is drawn in a turn of its own."""

from qtpy.QtCore import QObject, QTimer
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QDockWidget, QLabel, QMainWindow, QSplitter

from napari_wse2xai.gui.parts.turns import all_idle, drawn_later, in_turn, until_idle


def test_what_comes_first_and_what_has_no_owner_any_more(qtbot) -> None:
    done: list[str] = []
    here, gone = QObject(), QObject()
    in_turn(here, lambda: done.append("second"))
    in_turn(gone, lambda: done.append("of one that is gone"))
    in_turn(here, lambda: done.append("first"), first=True)
    assert not done
    assert not all_idle()
    gone.deleteLater()
    until_idle()
    assert all_idle()
    assert done == ["first", "second"]


def test_who_waits_sees_what_was_asked_meanwhile(qtbot) -> None:
    done: list[str] = []
    here = QObject()
    in_turn(here, lambda: in_turn(here, lambda: done.append("asked by another")))
    until_idle()
    assert done == ["asked by another"]
    until_idle()  # and does not wait for what never comes


class _Canvas(QOpenGLWidget):
    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    def paintGL(self) -> None:  # noqa: N802 - Qt's name
        self._told.append("canvas")


class _Words(QLabel):
    def __init__(self, told: list[str]) -> None:
        super().__init__("words")
        self._told = told

    def paintEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        self._told.append("dock")
        super().paintEvent(event)


def test_events_come_between_a_change_and_the_drawing_of_it(qtbot) -> None:
    told: list[str] = []
    window, canvas, dock, words = QMainWindow(), _Canvas(told), QDockWidget(), _Words(told)
    qtbot.addWidget(window)
    window.setCentralWidget(middle := QSplitter())
    middle.addWidget(canvas)
    dock.setWidget(words)
    window.addDockWidget(dock.allowedAreas().LeftDockWidgetArea, dock)
    window.show()
    qtbot.waitUntil(lambda: {"canvas", "dock"} <= set(told))
    beat = QTimer(window)
    beat.timeout.connect(lambda: told.append("event"))
    beat.start(0)

    def change() -> None:
        told[:] = ["change"]
        with drawn_later(words):
            canvas.update()
            words.setText("others")

    in_turn(window, change)
    qtbot.waitUntil(lambda: {"canvas", "dock"} <= set(told) and all_idle())
    steps = [one for one, before in zip(told, ["", *told], strict=False) if one != before]
    assert steps[:5] in (["change", "event", "dock", "event", "canvas"], ["change", "event", "canvas", "event", "dock"])
