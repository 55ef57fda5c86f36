"""A map that is too large to be read at once: its layer is there at once, and is drawn anew as the channel arrives."""

import os

import numpy as np
import pytest
from napari import Viewer

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.chunked import Chunks
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.arrivals import planes_of
from napari_wse2xai.layers import arriving, to_layers

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
    settle(lambda: np.isfinite(layer._slice.image.raw).all() and not planes.is_reading)
    channel = np.abs(small.counts[:, :, :] - layer._slice.image.raw[..., None]).sum(axis=(0, 1)).argmin()
    np.testing.assert_array_equal(layer._slice.image.raw, small.counts[..., channel])
    assert len(read) == len(set(map(str, read))) == 12, "each chunk once"
    viewer.layers.remove(layer)
    planes[0]
    assert not planes.is_reading
