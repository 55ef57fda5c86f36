"""What is loaded once is not looked through for garbage again, and keeps no layer that has gone."""

from unittest.mock import Mock

import pytest
from napari import Viewer

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.gui.parts import preloading
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers


@pytest.fixture
def collector(monkeypatch) -> Mock:
    found = Mock()
    found.isenabled.return_value = True
    monkeypatch.setattr(preloading, "gc", found)
    monkeypatch.setattr(preloading, "load", found.loaded)
    return found


def test_what_was_loaded_is_left_alone(collector: Mock) -> None:
    preloading._load_without_pauses()
    assert [call[0] for call in collector.method_calls] == ["isenabled", "disable", "loaded", "freeze", "enable"]


def test_a_layer_that_was_there_is_found_when_it_goes(viewer: Viewer, small: SpectralMap, collector: Mock) -> None:
    contents.session(viewer)
    (before,) = contents.add(viewer, to_layers(small))
    preloading._load_without_pauses()
    (after,) = contents.add(viewer, to_layers(small))
    viewer.layers.remove(after)
    assert not collector.unfreeze.called
    viewer.layers.remove(before)
    assert collector.unfreeze.call_count == 1
    (again,) = contents.add(viewer, to_layers(small))
    viewer.layers.remove(again)
    assert collector.unfreeze.call_count == 1
