"""The review desk: the bad pixel is on top, map and spectrum walk with it, and what is done by hand is a step that goes and comes."""

import numpy as np
import pytest
from napari import Viewer
from qtpy.QtCore import Qt

from napari_wse2xai.data import PeakMaps, SpectralMap, Status
from napari_wse2xai.gui.main_widget import MainWidget
from napari_wse2xai.gui.maps.review_desk import ReviewDesk
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import peak_layer, status_layer, to_layers
from napari_wse2xai.stages import Review, as_kept
from napari_wse2xai.stages.residual import MISFIT

BAD = (4, 7)


@pytest.fixture
def desk(viewer: Viewer, panels: MainWidget, small: SpectralMap, one_line, settle) -> ReviewDesk:
    """The desk with a deconvolution of which one pixel holds a line that the model has not."""
    small.counts[BAD] += 400 * np.exp(-(((small.axis.values - 270) / 4) ** 2))
    peaks = one_line(small)
    contents.add(viewer, to_layers(small))
    contents.add(viewer, [status_layer(peaks), peak_layer(peaks, 0, "height")])
    settle(lambda: panels.reviewing.peaks is peaks)
    return panels.reviewing


def shown(viewer: Viewer, part: str) -> list:
    return [layer for layer in viewer.layers if (is_ := contents.shown(layer)) is not None and is_.part == part]


def done(desk: ReviewDesk, settle, deed: str) -> PeakMaps:
    before = desk.peaks
    desk.buttons[deed].click()
    settle(lambda: desk.peaks is not before and not desk.row.runner.busy)
    return desk.peaks


def test_the_bad_pixel_is_on_top_and_keys_walk(viewer, desk: ReviewDesk, settle, qtbot):
    assert desk.list.pixel(0) == BAD
    assert desk.list.rowCount() < 192, "those that are ok are left out"
    desk.all_of_them.setChecked(True)
    assert desk.list.rowCount() == 192
    desk.table.selectRow(0)
    marks = viewer.layers["pixels looked at"]
    assert marks.data.tolist() == [list(BAD)]
    assert marks.data_to_world(marks.data[0]) == pytest.approx(tuple(shown(viewer, "map")[0].data_to_world((0, *BAD))[1:]))
    qtbot.keyClick(desk.table, Qt.Key_Down)
    assert tuple(viewer.layers["pixels looked at"].data[0]) == desk.list.pixel(1)
    desk.back.click()
    assert desk.chosen() == [BAD]
    for order in ("reduced χ²", MISFIT):
        desk.order.setCurrentText(order)
        settle(lambda: not desk.looking.busy)
        assert desk.list.pixel(0) == BAD


def test_widths_are_asked_of_the_first_lines_and_not_of_every_pixel(desk: ReviewDesk, monkeypatch):
    asked, pixel = [], type(desk.list).pixel

    def counting(self, row):
        asked.append(row)
        return pixel(self, row)

    monkeypatch.setattr(type(desk.list), "pixel", counting)
    desk.list.put(desk.list._peaks, np.argwhere(np.ones((12, 16))), np.ones((12, 16), dtype=np.float32))
    assert desk.table.sizeHintForColumn(0) > 0
    assert 0 < max(asked) < 60 < desk.list.rowCount()


def test_what_is_done_by_hand_is_one_step_and_the_layers_stay(viewer, desk: ReviewDesk, settle):
    session, fitted = contents.session(viewer), desk.peaks
    layers = list(viewer.layers)
    desk.table.selectRow(0)
    assert done(desk, settle, "refit").status[BAD] != Status.OK, "a line that is missing is no wrong minimum"
    rejected = done(desk, settle, "reject")
    assert rejected.status[BAD] == Status.REJECTED
    assert [layer for layer in viewer.layers if layer.name != "pixels looked at"] == layers
    assert np.isnan(shown(viewer, "A1' height")[0].data[BAD])
    assert contents.shown(shown(viewer, "status")[0]).artefact is rejected
    assert len(session.of_kind(PeakMaps)) == 2, "the deconvolution, and what was done to it last"
    deeds = as_kept(Review, rejected.history[-1]).deeds
    assert [(deed.do, deed.pixels) for deed in deeds] == [("refit", "4,7"), ("reject", "4,7")]
    session.undo()
    assert desk_peaks(viewer).status[BAD] not in (Status.REJECTED, Status.OK)
    session.undo()
    assert desk_peaks(viewer) is fitted
    assert np.isfinite(shown(viewer, "A1' height")[0].data[BAD])
    session.redo()
    session.redo()
    assert desk_peaks(viewer) is rejected
    assert [layer for layer in viewer.layers if layer.name != "pixels looked at"] == layers


def desk_peaks(viewer: Viewer) -> PeakMaps:
    return contents.session(viewer).peaks_of(contents.map_of(shown(viewer, "map")[0]))


def test_several_at_once_and_decisions_of_a_kind_are_one_line(viewer, desk: ReviewDesk, settle):
    desk.all_of_them.setChecked(True)
    for row in (3, 5):
        desk.table.selectRow(row)
        first = desk.chosen()
        done(desk, settle, "accept")
        assert desk.chosen() != first, "the next one is looked at"
    (deed,) = as_kept(Review, desk.peaks.history[-1]).deeds
    assert len(deed.places) == 2
    desk.table.selectAll()
    assert done(desk, settle, "refit from neighbours").history[-1].settings["deeds"][1]["do"] == "refit from neighbours"


def test_residuals_are_a_layer_under_the_same_slider(viewer, desk: ReviewDesk, settle):
    desk.residual.click()
    settle(lambda: shown(viewer, "residual"))
    (layer,), (source,) = shown(viewer, "residual"), shown(viewer, "map")
    assert layer.data.shape == source.data.shape
    assert layer.scale == pytest.approx(source.scale)
    channel = int(np.abs(contents.map_of(source).axis.values - 270).argmin())
    assert tuple(np.unravel_index(np.nanargmax(layer.data[channel]), layer.data.shape[1:])) == BAD
    desk.table.selectRow(0)
    done(desk, settle, "reject")
    settle(lambda: np.isnan(layer.data[channel][BAD]))
    contents.session(viewer).undo()
    settle(lambda: layer.name.endswith("out of date"))
