"""Playing with an explanation: a second parameter with a cut, regions as layers, and shapes drawn on the flakes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from learned import A_HEIGHT, E_POSITION, H_HEIGHT, law, make_explanation, make_model, make_samples
from napari_wse2xai import io
from napari_wse2xai.data import Explanation, Level, Results, Samples, TrainedModel
from napari_wse2xai.gui.explain import pixel_curves
from napari_wse2xai.gui.explain.asked import BY_RULE, BY_SHAPE
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.parts.covered import covered
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import shown_in, to_layers
from watched import stamped


@pytest.fixture
def panel(viewer, qtbot, monkeypatch) -> ExplainPanel:
    """The panel, to which the network is the law itself."""
    monkeypatch.setattr(pixel_curves, "_fitted", lambda model, target, name: SimpleNamespace(predict=law))
    panel = ExplainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def take(panel: ExplainPanel, viewer, settle, *artefacts: TrainedModel | Explanation) -> None:
    for artefact in artefacts:
        contents.add(viewer, to_layers(artefact))
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
    settle(lambda: pairs.pair is not None and not pairs.work.runner.busy)
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
    assert "Needs the trained model" in panel.pairs.work.message.text()
    assert not panel.pairs.isEnabled()
    contents.session(viewer).remove(doubtful)
    settle(lambda: panel.pixels is None)
    take(panel, viewer, settle, trained, doubtful)
    panel.pairs.second.setCurrentIndex(1)
    settle(lambda: panel.pairs.pair is not None)
    assert stamped(panel.pairs.heat.figure.axes[0])


def test_a_model_that_comes_after_its_explanation_is_asked_at_once(panel: ExplainPanel, viewer, samples: Samples, settle, tmp_path) -> None:
    model, explanation = make_model(samples), make_explanation(samples)
    take(panel, viewer, settle, explanation)
    choose(panel, H_HEIGHT)
    ice = panel.result.ice
    ice.pick(np.arange(len(explanation.pixels)) < 3)
    asking = (panel.regions.work.begin_button, panel.wavenumbers.work.begin_button, panel.recovery_test.work.begin_button, panel.pairs)
    strangers = (make_model(make_samples(seed=4)), make_model(samples=replace(samples)))  # the second of the very same pixels
    for seconds, stranger in enumerate(strangers):
        contents.add(viewer, to_layers(replace(stranger, history=(replace(stranger.history[0], seconds=float(seconds)),))))
    settle(lambda: panel.models.count() == 2)
    assert not any(part.isEnabled() for part in asking)
    io.write_results(Results({}, model=model), tmp_path / "model.nc")
    read = io.read_results(tmp_path / "model.nc").model
    assert read.samples is not explanation.samples
    contents.add(viewer, to_layers(read))
    settle(lambda: panel.pixels.exact)
    assert panel.pixels.model is read
    assert all(part.isEnabled() for part in asking)
    assert "Needs the trained model" not in panel.pairs.work.message.text()
    assert panel.result.feature == H_HEIGHT, "what is shown stays"
    assert ice._chosen.sum() == 3
    panel.pairs.second.setCurrentIndex(1)
    settle(lambda: panel.pairs.pair is not None)
    contents.add(viewer, to_layers(model))  # that of the very run; but another is being asked
    settle(lambda: panel.models.count() == 4)
    assert panel.pixels.model is read
    assert panel.pairs.pair is not None


@pytest.mark.parametrize("kind", [BY_RULE, BY_SHAPE])
def test_regions_are_a_layer_on_each_flake_and_colour_the_curves(panel: ExplainPanel, viewer, settle, kind: str) -> None:
    samples = make_samples(flakes=2)
    explanation = make_explanation(samples, level=Level.DO_NOT_INTERPRET)
    take(panel, viewer, settle, make_model(samples), explanation)
    choose(panel, H_HEIGHT)
    panel.regions.kind.setCurrentText(kind)
    panel.regions.work.begin_button.click()
    settle(lambda: len(of_part(viewer, "effect")) == 2)
    labels, regions = panel.regions._known[H_HEIGHT, kind]
    count = len(regions)
    assert count > 1
    for flake, (layer, slope) in enumerate(zip(of_part(viewer, "effect"), of_part(viewer, "slope"), strict=True)):
        here = samples.flake == flake
        np.testing.assert_array_equal(layer.data[samples.row[here], samples.column[here]], labels[here])
        assert tuple(layer.translate) == tuple(slope.translate)
        assert layer.name.startswith("regions of 2LA(M) height · DO NOT INTERPRET")
    heights = [samples.features[labels == label, A_HEIGHT].mean() for label in range(1, count + 1)]
    assert heights == sorted(heights), "where A1' is high the slope is steep: that is the interaction"
    assert ("A1' height (counts) ≤" in panel.regions.words.text()) == (kind == BY_RULE)
    colours = panel.result.ice._curves.lines.get_colors()
    assert len({tuple(colour) for colour in colours}) == len(set(labels[explanation.pixels].tolist()))
    choose(panel, A_HEIGHT)
    assert not any(layer.visible for layer in of_part(viewer, "effect"))
    assert len(panel.result.ice._curves.lines.get_colors()) == 1
    choose(panel, H_HEIGHT)
    assert len(of_part(viewer, "effect")) == 2
    assert all(layer.visible for layer in of_part(viewer, "effect"))


def test_shapes_on_all_flakes_are_united_wherever_their_layer_was_moved_to(panel: ExplainPanel, viewer, settle) -> None:
    samples = make_samples(flakes=2)
    explanation = make_explanation(samples)
    take(panel, viewer, settle, explanation)
    panel.draw_button.click()
    (drawn,) = of_part(viewer, "drawn")
    assert viewer.layers.selection.active is drawn
    assert drawn.mode == "add_polygon_lasso"
    slopes = of_part(viewer, "slope")
    slopes[1].translate = (100.0, 50.0)  # apart from the first, so that each shape meets one flake
    drawn.translate = (3.0, 7.0)
    wanted = {0: ((4.5, 5.5), (8.5, 9.5)), 1: ((6.5, 7.5), (11.5, 12.5))}
    for flake, (low, high) in wanted.items():
        corners = [(low[0], low[1]), (low[0], high[1]), (high[0], high[1]), (high[0], low[1])]
        drawn.add([drawn.world_to_data(slopes[flake].data_to_world(corner)) for corner in corners], shape_type="polygon")
    row, column, flake = (getattr(samples, name)[explanation.pixels] for name in ("row", "column", "flake"))
    expected = np.zeros(len(explanation.pixels), dtype=bool)
    for which, (low, high) in wanted.items():
        expected |= (flake == which) & (row > low[0]) & (row < high[0]) & (column > low[1]) & (column < high[1])
    assert {0, 1} == set(flake[expected].tolist())
    ice = panel.result.ice
    settle(lambda: len(ice._picked.get_segments()) == expected.sum())
    np.testing.assert_array_equal(ice._chosen, expected)
    panel.follow(viewer, SimpleNamespace(position=slopes[0].data_to_world((8, 8))))  # a layer of shapes has no pixels
    assert len(ice._hovered.get_ydata())
    drawn.visible = False
    settle(lambda: not len(ice._picked.get_segments()))
    panel.draw_button.click()
    settle(lambda: len(ice._picked.get_segments()) == expected.sum())
    panel.clear_button.click()
    assert not len(drawn.data)
    assert not ice._picked.get_segments()
    drawn.translate = slopes[0].translate
    drawn.add(np.array([[2.0, 2.0], [2.0, 9.0], [9.0, 9.0], [9.0, 2.0]]), shape_type="ellipse")
    settle(lambda: len(ice._picked.get_segments()))
    rows, columns = np.indices(slopes[0].data.shape)
    np.testing.assert_array_equal(covered(drawn, slopes[0]), (rows - 5.5) ** 2 + (columns - 5.5) ** 2 < 3.5**2)
