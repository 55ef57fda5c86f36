"""Placings of PL that fit alike, side by side as pictures: a click takes one."""

from collections.abc import Sequence
from typing import Any

from matplotlib.backend_bases import MouseEvent
from matplotlib.figure import Figure
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_wse2xai.data import Candidate, Pairable
from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas
from napari_wse2xai.plots.pairing import draw_candidate

COLUMNS = 2
ROW_PX = 135
ASK = "Which is right? Click it. Magenta: RS, green: PL, white: both. The percentage: how much of the outlines agree."
PALE, BRIGHT = "#00000000", "#ffd24a"


class PairChoice(QWidget):
    """Shows candidates until one is clicked."""

    chosen = Signal(int)
    """Number of the candidate, from 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel(ASK)
        self.words.setWordWrap(True)
        self.canvas = PlotCanvas(Figure(layout="constrained"))
        self.canvas.setCursor(Qt.CursorShape.PointingHandCursor)
        self._numbers: dict[Any, int] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.words)
        column.addWidget(self.canvas)
        self.canvas.mpl_connect("button_press_event", self._on_click)
        self.canvas.mpl_connect("motion_notify_event", self._on_move)
        self.hide()

    def show_candidates(self, source: Pairable, candidates: Sequence[Candidate]) -> None:
        """Draw those that fit as well as the best, with their numbers."""
        shown = [(number, one) for number, one in enumerate(candidates, 1) if one.as_good]
        rows = -(-len(shown) // COLUMNS)
        colour = self.palette().windowText().color().name()
        figure = self.canvas.figure
        figure.clear()
        figure.set_facecolor(self.palette().window().color().name())
        self._numbers = {}
        for index, (number, candidate) in enumerate(shown):
            axes = figure.add_subplot(rows, COLUMNS, index + 1)
            draw_candidate(axes, source, candidate, number)
            axes.title.set_color(colour)
            self._numbers[axes] = number
        self.canvas.setFixedHeight(ROW_PX * rows)
        self.show()
        self.canvas.draw_idle()

    def _on_click(self, event: MouseEvent) -> None:
        if event.inaxes in self._numbers:
            self.hide()
            self.chosen.emit(self._numbers[event.inaxes])

    def _on_move(self, event: MouseEvent) -> None:
        """Frame the picture under the mouse."""
        for axes in self._numbers:
            for spine in axes.spines.values():
                spine.set(color=BRIGHT if axes is event.inaxes else PALE, linewidth=2.0)
        self.canvas.draw_idle()
