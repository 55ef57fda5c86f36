"""Plots of an explanation show its numbers, and none of a model that must not be interpreted goes without its stamp."""

import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from learned import A_HEIGHT, H_HEIGHT, make_explanation, make_samples, with_others, with_questions
from napari_wse2xai import plots
from napari_wse2xai.data import Explanation, Level
from napari_wse2xai.plots import compared, explaining, regions, side_by_side, wavenumbers
from napari_wse2xai.plots.ice import CurvePlot
from napari_wse2xai.plots.judged import BADGE, STAMP, stamp
from napari_wse2xai.plots.pairs import draw_pair
from napari_wse2xai.plots.side_by_side import SlopePlot
from watched import stamped

DRAWN: dict[str, Callable[[Figure, Explanation], object]] = {
    "draw_pdp_panel": explaining.draw_pdp_panel,
    "draw_pdp": lambda figure, explanation: explaining.draw_pdp(figure.subplots(), explanation, "A1'"),
    "CurvePlot": lambda figure, explanation: CurvePlot(figure.subplots(), explanation).show(A_HEIGHT),
    "SlopePlot": lambda figure, explanation: SlopePlot(figure.subplots(), explanation).show(A_HEIGHT),
    "draw_side_by_side": lambda figure, explanation: explaining.draw_side_by_side(figure.subplots(1, 3), explanation, A_HEIGHT),
    "draw_ranking": lambda figure, explanation: explaining.draw_ranking(figure.subplots(), explanation),
    "draw_compared": lambda figure, explanation: compared.draw_compared(figure.subplots(1, 3), with_others(explanation), A_HEIGHT),
    "draw_regions": lambda figure, explanation: regions.draw_regions(figure.subplots(), with_questions(explanation), A_HEIGHT),
    "draw_pair": lambda figure, explanation: drawn_pair(figure, with_questions(explanation)),
    "draw_wavenumbers": lambda figure, explanation: drawn_wavenumbers(figure, with_questions(explanation)),
    "draw_three_profiles": lambda figure, explanation: side_by_side.draw_three_profiles(
        figure.subplots(3), along(explanation), A_HEIGHT, 0
    ),
    "draw_slope_profile": lambda figure, explanation: side_by_side.draw_slope_profile(figure.subplots(), along(explanation), A_HEIGHT, 0),
}


def drawn_pair(figure: Figure, explanation: Explanation) -> None:
    axes, bar = figure.subplots(1, 2)
    bar.set_label("<colorbar>")
    draw_pair(axes, explanation, explanation.pairs[0], bar=bar)


def drawn_wavenumbers(figure: Figure, explanation: Explanation) -> None:
    wavenumbers.draw_wavenumbers(figure.subplots(), explanation, explanation.wavenumbers[0])


def along(explanation: Explanation) -> Explanation:
    """One with the same verdict, of a scan along a line."""
    return make_explanation(make_samples(shape=(1, 60)), level=explanation.verdict.level)


def test_every_drawing_is_listed_here() -> None:
    modules = [importlib.import_module(f"{plots.__name__}.{found.name}") for found in pkgutil.iter_modules(plots.__path__)]
    own = {name: thing for module in modules for name, thing in inspect.getmembers(module, inspect.isfunction) if name.startswith("draw_")}
    drawing = {name for name, thing in own.items() if "explanation" in inspect.signature(thing).parameters}
    assert drawing | {"CurvePlot", "SlopePlot"} == set(DRAWN)


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("level", [Level.DO_NOT_INTERPRET, Level.LOCAL_ONLY])
def test_no_axes_goes_without_its_stamp(name: str, level: Level) -> None:
    figure = Figure(layout="constrained")
    DRAWN[name](figure, make_explanation(level=level))
    shown = [axes for axes in figure.axes if axes.axison and axes.get_label() != "<colorbar>" and axes.has_data()]
    assert shown
    marked = [axes.get_position().bounds for axes in figure.axes if stamped(axes)]
    assert all(axes.get_position().bounds in marked for axes in shown)  # a second scale lies over the first
    assert {text.get_text() for text in figure.findobj(lambda artist: artist.get_gid() == STAMP)} == {str(level).upper()}


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_interpretable_bears_no_stamp(name: str, explanation: Explanation) -> None:
    figure = Figure(layout="constrained")
    DRAWN[name](figure, explanation)
    assert not figure.findobj(lambda artist: artist.get_gid() == STAMP)


