"""Playing with an explanation: a second parameter with a cut, regions as layers, and shapes drawn on the flakes."""

from types import SimpleNamespace

import pytest

from learned import A_HEIGHT, E_POSITION, H_HEIGHT, law
from napari_wse2xai.data import Explanation, TrainedModel
from napari_wse2xai.gui import explain_pixels, stock
from napari_wse2xai.gui.explain_panel import ExplainPanel
from napari_wse2xai.layers import shown_in, to_layers
from napari_wse2xai.plots.judged import stamped


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def panel(viewer, qtbot, monkeypatch) -> ExplainPanel:
    """The panel, to which the network is the law itself."""
    monkeypatch.setattr(explain_pixels, "_network", lambda model, target: SimpleNamespace(predict=law))
    panel = ExplainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def take(panel: ExplainPanel, viewer, settle, *artefacts: TrainedModel | Explanation) -> None:
    for artefact in artefacts:
        stock.add(viewer, to_layers(artefact))
    settle(lambda: panel.pixels is not None)
    panel.show_map()


def choose(panel: ExplainPanel, feature: int) -> None:
    panel.result.table.setCurrentCell(panel.result.explanation.ranking.index(feature), 0)


def of_part(viewer, part: str):
    return [layer for layer in viewer.layers if (is_ := shown_in(layer.metadata)) is not None and is_.part.startswith(part)]


def test_a_second_parameter_is_cut_where_the_slider_stands(
    panel: ExplainPanel, viewer, trained: TrainedModel, explanation: Explanation, settle
) -> None:
    take(panel, viewer, settle, trained, explanation)
    choose(panel, H_HEIGHT)
    pairs, ice = panel.pairs, panel.result.ice
    assert not pairs.heat.isVisible()
    pairs.second.setCurrentIndex(pairs.second.findData(A_HEIGHT))
    settle(lambda: pairs.pair is not None and not pairs.runner.busy)
    pair = pairs.pair
    assert pair.features == (H_HEIGHT, A_HEIGHT)
    assert 0 < pair.h < 0.2
    assert f"H = {pair.h:.2f}" in pairs.interaction.text()
    assert pairs.second.itemData(1) == A_HEIGHT, "the only one that it interacts with"
    assert all(pairs.second.itemText(k).endswith(": 0 counts") or float(pairs.second.itemText(k).split()[-2]) < 1e-6 for k in range(2, 9))
    for place in (5, 18):
        pairs.slider.setValue(place)
        table = explanation.samples.features.copy()
        table[:, H_HEIGHT], table[:, A_HEIGHT] = pair.grid[0, 7], pair.grid[1, place]
        assert ice._cut.get_ydata()[7] == pytest.approx(law(table).mean(), rel=0.003)
        assert f"A1' height = {pair.grid[1, place]:.5g} counts" in pairs.value.text()
    pairs.heat.cut_asked.emit(float(pair.grid[1, 3]))
    assert pairs.slider.value() == 3
    choose(panel, E_POSITION)
    settle(lambda: pairs.pair is not None)
    assert pairs.pair.features == (E_POSITION, A_HEIGHT), "the second one stays chosen"
    pairs.second.setCurrentIndex(0)
    assert not pairs.heat.isVisible()
    assert not len(ice._cut.get_ydata())


def test_the_heat_map_of_what_must_not_be_interpreted_is_stamped_and_a_lacking_model_is_told(
    panel: ExplainPanel, viewer, trained: TrainedModel, doubtful: Explanation, settle
) -> None:
    take(panel, viewer, settle, doubtful)
    assert "Needs the trained model" in panel.pairs.message.text()
    assert not panel.pairs.isEnabled()
    viewer.layers.clear()
    settle(lambda: panel.pixels is None)
    take(panel, viewer, settle, trained, doubtful)
    panel.pairs.second.setCurrentIndex(1)
    settle(lambda: panel.pairs.pair is not None)
    assert stamped(panel.pairs.heat.figure.axes[0])
