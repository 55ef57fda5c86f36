"""Maps lie where the frame says, and show what is there."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from napari_wse2xai.data import Direction, Frame, PeakMaps, SpectralAxis, Status
from napari_wse2xai.data.axis import AxisKind
from napari_wse2xai.plots import grid, maps
from napari_wse2xai.plots.plain_text import PlainFigure

FRAME = Frame((3, 4), (2.0, 0.5), (10.0, -1.0))
Y_UP = Frame((3, 4), (-2.0, 0.5), (10.0, -1.0))
LINE = Frame((5, 1), (0.5, 1.0))


def peak_maps(frame, count=2, fill=1.0):
    shape = (count, *frame.shape)
    values = {name: np.full(shape, fill, np.float32) for name in ("position", "fwhm", "height")}
    errors = {f"{name}_error": np.full(shape, 0.1, np.float32) for name in values}
    axis = SpectralAxis(np.linspace(0, 9, 10), AxisKind.RAMAN_SHIFT)
    names, shapes = tuple("ABC"[:count]), ("lorentzian",) * count
    status = np.zeros(frame.shape, np.uint8)
    return PeakMaps(
        frame, axis, names, shapes, ((0.0, 9.0),) * count, **values, **errors, status=status, reduced_chi2=np.ones(frame.shape, np.float32)
    )


@pytest.mark.parametrize(("frame", "expected"), [(FRAME, (-1.25, 0.75, 15.0, 9.0)), (Y_UP, (-1.25, 0.75, 5.0, 11.0))])
def test_row_0_is_at_the_top_and_edges_are_half_a_step_outside(frame, expected):
    assert grid.extent_um(frame) == expected


def test_a_map_leaves_nan_blank_and_keeps_proportions():
    axes = Figure().subplots()
    values = np.arange(12.0).reshape(3, 4)
    values[1, 2] = np.nan
    image = maps.draw_map(axes, FRAME, values, title="t", unit="cm-1")
    assert image.get_array().mask.sum() == 1
    assert image.get_array().mask[1, 2]
    assert axes.get_aspect() == 1.0
    assert image.colorbar.ax.get_ylabel() == "cm⁻¹"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x (µm)", "y (µm)")


@pytest.mark.parametrize("frame", [FRAME, Y_UP])
def test_the_outline_goes_round_the_pixels(frame):
    flake = np.zeros(frame.shape, bool)
    flake[1, 2] = True
    segments = maps.outline_segments(frame, flake)
    assert len(segments) == 4
    x, y = frame.x_um[2], frame.y_um[1]
    assert (segments[..., 0].min(), segments[..., 0].max()) == (x - 0.25, x + 0.25)
    assert (segments[..., 1].min(), segments[..., 1].max()) == (y - 1, y + 1)


def test_a_flake_up_to_the_edge_of_the_scan_is_closed():
    assert len(maps.outline_segments(FRAME, np.ones(FRAME.shape, bool))) == 2 * (3 + 4)


def test_limits_are_deaf_to_outliers_and_centred_for_positions():
    assert maps.limits(np.linspace(0, 100, 1001)) == pytest.approx((2, 98))
    values = np.concatenate([np.linspace(10, 11, 999), [1e6]])
    low, high = maps.limits(values)
    assert 10 <= low < high <= 11
    low, high = maps.limits(values, parameter="position")
    assert (low + high) / 2 == pytest.approx(np.median(values))


@pytest.mark.parametrize(("values", "expected"), [(np.full(5, np.nan), (0.0, 1.0)), (np.full(5, 3.0), (2.5, 3.5))])
def test_limits_exist_without_spread(values, expected):
    assert maps.limits(values) == expected


def test_limits_of_numbers_of_channels_start_at_none():
    assert maps.limits(np.array([0, 0, 7]), parameter="count") == (0.0, 7.0)


def test_a_line_scan_becomes_a_curve_with_errors_and_shaded_flake():
    axes = Figure().subplots()
    maps.draw_parameter(axes, peak_maps(LINE), 0, "position", flake=np.array([[0], [1], [1], [0], [0]], bool))
    assert not axes.images
    assert axes.get_xlabel() == "y (µm)"
    assert len(axes.patches) == 2
    assert len(axes.containers) == 1


def test_a_panel_has_a_map_for_every_peak_and_hides_the_rest():
    figure = Figure()
    maps.panel(figure, peak_maps(FRAME), "height", columns=3)
    assert [axes.axison for axes in figure.axes[:3]] == [True, True, False]
    assert figure.axes[0].get_title() == "A height"


def test_a_peak_that_no_fit_has_is_no_picture_of_zeros():
    figure, peaks = Figure(), peak_maps(FRAME, count=3)
    peaks.height[1] = 0
    maps.panel(figure, peaks, "height", columns=2)
    assert [axes.get_title() for axes in figure.axes if axes.axison and axes.get_title()] == ["A height", "C height"]


@pytest.mark.parametrize("frame", [FRAME, LINE])
def test_the_status_legend_names_what_occurs(frame):
    peaks = peak_maps(frame)
    peaks.status[0, 0] = Status.AT_BOUND
    axes = Figure().subplots()
    maps.draw_status(axes, peaks)
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == [f"ok ({frame.n_pixels - 1})", "parameter at its bound (1)"]


@pytest.mark.parametrize("step", [0.11, 0.23, 0.39, 0.4, 0.42, 1.3])
@pytest.mark.parametrize(("shape", "origin"), [((38, 40), (66.0, 1757.0)), ((21, 34), (-3.3, 0.0))])
def test_words_beside_maps_lie_on_nothing(shape, origin, step):
    """Laid out as for the report: names of axes and units inside the picture, and off one another's numbers."""
    peaks = peak_maps(Frame(shape, (step, step), origin), count=3)
    peaks.position[:] = 384.5 + np.linspace(-0.7, 0.8, shape[0] * shape[1]).reshape(shape)
    figure = PlainFigure(figsize=(10.2, 3.0), layout="constrained")
    maps.panel(figure, peaks, "position", columns=3)
    figure.settle(dpi=140)
    figure.draw(figure.canvas.get_renderer())
    sides = [axes.yaxis.get_tightbbox().extents for axes in figure.findobj(Axes) if axes.get_visible()]  # their numbers and names
    left, _, right, _ = np.array(sorted(sides, key=lambda side: side[0])).T
    assert len(left) == 6, "three maps and their colour bars"
    assert left[0] >= 0
    assert right[-1] <= figure.bbox.width
    assert (right[:-1] <= left[1:] + 1).all()


