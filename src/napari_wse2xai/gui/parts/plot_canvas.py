"""A plot in a window: drawn by matplotlib, with the button to save it in its corner."""

from collections.abc import Sequence

import napari
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from qtpy.QtCore import QEvent
from qtpy.QtGui import QResizeEvent

from napari_wse2xai.gui.parts.export import ExportButton, in_corner
from napari_wse2xai.gui.parts.paper import dress_as
from napari_wse2xai.gui.parts.turns import Once
from napari_wse2xai.io.shown import Column
from napari_wse2xai.plots.shown_table import columns_of

LOOKS = "QToolButton { border: none; background: rgba(128, 128, 128, 60); color: #707880; } QToolButton::menu-indicator { image: none; }"
"""Of the button: to be seen on white and on black, and no more than that."""


class PlotCanvas(FigureCanvasQTAgg):
    """Every plot of the window."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        self.export_button = ExportButton(self, self)
        self.export_button.setStyleSheet(LOOKS)
        self.mpl_connect("draw_event", self._offer_export)
        self._soon = Once(self, super().draw_idle)

    def draw(self) -> None:
        """Draw in the colours of the window."""
        viewer = napari.current_viewer()
        if viewer is not None:
            dress_as(self.figure, viewer)
        super().draw()

    def draw_idle(self) -> None:
        """Draw when its turn comes."""
        self._soon.ask()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Follow the window's theme, which comes as another style."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.draw_idle()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the button in its corner."""
        super().resizeEvent(event)
        in_corner(self.export_button, self)

    def _offer_export(self, event: object) -> None:
        """Offer to save what there is, and nothing where there is nothing."""
        there = any(axes.get_visible() and axes.axison for axes in self.figure.axes)
        if there != self.export_button.isVisibleTo(self):
            self.export_button.setVisible(there)

    def export_name(self) -> str:
        """Name for files: the plot's title, else what runs up it."""
        for axes in self.figure.axes:
            words = axes.get_title() or axes.get_title(loc="left") or axes.get_ylabel()
            if words:
                return "".join(sign if sign.isalnum() or sign in "-." else "_" for sign in words.partition("(")[0].strip())[:60] or "plot"
        return "plot"

    def export_figure(self) -> Figure | None:
        """Give the figure as it is seen."""
        figure: Figure = self.figure
        return figure

    def export_columns(self) -> Sequence[Column]:
        """Numbers that are drawn."""
        return columns_of(self.figure)
