"""Brushing: a lasso in the scatter plot chooses pixels on the map, and what is chosen on the map is lit in the plot."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_wse2xai.data import Frame, PeakMaps
from napari_wse2xai.errors import DataError
from napari_wse2xai.gui.maps import correlate_panel as panel_module
from napari_wse2xai.gui.maps.chosen_pixels import CHOSEN, LINE
from napari_wse2xai.gui.maps.correlate_figures import place_of
from napari_wse2xai.gui.maps.correlate_panel import ALONG, EDGE, HISTOGRAM, CorrelatePanel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import shown_in, to_layers
from napari_wse2xai.plots.cloud import MOST_POINTS

SHAPE = (12, 16)


@pytest.fixture
def peaks(small_peaks: PeakMaps) -> PeakMaps:
    """Heights and positions with a law of their own, on a flake that has an edge; one pixel has no value."""
    y, x = np.indices(SHAPE).astype(np.float32)
    flake = (y >= 2) & (y < 10) & (x >= 3) & (x < 13)
    height = np.where(flake, 100 + 10 * x + y, np.nan)[None].astype(np.float32)
    height[0, 5, 5] = np.nan
    status = np.where(flake, 0, 1).astype(np.uint8)
    error = np.full_like(height, 0.5)
    return replace(small_peaks, height=height, height_error=error, position=250 + y[None] / 4, status=status)


@pytest.fixture
def panel(viewer, qtbot, peaks: PeakMaps) -> CorrelatePanel:
    panel = CorrelatePanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    contents.add(viewer, to_layers(peaks))
    panel.refresh()
    return panel


def layer_of(viewer, part: str):
    return next((layer for layer in viewer.layers if (is_ := shown_in(layer.metadata)) is not None and is_.part == part), None)


def loop(panel: CorrelatePanel, *corners: tuple[float, float], key: Qt.KeyboardModifier = Qt.NoModifier) -> None:
    """Go round some points with the mouse, corners in data coordinates."""
    canvas = panel.canvas
    canvas.draw()
    places = canvas.cloud.axes.transData.transform(corners)
    event = SimpleNamespace(modifiers=lambda: key)
    for name, (x, y) in zip(("press", *["motion"] * (len(places) - 2), "release"), places, strict=True):
        axes = canvas.cloud.axes
        xdata, ydata = axes.transData.inverted().transform((x, y))
        given = SimpleNamespace(button=1, inaxes=axes, xdata=xdata, ydata=ydata, guiEvent=event)
        getattr(canvas, f"_on_{name}")(given)


def test_a_lasso_chooses_the_pixels_of_its_points(panel: CorrelatePanel, viewer, peaks: PeakMaps) -> None:
    loop(panel, (0, 0), (0, 300), (151.5, 300), (151.5, 0), (0, 0))
    expected = peaks.height[0] < 151.5
    assert expected.any()
    chosen = layer_of(viewer, CHOSEN)
    assert np.array_equal(np.asarray(chosen.data) > 0, expected)
    assert tuple(chosen.scale) == (0.5, 0.25), "on the map, not beside it"
    assert len(panel.canvas.cloud.lit_points.get_xdata()) == expected.sum()
    loop(panel, (215, 0), (215, 300), (300, 300), (300, 0), (215, 0), key=Qt.ShiftModifier)
    more = expected | (peaks.height[0] > 215)
    assert np.array_equal(np.asarray(chosen.data) > 0, more)
    loop(panel, (0, 0), (0, 251.1), (300, 251.1), (300, 0), (0, 0), key=Qt.AltModifier)
    assert np.array_equal(np.asarray(chosen.data) > 0, more & (peaks.position[0] > 251.1))


def test_what_is_painted_on_the_map_is_lit_in_the_plot(panel: CorrelatePanel, viewer, settle, peaks: PeakMaps) -> None:
    panel.buttons["paint"].click()
    labels = layer_of(viewer, CHOSEN)
    assert viewer.layers.selection.active is labels
    labels.paint((4, 6), 1)
    settle(lambda: len(panel.canvas.cloud.lit_points.get_xdata()) > 0)
    painted = np.asarray(labels.data) > 0
    lit = np.sort(panel.canvas.cloud.lit_points.get_xdata())
    assert np.array_equal(lit, np.sort(peaks.height[0][painted]))


def test_shapes_and_labels_of_others_choose_pixels_too(panel: CorrelatePanel, viewer) -> None:
    shapes = viewer.add_shapes([np.array([[10.9, 20.9], [10.9, 22.1], [13.1, 22.1], [13.1, 20.9]])], shape_type="polygon")  # um
    viewer.layers.selection.active = shapes
    panel.buttons["layer"].click()
    expected = np.zeros(SHAPE, bool)
    expected[2:7, 4:9] = True  # rows of 0.5 um from 10, columns of 0.25 um from 20
    assert np.array_equal(panel.chosen.pixels(), expected)
    coarse = np.zeros((6, 8), np.uint8)
    coarse[2, 3] = 7
    viewer.layers.selection.active = viewer.add_labels(coarse, scale=(1.0, 0.5), translate=(10.25, 20.125))
    panel.buttons["layer"].click()
    expected[:] = False
    expected[4:6, 6:8] = True
    assert np.array_equal(panel.chosen.pixels(), expected)


def test_a_condition_chooses_and_filters(panel: CorrelatePanel, viewer, peaks: PeakMaps, qtbot) -> None:
    panel.choices.condition.setText("A1' height > 180 and ok")
    expected = (peaks.height[0] > 180) & (peaks.status == 0)
    assert f"{expected.sum()} of 192" in panel.choices.message.text()
    qtbot.keyClick(panel.choices.condition, Qt.Key_Return)
    assert np.array_equal(panel.chosen.pixels(), expected)
    panel.choices.only_these.setChecked(True)
    assert len(panel.canvas.cloud.x) == expected.sum()
    panel.buttons["keep"].click()
    kept = viewer.layers[-1] if "height" in viewer.layers[-1].name else layer_of(viewer, "kept")
    panel.buttons["clear"].click()
    assert np.array_equal(np.asarray(kept.data) > 0, expected)
    assert not panel.chosen.pixels().any()
    panel.choices.condition.setText("A9.height > 180")
    assert "not known" in panel.choices.message.text()
    assert not panel.choices.choose_button.isEnabled()


def test_the_chosen_pixels_become_the_flake_that_later_steps_take(panel: CorrelatePanel, viewer, small, one_line, settle) -> None:
    source = replace(small, flake=np.ones(SHAPE, bool))
    contents.add(viewer, to_layers(source))
    found = one_line(source)
    contents.add(viewer, to_layers(found))
    panel.refresh()
    assert panel.found is found
    pixels = np.zeros(SHAPE, bool)
    pixels[3:5, 4:9] = True
    panel.chosen.put(pixels)
    panel.buttons["flake"].click()
    assert np.array_equal(contents.with_edited_flake(viewer, source).flake, pixels)


def test_the_profile_along_a_line_and_from_the_edge(panel: CorrelatePanel, viewer, settle, peaks: PeakMaps) -> None:
    assert panel.shown != ALONG
    panel.tabs.setCurrentIndex(2)
    assert "Draw a line" in panel.words.text()
    panel.buttons["line"].click()
    layer_of(viewer, LINE).add([[5, 2.6], [5, 12.4]], shape_type="line")
    settle(lambda: len(panel.canvas.figure.axes) == 2)
    along = panel.canvas.figure.axes[0]
    (curve,) = [line for line in along.get_lines() if len(line.get_xdata()) > 2][:1]
    slope = np.polyfit(curve.get_xdata(), curve.get_ydata(), 1)[0]
    assert slope == pytest.approx(10 / 0.25, rel=0.05), "10 counts a column, which is 0.25 um"
    assert "along the line" in along.get_xlabel()
    panel.tabs.setCurrentIndex(3)
    assert panel.shown == EDGE
    settle(lambda: panel.canvas.figure.axes and "edge" in panel.canvas.figure.axes[0].get_xlabel())


def test_a_histogram_tells_the_chosen_from_all(panel: CorrelatePanel, peaks: PeakMaps) -> None:
    panel.chosen.put(peaks.height[0] > 180)
    panel.tabs.setCurrentIndex(1)
    assert panel.shown == HISTOGRAM
    legend = panel.canvas.figure.axes[0].get_legend()
    assert f"chosen: {int((peaks.height[0] > 180).sum())}" in [text.get_text() for text in legend.get_texts()]


def test_many_pixels_are_a_density_whose_cells_count_them(panel: CorrelatePanel, qtbot) -> None:
    many = MOST_POINTS + 10
    x, y = np.random.default_rng(2).normal(size=(2, many))
    two = panel.choices.two()
    panel.canvas.show_cloud(x, y, *two)
    cloud = panel.canvas.cloud
    assert cloud.is_density
    assert cloud.density.get_array().sum() == many - cloud.outside
    cloud.light(x > 0)
    assert cloud.lit_density.get_array().sum() == pytest.approx((x > 0).sum(), abs=cloud.outside)


def test_the_words_tell_correlation_error_and_independent_pixels(panel: CorrelatePanel, settle) -> None:
    settle(lambda: "r = " in panel.words.text())
    assert "independent" in panel.words.text()


def test_the_pixel_under_the_mouse_is_marked(panel: CorrelatePanel, viewer, peaks: PeakMaps) -> None:
    viewer.layers.selection.active = next(layer for layer in viewer.layers if layer.name.startswith("A1'") or "height" in layer.name)
    panel.follow(viewer, SimpleNamespace(position=(12.0, 21.5)))  # row 4, column 6
    assert panel.canvas._hovered.get_xdata() == [pytest.approx(peaks.height[0, 4, 6])]


def test_nothing_deconvolved_is_told(viewer, qtbot) -> None:
    panel = CorrelatePanel(viewer)
    qtbot.addWidget(panel)
    assert panel.words.text() == panel_module.NOTHING
    assert not panel.buttons["paint"].isEnabled()


@pytest.mark.parametrize("shape", [(1, 30), (30, 1)])
def test_of_a_line_scan_the_edge_beside_it_is_not_denied(shape: tuple[int, int]) -> None:
    flake = np.zeros(shape, dtype=bool)
    flake.ravel()[8:20] = True
    scan = SimpleNamespace(name="line", frame=Frame(shape, (0.5, 0.5)), flake=flake)
    with pytest.raises(DataError, match=r"line scan does not tell .* draw a line"):
        place_of(scan, None, 0.5)
    along = place_of(scan, np.array([[0.0, 0.0], [shape[0] - 1.0, shape[1] - 1.0]]), 0.5)
    assert along.ravel() == pytest.approx(0.5 * np.arange(30))