def test_the_stamp_is_in_the_file_too(doubtful: Explanation) -> None:
    figure, stream = Figure(), io.BytesIO()
    explaining.draw_pdp_panel(figure, doubtful)
    figure.savefig(stream, format="svg")
    assert stream.getvalue().count(f'id="{STAMP}"'.encode()) == 3


def test_a_stamp_without_words_is_none_and_a_figure_can_be_stamped_whole() -> None:
    figure = Figure()
    stamp(figure, "")
    assert not stamped(figure)
    stamp(figure, "LOCAL ONLY")
    assert stamped(figure)


def test_the_panel_has_one_axes_per_mode_and_one_curve_per_parameter(explanation: Explanation) -> None:
    figure = Figure()
    grid = explaining.draw_pdp_panel(figure, explanation)
    assert [axes.get_title(loc="left") for axes in grid] == ["E'", "A1'", "2LA(M)"]
    assert len({axes.get_ylim() for axes in grid}) == 1
    solid = next(line for line in grid[1].lines if line.get_label() == "height")
    supported = explanation.supported[A_HEIGHT]
    np.testing.assert_array_equal(solid.get_ydata()[supported], explanation.pdp[A_HEIGHT, supported])
    assert np.isnan(solid.get_ydata()[~supported]).all()
    assert len(figure.findobj(lambda artist: artist.get_gid() == BADGE)) == 1


def test_the_band_of_the_measured_pl_is_behind_the_curves(explanation: Explanation) -> None:
    axes = Figure().subplots()
    explaining.draw_pdp(axes, explanation, "E'")
    box = axes.patches[0].get_bbox() if hasattr(axes.patches[0], "get_bbox") else axes.patches[0].get_extents()
    assert (box.y0, box.y1) == pytest.approx(explanation.pl_band)


def test_features_that_were_left_out_leave_no_curve(explanation: Explanation) -> None:
    few = replace(explanation, features=explanation.features[3:6], feature_units=explanation.feature_units[3:6])
    assert explaining.modes(few) == ["A1'"]
    assert len(explaining.draw_pdp_panel(Figure(), few)) == 1


def test_ice_curves_are_those_of_the_kept_pixels_and_meet_in_the_middle_when_centred(explanation: Explanation) -> None:
    figure = Figure()
    plain, centred = figure.subplots(1, 2)
    as_they_are, meeting = CurvePlot(plain, explanation), CurvePlot(centred, explanation)
    as_they_are.show(A_HEIGHT)
    np.testing.assert_array_equal(np.stack([path[:, 1] for path in as_they_are.lines.get_segments()]), explanation.ice[A_HEIGHT])
    meeting.show(A_HEIGHT, centred=True)
    moved = np.stack([path[:, 1] for path in meeting.lines.get_segments()])
    assert (moved[:, 10] == 0).all()


def test_slope_images_are_centred_at_zero_and_veiled_where_not_sure(explanation: Explanation) -> None:
    axes = Figure().subplots()
    SlopePlot(axes, explanation).show(A_HEIGHT)
    slopes, veil = axes.images
    low, high = slopes.get_clim()
    assert low == -high < 0
    assert veil.get_array().count() == (~explanation.sure(A_HEIGHT)).sum() > 0
    hatched = [patch for patch in axes.patches if patch.get_hatch()]
    assert len(hatched[0].get_path().vertices) == 5 * veil.get_array().count()


def test_the_second_of_two_flakes_has_its_own_images() -> None:
    samples = make_samples(flakes=2)
    grid = Figure().subplots(1, 3)
    explaining.draw_side_by_side(grid, make_explanation(samples), A_HEIGHT, flake=1)
    assert all(axes.images[0].get_array().shape == samples.frames[1].shape for axes in grid)
    np.testing.assert_allclose(grid[2].images[0].get_array().compressed().sum(), samples.targets[samples.flake == 1].sum(), rtol=1e-6)


