"""ICE curves to play with: one stands out under the mouse, a lasso picks some."""

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.collections import LineCollection
from matplotlib.path import Path
from matplotlib.widgets import LassoSelector
from numpy.typing import NDArray
from qtpy.QtCore import Signal

from napari_wse2xai.data import Explanation
from napari_wse2xai.gui.parts.blitted import Blitted
from napari_wse2xai.gui.parts.drawn import DPI, SMALL, Looks
from napari_wse2xai.plots.ice import CURVE, CurvePlot, segments
from napari_wse2xai.plots.plain_text import PlainFigure

HIGHLIGHT, HOVERED, CUT = "#e8711a", "#111111", "#15803d"
TITLE_STAYS: Looks = {"axes.titley": 1.0}
"""Else matplotlib measures all letters at every drawing to find the title's place."""
Numbers = NDArray[np.float64]


class IcePlot(Blitted):
    """The curves of one parameter lie underneath; what stands out is drawn anew over them."""

    lassoed = Signal(object)
    """Which of `Explanation.pixels` (curve,) bool the mouse went round."""

    def __init__(self) -> None:
        super().__init__(PlainFigure(dpi=DPI))
        self.explanation: Explanation | None = None
        self.feature = 0
        self._chosen: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._curves: CurvePlot | None = None
        self._lasso: Any = None
        self.setFixedHeight(300)
        self.setToolTip("Move the mouse over the flake: the curve of that pixel.  Draw a loop here: the curves that it meets, and where.")

    def show_feature(self, explanation: Explanation, feature: int) -> None:
        """Draw the curves of one parameter."""
        if explanation is not self.explanation:
            self._begin(explanation)
        self.feature = feature
        assert self._curves is not None
        self._curves.show(feature)
        self._hovered.set_data([], [])
        self._own.set_data([], [])
        self._cut.set_data([], [])
        self._set_picked()
        self.draw_anew()

    def _begin(self, explanation: Explanation) -> None:
        """Make axes, lines and letters for an explanation; from parameter to parameter they only change."""
        self.explanation, self._chosen = explanation, np.zeros(len(explanation.pixels), dtype=bool)
        self.figure.clear()
        self.figure.subplots_adjust(left=0.2, right=0.97, bottom=0.17, top=0.9)
        with rc_context(SMALL | TITLE_STAYS):
            axes = self.figure.add_subplot()
            self._curves = CurvePlot(axes, explanation)
        self._curves.lines.set(linewidths=0.5, alpha=0.3)
        self._picked = LineCollection([], colors=HIGHLIGHT, linewidths=0.8, alpha=0.8, animated=True)
        axes.add_collection(self._picked, autolim=False)
        (self._hovered,) = axes.plot([], [], color=HOVERED, linewidth=2, animated=True)
        (self._own,) = axes.plot([], [], "o", color=HOVERED, markersize=6, markerfacecolor="white", animated=True)
        (self._cut,) = axes.plot([], [], color=CUT, linewidth=2.2, animated=True)
        self.moving = [self._picked, self._cut, self._hovered, self._own]
        self._lasso = LassoSelector(axes, self._on_lasso, useblit=False, props={"color": HIGHLIGHT, "linewidth": 1.5})

    def pick(self, chosen: NDArray[np.bool_]) -> None:
        """Let some of the kept curves (curve,) stand out."""
        if self.explanation is not None:
            self._chosen = chosen
            self._set_picked()
            self.blit_moving()

    def _set_picked(self) -> None:
        assert self.explanation is not None
        x, curves = self.explanation.pdp_grid[self.feature], self.explanation.ice[self.feature][self._chosen]
        self._picked.set_segments(segments(x, curves))

    def hover(self, curve: Numbers | None, value: float = float("nan")) -> None:
        """Let one curve (grid,) stand out, with a mark at the parameter's own value; None for none."""
        if self.explanation is None:
            return
        x = self.explanation.pdp_grid[self.feature]
        self._hovered.set_data(([], []) if curve is None else (x, curve))
        self._own.set_data(([], []) if curve is None else ([value], [np.interp(value, x, curve)]))
        self.blit_moving()

    def colour(self, colours: list[str] | None) -> None:
        """Give every kept curve a colour of its own; None: all are alike again."""
        if self._curves is not None:
            self._curves.lines.set(color=CURVE if colours is None else colours, alpha=0.3 if colours is None else 0.5)
            self.draw_anew()

    def cut(self, x: Numbers | None, curve: Numbers | None = None) -> None:
        """Draw the mean curve at one value of a second parameter over the others; None for none."""
        if self.explanation is not None:
            self._cut.set_data(([], []) if x is None or curve is None else (x, curve))
            self.blit_moving()

    def _on_lasso(self, corners: list[tuple[float, float]]) -> None:
        """Take the curves that pass through the loop."""
        assert self.explanation is not None
        x, curves = self.explanation.pdp_grid[self.feature], self.explanation.ice[self.feature]
        fine = np.linspace(x[0], x[-1], 3 * len(x))
        dense = np.stack([np.interp(fine, x, curve) for curve in curves])
        inside = np.asarray(Path(corners).contains_points(np.column_stack([np.tile(fine, len(curves)), dense.ravel()])), dtype=bool)
        chosen = np.asarray(inside.reshape(dense.shape).any(axis=1), dtype=bool)
        self.pick(chosen)
        self.lassoed.emit(chosen)
