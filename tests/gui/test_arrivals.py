"""A map that is too large to be read at once: its layer is there at once, and is drawn anew as the channel arrives."""

import os
from threading import Event, get_ident

import numpy as np
import pytest
from napari import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.chunked import Chunks
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.gui.session import arrivals, contents
from napari_wse2xai.gui.session.arrivals import planes_of
from napari_wse2xai.layers import arriving, to_layers
from watched import is_reading

pytestmark = pytest.mark.skipif(os.name != "posix", reason="large maps stay in their file on Unix only")


@pytest.mark.parametrize("even", [True, False])
def test_the_layer_shows_what_arrives(panels, settle, small, monkeypatch, even) -> None:
    monkeypatch.setattr(arriving, "DEAR", 1000)
    read: list[object] = []
    chunks = Chunks("small.zarr", small.counts.shape, (4, 4, 101), lambda place: read.append(place) or small.counts[place])
    axis = small.axis.values if even else small.axis.values + 2 * np.sin(np.arange(101) / 16)
    stored = SpectralMap.from_arrays(StoredCounts.of(chunks), axis, small.axis.kind, frame=small.frame)
    viewer: Viewer = panels.viewer
    (layer,) = contents.add(viewer, to_layers(stored))
    planes = planes_of(layer)
    assert planes is not None
    shown = layer._slice.image.raw
    assert np.isnan(shown).any(), "before the rest is read"
    settle(lambda: np.isfinite(layer._slice.image.raw).all() and not is_reading())
    channel = np.abs(small.counts[:, :, :] - layer._slice.image.raw[..., None]).sum(axis=(0, 1)).argmin()
    np.testing.assert_array_equal(layer._slice.image.raw, small.counts[..., channel])
    assert len(read) == len(set(map(str, read))) == 12, "each chunk once"
    viewer.layers.remove(layer)
    planes[0]
    assert not is_reading()


def test_what_tells_of_an_arrival_ends_in_no_other_thread(panels, qtbot, settle, small, monkeypatch) -> None:
    """A thread that reads may be the last to hold what it tells, when layer and window are gone: no object of Qt may end there."""
    monkeypatch.setattr(arriving, "DEAR", 1000)
    go_on, ended = Event(), list[int]()

    take = arriving.ArrivingPlanes.take
    monkeypatch.setattr(arriving.ArrivingPlanes, "take", lambda planes, *block: (go_on.wait(5), take(planes, *block)))
    chunks = Chunks("slow.zarr", small.counts.shape, (4, 4, 101), lambda place: small.counts[place])
    stored = SpectralMap.from_arrays(StoredCounts.of(chunks), small.axis.values, small.axis.kind, frame=small.frame)
    (layer,) = contents.add(panels.viewer, to_layers(stored))
    planes = planes_of(layer)
    assert planes is not None
    qtbot.waitUntil(is_reading)
    told = arrivals._arrivals()
    told.destroyed.connect(lambda: ended.append(get_ident()))
    panels.viewer.layers.remove(layer)
    del layer
    go_on.set()
    settle(lambda: not is_reading())
    assert told.parent() is QApplication.instance()
    assert not ended


def test_a_layer_that_is_gone_before_its_turn_is_not_read(panels, settle, small, monkeypatch) -> None:
    monkeypatch.setattr(arriving, "DEAR", 1000)
    chunks = Chunks("gone.zarr", small.counts.shape, (4, 4, 101), lambda place: small.counts[place])
    stored = SpectralMap.from_arrays(StoredCounts.of(chunks), small.axis.values, small.axis.kind, frame=small.frame)
    (layer,) = contents.add(panels.viewer, to_layers(stored))
    planes = planes_of(layer)
    assert planes is not None
    panels.viewer.layers.remove(layer)
    waited = Event()
    QTimer.singleShot(2 * arrivals.PAUSE_MS, waited.set)
    settle(waited.is_set)
    planes[0]
    assert not is_reading()
