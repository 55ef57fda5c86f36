"""Where on the flakes a parameter acts in which way: regions as layers, their curves in the same colours, their rules in words."""

import numpy as np
from napari import Viewer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.quantities import pretty, region_color
from napari_wse2xai.gui.explain.asked import BY_RULE, BY_SHAPE, NEEDS_MODEL, Regions, regions_of
from napari_wse2xai.gui.explain.canvas import ExplainCanvas
from napari_wse2xai.gui.explain.curves import IcePlot
from napari_wse2xai.gui.explain.pixel_curves import PixelCurves
from napari_wse2xai.gui.explain.saved import BelowCurves, Part
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import QUIET, WrappedLabel
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.layers import effect_layer

ALIKE = "One region: no other parameter tells where the curves differ, if they differ at all."


class RegionsView(BelowCurves):
    """Button, choice of the kind, and what came of it for the parameter that is shown."""

    def __init__(self, viewer: Viewer, ice: IcePlot, canvas: ExplainCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ice, self.canvas, self.feature = ice, canvas, 0
        self.pixels: PixelCurves | None = None
        self.kind, self.work, self.words = ComboBox(), WorkRow(viewer, "Regions"), WrappedLabel()
        self._known: dict[tuple[int, str], Regions] = {}
        self._coloured = False
        self.kind.addItems([BY_RULE, BY_SHAPE])
        self.kind.setToolTip("Regions split by the values of the other parameters (Herbinger et al. 2023), or k-means on the curves.")
        self.work.begin_button.setToolTip(
            "Where on the flake does this parameter act alike?  A layer of labels, and the curves in its colours."
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        for part in (self.kind, self.work, self.words):
            column.addWidget(part)
        self.work.begin_button.clicked.connect(self.begin)
        self.work.gave.connect(self._take)
        self.kind.currentIndexChanged.connect(lambda _: self._show())
        self._show()

    def stand_by(self, pixels: PixelCurves | None) -> None:
        """Stand by for another explanation."""
        self.work.runner.cancel()
        self._known.clear()
        self.pixels = pixels
        self.work.object_with(None if pixels is None or pixels.answers else (NEEDS_MODEL, QUIET))

    def show_feature(self, feature: int) -> None:
        """Show the regions of another parameter, where they are known."""
        if feature != self.feature:
            self.work.runner.cancel()
        self.feature = feature
        self._show()

    def begin(self) -> None:
        """Ask the network, in a thread."""
        pixels, feature, kind = self.pixels, self.feature, self.kind.currentText()
        if pixels is not None:
            self.work.begin(lambda report: (kind, regions_of(pixels, feature, kind, report)), "Regions", "Asking the model…")

    def to_save(self) -> Part | None:
        """What the colours of the curves mean."""
        regions = self._shown()
        if regions is None or self.pixels is None:
            return None
        rules, last = rules_of(self.pixels.explanation, regions)
        return Part((*(words for _, words in rules), last), tuple(colour for colour, _ in rules))

    def _shown(self) -> Regions | None:
        return self._known.get((self.feature, self.kind.currentText()))

    def _take(self, found: tuple[str, Regions]) -> None:
        kind, regions = found
        self._known[regions[1][0].feature, kind] = regions
        self._show()

    def _show(self) -> None:
        regions = self._shown()
        self.words.setVisible(regions is not None)
        if regions is None or self.pixels is None:
            self._clear()
            return
        explanation = self.pixels.explanation
        flakes = range(len(explanation.samples.frames))
        self.words.setText(in_words(explanation, regions))
        labels, rules = regions[0], [region.rule for region in regions[1]]
        self.canvas.show_effects([effect_layer(explanation, self.feature, labels, rules, flake) for flake in flakes])
        self.ice.colour([region_color(k - 1) for k in labels[explanation.pixels]])
        self._coloured = True

    def _clear(self) -> None:
        if self._coloured:
            self.canvas.show_effects(None)
            self.ice.colour(None)
            self._coloured = False


def in_words(explanation: Explanation, regions: Regions) -> str:
    """One line per region with its colour, and how much of the curves' spread they explain."""
    rules, last = rules_of(explanation, regions)
    return "<br>".join([*(f"<span style='color: {colour}'>■</span> {words.replace('<', '&lt;')}" for colour, words in rules), last])


def rules_of(explanation: Explanation, regions: Regions) -> tuple[list[tuple[str, str]], str]:
    """Colour of each region, its rule, how much of the flakes it takes and what the parameter does there; and what the regions explain."""
    lines, (labels, found), unit = [], regions, pretty(explanation.target_unit)
    for each in found:
        words = f"{each.rule}: {100 * np.mean(labels == each.number):.0f} % of the pixels, curves change by {each.change:+.3g} {unit}"
        lines.append((region_color(each.number - 1), words))
    return lines, ALIKE if len(lines) == 1 else f"Within regions {100 * found[0].kept:.0f} % of the curves' spread is left."
