"""Figures that no report of a run holds, beside what a person has read of them."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from as_text import figure_text, require_as_read
from learned import A_HEIGHT, make_explanation, make_model, make_samples
from napari_wse2xai.data import AxisKind, Components, Frame, Level, Pairable, PeakMaps, SpectralAxis, SpectralMap, Transform
from napari_wse2xai.data.candidate import Candidate
from napari_wse2xai.data.map_values import MapValues
from napari_wse2xai.data.pooled import FlakeValue, OfFlake, Pool
from napari_wse2xai.numerics.over_flakes import OverFlakes
from napari_wse2xai.numerics.profiles import Profile
from napari_wse2xai.plots import cloud, maps, over_flakes, pairing, pooled, side_by_side, spectra, training
from napari_wse2xai.plots.ice import CurvePlot
from napari_wse2xai.plots.judged import stamp
from napari_wse2xai.report import _figures

LINE = Frame((1, 6), (1.0, 0.5))
AXIS = SpectralAxis(np.linspace(100.0, 200.0, 21), AxisKind.RAMAN_SHIFT)
X = MapValues("A1'.position", "cm-1", np.zeros((1, 1)))
Y = MapValues("A exciton.height", "counts", np.zeros((1, 1)))


def peaks(frame: Frame, scale: float = 1.0) -> PeakMaps:
    """Two lines whose every parameter rises from pixel to pixel."""
    rise = np.arange(frame.n_pixels, dtype=np.float32).reshape(frame.shape)
    values = {name: scale * np.stack([start + rise, 2 * start + rise]) for name, start in (("position", 120), ("fwhm", 5), ("height", 900))}
    errors = {f"{name}_error": 0.1 * value for name, value in values.items()}
    status = (np.arange(frame.n_pixels).reshape(frame.shape) % 3).astype(np.uint8)
    rest = {"status": status, "reduced_chi2": 1 + rise}
    return PeakMaps(frame, AXIS, ("A1'", "E'"), ("lorentzian",) * 2, ((100.0, 200.0),) * 2, **values, **errors, **rest)


def drawn(draw, *arguments, axes: int = 1, **options) -> str:
    figure = Figure()
    where = figure.subplots(1, axes, squeeze=False)[0]
    draw(where[0] if axes == 1 else where, *arguments, **options)
    return figure_text(figure)


def test_along_a_line_a_map_is_a_curve_and_kinds_a_strip() -> None:
    flake = np.array([[False, True, True, True, False, False]])
    given = peaks(LINE)
    told = [drawn(maps.draw_parameter, given, 1, name, flake=flake) for name in ("position", "height")]
    told += [drawn(maps.draw_status, given), drawn(maps.draw_values, LINE, given.height[0], title="t", unit="counts", flake=flake)]
    require_as_read("lines", "\n".join(told))


def test_components_and_groups_are_as_they_were_read() -> None:
    frame, spectra = Frame((2, 3), (1.0, 1.0)), np.stack([np.sin(AXIS.values / 9), np.cos(AXIS.values / 9)])
    rest = {"name": "map", "axis": AXIS, "intensity_unit": "counts"}
    share = np.arange(12.0).reshape(2, 2, 3)
    parts = Components(
        frame=frame, names=("one", "two"), spectra=spectra, method="PCA", explained=np.array([0.8, 0.15]), share=share,
        share_error=0.1 * share, mean=spectra[0], **rest,
    )  # fmt: skip
    three = replace(
        parts, names=("one", "two", "three"), spectra=spectra[[0, 1, 1]], explained=np.array([0.5, 0.3, 0.1]), mean=None,
        share=share[[0, 1, 1]], share_error=share[[0, 1, 1]],
    )  # fmt: skip
    groups = replace(parts, share=None, mean=None, group=np.array([[0, 1, 1], [2, 2, 1]], dtype=np.uint8), spread=0.1 * np.abs(spectra))
    told = [figure_text(_figures._components(each)) for each in (parts, three, groups)]
    require_as_read("components", "\n".join(told))


def test_clouds_histograms_and_profiles_are_as_they_were_read() -> None:
    figure = Figure()
    plot = cloud.CloudPlot(figure.subplots())
    x = np.linspace(-1.0, 3.0, 50)
    plot.show(x, x**2, X, Y)
    plot.light(x > 2)
    profile = Profile(np.array([0.5, 1.5]), np.array([3.0, 5.0]), np.array([0.1, 0.2]), np.array([9, 9]))
    many = Figure()
    dense = cloud.CloudPlot(many.subplots())
    dense.show(np.tile(x, 70), np.repeat(x[:35], 100), X, Y)
    dense.light(np.tile(x, 70) > 2)
    told = [figure_text(figure), figure_text(many), drawn(cloud.draw_histogram, x, Y, x > 2)]
    told.append(drawn(cloud.draw_profiles, "distance (µm)", [(X, profile), (Y, profile)]))
    require_as_read("clouds", "\n".join(told))


def test_figures_over_flakes_are_as_they_were_read() -> None:
    def flake(condition: str, median: float, at: float | None = None) -> OfFlake:
        value = FlakeValue("pl", "X", "height", "counts", "", 400, median, 0.95 * median, 1.05 * median, 0.1)
        return OfFlake(f"{condition} {median:.3f}", condition, at, value)

    medians = {"few": (3.0, 5.0), "many": (1.0, 2.0, 4.0, 8.0, 16.0), "one": (6.0,)}
    conditions = Pool(tuple(flake(condition, each) for condition, several in medians.items() for each in several))
    powers = Pool(tuple(flake("grown", 30 * x**1.7, x) for x in (1.0, 2.0, 5.0, 10.0, 30.0)))
    effect = np.array([[0.5, -0.2, 0.05], [0.7, -0.1, 0.02]])
    found = OverFlakes.of(["A1'.height", "E'.position", "E'.fwhm"], effect, 0.1 * np.abs(effect) + 0.01)
    told = [drawn(pooled.draw_by_condition, conditions), drawn(pooled.draw_along, powers, "power (mW)")]
    told.append(drawn(over_flakes.draw_over_flakes, found))
    require_as_read("over_flakes", "\n".join(told))


def test_placings_and_scatters_of_several_networks_are_as_they_were_read() -> None:
    frame = Frame((6, 8), (0.5, 0.5), (1.0, -2.0))
    moved = Candidate(Transform.similarity(rotation_deg=90.0, shift_um=(1.0, 2.0)), (1.0, 2.0), 0.876, 1.0)
    told = [drawn(pairing.draw_candidate, Pairable(peaks(frame), peaks(frame, 2.0)), moved, 2)]
    figure = Figure()
    training.draw_scatter_grid(
        figure, {("convolution", "on"): make_model(), ("residual", "off"): make_model(make_samples(seed=1))}, "height"
    )
    require_as_read("placings", "\n".join([*told, figure_text(figure)]))


def test_figures_that_a_window_moves_are_as_they_were_read() -> None:
    """Curves of one parameter, plain and centred, some beyond the data; maps of another parameter; a stamp."""
    made = make_explanation(level=Level.LOCAL_ONLY)
    supported = np.ones_like(made.supported)
    supported[A_HEIGHT, [0, 1, -1]] = False
    figure = Figure()
    plots = [CurvePlot(axes, replace(made, supported=supported)) for axes in figure.subplots(1, 2)]
    for plot, centred in zip(plots, (False, True), strict=True):
        plot.show(A_HEIGHT, centred=centred)
    across = Figure(figsize=(9, 3))
    beside = side_by_side.ThreeMaps(across.subplots(1, 3), made)
    beside.show(A_HEIGHT)
    beside.show(0)
    stamp(across, "LOCAL ONLY")
    require_as_read("moved", figure_text(figure) + figure_text(across))


def test_spectra_are_as_they_were_read() -> None:
    """A pixel with its fit, one with a cosmic ray and none, in part and with a further curve; what is said of them."""
    frame, x = Frame((1, 2), (1.0, 0.5)), AXIS.values
    counts = np.stack([900 * np.exp(-(((x - 120) / 5) ** 2)), 20 + np.sin(x)]).astype(np.float32)[None]
    counts[0, 1, 12] = 5000.0
    counts[0, 0, 20] = np.nan
    source = SpectralMap(frame, AXIS, counts)
    given = peaks(frame)
    figure = Figure()
    fitted, rest, ray = figure.subplots(3, 1)
    spectra.draw_spectrum(fitted, source, 0, 0, given, rest).set_color("#eeeeee")
    plot = spectra.SpectrumPlot(ray)
    plot.view, plot.label, plot.also = (110.0, 180.0), "shift", np.full((1, len(x)), 70.0)
    plot.show(source, 0, 1)
    said = [spectra.describe(source, 0, 1), spectra.describe(source, 0, 1, given), *map(" | ".join, spectra.fitted_numbers(given, 0, 1))]
    require_as_read("spectra", "\n".join([figure_text(figure), *said, ""]))
