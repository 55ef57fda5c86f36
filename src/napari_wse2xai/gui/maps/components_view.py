"""Spectra of the components that were found in a map, and their maxima as start peaks."""

from typing import Any

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai.data import Components
from napari_wse2xai.gui.parts.drawn import SMALL, canvas_of, take_out
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import QUIET, MessageLabel
from napari_wse2xai.stages.component_peaks import peaks_of


class ComponentsView(QWidget):
    """Empty until something was found."""

    chosen = Signal(object)
    """Start peaks, a tuple of `Peak`."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._components: Components | None = None
        self.canvas: Any = None
        self.which = ComboBox()
        self.which.setToolTip("Component whose maxima become start peaks.")
        self.take = QPushButton("Its maxima as start peaks")
        self.take.setToolTip("Put the maxima of this spectrum into the list of peaks of Deconvolve, in place of what is there.")
        self.message = MessageLabel(viewer)
        self._row = QWidget()
        row = QHBoxLayout(self._row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.which, 1)
        row.addWidget(self.take)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 0, 6, 8)
        self._column.addWidget(self._row)
        self._column.addWidget(self.message)
        self._row.setVisible(False)
        self.take.clicked.connect(self._on_take)

    def show_components(self, components: Components) -> None:
        """Draw the spectra."""
        import matplotlib as mpl

        from napari_wse2xai.plots.components import draw_components
        from napari_wse2xai.plots.plain_text import PlainFigure

        self._components = components
        take_out(self._column, self.canvas)
        with mpl.rc_context(SMALL):
            figure = PlainFigure(figsize=(4.0, 1.2 + 0.7 * len(components.names)), layout="constrained")
            draw_components(figure.subplots(), components)
            self.canvas = canvas_of(figure)
        self._column.insertWidget(0, self.canvas)
        self.which.clear()
        self.which.addItems(components.names)
        self._row.setVisible(True)
        self.message.say("")

    def _on_take(self) -> None:
        """Offer the maxima of the chosen spectrum."""
        if self._components is None:
            return
        index = self.which.currentIndex()
        peaks = peaks_of(self._components, index)
        if not peaks:
            self.message.say(f"The spectrum of {self._components.names[index]} has no maximum that stands out of its noise.", QUIET)
            return
        self.chosen.emit(peaks)
