"""Computed maps, typed: a formula over the parameters of a deconvolution that is in the window."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLineEdit, QVBoxLayout, QWidget

from napari_wse2xai.data import PeakMaps
from napari_wse2xai.errors import sentence
from napari_wse2xai.gui import stock
from napari_wse2xai.gui.voice import BAD, QUIET
from napari_wse2xai.gui.work_row import WorkRow
from napari_wse2xai.stages import Computed, compute
from napari_wse2xai.stages.computed import formula_of

NO_PEAKS = "Deconvolve a map first: maps are computed from its peaks."
NO_SOURCE = "The map that was deconvolved is not in the window; open it too: errors need its spectra."


class ComputeRow(QWidget):
    """Name and formula, a button, and the sentence that says what is wrong with the formula while it is typed."""

    computed = Signal(str)
    """Name of a map that was added to the deconvolution."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self._peaks: PeakMaps | None = None
        self._name = ""
        self.name, self.formula = QLineEdit(), QLineEdit()
        self.name.setPlaceholderText("like the formula")
        self.formula.setPlaceholderText("A1'.position - E'.position")
        self.formula.setToolTip(
            "Peaks with .position, .fwhm, .height, .area or .form, numbers, + - * / **, brackets, sqrt, log, ..., and the light of a band "
            "of the spectrum as band(240, 260). The error holds what the fit says of all of them together."
        )
        self.work = WorkRow(viewer, "Compute map")
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        form.addRow("Formula", self.formula)
        form.addRow("Name", self.name)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self.work)
        self.formula.textChanged.connect(lambda _: self._check())
        self.formula.returnPressed.connect(self.begin)
        self.work.begin_button.clicked.connect(self.begin)
        self.work.gave.connect(self._on_computed)
        self._check()

    def know(self, peaks: PeakMaps | None) -> None:
        """Compute from these peaks from now on."""
        self._peaks = peaks
        self._check()

    def begin(self) -> None:
        """Work the map out in a thread of its own."""
        peaks = self._peaks
        source = None if peaks is None else stock.session(self.viewer).source_of(peaks)
        if peaks is None or source is None or self._objection() is not None:
            return
        text = self.formula.text().strip()
        self._name = self.name.text().strip() or text
        wanted = Computed(name=self._name, expression=text)
        self.work.begin(lambda progress: (peaks, compute(peaks, source, wanted)), f"Compute: {self._name}", "Computing…")

    def _objection(self) -> tuple[str, str] | None:
        """Why nothing can be computed, and the mood to say it in."""
        if self._peaks is None:
            return NO_PEAKS, QUIET
        if stock.session(self.viewer).source_of(self._peaks) is None:
            return NO_SOURCE, QUIET
        text = self.formula.text().strip()
        if not text:
            return f"Peaks: {', '.join(self._peaks.names)}.", QUIET
        try:
            formula_of(text, self._peaks.names)
        except ValueError as error:
            return sentence(str(error)), BAD
        return None

    def _check(self) -> None:
        self.work.object_with(self._objection())

    def _on_computed(self, gave: tuple[PeakMaps, PeakMaps]) -> None:
        """Put the deconvolution with its new map in the place of the former one."""
        former, now = gave
        stock.exchange(self.viewer, former, now)
        self._peaks = now
        self.computed.emit(self._name)
