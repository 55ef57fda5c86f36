"""The chain driven by mouse in a real viewer: layers on their place, panels that follow, NaN that shows nothing."""

import warnings
from dataclasses import replace
from time import sleep

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from learned import make_explanation, make_model
from napari_wse2xai.data import AxisKind, Frame, PeakMaps, Results, SpectralMap, Status
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.gui import window
from napari_wse2xai.gui.contributions import get_reader, read_layers, triangle_raman
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.main_widget import MainWidget
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.session import contents
from napari_wse2xai.io import write_map, write_results
from napari_wse2xai.layers import light_layer, peak_layer, to_layers
from napari_wse2xai.stages import STAGES, Baseline, ConvertAxis, Deconvolve, Despike, FindFlake
from napari_wse2xai.stages.baseline import PiecewiseLinear
from napari_wse2xai.synthetic import make_flake


def names_of(viewer) -> list[str]:
    return [layer.name for layer in viewer.layers]


def run(panels: MainWidget, stage, settle) -> str:
    """Press Run in a panel, wait, and give its message."""
    panel = panels.panels[stage]
    panel.work.begin_button.click()
    settle(lambda: not panel.work.runner.busy)
    return panel.work.message.text()


@pytest.mark.own_window
def test_the_whole_chain_by_mouse(viewer, panels: MainWidget, settle, one_line, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    settle(panels.panels[FindFlake].work.begin_button.isEnabled)
    panels.panels[FindFlake].form.put(FindFlake(corner_size=2))
    panels.panels[Baseline].form.put(Baseline(method=PiecewiseLinear(areas=((205.0, 295.0),))))
    panels.panels[Deconvolve].form.put(one_line)

    assert run(panels, FindFlake, settle).startswith("The flake has 80 of 192 pixels")
    assert run(panels, Despike, settle).endswith("spectra.")
    assert run(panels, Baseline, settle) == "Done."
    assert run(panels, Deconvolve, settle).startswith("80 spectra fitted")

    (peaks,) = contents.all_peaks(viewer)
    assert [record.step for record in peaks.history if record.step != "read"] == ["FindFlake", "Despike", "Baseline", "Deconvolve"]
    assert np.nanmedian(peaks.position[0]) == pytest.approx(250.0, abs=0.05)
    assert {"small", "small · flake", "small · despiked", "small · above baseline", "A1' height (counts)"} <= set(names_of(viewer))
    visible_maps = [layer.name for layer in contents.map_layers(viewer) if layer.visible]
    assert visible_maps == ["small · above baseline"]
    assert len({tuple(layer.extent.world[:, -2:].ravel()) for layer in viewer.layers}) == 1


def test_the_steps_before_a_fit_are_missed_aloud_and_run_at_one_click(viewer, panels: MainWidget, settle, one_line, small) -> None:
    contents.add(viewer, to_layers(small))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    panels.panels[FindFlake].form.put(FindFlake(corner_size=2))
    panels.panels[Baseline].form.put(Baseline(method=PiecewiseLinear(areas=((205.0, 295.0),))))
    panels.panels[Deconvolve].form.put(one_line)
    offer = panels.before.chain
    assert not offer.isHidden()
    assert offer.words.text() == (
        "Not done yet on 'small': Find flake, Remove spikes, Baseline. Without a flake all 192 spectra are fitted."
    )
    offer.button.click()
    settle(lambda: contents.all_peaks(viewer) and not panels.panels[Deconvolve].work.runner.busy)
    (peaks,) = contents.all_peaks(viewer)
    assert [record.step for record in peaks.history] == ["FindFlake", "Despike", "Baseline", "Deconvolve"]
    assert int((peaks.status != Status.NOT_ON_FLAKE).sum()) == 80
    assert offer.isHidden(), "nothing is missing on the map that was made"
    viewer.layers.selection.active = viewer.layers["small"]
    settle(lambda: not offer.isHidden())
    assert offer.words.text() == "Not done yet on 'small': Remove spikes, Baseline."
    before, panel = len(contents.map_layers(viewer)), panels.panels[Baseline]
    panels.open_section(Baseline)
    assert panel.to_here.toolTip().startswith("Run Remove spikes, then Baseline,")
    assert panels.panels[Despike].to_here.isHidden(), "nothing is missing before"
    panel.to_here.click()
    settle(lambda: len(contents.map_layers(viewer)) == before + 2 and not panel.work.runner.busy)
    settle(panel.to_here.isHidden)
    assert [record.step for record in panel.chosen_map().history][-2:] == ["Despike", "Baseline"]


def test_a_chain_ends_where_a_step_fails(viewer, panels: MainWidget, settle, one_line, small) -> None:
    contents.add(viewer, to_layers(small))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    panels.panels[FindFlake].form.put(FindFlake(k=1000))
    panels.before.chain.button.click()
    settle(lambda: panels.said.text().startswith("Find flake: No flake was found"))
    settle()
    assert not any(panel.work.runner.busy for panel in panels.panels.values())
    assert names_of(viewer) == ["small"]


def test_peaks_in_ev_offer_to_convert_a_map_in_nm(viewer, panels: MainWidget, settle, light: SpectralMap) -> None:
    in_nm = ConvertAxis(to="nm")(light)
    contents.add(viewer, to_layers(in_nm))
    offer = panels.before.conversion
    settle(lambda: not offer.isHidden())
    assert offer.words.text() == "The peaks are in eV, 'light' is in nm."
    assert offer.button.text() == "Convert it to eV"
    offer.button.click()
    settle(lambda: len(contents.map_layers(viewer)) == 2 and offer.isHidden())
    np.testing.assert_allclose(panels.panels[Deconvolve].chosen_map().axis.values, light.axis.values)


def test_after_a_second_run_old_and_new_are_told_apart(viewer, panels: MainWidget, settle, one_line, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    panels.panels[Deconvolve].form.put(one_line)
    for _ in range(2):
        run(panels, Deconvolve, settle)
    assert [name for name in names_of(viewer) if "height" in name] == ["A1' height (counts) · replaced", "A1' height (counts)"]
    settle(lambda: panels.chooser.which.count() == 2)
    assert [panels.chooser.which.itemText(index)[:8] for index in (0, 1)] == ["replaced", "small: A"]
    contents.session(viewer).undo()
    assert [name for name in names_of(viewer) if "height" in name] == ["A1' height (counts)"]


def test_a_flake_mended_by_hand_is_what_is_fitted(viewer, panels: MainWidget, settle, one_line, small: SpectralMap) -> None:
    flake = np.zeros((12, 16), bool)
    flake[2:10, 3:13] = True
    source = replace(small, flake=flake)
    contents.add(viewer, to_layers(source))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    labels = viewer.layers["small · flake"]
    labels.data[2:10, 3:8] = 0
    panels.panels[Deconvolve].form.put(one_line)
    run(panels, Deconvolve, settle)
    (peaks,) = contents.all_peaks(viewer)
    np.testing.assert_array_equal(peaks.status != Status.NOT_ON_FLAKE, labels.data > 0)
    assert [(record.step, record.settings.get("changed")) for record in peaks.history][:1] == [("flake edited by hand", 40)]
    assert source.flake[2, 3], "the map itself stays as it was"


def test_a_user_s_mistake_stands_in_the_panel_and_the_layers_stay(viewer, panels: MainWidget, settle, one_line, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    settle(panels.panels[FindFlake].work.begin_button.isEnabled)
    before = names_of(viewer)
    panels.panels[FindFlake].form.put(FindFlake(k=1000))
    assert run(panels, FindFlake, settle).startswith("No flake was found in 'small'")
    assert names_of(viewer) == before
    assert panels.panels[FindFlake].work.begin_button.isEnabled()


def test_a_broken_stage_says_so_and_the_layers_stay(viewer, panels: MainWidget, settle, monkeypatch, capsys, small: SpectralMap) -> None:
    monkeypatch.setattr(notification_manager, "receive_error", lambda *_: None)
    monkeypatch.setattr(Despike, "run", lambda *_: (_ for _ in ()).throw(RuntimeError("out of memory")))
    contents.add(viewer, to_layers(small))
    settle(panels.panels[Despike].work.begin_button.isEnabled)
    assert "out of memory" in run(panels, Despike, settle)
    assert "Traceback" in capsys.readouterr().err
    assert names_of(viewer) == ["small"]
    assert panels.panels[Despike].work.begin_button.isEnabled()


def test_cancel_leaves_everything_as_it_was(viewer, panels: MainWidget, settle, monkeypatch, qtbot, small: SpectralMap) -> None:
    def endless(self, source, progress):
        while True:
            sleep(0.005)
            progress(0.3, "going on")

    monkeypatch.setattr(Despike, "run", endless)
    contents.add(viewer, to_layers(small))
    panel = panels.panels[Despike]
    settle(panel.work.begin_button.isEnabled)
    panel.work.begin_button.click()
    settle(lambda: panel.work.bar.value() == 30)
    assert not panel.work.begin_button.isEnabled()
    with qtbot.waitSignal(panel.work.runner.cancelled, timeout=500):
        panel.work.cancel_button.click()
    assert panel.work.message.text() == "Cancelled; the layers are as they were."
    assert names_of(viewer) == ["small"]
    assert panel.work.begin_button.isEnabled()
    assert not panel.work.cancel_button.isEnabled()


def test_run_is_off_without_a_map_and_with_wrong_settings(viewer, panels: MainWidget, settle, small: SpectralMap) -> None:
    panel = panels.panels[FindFlake]
    assert not panel.work.begin_button.isEnabled()
    assert "Open a map" in panel.work.message.text()
    contents.add(viewer, to_layers(small))
    settle(panel.work.begin_button.isEnabled)
    panel.form._inputs["k"].widget.value = "-1"
    assert not panel.work.begin_button.isEnabled()
    assert panel.work.message.text() == "Threshold k: Input should be greater than 0."
    panel.form._inputs["k"].widget.value = "4"
    assert panel.work.begin_button.isEnabled()
    viewer.layers.clear()
    settle(lambda: not panel.work.begin_button.isEnabled())


def test_the_preset_follows_the_kind_of_map(viewer, panels: MainWidget, settle, small: SpectralMap, light: SpectralMap) -> None:
    contents.add(viewer, to_layers(light))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    assert [peak.shape for peak in panels.panels[Deconvolve].form.value().peaks] == ["gaussian"]
    viewer.layers.clear()
    contents.add(viewer, to_layers(small))
    settle(lambda: len(panels.panels[Deconvolve].form.value().peaks) == 10)


def test_what_is_set_before_a_map_is_opened_stays(viewer, panels: MainWidget, settle, small: SpectralMap) -> None:
    finding = panels.panels[FindFlake]
    changed = finding.form.value().model_copy(update={"k": 7.5})
    finding.form.put(changed)
    contents.add(viewer, to_layers(small))
    settle(finding.work.begin_button.isEnabled)
    assert finding.form.value() == changed


def test_a_preset_without_settings_for_the_map_is_told(viewer, panels: MainWidget, settle, light: SpectralMap, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", told.append)
    contents.add(viewer, to_layers(light))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    before = panels.panels[Deconvolve].form.value()
    panels.preset.setCurrentText("graphene-532")
    assert [text.partition(" has no settings")[0] for text in told] == ["The preset graphene-532"]
    assert panels.panels[Deconvolve].form.value() == before


def test_the_presets_begin_with_the_default(panels: MainWidget) -> None:
    assert [panels.preset.itemText(k) for k in (0, 1, panels.preset.count() - 1)] == ["wse2-532", "wse2-633", "paper-2023"]


def test_the_panels_turn_to_a_map_that_has_just_come_and_keep_a_choice_by_hand(
    viewer, panels: MainWidget, settle, small: SpectralMap, light: SpectralMap
) -> None:
    panel = panels.panels[Despike]
    contents.add(viewer, to_layers(small))
    settle(lambda: panel.chosen_map() is small)
    contents.add(viewer, to_layers(light))
    settle(lambda: panel.chosen_map() is light)
    panel.source.setCurrentIndex(0)
    viewer.add_image(np.zeros((3, 3)), units=("um", "um"))
    settle()
    assert panel.chosen_map() is small


def test_every_stage_has_its_panel(panels: MainWidget) -> None:
    assert tuple(panels.panels) == STAGES


def test_any_peak_map_is_one_tick_away_and_only_one_is_seen(
    viewer, panels: MainWidget, settle, small_peaks: PeakMaps, small: SpectralMap
) -> None:
    contents.add(viewer, [*to_layers(small), *to_layers(small_peaks)])
    settle(lambda: panels.chooser.table.rowCount() == 2)
    position, height = panels.chooser.table.item(0, 0), panels.chooser.table.item(0, 2)
    assert (position.checkState(), height.checkState()) == (Qt.Unchecked, Qt.Checked)
    position.setCheckState(Qt.Checked)
    settle()
    seen = [layer.name for layer in viewer.layers if layer.visible and isinstance(contents.shown(layer).artefact, PeakMaps)]
    assert seen == ["A1' position (cm⁻¹)"]
    np.testing.assert_array_equal(viewer.layers[seen[0]].data, small_peaks.position[0])
    assert panels.chooser.table.item(0, 2).checkState() == Qt.Unchecked
    panels.chooser.table.item(0, 2).setCheckState(Qt.Checked)  # hidden, not gone: it comes back
    settle()
    assert viewer.layers["A1' height (counts)"].visible
    assert not viewer.layers[seen[0]].visible
    viewer.layers[seen[0]].visible = True  # napari's own eye
    assert panels.chooser.table.item(0, 0).checkState() == Qt.Checked
    panels.chooser.table.item(0, 0).setCheckState(Qt.Unchecked)
    settle()
    assert seen[0] not in names_of(viewer)


def test_a_tick_leaves_alone_what_is_hidden_already(viewer, panels: MainWidget, settle, small_peaks: PeakMaps, small: SpectralMap) -> None:
    """napari takes some 50 ms to hide a layer, hidden or not: with two dozen maps a tick took a second."""
    contents.add(viewer, [*to_layers(small), *to_layers(small_peaks), *(peak_layer(small_peaks, 0, name) for name in ("fwhm", "position"))])
    for layer in viewer.layers[2:]:
        layer.visible = False
    settle(lambda: panels.chooser.table.rowCount() == 2)
    told: list[str] = []
    for layer in viewer.layers:
        layer.events.visible.connect(lambda event: told.append(event.source.name))
    panels.chooser.table.item(0, 1).setCheckState(Qt.Checked)
    settle()
    assert told == ["A1' FWHM (cm⁻¹)"]


@pytest.mark.own_window
def test_two_lights_are_seen_in_a_light_window(viewer, small_peaks: PeakMaps) -> None:
    """On the canvas itself: what adds up is lost on white."""
    viewer.theme = "light"
    viewer.window.resize(800, 600)
    viewer.window._qt_window.show()
    contents.session(viewer)
    contents.add(viewer, [light_layer(small_peaks, "green")])
    viewer.reset_view()
    QApplication.processEvents()
    picture = viewer.screenshot(flash=False)[..., :3].astype(int)
    red, green, blue = picture[picture.shape[0] // 2, picture.shape[1] // 2]
    assert green > 100
    assert red == blue == 0
    viewer.layers.clear()
    QApplication.processEvents()
    assert viewer.screenshot(flash=False)[10, 10, :3].min() > 200, "the canvas is the theme's again"


def test_a_message_is_not_said_twice(viewer, panels: MainWidget, settle, small: SpectralMap) -> None:
    panels.show()
    contents.add(viewer, to_layers(small))
    settle(panels.panels[FindFlake].work.begin_button.isEnabled)
    panels.panels[FindFlake].form.put(FindFlake(k=1000))
    run(panels, FindFlake, settle)
    assert panels.said.text().startswith("Find flake: No flake was found")
    assert not panels.said.isVisible(), "the open panel says it"
    panels.open_section(Despike)
    assert panels.said.isVisible()


def test_a_step_that_is_opened_by_its_head_comes_into_view(panels: MainWidget, settle) -> None:
    panels.show()
    panels.resize(400, 500)
    panels.open_section(Deconvolve)
    section = panels.sections[ExplainPanel]
    settle()
    section.toggleButton().click()
    settle(lambda: section.isExpanded() and section.visibleRegion().boundingRect().height() > 300)
    assert panels.sections[Deconvolve].isExpanded(), "what was open stays"


def test_errors_are_maps_too(viewer, panels: MainWidget, settle, small_peaks: PeakMaps) -> None:
    contents.add(viewer, to_layers(small_peaks))
    settle(lambda: panels.chooser.table.rowCount() == 2)
    panels.chooser.errors.setChecked(True)
    panels.chooser.table.item(0, 1).setCheckState(Qt.Checked)
    settle()
    np.testing.assert_array_equal(viewer.layers["A1' FWHM error (cm⁻¹)"].data, small_peaks.fwhm_error[0])


@pytest.mark.own_window
def test_nan_shows_what_lies_below(viewer, small_peaks: PeakMaps) -> None:
    """In the canvas itself: napari draws NaN as the lowest colour where a colormap or driver lets it."""
    viewer.window.resize(800, 600)
    viewer.window._qt_window.show()
    holed = small_peaks.height.copy()
    holed[:, :, :8] = np.nan
    green = np.ones((12, 16), np.float32)
    ((data, keywords, _),) = [peak_layer(replace(small_peaks, height=holed), 0, "height")]
    place = {name: keywords[name] for name in ("scale", "translate", "units")}
    viewer.add_image(green, colormap="green", contrast_limits=(0, 1), **place)
    viewer.add_image(data, **keywords)
    viewer.reset_view()
    QApplication.processEvents()
    picture = viewer.screenshot(flash=False)
    middle = picture.shape[0] // 2
    assert tuple(picture[middle, picture.shape[1] // 2 - 30, :3]) == (0, 255, 0)
    assert tuple(picture[middle, picture.shape[1] // 2 + 30, :3]) != (0, 255, 0)


@pytest.mark.own_window
def test_a_marked_corner_stays_in_its_corner_on_the_canvas(viewer) -> None:
    """An instrument with y upwards must not come out mirrored."""
    viewer.window._qt_window.show()
    counts = np.zeros((12, 16, 5), np.float32)
    counts[:6, :8] = 100  # top left, as the instrument draws it
    frame = Frame((12, 16), (-0.5, 0.5), (40.0, 3.0))
    contents.add(viewer, to_layers(SpectralMap.from_arrays(counts, np.arange(5.0) + 200, AxisKind.RAMAN_SHIFT, frame=frame)))
    viewer.reset_view()
    QApplication.processEvents()
    picture = viewer.screenshot(flash=False)[..., 0].astype(int)
    y, x = picture.shape[0] // 2, picture.shape[1] // 2
    assert picture[y - 30, x - 30] > 200
    assert max(picture[y + 30, x - 30], picture[y - 30, x + 30], picture[y + 30, x + 30]) < 50


def test_raman_and_pl_share_the_canvas_and_the_slider_is_the_current_map_s(viewer, small: SpectralMap, light: SpectralMap, capsys) -> None:
    contents.add(viewer, to_layers(small))
    viewer.dims.set_point(0, 233.0)
    contents.add(viewer, to_layers(light))
    raman, pl = contents.map_layers(viewer)
    assert [layer.data.shape for layer in (raman, pl)] == [(101, 12, 16), (61, 12, 16)]
    assert np.shares_memory(raman.data, small.counts)
    assert viewer.dims.axis_labels == ("energy", "y", "x")
    assert [str(unit) for unit in viewer.layers.units] == ["electron_volt", "micrometer", "micrometer"]
    assert viewer.dims.point[0] == pytest.approx(1.65, abs=0.01), "the new map begins where its flake stands out"
    viewer.dims.set_point(0, 1.6)
    np.testing.assert_array_equal(pl._slice.image.raw, light.counts[..., 20])
    assert not raman._slice.empty
    viewer.layers.selection.active = raman
    assert viewer.dims.axis_labels == ("Raman shift", "y", "x")
    assert viewer.dims.point[0] == pytest.approx(233.0)
    np.testing.assert_array_equal(raman._slice.image.raw, small.counts[..., 33])
    assert not pl._slice.empty
    viewer.layers.selection.active = pl
    assert viewer.dims.point[0] == pytest.approx(1.6, abs=0.0025)
    assert "Inconsistent units" not in "".join(capsys.readouterr())


def test_a_map_keeps_its_looks_its_place_and_its_channel_when_another_kind_joins(viewer, small: SpectralMap, light: SpectralMap) -> None:
    (layer,) = contents.add(viewer, to_layers(small))
    layer.colormap, layer.translate, layer.scale = "magma", (200, 3, 4), (1, 2, 3)
    layer.affine = np.array([[1, 0, 0, 0], [0, 0.6, -0.8, 5], [0, 0.8, 0.6, -9], [0, 0, 0, 1.0]])
    corner = layer.data_to_world((0, 11, 15))[-2:]
    viewer.dims.set_point(0, 250)
    contents.add(viewer, to_layers(light))
    assert contents.map_layers(viewer)[0] is layer
    assert layer.colormap.name == "magma"
    assert layer.data_to_world((0, 11, 15))[-2:] == pytest.approx(corner)
    viewer.layers.selection.active = layer
    assert viewer.dims.point[0] == pytest.approx(250)


def test_one_map_is_current_for_spectrum_slider_and_every_panel(viewer, panels: MainWidget, settle, small, light) -> None:
    spectrum = SpectrumView(viewer)
    contents.add(viewer, to_layers(small))
    contents.add(viewer, to_layers(light))
    raman, pl = contents.map_layers(viewer)

    def everywhere() -> set[str]:
        chosen = {panel.chosen_map().name for panel in panels.panels.values()}
        return {spectrum.source.name, contents.map_of(contents.current(viewer).layer).name, *chosen}

    settle(lambda: everywhere() == {"light"})
    viewer.layers.selection.active = raman
    settle(lambda: everywhere() == {"small"})
    picker = panels.panels[Despike].source
    picker.setCurrentIndex(picker.findText("light"))
    settle(lambda: everywhere() == {"light"})
    assert (raman.visible, pl.visible) == (False, True)
    picker.setCurrentIndex(picker.findText("small"))
    settle(lambda: everywhere() == {"small"})
    assert (raman.visible, pl.visible) == (True, False)
    viewer.add_shapes(name="drawn by hand")
    settle(lambda: everywhere() == {"small"})
    spectrum.close()


def test_a_map_s_layer_that_holds_a_picture_now_lets_others_come(viewer, panels: MainWidget, settle, small, light) -> None:
    (layer,) = contents.add(viewer, to_layers(small))
    settle()
    layer.data = np.asarray(layer.data).mean(axis=0)
    (other,) = contents.add(viewer, to_layers(light))
    settle()
    assert (other.ndim, other.axis_labels[0]) == (3, "energy")
    viewer.layers.selection.active = layer
    settle()
    assert contents.current(viewer).layer is layer
    assert panels.panels[FindFlake].chosen_map() is small
    viewer.layers.remove(layer)
    settle()
    assert contents.current(viewer).layer is other


def test_a_second_search_takes_the_first_flake_off_the_canvas(viewer, panels: MainWidget, settle, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    panel = panels.panels[FindFlake]
    settle(panel.work.begin_button.isEnabled)
    for k in (5.0, 50.0):
        panel.form.put(FindFlake(corner_size=2, k=k))
        run(panels, FindFlake, settle)
    flakes = [layer for layer in viewer.layers if contents.shown(layer).part == "flake"]
    assert [layer.visible for layer in flakes] == [False, True]


def test_pl_of_the_same_sample_is_worked_on_and_not_its_raman_map(viewer, panels: MainWidget, settle) -> None:
    """The README's own way: the sample's RS with its flake is there, then its PL comes, and Run is pressed."""
    sample = make_flake("triangle", shape_px=(18, 20), seed=1)
    contents.add(viewer, to_layers(sample.raman))
    settle(panels.panels[FindFlake].work.begin_button.isEnabled)
    panels.panels[FindFlake].form.put(FindFlake(corner_size=2))
    run(panels, FindFlake, settle)
    contents.add(viewer, to_layers(sample.pl))
    settle(lambda: panels.panels[FindFlake].chosen_map() is sample.pl)
    run(panels, FindFlake, settle)
    found = contents.of_kind(viewer, SpectralMap)[-1]
    assert found.name == sample.pl.name and np.array_equal(found.axis.values, sample.pl.axis.values)
    assert found.flake is not None and found.flake.any()


def test_a_warning_about_the_data_stands_beside_the_result(viewer, panels: MainWidget, settle, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    panel = panels.panels[FindFlake]
    settle(panel.work.begin_button.isEnabled)

    def bright(settings, source, progress):
        warnings.warn("The corner is bright.", DataWarning, stacklevel=1)
        return replace(source, flake=np.ones((12, 16), bool))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FindFlake, "run", bright)
        words = run(panels, FindFlake, settle)
    assert words.startswith("The flake has 192 of 192 pixels")
    assert words.endswith("The corner is bright.")


def test_a_converted_map_joins_the_one_it_came_from(viewer, panels: MainWidget, settle, small: SpectralMap) -> None:
    contents.add(viewer, to_layers(small))
    settle(panels.panels[ConvertAxis].work.begin_button.isEnabled)
    panels.panels[ConvertAxis].form.put(ConvertAxis(to="nm"))
    assert run(panels, ConvertAxis, settle) == "Done."
    assert viewer.layers.units is not None
    assert [layer.data.shape[1:] for layer in contents.map_layers(viewer)] == [(12, 16), (12, 16)]


def test_a_file_dropped_on_the_window_becomes_a_layer_with_units(viewer, tmp_path, small: SpectralMap) -> None:
    path = tmp_path / "small.nc"
    write_map(small, path)
    viewer.open(str(path), plugin="napari-wse2xai")
    (layer,) = viewer.layers
    assert layer.data.shape == (101, 12, 16)
    assert [str(unit) for unit in layer.units] == ["1 / centimeter", "micrometer", "micrometer"]
    np.testing.assert_array_equal(contents.map_of(layer).counts, small.counts)


def test_the_first_map_that_is_dropped_begins_where_its_line_is(viewer, tmp_path, settle) -> None:
    """At 12 of 100 cm-1 above the start, far from the middle of the axis, where there is nothing; a second one moves no slider."""
    axis = 100.0 + np.arange(101)
    counts = 5.0 + 100 * np.exp(-(((axis - 112) / 3) ** 2)) * np.indices((4, 5))[0][..., None]
    for name in ("one", "two"):
        write_map(
            SpectralMap.from_arrays(counts if name == "one" else counts[..., ::-1], axis, AxisKind.RAMAN_SHIFT), tmp_path / f"{name}.nc"
        )
    viewer.open(str(tmp_path / "one.nc"), plugin="napari-wse2xai")
    settle(lambda: viewer.dims.point[0] == pytest.approx(112, abs=1.5))
    viewer.dims.set_point(0, 150.0)
    viewer.open(str(tmp_path / "two.nc"), plugin="napari-wse2xai")
    settle(lambda: len(viewer.layers) == 2)
    assert viewer.dims.point[0] == pytest.approx(150, abs=1)


def test_a_map_is_saved_from_its_layer(viewer, tmp_path, small: SpectralMap) -> None:
    from napari_wse2xai.io import read

    contents.add(viewer, to_layers(small))
    viewer.layers[0].save(str(tmp_path / "saved.nc"), plugin="napari-wse2xai")
    np.testing.assert_array_equal(read(tmp_path / "saved.nc").counts, small.counts)


def test_a_file_that_cannot_be_read_is_one_sentence_and_no_layer(tmp_path, monkeypatch) -> None:
    told = []
    monkeypatch.setattr("napari.utils.notifications.show_error", told.append)
    bad = tmp_path / "bad.nc"
    bad.write_bytes(b"not a NetCDF file")
    assert read_layers(str(bad)) == []
    (sentence,) = told
    assert "bad.nc" in sentence
    assert "\n" not in sentence


def test_only_known_files_are_read() -> None:
    assert get_reader("map.txt.gz") is not None
    assert get_reader(["map.wip"]) is not None
    assert get_reader("photo.png") is None


def test_the_samples_open(viewer) -> None:
    viewer.open_sample("napari-wse2xai", "star-pl")
    assert viewer.dims.axis_labels == ("energy", "y", "x")
    ((data, keywords, _),) = triangle_raman()
    assert keywords["axis_labels"] == ("energy", "y", "x"), "made to fit the window that shows a PL map"
    assert data.ndim == 3


def test_a_window_is_furnished_and_its_picture_shows_what_was_explained(make_napari_viewer, tmp_path, monkeypatch, samples) -> None:
    from PIL import Image

    seen, save = [], window.save_picture

    def saved(viewer, target) -> None:
        save(viewer, target)
        (chosen,) = viewer.layers.selection
        seen.append((chosen.name, {layer.name for layer in viewer.layers if layer.visible}))

    monkeypatch.setattr(window, "save_picture", saved)
    write_results(Results({}, model=make_model(samples), explanation=make_explanation(samples)), tmp_path / "results.nc")
    window.screenshot([tmp_path / "results.nc"], tmp_path / "picture.png")
    picture = np.asarray(Image.open(tmp_path / "picture.png"))
    assert picture.shape[0] >= 800
    assert picture.shape[1] >= 1200
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 100
    ((chosen, visible),) = seen
    assert "slope" in chosen
    assert chosen in visible
    assert len(visible) == 3, "RS, slope and PL, side by side"
