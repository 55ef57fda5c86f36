r"""Names as they are: a peak, a flake or a file may be called ``$\frac$``, which matplotlib would take for mathematics and fail to set."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.text import Text


class PlainFigure(Figure):
    """A figure that sets no mathematics: nothing this package writes is any, and a name that looks like it would stop the drawing."""

    def draw(self, renderer: Any) -> None:
        """Draw all texts letter by letter."""
        for text in self.findobj(Text):
            text.set_parse_math(False)
        super().draw(renderer)


def plain(name: str) -> str:
    """Name for the label of a tick, whose text is made only when it is drawn."""
    return name.replace("$", r"\$")
