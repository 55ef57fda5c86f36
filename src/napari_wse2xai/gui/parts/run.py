"""Run a stage in a thread: progress, cancel, and errors in one sentence."""

import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from napari.qt.threading import FunctionWorker
from napari.utils import progress as activity
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QLabel, QWidget

from napari_wse2xai.errors import Cancelled, DataWarning, UserError
from napari_wse2xai.gui.parts.two_llvms import keep_triton_out
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages import SoFar

Work = Callable[[Progress], Any]
PAUSE = 0.5
"""Seconds between two looks at what there is so far."""
WORDS_MS = 500
"""Between two words of progress that are shown: each makes Qt compose the whole window anew, canvas included, beside the work, and napari's
bar handle all events."""
WHEEL_PERCENT = 10
"""Of the speed of napari's wheel: it still turns."""
SWITCH_S = 1e-3
"""How long a working thread may keep the interpreter to itself while the window waits for it; Python's own choice is five times as long,
and the window waits anew for every call of Qt that it makes."""
_switching = threading.Lock()
_usual_s: list[float] = []
"""Python's own choice, once for every thread that works."""


class Runner(QObject):
    """Does one piece of work at a time outside the GUI thread.

    A function worker, not a generator worker: superqt's generator workers swallow RuntimeError, which is nearly all that torch raises.
    Cancel answers at once: the work stops at its next report of progress, and whatever it still gives is dropped.
    """

    progressed = Signal(float, str)
    """Every report."""
    worded = Signal(float, str)
    """The latest report, to be shown; twice a second at most."""
    showed = Signal(object)
    """What there is of a result so far."""
    finished = Signal(object)
    failed = Signal(str)
    refused = Signal(object)
    """The `UserError` whose words `failed` has just told: for who can do more with it than show them."""
    warned = Signal(str)
    cancelled = Signal()
    ended = Signal()
    """The thread has come to its end: after `cancelled` a little later."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task: _Task | None = None
        self._latest = (0.0, "")
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(WORDS_MS)
        self._soon.timeout.connect(self._show_words)
        self.progressed.connect(self._on_progress)

    @property
    def busy(self) -> bool:
        """Whether work is going on that was not cancelled."""
        return self._task is not None

    def start(self, work: Work, description: str, *, with_bar: bool = True) -> None:
        """Begin; ignored while busy.

        Parameters
        ----------
        with_bar : False for what is done in a moment: napari handles all events that wait before it has made a bar, here, now
        """
        if self.busy:
            return
        task = self._task = _Task(self, work, activity(total=100, desc=description) if with_bar else None)
        self.destroyed.connect(lambda *_, stop=task.stop: stop.set())  # whoever began it is gone: nobody waits for it
        _calm(self.parent())
        keep_triton_out()
        worker = FunctionWorker(task.run)
        worker.returned.connect(task.on_returned)
        worker.errored.connect(task.on_errored)
        worker.finished.connect(self.ended)  # type: ignore[arg-type]  # a signal, so that Qt parts them where one goes
        task.worker = worker
        worker.start()

    def cancel(self) -> None:
        """Stop the work and say so at once."""
        if self._task is not None:
            self._task.stop.set()
            self.close_task()
            self.cancelled.emit()

    def close_task(self) -> None:
        """Forget the task and take its bar from the activity dock."""
        self._soon.stop()
        if self._task is not None and self._task.bar is not None:
            self._task.bar.close()
        self._task = None

    def owns(self, task: "_Task") -> bool:
        """Whether a task is the one that is waited for."""
        return task is self._task and not task.stop.is_set()

    def _on_progress(self, fraction: float, message: str) -> None:
        self._latest = fraction, message
        if self.busy and not self._soon.isActive():
            self._soon.start()

    def _show_words(self) -> None:
        if self._task is None:
            return
        fraction, message = self._latest
        bar = self._task.bar
        self.worded.emit(fraction, message)
        if bar is None:
            return
        bar.n = round(100 * fraction)
        bar.set_description(message)  # lets Qt handle events, among them the end of the task


class _Task:
    """One run: knows whether it was cancelled, and reports to its runner only while that waits for it."""

    def __init__(self, runner: Runner, work: Work, bar: Any) -> None:
        self._runner, self._work, self.bar = runner, work, bar
        self.stop = threading.Event()
        self._shown = perf_counter()
        self.worker: Any = None

    def run(self) -> Any:
        """Work, in the other thread; the cancelled and the user's mistakes come back as values, not as tracebacks."""
        with quick_to_answer(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            try:
                result = self._work(self)
            except (Cancelled, UserError) as outcome:
                result = outcome
        return result, [str(w.message) for w in caught if issubclass(w.category, DataWarning)]

    def __call__(self, fraction: float, message: str) -> None:
        """Report progress, in the other thread."""
        if self.stop.is_set():
            raise Cancelled
        self._runner.progressed.emit(fraction, message)

    def show(self, so_far: SoFar) -> None:
        """Hand on what there is, at most twice a second."""
        if not self.stop.is_set() and perf_counter() - self._shown > PAUSE:
            self._shown = perf_counter()
            self._runner.showed.emit(so_far)

    def on_returned(self, outcome: tuple[Any, list[str]]) -> None:
        """Hand the result on, in the GUI thread."""
        if not self._runner.owns(self):
            return
        result, notes = outcome
        self._runner.close_task()
        for note in notes:
            self._runner.warned.emit(note)
        if isinstance(result, UserError):
            self._runner.failed.emit(str(result))
            self._runner.refused.emit(result)
        elif not isinstance(result, Cancelled):
            self._runner.finished.emit(result)

    def on_errored(self, error: BaseException) -> None:
        """Say what broke; the traceback goes to the console for the report to us."""
        if self._runner.owns(self):
            self._runner.close_task()
            traceback.print_exception(error)
            self._runner.failed.emit(f"This step broke ({type(error).__name__}: {error}); the layers are as they were. Please report it.")


def _calm(part: Any) -> None:
    """Slow the wheel that napari turns in its status bar: at each of its 30 pictures a second Qt composes the whole window anew."""
    if not isinstance(part, QWidget):
        return
    for label in part.window().findChildren(QLabel):
        if (wheel := label.movie()) is not None:
            wheel.setSpeed(WHEEL_PERCENT)


@contextmanager
def quick_to_answer() -> Iterator[None]:
    """Let the window have the interpreter soon after it asks, while any thread works."""
    with _switching:
        _usual_s.append(_usual_s[0] if _usual_s else sys.getswitchinterval())
        sys.setswitchinterval(min(SWITCH_S, _usual_s[0]))
    try:
        yield
    finally:
        with _switching:
            usual_s = _usual_s.pop()
            if not _usual_s:
                sys.setswitchinterval(usual_s)
