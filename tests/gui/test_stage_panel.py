"""A panel that runs a stage: what there is of a long deconvolution is seen before it ends."""

from threading import current_thread, main_thread

import numpy as np
import pytest

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.gui.maps import stage_panel
from napari_wse2xai.gui.maps.stage_panel import StagePanel
from napari_wse2xai.gui.parts import run
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Deconvolve, _pixels


@pytest.fixture
def panel(viewer, qtbot, monkeypatch, small: SpectralMap, one_line: Deconvolve) -> StagePanel:
    monkeypatch.setattr(_pixels, "CHUNK", 64)
    monkeypatch.setattr(run, "PAUSE", 0.0)
    made = StagePanel(viewer, Deconvolve)
    qtbot.addWidget(made)
    contents.add(viewer, to_layers(small))
    made.refresh()
    made.form.put(one_line)
    return made


def test_partial_maps_are_seen_while_a_deconvolution_runs_and_go_when_it_ends(viewer, panel: StagePanel, settle) -> None:
    shown = []
    panel.work.runner.showed.connect(
        lambda so_far: shown.append((so_far, "small · A1' height so far" in [la.name for la in viewer.layers]))
    )
    panel.run()
    settle(lambda: not panel.work.runner.busy, timeout=120_000)  # the first fit of a process loads what it needs
    known = [int(np.isfinite(so_far.values).sum()) for so_far, _ in shown]
    assert known == [64, 128]
    assert all(seen for _, seen in shown)
    assert not [layer for layer in viewer.layers if "so far" in layer.name]
    assert "192 spectra fitted" in panel.work.message.text()


def test_cancel_takes_partial_maps_off(viewer, panel: StagePanel, settle) -> None:
    panel.work.runner.showed.connect(lambda so_far: panel.work.runner.cancel())
    before = [layer.name for layer in viewer.layers]
    panel.run()
    settle(lambda: not panel.work.runner.busy)
    assert [layer.name for layer in viewer.layers] == before
    assert "Cancelled" in panel.work.message.text()


def test_layers_are_reckoned_in_the_thread_of_the_work_and_come_one_per_turn(viewer, panel: StagePanel, settle, monkeypatch) -> None:
    threads, happened = [], []
    monkeypatch.setattr(stage_panel, "to_layers", lambda result: threads.append(current_thread()) or to_layers(result))
    viewer.layers.events.inserted.connect(come := lambda event: happened.append(event.value.name))
    viewer.layers.selection.events.active.connect(select := lambda event: happened.append(f"selected: {event.value}"))
    panel.ran.connect(lambda result: happened.append(type(result)))
    plain = panel.queue._next
    monkeypatch.setattr(panel.queue, "_next", lambda: (happened.append("turn"), plain()))
    panel.run()
    settle(lambda: PeakMaps in happened, timeout=120_000)
    viewer.layers.events.inserted.disconnect(come)
    viewer.layers.selection.events.active.disconnect(select)
    assert [thread is main_thread() for thread in threads] == [False]
    status, height = "small · fit status", "A1' height (counts)"
    own = happened[happened.index("turn") :]
    assert own[:10] == [*("turn", "turn", status, "turn", height, "turn", f"selected: {height}", "turn", "turn", PeakMaps)]
