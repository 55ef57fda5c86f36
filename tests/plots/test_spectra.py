"""The spectrum of a pixel: what is measured, fitted, left over, and said."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.plots.spectra import (
    FittedCurves,
    SpectrumPlot,
    brightest_pixel,
    describe,
    draw_spectrum,
    fitted_numbers,
    with_error,
)
from napari_wse2xai.synthetic import SyntheticFlake


@pytest.fixture
def figure() -> Figure:
    made = Figure(figsize=(6, 4))
    FigureCanvasAgg(made)
    return made


def on_flake(peaks: PeakMaps) -> tuple[int, int]:
    whole = np.isfinite(peaks.position).all(axis=0)
    return tuple(int(v[0]) for v in np.nonzero(whole))


def test_the_total_is_background_plus_components(raman_peaks: PeakMaps) -> None:
    row, column = on_flake(raman_peaks)
    fit = FittedCurves.of(raman_peaks, row, column)
    under = raman_peaks.background_at(row, column)
    inside = np.isfinite(under)
    lines = sum(np.nan_to_num(curve - under) for curve in fit.components)
    np.testing.assert_allclose(fit.total[inside], (under + lines)[inside], rtol=1e-9)
    np.testing.assert_array_equal(np.isfinite(fit.total), inside)


def test_a_component_is_the_line_of_its_peak(raman_peaks: PeakMaps) -> None:
    row, column = on_flake(raman_peaks)
    inside = raman_peaks.axis.between(*raman_peaks.windows[3])
    expected = lorentzian(raman_peaks.axis.values[inside], *raman_peaks.parameters(row, column)[3])
    drawn = FittedCurves.of(raman_peaks, row, column).components[3] - raman_peaks.background_at(row, column)
    np.testing.assert_allclose(drawn[inside], expected, rtol=1e-9, atol=1e-9)


def test_an_absent_peak_has_no_component(raman_peaks: PeakMaps) -> None:
    row, column = on_flake(raman_peaks)
    position = raman_peaks.position.copy()
    position[2, row, column] = np.nan
    fit = FittedCurves.of(replace(raman_peaks, position=position), row, column)
    assert np.isnan(fit.components[2]).all()
    assert np.isfinite(fit.components[3]).any()


def test_the_fit_explains_the_measured_spectrum(clean_raman: SpectralMap, raman_peaks: PeakMaps) -> None:
    row, column = brightest_pixel(clean_raman, raman_peaks)
    total = FittedCurves.of(raman_peaks, row, column).total
    inside = np.isfinite(total)
    counts = clean_raman.counts[row, column].astype(float)
    assert np.std((counts - total)[inside]) < 0.2 * np.std(counts[inside])


def test_the_drawing_holds_measurement_fit_components_and_residual(figure: Figure, clean_raman: SpectralMap, raman_peaks: PeakMaps) -> None:
    upper, lower = figure.subplots(2)
    row, column = brightest_pixel(clean_raman, raman_peaks)
    draw_spectrum(upper, clean_raman, row, column, raman_peaks, lower)
    curves = {line.get_label(): line for line in upper.lines}
    np.testing.assert_array_equal(curves["measured"].get_ydata(), clean_raman.counts[row, column])
    assert len(upper.lines) == 3 + len(raman_peaks.names)
    residual = lower.lines[0].get_ydata()
    expected = clean_raman.counts[row, column] - FittedCurves.of(raman_peaks, row, column).total
    np.testing.assert_allclose(residual, expected)
    assert lower.get_xlabel() == "Raman shift (cm⁻¹)"
    assert upper.get_ylabel() == "counts"


def test_moving_off_the_flake_takes_the_fit_away(figure: Figure, clean_raman: SpectralMap, raman_peaks: PeakMaps) -> None:
    plot = SpectrumPlot(*figure.subplots(2))
    plot.show(clean_raman, *brightest_pixel(clean_raman, raman_peaks), raman_peaks)
    plot.show(clean_raman, 0, 0, raman_peaks)
    visible = [line for line in plot.axes.lines if line.get_visible() and np.isfinite(line.get_ydata()).any()]
    assert [line.get_label() for line in visible] == ["measured"]


def test_neighbouring_pixels_do_not_move_the_axes(figure: Figure, clean_raman: SpectralMap, raman_peaks: PeakMaps) -> None:
    plot = SpectrumPlot(*figure.subplots(2))
    row, column = brightest_pixel(clean_raman, raman_peaks)
    assert plot.show(clean_raman, row, column, raman_peaks)
    assert not plot.show(clean_raman, row, column, raman_peaks)
    assert not plot.clear()
    assert not any(
        len(line.get_xdata()) for line in (*plot.axes.lines, *plot.residual_axes.lines) if line.get_label() in ("measured", "fit")
    )


def test_a_pixel_of_nan_draws_nothing_and_does_not_fail(figure: Figure, clean_raman: SpectralMap) -> None:
    counts = clean_raman.counts.copy()
    counts[3, 4] = np.nan
    plot = SpectrumPlot(figure.subplots())
    plot.show(replace(clean_raman, counts=counts), 3, 4)
    figure.canvas.draw()


def test_the_brightest_pixel_lies_on_the_flake(clean_raman: SpectralMap, raman_peaks: PeakMaps) -> None:
    for peaks in (None, raman_peaks):
        assert clean_raman.flake is not None
        assert clean_raman.flake[brightest_pixel(clean_raman, peaks)]


def test_the_brightest_pixel_is_deaf_to_a_cosmic_ray(clean_raman: SpectralMap) -> None:
    counts = clean_raman.counts.copy()
    counts[0, 0, 100] = 1e6
    assert brightest_pixel(replace(clean_raman, counts=counts, flake=None)) != (0, 0)


def test_the_words_give_pixel_place_and_status(clean_raman: SpectralMap, raman_peaks: PeakMaps) -> None:
    words = describe(clean_raman, 0, 2, raman_peaks)
    y, x = clean_raman.frame.y_um[0], clean_raman.frame.x_um[2]
    assert words == f"row 0, column 2  x {x:.2f} µm, y {y:.2f} µm  fit: not on flake"


def test_the_words_give_the_pixel_s_own_misfit(clean_raman: SpectralMap, raman_peaks: PeakMaps) -> None:
    ny, nx = raman_peaks.frame.shape
    numbered = replace(raman_peaks, reduced_chi2=np.arange(ny * nx, dtype=np.float32).reshape(ny, nx))
    assert describe(clean_raman, 2, 5, numbered).endswith(f"reduced χ² {2 * nx + 5}.00")


def test_all_of_a_curve_lies_within_its_axes_with_more_room_above(figure: Figure, clean_raman: SpectralMap) -> None:
    plot = SpectrumPlot(figure.subplots())
    row, column = brightest_pixel(clean_raman)
    plot.show(clean_raman, row, column)
    shown = clean_raman.counts[row, column]
    (bottom, top), span = plot.axes.get_ylim(), float(np.ptp(shown))
    assert shown.min() - 0.1 * span < bottom < shown.min() and shown.max() + 0.2 * span < top < shown.max() + 0.3 * span


def test_the_numbers_are_those_of_the_maps(raman_peaks: PeakMaps) -> None:
    row, column = on_flake(raman_peaks)
    name, position, _, height = fitted_numbers(raman_peaks, row, column)[3]
    assert name == raman_peaks.names[3]
    assert float(position.split(" ± ")[0]) == pytest.approx(raman_peaks.position[3, row, column], abs=0.05)
    assert float(height.split(" ± ")[1]) == pytest.approx(raman_peaks.height_error[3, row, column], rel=0.1)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (249.8312, 0.0123, "249.831 ± 0.012"),
        (1520.4, 31.2, "1520 ± 31"),
        (np.nan, 1.0, "absent"),
        (5.25, np.nan, "5.25"),
        (5.25, 0.0, "5.25"),
    ],
)
def test_a_value_is_given_to_the_second_digit_of_its_error(value: float, error: float, words: str) -> None:
    assert with_error(value, error) == words


def test_the_brightest_pixel_is_where_the_line_is_highest_before_anything_was_done(triangle: SyntheticFlake) -> None:
    heights = triangle.truth.raman.height[list(triangle.truth.raman.names).index("A1'")]
    pixel = brightest_pixel(triangle.raman)
    assert heights[pixel] > np.nanquantile(heights, 0.98)


def test_a_cosmic_ray_does_not_dwarf_the_lines_and_is_told(figure: Figure, clean_raman: SpectralMap) -> None:
    row, column = brightest_pixel(clean_raman)
    counts = clean_raman.counts.copy()
    counts[row, column, 700:702] += 1e5
    plot = SpectrumPlot(figure.subplots())
    plot.show(replace(clean_raman, counts=counts), row, column)
    assert plot.axes.get_ylim()[1] < 1.5 * clean_raman.counts[row, column].max()
    bare = SpectrumPlot(Figure().subplots())
    bare.show(clean_raman, row, column)
    assert plot.axes.get_ylim() == pytest.approx(bare.axes.get_ylim(), rel=0.05), "those of the same pixel without the ray"
    assert [text.get_text() for text in plot.axes.texts if "cosmic ray, 100" in text.get_text()]
    plot.show(clean_raman, row, column)
    assert not [text for text in plot.axes.texts if text.get_text()]


def test_a_sharp_line_that_neighbours_show_is_no_cosmic_ray(figure: Figure, clean_raman: SpectralMap) -> None:
    row, column = brightest_pixel(clean_raman)
    counts = clean_raman.counts.copy()
    counts[..., 700:702] += 1e5
    plot = SpectrumPlot(figure.subplots())
    plot.show(replace(clean_raman, counts=counts), row, column)
    assert plot.axes.get_ylim()[1] > 1e5


def test_a_part_of_the_axis_is_drawn_with_its_own_height(figure: Figure, clean_raman: SpectralMap) -> None:
    row, column = brightest_pixel(clean_raman)
    plot = SpectrumPlot(*figure.subplots(2))
    plot.show(clean_raman, row, column)
    whole = plot.axes.get_ylim()
    plot.view = (340.0, 410.0)
    assert plot.show(clean_raman, row, column)
    low, high = plot.axes.get_xlim()
    assert 340 <= low < high <= 410
    assert plot.axes.get_ylim()[1] < 0.5 * whole[1]
    first, second = clean_raman.axis.values[40:42]
    plot.view = (first, second)
    assert plot.show(clean_raman, row, column)
    assert plot.axes.get_xlim() == (first, second)
    plot.view = (1e4, 2e4)  # nothing of this axis
    plot.show(clean_raman, row, column)
    assert plot.axes.get_xlim() == pytest.approx(clean_raman.axis.span)


def test_every_curve_is_moved_to_the_pixel_and_the_axes_with_it(figure: Figure, clean_raman: SpectralMap, raman_peaks: PeakMaps) -> None:
    axes, below = figure.subplots(2)
    plot = SpectrumPlot(axes, below)
    bright, x = on_flake(raman_peaks), clean_raman.axis.values
    plot.show(clean_raman, *bright, raman_peaks)
    fit = FittedCurves.of(raman_peaks, *bright)
    shown = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == len(x)]
    for curve in (clean_raman.counts[bright], fit.total, fit.background):
        assert any(np.allclose(curve, each, equal_nan=True) for each in shown)
    lines = [line.get_ydata() for line in axes.lines if line.get_visible() and 0 < len(line.get_xdata()) < len(x)]
    for curve in fit.components:
        assert any(np.array_equal(curve[np.isfinite(curve)], each) for each in lines)
    assert axes.get_xlim() == below.get_xlim() == (x[0], x[-1])
    left = np.asarray(next(line.get_ydata() for line in below.lines if len(line.get_xdata()) == len(x)))
    np.testing.assert_allclose(left, clean_raman.counts[bright] - fit.total)
    dim = replace(clean_raman, counts=np.asarray(clean_raman.counts) / 4 + 1000)
    plot.show(dim, *bright)
    assert axes.get_ylim()[0] > 900, "a curve that fills less than a third of its axes gets others"
    assert np.isnan([line.get_ydata() for line in axes.lines if line.get_visible() and len(line.get_xdata()) == len(x)][1:]).all()


def test_without_a_residual_every_artist_is_one_that_is_drawn(figure: Figure) -> None:
    assert all(each.axes is not None for each in SpectrumPlot(figure.subplots()).artists)
    assert all(each.axes is not None for each in SpectrumPlot(*figure.subplots(2)).artists)


def test_what_is_brighter_beside_the_flake_is_not_the_brightest_pixel(clean_raman: SpectralMap) -> None:
    bright = brightest_pixel(clean_raman)
    without = clean_raman.flake.copy()
    without[bright] = False
    second = brightest_pixel(replace(clean_raman, flake=without))
    assert second != bright and without[second]


def test_axes_stay_as_they_are_while_a_curve_fills_a_third_of_them(figure: Figure, clean_raman: SpectralMap) -> None:
    plot, counts = SpectrumPlot(figure.subplots()), np.asarray(clean_raman.counts) - float(np.min(clean_raman.counts))
    bright, limits = brightest_pixel(clean_raman), []
    for share in (1.0, 0.6, 0.2):
        plot.show(replace(clean_raman, counts=5e4 + share * counts), *bright)
        limits.append(plot.axes.get_ylim())
    assert limits[0] == limits[1] and np.ptp(limits[2]) < 0.35 * np.ptp(limits[1])
