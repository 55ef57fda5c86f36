"""A plot of which only what moves is drawn anew."""

from typing import Any

from matplotlib.figure import Figure

from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas

WIDTH = 400
"""Of a plot in a dock that is not laid out yet, pixels: the stamp is made as long as the plot is wide."""


class Blitted(PlotCanvas):
    """All that stays lies underneath as a picture; `moving` artists (animated) are drawn over it (blitting)."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        self.moving: list[Any] = []
        self._background: Any = None
        self.mpl_connect("draw_event", self._on_draw)

    def blit_moving(self) -> None:
        """Draw what moves anew; all of it where the picture underneath is out of date."""
        if self._background is None:
            self.draw_idle()
            return
        self.restore_region(self._background)
        self._draw_moving()
        self.update()

    def draw_anew(self) -> None:
        """Draw all anew, soon; until then nothing is drawn over what is out of date."""
        self._background = None
        self.draw_idle()

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Draw all anew in another size."""
        self._background = None
        super().resizeEvent(event)

    def _on_draw(self, event: Any) -> None:
        if event.canvas.is_saving():  # in a file nothing moves: all is drawn already
            return
        self._background = self.copy_from_bbox(self.figure.bbox)
        self._draw_moving()

    def _draw_moving(self) -> None:
        for artist in self.moving:
            artist.axes.draw_artist(artist)
