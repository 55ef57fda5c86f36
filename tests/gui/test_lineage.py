"""Two maps of one grid and one name, two flakes, and a step that was run again, in the window."""

from dataclasses import replace

import numpy as np
import pytest

from learned import make_model
from napari_wse2xai import io
from napari_wse2xai.data import Pairable, Record
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.saving import SaveButtons
from napari_wse2xai.gui.train.panel import TrainPanel
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Deconvolve, Pair, Peak, Train
from napari_wse2xai.stages.pair import StageCoordinates

PL_LINE = Deconvolve(peaks=(Peak(name="A exciton", position=1.65, fwhm=0.05, window=(1.5, 1.8)),))


def show(viewer, *artefacts) -> None:
    for artefact in artefacts:
        contents.add(viewer, to_layers(artefact))


def twin_of(source):
    """Another measurement: same grid, axis, name; other counts."""
    return replace(source, counts=np.ascontiguousarray(source.counts[::-1, ::-1]))


def test_the_fit_of_one_map_is_not_shown_on_another_s_data(viewer, qtbot, small, small_peaks, one_line):
    peaks = one_line(small)
    show(viewer, small, peaks, twin_of(small))
    view = SpectrumView(viewer)
    qtbot.addWidget(view)
    first, second = contents.map_layers(viewer)
    viewer.layers.selection.active = second
    view.on_layers()
    assert view.source is contents.map_of(second)
    assert view.peaks is None
    assert "fit" not in view.words.text()
    viewer.layers.selection.active = first
    view.on_layers()
    assert view.peaks is peaks


def test_save_results_keeps_every_flake(viewer, qtbot, tmp_path, small, one_line):
    other = twin_of(small)
    peaks, others = one_line(small), one_line(other)
    show(viewer, small, other, peaks, others)
    buttons = SaveButtons(viewer)
    qtbot.addWidget(buttons)
    buttons.save_results(tmp_path / "results.nc")
    qtbot.waitUntil(lambda: "Saved" in buttons.message.text(), timeout=20_000)
    assert "2 flakes" in buttons.message.text()
    back = io.read_flakes(tmp_path / "results.nc").values()
    kept = [each.peaks["raman"].height for each in back]
    assert sorted(float(np.nanmean(height[:, 0])) for height in kept) == pytest.approx(
        sorted(float(np.nanmean(each.height[:, 0])) for each in (peaks, others)), rel=1e-5
    )
    for each in back:
        assert float(each.maps["raman"].counts[2, 3].max()) == pytest.approx(float(each.peaks["raman"].height[0, 2, 3]), rel=0.1, abs=60)
    buttons.save_table(tmp_path / "peaks.csv")
    qtbot.waitUntil(lambda: "2 tables" in buttons.message.text(), timeout=20_000)
    assert len(list(tmp_path.glob("peaks*.csv"))) == 2


def test_a_model_is_marked_when_a_step_before_it_is_run_again(viewer, qtbot, small, light, one_line):
    raman_peaks, pl_peaks = one_line(small), PL_LINE(light)
    pair = Pair(method=StageCoordinates())(Pairable(raman_peaks, pl_peaks))
    model = replace(make_model(), history=(Record("Train", {}, "0.1.0", 1.0, "2026-01-01T00:00:00", Train().taken([pair])),))
    show(viewer, small, light, raman_peaks, pl_peaks, pair, model)
    panel = TrainPanel(viewer)
    qtbot.addWidget(panel)
    assert panel.outdated.isHidden()
    show(viewer, one_line(small))
    panel.refresh()
    assert not panel.outdated.isHidden()
    assert "Deconvolve was run again on 'small'" in panel.outdated.text()


def test_what_a_later_run_took_the_place_of_is_left_out_and_told(viewer, qtbot, tmp_path, small, one_line):
    first, second = one_line(small), one_line(small)
    show(viewer, small, first, second)
    buttons = SaveButtons(viewer)
    qtbot.addWidget(buttons)
    buttons.save_results(tmp_path / "results.nc")
    qtbot.waitUntil(lambda: "Saved" in buttons.message.text(), timeout=20_000)
    assert "Left out: 1 deconvolution that a later run took the place of." in buttons.message.text()
    assert len(io.read_flakes(tmp_path / "results.nc")) == 1
