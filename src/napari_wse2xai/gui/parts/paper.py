"""Plots in the colours of the window, and on paper."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from matplotlib.figure import Figure
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


@contextmanager
def on_paper(figure: Figure, ground: str, ink: str) -> Iterator[None]:
    """Let a figure of a window be drawn dark on white, and then as it was."""
    dress(figure, PAPER, INK)
    try:
        yield
    finally:
        dress(figure, ground, ink)
