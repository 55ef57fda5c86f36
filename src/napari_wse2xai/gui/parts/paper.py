"""Plots in the colours of the window, and on paper."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from napari.utils.theme import get_theme

DENSITY = "density"
"""Group of images that are no maps: what lies under them is the ground of a plot."""
PAPER, INK = "#ffffff", "#1d2733"


def colours_of(viewer: Any) -> tuple[str, str]:
    """Ground and ink of a window's theme."""
    theme = get_theme(viewer.theme)
    return theme.background.as_hex(), theme.text.as_hex()


def dress(figure: Figure, ground: str, ink: str) -> None:
    """Give a figure its ground, and axes, ticks and letters the colour of ink; curves and maps keep their colours."""
    figure.set_facecolor(ground)
    for axes in figure.axes:
        if not any(image.get_gid() != DENSITY for image in axes.images):
            axes.set_facecolor(ground)
        for axis in (axes.xaxis, axes.yaxis):
            of_a_curve = axis is axes.yaxis and getattr(axes, "coloured_side", False)
            if not of_a_curve:
                axis.label.set_color(ink)
                axis.set_tick_params(colors=ink, which="both")
        axes.title.set_color(ink)
        for spine in axes.spines.values():
            spine.set_edgecolor(ink)
        for text in _legend_texts(axes):
            text.set_color(ink)


def _legend_texts(axes: Any) -> list[Text]:
    legend = axes.get_legend()
    return [] if legend is None else list(legend.get_texts())


def _color_of(artist: Any) -> str:
    return to_hex(artist.get_color())


@contextmanager
def on_paper(figure: Figure) -> Iterator[None]:
    """Let a figure of a dark window be drawn dark on white, and then as it was; what is white already stays."""
    ground = to_hex(figure.get_facecolor())
    if not figure.axes or sum(to_rgb(ground)) > 1.5:
        yield
        return
    ink = to_hex(figure.axes[0].xaxis.label.get_color())
    own: list[Any] = [each for each in figure.findobj(lambda each: isinstance(each, Line2D | Text)) if _color_of(each) == ink]
    for each in own:
        each.set_color(INK)
    dress(figure, PAPER, INK)
    try:
        yield
    finally:
        for each in own:
            each.set_color(ink)
        dress(figure, ground, ink)
