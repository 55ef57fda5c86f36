"""One long piece of work in a panel: buttons to begin and to stop it, a bar with the time left, a line of words."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai.gui.parts.message_label import BAD, NOTE, QUIET, MessageLabel
from napari_wse2xai.gui.parts.run import Runner, Work

EARLY_S, EARLY = 3.0, 0.02
"""Seconds and share of the work before which no time is foretold."""
LOADING_S = 1.0
"""What is done in the first second was there before, or takes no time: it tells nothing about the rest."""


class WorkRow(QWidget):
    """Around one `Runner`: the panel says what is to be done and takes what it gave."""

    gave = Signal(object)
    """What the work gave."""
    told = Signal(str, str)
    """What came of it, and the severity to say it in."""
    refused = Signal(object)
    """The `UserError` that it ended with."""

    def __init__(
        self,
        viewer: Viewer,
        verb: str,
        *,
        between: tuple[QPushButton, ...] = (),
        words: Callable[[Any, list[str]], str] | None = None,
        stopped: str = "Cancelled; the layers are as they were.",
        parent: QWidget | None = None,
    ) -> None:
        """Make the row.

        Parameters
        ----------
        words : says what work gave, and was told beside; where there is none, the time that it took is said
        stopped : said where it was cancelled
        """
        super().__init__(parent)
        self._words = words
        self.runner = Runner(self)
        self.begin_button, self.cancel_button = QPushButton(verb), QPushButton("Cancel")
        self.bar, self.message = QProgressBar(), MessageLabel(viewer)
        self.begin_button.setToolTip(f"{verb or 'Begin'}, with the settings as shown; the window stays free (Ctrl+Return).")
        self.cancel_button.setToolTip("Stop what runs here; the layers stay as they are (Ctrl+.).")
        self._between = between
        self._notes: list[str] = []
        self._objection: tuple[str, str] | None = None
        self._outcome, self._begun, self._offer = ("", QUIET), 0.0, ""
        self._first, self._pace = 0.0, (0.0, 0.0)
        self._arrange()
        self.cancel_button.clicked.connect(self.runner.cancel)
        self.runner.worded.connect(self._on_progress)
        self.runner.finished.connect(self._on_finished)
        self.runner.failed.connect(partial(self.end_with, severity=BAD))
        self.runner.refused.connect(self.refused)
        self.runner.warned.connect(self._notes.append)
        self.runner.cancelled.connect(lambda: self.end_with(stopped))

    def _arrange(self) -> None:
        self.bar.setVisible(False)
        buttons = QHBoxLayout()
        for button in (self.begin_button, *self._between, self.cancel_button):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(buttons)
        column.addWidget(self.bar)
        column.addWidget(self.message)
        self._set_buttons()

    def begin(self, work: Work, description: str, words: str) -> None:
        """Start work; ignored while other work is going on."""
        if self.runner.busy:
            return
        self._notes.clear()
        self._begun = perf_counter()
        self.bar.setRange(0, 0)  # a bar that wanders: modules are being loaded, nothing is counted yet
        self.bar.setFormat("%p %")
        self.bar.setVisible(True)
        self.message.say(words)
        self.runner.start(work, description)
        self._set_buttons()

    def object_with(self, objection: tuple[str, str] | None, offer: str = "") -> None:
        """Say why the work cannot begin, or nothing where that is plain; None where it can, with what is worth knowing before it begins."""
        self._objection, self._offer = objection, offer
        self._set_buttons()
        if not self.runner.busy:
            text, severity = objection if objection and objection[0] else self._outcome
            self.message.say(f"{text} {offer}".strip(), severity)

    def _set_buttons(self) -> None:
        busy = self.runner.busy
        self.begin_button.setEnabled(not busy and self._objection is None)
        for button in (self.cancel_button, *self._between):
            button.setEnabled(busy)

    def _on_progress(self, fraction: float, message: str) -> None:
        if self.bar.maximum() == 0:
            self.bar.setRange(0, 100)
            self._first = perf_counter()
        now = perf_counter()
        if now - self._first < LOADING_S:
            self._pace = now, fraction
        self.bar.setValue(round(100 * fraction))
        left = time_left(now - self._pace[0], fraction, self._pace[1])
        self.bar.setFormat(f"%p %, {left} in all" if left else "%p %")
        self.message.say(message)

    def _on_finished(self, result: object) -> None:
        said = self._words(result, self._notes) if self._words else f"Done in {perf_counter() - self._begun:.0f} s."
        self.end_with(said, NOTE if self._notes else QUIET)
        self.gave.emit(result)

    def end_with(self, text: str, severity: str = QUIET) -> None:
        """Say what came of the work, with what was told on the way; it stays until there is something to object to, or to do."""
        self.bar.setVisible(False)
        self._outcome = (" ".join((text, *self._notes)), severity)
        self.object_with(self._objection, self._offer)
        self.told.emit(*self._outcome)


def time_left(seconds: float, fraction: float, before: float = 0.0) -> str:
    """How much longer all will take, in words, from the time and the share of the work so far; empty while nobody can know.

    Parameters
    ----------
    before : share that was done when the time began, as where work is resumed
    """
    if seconds < EARLY_S or fraction - before < EARLY:
        return ""
    left = seconds * (1 - fraction) / (fraction - before)
    if left < 90:
        return f"about {max(5, 5 * round(left / 5))} s left"
    return f"about {left / 60:.0f} min left" if left < 5400 else f"about {left / 3600:.1f} h left"
