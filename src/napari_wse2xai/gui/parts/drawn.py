"""Drawn figures as parts of a panel's column, one in the place of the last."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from qtpy.QtWidgets import QLayout, QWidget

from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType  # young in matplotlib

DPI = 90
Looks = dict["RcKeyType", str | float]
SMALL: Looks = {"axes.titlesize": "medium", "axes.labelsize": "small", "xtick.labelsize": "x-small", "ytick.labelsize": "x-small"}
"""Letters for a narrow dock."""


def canvas_of(figure: Figure) -> PlotCanvas:
    """Canvas of a drawn figure, as high as that wants to be."""
    figure.set_dpi(DPI)
    canvas = PlotCanvas(figure)
    canvas.setFixedHeight(int(figure.get_figheight() * DPI))
    return canvas


def take_out(column: QLayout, canvas: QWidget | None) -> None:
    """Take a canvas out of a column and end it; None where there is none."""
    if canvas is not None:
        column.removeWidget(canvas)
        canvas.hide()
        canvas.deleteLater()
