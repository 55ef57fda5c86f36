"""The Maps tab: a click changes what has to change, and the picture, on the screen and in a file, is that of a new one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from qtpy.QtWidgets import QApplication

from learned import A_HEIGHT, E_POSITION, make_explanation, make_samples, with_others
from napari_wse2xai.data import Explanation, Frame, Level
from napari_wse2xai.gui.explain.maps import MapsPlot
from napari_wse2xai.gui.explain.result import MODELS, ExplainResult
from napari_wse2xai.gui.parts.turns import until_idle


@pytest.fixture
def plot(qtbot) -> MapsPlot:
    plot = MapsPlot()
    qtbot.addWidget(plot)
    plot.resize(400, 600)
    plot.show()
    return plot


def seen(plot: MapsPlot) -> np.ndarray:
    QApplication.processEvents()
    until_idle()  # drawings wait for their turn
    return np.asarray(plot.buffer_rgba()).copy()


def saved(plot: MapsPlot, path: Path) -> np.ndarray:
    plot.figure.savefig(path, dpi=100)
    return imread(path)


def test_a_map_that_changed_is_the_map_that_is_drawn_anew(plot: MapsPlot, tmp_path: Path) -> None:
    explanation = make_explanation(level=Level.DO_NOT_INTERPRET)
    plot.show_feature(explanation, A_HEIGHT)
    first, drawings = seen(plot), []
    plot.mpl_connect("draw_event", drawings.append)
    plot.show_feature(explanation, E_POSITION)
    blitted = seen(plot)
    assert not drawings, "only what moves was drawn"
    assert not np.array_equal(blitted, first)
    plot.draw()
    np.testing.assert_array_equal(blitted, seen(plot))
    in_file = saved(plot, tmp_path / "moving.png")
    for artist in plot.moving:
        artist.set_animated(False)
    plot.moving = []
    np.testing.assert_array_equal(in_file, saved(plot, tmp_path / "still.png"))


def test_another_explanation_has_its_own_maps(plot: MapsPlot) -> None:
    flakes = make_explanation(make_samples(shape=(12, 24))), make_explanation(make_samples())
    for explanation in flakes:
        plot.show_feature(explanation, A_HEIGHT)
        assert plot.figure.axes[0].images[0].get_array().shape == explanation.samples.frames[0].shape


def test_a_line_scan_is_shown_as_curves(plot: MapsPlot, explanation: Explanation) -> None:
    samples = explanation.samples
    line = replace(
        samples,
        frames=(Frame((1, len(samples)), (0.5, 0.5), (0.0, 0.0), "line"),),
        row=np.zeros_like(samples.row),
        column=np.arange(len(samples)),
    )
    along = replace(explanation, samples=line)
    for feature in (A_HEIGHT, E_POSITION):
        plot.show_feature(along, feature)
        drawn = plot.figure.axes[0].lines[0].get_ydata()
        np.testing.assert_allclose(drawn, samples.features[:, feature], rtol=1e-6)


def test_models_that_predict_as_well_have_a_tab_that_follows_the_click_and_a_sentence(qtbot) -> None:
    result, last = ExplainResult(), 4
    qtbot.addWidget(result)
    result.show_explanation(make_explanation())
    assert not result.tabs.isTabVisible(last), "there is but one model"
    explanation = with_others(make_explanation(), disputed=0.5)
    result.show_explanation(explanation)
    assert result.tabs.isTabVisible(last)
    assert "map disputed" in result.map_verdict.text() and "not on where" in result.map_verdict.text()
    result.tabs.setCurrentIndex(last)
    assert result.shown == MODELS
    for row in (0, 1):
        result.table.setCurrentCell(row, 0)
        feature = explanation.ranking[row]
        own, other, apart = [np.asarray(axes.images[0].get_array()) for axes in result.figure.axes if axes.get_title()]
        assert np.nanmax(np.abs(own - explanation.samples.image(explanation.slope[feature], 0))) == 0
        assert np.nanmax(np.abs(other - 0.9 * own)) < 1e-6 * np.nanmax(np.abs(own))
        assert np.nanmax(apart) == 4.0
