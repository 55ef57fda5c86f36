"""The review desk: pixels by badness, walked through by arrow keys; refitted, accepted and rejected by hand, as a step of the session."""

from functools import partial
from typing import Any

import numpy as np
from napari import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.data.peak_maps import GOOD
from napari_wse2xai.errors import counted
from napari_wse2xai.gui.maps.review_list import ReviewList
from napari_wse2xai.gui.maps.reviewed import Reviewed, Reviewing, put_in_place
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, QUIET
from napari_wse2xai.gui.parts.run import Runner
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.marks import Marks
from napari_wse2xai.gui.session.step_row import StepRow
from napari_wse2xai.layers import residual_layer
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages.residual import MISFIT, ORDERS, misfit_of, residuals, worst_first
from napari_wse2xai.stages.review import DONE

FIRST = "Deconvolve a map first: its pixels are listed here, the worst first."
MARK = "#33e1ff"
HEIGHT_PX, NARROWEST_PX = 210, 60
ASKED_LINES = 20
"""Lines of the list that its columns are made wide enough for."""
_DEEDS = {
    "refit": ("Refit", "R", "Fit the chosen pixels again from many starts; the lowest objective is kept."),
    "refit from neighbours": (
        "From neighbours",
        "B",
        "Fit the chosen pixels again from the values around them; take what comes of it.",
    ),
    "accept": ("Accept", "A", "Believe the values of the chosen pixels as they are."),
    "reject": ("Reject", "X", "Take the values of the chosen pixels out: pairing and training leave them out. Accept brings them back."),
}
"""Words of a button, its key, and what it does."""