def test_the_ranking_begins_with_the_most_important(explanation: Explanation) -> None:
    axes = Figure().subplots()
    explaining.draw_ranking(axes, explanation, most=3)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["A1' height", "E' position", "2LA(M) height"]
    assert axes.patches[0].get_width() == explanation.importance[A_HEIGHT]


def test_two_parameters_are_drawn_over_their_grid_with_the_pixels_that_there_are(explanation: Explanation) -> None:
    """The first runs to the right, the second upwards; the middle of the image's corner pixels are the ends of the grid."""
    axes, bar = Figure().subplots(2)
    explanation = with_questions(explanation)
    pair = explanation.pairs[0]
    image = draw_pair(axes, explanation, pair, bar=bar)
    across, up = pair.grid
    assert axes.get_xlim() == (across[0], across[-1]) and axes.get_ylim() == (up[0], up[-1])
    left, right, bottom, top = image.get_extent()
    ny, nx = image.get_array().shape
    assert (left + (right - left) / nx / 2, bottom + (top - bottom) / ny / 2) == pytest.approx((across[0], up[0]))
    assert (right - (right - left) / nx / 2, top - (top - bottom) / ny / 2) == pytest.approx((across[-1], up[-1]))
    assert image.get_array()[3, 5] == pair.surface[5, 3] and image.origin == "lower"
    assert axes.lines[0].get_xydata().tolist() == explanation.samples.features[:, [A_HEIGHT, H_HEIGHT]].tolist()
    assert axes.get_xlabel() == "A1' height (counts)" and axes.get_ylabel() == "2LA(M) height (counts)"


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_curves_fill_their_axes_whatever_the_unit(size: float) -> None:
    made = make_explanation()
    made = replace(made, ice=size * made.ice, pdp=size * made.pdp, ale=None if made.ale is None else size * made.ale)
    axes = Figure().subplots()
    CurvePlot(axes, made).show(A_HEIGHT)
    low, high = axes.get_ylim()
    least, most = made.ice[A_HEIGHT].min(), made.ice[A_HEIGHT].max()
    assert least - low == pytest.approx(high - most) and 0.01 < (high - most) / (most - least) < 0.2
    assert axes.get_xlim() == (made.pdp_grid[A_HEIGHT][0], made.pdp_grid[A_HEIGHT][-1])
    CurvePlot(axes, replace(made, pdp_grid=np.full_like(made.pdp_grid, 7.0))).show(A_HEIGHT)
    assert axes.get_xlim() == (7.0, 8.0), "a parameter that is the same everywhere"


def test_the_colours_of_two_parameters_say_what_they_are() -> None:
    made = with_questions(make_explanation())
    axes, bar = Figure().subplots(1, 2)
    image = draw_pair(axes, made, made.pairs[0], bar=bar)
    assert image.colorbar.ax.get_xlabel() == "mean PL height (counts), network"


def test_models_beside_one_another_along_a_line_are_curves_of_their_slopes() -> None:
    made = with_others(along(make_explanation()))
    grid = Figure().subplots(1, 3)
    compared.draw_compared(grid, made, A_HEIGHT)
    drawn = [np.concatenate([each.lines[0].get_ydata() for each in axes.containers]) for axes in grid[:2]]
    np.testing.assert_allclose(drawn[0], made.samples.image(made.slope[A_HEIGHT]).ravel(), rtol=1e-6)
    np.testing.assert_allclose(drawn[1], made.samples.image(made.others[0].slope[A_HEIGHT]).ravel(), rtol=1e-6)


def test_what_lies_beyond_the_data_is_hatched_on_either_side_and_nothing_else() -> None:
    made = make_explanation()
    supported = np.ones_like(made.supported)
    supported[A_HEIGHT, -3:] = False
    axes = Figure().subplots()
    CurvePlot(axes, replace(made, supported=supported)).show(A_HEIGHT)
    grid = made.pdp_grid[A_HEIGHT]
    shades = [(each.get_x(), each.get_width()) for each in axes.patches if each.get_hatch() and each.get_visible()]
    assert shades == [pytest.approx((grid[-4], grid[-1] - grid[-4]))]
