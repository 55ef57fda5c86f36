"""Three maps that change from parameter to parameter are, letter by letter, those that are drawn anew."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from learned import A_HEIGHT, E_POSITION, make_explanation
from napari_wse2xai.data import Explanation, Level
from napari_wse2xai.plots.explaining import draw_side_by_side
from napari_wse2xai.plots.side_by_side import ThreeMaps, slope_reach


def three(explanation: Explanation, feature: int) -> tuple[FigureCanvasAgg, ThreeMaps]:
    canvas = FigureCanvasAgg(Figure(figsize=(4, 6.5), dpi=80))
    canvas.figure.subplots_adjust(left=0.15, right=0.78, hspace=0.42)
    maps = draw_side_by_side(canvas.figure.subplots(3, 1), explanation, feature)
    assert maps is not None
    return canvas, maps


def picture(canvas: FigureCanvasAgg) -> np.ndarray:
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


def all_sure(explanation: Explanation, feature: int) -> Explanation:
    """One parameter acts alike and surely at every pixel: nothing to hatch, and no colour bar with pointed ends."""
    slope, error, off_cloud = (getattr(explanation, name).copy() for name in ("slope", "slope_error", "off_cloud"))
    slope[feature], error[feature], off_cloud[feature] = 2.0, 0.1, False
    return replace(explanation, slope=slope, slope_error=error, off_cloud=off_cloud)


@pytest.mark.parametrize("level", [Level.INTERPRETABLE, Level.DO_NOT_INTERPRET])
def test_maps_that_show_another_parameter_look_as_if_they_were_new(level: Level) -> None:
    explanation = all_sure(make_explanation(level=level), E_POSITION)
    canvas, maps = three(explanation, A_HEIGHT)
    begun = picture(canvas)
    assert maps.slope.veil.hatches.get_visible()
    maps.show(E_POSITION)
    changed = picture(canvas)
    assert not maps.slope.veil.hatches.get_visible()
    np.testing.assert_array_equal(changed, picture(three(explanation, E_POSITION)[0]))
    maps.show(A_HEIGHT)
    assert not np.array_equal(changed, begun)
    np.testing.assert_array_equal(picture(canvas), begun)


def test_what_changes_is_all_that_changes(explanation: Explanation) -> None:
    canvas, maps = three(all_sure(explanation, E_POSITION), A_HEIGHT)
    for artist in maps.changing():
        artist.set_visible(False)
    ground = picture(canvas)
    maps.show(E_POSITION)
    for artist in maps.changing():
        artist.set_visible(False)
    np.testing.assert_array_equal(picture(canvas), ground)


@pytest.mark.parametrize(
    ("values", "reach"), [((0.0, 0.0), 1), ((np.nan, np.nan), 1), ((-4.0, -4.0), 4.5), ((np.nan, *range(-60, 41)), 58)]
)
def test_colours_of_a_slope_reach_as_far_up_as_down(values: tuple[float, ...], reach: float) -> None:
    """To the second percentile on the longer side; half a unit beyond one value; one where there is none but zero."""
    assert slope_reach(np.array([values])) == pytest.approx(reach)
