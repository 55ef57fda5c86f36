"""A plot of which only what moves is drawn anew."""

from typing import Any

from matplotlib.axis import Axis
from matplotlib.backend_bases import MouseEvent
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation
from qtpy.QtGui import QResizeEvent

from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas

WIDTH = 400
"""Of a plot in a dock that is not laid out yet, pixels: the stamp is made as long as the plot is wide."""
FEWEST_LETTERS, LETTER, TICK_POINTS = 4, 0.64, 9.0
"""Length of the numbers that a scale has room for at least; width of a letter in its size; what tick and gaps take."""


class Blitted(PlotCanvas):
    """All that stays lies underneath as a picture; `moving` artists (animated) are drawn over it (blitting).

    Scales of y axes are drawn over it too, and lie in a second picture until their limits change: a fraction of the time of drawing all,
    most of which is for the layout.  For that the words beside them stand where the longest number so far leaves them room.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        self.moving: list[Any] = []
        self._scales: list[Axis] = []
        self._drawn: list[tuple[float, float]] = []
        """Limits of the scales that the second picture has."""
        self._room: list[int] = []
        """Letters of the longest number that each scale has room for."""
        self._background: Any = None
        self._with_scales: Any = None
        self.mpl_connect("draw_event", self._on_draw)

    def blit_moving(self) -> None:
        """Draw what moves anew; all of it where the picture underneath is out of date."""
        if self._background is None:
            self.draw_idle()
            return
        if [_limits(scale) for scale in self._scales] != self._drawn:
            self.restore_region(self._background)
            self._draw_scales()
            if self._make_room():
                self.draw_anew()
                return
        self.restore_region(self._with_scales)
        self._draw_moving()
        self.update()

    def draw_anew(self) -> None:
        """Draw all anew, soon; until then nothing is drawn over what is out of date."""
        self._background = None
        self.draw_idle()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Draw all anew in another size."""
        self._background = None
        super().resizeEvent(event)

    def _on_draw(self, event: Any) -> None:
        if event.canvas.is_saving():  # in a file nothing moves: all is drawn already
            return
        self._background = self.copy_from_bbox(self.figure.bbox)
        self._draw_scales()
        if self._make_room():
            self.draw_anew()
        self._draw_moving()

    def draw_scales_apart(self, scales: list[Axis]) -> None:
        """Let some y axes change their limits without all being drawn anew."""
        self._scales, self._room = scales, [0] * len(scales)
        for scale in scales:
            scale.set_animated(True)
        self._make_room()

    def _draw_scales(self) -> None:
        self._drawn = [_limits(scale) for scale in self._scales]
        for scale in self._scales:
            if scale.axes.get_visible():
                scale.axes.draw_artist(scale)
        self._with_scales = self.copy_from_bbox(self.figure.bbox)

    def _make_room(self) -> bool:
        """Move the words beside the scales where longer numbers need that; return whether any were moved."""
        wanted = [max(had, FEWEST_LETTERS, *map(len, _numbers(scale))) for had, scale in zip(self._room, self._scales, strict=True)]
        if wanted == self._room:
            return False
        self._room = wanted
        for letters, scale in zip(wanted, self._scales, strict=True):
            points = letters * LETTER * float(scale.label.get_fontsize()) + TICK_POINTS
            off = ScaledTranslation(-points / 72, 0, self.figure.dpi_scale_trans)
            scale.set_label_coords(0, 0.5, scale.axes.transAxes + off)
        return True

    def _draw_moving(self) -> None:
        for artist in self.moving:
            artist.axes.draw_artist(artist)


def _limits(scale: Axis) -> tuple[float, float]:
    low, high = scale.get_view_interval()
    return float(low), float(high)


def _numbers(scale: Axis) -> list[str]:
    """Numbers that are drawn at a scale, or were."""
    return [tick.label1.get_text() for tick in scale.majorTicks]


def place_of(event: MouseEvent) -> tuple[float, float]:
    """Where in its axes the mouse is, in their units; asked where it is in some."""
    assert event.xdata is not None
    assert event.ydata is not None
    return float(event.xdata), float(event.ydata)
