"""Check model in the window: one click checks, one click accepts, and the next fit is right."""

import numpy as np
import pytest

from napari_wse2xai.data import Status
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.stages import Deconvolve


def deconvolved(panels, settle):
    panel = panels.panels[Deconvolve]
    panel.work.begin_button.click()
    settle(lambda: not panel.work.runner.busy, timeout=120_000)
    return contents.all_peaks(panels.viewer)[-1]


def checked(panels, settle):
    panels.checking.row.begin_button.click()
    settle(lambda: not panels.checking.row.runner.busy, timeout=120_000)
    return panels.checking.proposals


def test_a_missing_line_is_accepted_with_one_click(panels, settle, one_line, small) -> None:
    small.counts[...] += lorentzian(small.axis.values, 262.0, 7.0, 0.3 * (small.counts.max(axis=-1, keepdims=True) - 20))
    contents.add(panels.viewer, to_layers(small))
    panel = panels.panels[Deconvolve]
    settle(panel.work.begin_button.isEnabled)
    assert not panels.checking.row.begin_button.isEnabled()
    panel.form.put(one_line)
    before = deconvolved(panels, settle)
    assert (before.status != Status.OK).mean() > 0.3
    assert [each.kind for each in checked(panels, settle)][:1] == ["missing line"]
    panels.checking.buttons[0].click()
    added = panel.form.value().peaks[-1]
    assert added.position == pytest.approx(262, abs=1.5)
    after = deconvolved(panels, settle)
    on = np.isfinite(after.height).all(axis=0) & (after.height[0] > 500)
    assert (after.status[on] == Status.OK).mean() > 0.9
    assert not [each for each in checked(panels, settle) if each.kind == "missing line"]


def test_where_the_model_is_right_it_says_so(panels, settle, one_line, small) -> None:
    contents.add(panels.viewer, to_layers(small))
    settle(panels.panels[Deconvolve].work.begin_button.isEnabled)
    panels.panels[Deconvolve].form.put(one_line)
    deconvolved(panels, settle)
    assert checked(panels, settle) == ()
    assert "Nothing is missing" in panels.checking.row.message.text()
