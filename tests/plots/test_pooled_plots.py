"""Figures over flakes: points, boxes and laws against numbers that were planted."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_wse2xai.data.pooled import FlakeValue, OfFlake, Pool
from napari_wse2xai.plots.pooled import draw_along, draw_by_condition
from napari_wse2xai.report import _figures, _pooled


def flake(condition: str, median: float, at: float | None = None, *, parameter: str = "height") -> OfFlake:
    """One whose middle half of 400 pixels is a tenth of its median wide."""
    value = FlakeValue("pl", "X", parameter, "counts", "", 400, median, 0.95 * median, 1.05 * median, 0.1)
    return OfFlake(f"{condition} {median:.3f}", condition, at, value)


def test_a_power_law_is_drawn_through_its_points_and_said() -> None:
    powers = np.array([1.0, 2.0, 5.0, 10.0, 30.0])
    pool = Pool(tuple(flake("grown", 30 * x**1.7, x) for x in powers) + tuple(flake("bought", 8 * x**0.9, x) for x in powers))
    axes = Figure().subplots()
    draw_along(axes, pool, "power (mW)")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    laws = [line for line in axes.lines if len(line.get_xdata()) == 60]
    for line, (scale, exponent), colour in zip(laws, ((30, 1.7), (8, 0.9)), ("#1f4e79", "#d1495b"), strict=True):
        x = np.asarray(line.get_xdata())
        assert (x[0], x[-1]) == pytest.approx((1, 30))
        np.testing.assert_allclose(line.get_ydata(), scale * x**exponent, rtol=1e-6)
        assert line.get_color() == colour
    assert axes.get_legend_handles_labels()[1] == ["grown", "bought"]
    name, *laws_said = axes.get_title().splitlines()
    assert name == "X height"
    assert [words.startswith(wanted) for words, wanted in zip(laws_said, ("exponent 1.70", "exponent 0.90"), strict=True)] == [True] * 2
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("power (mW)", "counts")


def test_positions_follow_a_straight_line_whatever_they_run_over() -> None:
    pool = Pool(tuple(flake("a", 250 - 0.02 * t, t, parameter="position") for t in (80.0, 150.0, 220.0, 300.0)))
    axes = Figure().subplots()
    draw_along(axes, pool, "temperature (K)")
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
    (law,) = [line for line in axes.lines if len(line.get_xdata()) == 60]
    np.testing.assert_allclose(law.get_ydata(), 250 - 0.02 * np.asarray(law.get_xdata()))
    assert "slope -0.02" in axes.get_title().replace("−", "-")


def test_heights_over_less_than_a_factor_of_two_or_below_zero_follow_a_straight_line() -> None:
    for points in (((1.0, 10.0), (1.9, 19.0), (1.5, 15.0)), ((1.0, -1.0), (4.0, 5.0), (9.0, 15.0))):
        axes = Figure().subplots()
        draw_along(axes, Pool(tuple(flake("a", y, x) for x, y in points)), "power (mW)")
        assert axes.get_xscale() == "linear"


def test_every_flake_is_a_point_above_its_condition_and_five_make_a_box() -> None:
    few, many = [3.0, 5.0], [1.0, 2.0, 4.0, 8.0, 16.0]
    axes = Figure().subplots()
    draw_by_condition(axes, Pool(tuple(flake("few", each) for each in few) + tuple(flake("many", each) for each in many)))
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_ydata().tolist() for line in dots] == [few, many]
    assert [line.get_color() for line in dots] == ["#1f4e79", "#d1495b"]
    for place, line in enumerate(dots):
        assert np.abs(line.get_xdata() - place).max() == pytest.approx(0.16)
        assert np.mean(line.get_xdata()) == pytest.approx(place)
    ends = np.array(axes.collections[1].get_segments())[:, :, 1]
    np.testing.assert_allclose(ends, np.outer(many, [0.95, 1.05]))
    (middle,) = [line for line in axes.lines if line.get_color() == "black"]
    assert set(middle.get_ydata()) == {4.0}
    assert middle.get_xdata() == pytest.approx([0.75, 1.25])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["few", "many"]
    assert axes.get_xlim() == (-0.6, 1.6)


def test_a_box_is_that_of_the_quartiles_without_caps_and_a_flake_far_off_is_its_point_alone() -> None:
    medians = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    axes = Figure().subplots()
    draw_by_condition(axes, Pool(tuple(flake("many", each) for each in medians)))
    assert [line.get_marker() for line in axes.lines if 100.0 in line.get_ydata()] == ["o"]
    box, *whiskers = [line for line in axes.lines if line.get_color() == "#7c8794"]
    assert (set(box.get_xdata()), set(box.get_ydata())) == ({-0.25, 0.25}, set(np.percentile(medians, [25, 75])))
    assert [line.get_ydata().tolist() for line in whiskers] == [[2.0, 1.0], [4.0, 4.0]]
    assert [line.get_xdata().tolist() for line in whiskers] == [[0.0, 0.0]] * 2
    assert len(axes.lines) == 5, "points, box, two whiskers, median"


@pytest.mark.parametrize(("names", "degrees"), [(("a" * 10, "b", "c"), 0), (("a" * 11, "b", "c"), 30), (("a" * 30,), 0), (("a" * 31,), 30)])
def test_names_of_conditions_are_slanted_where_thirty_letters_would_not_lie_beside_one_another(
    names: tuple[str, ...], degrees: int
) -> None:
    axes = Figure().subplots()
    draw_by_condition(axes, Pool(tuple(flake(name, 2.0) for name in names)))
    assert {text.get_rotation() for text in axes.get_xticklabels()} == {degrees}
    assert {text.get_ha() for text in axes.get_xticklabels()} == {"right" if degrees else "center"}


def test_a_sheet_has_a_panel_for_each_peak_and_names_the_conditions_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, Figure] = {}
    monkeypatch.setattr(_figures, "saved", lambda figure, name: drawn.update({name: figure}) or {f"{name}.png": b""})
    pool = Pool(tuple(flake("grown", 30 * x, x) for x in (1.0, 2.0)) + tuple(flake("bought", 8 * x, x) for x in (1.0, 2.0)))
    images = _pooled.pooled_figures([pool], [pool], "power (mW)")
    assert [name for name, _ in _pooled.pooled_captions(images)] == ["over_pl_height", "flakes_pl_height"]
    assert [[text.get_text() for text in each.legends[0].get_texts()] for each in drawn.values() if each.legends] == [["grown", "bought"]]
    _pooled.pooled_figures([pool] * 5)
    assert [axes.axison for axes in drawn["flakes_pl_height"].axes] == [True] * 5 + [False] * (len(drawn["flakes_pl_height"].axes) - 5)
