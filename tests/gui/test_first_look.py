"""First look in the window: components are found, drawn and shown, and give start peaks."""

import numpy as np
import pytest

from napari_wse2xai.data import Components
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.stages import Decompose, Deconvolve


def test_a_look_shows_its_parts_and_gives_start_peaks(panels, settle, small) -> None:
    _, nx = small.frame.shape
    left = (np.arange(nx) < nx // 3)[None, :, None]
    small.counts[...] += lorentzian(small.axis.values, 283.0, 7.0, 400.0) * left
    contents.add(panels.viewer, to_layers(small))
    panel = panels.panels[Decompose]
    settle(panel.work.begin_button.isEnabled)
    panel.form.put(Decompose(method="NMF", number=2))
    panel.work.begin_button.click()
    settle(lambda: not panel.work.runner.busy, timeout=120_000)
    (found,) = contents.of_kind(panels.viewer, Components)
    assert panels.components.canvas is not None and panels.sections[Decompose].isExpanded()
    which = int(np.argmax(found.spectra[:, np.abs(found.axis.values - 283).argmin()]))
    layer = next(layer for layer in panels.viewer.layers if f"NMF {which + 1} " in layer.name)
    share = np.asarray(layer.data)
    assert share[:, : nx // 3].mean() > 3 * share[:, nx // 3 :].mean()
    panels.components.which.setCurrentIndex(which)
    panels.components.take.click()
    assert pytest.approx(min((peak.position for peak in panels.start_peaks()), key=lambda place: abs(place - 283)), abs=1.5) == 283
    assert panels.sections[Deconvolve].isExpanded()
