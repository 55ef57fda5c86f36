"""The Batch panel: many flakes in processes of their own, told flake by flake, while the window stays free."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from napari import Viewer
from qtpy.QtCore import QModelIndex, QTimer, QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QLabel, QPushButton, QTableView, QVBoxLayout, QWidget

from napari_wse2xai.batch import DONE, REPORT, RESULTS, Batch, FlakeRow, look, run_batch
from napari_wse2xai.errors import counted
from napari_wse2xai.gui.batch.choice import BatchChoice
from napari_wse2xai.gui.batch.flake_table import COLUMNS, FlakeTable
from napari_wse2xai.gui.batch.order import BatchOrder
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.parts.docked import Scrolled, plain
from napari_wse2xai.gui.parts.help import HelpButton, page_of
from napari_wse2xai.gui.parts.message_label import BAD, QUIET
from napari_wse2xai.gui.parts.newest import Newest
from napari_wse2xai.gui.parts.run import Runner
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.gui.session import contents, recent
from napari_wse2xai.gui.session.follows_session import FollowsSession
from napari_wse2xai.gui.session.opened import open_file
from napari_wse2xai.progress import Progress
from napari_wse2xai.session import named_results

TO_CHOOSE = "Choose the settings, the maps and a folder for the results."
ENDING = "What was at work comes to its end."
LOOK_MS = 400
"""After the last letter that was typed."""
ROW_PX, LEAST_ROWS, MOST_NOTES = 22, 7, 2


class _Seen(NamedTuple):
    """What a look at an order found."""

    order: BatchOrder
    rows: tuple[FlakeRow, ...]


class BatchPanel(FollowsSession):
    """Runs a `BatchOrder` by `batch.run_batch`, as the command line does, and shows what becomes of each flake."""

    came = Signal(object)
    """Row of a flake that was begun, or has ended."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.choice, self.table, self.view = BatchChoice(), FlakeTable(napari_viewer, self), QTableView()
        self.work = WorkRow(napari_viewer, "Run", words=self._words, stopped="Cancelled; what is done stays, Run does the rest.")
        self.looking, self.opening = Newest("Look at the flakes", self, skip_stale=True), Runner(self)
        self.queue = CallQueue(self)
        self.open_button, self.report_button = QPushButton("Open flake"), QPushButton("Report of all")
        self._typed = QTimer(self)
        self._order: BatchOrder | None = None
        self._ending = False
        self._objection: tuple[str, str] | None = (TO_CHOOSE, QUIET)
        self._arrange()
        self._connect()
        self.set_listening(True)
        self.refresh()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(QLabel("Many flakes with the same settings"), 1)
        head.addWidget(HelpButton(page_of(BatchPanel)))
        self.view.setModel(self.table)
        self.view.setToolTip("Every flake of the batch; a double click opens one that is done in this window.")
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setWordWrap(False)
        self.view.verticalHeader().setVisible(False)
        self.view.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.view.setMinimumHeight((LEAST_ROWS + 1) * ROW_PX)
        self.view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.view.horizontalHeader().setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        self.open_button.setToolTip("Open the results of the chosen flake in this window, beside what is there (double click).")
        self.report_button.setToolTip("Open the report over all flakes in the browser.")
        below = QHBoxLayout()
        for button in (self.open_button, self.report_button):
            below.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        column.addLayout(head)
        column.addWidget(self.choice)
        column.addWidget(self.work)
        column.addWidget(self.view, 1)
        column.addLayout(below)
        self._typed.setSingleShot(True)
        self._typed.setInterval(LOOK_MS)

    def _connect(self) -> None:
        self.choice.changed.connect(self._on_choice)
        self._typed.timeout.connect(self._look)
        self.looking.gave.connect(self._on_seen)
        self.looking.refused.connect(lambda text: self._object((text, BAD)))
        self.came.connect(self._on_row)
        self.work.begin_button.clicked.connect(self.run)
        self.work.gave.connect(self._on_batch)
        self.work.runner.cancelled.connect(self._on_cancelled)
        self.work.runner.failed.connect(lambda _: self._look())
        self.work.runner.ended.connect(self._on_ended)
        self.view.doubleClicked.connect(self.open_flake)
        self.view.selectionModel().currentChanged.connect(lambda *_: self._set_buttons())
        self.open_button.clicked.connect(lambda: self.open_flake(self.view.currentIndex()))
        self.report_button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._report))))
        self.opening.finished.connect(self._on_opened)
        self.opening.failed.connect(partial(self.work.end_with, severity=BAD))

    def refresh(self) -> None:
        """Offer the flakes of the window as they are now."""
        self.choice.offer(named_results(contents.session(self.viewer)))
        self._object(self._objection)

    # What is chosen

    def _on_choice(self) -> None:
        self._object((TO_CHOOSE, QUIET))
        self._typed.start()

    def _look(self) -> None:
        """Find out, in a thread, which flakes there are and which of them are done."""
        order = self.choice.order()
        if order is None or self.work.runner.busy:
            return
        self._object(("Looking…", QUIET))
        self.looking.do(lambda progress: _Seen(order, look(order.series(), order.output, progress)))

    def _on_seen(self, seen: _Seen) -> None:
        if self.work.runner.busy:
            return
        self._order = seen.order
        self.choice.let_maps_be_chosen(allowed=not seen.order.names_flakes)
        self.table.put(seen.rows)
        self._object(None)

    def _object(self, objection: tuple[str, str] | None) -> None:
        """Say why nothing can be run; else how much there is to do."""
        self._objection = objection
        done, total = self.table.count(DONE), len(self.table.rows)
        offer = f"{counted(total, 'flake')}, {done} of them done already." if done else f"{counted(total, 'flake')}."
        self.work.object_with((ENDING, QUIET) if self._ending else objection, "" if objection else offer)
        self._set_buttons()

    # Running

    def run(self) -> None:
        """Run the batch with the settings as they were looked at."""
        order = self._order
        if order is None or self.work.runner.busy:
            return
        told, jobs, anew = self.came.emit, self.choice.processes.value(), not self.choice.only_missing.isChecked()

        def work(progress: Progress) -> Batch:
            return run_batch(order.written(), order.output, progress, jobs=max(jobs, 1), anew=anew, watch=told)

        self.choice.setEnabled(False)
        self.work.begin(work, f"Batch: {order.place.name}", "Processes are started…")
        self._set_buttons()

    def _on_row(self, row: FlakeRow) -> None:
        self.table.follow(row)
        self._set_buttons()

    def _on_batch(self, batch: Batch) -> None:
        self.table.put(batch.rows)
        self.work.object_with(None)
        self._set_buttons()

    def _words(self, batch: Batch, notes: list[str]) -> str:
        """What became of the batch; of what was warned of only what no line of the table says, and of that the first."""
        own = tuple(f"{row.name}{sign}" for row in batch.rows for sign in (": ", " failed: "))
        left = [note for note in notes if not note.startswith(own)]
        more = [f"{counted(len(left) - MOST_NOTES, 'further remark')} in the report."] if len(left) > MOST_NOTES else []
        notes[:] = [*left[:MOST_NOTES], *more]
        failed = f" {counted(len(batch.failed), 'flake')} failed; the table says why." if batch.failed else ""
        return f"{len(batch.rows) - len(batch.failed)} of {counted(len(batch.rows), 'flake')} done.{failed}"

    def _on_cancelled(self) -> None:
        self._ending = True
        self._object(self._objection)

    def _on_ended(self) -> None:
        """Look again at what was left when it was cancelled: two batches must not write to one folder at once."""
        self.choice.setEnabled(True)
        if self._ending:
            self._ending = False
            self._object(self._objection)
            self._look()

    # What is done

    @property
    def _report(self) -> Path | None:
        return None if self._order is None else self._order.output / REPORT

    def _set_buttons(self) -> None:
        self.open_button.setEnabled(self.table.is_done(self.view.currentIndex()) and not self.opening.busy)
        self.report_button.setEnabled(self._report is not None and self._report.exists() and not self.work.runner.busy)

    def open_flake(self, index: QModelIndex) -> None:
        """Open a flake that is done, beside what is in the window."""
        if self._order is None or not self.table.is_done(index) or self.opening.busy:
            return
        path = self._order.output / self.table.rows[index.row()].folder / RESULTS
        recent.note([path])
        self.opening.start(lambda progress: open_file(path, progress), f"opening {path.parent.name}")
        self._set_buttons()

    def _on_opened(self, opened: Any) -> None:
        self.queue.do([*opened.into(self.viewer), self.viewer.reset_view])
        self._set_buttons()

    def let_go(self) -> None:
        """Hear of nothing more, and stop what runs."""
        self.looking.forget()
        self.work.runner.cancel()
        self.opening.cancel()
        super().let_go()


class BatchDock(Scrolled):
    """The Batch panel as a dock of its own."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        self.panel = BatchPanel(napari_viewer)
        super().__init__(self.panel, parent)
