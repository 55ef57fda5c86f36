"""Choose which peak maps lie on the canvas, so that two dozen of them do not drown the layer list."""

from typing import Any

from napari import Viewer
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QHeaderView, QLabel, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from napari_wse2xai.data import PARAMETERS, ComputedMap, PeakMaps, Status
from napari_wse2xai.data.quantities import STATUS_COLORS, WORDS, pretty
from napari_wse2xai.gui.maps.compute_row import ComputeRow, SeparateRow
from napari_wse2xai.gui.parts.collapsible import CollapsibleSection
from napari_wse2xai.gui.parts.guarded import WIDEST, ComboBox
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.layers import NO_LONGER
from napari_wse2xai.layers import LayerTuple, chi2_layer, computed_layer, computed_part, part_name, peak_layer, status_layer

FIT = "fit"
FIT_PARTS = ("status", "reduced chi2")
TALLEST_PX = 420
"""Height from which the table scrolls by itself."""


class PeakChooser(QWidget):
    """A table of peaks by parameters: a tick is a map that is seen on the canvas; setting one adds its layer, removing one takes it off."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.which = ComboBox()
        self.which.setToolTip("Result of which deconvolution")
        self.which.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.errors = QCheckBox("standard errors instead of values")
        self.errors.setToolTip("Let the ticks show one standard error of each parameter, in the parameter's own unit.")
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.legend.setToolTip("What became of the fits; the tick 'status' above shows it as a map in these colours.")
        self.table = QTableWidget(0, len(PARAMETERS))
        self.table.setHorizontalHeaderLabels([WORDS[parameter] for parameter in PARAMETERS])
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setToolTip("Tick a map to see it: position and FWHM in the unit of the axis, height in that of the counts.")
        self.table.setStyleSheet("QTableWidget::indicator:unchecked { border: 1px solid #888888; }")  # else unseen in napari's dark theme
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 8)
        self.computing, self.separating = ComputeRow(viewer), SeparateRow(viewer)
        strain = CollapsibleSection("Strain and charge", self.separating)
        for row in (self.which, self.table, self.errors, self.computing, strain, self.legend):
            layout.addWidget(row)
        for computing in (self.computing, self.separating):
            computing.computed.connect(self.show_computed)
        self.which.currentIndexChanged.connect(lambda _: self._fill())
        self.errors.toggled.connect(lambda _: self._fill())
        self.table.itemChanged.connect(self._on_tick)

    def refresh(self) -> None:
        """List the deconvolutions whose maps are in the viewer, the newest chosen, and tick what is there."""
        now = contents.all_peaks(self.viewer)
        self.which.put_results(now, lambda peaks: str(peaks.name))
        for index, peaks in enumerate(now):
            state = contents.session(self.viewer).node(peaks).state
            self.which.setItemText(
                index, f"{NO_LONGER.get(state, '').removeprefix(' · ')} {peaks.name}: {', '.join(peaks.names)}"[:WIDEST].strip()
            )
        for layer in self.viewer.layers:
            if (is_ := contents.shown(layer)) is not None and isinstance(is_.artefact, PeakMaps):
                layer.events.visible.connect(self._mark)
        self._fill()

    def _fill(self) -> None:
        peaks = self.which.currentData()
        self.legend.setText(legend(peaks) if isinstance(peaks, PeakMaps) else "")
        for computing in (self.computing, self.separating):
            computing.know(peaks if isinstance(peaks, PeakMaps) else None)
        self.table.blockSignals(True)
        names = [*peaks.names, *(each.name for each in peaks.computed), FIT] if isinstance(peaks, PeakMaps) else []
        self.table.setRowCount(len(names))
        self.table.setVerticalHeaderLabels(names)
        for row, name in enumerate(names):
            for column in range(len(PARAMETERS)):
                self.table.setItem(row, column, self._cell(name, column))
        self.table.blockSignals(False)
        self.table.setFixedHeight(min(_whole_height(self.table), TALLEST_PX))
        self._mark()

    def _mark(self, event: object = None) -> None:
        """Tick what is seen on the canvas."""
        peaks = self.which.currentData()
        self.table.blockSignals(True)
        for row in range(self.table.rowCount()):
            for column in range(len(PARAMETERS)):
                layer = self._layer(peaks, self._part(self.table.verticalHeaderItem(row).text(), column))
                item = self.table.item(row, column)
                if item is not None and item.flags() & Qt.ItemFlag.ItemIsUserCheckable:
                    item.setCheckState(Qt.CheckState.Checked if layer is not None and layer.visible else Qt.CheckState.Unchecked)
        self.table.blockSignals(False)

    def _cell(self, name: str, column: int) -> QTableWidgetItem:
        part = self._part(name, column)
        item = QTableWidgetItem(self._words(name, part))
        if not part:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            return item
        item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled)
        item.setToolTip(f"Show {part} on the canvas")
        return item

    def _words(self, name: str, part: str) -> str:
        """What stands beside a tick: nothing where the head of the column says it."""
        computed = self._computed(name)
        return part.replace("chi2", "χ²") if name == FIT else pretty(computed.unit) if computed is not None and part else ""

    def _computed(self, name: str) -> ComputedMap | None:
        """Computed map of a row; None for a row of a peak."""
        peaks = self.which.currentData()
        found = (each for each in peaks.computed if each.name == name) if isinstance(peaks, PeakMaps) else ()
        return next(iter(found), None)

    def show_computed(self, name: str) -> None:
        """List a new computed map, and show it."""
        self.refresh()
        peaks = self.which.currentData()
        row = [*peaks.names, *(each.name for each in peaks.computed)].index(name)
        item = self.table.item(row, 0)
        if item is not None and item.checkState() != Qt.CheckState.Checked:
            item.setCheckState(Qt.CheckState.Checked)

    def _part(self, name: str, column: int) -> str:
        if name == FIT:
            return FIT_PARTS[column] if column < len(FIT_PARTS) else ""
        if (computed := self._computed(name)) is not None:
            return computed_part(computed, error=self.errors.isChecked()) if column == 0 else ""
        return part_name(name, PARAMETERS[column], error=self.errors.isChecked())

    def _layer(self, peaks: PeakMaps, part: str) -> Layer | None:
        return next((layer for layer, shown in contents.layers_of(self.viewer, peaks) if shown.part == part), None)

    def _on_tick(self, item: QTableWidgetItem) -> None:
        peaks = self.which.currentData()
        name = self.table.verticalHeaderItem(item.row()).text()
        layer = self._layer(peaks, self._part(name, item.column()))
        if item.checkState() == Qt.CheckState.Checked:
            seen = layer or contents.add(self.viewer, [self._new(peaks, item.row(), item.column())])[0]
            contents.see(seen, True)
            self.viewer.layers.selection.active = seen
            self._show_only(seen)
        elif item.checkState() == Qt.CheckState.Unchecked and layer is not None:
            self.viewer.layers.remove(layer)

    def _new(self, peaks: PeakMaps, row: int, column: int) -> LayerTuple:
        if row < len(peaks.names):
            return peak_layer(peaks, row, PARAMETERS[column], error=self.errors.isChecked())
        if row < len(peaks.names) + len(peaks.computed):
            return computed_layer(peaks, peaks.computed[row - len(peaks.names)], error=self.errors.isChecked())
        layer = status_layer(peaks) if column == 0 else chi2_layer(peaks)
        layer[1]["visible"] = True
        return layer

    def _show_only(self, layer: Layer) -> None:
        """Hide the peak maps under the new one: they lie on the same place."""
        for other in self.viewer.layers:
            shown = contents.shown(other)
            ours = shown is not None and isinstance(shown.artefact, PeakMaps)
            if ours and other is not layer and _frame(other) == _frame(layer):
                contents.see(other, False)


def legend(peaks: PeakMaps) -> str:
    """Colour, meaning and number of pixels of each status, as rich text."""
    counts = {status: int((peaks.status == status).sum()) for status in Status if status is not Status.NOT_ON_FLAKE}
    entries = (f"<span style='color:{STATUS_COLORS[s]}'>■</span> {s.meaning}: {n}" for s, n in counts.items() if n)
    return "Fits: " + ", ".join(entries)


def _whole_height(table: QTableWidget) -> int:
    """Pixels that a table needs to show all of its rows."""
    return table.horizontalHeader().sizeHint().height() + table.verticalHeader().length() + 2 * table.frameWidth()


def _frame(layer: Layer) -> Any:
    shown = contents.shown(layer)
    return None if shown is None else shown.frame
