"""Computed maps: formulas over the parameters of a deconvolution that is in the window, typed or made of settings."""

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QLineEdit, QVBoxLayout, QWidget

from napari_wse2xai.data import PeakMaps
from napari_wse2xai.errors import UserError, sentence
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.message_label import BAD, QUIET
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.gui.session import contents
from napari_wse2xai.stages import Computed, Separate, compute
from napari_wse2xai.stages.computed import formula_of

NO_PEAKS = "Deconvolve a map first: maps are computed from its peaks."
NO_SOURCE = "The map that was deconvolved is not in the window; open it too: errors need its spectra."


class Computing(QWidget):
    """What is to be computed, a button, and the sentence that says why it cannot be."""

    computed = Signal(str)
    """Name of the first map that was added to the deconvolution."""

    def __init__(self, viewer: Viewer, verb: str, entries: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self._peaks: PeakMaps | None = None
        self._first = ""
        self.work = WorkRow(viewer, verb)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(entries)
        column.addWidget(self.work)
        self.work.begin_button.clicked.connect(self.begin)
        self.work.gave.connect(self._on_computed)

    def wanted(self, peaks: PeakMaps) -> tuple[Computed, ...]:
        """What to compute, nothing where nothing was asked; raises ValueError or UserError with one sentence."""
        raise NotImplementedError

    def know(self, peaks: PeakMaps | None) -> None:
        """Compute from these peaks from now on."""
        self._peaks = peaks
        self.check()

    def begin(self) -> None:
        """Work the maps out in a thread of its own."""
        peaks = self._peaks
        source = None if peaks is None else contents.session(self.viewer).source_of(peaks)
        if peaks is None or source is None or self._objection() is not None:
            return
        wanted = self.wanted(peaks)
        self._first = wanted[0].name
        self.work.begin(lambda progress: (peaks, compute(peaks, source, *wanted)), f"Compute: {self._first}", "Computing…")

    def check(self) -> None:
        """Say what is wrong, or let the button be pressed."""
        self.work.object_with(self._objection())

    def _objection(self) -> tuple[str, str] | None:
        """Why nothing can be computed, and the severity to say it in."""
        if self._peaks is None:
            return NO_PEAKS, QUIET
        if contents.session(self.viewer).source_of(self._peaks) is None:
            return NO_SOURCE, QUIET
        try:
            wanted = self.wanted(self._peaks)
            for each in wanted:
                formula_of(each.expression, self._peaks.names)
        except (ValueError, UserError) as error:
            return sentence(str(error)), BAD
        return None if wanted else (f"Peaks: {', '.join(self._peaks.names)}.", QUIET)

    def _on_computed(self, gave: tuple[PeakMaps, PeakMaps]) -> None:
        """Put the deconvolution with its new maps in the place of the former one."""
        former, now = gave
        contents.exchange(self.viewer, former, now)
        self._peaks = now
        self.computed.emit(self._first)


class ComputeRow(Computing):
    """Name and formula, objected to while it is typed."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        self.name, self.formula = QLineEdit(), QLineEdit()
        self.name.setPlaceholderText("like the formula")
        self.name.setToolTip("What the map is called in lists, files and formulas of others; its unit follows from the formula.")
        self.formula.setPlaceholderText("A1'.position - E'.position")
        self.formula.setToolTip(
            "Peaks with .position, .fwhm, .height, .area or .form, numbers, + - * / **, brackets, sqrt, log, ..., and the light of a band "
            "of the spectrum as band(240, 260). The error holds what the fit says of all of them together."
        )
        entries = QWidget()
        form = QFormLayout(entries)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Formula", self.formula)
        form.addRow("Name", self.name)
        super().__init__(viewer, "Compute map", entries, parent)
        self.formula.textChanged.connect(lambda _: self.check())
        self.formula.returnPressed.connect(self.begin)
        self.check()

    def wanted(self, peaks: PeakMaps) -> tuple[Computed, ...]:
        """The formula under its name."""
        text = self.formula.text().strip()
        return (Computed(name=self.name.text().strip() or text, expression=text),) if text else ()


class SeparateRow(Computing):
    """Strain, charge and temperature out of the positions of some lines."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        self.form = Form(Separate)
        super().__init__(viewer, "Separate", self.form, parent)
        self.form.changed.connect(self.check)
        self.check()

    def wanted(self, peaks: PeakMaps) -> tuple[Computed, ...]:
        """One map for each cause."""
        settings = self.form.value()
        return settings.maps() if isinstance(settings, Separate) else ()
