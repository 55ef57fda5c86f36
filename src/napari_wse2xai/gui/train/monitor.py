"""A training under way: its curves drawn as they grow, and a way to say that it is enough."""

import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import numpy as np
from matplotlib.ticker import NullLocator
from qtpy.QtCore import QObject, Signal

from napari_wse2xai.errors import StopTraining
from napari_wse2xai.gui.parts.blitted import Blitted
from napari_wse2xai.plots.plain_text import PlainFigure, make_logarithmic
from napari_wse2xai.plots.training import PARTS, SHORT, WORST_R2
from napari_wse2xai.progress import Progress

Curves = Mapping[str, list[float]]
REDRAW_S = 0.2
"""Curves are handed over at most this often."""
LOSSES = (1e-3, 3.0)
"""Range of the loss axis: the loss is that of standardised targets, 1 where nothing was learnt."""
LINES = {"r2_training": PARTS["training"], "r2_validation": PARTS["validation"], "loss": "#4c9be8"}
HEIGHT = 210
LABELS = {"r2_training": "R² training", "r2_validation": "R² validation", "loss": "loss (right)"}


class TrainingMonitor(QObject):
    """Goes between the working thread and the panel."""

    grew = Signal(str, object)
    """Validation, and the curves so far of the network that is being trained on it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.enough = threading.Event()

    def attend(self, report: Progress) -> "TrainingListener":
        """Progress for one training, that also takes its curves."""
        self.enough.clear()
        return TrainingListener(report, self.grew.emit, self.enough)


class TrainingListener:
    """What a training reports to, in its thread: a `stages.train.TrainingProgress`."""

    def __init__(self, report: Progress, show: Callable[[str, Curves], None], enough: threading.Event) -> None:
        self._report, self._show, self._enough = report, show, enough
        self._in_network = False
        self._shown = 0.0

    def __call__(self, fraction: float, message: str) -> None:
        """Hand progress on; raise `StopTraining` where the user asked for it and a network is being trained that can stop."""
        self._report(fraction, message)
        stops, self._in_network = self._in_network and self._enough.is_set(), False
        if stops:
            self._enough.clear()
            raise StopTraining

    def watch(self, validation: str, history: Curves) -> None:
        """Hand a copy of the curves on, a few times a second."""
        self._in_network = True
        if perf_counter() - self._shown > REDRAW_S:
            self._shown = perf_counter()
            self._show(validation, {name: list(values) for name, values in history.items()})


class LiveCurves(Blitted):
    """R2 of both parts and the loss, epoch by epoch; only the lines are drawn anew (blitting), so that the window stays awake."""

    def __init__(self) -> None:
        super().__init__(PlainFigure(figsize=(3.3, 2.2)))
        self.figure.subplots_adjust(left=0.13, right=0.85, bottom=0.21, top=0.88)
        self.axes = self.figure.add_subplot()
        self.loss_axes = self.axes.twinx()
        self.lines: dict[str, Any] = {}
        self._decorate()
        self.moving = [*self.lines.values(), self.title]
        self.setFixedHeight(HEIGHT)  # a line of words more above must not have all drawn anew

    def _decorate(self) -> None:
        self.axes.set(ylim=(WORST_R2, 1.03), xlim=(0, 1))
        self.axes.set_xlabel("epoch", fontsize="small")
        make_logarithmic(self.loss_axes.yaxis)
        self.loss_axes.set_ylim(LOSSES)
        for axes in (self.axes, self.loss_axes):
            axes.tick_params(labelsize="x-small")
        self.loss_axes.yaxis.set_minor_locator(NullLocator())  # sixty small ticks take as long to draw as all the rest
        self.title = self.axes.set_title("", loc="left", fontsize="small", animated=True)
        self.axes.grid(visible=True, linewidth=0.4, alpha=0.5)
        for name, color in LINES.items():
            axes, style = (self.loss_axes, ":") if name == "loss" else (self.axes, "-")
            (self.lines[name],) = axes.plot([], [], color=color, linestyle=style, linewidth=1.4, label=LABELS[name], animated=True)
        self.axes.legend(handles=list(self.lines.values()), loc="lower right", fontsize="x-small", frameon=False)

    def begin(self, epochs: int) -> None:
        """Show empty axes for so many epochs."""
        for line in self.lines.values():
            line.set_data([], [])
        self.title.set_text("")
        self.axes.set_xlim(0, epochs)
        self.setVisible(True)

    def show_curves(self, validation: str, curves: Curves) -> None:
        """Draw the curves so far.

        Parameters
        ----------
        validation : one of `data.VALIDATIONS`, or ``all pixels``
        """
        for name, line in self.lines.items():
            values = np.asarray(curves.get(name, []), dtype=np.float64)
            line.set_data(np.asarray(curves["epoch"][: len(values)]), values)
        self.title.set_text(f"CNN, {SHORT.get(validation, validation)}")
        self.blit_moving()
