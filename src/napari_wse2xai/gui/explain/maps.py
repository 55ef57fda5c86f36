"""RS, ICE slope and PL of a flake in the Explain panel: a click on a parameter changes what has to change."""

from typing import Any

from matplotlib import rc_context

from napari_wse2xai.data import Explanation
from napari_wse2xai.gui.explain.curves import TITLE_STAYS
from napari_wse2xai.gui.parts.blitted import WIDTH, Blitted
from napari_wse2xai.gui.parts.drawn import DPI, SMALL
from napari_wse2xai.plots.explaining import draw_side_by_side
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.plots.side_by_side import ThreeMaps

HEIGHT = 600
"""Of the plot, pixels."""
PLACE: Any = {"left": 0.15, "right": 0.78, "bottom": 0.065, "top": 0.965, "hspace": 0.42}
"""Of the three Axes in the figure, with room for the numbers of the bars: to find places anew takes longer than to draw a parameter."""


class MapsPlot(Blitted):
    """Three maps of the first flake, under one another."""

    def __init__(self) -> None:
        super().__init__(PlainFigure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI))
        self.explanation: Explanation | None = None
        self._maps: ThreeMaps | None = None
        self.setFixedHeight(HEIGHT)

    def show_feature(self, explanation: Explanation, feature: int) -> None:
        """Show one parameter."""
        with rc_context(SMALL | TITLE_STAYS):
            if self._maps is None or explanation is not self.explanation:
                self._begin(explanation, feature)
            else:
                self._maps.show(feature)
        self.moving = [] if self._maps is None else self._maps.changing()
        for artist in self.moving:
            artist.set_animated(True)
        self.blit_moving()

    def _begin(self, explanation: Explanation, feature: int) -> None:
        """Make Axes for an explanation; the curves of a line scan are always made anew."""
        self.explanation = explanation
        self.figure.clear()
        self.figure.subplots_adjust(**PLACE)
        self._maps = draw_side_by_side(list(self.figure.subplots(3, 1)), explanation, feature)
        self.draw_anew()
