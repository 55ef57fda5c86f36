"""The docks as napari's Plugins menu opens them, and what they say."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from napari.utils._proxies import PublicOnlyProxy
from npe2 import PluginManifest
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QLabel
from superqt.utils import WorkerBase

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.gui.main_widget import MainWidget
from napari_wse2xai.gui.maps.peak_chooser import legend
from napari_wse2xai.gui.parts.message_label import BAD, INKS, QUIET, MessageLabel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.io import write_map, write_results
from napari_wse2xai.layers import status_layer, to_layers
from napari_wse2xai.stages import Deconvolve, FindFlake

PLUGIN = "napari-wse2xai"


@pytest.mark.own_window
def test_each_dock_works_on_its_own_in_a_plain_napari(viewer, settle, small) -> None:
    _, spectrum = viewer.window.add_plugin_dock_widget(PLUGIN, "Spectrum under the mouse")
    contents.add(viewer, to_layers(small))
    settle(lambda: spectrum.pixel is not None)
    viewer.window.remove_dock_widget("all")
    assert not viewer.mouse_move_callbacks
    _, panels = viewer.window.add_plugin_dock_widget(PLUGIN, "Raman & PL maps")
    settle(panels.panels[FindFlake].work.begin_button.isEnabled)
    assert panels.panels[FindFlake].chosen_map() is small


def test_a_map_that_takes_the_place_of_another_shows_its_line_at_once(viewer, settle, small) -> None:
    """Left at the middle of the axis, where there is no line, the canvas is black; where the user has put the slider it stays."""
    one_sided = SpectralMap.from_arrays(small.counts[..., 30:], small.axis.values[30:], small.axis.kind, frame=small.frame)
    viewer.window.add_plugin_dock_widget(PLUGIN, "Raman & PL maps")
    for _ in range(2):
        contents.add(viewer, to_layers(one_sided))
        settle(lambda: round(viewer.dims.point[0]) == 250)
        viewer.layers.clear()
    contents.add(viewer, to_layers(one_sided))
    settle(lambda: round(viewer.dims.point[0]) == 250)
    viewer.dims.set_point(0, 272.0)
    contents.add(viewer, to_layers(replace(one_sided, name="again")))
    settle(lambda: len(viewer.layers) == 2)
    assert round(viewer.dims.point[0]) == 272


@pytest.mark.own_window
def test_a_closed_dock_hears_of_nothing(viewer, settle, small) -> None:
    contents.session(viewer)  # hears of layers as long as there is a window
    before = [len(emitter.callbacks) for emitter in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.dims.events.point)]
    viewer.window.add_plugin_dock_widget(PLUGIN, "Raman & PL maps")
    viewer.window.add_plugin_dock_widget(PLUGIN, "Spectrum under the mouse")
    viewer.window.remove_dock_widget("all")
    after = [len(emitter.callbacks) for emitter in (viewer.layers.events.inserted, viewer.layers.events.removed, viewer.dims.events.point)]
    assert after == before


@pytest.mark.own_window
@pytest.mark.parametrize("title", sorted(each.display_name for each in PluginManifest.from_distribution(PLUGIN).contributions.widgets))
def test_no_dock_works_on_the_proxy_that_napari_hands_it(viewer, title: str) -> None:
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, title)
    parts = [dock, *dock.findChildren(QObject)]
    held = [value for part in parts for value in getattr(part, "__dict__", {}).values()]
    assert any(one is viewer for one in held)
    assert not [one for one in held if isinstance(one, PublicOnlyProxy)]


def test_a_peak_map_that_is_ticked_in_a_dock_is_seen_and_alone(viewer, settle, small, small_peaks) -> None:
    _, panels = viewer.window.add_plugin_dock_widget(PLUGIN, "Raman & PL maps")
    contents.add(viewer, to_layers(small))
    contents.add(viewer, to_layers(small_peaks))
    settle(lambda: panels.chooser.table.rowCount() > 0)
    panels.chooser.table.item(0, 0).setCheckState(Qt.Checked)
    settle()
    seen = [layer.name for layer in viewer.layers if layer.visible and isinstance(contents.shown(layer).artefact, PeakMaps)]
    assert seen == ["A1' position (cm⁻¹)"]


@pytest.mark.own_window
def test_a_closed_dock_ends_with_what_runs_in_it_and_opens_anew(viewer, settle, small, qtbot) -> None:
    _, panels = viewer.window.add_plugin_dock_widget(PLUGIN, "Raman & PL maps")
    gone: list[str] = []
    panels.destroyed.connect(lambda: gone.append("panels"))
    contents.add(viewer, to_layers(small))
    released = threading.Event()
    panels.saving.runner.start(lambda progress: (released.wait(20), progress(0.5, "half"))[0], "a long work")
    with qtbot.captureExceptions() as broken:
        viewer.window.remove_dock_widget("all")
        settle(lambda: bool(gone))
        released.set()
        settle(lambda: not WorkerBase._worker_set)
    assert not broken
    _, again = viewer.window.add_plugin_dock_widget(PLUGIN, "Raman & PL maps")
    assert again is not panels
    assert again.parent() is not None


def test_labspec_text_and_results_open_through_the_manifest(viewer, tmp_path, small, small_peaks) -> None:
    text, results = tmp_path / "map.txt", tmp_path / "results.nc"
    rows = "".join(f"{y}\t{x}\t1\t2\t{x + 10 * y}\n" for y in (0, 1) for x in (0, 1, 2))
    text.write_text(f"#AxisUnit[1]=\tcm-1\n#AxisType[2]=X\n#AxisType[3]=Y\n\t\t100\t101\t102\n{rows}", encoding="latin-1")
    (layer,) = viewer.open(text, plugin=PLUGIN)
    assert layer.data.shape == (3, 2, 3)
    assert layer.data[2, 1, 2] == 12
    viewer.layers.clear()
    from napari_wse2xai.data import Results

    write_results(Results({"raman": small}, {"raman": small_peaks}), results)
    viewer.open(results, plugin=PLUGIN)
    (peaks,) = contents.all_peaks(viewer)
    np.testing.assert_array_equal(peaks.position, small_peaks.position)


def test_a_broken_file_is_one_notification_and_no_layer(viewer, tmp_path, small, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("napari.utils.notifications.show_error", told.append)
    path = tmp_path / "map.nc"
    write_map(small, path)
    path.write_bytes(path.read_bytes()[:700])
    viewer.open(path, plugin=PLUGIN)
    assert not viewer.layers
    assert len(told) == 1
    assert "map.nc" in told[0]


def test_settings_typed_for_raman_come_back_after_a_look_at_pl(viewer, qtbot, settle, small, light) -> None:
    panels = MainWidget(viewer)
    qtbot.addWidget(panels)
    contents.add(viewer, to_layers(small))
    panel, other = panels.panels[FindFlake], panels.panels[Deconvolve]
    settle(lambda: panel.chosen_map() is small)
    typed = panel.form.value().model_copy(update={"k": 7.5})
    panel.form.put(typed)
    contents.add(viewer, to_layers(light))
    settle(lambda: panel.chosen_map() is light)
    assert panel.form.value() != typed
    panel.source.setCurrentIndex(0)  # this panel only
    assert panel.form.value() == typed
    assert [peak.shape for peak in other.form.value().peaks] == ["gaussian"]
    assert "Window (cm⁻¹)" in [label.text() for label in panel.form.findChildren(QLabel)]


def test_what_came_of_a_run_is_read_when_its_fold_is_closed(viewer, qtbot, settle, small) -> None:
    panels = MainWidget(viewer)
    qtbot.addWidget(panels)
    contents.add(viewer, to_layers(small))
    panel = panels.panels[FindFlake]
    panel.form.put(FindFlake(window=(235, 265), corner_size=2))
    settle(panel.work.begin_button.isEnabled)
    panel.form.put(FindFlake(window=(235, 265), corner_size=2))
    panel.work.begin_button.click()
    assert panel.work.message.text()
    settle(lambda: not panel.work.runner.busy)
    assert panels.said.text().startswith("Find flake: The flake has 80 of 192 pixels")


def test_words_can_be_read_in_both_themes(viewer, qtbot) -> None:
    label = MessageLabel(viewer)
    qtbot.addWidget(label)
    label.say("oops", BAD)
    assert INKS["dark"][BAD] in label.styleSheet()
    viewer.theme = "light"
    label.say("fine")
    assert INKS["light"][QUIET] in label.styleSheet()
    for ground, level in (("dark", 36), ("light", 231)):
        for ink in INKS[ground].values():
            assert contrast(ink, level) > 4.5, (ground, ink)


def contrast(ink: str, level: int) -> float:
    """Ratio of the WCAG between an ink and a grey ground."""
    values = np.array([[int(ink[k : k + 2], 16) for k in (1, 3, 5)], [level] * 3]) / 255
    linear = np.where(values <= 0.04, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    low, high = sorted(linear @ (0.2126, 0.7152, 0.0722))
    return float((high + 0.05) / (low + 0.05))


def test_the_legend_counts_what_the_status_map_shows(viewer, small_peaks) -> None:
    words = legend(small_peaks)
    for status in np.unique(small_peaks.status):
        assert f": {int((small_peaks.status == status).sum())}" in words
    data, keywords, _ = status_layer(small_peaks)
    layer = viewer.add_labels(data, **keywords)
    assert layer.colormap.map(np.zeros(1, np.uint8))[0] == pytest.approx([0x2F / 255, 0x9E / 255, 0x5F / 255, 1], abs=0.01)


@pytest.mark.own_window
def test_the_window_answers_while_a_deconvolution_runs(viewer, qtbot, settle, clean_raman, deconvolve) -> None:
    deconvolve.model_copy(update={"peaks": deconvolve.peaks[:1]})(clean_raman)  # torch is loaded
    panels = MainWidget(viewer)
    qtbot.addWidget(panels)
    contents.add(viewer, to_layers(clean_raman))
    panel = panels.panels[Deconvolve]
    settle(panel.work.begin_button.isEnabled)
    panel.form.put(deconvolve)
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(clock()))
    timer.start(5)
    panel.work.begin_button.click()
    results: list[object] = []
    panel.work.runner.finished.connect(results.append)
    began = clock()
    settle(lambda: results)
    timer.stop()
    running = [beat for beat in beats if began <= beat]
    assert len(running) > 10
    assert np.percentile(np.diff(running), 95) < 0.25


def clock() -> float:
    from time import perf_counter

    return perf_counter()
