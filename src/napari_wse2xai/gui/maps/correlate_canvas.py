"""The plot of the Correlate panel: cloud, histogram or profiles, with a lasso in the cloud."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backend_bases import MouseButton, MouseEvent
from matplotlib.path import Path
from napari import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import Signal

from napari_wse2xai.data.map_values import MapValues
from napari_wse2xai.gui.parts.blitted import Blitted, place_of
from napari_wse2xai.gui.parts.drawn import DPI, SMALL
from napari_wse2xai.gui.parts.paper import colours_of, dress
from napari_wse2xai.io.shown import Column
from napari_wse2xai.numerics.profiles import Profile
from napari_wse2xai.plots.cloud import LIT, CloudPlot, draw_histogram, draw_profiles
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.plots.shown_table import MARK

Array = NDArray[np.float64]
HEIGHT = 320
FEWEST_CORNERS = 3
TIP = (
    "Draw a loop round points: their pixels are chosen, and shown on the map. With Shift they come to those that are chosen, with Alt they "
    "are taken out. The pixel under the mouse on the map is marked here."
)


class CorrelateCanvas(Blitted):
    """One plot at a time; what is lit, the loop and the pixel under the mouse are drawn over it."""

    lassoed = Signal(object, str)
    """Which points (n,) bool the mouse went round, and the key that was held: ``shift``, ``alt`` or nothing."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(PlainFigure(dpi=DPI, layout="constrained"))
        self._viewer = viewer
        self.cloud: CloudPlot | None = None
        self.pixels: Sequence[Column] = ()
        """Of the cloud, a line for each pixel: for a table."""
        self._loop: list[tuple[float, float]] = []
        self.setFixedHeight(HEIGHT)
        self.setToolTip(TIP)
        self.mpl_connect("button_press_event", self._on_press)
        self.mpl_connect("motion_notify_event", self._on_motion)
        self.mpl_connect("button_release_event", self._on_release)

    def show_cloud(self, x: Array, y: Array, along: MapValues, up: MapValues) -> None:
        """Show pixels as a cloud."""
        if self.cloud is None:
            with rc_context(SMALL):
                axes = self._emptied()
                self.cloud = CloudPlot(axes, animated=True)
            (self._lasso,) = axes.plot([], [], color=LIT, linewidth=1.5, animated=True, gid=MARK)
            style: dict[str, Any] = {"markersize": 9, "markerfacecolor": "none", "markeredgewidth": 2, "zorder": 5}
            (self._hovered,) = axes.plot([], [], "o", color="#ff2d6f", animated=True, gid=MARK, **style)
            self.moving = [*self.cloud.moving, self._lasso, self._hovered]
        self._hovered.set_data([], [])
        self.cloud.show(x, y, along, up)
        self.dress()

    def show_histogram(self, values: Array, what: MapValues, chosen: NDArray[np.bool_]) -> None:
        """Show how often values occur."""
        with rc_context(SMALL):
            draw_histogram(self._emptied(), values, what, chosen)
        self.dress()

    def show_profiles(self, along: str, profiles: list[tuple[MapValues, Profile]]) -> None:
        """Show means along a line or by distance."""
        with rc_context(SMALL):
            sides = draw_profiles(self._emptied(), along, profiles)
        for side in sides:
            side.coloured_side = True  # type: ignore[attr-defined]  # its letters have the colour of its curve, in any theme
        self.dress()

    def show_nothing(self) -> None:
        """Show empty paper."""
        self._emptied().set_axis_off()
        self.dress()

    def export_columns(self) -> Sequence[Column]:
        """Of a cloud its pixels; else what is drawn."""
        return self.pixels if self.cloud is not None else super().export_columns()

    def dress(self) -> None:
        """Take the colours of the window."""
        dress(self.figure, *colours_of(self._viewer))
        self.draw_anew()

    def light(self, chosen: NDArray[np.bool_]) -> None:
        """Let some points of the cloud stand out."""
        if self.cloud is not None:
            self.cloud.light(chosen)
            self.blit_moving()

    def mark(self, point: tuple[float, float] | None) -> None:
        """Mark the point of the pixel under the mouse; None for none."""
        if self.cloud is not None and (point is not None or np.size(self._hovered.get_xdata())):
            self._hovered.set_data(*(([], []) if point is None else ([point[0]], [point[1]])))
            self.blit_moving()

    def _emptied(self) -> Axes:
        self.figure.clear()
        self.cloud, self.moving, self._loop = None, [], []
        return self.figure.add_subplot()

    def _on_press(self, event: MouseEvent) -> None:
        if self.cloud is not None and event.button == MouseButton.LEFT and event.inaxes is self.cloud.axes:
            self._loop = [place_of(event)]

    def _on_motion(self, event: MouseEvent) -> None:
        if self._loop and self.cloud is not None and event.inaxes is self.cloud.axes:
            self._loop.append(place_of(event))
            self._lasso.set_data(*np.transpose(self._loop))
            self.blit_moving()

    def _on_release(self, event: MouseEvent) -> None:
        loop, self._loop = self._loop, []
        if self.cloud is None or not loop:
            return
        self._lasso.set_data([], [])
        inside = np.zeros(len(self.cloud.x), dtype=bool)
        if len(loop) >= FEWEST_CORNERS:
            inside = _within(np.array(loop), self.cloud.x, self.cloud.y)
        self.blit_moving()
        self.lassoed.emit(inside, key_of(event))


def key_of(event: MouseEvent) -> str:
    """Key that was held while the mouse went round."""
    from qtpy.QtCore import Qt

    held = event.guiEvent.modifiers() if event.guiEvent is not None else Qt.KeyboardModifier.NoModifier
    return "shift" if held & Qt.KeyboardModifier.ShiftModifier else "alt" if held & Qt.KeyboardModifier.AltModifier else ""


def _within(loop: Array, x: Array, y: Array) -> NDArray[np.bool_]:
    """Points within a loop; only those in its box are asked."""
    (left, bottom), (right, top) = loop.min(axis=0), loop.max(axis=0)
    near = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
    found = np.zeros(len(x), dtype=bool)
    found[near[Path(loop).contains_points(np.column_stack([x[near], y[near]]))]] = True
    return found
