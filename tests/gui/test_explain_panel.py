"""Explaining in the window: asked before what must not be interpreted, drawn, linked both ways with the flake, saved."""

from dataclasses import replace
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from learned import make_explanation, make_model, make_samples
from napari_wse2xai import io
from napari_wse2xai.data import Explanation, Level, Record, Samples, TrainedModel
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import shown_in, slope_layer, to_layers
from napari_wse2xai.stages import Explain
from watched import stamped

QUICK = Explain(target="height", grid=9, refits=4)


@pytest.fixture(scope="module")
def learnt(samples: Samples) -> TrainedModel:
    """A model with a real network, hardly trained."""
    from napari_wse2xai.learning.regressor import SpectralCNNRegressor

    network = SpectralCNNRegressor(samples.lines, max_epochs=2).fit(samples.features, samples.targets[:, 0])
    history = (Record("Train", {"recipe": {"kind": "one cycle", "epochs": 2}}, "0.1.0"),)
    return replace(make_model(samples), settings=network.settings(), weights={"height": network.state()}, history=history)


@pytest.fixture
def panel(viewer, qtbot) -> ExplainPanel:
    panel = ExplainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def shown(panel: ExplainPanel, viewer, explanation: Explanation, settle) -> ExplainPanel:
    """The panel with an explanation that came without its model."""
    contents.add(viewer, to_layers(explanation))
    settle(lambda: panel.pixels is not None)
    panel.show_map()
    return panel


def of_part(viewer, part: str):
    return next(layer for layer in viewer.layers if (is_ := shown_in(layer.metadata)) is not None and is_.part.startswith(part))


def test_explained_with_a_curve_for_every_pixel_and_tried_on_a_twin(panel: ExplainPanel, viewer, learnt: TrainedModel, settle) -> None:
    contents.add(viewer, to_layers(learnt))
    settle(panel.work.begin_button.isEnabled)
    panel.form.put(QUICK)
    panel.work.begin_button.click()
    settle(lambda: panel.result.explanation is not None, timeout=60_000)
    explanation = panel.result.explanation
    assert explanation is not None
    assert explanation.history[-1].settings["grid"] == 9
    settle(lambda: sum(layer.visible for layer in viewer.layers) == 3)  # RS, slope and PL, side by side
    settle(lambda: panel.pixels is not None and panel.pixels.exact)
    row, feature = len(learnt.samples) // 2, panel.result.feature
    curve, own = panel.pixels.curve(row, feature)
    column = learnt.samples.feature_names.index(explanation.features[feature])
    assert own == learnt.samples.features[row, column]
    kept = np.flatnonzero(explanation.pixels == row)
    if len(kept):
        np.testing.assert_allclose(curve, explanation.ice[feature, kept[0]], rtol=0.02)
    assert np.ptp(curve) >= 0
    settle(panel.recovery_test.work.begin_button.isEnabled)
    panel.recovery_test.work.begin_button.click()
    settle(panel.recovery_test.badge.isVisible, timeout=60_000)
    assert "law planted on these very parameter maps" in panel.recovery_test.badge.text()
    assert "Ranks of the four planted parameters among 9" in panel.recovery_test.words.text()


def test_it_asks_before_it_explains_what_must_not_be_interpreted_and_stamps_it(
    panel: ExplainPanel, viewer, learnt: TrainedModel, settle
) -> None:
    verdict = replace(learnt.verdicts[0], level=Level.DO_NOT_INTERPRET)
    contents.add(viewer, to_layers(replace(learnt, verdicts=(verdict,))))
    panel.form.put(QUICK)
    settle(panel.work.begin_button.isEnabled)
    assert not panel.anyway_button.isVisible()
    panel.work.begin_button.click()
    assert panel.anyway_button.isVisible()
    assert not panel.work.runner.busy
    assert "do not interpret" in panel.warning.text()
    panel.anyway_button.click()
    settle(lambda: panel.result.explanation is not None, timeout=60_000)
    assert not panel.anyway_button.isVisible()
    assert panel.result.explanation.stamp == "DO NOT INTERPRET"
    assert "stamped" in panel.work.message.text()
    layers = [layer for layer in viewer.layers if shown_in(layer.metadata).artefact is panel.result.explanation]
    assert layers
    assert all("DO NOT INTERPRET" in layer.name for layer in layers)
    for tab in range(panel.result.tabs.count()):
        panel.result.tabs.setCurrentIndex(tab)
        assert any(stamped(axes) for axes in panel.result.figure.axes)


