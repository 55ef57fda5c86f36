"""What came of a training: the verdict as a badge with its sentences, plots and scores."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from napari_wse2xai.data import NETWORK, VALIDATIONS, TrainedModel
from napari_wse2xai.gui.parts.drawn import DPI, SMALL
from napari_wse2xai.gui.parts.guarded import ComboBox, TabBar
from napari_wse2xai.gui.parts.message_label import WrappedLabel
from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas
from napari_wse2xai.gui.parts.verdict_badge import VerdictBadge
from napari_wse2xai.plots import training
from napari_wse2xai.plots.plain_text import PlainFigure

CURVES, SCATTER, MODELS, NULL_TEST = "Curves", "Scatter", "Models", "Null test"
HEIGHTS = {CURVES: 230, SCATTER: 330, MODELS: 250, NULL_TEST: 380}
"""Of each plot, pixels."""


class TrainResult(QWidget):
    """One model: choose a target, see its verdict, and one plot at a time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model: TrainedModel | None = None
        self.target, self.badge, self.tabs = ComboBox(), VerdictBadge(), TabBar()
        self.canvas = PlotCanvas(PlainFigure(dpi=DPI, layout="constrained"))
        self.table, self.remarks = _score_table(), WrappedLabel()
        self.target.setToolTip("Which of the targets that were learnt")
        for name in HEIGHTS:
            self.tabs.addTab(name)
        self.tabs.setToolTip("What is plotted below.")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.target, self.badge, self.tabs, self.canvas, self.table, self.remarks):
            column.addWidget(part)
        self.target.currentIndexChanged.connect(lambda _: self._show_target())
        self.tabs.currentChanged.connect(lambda _: self._draw())
        self.setVisible(False)

    def show_model(self, model: TrainedModel | None) -> None:
        """Show a model, or nothing."""
        if model is self.model:
            return
        self.model = model
        self.setVisible(model is not None)
        self.target.put([] if model is None else [(f"PL {name}", name) for name in model.samples.target_names])
        self.target.setVisible(self.target.count() > 1)
        self._show_target()

    def _show_target(self) -> None:
        if self.model is None:
            return
        self.badge.show_verdict(self.model.verdict(self.target.currentData()))
        self.remarks.setText(" ".join(self.model.remarks))
        self.remarks.setVisible(bool(self.model.remarks))
        self._fill(self.model, self.target.currentData())
        self._draw()

    def _draw(self) -> None:
        """Draw the plot of the chosen tab."""
        if self.model is None:
            return
        shown = self.tabs.tabText(self.tabs.currentIndex())
        self.canvas.setFixedHeight(HEIGHTS[shown])
        self.table.setVisible(shown == MODELS)
        self.canvas.figure.clear()
        with rc_context(SMALL):
            draw(self.canvas.figure, self.model, self.target.currentData(), shown)
        self.canvas.draw_idle()

    def _fill(self, model: TrainedModel, target: str) -> None:
        """R2 on pixels not seen, MAPE and time of every model."""
        scores = [score for score in model.scores if score.target == target and score.part == "validation"]
        names = list(dict.fromkeys(score.model for score in scores))
        kinds = [kind for kind in VALIDATIONS if any(score.validation == kind for score in scores)]
        self.table.setColumnCount(len(kinds) + 2)
        self.table.setHorizontalHeaderLabels([*(f"R²\n{kind}" for kind in kinds), "MAPE\n%", "time\ns"])
        self.table.setRowCount(len(names))
        self.table.setVerticalHeaderLabels(names)
        for row, name in enumerate(names):
            found = [model.score(target, model=name, validation=kind) for kind in kinds]
            random = model.score(target, model=name)
            cells = ["–" if score is None else f"{score.r2:.3f}" for score in found]
            cells += ["–", "–"] if random is None else ["–" if np.isnan(random.mape) else f"{random.mape:.1f}", f"{random.seconds:.1f}"]
            for column, text in enumerate(cells):
                self.table.setItem(row, column, _cell(text, bold=name == NETWORK))
        self.table.setFixedHeight(48 + 24 * len(names))


def draw(figure: Figure, model: TrainedModel, target: str, which: str) -> None:
    """Draw one of the plots, named as its tab."""
    verdict = model.verdict(target)
    if which == CURVES:
        training.draw_learning_curves(figure.add_subplot(), model.curves, target, verdict=verdict)
    elif which == SCATTER:
        training.draw_scatter(figure.add_subplot(), model, target)
    elif which == MODELS:
        axes = figure.add_subplot()
        training.draw_reference_models(axes, model, target)
        if (legend := axes.get_legend()) is not None:  # in a narrow dock the bars leave room at the lower left only
            legend.set_loc("lower left")
    else:
        _draw_null_test(figure, model, target)


def _draw_null_test(figure: Figure, model: TrainedModel, target: str) -> None:
    test = model.null_test(target)
    kinds = [] if test is None else list(test.r2)
    if test is None or not kinds:
        figure.text(0.5, 0.5, "No null test was made.", ha="center")
        return
    for place, kind in enumerate(kinds, 1):
        training.draw_null_test(figure.add_subplot(len(kinds), 1, place), test, kind, verdict=model.verdict(target) if place == 1 else None)


def _score_table() -> QTableWidget:
    table = QTableWidget()
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
    table.verticalHeader().setDefaultSectionSize(24)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setToolTip("On pixels that the model did not see; MAPE and time of the random split.")
    return table


def _cell(text: str, *, bold: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    font = item.font()
    font.setBold(bold)
    item.setFont(font)
    return item
