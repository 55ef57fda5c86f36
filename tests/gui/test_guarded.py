"""No field changes because a panel was scrolled, and none changes what is typed."""

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox, QScrollBar, QTabBar, QWidget

from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.theory.calculate_panel import CalculatePanel
from napari_wse2xai.stages import FindFlake, Train

FIELDS = (QComboBox, QAbstractSpinBox, QAbstractSlider, QTabBar)


def shown(field: QWidget) -> object:
    """What a field says."""
    if isinstance(field, QComboBox | QTabBar):
        return field.currentIndex()
    return field.value()


def turn(field: QWidget) -> None:
    """Turn the wheel by a notch over a field, once towards the user, for some fields are at their least, and once away."""
    middle = QPointF(field.width() / 2, field.height() / 2)
    for notch in (-120, 120):
        event = QWheelEvent(middle, middle, QPoint(), QPoint(0, notch), Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False)
        before = shown(field)
        QApplication.sendEvent(field, event)
        if shown(field) != before:
            return


def fields_in(widget: QWidget) -> list[QWidget]:
    found = [child for child in widget.findChildren(QWidget) if isinstance(child, FIELDS)]
    return [child for child in found if not isinstance(child, QScrollBar)]


def test_the_wheel_passes_over_every_field_of_the_window(viewer, panels, qtbot) -> None:
    calculate = CalculatePanel(viewer)
    qtbot.addWidget(calculate)
    every = [*fields_in(panels), *fields_in(calculate)]
    assert len(every) > 60
    assert {kind for kind in FIELDS for field in every if isinstance(field, kind)} == set(FIELDS)
    for field in every:
        before, name = shown(field), f"{type(field).__name__} {field.objectName()} in {type(field.parent()).__name__}"
        field.setEnabled(True)
        turn(field)
        assert shown(field) == before, name
        assert not field.focusPolicy() & Qt.WheelFocus & ~Qt.StrongFocus, name


def test_the_wheel_turns_a_field_that_was_clicked(qtbot, monkeypatch) -> None:
    box = ComboBox()
    box.addItems(["a", "b"])
    qtbot.addWidget(box)
    monkeypatch.setattr(box, "hasFocus", lambda: True)
    turn(box)
    assert box.currentText() == "b"


@pytest.mark.parametrize(("stage", "name", "typed"), [(Train, "surrogates", 120), (FindFlake, "corner_size", 12)])
def test_a_number_is_what_was_typed(qtbot, stage, name: str, typed: int) -> None:
    """Key by key: the first digits of 120 lie below the least number that is allowed."""
    form = Form(stage)
    qtbot.addWidget(form)
    box = form._inputs[name].native
    box.selectAll()
    QTest.keyClicks(box, str(typed))
    assert getattr(form.value(), name) == typed


def test_a_number_that_is_too_small_is_said_and_the_arrows_stop_at_the_least(qtbot) -> None:
    form = Form(Train)
    qtbot.addWidget(form)
    box, title = form._inputs["surrogates"].native, Train.model_fields["surrogates"].title
    box.selectAll()
    QTest.keyClicks(box, "12")
    with pytest.raises(ValueError, match=f"{title}: Input should be greater than or equal to 39"):
        form.value()
    QTest.keyClick(box, Qt.Key_Down)
    assert box.value() == 39