def test_the_mouse_on_the_flake_shows_the_curve_of_its_pixel_at_once_and_all_is_saved(
    shown: ExplainPanel, viewer, explanation: Explanation, tmp_path
) -> None:
    samples, pixel = explanation.samples, explanation.pixels[7]
    place = (samples.row[pixel], samples.column[pixel])
    for part in ("slope", "RS ", "PL "):  # the same pixel on each of the three images
        layer = of_part(viewer, part)
        shown.result.ice.hover(None)
        shown.follow(viewer, SimpleNamespace(position=layer.data_to_world(place)))
        drawn = shown.result.ice._hovered.get_ydata()
        np.testing.assert_array_equal(drawn, explanation.ice[shown.result.feature, 7])
    shown.follow(viewer, SimpleNamespace(position=of_part(viewer, "slope").data_to_world((0, 0))))
    assert not len(shown.result.ice._hovered.get_ydata()), "no pixel was learnt there"
    layer = of_part(viewer, "slope")
    shown.result.ice.draw()
    took = []
    for pixel in range(20):
        began = perf_counter()
        shown.follow(viewer, SimpleNamespace(position=layer.data_to_world((samples.row[pixel], samples.column[pixel]))))
        QApplication.processEvents()
        took.append(perf_counter() - began)
    assert np.median(took) < 0.1
    shown.save("plot", tmp_path / "ice.svg")
    assert 'id="verdict"' in (tmp_path / "ice.svg").read_text(encoding="utf-8")
    shown.save("curves", tmp_path / "curves.csv")
    shown.save("slopes", tmp_path / "slopes.csv")
    assert len((tmp_path / "slopes.csv").read_text(encoding="utf-8").splitlines()) == 1 + len(explanation.samples)
    shown.save("netcdf", tmp_path / "explanation.nc")
    np.testing.assert_allclose(io.read_results(tmp_path / "explanation.nc").explanation.slope, explanation.slope)


def test_a_click_shows_the_map_a_lasso_where_and_a_painted_region_which(
    shown: ExplainPanel, viewer, explanation: Explanation, settle
) -> None:
    assert shown.result.table.item(0, 0).text() == "A1' height"
    count = len(viewer.layers)
    shown.result.table.setCurrentCell(1, 0)
    feature = explanation.ranking[1]
    layer = of_part(viewer, "slope")
    expected = explanation.samples.image(np.where(explanation.sure(feature), explanation.slope[feature], np.nan))
    np.testing.assert_array_equal(layer.data, expected)
    assert np.isnan(layer.data).sum() > np.isnan(explanation.samples.image(explanation.slope[feature])).sum()
    assert layer.contrast_limits[0] == -layer.contrast_limits[1]
    shown.only_sure.setChecked(False)
    np.testing.assert_array_equal(layer.data, explanation.samples.image(explanation.slope[feature]))
    assert len(viewer.layers) == count
    shown.beside.setChecked(False)
    assert [one for one in viewer.layers if one.visible] == [layer]
    assert shown.result.ice.figure.axes[0].get_xlabel().startswith(layer.name.split(" slope")[0])
    feature, ice = shown.result.feature, shown.result.ice
    x, curves = explanation.pdp_grid[feature], explanation.ice[feature]
    top, middle = curves[:, -1].max(), np.median(curves[:, -1])
    ice._on_lasso([(x[-2], middle), (x[-1], middle), (x[-1], top + 1), (x[-2], top + 1)])
    picked = len(ice._picked.get_segments())
    assert 0 < picked < len(curves)
    region = of_part(viewer, "region")
    samples, highest = explanation.samples, explanation.pixels[np.argmax(curves[:, -1])]
    assert region.data[samples.row[highest], samples.column[highest]] == 1
    assert set(np.unique(region.data)) == {0, 1}
    shown.clear_button.click()
    assert not region.data.any()
    assert not ice._picked.get_segments()
    shown.paint_button.click()
    assert viewer.layers.selection.active is region
    assert region.mode == "paint"
    lowest = explanation.pixels[3]
    region.brush_size = 1
    region.paint((float(samples.row[lowest]), float(samples.column[lowest])), 1)
    settle(lambda: len(ice._picked.get_segments()) == 1)
    np.testing.assert_array_equal(ice._picked.get_segments()[0][:, 1], curves[3])
    shown.result.table.setCurrentCell(2, 0)
    assert len(ice._picked.get_segments()) == 1, "what is picked stays picked"


def test_it_says_what_is_missing(panel: ExplainPanel, viewer, trained: TrainedModel, settle) -> None:
    assert panel.work.message.text().startswith("Train a network")
    contents.add(viewer, to_layers(trained))
    settle(panel.work.begin_button.isEnabled)
    assert panel.form.value().target == "height"
    panel.form.put(Explain(target="fwhm"))
    assert not panel.work.begin_button.isEnabled()
    assert "has not learnt PL fwhm" in panel.work.message.text()


def test_two_flakes_have_two_slope_maps_in_their_places() -> None:
    explanation = make_explanation(make_samples(flakes=2))
    first, second = (slope_layer(explanation, 0, flake) for flake in range(2))
    assert first[0].shape == explanation.samples.frames[0].shape
    assert second[0].shape == explanation.samples.frames[1].shape
    assert first[1]["translate"] != second[1]["translate"]
    assert second[1]["name"].endswith("flake 2")