class ReviewDesk(QWidget):
    """A list of pixels and what can be done to those that are chosen in it."""

    told = Signal(str, str)
    """What came of it, and the severity to say it in."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.peaks: PeakMaps | None = None
        self.source: SpectralMap | None = None
        self.list, self.table = ReviewList(self), QTableView()
        self.order, self.all_of_them = ComboBox(), QCheckBox("also those that are ok")
        self.place = QLabel()
        self.buttons = {do: QPushButton(f"{words} ({key})") for do, (words, key, _) in _DEEDS.items()}
        self.back, self.next = QPushButton("◀ Before"), QPushButton("Next ▶")
        self.back.setToolTip("The pixel before this one in the list; the map and the spectrum go there too.")
        self.next.setToolTip("The next pixel of the list; the map and the spectrum go there too.")
        self.all_of_them.setToolTip("List every fitted pixel, not only those whose fit needs a look.")
        self.residual = QPushButton("Residuals as a layer")
        self.row, self.looking = StepRow(viewer, "", words=lambda made, _: made.words), Runner(self)
        self.marks = Marks(viewer, "pixels looked at")
        self._residual: tuple[Any, PeakMaps] | None = None
        self._prepare()
        self._arrange()
        self._connect()
        self.refresh()

    def _prepare(self) -> None:
        self.order.addItems([*ORDERS, MISFIT])
        self.order.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.order.setToolTip("What puts a pixel on top of the list.")
        self.table.setModel(self.list)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setMinimumHeight(HEIGHT_PX)
        self.table.verticalHeader().setDefaultSectionSize(22)
        self.table.verticalHeader().setVisible(False)  # in a narrow window its place is needed for words
        self.table.setToolTip("Arrow keys walk through the pixels, on the map and in the spectrum too; Shift or Ctrl chooses several.")
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        head.setResizeContentsPrecision(ASKED_LINES)  # of a thousand lines, as usual, it held the window up for a second
        for do, (_, key, tip) in _DEEDS.items():
            self.buttons[do].setToolTip(f"{tip} Key: {key}, in the list.")
        self.residual.setToolTip("Measured minus fit of every pixel, channel by channel, under the same slider as the map.")
        self.row.begin_button.setVisible(False)

    def _arrange(self) -> None:
        top, walk, deeds = QHBoxLayout(), QHBoxLayout(), QGridLayout()
        top.addWidget(QLabel("Worst by"))
        top.addWidget(self.order)
        top.setStretch(1, 1)
        for part in (self.back, self.place, self.next):
            walk.addWidget(part)
        self.place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        walk.setStretch(1, 1)
        for number, button in enumerate(self.buttons.values()):
            button.setMinimumWidth(NARROWEST_PX)
            deeds.addWidget(button, number // 2, number % 2)
        deeds.addWidget(self.residual, 2, 0, 1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        column.addLayout(top)
        column.addWidget(self.all_of_them)
        column.addWidget(self.table)
        for layout in (walk, deeds):
            column.addLayout(layout)
        column.addWidget(self.row)

    def _connect(self) -> None:
        self.order.currentTextChanged.connect(lambda _: self.sort())
        self.all_of_them.toggled.connect(lambda _: self.sort())
        self.table.selectionModel().currentChanged.connect(lambda now, _: self.walk_to(now.row()))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._set_buttons())
        self.back.clicked.connect(lambda: self.step(-1))
        self.next.clicked.connect(lambda: self.step(1))
        self.residual.clicked.connect(self.show_residuals)
        for do, button in self.buttons.items():
            button.clicked.connect(partial(self.do, do))
            shortcut = QShortcut(QKeySequence(_DEEDS[do][1]), self.table)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(button.click)
        self.row.gave.connect(self._on_reviewed)
        self.row.told.connect(self.told)
        self.row.runner.ended.connect(self._set_buttons)
        self.looking.finished.connect(self._on_looked)
        self.looking.failed.connect(lambda text: self.row.message.say(text, BAD))

    def refresh(self) -> None:
        """Take the peaks of the current map."""
        known, layer = contents.session(self.viewer), contents.current(self.viewer).layer
        peaks = None if layer is None else known.peaks_of(contents.map_of(layer))
        if peaks is self.peaks:
            return
        same = peaks is not None and self.peaks is not None and peaks.history[:-1] and peaks.frame == self.peaks.frame
        goes_on = bool(same) and peaks is not None and "Review" in (peaks.history[-1].step, self.peaks and self.peaks.history[-1].step)
        self.peaks, self.source = peaks, None if peaks is None else known.source_of(peaks)
        if goes_on and peaks is not None:
            self.list.follow(peaks)
        else:
            self.sort()
        self._tell_residual()
        self._set_buttons()

    def sort(self) -> None:
        """Order the list anew; what needs the spectra is worked out in a thread."""
        if self.peaks is None:
            self.list.put(None, np.empty((0, 2), dtype=np.intp), np.empty((0, 0), dtype=np.float32))
            self.marks.clear()
            self._set_buttons()
        elif self.order.currentText() == MISFIT and self.source is not None:
            peaks, source = self.peaks, self.source
            self.row.message.say("Looking at all residuals…")
            self.looking.start(lambda progress: (peaks, misfit_of(residuals(peaks, source, progress), progress), None), "Residuals")
        elif self.order.currentText() in ORDERS:
            self._list(ORDERS[self.order.currentText()](self.peaks))

    def _list(self, badness: NDArray[np.float32]) -> None:
        assert self.peaks is not None
        places = worst_first(self.peaks, badness)
        if not self.all_of_them.isChecked():
            places = places[~np.isin(self.peaks.status[tuple(places.T)], GOOD)]
        self.list.put(self.peaks, places, badness)
        self._set_buttons()

    def _on_looked(self, found: tuple[PeakMaps, Any, Any]) -> None:
        peaks, badness, cube = found
        self.row.message.say("")
        if peaks is not self.peaks:
            return
        if badness is not None:
            self._list(badness)
        else:
            self._put_residuals(cube)

    # Walking

    def chosen(self) -> list[tuple[int, int]]:
        """Pixels that are chosen in the list."""
        return [self.list.pixel(index.row()) for index in self.table.selectionModel().selectedRows()]

    def step(self, by: int) -> None:
        """Go some lines down the list."""
        row = self.table.currentIndex().row() + by
        if 0 <= row < self.list.rowCount():
            self.table.selectRow(row)

    def walk_to(self, line: int) -> None:
        """Show the pixel of a line on the map and in the spectrum."""
        if not 0 <= line < self.list.rowCount() or self.peaks is None:
            return
        pixel = self.list.pixel(line)
        self.marks.show(self.peaks.frame, [pixel], [MARK])
        view = next((dock for dock in self.viewer.window.dock_widgets.values() if hasattr(dock, "show_pixel")), None)
        if view is not None:
            view.show_pixel(pixel)
        self._set_buttons()

    # What the buttons do

    def do(self, deed: str) -> None:
        """Do something to the chosen pixels, in a thread."""
        pixels = self.chosen()
        if not pixels or self.peaks is None or self.source is None or self.row.runner.busy:
            return
        wanted = Reviewing.of(contents.session(self.viewer), self.peaks, self.source, deed, pixels)
        with_residuals = self._residual is not None and self._residual[0] in self.viewer.layers

        def work(progress: Progress) -> Reviewed:
            return wanted.run(progress, with_residuals=with_residuals)

        words = f"{_DEEDS[deed][0]}: {counted(len(pixels), 'pixel')}…"
        self.row.begin_step(wanted.stage, [self.peaks], work, f"{DONE[deed]} by hand", words)
        self._set_buttons()

    def _on_reviewed(self, made: Reviewed) -> None:
        """Take the result, let its layers show it, and go on to the next pixel where one was decided."""
        put_in_place(self.viewer, made)
        if made.residuals is not None:
            self.peaks = made.peaks
            self._put_residuals(made.residuals)
        self.refresh()
        if self.peaks is made.peaks:
            self.list.follow(made.peaks)
        view = next((dock for dock in self.viewer.window.dock_widgets.values() if hasattr(dock, "on_layers")), None)
        if view is not None:
            view.on_layers()
        if made.decided:
            self.step(1)
        self._set_buttons()

    def show_residuals(self) -> None:
        """Work the residuals of all pixels out, in a thread, and put them on the canvas."""
        if self.peaks is not None and self.source is not None:
            peaks, source = self.peaks, self.source
            self.row.message.say("Measured minus fit, of every pixel…")
            self.looking.start(lambda progress: (peaks, None, residuals(peaks, source, progress)), "Residuals")

    def _put_residuals(self, cube: NDArray[np.float32]) -> None:
        assert self.peaks is not None and self.source is not None
        made = residual_layer(self.source, cube)
        if self._residual is not None and self._residual[0] in self.viewer.layers:
            layer = self._residual[0]
            layer.data, layer.name = made[0], made[1]["name"]
        else:
            (layer,) = contents.add(self.viewer, [made])
        self._residual = layer, self.peaks

    def _tell_residual(self) -> None:
        """Say of a layer of residuals whether it is of the peaks that stand now."""
        if self._residual is not None and self._residual[0] in self.viewer.layers:
            layer, of = self._residual
            name = str(layer.name).removesuffix(" · out of date")
            layer.name = name if of is self.peaks else f"{name} · out of date"

    def _set_buttons(self) -> None:
        count, busy = len(self.table.selectionModel().selectedRows()), self.row.runner.busy
        for button in self.buttons.values():
            button.setEnabled(count > 0 and not busy and self.source is not None)
        self.residual.setEnabled(self.peaks is not None and self.source is not None)
        line, lines = self.table.currentIndex().row(), self.list.rowCount()
        self.back.setEnabled(line > 0)
        self.next.setEnabled(-1 <= line < lines - 1)
        at = f"{line + 1} of {lines}" if line >= 0 else counted(lines, "pixel")
        self.place.setText(f"{at}{f', {count} chosen' if count > 1 else ''}")
        self.row.cancel_button.setVisible(busy)
        if not busy and self.peaks is None:
            self.row.message.say(FIRST, QUIET)

    def let_go(self) -> None:
        """Stop what runs, and take the marks away."""
        self.row.runner.cancel()
        self.looking.cancel()
        self.marks.clear()
