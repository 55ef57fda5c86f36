"""A panel that runs a stage: what there is of a long deconvolution is seen before it ends."""

import numpy as np
import pytest

from napari_wse2xai.data import SpectralMap
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
