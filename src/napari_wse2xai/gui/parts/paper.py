"""Plots in the colours of the window, and on paper."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from napari import Viewer
from napari.utils.theme import get_theme

DENSITY = "density"
"""Group of images that are no maps: what lies under them is the ground of a plot."""
PAPER, INK = "#ffffff", "#1d2733"
DARK, GREY = 0.45, 0.1
"""Levels of red, green and blue below which a colour is dark, and difference of these below which it is a grey."""


def colours_of(viewer: Viewer) -> tuple[str, str]:
    """Ground and ink of a window's theme."""
    theme = get_theme(viewer.theme)
    return theme.background.as_hex(), theme.text.as_hex()


def dress(figure: Figure, ground: str, ink: str) -> None:
    """Give a figure its ground, and axes, ticks, letters and dark lines the colour of ink; coloured curves and maps keep theirs."""
    before = _ink_of(figure)
    figure.set_facecolor(ground)
    _recolour(figure.texts, before, ink)
    for axes in figure.axes:
        if not _holds_a_map(axes):
            axes.set_facecolor(ground)
            _recolour([*axes.texts, *axes.lines], before, ink)
        for axis in (axes.xaxis, axes.yaxis):
            of_a_curve = axis is axes.yaxis and getattr(axes, "coloured_side", False)
            if not of_a_curve:
                axis.label.set_color(ink)
                axis.set_tick_params(colors=ink, which="both")
        _recolour([child for child in axes.get_children() if isinstance(child, Text) and child not in axes.texts], before, ink)
        for spine in axes.spines.values():
            spine.set_edgecolor(ink)
        legend = axes.get_legend()
        if legend is not None:
            _dress_legend(legend, ground, before, ink, on_a_map=_holds_a_map(axes))
    for legend in figure.legends:
        _dress_legend(legend, ground, before, ink, on_a_map=False)


def dress_as(figure: Figure, viewer: Viewer) -> None:
    """Dress a figure in the colours of a window's theme, unless it wears them."""
    ground, ink = colours_of(viewer)
    if figure.axes and (to_hex(figure.get_facecolor()), _ink_of(figure)) != (ground, to_hex(ink)):
        dress(figure, ground, ink)


def _ink_of(figure: Figure) -> str:
    return to_hex(figure.axes[0].xaxis.label.get_color()) if figure.axes else INK


def _holds_a_map(axes: Axes) -> bool:
    return any(image.get_gid() != DENSITY for image in axes.images)


def _recolour(artists: list[Any], before: str, ink: str) -> None:
    """Give ink to what was drawn in ink, or in black or a dark grey; letters in a box of their own stay."""
    for artist in artists:
        boxed = isinstance(artist, Text) and artist.get_bbox_patch() is not None
        if not boxed and (_color_of(artist) == before or _dark_grey(_color_of(artist))):
            artist.set_color(ink)


def _dark_grey(colour: str) -> bool:
    levels = to_rgb(colour)
    return max(levels) < DARK and max(levels) - min(levels) < GREY


def _dress_legend(legend: Legend, ground: str, before: str, ink: str, *, on_a_map: bool) -> None:
    if not on_a_map:
        legend.get_frame().set_facecolor(ground)
    elif sum(to_rgb(to_hex(legend.get_frame().get_facecolor()))) > 1.5:
        return  # white on a map, as it was
    _recolour([*legend.get_texts(), *legend.get_lines()], before, ink)


def _color_of(artist: Any) -> str:
    return to_hex(artist.get_color())


@contextmanager
def on_paper(figure: Figure) -> Iterator[None]:
    """Let a figure of a dark window be drawn dark on white, and then as it was; what is white already stays."""
    ground = to_hex(figure.get_facecolor())
    if not figure.axes or sum(to_rgb(ground)) > 1.5:
        yield
        return
    ink = _ink_of(figure)
    dress(figure, PAPER, INK)
    try:
        yield
    finally:
        dress(figure, ground, ink)
