"""What was closed goes: results that neither a layer nor the session holds are held by no panel."""

import gc
from weakref import ref

import pytest
from qtpy.QtCore import QEvent

from conftest import make_small
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.workbench import Workbench
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Deconvolve


@pytest.mark.parametrize("ran", [False, True])
def test_maps_peaks_and_layers_go_with_the_last_that_shows_them(viewer, qtbot, qapp, settle, one_line, ran) -> None:
    bench, view = Workbench(viewer), SpectrumView(viewer)
    for widget in (bench, view):
        qtbot.addWidget(widget)
    source = make_small()
    kept = [ref(source), *(ref(layer) for layer in contents.add(viewer, to_layers(source)))]
    settle(bench.panels[Deconvolve].work.begin_button.isEnabled)
    view.show_pixel((5, 5))
    if ran:
        panel = bench.panels[Deconvolve]
        panel.form.put(one_line)
        panel.run()
        settle(lambda: not panel.work.runner.busy, timeout=60_000)
        kept += [ref(contents.all_peaks(viewer)[-1]), *map(ref, viewer.layers)]
    del source
    session = contents.session(viewer)
    session.remove(*session.artefacts)
    session.forget_the_past()
    viewer.layers.clear()
    settle(lambda: not bench.panels[Deconvolve].work.begin_button.isEnabled())
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert [each() for each in kept if each() is not None] == []
