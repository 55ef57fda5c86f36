"""Long work in a panel: its words are few, for each makes Qt compose the whole window anew."""

from threading import Event

import pytest
from qtpy.QtWidgets import QLabel

from napari_wse2xai.gui.parts.run import WHEEL_PERCENT
from napari_wse2xai.gui.parts.work_row import WorkRow


@pytest.fixture
def row(viewer):
    made = WorkRow(viewer, "Work")
    viewer.window.add_dock_widget(made, name="Work")
    yield made
    made.runner.cancel()


def test_many_reports_are_shown_as_one_the_latest(row: WorkRow, qtbot) -> None:
    go_on, shown = Event(), []
    row.bar.valueChanged.connect(shown.append)

    def work(progress) -> None:
        for step in range(100):
            progress(step / 100, f"step {step}")
        go_on.wait(10)

    row.begin(work, "work", "Loading…")
    assert row.message.text() == "Loading…"
    qtbot.waitUntil(lambda: row.message.text() == "step 99", timeout=5000)
    assert len(shown) <= 3, "reset, and the latest"
    assert row.bar.value() == 99
    with qtbot.waitSignal(row.runner.ended, timeout=5000):
        go_on.set()
    assert row.message.text().startswith("Done")


def test_the_wheel_in_napari_s_status_bar_turns_slowly_beside_work(row: WorkRow, qtbot) -> None:
    with qtbot.waitSignal(row.runner.ended, timeout=5000):
        row.begin(lambda progress: None, "work", "Loading…")
    wheels = [label.movie() for label in row.window().findChildren(QLabel) if label.movie() is not None]
    assert {wheel.speed() for wheel in wheels} == {WHEEL_PERCENT}
