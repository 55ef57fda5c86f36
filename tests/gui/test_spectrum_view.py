"""The spectrum under the mouse: the right pixel wherever the layer lies, the right fit, in time."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backend_bases import MouseButton
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QWidget
from scipy.optimize import curve_fit

from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap
from napari_wse2xai.gui.maps.fitted_words import table
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.sliders import go_to_telling_channel, shown_channel
from napari_wse2xai.layers import telling_channel, to_layers
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.plots.spectra import FittedCurves
from napari_wse2xai.stages import Baseline, ConvertAxis, Deconvolve, Despike, Peak
from napari_wse2xai.stages.baseline import PiecewiseLinear


@dataclass(frozen=True)
class Here:
    """What napari hands to a mouse callback."""

    position: tuple[float, ...]


@pytest.fixture
def view(viewer, qtbot) -> SpectrumView:
    widget = SpectrumView(viewer)
    viewer.window.add_dock_widget(widget, area="bottom")
    yield widget
    widget.close()


def hover(viewer, layer, row: int, column: int) -> None:
    """Move the mouse over a pixel, as napari tells its callbacks."""
    point = np.array(viewer.dims.point, dtype=float)
    point[-2:] = layer.data_to_world((*[0] * (layer.ndim - 2), row, column))[-2:]
    for callback in viewer.mouse_move_callbacks:
        callback(viewer, Here(tuple(point)))


def drawn(view: SpectrumView, label: str) -> np.ndarray:
    return next(line for line in view.axes.lines if line.get_label() == label).get_ydata()


def test_the_brightest_pixel_is_shown_before_the_mouse_was_anywhere(viewer, view: SpectrumView, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    assert view.pixel in [(9, column) for column in range(8, 13)]  # heights differ by less than the noise there
    np.testing.assert_array_equal(drawn(view, "measured"), small.counts[view.pixel])


def test_without_a_map_there_are_words_and_no_empty_axes(viewer, view: SpectrumView, small: SpectralMap) -> None:
    assert not view.axes.get_visible()
    assert "Open a map" in view.words.text()
    contents.add(viewer, to_layers(small))
    assert view.axes.get_visible()
    viewer.layers.clear()
    assert not view.axes.get_visible()
    assert "Open a map" in view.words.text()


def test_the_spectrum_follows_the_mouse(viewer, view: SpectrumView, small: SpectralMap) -> None:
    (layer,) = contents.add(viewer, to_layers(small))
    hover(viewer, layer, 3, 5)
    assert view.pixel == (3, 5)
    np.testing.assert_array_equal(drawn(view, "measured"), small.counts[3, 5])
    assert "row 3, column 5" in view.words.text()


@pytest.mark.parametrize(
    "change",
    [
        {"scale": (1.0, 2.0, 3.0)},
        {"translate": (200.0, -40.0, 7.0)},
        {"rotate": np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])},
        {"affine": np.array([[1, 0, 0, 0], [0, 0.6, -0.8, 5], [0, 0.8, 0.6, -9], [0, 0, 0, 1.0]])},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_right_pixel_is_hit_wherever_the_layer_lies(viewer, view: SpectrumView, change: dict, small: SpectralMap) -> None:
    (layer,) = contents.add(viewer, to_layers(small))
    for name, value in change.items():
        setattr(layer, name, value)
    for pixel in ((0, 0), (11, 15), (3, 14)):
        hover(viewer, layer, *pixel)
        assert view.pixel == pixel


def test_outside_the_map_the_last_pixel_stays(viewer, view: SpectrumView, small: SpectralMap) -> None:
    (layer,) = contents.add(viewer, to_layers(small))
    hover(viewer, layer, 3, 5)
    hover(viewer, layer, -4, 5)
    hover(viewer, layer, 3, 99)
    assert view.pixel == (3, 5)
    assert contents.pixel_at(layer, (1.0,)) is None


def test_fit_residual_and_numbers_are_those_of_the_pixel(viewer, view: SpectrumView, small_peaks: PeakMaps, small: SpectralMap) -> None:
    layer = contents.add(viewer, [*to_layers(small), *to_layers(small_peaks)])[0]
    hover(viewer, layer, 5, 6)
    fit = FittedCurves.of(small_peaks, 5, 6)
    np.testing.assert_array_equal(drawn(view, "fit"), fit.total)
    np.testing.assert_allclose(view.residual_axes.lines[0].get_ydata(), small.counts[5, 6] - fit.total)
    assert f"{small_peaks.position[0, 5, 6]:.2f}" in view.words.text()
    assert "±" in view.words.text()


def test_errors_of_long_numbers_stand_below_them_where_peaks_are_few(small_peaks: PeakMaps) -> None:
    sure = replace(small_peaks, position_error=np.full_like(small_peaks.position_error, 2e-6))
    assert "<br>±0.0000020" in table(sure, (5, 6))
    assert "<br>±" not in table(replace(small_peaks, position_error=np.full_like(small_peaks.position_error, 0.12)), (5, 6))


def test_the_line_marks_the_slider_s_channel(viewer, view: SpectrumView, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    viewer.dims.set_point(0, 243.2)
    assert view.channel.get_xdata()[0] == pytest.approx(243.0)


def test_the_wheel_zooms_about_the_mouse_and_a_right_click_shows_all(viewer, view: SpectrumView, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    at = SimpleNamespace(inaxes=view.axes, xdata=250.0, ydata=0.0, step=3, button=MouseButton.RIGHT, dblclick=False)
    view._on_wheel(at)
    low, high = view.axes.get_xlim()
    assert 200 < low < 250 < high < 300
    assert 250 - low == pytest.approx(high - 250, abs=2)
    for _ in range(20):
        view._on_wheel(at)
    low, high = view.axes.get_xlim()
    assert 6 <= high - low < 20
    view._on_click(at)
    assert view.axes.get_xlim() == (200, 300)
    view._on_wheel(SimpleNamespace(inaxes=view.axes, xdata=250.0, ydata=0.0, step=-3))
    assert view.axes.get_xlim() == (200, 300)


def test_replaced_channels_are_ticked(viewer, view: SpectrumView, small: SpectralMap) -> None:
    spiky = small.counts.copy()
    spiky[5, 6, 70] += 3000
    layer = contents.add(viewer, to_layers(Despike()(replace(small, counts=spiky))))[0]
    hover(viewer, layer, 5, 6)
    assert view.replaced.get_xdata().tolist() == [small.axis.values[70]]
    assert "1 channel replaced" in view.words.text()
    hover(viewer, layer, 5, 7)
    assert not len(view.replaced.get_xdata())
    assert "replaced" not in view.words.text()


class Panels(QWidget):
    """What the view asks of the dock that holds the start peaks."""

    settings_changed = Signal()

    def __init__(self, *peaks: Peak) -> None:
        super().__init__()
        self.peaks, self.added = peaks, []
        self.start_peaks = lambda: self.peaks
        self.add_peak = self.added.append

    def put_start_peaks(self, peaks: tuple[Peak, ...]) -> None:
        self.peaks = peaks

    def settings_of_fit(self) -> tuple[None, None]:
        return None, None


def mouse(view: SpectrumView, x: float, y: float, **more) -> SimpleNamespace:
    pixel = view.axes.transData.transform((x, y))
    return SimpleNamespace(
        inaxes=view.axes, xdata=x, ydata=y, x=pixel[0], y=pixel[1], **{"button": MouseButton.LEFT, "dblclick": False, **more}
    )


def drag(view: SpectrumView, begin: tuple[float, float], end: tuple[float, float]) -> None:
    view._on_enter(mouse(view, *begin))
    view._on_click(mouse(view, *begin))
    view.handles.drag(mouse(view, *end))
    view.handles.release(mouse(view, *end))


def test_start_peaks_are_dragged_in_the_spectrum(viewer, view: SpectrumView, small: SpectralMap) -> None:
    panels = Panels(Peak(name="a", position=230.0, fwhm=8.0, height=500.0, window=(210, 290)))
    viewer.window.add_dock_widget(panels, name="panels")
    contents.add(viewer, to_layers(small))
    view.canvas.draw()
    drag(view, (230.0, 500.0), (250.0, 900.0))
    assert (panels.peaks[0].position, panels.peaks[0].height, panels.peaks[0].fwhm) == (250.0, 900.0, 8.0)
    drag(view, (254.0, 450.0), (256.0, 100.0))
    assert (panels.peaks[0].position, panels.peaks[0].height, panels.peaks[0].fwhm) == (250.0, 900.0, 12.0)
    drag(view, (270.0, 450.0), (280.0, 100.0))  # nothing is there
    assert panels.peaks[0].position == 250.0
    drag(view, (250.0, 900.0), (400.0, 900.0))
    assert panels.peaks[0].position == 290.0  # never out of its window
    view._on_click(mouse(view, 240.0, 100.0, dblclick=True))
    assert panels.added == [240.0]
    view.handles.hide()
    assert not view.handles.starts.peaks


def high(view: SpectrumView, x: float, share: float) -> tuple[float, float]:
    """A place in the spectrum by its height in the axes."""
    bottom, top = view.axes.get_ylim()
    return x, bottom + share * (top - bottom)


def test_windows_and_areas_are_dragged_in_the_spectrum_and_follow_the_fields(
    viewer, view: SpectrumView, panels, settle, small: SpectralMap, one_line
) -> None:
    """The baseline on the raw spectrum is that of numpy: a straight line through the means about the ends of its area."""
    viewer.window.add_dock_widget(panels, name="panels")
    contents.add(viewer, to_layers(small))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    panels.panels[Deconvolve].form.put(one_line)
    panels.panels[Baseline].form.put(Baseline(method=PiecewiseLinear(areas=((205.0, 250.0), (250.0, 295.0)), margin=6.0)))
    view.canvas.draw()
    drag(view, high(view, 210.0, 0.9), high(view, 225.0, 0.2))
    assert [peak.window for peak in panels.start_peaks()] == [(225.0, 290.0)]
    drag(view, high(view, 225.0, 0.9), high(view, 270.0, 0.9))
    assert panels.start_peaks()[0].window == (249.5, 290.0), "no further than the peak"
    drag(view, high(view, 250.0, 0.06), high(view, 270.0, 0.5))
    assert panels.panels[Baseline].form.value().method.areas == ((205.0, 270.0), (270.0, 295.0))
    drag(view, high(view, 205.0, 0.06), high(view, 280.0, 0.06))
    assert panels.panels[Baseline].form.value().method.areas == ((269.0, 270.0), (270.0, 295.0)), "areas stay clear of one another"
    panels.panels[Baseline].form.put(Baseline(method=PiecewiseLinear(areas=((210.0, 290.0),), margin=6.0)))
    x, counts = small.axis.values, small.counts[view.pixel]
    means = [counts[abs(x - end) <= 3.0].mean() for end in (210.0, 290.0)]
    drawn_x, drawn_y = view.handles.ends.artists[1].get_data()
    np.testing.assert_allclose(drawn_y, np.interp(drawn_x, (210.0, 290.0), means), rtol=1e-4)
    assert view.handles.ends.areas.places == [210.0, 290.0], "the fields move the handles"
    view.handles.hide()
    assert not view.handles.ends.windows.spans


def test_a_right_click_on_a_start_peak_removes_it_and_elsewhere_shows_all(viewer, view: SpectrumView, small: SpectralMap) -> None:
    kept = Peak(name="b", position=270.0, fwhm=8.0, height=300.0, window=(210, 290))
    panels = Panels(Peak(name="a", position=230.0, fwhm=8.0, height=500.0, window=(210, 290)), kept)
    viewer.window.add_dock_widget(panels, name="panels")
    contents.add(viewer, to_layers(small))
    view.canvas.draw()
    view._on_enter(mouse(view, 230.0, 500.0))
    view.plot.view = (220.0, 280.0)
    view._on_click(mouse(view, 230.0, 500.0, button=MouseButton.RIGHT))
    assert panels.peaks == (kept,)
    assert view.plot.view == (220.0, 280.0)
    view._on_click(mouse(view, 250.0, 100.0, button=MouseButton.RIGHT))
    assert panels.peaks == (kept,)
    assert view.plot.view is None


def test_the_pixel_is_fitted_as_the_settings_stand(viewer, view: SpectrumView, panels, settle, small, one_line) -> None:
    """Held to a fit by scipy of the same spectrum: a Lorentzian on a straight line."""
    viewer.window.add_dock_widget(panels, name="panels")
    (layer,) = contents.add(viewer, to_layers(small))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    panels.panels[Deconvolve].form.put(one_line)
    panels.panels[Baseline].form.put(Baseline(method=PiecewiseLinear(areas=((205.0, 295.0),))))
    hover(viewer, layer, 5, 6)
    view.preview_tick.setChecked(True)
    settle(lambda: len(view.preview_line.get_xdata()), timeout=60_000)
    x, counts = small.axis.values, small.counts[5, 6]
    inside = (x > 210) & (x < 290)
    wanted, _ = curve_fit(lambda v, p, w, h, a, b: lorentzian(v, p, w, h) + a + b * v, x[inside], counts[inside], (249, 5, 900, 20, 0))
    line = np.asarray(view.preview_line.get_ydata())
    assert x[np.nanargmax(line)] == 250
    fit = lorentzian(x, *wanted[:3]) + wanted[3] + wanted[4] * x
    assert np.nanmax(np.abs(line[inside] - fit[inside])) < 0.02 * wanted[2]
    assert np.isfinite(view.preview_base.get_ydata()).all(), "the baseline is drawn on the raw spectrum"
    assert "Preview" in view.words.text()
    assert f"{wanted[0]:.1f}" in view.words.text()
    assert contents.all_peaks(viewer) == [], "nothing was run"
    hover(viewer, layer, 4, 4)
    assert not len(view.preview_line.get_xdata()), "no fit of another pixel is shown"
    settle(lambda: len(view.preview_line.get_xdata()))
    assert np.isfinite(view.preview_line.get_ydata()).any(), view.words.text()
    view.preview_tick.setChecked(False)
    assert "Preview" not in view.words.text()


def test_a_refusal_that_comes_when_the_map_is_gone_or_nothing_is_asked_is_not_told(viewer, view: SpectrumView, settle, small) -> None:
    contents.add(viewer, to_layers(small))
    view.preview.refused.emit("too late")
    assert "too late" not in view.words.text()
    view.preview_tick.setChecked(True)
    view.preview.refused.emit("in time")
    assert "in time" in view.words.text()
    viewer.layers.clear()
    settle(lambda: view.pixel is None)
    view.preview.refused.emit("too late")
    assert "too late" not in view.words.text()


def test_a_height_left_to_the_data_stays_so_in_a_level_drag(viewer, view: SpectrumView, small: SpectralMap) -> None:
    panels = Panels(Peak(name="a", position=230.0, fwhm=8.0, window=(210, 290)))
    viewer.window.add_dock_widget(panels, name="panels")
    contents.add(viewer, to_layers(small))
    view.canvas.draw()
    seen = float(np.interp(230.0, small.axis.values, small.counts[view.pixel]))
    drag(view, (230.0, seen), (240.0, seen))
    assert (panels.peaks[0].position, panels.peaks[0].height) == (240.0, None)


def test_the_view_follows_the_theme(viewer, view: SpectrumView, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    dark = view.figure.get_facecolor()
    viewer.theme = "light"
    assert sum(view.figure.get_facecolor()[:3]) > 2 > sum(dark[:3])


def pixels_of(view: SpectrumView) -> np.ndarray:
    QApplication.processEvents()
    return np.asarray(view.canvas.buffer_rgba()).copy()


def test_other_limits_are_drawn_without_all_the_rest_and_look_the_same(viewer, view: SpectrumView, small, small_peaks, settle) -> None:
    (layer,) = contents.add(viewer, to_layers(small))
    contents.add(viewer, to_layers(small_peaks))
    bright, dark = (5, 5), (0, 0)
    for pixel in (dark, bright):  # once through, so that the longest numbers have their room
        hover(viewer, layer, *pixel)
        settle()
    drawings: list[object] = []
    view.canvas.mpl_connect("draw_event", drawings.append)
    for pixel in (dark, bright):
        limits = view.axes.get_ylim()
        hover(viewer, layer, *pixel)
        moved = pixels_of(view)
        assert not 0.1 < view.axes.get_ylim()[1] / limits[1] < 10
        assert not drawings, "only curves and scales were drawn"
        view.canvas.draw()
        drawings.clear()
        np.testing.assert_allclose(moved.astype(int), pixels_of(view).astype(int), atol=2)


def test_longer_numbers_do_not_lie_on_the_words_beside_them(viewer, view: SpectrumView, small: SpectralMap, settle) -> None:
    (layer,) = contents.add(viewer, to_layers(replace(small, counts=small.counts * 200)))
    hover(viewer, layer, 5, 5)
    settle()
    numbers = [label.get_window_extent() for label in view.axes.get_yticklabels() if label.get_text()]
    words = view.axes.yaxis.label.get_window_extent()
    assert max(len(label.get_text()) for label in view.axes.get_yticklabels()) >= 6
    assert words.x1 <= min(box.x0 for box in numbers)
    assert words.x0 >= 0


def test_a_closed_dock_lets_go_of_the_viewer(viewer, qtbot, small: SpectralMap) -> None:
    view = SpectrumView(viewer)
    qtbot.addWidget(view)
    (layer,) = contents.add(viewer, to_layers(small))
    view.close()
    view.pixel = None
    hover(viewer, layer, 3, 5)
    viewer.layers.clear()
    assert view.pixel is None
    assert view.follow not in viewer.mouse_move_callbacks


def test_closing_the_dock_in_the_window_lets_go_of_the_viewer(viewer, qtbot) -> None:
    view = SpectrumView(viewer)
    dock = viewer.window.add_dock_widget(view, area="bottom")
    viewer.window.remove_dock_widget(dock)
    assert not viewer.mouse_move_callbacks
    viewer.window.add_dock_widget(view, area="bottom")
    assert viewer.mouse_move_callbacks == [view.follow]


def test_nothing_is_left_of_the_curves_when_the_last_map_is_gone(viewer, view: SpectrumView, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    QApplication.processEvents()
    assert len(np.unique(np.asarray(view.canvas.buffer_rgba()).reshape(-1, 4), axis=0)) > 1
    viewer.layers.clear()
    QApplication.processEvents()
    assert len(np.unique(np.asarray(view.canvas.buffer_rgba()).reshape(-1, 4), axis=0)) == 1


def test_the_slider_s_number_is_the_value_of_the_channel_on_the_canvas(viewer, view: SpectrumView, light: SpectralMap, settle) -> None:
    values = np.linspace(500.0, 1000.0, 61)
    counts = np.broadcast_to(np.arange(61.0), light.counts.shape)
    uneven = ConvertAxis(to="eV", jacobian=False)(SpectralMap.from_arrays(counts, values, AxisKind.WAVELENGTH, frame=light.frame))
    (layer,) = contents.add(viewer, to_layers(uneven))
    exact = uneven.axis.values
    reached = set()
    for step in range(viewer.dims.nsteps[0]):
        viewer.dims.set_current_step(0, step)
        number = viewer.dims.point[0]
        channel = 60 - int(layer.get_value((number, 12.0, 21.0), world=True))
        assert abs(number - exact[channel]) == np.abs(number - exact).min()
        assert view.channel.get_xdata()[0] == exact[channel]
        assert view.channel_value.get_text() == f" {exact[channel]:.6g} eV"
        reached.add(channel)
    assert reached == set(range(61))
    go_to_telling_channel(viewer, layer)
    assert shown_channel(layer, uneven, viewer.dims.point) == telling_channel(uneven)


def test_napari_s_own_contrast_and_copies_work_on_an_uneven_axis(viewer, light: SpectralMap) -> None:
    uneven = ConvertAxis(to="nm")(light)
    (layer,) = contents.add(viewer, to_layers(uneven))
    layer.reset_contrast_limits(mode="data")
    assert layer.contrast_limits == pytest.approx([uneven.counts.min(), uneven.counts.max()])
    copy = viewer.add_layer(layer.__class__.create(*layer.as_layer_data_tuple()))
    np.testing.assert_array_equal(np.asarray(copy.data), np.asarray(layer.data))
