"""What is saved of the Curves tab is what is seen there: curves, heat map with its cut, regions' rules, wavenumbers, each stamped."""

from types import SimpleNamespace

import numpy as np
import pytest

from learned import A_HEIGHT, E_POSITION, H_HEIGHT, law, make_explanation, make_model
from napari_wse2xai.data import Level, Samples
from napari_wse2xai.data.questions import Wavenumbers
from napari_wse2xai.gui.explain import pixel_curves
from napari_wse2xai.gui.explain.curves import CUT
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.plots.judged import STAMP


@pytest.fixture
def panel(viewer, qtbot, monkeypatch, samples: Samples, settle) -> ExplainPanel:
    """The panel with an explanation that must not be interpreted; to it the network is the law itself."""
    monkeypatch.setattr(pixel_curves, "_fitted", lambda model, target, name: SimpleNamespace(predict=law))
    panel = ExplainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    for artefact in (make_model(samples), make_explanation(samples, level=Level.DO_NOT_INTERPRET)):
        contents.add(panel.viewer, to_layers(artefact)[:1])
    settle(lambda: panel.pixels is not None and panel.pixels.exact)
    choose(panel, H_HEIGHT)
    return panel


def choose(panel: ExplainPanel, feature: int) -> None:
    panel.result.table.setCurrentCell(panel.result.explanation.ranking.index(feature), 0)


def words(panel: ExplainPanel) -> str:
    return " ".join(text.get_text() for area in panel.result.page().subfigs for text in area.texts)


def test_the_heat_map_is_saved_with_its_cut_its_unit_and_its_stamp(panel: ExplainPanel, settle, tmp_path) -> None:
    panel.save("plot", tmp_path / "curves.svg")
    alone = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    assert alone.count(f'id="{STAMP}"') == 1
    pairs = panel.pairs
    pairs.second.setCurrentIndex(pairs.second.findData(A_HEIGHT))
    settle(lambda: pairs.pair is not None and not pairs.work.runner.busy)
    pairs.slider.setValue(5)
    panel.result.ice.pick(np.arange(len(panel.result.explanation.pixels)) < 4)
    before = [axes.get_position().bounds for axes in panel.result.ice.figure.axes]
    page = panel.result.page()
    curves, heat, bar = page.axes
    assert [axes.get_position().bounds for axes in panel.result.ice.figure.axes] == before, "what is on the screen stays"
    assert max(len(lines.get_segments()) for lines in curves.collections) > 4
    assert any(len(lines.get_segments()) == 4 for lines in curves.collections), "what was picked"
    np.testing.assert_array_equal(heat.images[0].get_array(), pairs.pair.surface.T)
    cut = next(line for line in heat.lines if line.get_color() == CUT)
    assert set(cut.get_ydata()) == {pairs.pair.grid[1, 5]}
    assert any(np.array_equal(line.get_ydata(), pairs.pair.surface[:, 5]) for line in curves.lines)
    assert "(counts)" in bar.get_xlabel()
    assert f"H = {pairs.pair.h:.2f}" in words(panel).replace("\n", " ")
    assert curves.bbox.y0 > bar.bbox.y1 > bar.bbox.y0 > heat.bbox.y1
    for kind in ("svg", "png", "pdf"):
        panel.save("plot", tmp_path / f"both.{kind}")
    assert (tmp_path / "both.svg").read_text(encoding="utf-8").count(f'id="{STAMP}"') == 2
    choose(panel, E_POSITION)
    panel.result.tabs.setCurrentIndex(2)
    assert panel.result.page() is panel.result.maps.figure, "the heat map is not seen with the maps"


def test_rules_of_regions_and_wavenumbers_are_saved_while_they_are_seen(panel: ExplainPanel, settle) -> None:
    panel.regions.work.begin_button.click()
    settle(panel.regions.words.isVisible)
    assert "A1' height (counts) ≤" in words(panel).replace("\n", " ")
    channels = np.linspace(200, 300, 12).reshape(3, 4)
    panel.wavenumbers.show_wavenumbers(Wavenumbers(channels, channels, channels, np.array([0.2, 0.5, 0.3]), 10, 0.01))
    assert "A1' 50%" in words(panel)
    assert len(panel.result.page().axes) == 3, "curves, and wavenumbers on two axes"
    panel.wavenumbers.stand_by(panel.pixels)
    choose(panel, E_POSITION)
    assert panel.result.page() is panel.result.ice.figure
