"""What came of comparing with theory: sentences, names of the peaks, and one figure at a time."""

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from napari_wse2xai.data.quantities import in_sentence
from napari_wse2xai.gui.parts.drawn import SMALL, canvas_of, take_out
from napari_wse2xai.gui.parts.guarded import ComboBox, TabBar
from napari_wse2xai.gui.parts.later import later
from napari_wse2xai.gui.parts.message_label import WrappedLabel
from napari_wse2xai.plots import theory as plots
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.plots.theory_beside import beside_figure
from napari_wse2xai.theory.beside import TheoryBeside
from napari_wse2xai.theory.findings import folded_peak

BESIDE, MOTION, RAMAN = "Over the map", "Motion (4a)", "Raman (4c)"


class TheoryView(QWidget):
    """Sentences for the finding first; then names; then the figures."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.beside: TheoryBeside | None = None
        self.finding, self.words = _text(), _text()
        self.table, self.tabs, self.engine = _names_table(), TabBar(), ComboBox()
        self.canvas: FigureCanvasQTAgg | None = None  # made when there is something to draw: it takes a while
        for name in (BESIDE, MOTION, RAMAN):
            self.tabs.addTab(name)
        self.tabs.setToolTip("What is plotted below.")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.finding, self.table, self.tabs, self.engine, self.words):
            column.addWidget(part)
        self.engine.setToolTip("By which engine: where two differ you see how far to trust either.")
        self.tabs.currentChanged.connect(lambda _: self._on_tab())
        self.engine.currentIndexChanged.connect(lambda _: self._draw())
        self.table.horizontalHeader().sectionResized.connect(lambda *_: later(self, self._fit_table))  # when all columns have theirs
        self.setVisible(False)

    def show_beside(self, beside: TheoryBeside) -> None:
        """Show what was compared."""
        self.beside = beside
        self.finding.setText(_listed(beside.evidence or NO_EXPLANATION))
        self._fill(beside)
        self.tabs.setTabVisible(1, bool(beside.result.moving_engines))
        self.setVisible(True)
        self._on_tab()

    def _on_tab(self) -> None:
        """Offer the engines that know what the tab shows, the chosen one kept where it does."""
        if self.beside is None:
            return
        known = self.beside.result.moving_engines if self.shown == MOTION else self.beside.result.engines
        wanted = self.engine.currentText() or self.beside.result.leading
        self.engine.put([(engine, engine) for engine in known], wanted)
        self._draw()

    def _fill(self, beside: TheoryBeside) -> None:
        self.table.setRowCount(len(beside.proposals))
        for row, one in enumerate(beside.proposals):
            measured = f"{one.position:.1f}" if np.isfinite(one.position) else "–"
            for column, text in enumerate((one.peak, measured, in_sentence(one.sentence))):
                cell = QTableWidgetItem(text)
                cell.setToolTip(text)
                self.table.setItem(row, column, cell)
        later(self, self._fit_table)

    def _fit_table(self) -> None:
        """Make the table as high as its words need in the width that it has."""
        self.table.resizeRowsToContents()
        rows = sum(self.table.rowHeight(row) for row in range(self.table.rowCount()))
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + rows + 4)

    @property
    def shown(self) -> str:
        """Figure of the chosen tab."""
        return str(self.tabs.tabText(self.tabs.currentIndex()))

    def page(self) -> Figure:
        """The figure of the chosen tab, as wide as in the report."""
        assert self.beside is not None
        return _figure(self.beside, self.shown)

    def _draw(self) -> None:
        if self.beside is None:
            return
        with rc_context(SMALL):
            figure = _figure(self.beside, self.shown, self.engine.currentText())
        self._show(canvas_of(figure))
        self.words.setText(_listed(self._told(self.beside)))

    def _show(self, canvas: FigureCanvasQTAgg) -> None:
        """Put a drawn figure in the place of the last one."""
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        take_out(column, self.canvas)
        self.canvas = canvas
        column.insertWidget(column.indexOf(self.words), canvas)

    def _told(self, beside: TheoryBeside) -> tuple[str, ...]:
        """What is to be read under each figure."""
        if self.shown == BESIDE:
            return tuple(f"{engine}: {beside.match_words(engine)}." for engine in beside.result.engines)
        if self.shown == MOTION:
            return (folded_peak(beside.result),)
        return tuple(text for text in beside.told if text not in (*beside.evidence, folded_peak(beside.result)))


NO_EXPLANATION = ("No network was explained on these peaks; when one is, theory says here what it has to say of that.",)


def _figure(beside: TheoryBeside, which: str, only: str = "") -> PlainFigure:
    if which == BESIDE:
        return beside_figure(beside, only=only)
    if which == MOTION:
        return plots.spectral_intensity_figure(beside.result, only=only)
    return plots.raman_figure(beside.result, only=only)


def _listed(sentences: tuple[str, ...]) -> str:
    return "\n\n".join(sentences)


def _text() -> WrappedLabel:
    from qtpy.QtCore import Qt

    label = WrappedLabel()
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _names_table() -> QTableWidget:
    table = QTableWidget(0, 3)
    table.setHorizontalHeaderLabels(["Peak", "cm⁻¹", "Proposed: nearest mode"])
    table.verticalHeader().setVisible(False)
    table.setToolTip("Each measured peak (cm⁻¹) with the calculated mode that lies nearest.")
    table.setWordWrap(True)
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
    return table
