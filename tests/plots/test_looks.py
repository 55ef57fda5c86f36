"""Stamp, badge and hatching as they are seen: beside pictures that a person has looked at, and by what their colours must mean.

After a wanted change of looks: ``PYTHONPATH=tests python tests/plots/test_looks.py`` draws the pictures anew; look at them, then
commit them.
"""

import colorsys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

from learned import A_HEIGHT, make_explanation, make_verdict
from napari_wse2xai.data import Level
from napari_wse2xai.plots.judged import BADGE, STAMP, badge, stamp
from napari_wse2xai.plots.side_by_side import SlopePlot

LOOKED_AT = Path(__file__).parent / "looked_at"
FAR = 5.0
"""Root mean square of grey levels that another FreeType may be off; a colour, a place or the hatching: 7 to 50."""


def badges(figure: Figure) -> None:
    grid = figure.subplots(2, 3)
    for column, level in zip(grid.T, (Level.INTERPRETABLE, Level.LOCAL_ONLY, Level.DO_NOT_INTERPRET), strict=True):
        badge(column[0], make_verdict(level=level))
        badge(column[1], make_verdict(level=level), inside=True)


def stamps(figure: Figure) -> None:
    wide, narrow = figure.subplots(1, 2, width_ratios=(3, 1))
    wide.plot([0, 1], [0, 1])
    stamp(wide, "DO NOT INTERPRET")
    stamp(narrow, "LOCAL ONLY")


def hatching(figure: Figure) -> None:
    explanation = make_explanation()
    unsure = np.zeros_like(explanation.off_cloud)
    unsure[:, explanation.samples.row < 5] = True  # the upper rows
    sure = replace(explanation, off_cloud=unsure, slope_error=np.zeros_like(explanation.slope_error))
    SlopePlot(figure.subplots(), sure).show(A_HEIGHT)


DRAWN: dict[str, Callable[[Figure], None]] = {"badges": badges, "stamps": stamps, "hatching": hatching}


def picture(name: str) -> Figure:
    with mpl.rc_context():
        mpl.rcdefaults()
        figure = Figure(figsize=(4.8, 2.8), dpi=60)
        FigureCanvasAgg(figure)
        DRAWN[name](figure)
        return figure


def save(name: str, folder: Path) -> Path:
    with mpl.rc_context():
        mpl.rcdefaults()
        picture(name).savefig(folder / f"{name}.png", metadata={"Software": None})
    return folder / f"{name}.png"


@pytest.mark.skipif(mpl.__version_info__ < (3, 11), reason="the pictures are of matplotlib 3.11, which draws letters otherwise")
@pytest.mark.parametrize("name", DRAWN)
def test_it_looks_as_it_was_looked_at(name: str, tmp_path: Path) -> None:
    assert compare_images(LOOKED_AT / f"{name}.png", save(name, tmp_path), tol=FAR) is None


@pytest.mark.parametrize(("level", "hue"), [(Level.INTERPRETABLE, "green"), (Level.LOCAL_ONLY, "orange"), (Level.DO_NOT_INTERPRET, "red")])
def test_a_badge_is_green_orange_or_red_and_its_white_letters_can_be_read(level: Level, hue: str) -> None:
    axes = Figure().subplots()
    badge(axes, make_verdict(level=level))
    (label,) = axes.findobj(lambda artist: artist.get_gid() == BADGE)
    assert label.get_text() == str(level)
    ground = label.get_bbox_patch().get_facecolor()[:3]
    assert hue_of(ground) == hue
    assert to_rgb(label.get_color()) == (1.0, 1.0, 1.0)
    assert contrast(ground, (1.0, 1.0, 1.0)) > 3.0  # the WCAG's for large or bold letters


def test_a_stamp_is_red_and_lies_over_everything() -> None:
    figure = Figure()
    axes = figure.subplots()
    line = axes.plot([0, 1], [0, 1], zorder=900)[0]
    stamp(axes, "DO NOT INTERPRET")
    (label,) = axes.findobj(lambda artist: artist.get_gid() == STAMP)
    assert hue_of(to_rgb(label.get_color())) == "red"
    assert hue_of(label.get_bbox_patch().get_edgecolor()[:3]) == "red"
    assert label.get_zorder() > line.get_zorder()
    assert label.get_alpha() > 0.5
    x, y = label.get_transform().transform(label.get_position())
    assert (x, y) == pytest.approx(axes.bbox.get_points().mean(axis=0))


@pytest.mark.parametrize("width", [1.2, 3.0, 9.0])
def test_a_stamp_fits_into_its_axes_and_can_be_read(width: float) -> None:
    figure = Figure(figsize=(width, 3))
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    stamp(axes, "DO NOT INTERPRET")
    (label,) = axes.findobj(lambda artist: artist.get_gid() == STAMP)
    canvas.draw()
    box = label.get_window_extent()
    assert 6 <= label.get_fontsize() <= 26
    assert box.width <= 1.15 * axes.bbox.width
    assert box.width > 0.4 * min(axes.bbox.width, 300)


def hue_of(colour: tuple[float, ...]) -> str:
    hue, saturation, _ = colorsys.rgb_to_hsv(*colour)
    names = {"red": 15, "orange": 50, "yellow": 75, "green": 170, "blue": 345}
    assert saturation > 0.5, "a grey says nothing"
    return next((name for name, upper in names.items() if 360 * hue <= upper), "red")


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Ratio of the WCAG between two colours."""
    low, high = sorted(float(np.dot(linear(colour), (0.2126, 0.7152, 0.0722))) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def linear(colour: tuple[float, ...]) -> np.ndarray:
    values = np.array(colour)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


if __name__ == "__main__":
    LOOKED_AT.mkdir(exist_ok=True)
    for each in DRAWN:
        save(each, LOOKED_AT)