def test_a_picture_has_the_proportions_of_the_scan_and_a_series_those_of_a_screen():
    assert grid.proportions(Frame((20, 10), (0.5, 0.25))) == 10 / 2.5
    assert grid.aspect(Frame((20, 10), (0.5, 0.25))) == "equal"
    series = Frame((1, 10), (1.0, 2.0), directions=(Direction("y"), Direction("temperature", "K")))
    assert (grid.proportions(series), grid.aspect(series)) == (0.75, "auto")


@pytest.mark.parametrize("turned", [1, -1])
def test_limits_of_positions_hold_the_longer_tail(turned):
    values = 250 + turned * np.concatenate([np.linspace(0, 1, 900), np.linspace(1, 9, 100)])
    low, high = maps.limits(values, parameter="position")
    inside = (values >= low) & (values <= high)
    assert 0.96 <= inside.mean() < 1.0


def test_kinds_along_a_line_are_a_strip_without_a_second_axis():
    kinds = {0: ("ok", "#00ff00"), 3: ("not measured", "#808080")}
    line, plan = (Figure().subplots() for _ in range(2))
    maps.draw_kinds(line, LINE, np.array([[0], [3], [0], [0], [3]], np.uint8), kinds, "status")
    maps.draw_kinds(plan, FRAME, np.zeros(FRAME.shape, np.uint8), kinds, "status")
    assert (len(line.get_yticks()), line.get_ylabel(), plan.get_ylabel()) == (0, "", "y (µm)") and len(plan.get_yticks())
    assert [text.get_text() for text in line.get_legend().get_texts()] == ["ok (3)", "not measured (2)"]
    assert [text.get_text() for text in plan.get_legend().get_texts()] == ["ok (12)"]


@pytest.mark.parametrize(("values", "limits"), [(np.full(5, 3.0), (2.5, 3.5)), (np.array([0.0, 4, 2, 3, 1]), (-0.32, 4.32))])
def test_a_profile_has_room_about_its_values_and_shades_the_flake_faintly(values, limits):
    axes = Figure().subplots()
    maps.draw_profile(
        axes, LINE, values, title="", unit="", errors=np.full(5, 100.0), flake=np.array([[False], [True], [True], [False], [False]])
    )
    assert axes.get_ylim() == pytest.approx(limits)
    assert [patch.get_alpha() < 0.2 for patch in axes.patches] == [True, True]


def test_a_panel_of_one_peak_is_a_panel():
    figure = Figure()
    maps.panel(figure, peak_maps(FRAME, count=1), "height", columns=1)
    assert [axes.get_title() for axes in figure.axes if axes.images and not hasattr(axes, "_colorbar")] == ["A height"]
