"""Correlate: any quantity against any other, pixels chosen in the plot and on the map, profiles along a line and from the edge."""

from functools import partial
from typing import Any

import numpy as np
from napari import Viewer
from qtpy.QtWidgets import QFormLayout, QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from napari_wse2xai.data import PairedMaps
from napari_wse2xai.data.map_values import MapValues
from napari_wse2xai.errors import counted
from napari_wse2xai.gui.maps.chosen_pixels import LINE, LOOP, ChosenPixels, labels_layer
from napari_wse2xai.gui.maps.correlate_canvas import CorrelateCanvas
from napari_wse2xai.gui.maps.correlate_choices import Choices
from napari_wse2xai.gui.maps.correlate_figures import Found, correlation_words, profiles_of
from napari_wse2xai.gui.parts.docked import FollowsLayers, Scrolled, plain
from napari_wse2xai.gui.parts.guarded import ComboBox, DoubleSpinBox, TabBar
from napari_wse2xai.gui.parts.message_label import BAD, NOTE, QUIET, MessageLabel
from napari_wse2xai.gui.parts.newest import Newest
from napari_wse2xai.gui.session import contents
from napari_wse2xai.io.shown import Column

CLOUD, HISTOGRAM, ALONG, EDGE = "Scatter", "Histogram", "Along a line", "From the edge"
NOTHING = "Deconvolve a map first; pair RS and PL to see both together."
NO_LINE = "Draw a line on the map: press Draw a line, then drag across the flake."
NO_FLAKE_LAYER = "The map that was deconvolved has no flake layer in the window; find its flake first."
BUTTONS = {
    "paint": ("Paint", "Paint pixels on the map with the brush: they are lit in the scatter plot."),
    "loop": ("Draw round", "Draw a loop round pixels on the map: they are lit in the scatter plot."),
    "layer": ("From selected layer", "Choose the pixels that the layer selected in napari's list marks: labels, or shapes."),
    "line": ("Draw a line", "Drag a line across the map, for the profile along it."),
    "keep": ("Keep as layer", "A copy of the chosen pixels as a layer of labels of its own, which further choices leave alone."),
    "flake": ("Use as flake", "Let the flake be the chosen pixels only: every step that is run from now on works on them."),
    "clear": ("Clear", "Choose no pixels."),
}


