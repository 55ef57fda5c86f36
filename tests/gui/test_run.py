"""Work in a thread: its result, its words, its errors; cancelled at once, and never in the way of the window."""

import sys
import threading
import time
import warnings
from itertools import pairwise

import pytest

from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.gui.parts import run
from napari_wse2xai.gui.parts.newest import Newest
from napari_wse2xai.gui.parts.run import Runner


@pytest.fixture
def runner(qtbot):
    made = Runner()
    yield made
    made.cancel()


def endless(stopped: threading.Event):
    """Work that only Cancel ends."""

    def work(progress):
        try:
            while True:
                time.sleep(0.005)
                progress(0.5, "going on")
        finally:
            stopped.set()

    return work


def test_the_result_comes_back(qtbot, runner: Runner) -> None:
    with qtbot.waitSignal(runner.finished, timeout=5000) as given:
        runner.start(lambda progress: 42, "answer")
    assert given.args == [42]
    assert not runner.busy


def test_the_window_gets_the_interpreter_sooner_while_work_goes_on(qtbot, runner: Runner) -> None:
    qtbot.waitUntil(lambda: not run._usual_s, timeout=5000)  # threads that other tests cancelled
    usual, seen = sys.getswitchinterval(), []
    runner.finished.connect(seen.append)
    with qtbot.waitSignals([runner.finished, runner.ended], timeout=5000):
        runner.start(lambda progress: sys.getswitchinterval(), "looking")
    assert seen == pytest.approx([run.SWITCH_S])
    assert sys.getswitchinterval() == pytest.approx(usual)


def test_progress_is_told_in_order(qtbot, runner: Runner) -> None:
    heard = []
    runner.progressed.connect(lambda fraction, words: heard.append((fraction, words)))

    def work(progress):
        for step in range(5):
            progress(step / 5, f"step {step}")

    with qtbot.waitSignal(runner.finished, timeout=5000):
        runner.start(work, "steps")
    assert heard == [(step / 5, f"step {step}") for step in range(5)]


def test_a_user_s_mistake_is_one_sentence(qtbot, runner: Runner) -> None:
    def work(progress):
        raise DataError("No flake was found; lower k.")

    with qtbot.waitSignal(runner.failed, timeout=5000) as said:
        runner.start(work, "mistake")
    assert said.args == ["No flake was found; lower k."]
    assert not runner.busy


def test_a_runtime_error_is_not_swallowed(qtbot, runner: Runner, monkeypatch, capsys) -> None:
    """superqt's generator workers swallow it; torch raises little else."""
    from napari.utils.notifications import notification_manager

    monkeypatch.setattr(notification_manager, "receive_error", lambda *_: None)

    def work(progress):
        raise RuntimeError("out of memory")

    with qtbot.waitSignal(runner.failed, timeout=5000) as said:
        runner.start(work, "broken")
    assert "RuntimeError: out of memory" in said.args[0]
    assert "Traceback" in capsys.readouterr().err
    assert not runner.busy


def test_a_warning_about_the_data_is_told_before_the_result(qtbot, runner: Runner) -> None:
    order = []
    runner.warned.connect(order.append)
    runner.finished.connect(order.append)

    def work(progress):
        warnings.warn("the corner is bright", DataWarning, stacklevel=1)
        return "done"

    with qtbot.waitSignal(runner.finished, timeout=5000):
        runner.start(work, "warned")
    assert order == ["the corner is bright", "done"]


def test_cancel_answers_within_half_a_second_and_stops_the_thread(qtbot, runner: Runner) -> None:
    stopped = threading.Event()
    runner.start(endless(stopped), "endless")
    qtbot.wait(100)
    begun = time.perf_counter()
    with qtbot.waitSignal(runner.cancelled, timeout=5000):
        runner.cancel()
    assert time.perf_counter() - begun < 0.5
    assert not runner.busy
    assert stopped.wait(0.5)


def test_what_a_cancelled_run_still_gives_is_dropped(qtbot, runner: Runner) -> None:
    results = []
    runner.finished.connect(results.append)
    go_on = threading.Event()
    runner.start(lambda progress: go_on.wait(5) and "late", "late")
    runner.cancel()
    with qtbot.waitSignal(runner.finished, timeout=5000):
        runner.start(lambda progress: "next", "next")
    go_on.set()
    qtbot.wait(100)
    assert results == ["next"]


def test_a_second_start_while_busy_is_ignored(qtbot, runner: Runner) -> None:
    stopped = threading.Event()
    runner.start(endless(stopped), "first")
    runner.start(lambda progress: pytest.fail("must not run"), "second")
    qtbot.wait(50)
    assert runner.busy
    runner.cancel()
    assert stopped.wait(1)


def test_the_window_stays_alive_while_work_goes_on(qtbot, runner: Runner) -> None:
    from qtpy.QtCore import QTimer

    ticks = []
    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    stopped = threading.Event()
    runner.start(endless(stopped), "endless")
    qtbot.wait(500)
    runner.cancel()
    timer.stop()
    assert stopped.wait(1)
    gaps = [late - early for early, late in pairwise(ticks)]
    assert len(ticks) > 10
    assert max(gaps) < 0.25


def test_what_there_is_so_far_is_shown_twice_a_second_at_most(qtbot, runner: Runner, monkeypatch) -> None:
    monkeypatch.setattr(run, "PAUSE", 0.1)
    seen: list[int] = []
    runner.showed.connect(seen.append)

    took: list[float] = []

    def work(progress):
        started = time.monotonic()
        for step in range(40):
            progress.show(step)
            time.sleep(0.01)
        took.append(time.monotonic() - started)  # a busy machine sleeps longer

    with qtbot.waitSignal(runner.finished, timeout=5000):
        runner.start(work, "steps")
    assert 1 <= len(seen) <= took[0] / run.PAUSE + 1 < 40
    assert seen == sorted(seen)


def test_work_whose_panel_is_gone_ends_and_breaks_nothing(qtbot) -> None:
    runner, stopped, begun = Runner(), threading.Event(), threading.Event()

    def work(progress):
        begun.set()
        endless(stopped)(progress)

    with qtbot.captureExceptions() as broken:
        runner.start(work, "going on")
        assert begun.wait(5)
        runner.deleteLater()
        qtbot.waitUntil(stopped.is_set, timeout=5000)
        qtbot.wait(50)  # the thread's last words come
    assert not broken


def test_what_is_done_in_a_moment_lets_no_events_in_while_it_begins(qtbot, monkeypatch) -> None:
    """napari handles all events that wait when it makes a bar."""
    monkeypatch.setattr(run, "activity", lambda **told: pytest.fail("a bar was made"))
    newest = Newest("looking")
    given: list[object] = []
    newest.gave.connect(given.append)
    newest.do(lambda progress: progress(0.5, "half") or 1)
    newest.do(lambda progress: 2)
    qtbot.waitUntil(lambda: given == [1, 2], timeout=5000)
