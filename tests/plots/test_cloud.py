"""A cloud of pixels: points while they are few, else how many lie in each cell; one bad fit presses nothing into a corner."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_wse2xai.data.map_values import MapValues
from napari_wse2xai.numerics.profiles import Profile
from napari_wse2xai.plots import cloud

ALONG = MapValues("A1'.position", "cm-1", np.zeros((1, 1)))
UP = MapValues("A exciton.height", "counts", np.zeros((1, 1)))


def test_few_pixels_are_points_and_the_chosen_stand_out() -> None:
    plot = cloud.CloudPlot(Figure().subplots())
    x, y = np.arange(10.0), np.arange(10.0) ** 2
    plot.show(x, y, ALONG, UP)
    plot.light(x >= 8)
    assert plot.points.get_xydata().tolist() == np.column_stack([x, y]).tolist()
    assert plot.lit_points.get_xydata().tolist() == [[8.0, 64.0], [9.0, 81.0]]
    assert not plot.density.get_visible() and not plot.lit_density.get_visible()
    assert plot.axes.get_xlabel() == "A1' position (cm⁻¹)" and plot.axes.get_ylabel() == "A exciton height (counts)"
    assert plot.outside == 0 and plot.axes.get_xlim()[0] < 0 and plot.axes.get_ylim()[1] > 81


def test_many_pixels_are_counted_in_cells_and_no_outlier_rules_the_axes() -> None:
    plot = cloud.CloudPlot(Figure().subplots())
    x = np.append(np.tile([0.0, 1.0], 2500), 500.0)
    y = np.append(np.repeat([0.0, 2.0], 2500), 1.0)
    plot.show(x, y, ALONG, UP)
    counts = plot.density.get_array()
    assert sorted(counts.compressed()) == [1250.0] * 4, "four places, and one pixel beyond the axes"
    assert plot.density.get_clim() == (0.0, 1250.0) and plot.density.get_visible()
    assert plot.outside == 1 and plot.axes.get_xlim()[1] < 2 and plot.axes.get_ylim()[1] > 2
    left, right, bottom, top = plot.density.get_extent()
    rows, columns = np.nonzero(~np.ma.getmaskarray(counts))
    places = {
        (left + (c + 0.5) * (right - left) / 110, bottom + (r + 0.5) * (top - bottom) / 110) for r, c in zip(rows, columns, strict=True)
    }
    assert all(min(abs(px - ax) + abs(py - ay) for ax in (0, 1) for ay in (0, 2)) < 0.05 for px, py in places)
    plot.light((x == 1.0) & (y == 2.0))
    assert plot.lit_density.get_array().compressed().tolist() == [1250.0] and not len(plot.points.get_xydata())


def test_a_histogram_counts_all_and_the_chosen() -> None:
    axes = Figure().subplots()
    values = np.repeat([1.0, 2.0, 4.0], [100, 60, 40])
    cloud.draw_histogram(axes, values, UP, values > 3)
    every, chosen = (sum(bar.get_height() for bar in bars) for bars in axes.containers)
    assert (every, chosen) == (200, 40) and axes.get_xlabel() == "A exciton height (counts)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["all: 200", "chosen: 40"]
    assert axes.get_xlim()[0] < 1 and axes.get_xlim()[1] > 4 and len(axes.containers[0]) == 14, (
        "about as many bars as the root of the pixels"
    )


def test_of_two_profiles_the_second_has_the_right_side() -> None:
    axes = Figure().subplots()
    place = np.array([0.5, 1.5])
    means = [Profile(place, np.array([3.0, 5.0]), np.array([0.1, 0.2]), np.array([9, 9])) for _ in range(2)]
    left, right = cloud.draw_profiles(axes, "distance (µm)", list(zip((ALONG, UP), means, strict=True)))
    assert left is axes and right.yaxis.get_label_position() == "right" and axes.get_xlabel() == "distance (µm)"
    assert [side.get_ylabel() for side in (left, right)] == ["A1' position (cm⁻¹)", "A exciton height (counts)"]
    bars = right.containers[0]
    assert bars.lines[0].get_xydata().tolist() == [[0.5, 3.0], [1.5, 5.0]]
    assert np.diff([segment[:, 1] for segment in bars.lines[2][0].get_segments()]).ravel() == pytest.approx([0.2, 0.4])


@pytest.mark.parametrize(("values", "expected"), [([], (0.0, 1.0)), ([2.0, 2.0], (1.5, 2.5)), ([0.0, 1.0], (-0.06, 1.06))])
def test_axes_leave_a_little_room(values: list[float], expected: tuple[float, float]) -> None:
    plot = cloud.CloudPlot(Figure().subplots())
    plot.show(np.array(values), np.array(values), ALONG, UP)
    assert plot.axes.get_xlim() == pytest.approx(expected, abs=2e-3)


def test_what_is_lit_is_part_of_a_saved_picture_unless_a_canvas_draws_it_anew() -> None:
    for animated in (False, True):
        plot = cloud.CloudPlot(Figure().subplots(), **({"animated": True} if animated else {}))
        assert [each.get_animated() for each in (plot.lit_points, plot.lit_density)] == [animated] * 2


def test_the_ends_of_an_axis_lie_in_its_first_and_last_cell_and_what_is_beyond_in_none() -> None:
    found = cloud._cells(np.array([2.0, 3.0, 4.0, 4.1, 1.9]), (2.0, 4.0))
    assert found[:3].tolist() == [0, 55, 109] and (found[3:] < -110).all()
