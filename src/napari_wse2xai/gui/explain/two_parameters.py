"""A second parameter beside the first: heat map of both, and a slider that cuts through it."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.backend_bases import MouseButton, MouseEvent
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from napari import Viewer
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.quantities import feature_words, pretty
from napari_wse2xai.data.questions import TwoParameters
from napari_wse2xai.gui.explain.asked import H_MEANING, NEEDS_MODEL, pair_of, strengths_of
from napari_wse2xai.gui.explain.curves import CUT, IcePlot
from napari_wse2xai.gui.explain.pixel_curves import PixelCurves
from napari_wse2xai.gui.explain.saved import BelowCurves, Part
from napari_wse2xai.gui.parts.blitted import WIDTH, Blitted, place_of
from napari_wse2xai.gui.parts.drawn import DPI, SMALL
from napari_wse2xai.gui.parts.guarded import ComboBox, GuardedSlider
from napari_wse2xai.gui.parts.message_label import QUIET, WrappedLabel
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.plots.pairs import draw_pair
from napari_wse2xai.plots.plain_text import PlainFigure

if TYPE_CHECKING:
    from napari_wse2xai.explaining.questions import Strengths

NONE = "none"
HEIGHT = 300
"""Of the heat map with its colour bar, pixels."""
PLACE, BAR = (0.2, 0.16, 0.77, 0.62), (0.2, 0.84, 0.77, 0.035)
"""Left, bottom, width, height in the figure: the first parameter's axis lies right under that of the curves."""


class PairCanvas(Blitted):
    """Heat map of two parameters with a line where it is cut; a click or drag moves the cut."""

    cut_asked = Signal(float)
    """Value of the second parameter under the mouse."""

    def __init__(self) -> None:
        super().__init__(PlainFigure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI))
        self.setFixedHeight(HEIGHT)
        self.setToolTip("Click or drag: the cut through the heat map, drawn over the curves above. White dots are pixels.")
        for name in ("button_press_event", "motion_notify_event"):
            self.mpl_connect(name, self._on_mouse)

    def show_pair(self, explanation: Explanation, pair: TwoParameters) -> None:
        """Draw another pair."""
        self.figure.clear()
        with rc_context(SMALL):
            self.moving = draw_heat(self.figure, explanation, pair)
        for line in self.moving:
            line.set_animated(True)
        self.draw_anew()

    def cut(self, value: float) -> None:
        """Move the line to a value of the second parameter."""
        for line in self.moving:
            line.set_ydata([value, value])
        self.blit_moving()

    def _on_mouse(self, event: MouseEvent) -> None:
        dragged = event.button == MouseButton.LEFT or MouseButton.LEFT in (getattr(event, "buttons", None) or ())
        if dragged and self.figure.axes and event.inaxes is self.figure.axes[0]:
            self.cut_asked.emit(place_of(event)[1])


def draw_heat(where: Figure | SubFigure, explanation: Explanation, pair: TwoParameters, value: float = np.nan) -> list[Line2D]:
    """Heat map with its colour bar, cut at a value of the second parameter; returns the lines of the cut."""
    axes, bar = where.add_axes(PLACE), where.add_axes(BAR)
    draw_pair(axes, explanation, pair, bar=bar)
    return [axes.axhline(value, color=color, linewidth=width) for color, width in (("white", 3.2), (CUT, 2.0))]