class CorrelatePanel(FollowsLayers):
    """Two quantities, one plot, and the pixels that are chosen in it."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.which, self.choices, self.tabs = ComboBox(), Choices(napari_viewer), TabBar()
        self.canvas, self.words = CorrelateCanvas(napari_viewer), MessageLabel(napari_viewer)
        self.half_width, self.step = DoubleSpinBox(), DoubleSpinBox()
        self.widths, self.message = QWidget(), MessageLabel(napari_viewer)
        self.buttons = {key: QPushButton(title) for key, (title, _) in BUTTONS.items()}
        self.chosen = ChosenPixels(napari_viewer, self)
        self.working = Newest("Correlate", self, skip_stale=True)
        self._rows: Any = (np.empty(0, dtype=np.intp),) * 2
        self._prepare()
        self._arrange()
        self._connect()
        self._on_which()
        self.set_listening(True)
        self.refresh()

    def _prepare(self) -> None:
        self.which.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.which.setToolTip("Which deconvolution, or pair of RS and PL.")
        for name in (CLOUD, HISTOGRAM, ALONG, EDGE):
            self.tabs.addTab(name)
        self.tabs.setToolTip("One against the other; how often values occur; both along a drawn line; both by distance from the edge.")
        for field, tip in (
            (self.half_width, "Pixels on both sides of the line, up to this distance, count (µm)."),
            (self.step, "Length of a step of the profile (µm): the pixels within are averaged."),
        ):
            field.setRange(0.01, 1000.0)
            field.setDecimals(2)
            field.setSuffix(" µm")
            field.setToolTip(tip)
        for key, (_, tip) in BUTTONS.items():
            self.buttons[key].setToolTip(tip)

    def _arrange(self) -> None:
        widths = QFormLayout(self.widths)
        widths.setContentsMargins(0, 0, 0, 0)
        self._half_words = QLabel("Pixels beside the line, up to")
        widths.addRow("In steps of", self.step)
        widths.addRow(self._half_words, self.half_width)
        widths.addRow(self.buttons["line"])
        grid = QGridLayout()
        for place, key in enumerate(("paint", "loop", "layer", "keep", "flake", "clear")):
            grid.addWidget(self.buttons[key], place // 3, place % 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        for part in (self.which, self.choices, self.tabs, self.widths, self.canvas, self.words):
            column.addWidget(part)
        column.addLayout(grid)
        column.addWidget(self.message)
        column.addStretch()

    def _connect(self) -> None:
        self.which.currentIndexChanged.connect(lambda _: self._on_which())
        self.choices.changed.connect(self.show_plot)
        self.choices.wanted.connect(self.chosen.put)
        self.tabs.currentChanged.connect(lambda _: self.show_plot())
        for field in (self.half_width, self.step):
            field.valueChanged.connect(lambda _: self._show_profiles())
        self.canvas.lassoed.connect(self._on_lasso)
        self.chosen.changed.connect(self._on_chosen)
        self.chosen.line_changed.connect(self._show_profiles)
        self.working.gave.connect(self._take)
        self.working.refused.connect(lambda text: self._say(text, BAD))
        answers = {
            "paint": self.chosen.paint,
            "loop": partial(self.chosen.draw, LOOP, "add_polygon_lasso"),
            "line": partial(self.chosen.draw, LINE, "add_line"),
            "layer": self._take_selected,
            "keep": self._keep,
            "flake": self._use_as_flake,
            "clear": self._clear,
        }
        for key, answer in answers.items():
            self.buttons[key].clicked.connect(lambda _=False, answer=answer: answer())

    @property
    def shown(self) -> str:
        """Name of the plot."""
        return str(self.tabs.tabText(self.tabs.currentIndex()))

    @property
    def found(self) -> Found | None:
        """What is plotted."""
        return self.choices.found

    def refresh(self) -> None:
        """List deconvolutions and pairs in the window, the newest pair chosen where one came."""
        there: list[Found] = [*contents.all_peaks(self.viewer), *contents.paired_maps(self.viewer)]
        if self.which.put_results(there, lambda one: f"{one.name}{' (pair)' if isinstance(one, PairedMaps) else ''}"):
            self.which.setVisible(len(there) > 1)
            self._on_which()

    def _on_which(self) -> None:
        """Plot another deconvolution, or pair."""
        found = self.which.currentData()
        if found is not None and found is self.found:
            return
        self.chosen.found = found
        for part in (self.choices, self.tabs, *self.buttons.values()):
            part.setEnabled(found is not None)
        if found is not None and (self.found is None or self.found.frame != found.frame):
            pitch = float(np.sqrt(abs(np.prod(found.frame.step_um))))
            for field, value in ((self.half_width, 1.5 * pitch), (self.step, pitch)):
                with signals_blocked(field):
                    field.setValue(value)
        self.choices.show_found(found)
        self.show_plot()

    def show_plot(self) -> None:
        """Draw the chosen tab."""
        two, within = self.choices.two(), self.choices.within()
        self.widths.setVisible(self.shown in (ALONG, EDGE))
        for part in (self._half_words, self.half_width, self.buttons["line"]):
            part.setVisible(self.shown == ALONG)
        self.working.forget()
        if self.found is None or two is None or within is None:
            self.canvas.show_nothing()
            self._say(NOTHING)
            return
        if self.shown in (ALONG, EDGE):
            self._show_profiles()
            return
        there = within & np.isfinite(two[0].values) & np.isfinite(two[1].values)
        self._rows = np.nonzero(there)
        x, y = (each.values[there].astype(np.float64) for each in two)
        if self.shown == CLOUD:
            self.canvas.show_cloud(x, y, *two)
            self._light()
            self.canvas.pixels = self._columns(two)
        else:
            self.canvas.show_histogram(x, two[0], self.chosen.pixels()[self._rows])
        frame = self.found.frame
        self.working.do(lambda _: correlation_words(*two, within, frame))

    def _columns(self, two: tuple[MapValues, MapValues]) -> list[Column]:
        """A line for each pixel that is plotted: where it lies, both values with their errors."""
        assert self.found is not None
        y_um, x_um = self.found.frame.at(*self._rows).T
        down, across = (direction.column for direction in self.found.frame.directions)
        columns: list[Column] = [("row", self._rows[0]), ("column", self._rows[1]), (down, y_um), (across, x_um)]
        for each in {one.name: one for one in two}.values():
            columns.append((each.label, each.values[self._rows]))
            if each.errors is not None:
                columns.append((f"standard error of {each.label}", each.errors[self._rows]))
        return columns

    def _show_profiles(self) -> None:
        """Work out profiles where they are shown."""
        two, within, found = self.choices.two(), self.choices.within(), self.found
        if self.shown not in (ALONG, EDGE) or two is None or within is None or found is None:
            return
        line = self.chosen.line() if self.shown == ALONG else None
        if self.shown == ALONG and line is None:
            self.canvas.show_nothing()
            self._say(NO_LINE)
            return
        what = list({each.name: each for each in two}.values())
        half, step = self.half_width.value(), self.step.value()
        self.working.do(lambda _: profiles_of(found, what, within, line, half, step))

    def _take(self, result: Any) -> None:
        """Show what was worked out."""
        if isinstance(result, str):
            self._say(result)
        elif self.shown in (ALONG, EDGE):
            along = "along the line (µm)" if self.shown == ALONG else "distance from the edge, inwards (µm)"
            self.canvas.show_profiles(along, result)
            steps = len(result[0][1].place)
            self._say(f"{counted(steps, 'step')}; errors are of the mean, of pixels as alike as what the profile leaves over is.")

    def _say(self, text: str, severity: str = QUIET) -> None:
        self.words.say(text, severity)

    def _on_lasso(self, points: object, key: str) -> None:
        """Choose the pixels of the points that the mouse went round."""
        if self.found is None:
            return
        pixels = np.zeros(self.found.frame.shape, dtype=bool)
        pixels[tuple(each[points] for each in self._rows)] = True
        if key:
            before = self.chosen.pixels()
            pixels = before | pixels if key == "shift" else before & ~pixels
        self.chosen.put(pixels)

    def _on_chosen(self) -> None:
        if self.found is None:
            return
        pixels = self.chosen.pixels()
        self.message.say(f"{int(pixels.sum())} of {pixels.size} pixels are chosen.")
        if self.shown == CLOUD:
            self._light()
        elif self.shown == HISTOGRAM:
            self.show_plot()

    def _light(self) -> None:
        """Let the points of the chosen pixels stand out."""
        if self.canvas.cloud is not None and len(self.canvas.cloud.x) == len(self._rows[0]):
            self.canvas.light(self.chosen.pixels()[self._rows])

    def _take_selected(self) -> None:
        active = self.viewer.layers.selection.active
        pixels = None if active is None else self.chosen.of_layer(active)
        if pixels is None:
            self.message.say("Select a layer of labels or of shapes in napari's list first.", NOTE)
        else:
            self.chosen.put(pixels)

    def _keep(self) -> None:
        """Copy the chosen pixels into a layer of their own."""
        if self.found is None:
            return
        pixels = self.chosen.pixels()
        text = self.choices.condition.text().strip()
        name = f"{self.found.name} · {text or counted(int(pixels.sum()), 'pixel')}"
        contents.add(self.viewer, [labels_layer(self.found, pixels, name)])

    def _use_as_flake(self) -> None:
        """Let the flake's layer hold the chosen pixels only, as if it had been painted so."""
        found, pixels = self.found, self.chosen.pixels()
        peaks = found.raman if isinstance(found, PairedMaps) else found
        source = None if peaks is None else contents.session(self.viewer).source_of(peaks)
        layer = None if source is None else contents.flake_layer_of(self.viewer, source)
        if layer is None or not pixels.any():
            self.message.say(NO_FLAKE_LAYER if layer is None else "Choose some pixels first.", NOTE)
            return
        layer.data = pixels.astype(np.uint8)
        self.message.say(f"The flake of '{layer.name}' is now {counted(int(pixels.sum()), 'pixel')}; run the steps again from Deconvolve.")

    def _clear(self) -> None:
        if self.found is not None:
            self.chosen.put(np.zeros(self.found.frame.shape, dtype=bool))

    def follow(self, viewer: Viewer, event: Any) -> None:
        """Mark the point of the pixel under the mouse."""
        two, layer = self.choices.two(), self.viewer.layers.selection.active
        if self.shown != CLOUD or two is None or self.found is None or not self.canvas.isVisible():
            return
        is_ = None if layer is None else contents.shown(layer)
        is_here = is_ is not None and is_.frame == self.found.frame
        pixel = contents.pixel_at(layer, event.position) if layer is not None and is_here else None
        point = None if pixel is None else (float(two[0].values[pixel]), float(two[1].values[pixel]))
        self.canvas.mark(point if point is not None and np.isfinite(point).all() else None)

    def listen(self) -> None:
        """Hear of the mouse, of results and layers that come and go, and of the theme."""
        self.viewer.mouse_move_callbacks.append(self.follow)
        self.viewer.events.theme.connect(self._on_theme)
        contents.session(self.viewer).changed.connect(self._later)
        super().listen()

    def let_go(self) -> None:
        """Hear of nothing more, and stop what runs."""
        self.working.forget()
        self.viewer.mouse_move_callbacks.remove(self.follow)
        self.viewer.events.theme.disconnect(self._on_theme)
        contents.session(self.viewer).changed.disconnect(self._later, missing_ok=True)
        super().let_go()

    def _on_theme(self, event: object = None) -> None:
        self.canvas.dress()


class CorrelateDock(Scrolled):
    """The Correlate panel as a dock of its own."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        self.panel = CorrelatePanel(napari_viewer)
        super().__init__(self.panel, parent)
