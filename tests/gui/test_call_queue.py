"""Things done by turns are done in order, with events between them, and no longer than wanted."""

import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_wse2xai.data import TrainedModel
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.train.panel import TrainPanel
from napari_wse2xai.layers import to_layers


@pytest.fixture
def turns(qapp) -> CallQueue:
    parent = QWidget()
    turns = CallQueue(parent)
    turns.kept = parent
    return turns


def test_in_order_and_events_are_answered_in_between(turns: CallQueue, settle) -> None:
    done: list[object] = []
    turns.do(lambda k=k: done.append(k) for k in range(3))
    turns.do([lambda: done.append("last")])
    QTimer.singleShot(0, lambda: done.append("event"))
    assert not done
    settle(lambda: "last" in done)
    assert [one for one in done if one != "event"] == [0, 1, 2, "last"]
    assert done.index("event") < 3


def test_one_that_breaks_does_not_keep_the_others_from_being_done(turns: CallQueue, settle, qtbot) -> None:
    done: list[str] = []
    with qtbot.captureExceptions() as broken:
        turns.do([lambda: 1 / 0, lambda: done.append("after")])
        settle(lambda: bool(done))
    assert [kind for kind, *_ in broken] == [ZeroDivisionError]


def test_a_panel_that_is_closed_between_two_layers_adds_no_more(viewer, qtbot, trained: TrainedModel, settle) -> None:
    panel = TrainPanel(viewer)
    qtbot.addWidget(panel)
    panel._on_trained(trained)
    assert not viewer.layers
    let_go = viewer.layers.events.inserted.connect(lambda _: QTimer.singleShot(0, lambda: panel.set_listening(False)))
    settle(lambda: not panel._listens)
    viewer.layers.events.inserted.disconnect(let_go)
    there = len(viewer.layers)
    assert 0 < there < len(to_layers(trained))
    settle()
    assert len(viewer.layers) == there