class TwoParameterView(BelowCurves):
    """Choice of a second parameter, and what the network makes of both."""

    def __init__(self, viewer: Viewer, ice: IcePlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ice, self.feature = ice, 0
        self.pixels: PixelCurves | None = None
        self.pair: TwoParameters | None = None
        self.second, self.work = ComboBox(), WorkRow(viewer, "", words=lambda *_: "", stopped="")
        self.heat, self.slider, self.value, self.interaction = (
            PairCanvas(),
            GuardedSlider(Qt.Orientation.Horizontal),
            QLabel(),
            WrappedLabel(),
        )
        self._known: dict[tuple[int, int], TwoParameters] = {}
        self._strengths: dict[int, Strengths] = {}
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self.second.setToolTip(
            "Second parameter. Once one was chosen, those that interact most with the first stand first, with the size of the interaction."
        )
        self.second.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.work.begin_button.hide()  # to choose a parameter is to ask
        self.work.cancel_button.setToolTip("Ask no more; a pair that is shown stays (Ctrl+.).")
        self.slider.setToolTip("Value of the second parameter at which the green curve is drawn.")
        self.value.setStyleSheet(f"color: white; background: {CUT}; border-radius: 4px; padding: 2px 5px")
        self.interaction.setToolTip(f"<p>{H_MEANING}</p>")
        self.value.setAlignment(Qt.AlignmentFlag.AlignCenter)
        choice = QHBoxLayout()
        choice.addWidget(QLabel("together with"))
        choice.addWidget(self.second, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(choice)
        for part in (self.work, self.heat, self.value, self.slider, self.interaction):
            column.addWidget(part)
        self._show_parts()

    def _connect(self) -> None:
        self.second.currentIndexChanged.connect(lambda _: self._ask())
        self.slider.valueChanged.connect(self._cut)
        self.heat.cut_asked.connect(self._cut_at)
        self.work.cancel_button.clicked.connect(self.cancel)
        self.work.gave.connect(self._take)
        self.work.told.connect(lambda *_: self._show_parts())

    def stand_by(self, pixels: PixelCurves | None) -> None:
        """Stand by for another explanation."""
        self.work.runner.cancel()
        self.pixels, self.pair = pixels, None
        self._known.clear()
        self._strengths.clear()
        self._put_partners([], None)
        self.setEnabled(pixels is not None and pixels.answers)
        self.work.object_with(None if pixels is None or pixels.answers else (NEEDS_MODEL, QUIET))
        self._show_parts()

    def show_feature(self, feature: int) -> None:
        """Show the second parameter, where one is chosen, with another first one."""
        if self.pixels is None or not self.pixels.answers:
            return
        chosen, self.feature = self.second.currentData(), feature
        ranking = [other for other in self.pixels.explanation.ranking if other != feature]
        self._put_partners(ranking, chosen)
        self._sort()
        self._ask()

    def to_save(self) -> Part | None:
        """Heat map with its cut, and the share of the interaction."""
        pair, pixels = self.pair, self.pixels
        if pair is None or pixels is None:
            return None
        value = float(pair.grid[1, self.slider.value()])
        words = f"Green: {self.value.text()}.", self.interaction.text()
        return Part(words, (CUT,), HEIGHT, lambda area: draw_heat(area, pixels.explanation, pair, value))

    def cancel(self) -> None:
        """Ask no more; a pair that is shown stays."""
        self.work.runner.cancel()
        if self.pair is None:
            self.second.setCurrentIndex(0)

    def _put_partners(self, partners: list[int], chosen: int | None) -> None:
        """List the other parameters behind 'none'."""
        names = self.pixels.explanation.features if self.pixels is not None else ()
        self.second.put([(NONE, None), *((feature_words(names[other]), other) for other in partners)], chosen)

    def _sort(self) -> None:
        """Put those first that interact most with the first parameter, where that is known."""
        known = self._strengths.get(self.feature)
        if known is None or self.pixels is None:
            return
        self._put_partners(list(known.partners), self.second.currentData())
        unit = pretty(self.pixels.explanation.target_unit)
        for place, strength in enumerate(known.strength, 1):
            self.second.setItemText(place, f"{self.second.itemText(place)}: {strength:.2g} {unit}")

    def _ask(self) -> None:
        """Show the pair that is chosen, or ask the network for it."""
        self.work.runner.cancel()
        pixels, feature, second = self.pixels, self.feature, self.second.currentData()
        self.pair = None
        if pixels is not None and second is not None:
            if (known := self._known.get((feature, second))) is not None:
                self._show(known)
                self._ask_strengths()
                return
            self.work.begin(lambda report: pair_of(pixels, (feature, second), report), "two parameters", "Asking the model…")
        self._show_parts()

    def _ask_strengths(self) -> None:
        pixels, feature = self.pixels, self.feature
        if pixels is not None and feature not in self._strengths:
            self.work.begin(lambda report: strengths_of(pixels, feature, report), "interactions", "Asking for interactions…")
            self._show_parts()

    def _take(self, found: "TwoParameters | Strengths") -> None:
        if not isinstance(found, TwoParameters):
            self._strengths[found.feature] = found
            self._sort()
            self._show_parts()
            return
        self._known[found.features] = found
        self._show(found)
        self._ask_strengths()

    def _show(self, pair: TwoParameters) -> None:
        assert self.pixels is not None
        self.pair = pair
        self.interaction.setText(pair.sentence(self.pixels.explanation))
        self.heat.show_pair(self.pixels.explanation, pair)
        self._show_parts()
        self.slider.blockSignals(True)
        self.slider.setRange(0, pair.grid.shape[1] - 1)
        self.slider.setValue(pair.grid.shape[1] // 2)
        self.slider.blockSignals(False)
        self._cut(self.slider.value())

    def _show_parts(self) -> None:
        """Show what there is."""
        for part in (self.heat, self.slider, self.value, self.interaction):
            part.setVisible(self.pair is not None)
        self.work.setVisible(self.work.runner.busy or bool(self.work.message.text()))
        if self.pair is None:
            self.ice.cut(None)

    def _cut(self, place: int) -> None:
        """Draw the mean curve at one of the second parameter's values."""
        if self.pair is None or self.pixels is None:
            return
        explanation, second, value = self.pixels.explanation, self.pair.features[1], float(self.pair.grid[1, place])
        unit = pretty(explanation.feature_units[second])
        self.value.setText(f"at {feature_words(explanation.features[second])} = {value:.5g} {unit}")
        self.heat.cut(value)
        self.ice.cut(self.pair.grid[0], self.pair.surface[:, place])

    def _cut_at(self, value: float) -> None:
        """Move the slider to the value of the second parameter that is nearest to one."""
        if self.pair is not None:
            self.slider.setValue(int(np.argmin(np.abs(self.pair.grid[1] - value))))
