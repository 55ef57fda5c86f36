"""What came of explaining: the ranking, and the plot of what is chosen in it."""

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.quantities import feature_words, pretty
from napari_wse2xai.gui.explain.curves import IcePlot
from napari_wse2xai.gui.explain.maps import MapsPlot
from napari_wse2xai.gui.explain.saved import BelowCurves, page
from napari_wse2xai.gui.parts.drawn import DPI, SMALL
from napari_wse2xai.gui.parts.guarded import TabBar
from napari_wse2xai.gui.parts.message_label import WrappedLabel
from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas
from napari_wse2xai.gui.parts.verdict_badge import VerdictBadge
from napari_wse2xai.plots import compared, explaining
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.plots.spectra import with_error

ICE, PDP, MAPS, RANKING, MODELS = "Curves", "All modes", "Maps", "Ranking", "Models"
PANEL_ROW = 150
"""Height of a row of small panels, pixels."""
MAP_ROW = 210
"""Height of a map, pixels."""
ROWS_SHOWN = 8
PEAK_LOSS = "what the model's R² loses where position, FWHM and height of the peak are shuffled together between the pixels"


def _item(text: str, tip: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(tip)
    return item


class ExplainResult(QWidget):
    """Verdict, ranking of the parameters to click on, and one plot at a time."""

    chosen = Signal(int)
    """Feature that was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.explanation: Explanation | None = None
        self.feature = 0
        self.badge, self.table, self.tabs = VerdictBadge(), _ranking_table(), TabBar()
        self.ice, self.maps = IcePlot(), MapsPlot()
        self.canvas = PlotCanvas(PlainFigure(dpi=DPI, layout="constrained"))
        self.map_verdict, self.remarks = WrappedLabel(), WrappedLabel()
        for name in (ICE, PDP, MAPS, RANKING, MODELS):
            self.tabs.addTab(name)
        self.tabs.setToolTip("What is plotted below: of the chosen parameter, or of all.")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.badge, self.map_verdict, self.table, self.tabs, self.ice, self.maps, self.canvas, self.remarks):
            column.addWidget(part)
        self.table.currentCellChanged.connect(lambda row, *_: self._on_row(row))
        self.tabs.currentChanged.connect(lambda _: self._draw())
        self._with_curves: list[BelowCurves] = []
        self.setVisible(False)

    def add_below_curves(self, part: BelowCurves) -> None:
        """Put something below the curves, to be seen with them only."""
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.indexOf(self.canvas), part)
        self._with_curves.append(part)

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Show an explanation, its most important parameter chosen; or nothing."""
        self.explanation = explanation
        self.setVisible(explanation is not None)
        if explanation is None:
            return
        self.badge.show_verdict(explanation.verdict, brief=True)
        self.tabs.setTabVisible(self.tabs.count() - 1, bool(explanation.others))
        self.map_verdict.setText(f"<b>{explanation.model_words}, {explanation.map_level}.</b> {explanation.map_sentence}")
        self.map_verdict.setToolTip(explanation.map_level.meaning)
        self.remarks.setText("<br>".join([*explanation.remarks, *(each.sentence for each in explanation.answers)]))
        self.remarks.setVisible(bool(self.remarks.text()))
        self._fill(explanation)
        self.feature = explanation.ranking[0]
        self._draw()

    def _fill(self, explanation: Explanation) -> None:
        self.table.blockSignals(True)
        self.table.setRowCount(len(explanation.ranking))
        unit = pretty(explanation.target_unit)
        further = [each.title.replace(" (", "\n(") for each in explanation.answers]
        self.table.setColumnCount(4 + len(further))
        self.table.setHorizontalHeaderLabels(["Parameter", f"PDP spread\n{unit}", f"slope × σ\n{unit}", "R² lost\n(peak)", *further])
        for row, feature in enumerate(explanation.ranking):
            spread = with_error(float(explanation.importance[feature]), float(explanation.importance_error[feature]))
            lost, error = explanation.peak_loss(feature)
            name, rms = feature_words(explanation.features[feature]), f"{explanation.slope_rms[feature]:.3g}"
            cells = (name, spread, rms, "" if np.isnan(lost) else f"{lost:.2f}")
            tips = ("", "", "", f"{PEAK_LOSS}: {with_error(lost, error)}." if cells[-1] else "")
            for column, (text, tip) in enumerate(zip(cells, tips, strict=True)):
                self.table.setItem(row, column, _item(text, tip))
            for column, each in enumerate(explanation.answers, start=len(cells)):
                told = with_error(float(each.values[feature]), float(each.errors[feature]))
                self.table.setItem(row, column, _item(f"{each.values[feature]:.2g}", f"{each.says}: {told}."))
        self.table.setCurrentCell(0, 0)
        self.table.blockSignals(False)

    def _on_row(self, row: int) -> None:
        if self.explanation is None or not 0 <= row < len(self.explanation.ranking):
            return
        self.feature = self.explanation.ranking[row]
        if self.shown in (*self._plots, MODELS):  # the others show all parameters at once
            self._draw()
        self.chosen.emit(self.feature)

    @property
    def shown(self) -> str:
        """Plot of the chosen tab."""
        return str(self.tabs.tabText(self.tabs.currentIndex()))

    @property
    def figure(self) -> Figure:
        """Figure of the chosen tab."""
        figure: Figure = self._plots.get(self.shown, self.canvas).figure
        return figure

    def page(self) -> Figure:
        """All that is seen in the chosen tab, to be saved."""
        seen = [part.to_save() for part in self._with_curves] if self.shown == ICE else []
        parts = [part for part in seen if part is not None]
        return page(self.figure, parts) if parts else self.figure

    @property
    def _plots(self) -> dict[str, IcePlot | MapsPlot]:
        """Plots of one parameter, by the tabs that show them."""
        return {ICE: self.ice, MAPS: self.maps}

    def _draw(self) -> None:
        explanation = self.explanation
        if explanation is None:
            return
        own = self._plots.get(self.shown)
        for part in self._with_curves:
            part.setVisible(self.shown == ICE)
        for plot in (self.ice, self.maps, self.canvas):
            plot.setVisible(plot is (own or self.canvas))
        if own is not None:
            own.show_feature(explanation, self.feature)
            return
        self.canvas.figure.clear()
        with rc_context(SMALL):
            self.canvas.setFixedHeight(draw(self.canvas.figure, explanation, self.shown, self.feature))
        self.canvas.draw_idle()


def draw(figure: Figure, explanation: Explanation, which: str, feature: int) -> int:
    """Draw one of the plots that have no canvas of their own, named as its tab; returns its height in pixels."""
    if which == MODELS and explanation.others:
        rows = len(explanation.others) + 2
        compared.draw_compared(list(figure.subplots(rows, 1)), explanation, feature)
        return MAP_ROW * rows
    if which == PDP:
        _tidy(figure, explaining.draw_pdp_panel(figure, explanation, columns=2))
        return PANEL_ROW * -(-len(explaining.modes(explanation)) // 2) + 70
    explaining.draw_ranking(figure.add_subplot(), explanation)
    return 2 * PANEL_ROW + 30


def _tidy(figure: Figure, panels: Any) -> None:
    """One legend and one label for all small panels: in a narrow dock there is no room in each."""
    for axes in panels:
        axes.set_xlabel("")
    figure.supxlabel("deviation from the mean (σ)", fontsize="small")
    handles, words = panels[0].get_legend_handles_labels()
    if (legend := panels[0].get_legend()) is not None:
        legend.remove()
    figure.legend(handles, words, loc="outside upper center", ncols=2, fontsize="x-small", frameon=False)


def _ranking_table() -> QTableWidget:
    table = QTableWidget(0, 4)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
    table.setStyleSheet("QTableView, QHeaderView::section { font-size: 8pt; padding: 1px; }")  # else names are cut in a narrow dock
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    table.verticalHeader().setDefaultSectionSize(22)
    table.verticalHeader().setFixedWidth(20)
    table.setFixedHeight(22 * ROWS_SHOWN + 44)
    table.setToolTip(
        "From the most to the least important; click one to see its curves, and its slope map on the flake.\n"
        "slope × σ: root mean square over the pixels of the ICE slope times the parameter's standard deviation.\n"
        f"R² lost: {PEAK_LOSS}."
    )
    return table
