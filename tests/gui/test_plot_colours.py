"""Plots are dark in a dark window, light in a light one, and dark on white on paper; what is written in them can be read in each."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from napari_wse2xai.gui.parts.paper import on_paper
from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas
from napari_wse2xai.plots.plain_text import PlainFigure, make_logarithmic


def lightness(colour: object) -> float:
    return float(np.dot(to_rgb(colour), (0.3, 0.6, 0.1)))


@pytest.fixture
def canvas(viewer, qtbot) -> PlotCanvas:
    canvas = PlotCanvas(PlainFigure(figsize=(4, 3)))
    qtbot.addWidget(canvas)
    axes = canvas.figure.add_subplot()
    axes.plot([0, 1], [0.03, 0.5], color="#333333", label="grey")
    axes.plot([0, 1], [0.5, 0.03], color="#4c9be8", label="blue")
    axes.text(0.2, 0.1, "words")
    axes.text(0.6, 0.1, "badge", color="white", bbox={"facecolor": "green"})
    axes.set_title("boxed", loc="right", color="white", bbox={"facecolor": "green"})
    axes.set(xlabel="x", ylabel="y", title="title")
    make_logarithmic(axes.yaxis)
    axes.legend()
    canvas.figure.legend()
    return canvas


def contrasts(canvas: PlotCanvas) -> list[float]:
    """Of every word and line with what lies under it."""
    ground, found = lightness(canvas.figure.get_facecolor()), []
    for text in canvas.figure.findobj(lambda each: isinstance(each, Text) and each.get_text()):
        under = text.get_bbox_patch()
        found.append(abs(lightness(text.get_color()) - (ground if under is None else lightness(under.get_facecolor()[:3]))))
    legends = canvas.figure.axes[0].get_legend(), *canvas.figure.legends
    lines = [*canvas.figure.axes[0].lines, *(line for legend in legends for line in legend.get_lines())]
    return [*found, *(abs(lightness(line.get_color()) - ground) for line in lines)]


def test_all_can_be_read_in_either_theme_and_on_paper(viewer, canvas) -> None:
    usual = viewer.theme
    try:
        for theme, dark in (("dark", True), ("light", False), ("dark", True)):
            viewer.theme = theme
            canvas.draw()
            axes = canvas.figure.axes[0]
            assert (lightness(canvas.figure.get_facecolor()) < 0.5) == (lightness(axes.get_facecolor()) < 0.5) == dark
            assert min(contrasts(canvas)) > 0.25
            assert axes.lines[1].get_color() == "#4c9be8"
            with on_paper(canvas.figure):
                assert lightness(canvas.figure.get_facecolor()) > 0.85
                assert min(contrasts(canvas)) > 0.25
            assert (lightness(canvas.figure.get_facecolor()) < 0.5) == dark
    finally:
        viewer.theme = usual


def test_numbers_of_a_logarithmic_axis_are_written_out(canvas) -> None:
    canvas.draw()
    words = [label.get_text() for label in canvas.figure.axes[0].get_yticklabels(which="both") if label.get_text()]
    assert {"0.05", "0.1", "0.2", "0.5"} <= set(words)
    assert not any("$" in word for word in words)
