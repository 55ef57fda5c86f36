"""What is saved of the Curves tab: the curves, and below them whatever else is seen there."""

import pickle
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

from matplotlib import rc_context
from matplotlib.figure import Figure, SubFigure
from qtpy.QtWidgets import QWidget

from napari_wse2xai.gui.parts.drawn import DPI, SMALL

LINE = 14
"""Height of a line of words, pixels."""
LETTER = 5.0
"""Usual width of a letter, pixels."""
MARGIN = 0.03
"""Left of words, of the width."""


Drawing = Callable[[SubFigure], object]


@dataclass(frozen=True)
class Part:
    """A plot, and words below it."""

    words: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    """Of the squares before the first of the words."""
    height: int = 0
    """Of the plot, pixels."""
    draw: Drawing | None = None
    """Draws the plot."""


class BelowCurves(QWidget):
    """Part of the panel that is seen below the curves, and saved with them."""

    def to_save(self) -> Part | None:
        """What is seen of it now; None: nothing that belongs to a picture."""
        raise NotImplementedError


def page(curves: Figure, parts: Sequence[Part]) -> Figure:
    """Draw a copy of the curves, with parts below it."""
    figure: Figure = pickle.loads(pickle.dumps(curves))  # whatever stands out among the curves comes along
    width, top = curves.get_size_inches()
    rows = [row for part in parts for row in _rows(part, int(width * DPI * (1 - 3 * MARGIN) / LETTER))]
    heights = [top, *(height / DPI for height, _ in rows)]
    _shrink(figure, top / sum(heights))
    figure.set_size_inches(width, sum(heights))
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    with rc_context(SMALL):
        for number, (_, draw) in enumerate(rows, 1):
            draw(figure.add_subfigure(grid[number]))
    return figure


def _shrink(figure: Figure, share: float) -> None:
    """Move all Axes into the upper part of a figure."""
    places = [axes.get_position(original=True).bounds for axes in figure.axes]
    for axes, (left, bottom, width, height) in zip(figure.axes, places, strict=True):
        axes.set_position((left, 1 - share + bottom * share, width, height * share))


def _rows(part: Part, letters: int) -> list[tuple[float, Drawing]]:
    """Height in pixels of plot and words, and what draws them; so many letters fit into a line."""
    blocks = [textwrap.wrap(words, letters) for words in part.words]
    words = LINE * (1.0 + sum(map(len, blocks))), partial(_write, blocks=blocks, colours=part.colours)
    return [words] if part.draw is None else [(float(part.height), part.draw), words]


def _write(area: SubFigure, *, blocks: list[list[str]], colours: Sequence[str]) -> None:
    """Write words line by line, from the top."""
    line, y = 1 / (1 + sum(map(len, blocks))), 1.0
    for lines, colour in zip_longest(blocks, colours, fillvalue=""):
        area.text(MARGIN, y, "■" if colour else "", color=colour or "none", va="top", fontsize="small")
        area.text(2 * MARGIN, y, "\n".join(lines), va="top", fontsize="x-small", linespacing=1.3)
        y -= line * len(lines)
