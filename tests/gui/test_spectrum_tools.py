"""Pins, the mean of a region, a band's light, the unit, and PL beside RS: each drawn as numpy and a formula say."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari import Viewer

from napari_wse2xai.data import AxisKind, Pairable, SpectralMap
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.gui.maps.band_map import ABOVE, SUM, band_map
from napari_wse2xai.gui.maps.region_mean import FLAKE, mean_and_spread
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Deconvolve, FindFlake, Pair, Peak
from napari_wse2xai.stages.pair import GivenTransform


@pytest.fixture
def view(viewer: Viewer) -> SpectrumView:
    made = SpectrumView(viewer)
    yield made
    made.close()


def mouse(view: SpectrumView, x: float, *, button: int = 1) -> SimpleNamespace:
    """What matplotlib tells of the mouse at a place of the axis."""
    place = view.axes.transData.transform((x, 100.0))
    return SimpleNamespace(inaxes=view.axes, xdata=x, ydata=100.0, x=place[0], y=place[1], button=button, dblclick=False)


def click(viewer: Viewer, layer, pixel, *, modifiers=("Shift",)) -> None:
    """Press and release over a pixel, as napari's generators get it."""
    point = np.array(viewer.dims.point, dtype=float)
    point[-2:] = layer.data_to_world((0, *pixel))[-2:]
    event = SimpleNamespace(button=1, pos=(5, 5), position=tuple(point), modifiers=modifiers, type="mouse_press")
    for callback in viewer.mouse_drag_callbacks:
        list(callback(viewer, event) if not (event.__setattr__("type", "mouse_release")) else ())


def test_pinned_pixels_stay_in_their_colour_on_map_and_spectrum(viewer, view: SpectrumView, small: SpectralMap):
    (layer,) = contents.add(viewer, to_layers(small))
    click(viewer, layer, (4, 5), modifiers=())
    assert not view.tools.pins.pixels, "a plain click pins nothing unless it was asked for"
    for pixel in ((4, 5), (6, 9)):
        click(viewer, layer, pixel)
    colours = view.tools.pins.pixels
    assert list(colours) == [(4, 5), (6, 9)]
    lines = {line.get_color(): line.get_ydata() for line in view.axes.lines if line.get_color() in colours.values()}
    for pixel, colour in colours.items():
        np.testing.assert_array_equal(lines[colour], small.counts[pixel])
        assert colour in view.words.text()
    marks = viewer.layers["pinned pixels"]
    assert marks.data.tolist() == [[4, 5], [6, 9]]
    assert viewer.layers.selection.active is layer
    top = view.axes.get_ylim()[1]
    view.show_pixel((0, 0))
    assert view.axes.get_ylim()[1] == top > small.counts[6, 9].max(), "the axes hold the pinned spectra where the mouse is off the flake"
    click(viewer, layer, (4, 5))
    assert list(view.tools.pins.pixels) == [(6, 9)]
    view.tools.unpin.click()
    assert "pinned pixels" not in viewer.layers


def test_mean_and_spread_are_those_of_numpy(viewer, view: SpectrumView, small: SpectralMap, settle):
    mask = np.zeros(small.frame.shape, bool)
    mask[3:6, 4:9] = True
    mean, spread, count = mean_and_spread(small, mask)
    np.testing.assert_allclose(mean, small.counts[mask].mean(axis=0, dtype=float), rtol=1e-9)
    np.testing.assert_allclose(spread, small.counts[mask].std(axis=0, ddof=1, dtype=float), rtol=1e-6)
    assert count == 15
    found = FindFlake(window=(240, 260))(small)
    (layer, *_) = contents.add(viewer, to_layers(found))
    view.tools.mean.setCurrentText(FLAKE)
    settle(lambda: view.tools.mean.curves is not None)
    np.testing.assert_allclose(view.tools.mean.curves[0], found.counts[found.flake].mean(axis=0, dtype=float), rtol=1e-9)
    assert f"{int(found.flake.sum())} pixels" in view.words.text()
    corners = [(2.6, 3.6), (2.6, 8.4), (5.4, 8.4), (5.4, 3.6)]
    shapes = viewer.add_shapes([corners], name="drawn", scale=layer.scale[1:], translate=layer.translate[1:])
    labels = viewer.add_labels(mask.astype(np.uint8) * 3, name="painted", scale=layer.scale[1:], translate=layer.translate[1:])
    for region in (shapes, labels):
        view.tools.mean.setCurrentText(region.name)
        settle(lambda: view.tools.mean.curves is not None and view.tools.mean.curves[2] == 15)
        np.testing.assert_allclose(view.tools.mean.curves[0], mean, rtol=1e-9)


