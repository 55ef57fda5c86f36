"""The spectrum of the pixel under the mouse, docked below the canvas."""

import html
from typing import Any

import numpy as np
from matplotlib.backend_bases import MouseButton, MouseEvent
from napari import Viewer
from napari.layers import Layer
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QCheckBox, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.errors import counted
from napari_wse2xai.gui.maps.beside import HEIGHTS, Beside
from napari_wse2xai.gui.maps.fit_handles import FitHandles, is_above_baseline
from napari_wse2xai.gui.maps.fitted_words import computed_text, place_and_status, table
from napari_wse2xai.gui.maps.preview import Preview, PreviewedFit, PreviewWanted
from napari_wse2xai.gui.maps.spectrum_tools import SpectrumTools
from napari_wse2xai.gui.parts.blitted import Blitted, place_of
from napari_wse2xai.gui.parts.docked import Docked, plain
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.sliders import shown_channel
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.plots.spectra import SpectrumPlot, brightest_pixel

Pixel = tuple[int, int]
FEWEST_CHANNELS = 8
"""Closer than this there is nothing to see."""
REPLACED = "#e85d9e"
"""Colour of the ticks at channels that the spike filter replaced."""
PREVIEW = "#e0b000"
"""Colour of a fit that is not made yet."""
WORDS_PX, WORDS_MOST_PX = 300, 420
"""Width of the numbers beside the curves, at least and at most."""
NARROW_PX, FEWER_WORDS_PX, FEWEST_WORDS_PX = 700, 200, 150
"""Width of the dock below which the numbers give way to the curves, and what they keep at least beside one spectrum and beside two."""
SHARE, SHARE_OF_TWO = 0.42, 0.3
"""Of a narrow dock's width that the numbers keep: position, FWHM and height are all seen in a window of 1500 pixels."""
WELCOME = "Open a map;\nthe spectrum under the mouse\nis shown here."


