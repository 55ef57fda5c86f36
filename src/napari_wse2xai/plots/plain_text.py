r"""Names as they are: a peak, a flake or a file may be called ``$\frac$``, which matplotlib would take for mathematics and fail to set."""

from typing import Any

from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter


class PlainFigure(Figure):
    """A figure that sets no mathematics: nothing this package writes is any, and a name that looks like it would stop the drawing."""

    def draw(self, renderer: Any) -> None:
        """Draw all texts letter by letter."""
        self._set_plainly()
        super().draw(renderer)

    def settle(self, *, dpi: float) -> None:
        """Lay out once for all pictures that are made of it: `savefig` does so, and draws twice, for each of them."""
        FigureCanvasAgg(self)
        self.dpi = dpi
        self._set_plainly()
        if (layout := self.get_layout_engine()) is not None:
            layout.execute(self)
            self.set_layout_engine("none")

    def _set_plainly(self) -> None:
        for text in self.findobj(Text):
            text.set_parse_math(False)


def make_logarithmic(axis: Axis) -> None:
    """Make an axis logarithmic, its numbers written out: matplotlib sets them as mathematics, of which dollar signs would be left here."""
    axis.axes.set(**{"xscale" if axis is axis.axes.xaxis else "yscale": "log"})
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def plain(name: str) -> str:
    """Name for the label of a tick, whose text is made only when it is drawn."""
    return name.replace("$", r"\$")