def test_the_light_of_a_band_is_the_integral_of_the_line_above_its_ends(viewer, view: SpectrumView, small: SpectralMap, settle):
    x, y = small.axis.values, small.counts[5, 6].astype(float)
    inside = (x >= 240) & (x <= 260)
    np.testing.assert_allclose(band_map(small, 240, 260, above=False)[5, 6], np.trapezoid(y[inside], x[inside]), rtol=1e-5)
    line = SpectralMap.from_arrays(np.broadcast_to(3 * x + 7, (2, 3, len(x))).copy(), x, AxisKind.RAMAN_SHIFT)
    assert np.abs(band_map(line, 240, 260, above=True)).max() < 1e-2 * band_map(line, 240, 260, above=False).max()
    (layer,) = contents.add(viewer, to_layers(small))
    view.tools.band.setCurrentText(ABOVE)
    view._on_click(mouse(view, 240.0))
    view._on_drag(mouse(view, 250.0))
    view._on_drag(mouse(view, 260.0))
    view._on_release(mouse(view, 260.0))
    assert view.tools.band.ends == pytest.approx((240.0, 260.0))
    settle(lambda: any("above the ends of 240 to 260" in one.name for one in viewer.layers))
    shown = next(one for one in viewer.layers if "above the ends" in one.name)
    np.testing.assert_allclose(shown.data, band_map(small, 240, 260, above=True), rtol=1e-6)
    assert shown.data.shape == small.frame.shape
    assert tuple(shown.scale) == pytest.approx(tuple(layer.scale[1:]))
    assert contents.map_of(contents.current(viewer).layer) is small
    view._on_click(mouse(view, 260.0))
    view._on_drag(mouse(view, 270.0))
    view._on_release(mouse(view, 270.0))
    assert view.tools.band.ends == pytest.approx((240.0, 270.0)), "an edge that is dragged leaves the other where it is"
    view.tools.band.setCurrentText(SUM)
    settle(lambda: any("from 240 to 270" in one.name for one in viewer.layers))
    view.tools.band.setCurrentIndex(0)
    assert [one.name for one in viewer.layers] == [layer.name]


def test_the_axis_is_labelled_in_another_unit_and_nothing_moves(viewer, view: SpectrumView, small: SpectralMap):
    contents.add(viewer, to_layers(small))
    before = view.axes.get_xlim()
    names = [view.tools.unit.itemText(index) for index in range(view.tools.unit.count())]
    assert names == ["cm⁻¹", "nm", "eV"]
    view.tools.unit.setCurrentIndex(1)
    assert view.axes.get_xlim() == before
    assert "wavelength" in view.residual_axes.get_xlabel()
    view.figure.canvas.draw()
    ticks = [one for one in view.axes.get_xticks() if before[0] <= one <= before[1]]
    written = [float(view.axes.xaxis.get_major_formatter()(one, 0)) for one in ticks]
    assert len(ticks) > 2
    for place, nm in zip(ticks, written, strict=True):
        assert nm == pytest.approx(1 / (1 / 532.0 - place * 1e-7), abs=1e-3)
        assert round(nm * 100) == pytest.approx(nm * 100, abs=1e-3), "ticks stand at round numbers"
    view.tools.unit.setCurrentIndex(0)
    assert "Raman shift" in view.residual_axes.get_xlabel()


def test_pl_of_the_same_place_stands_beside_rs_once_they_are_paired(viewer, view: SpectrumView, small, light, small_peaks):
    pl_fit = Deconvolve(peaks=(Peak(name="A", position=1.65, fwhm=0.05, window=(1.52, 1.78)),))(light)
    contents.add(viewer, to_layers(light))
    (layer,) = contents.add(viewer, to_layers(small))
    known = contents.session(viewer)
    known.add(pl_fit, small_peaks)
    assert view.beside.counterpart is None
    with pytest.warns(DataWarning, match="may miss its place"):
        pair = Pair(method=GivenTransform(offset_um=(0.5, 0.25)))(Pairable(small_peaks, pl_fit))
    known.add(pair)
    assert view.beside.axes.get_visible()
    view.show_pixel((6, 8))
    shift = (6 - 1, 8 - 1)  # a row is 0.5 um, a column 0.25 um
    measured = next(line for line in view.beside.axes.lines if line.get_label() == "measured").get_ydata()
    np.testing.assert_array_equal(measured, light.counts[shift])
    assert "row 5, column 7" in view.words.text()
    viewer.layers.selection.active = viewer.layers[0]
    assert view.source.axis.kind is AxisKind.ENERGY
    view.show_pixel(shift)
    measured = next(line for line in view.beside.axes.lines if line.get_label() == "measured").get_ydata()
    np.testing.assert_array_equal(measured, small.counts[6, 8])
    own, _, other = view.words.text().partition("<br><b>RS</b> ")
    assert own.startswith("<b>PL</b> row 5, column 7")
    assert other.startswith("row 6, column 8")
    view.show_pixel((11, 15))
    assert "not measured there" in view.words.text()
    assert layer in viewer.layers
