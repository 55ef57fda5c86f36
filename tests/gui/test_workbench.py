"""One menu entry opens everything, in its place at every size; what is to be done next is in reach."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QWidget

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.gui.maps.colour_bar import ColourBar
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.parts.keys import KeyList
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.workbench import Workbench
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Deconvolve, FindFlake

PLUGIN = "napari-wse2xai"


def in_window(widget) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a widget in its window."""
    place = widget.mapTo(widget.window(), QPoint(0, 0))
    return place.x(), place.y(), place.x() + widget.width(), place.y() + widget.height()


@pytest.mark.own_window
def test_one_entry_of_the_menu_opens_it_and_all_is_in_reach(viewer, settle, small: SpectralMap) -> None:
    window = viewer.window._qt_window
    viewer.window.resize(1280, 720)
    window.show()
    _, bench = viewer.window.add_plugin_dock_widget(PLUGIN, "Workbench")
    settle(lambda: any(isinstance(each, SpectrumView) for each in viewer.window.dock_widgets.values()))
    (spectrum,) = (each for each in viewer.window.dock_widgets.values() if isinstance(each, SpectrumView))
    contents.add(viewer, to_layers(small))
    assert isinstance(bench, Workbench)
    for width, height in ((1280, 720), (1600, 1000), (1920, 1080)):
        viewer.window.resize(width, height)
        settle()
        assert (window.width(), window.height()) == (width, height), "something is wider or higher than the window"
        left, top, right, bottom = in_window(bench)
        assert right - left >= 380
        assert bottom - top > 0.8 * height, "the panels have the whole height"
        below = in_window(spectrum)
        assert below[1] > 0.55 * height
        assert below[2] <= left, "the spectrum lies below, not under the panels"
        assert below[3] - below[1] >= 150
        assert spectrum.parent().height() == pytest.approx(min(0.32 * height, 320), abs=3), "whatever size the window had before"
        run = in_window(bench.panels[FindFlake].work.begin_button)
        assert top <= run[1] < run[3] <= bottom, "Run is seen without scrolling"
    QTest.mouseClick(
        window, Qt.LeftButton, Qt.NoModifier, QPoint(below[0] + 50, spectrum.parent().y() - 3)
    )  # where a hand takes the border
    window.resizeDocks([spectrum.parent()], [230], Qt.Vertical)
    viewer.window.resize(1600, 1000)
    settle()
    assert spectrum.parent().height() == pytest.approx(230, abs=3), "what a hand has chosen stays"
    assert viewer.canvas.overlays.scale_bar.visible
    assert window.dockWidgetArea(bench.parent()) == Qt.RightDockWidgetArea
    assert all(not dock.isFloating() for dock in window.findChildren(QDockWidget))


@pytest.mark.own_window
def test_the_step_that_is_opened_is_on_top(viewer, settle, small: SpectralMap) -> None:
    viewer.window.resize(1280, 720)
    viewer.window._qt_window.show()
    _, bench = viewer.window.add_plugin_dock_widget(PLUGIN, "Workbench")
    contents.add(viewer, to_layers(small))
    settle(bench.panels[Deconvolve].work.begin_button.isEnabled)
    bench.open_section(Deconvolve)
    settle(lambda: abs(in_window(bench.sections[Deconvolve])[1] - in_window(bench)[1]) < 20)
    assert in_window(bench.panels[Deconvolve].work.begin_button)[1] - in_window(bench)[1] < bench.height() / 2


@pytest.mark.own_window
def test_ctrl_z_in_the_workbench_takes_a_step_back(viewer, settle, small: SpectralMap, small_peaks: PeakMaps) -> None:
    viewer.window._qt_window.show()
    _, bench = viewer.window.add_plugin_dock_widget(PLUGIN, "Workbench")
    contents.add(viewer, to_layers(small))
    contents.add(viewer, to_layers(small_peaks))
    own = {each.key().toString(): each for each in bench.findChildren(QShortcut) if each.parent() is bench}
    undo, redo = own["Ctrl+Z"], own["Ctrl+Shift+Z"]
    assert [each.key() for each in (undo, redo)] == [QKeySequence(QKeySequence.Undo), QKeySequence(QKeySequence.Redo)]
    undo.activated.emit()
    assert contents.all_peaks(viewer) == []
    redo.activated.emit()
    assert len(contents.all_peaks(viewer)) == 1
    settle()
    viewer.window._qt_window.activateWindow()
    head = bench.sections[Deconvolve].toggleButton()
    head.setFocus()
    settle(head.hasFocus)
    QTest.keyClick(head, Qt.Key_F1, Qt.ShiftModifier)  # in a real window: one that napari has too would reach neither
    (shown,) = bench.findChildren(KeyList)
    shown.close()


def test_the_colour_bar_is_that_of_what_is_seen_with_its_unit(viewer, settle, small: SpectralMap, small_peaks: PeakMaps) -> None:
    bar, words = ColourBar(viewer, QWidget()), viewer.canvas.overlays.text
    bar.listen()
    (spectra,) = contents.add(viewer, to_layers(small))
    viewer.dims.set_point(0, 243.0)
    settle()
    assert spectra.colorbar.visible
    assert words.text == "small (counts)\nat 243 cm⁻¹"
    _, height = contents.add(viewer, to_layers(small_peaks))
    settle()
    assert (height.colorbar.visible, spectra.colorbar.visible) == (True, False)
    assert words.text == "A1' height (counts)"
    height.name = "E' height"
    settle()
    assert words.text == "E' height", "a layer may be given another parameter to show"
    height.visible = False
    settle()
    assert (height.colorbar.visible, spectra.colorbar.visible) == (False, True)
    viewer.add_image(np.zeros((3, 3)), name="of another plugin")
    settle()
    assert spectra.colorbar.visible
    viewer.layers.clear()
    settle()
    assert not words.visible
    bar.let_go()


@pytest.mark.own_window
@pytest.mark.parametrize("width", [1000, 1280])
def test_words_on_the_canvas_end_before_its_colour_bar(viewer, settle, small: SpectralMap, width: int) -> None:
    bench, window, canvas = Workbench(viewer), viewer.window._qt_window, viewer.window._qt_viewer.canvas
    viewer.window.add_dock_widget(bench, area="right")
    viewer.window.show()
    (layer,) = contents.add(viewer, to_layers(small))
    settle(bench.furnish().isVisible)
    window.resize(width, 720)
    words = viewer.canvas.overlays.text
    (drawn,) = canvas._viewer_overlay_to_visual[words]
    bar = canvas._layer_overlay_to_visual[layer][layer.colorbar]
    for name in ("P220 height slope, MLP ensemble", "P220 height slope, MLP ensemble of a map in the house", "short"):
        layer.name = name
        settle(lambda name=name: words.text.replace("\n", " ").startswith(name))
        settle(lambda: drawn.x_size + bar.x_size + 10 < canvas.native.width())
    assert words.text == "short (counts)\nat 250 cm⁻¹"
