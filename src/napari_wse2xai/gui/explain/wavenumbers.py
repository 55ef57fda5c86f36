"""Which wavenumbers the network looks at: integrated gradients over the mean lines, asked for with one button."""

from matplotlib import rc_context
from matplotlib.figure import SubFigure
from napari import Viewer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_wse2xai.data.questions import Wavenumbers
from napari_wse2xai.gui.explain.asked import NEEDS_MODEL
from napari_wse2xai.gui.explain.pixel_curves import PixelCurves
from napari_wse2xai.gui.explain.saved import BelowCurves, Part
from napari_wse2xai.gui.parts.drawn import DPI, SMALL
from napari_wse2xai.gui.parts.message_label import QUIET, WrappedLabel
from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.plots.wavenumbers import draw_wavenumbers
from napari_wse2xai.progress import Progress

HEIGHT = 260
"""Of the plot, pixels."""
PLACE = (0.16, 0.18, 0.68, 0.7)
"""Left, bottom, width, height of the plot where it is saved."""


class WavenumberView(BelowCurves):
    """Button, plot, and the share of each line in words."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pixels: PixelCurves | None = None
        self.found: Wavenumbers | None = None
        self.work, self.words = WorkRow(viewer, "Wavenumbers"), WrappedLabel()
        self.canvas = PlotCanvas(PlainFigure(dpi=DPI, layout="constrained"))
        self.canvas.setFixedHeight(HEIGHT)
        self.work.begin_button.setToolTip(
            "Which wavenumbers does the network look at?  Integrated gradients (Sundararajan et al. 2017) from the mean spectrum to pixels "
            "all over the flakes, mean size per channel of each line."
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        for part in (self.work, self.canvas, self.words):
            column.addWidget(part)
        self.work.begin_button.clicked.connect(self.begin)
        self.work.gave.connect(self.show_wavenumbers)
        self._hide()

    def stand_by(self, pixels: PixelCurves | None) -> None:
        """Stand by for another explanation."""
        self.work.runner.cancel()
        self.pixels = pixels
        self.work.object_with(None if pixels is None or pixels.answers else (NEEDS_MODEL, QUIET))
        self._hide()

    def begin(self) -> None:
        """Ask the network, in a thread."""
        pixels = self.pixels
        if pixels is not None:
            self.work.begin(lambda report: _asked(pixels, report), "Wavenumbers", "Asking the network…")

    def show_wavenumbers(self, found: Wavenumbers) -> None:
        """Draw what was found."""
        if self.pixels is None:
            return
        self.found, explanation = found, self.pixels.explanation
        self.canvas.figure.clear()
        with rc_context(SMALL):
            draw_wavenumbers(self.canvas.figure.add_subplot(), explanation, found)
        self.words.setText(found.sentence(explanation))
        for part in (self.canvas, self.words):
            part.setVisible(True)
        self.canvas.draw_idle()

    def to_save(self) -> Part | None:
        """Plot and shares."""
        found, pixels = self.found, self.pixels
        if found is None or pixels is None:
            return None

        def draw(area: SubFigure) -> None:
            draw_wavenumbers(area.add_axes(PLACE), pixels.explanation, found)

        return Part((found.sentence(pixels.explanation),), height=HEIGHT, draw=draw)

    def _hide(self) -> None:
        self.found = None
        for part in (self.canvas, self.words):
            part.setVisible(False)


def _asked(pixels: PixelCurves, report: Progress) -> Wavenumbers:
    from napari_wse2xai.explaining import questions

    return questions.wavenumbers_of(pixels.network(), progress=report)