class SpectrumView(Docked):
    """Follows the mouse: measured spectrum, fit, components and residual of the pixel under it, and its fitted numbers.

    Only the curves are drawn anew from pixel to pixel; axes and ticks stay as a picture underneath (blitting).
    """

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(parent)
        self.viewer = napari_viewer
        self.source: SpectralMap | None = None
        self.peaks: PeakMaps | None = None
        self.pixel: Pixel | None = None
        self._hears_settings = False
        self._build()
        self.set_listening(True)
        self.on_theme()
        self.on_layers()

    def _build(self) -> None:
        self.figure = PlainFigure(figsize=(7, 2.1), layout="constrained")  # the height is what the dock asks for at first
        self.canvas = Blitted(self.figure)
        grid = self.figure.add_gridspec(2, 1, height_ratios=HEIGHTS)
        self.axes = self.figure.add_subplot(grid[0])
        self.residual_axes = self.figure.add_subplot(grid[1], sharex=self.axes)
        self.beside = Beside(self.figure, self.axes, self.residual_axes)
        self.axes.tick_params(labelbottom=False)
        self.plot = SpectrumPlot(self.axes, self.residual_axes, animated=True)
        self.canvas.draw_scales_apart([axes.yaxis for axes in (self.axes, self.residual_axes, *self.beside.every_axes)])
        self.words = QLabel(WELCOME)
        self._build_preview()
        self._build_marks()
        self.tools = SpectrumTools(self.viewer, self.axes)
        self.tools.changed.connect(self.draw_again)
        self._scroll = self._scrolled_words()
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.addWidget(self.canvas)
        self._splitter.addWidget(self._scroll)
        self._splitter.setSizes([1000, WORDS_PX])
        self._splitter.setStretchFactor(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tools)
        layout.addWidget(self._splitter, 1)

    def _scrolled_words(self) -> QScrollArea:
        """What is said beside the curves."""
        self.words.setStyleSheet("font-size: 10px")  # eight peaks in a low dock
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        scroll, beside = QScrollArea(), QWidget()
        column = QVBoxLayout(beside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.preview_tick)
        column.addWidget(self.words, 1)
        scroll.setWidget(beside)
        scroll.setWidgetResizable(True)
        scroll.setMinimumWidth(WORDS_PX)
        scroll.setMaximumWidth(WORDS_MOST_PX)
        return scroll

    def _build_preview(self) -> None:
        """What a fit that is not made yet is drawn with."""
        self.preview_tick, self.preview = QCheckBox("Preview the fit"), Preview(self)
        self.preview_tick.setToolTip(
            "Take the baseline off this pixel and fit it, as the settings of Baseline and Deconvolve stand, while you change them."
        )
        self.preview_tick.toggled.connect(self._on_preview_tick)
        self.preview.gave.connect(self._on_preview)
        self.preview.refused.connect(self._on_refusal)
        (self.preview_line,) = self.axes.plot([], [], color=PREVIEW, linewidth=1.6, linestyle="--", animated=True)
        (self.preview_base,) = self.axes.plot([], [], color=PREVIEW, linewidth=0.9, linestyle=":", animated=True)

    def _build_marks(self) -> None:
        """What is drawn beside the curves, and what the mouse does there."""
        self.channel = self.axes.axvline(np.nan, color="#888888", linewidth=0.8, linestyle=":", animated=True)
        self.channel_value = self.axes.text(
            0, 0.97, "", transform=self.axes.get_xaxis_transform(), va="top", fontsize=8, color="#888888", clip_on=True, animated=True
        )
        style: dict[str, Any] = {"marker": "|", "markersize": 9, "markeredgewidth": 1.6, "linestyle": "", "color": REPLACED}
        (self.replaced,) = self.axes.plot([], [], transform=self.axes.get_xaxis_transform(), animated=True, **style)
        self.handles = FitHandles(self.axes, self.canvas.blit_moving)
        self.canvas.mpl_connect("button_press_event", self._on_click)
        self.canvas.mpl_connect("scroll_event", self._on_wheel)
        self.canvas.mpl_connect("motion_notify_event", self._on_drag)
        self.canvas.mpl_connect("button_release_event", self._on_release)
        self.canvas.mpl_connect("axes_enter_event", self._on_enter)
        self.canvas.mpl_connect("axes_leave_event", lambda event: self.handles.hide())
        self.canvas.setToolTip(
            "Wheel: zoom, right click: all of it.  Double click: add a peak there to the list of the deconvolution.  "
            "Drag a ▼ to move a start peak, a ◆ to widen it; a right click on either removes it.  "
            "Drag a ■ to move the end of a fit window, a ▲ to move the end of an area of the baseline."
        )
        self.canvas.setMinimumSize(200, 150)

    def follow(self, viewer: Viewer, event: Any) -> None:
        """Show the pixel under the mouse; outside the map the last one stays."""
        layer = self._map_layer()
        if layer is None:
            return
        pixel = contents.pixel_at(layer, event.position)
        if pixel is not None and pixel != self.pixel:
            self.show_pixel(pixel)

    def show_pixel(self, pixel: Pixel) -> None:
        """Show one pixel of the current map."""
        if self.source is None:
            return
        self.pixel = pixel
        self.plot.also = self.tools.levels(self.source)
        changed = self.plot.show(self.source, *pixel, self.peaks) | self.beside.show(self.source, pixel)
        self.handles.follow(self.source, pixel)
        replaced = self.source.axis.values[self.source.replaced_at(*pixel)]
        self.replaced.set_data(replaced, np.full(len(replaced), 0.03))
        self.words.setText(self._text(pixel))
        self._forget_preview()
        marks = (self.preview_base, self.preview_line, self.channel, self.channel_value, self.replaced)
        self.canvas.moving = [*self.tools.artists, *self.plot.artists, *self.beside.artists, *marks, *self.handles.artists]
        (self.canvas.draw_anew if changed else self.canvas.blit_moving)()

    def _share_room(self) -> None:
        """Let the numbers give way where spectra have little room; they are read by scrolling then."""
        share, fewest = (SHARE, FEWER_WORDS_PX) if self.beside.counterpart is None else (SHARE_OF_TWO, FEWEST_WORDS_PX)
        least = min(max(fewest, int(share * self.width())), WORDS_PX) if self.width() < NARROW_PX else WORDS_PX
        if self._scroll.minimumWidth() != least:
            self._scroll.setMinimumWidth(least)
            self._splitter.setSizes([max(self.width() - least, least), least])

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Share the room anew."""
        super().resizeEvent(event)
        self._share_room()

    def draw_again(self) -> None:
        """Draw the pixel that is shown with all that is beside it, axes included."""
        if self.source is not None and self.pixel is not None:
            self.plot.label = self.tools.unit.label(self.axes)
            self.on_slider(redraw=False)
            self.show_pixel(self.pixel)
            self.canvas.draw_anew()

    def _on_drag(self, event: MouseEvent) -> None:
        if self.tools.band.drag(event, self.source):
            self.canvas.blit_moving()
        else:
            self.handles.drag(event)

    def _on_release(self, event: MouseEvent) -> None:
        if self.tools.band.release():
            return
        self.handles.release(event)
        self.ask_preview()

    def _on_preview_tick(self, wanted: bool) -> None:
        """Follow every change of the settings, or no more."""
        if (panels := self._panels()) is not None and not self._hears_settings:
            self._hears_settings = True
            panels.settings_changed.connect(self.ask_preview)
        if wanted:
            self.ask_preview()
        elif self.pixel is not None:
            self.show_pixel(self.pixel)

    def ask_preview(self) -> None:
        """Have the pixel that is shown fitted as the settings stand."""
        panels = self._panels()
        if not self.preview_tick.isChecked() or panels is None or self.source is None or self.pixel is None:
            return
        baseline, deconvolve = panels.settings_of_fit()
        if deconvolve is not None:
            above = is_above_baseline(self.source)
            self.preview.ask(PreviewWanted(self.source, self.pixel, deconvolve, None if above else baseline))

    def _on_preview(self, found: PreviewedFit) -> None:
        if found.wanted.source is self.source and found.wanted.pixel == self.pixel and self.preview_tick.isChecked():
            self._show_preview(found, "")

    def _on_refusal(self, text: str) -> None:
        if self.pixel is not None and self.preview_tick.isChecked():  # the map may be gone by now
            self._show_preview(None, text)

    def _show_preview(self, found: PreviewedFit | None, refusal: str) -> None:
        """Draw a preview over the spectrum, with its numbers in the place of those of the last run."""
        assert self.source is not None and self.pixel is not None
        x = self.source.axis.values
        nothing = np.full(len(x), np.nan)
        self.preview_line.set_data(x, nothing if found is None else found.total)
        self.preview_base.set_data(x, nothing if found is None else found.baseline)
        head = f"<span style='color:{PREVIEW}'><b>Preview</b></span> of row {self.pixel[0]}, column {self.pixel[1]}"
        self.words.setText(f"{head}<br>{html.escape(refusal)}" if found is None else f"{head}{table(found.peaks, (0, 0))}")
        self.canvas.blit_moving()

    def _forget_preview(self) -> None:
        for line in (self.preview_line, self.preview_base):
            line.set_data([], [])
        self.ask_preview()

    def on_layers(self, event: object = None) -> None:
        """Choose map and fit anew; show the flake's brightest pixel before the mouse has been anywhere."""
        layer = self._map_layer()
        source = None if layer is None else contents.map_of(layer)
        peaks = None if source is None else contents.session(self.viewer).peaks_of(source)
        for axes in (self.axes, self.residual_axes):
            axes.set_visible(source is not None)
        is_other = self.beside.know(contents.session(self.viewer), source)
        self.preview_tick.setVisible(source is not None)
        if source is self.source and peaks is self.peaks:
            if is_other:
                self._share_room()
                self.draw_again()
            return
        if source is None or self.source is None or source.axis.kind is not self.source.axis.kind:
            self.plot.view = None
        new_place = self.source is None or source is None or source.frame != self.source.frame
        self.source, self.peaks = source, peaks
        self.tools.know(source)
        self._share_room()
        self.plot.label = self.tools.unit.label(self.axes)
        if source is not None:
            self.on_slider(redraw=False)
            self.show_pixel(brightest_pixel(source, peaks) if new_place or self.pixel is None else self.pixel)
        else:
            self._show_nothing()

    def _show_nothing(self) -> None:
        self.pixel, self.canvas.moving = None, []
        self.words.setText(WELCOME)
        self.canvas.draw_anew()

    def on_slider(self, event: object = None, *, redraw: bool = True) -> None:
        """Mark the channel that the canvas shows."""
        layer = self._map_layer()
        if layer is None or self.source is None:
            return
        channel = shown_channel(layer, self.source, self.viewer.dims.point)
        value = np.nan if channel is None else float(self.source.axis.values[channel])
        self.channel.set_xdata([value, value])
        if channel is not None:
            self.channel_value.set(x=value, text=f" {self.tools.unit.words(value)}")
        if redraw:
            self.canvas.blit_moving()

    def on_theme(self, event: object = None) -> None:
        """Take the window's colours."""
        theme = get_theme(self.viewer.theme)
        ground, ink = theme.background.as_hex(), theme.text.as_hex()
        self.figure.set_facecolor(ground)
        for axes in (self.axes, self.residual_axes, *self.beside.every_axes):
            axes.set_facecolor(ground)
            axes.tick_params(colors=ink, labelsize=8)
            for label in (axes.xaxis.label, axes.yaxis.label):
                label.set_color(ink)
                label.set_fontsize(8)
            for spine in axes.spines.values():
                spine.set_color(ink)
        self.plot.set_color(ink)
        self.beside.plot.set_color(ink)
        self.canvas.draw_anew()

    def _map_layer(self) -> Layer | None:
        """Layer of the current map."""
        return contents.current(self.viewer).layer

    def _text(self, pixel: Pixel) -> str:
        """Pixel, place and status, and a table of the fitted numbers, as rich text."""
        assert self.source is not None
        head = self.beside.side(self.source) + place_and_status(self.source, pixel, self.peaks)
        if replaced := len(self.source.replaced_at(*pixel)):
            head += f"<br>{counted(replaced, 'channel')} replaced: <span style='color:{REPLACED}'>┃</span>"
        beside = f"{self.beside.words()}{self.tools.words(self.source)}"
        if self.peaks is None or not np.isfinite(self.peaks.height[:, *pixel]).any():
            return f"{head}{beside}"
        return f"{head}{beside}{table(self.peaks, pixel)}{computed_text(self.peaks, pixel)}"

    def _panels(self) -> Any | None:
        """The dock that holds the deconvolution's start peaks, where it is in the window."""
        return next((dock for dock in self.viewer.window.dock_widgets.values() if hasattr(dock, "add_peak")), None)

    def _on_enter(self, event: MouseEvent) -> None:
        """Show the start peaks while the mouse is over the spectrum."""
        panels = self._panels()
        if panels is not None and self.source is not None and self.pixel is not None and event.inaxes is self.axes:
            self.handles.show(panels, self.source, self.pixel)
            self.canvas.blit_moving()

    def _on_click(self, event: MouseEvent) -> None:
        """Take hold of a start peak or, double-clicked, add one, where the panels are in the window; all of the axis on a right click."""
        if event.button == MouseButton.RIGHT and self.handles.remove(event):
            return
        if event.button == MouseButton.RIGHT and self.pixel is not None:
            self.plot.view = None
            self.show_pixel(self.pixel)
        if event.inaxes is None or self.source is None:
            return
        panels = self._panels()
        if event.inaxes is not self.axes and event.inaxes is not self.residual_axes:
            return
        if event.dblclick and panels is not None:
            panels.add_peak(place_of(event)[0])
            self._on_enter(event)
        elif event.button == MouseButton.LEFT and not self.handles.grab(event) and self.tools.band.take_hold(event):
            self.canvas.blit_moving()

    def _on_wheel(self, event: MouseEvent) -> None:
        """Zoom into the spectral axis about the place under the mouse."""
        if event.inaxes not in (self.axes, self.residual_axes) or self.source is None or self.pixel is None:
            return
        x, _ = place_of(event)
        low, high = (x + (edge - x) * 0.8**event.step for edge in self.axes.get_xlim())
        first, last = self.source.axis.span
        inside = self.source.axis.between(low, high)
        if inside.stop - inside.start >= FEWEST_CHANNELS:
            self.plot.view = None if low <= first and high >= last else (max(low, first), min(high, last))
            self.show_pixel(self.pixel)

    def listen(self) -> None:
        """Hear of the mouse, the layers, the slider and the theme."""
        self.viewer.mouse_move_callbacks.append(self.follow)
        self.viewer.mouse_drag_callbacks.append(self.tools.on_press)
        self.viewer.layers.events.inserted.connect(self._on_regions)
        self.viewer.layers.events.removed.connect(self._on_regions)
        for emitter, answer in self._answers():
            emitter.connect(answer)
        contents.session(self.viewer).changed.connect(self.on_layers)
        contents.current(self.viewer).changed.connect(self.on_layers)

    def let_go(self) -> None:
        """Hear of nothing more."""
        self.preview.forget()
        self.handles.let_go()
        self.tools.let_go()
        self.viewer.mouse_drag_callbacks.remove(self.tools.on_press)
        self.viewer.layers.events.inserted.disconnect(self._on_regions)
        self.viewer.layers.events.removed.disconnect(self._on_regions)
        self.viewer.mouse_move_callbacks.remove(self.follow)
        for emitter, answer in self._answers():
            emitter.disconnect(answer)
        contents.session(self.viewer).changed.disconnect(self.on_layers, missing_ok=True)
        contents.current(self.viewer).changed.disconnect(self.on_layers, missing_ok=True)

    def _on_regions(self, event: object = None) -> None:
        self.tools.mean.refresh()

    def _answers(self) -> tuple[tuple[Any, Any], ...]:
        return (
            (self.viewer.dims.events.point, self.on_slider),
            (self.viewer.events.theme, self.on_theme),
        )
