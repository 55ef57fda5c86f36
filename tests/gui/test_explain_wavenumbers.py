"""Which wavenumbers the network looks at, asked for in the Explain panel."""

import numpy as np
import pytest

from learned import A_HEIGHT, law
from napari_wse2xai.data import Explanation, TrainedModel
from napari_wse2xai.gui.explain import pixel_curves
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.learning import SpectralCNNRegressor
from watched import stamped


@pytest.fixture
def panel(viewer, qtbot, monkeypatch, explanation: Explanation) -> ExplainPanel:
    """The panel, with a network that has learnt the law a little."""
    samples = explanation.samples
    network = SpectralCNNRegressor(samples.lines, channels=(8, 8), pool_after=(1,), length=32, max_epochs=15)
    network.fit(samples.features, law(samples.features))
    monkeypatch.setattr(pixel_curves, "_fitted", lambda model, target, name: network)
    panel = ExplainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def take(panel: ExplainPanel, settle, *artefacts: TrainedModel | Explanation) -> None:
    for artefact in artefacts:
        contents.add(panel.viewer, to_layers(artefact))
    settle(lambda: panel.pixels is not None)


def test_the_line_that_rules_the_light_has_the_greatest_share(
    panel: ExplainPanel, trained: TrainedModel, explanation: Explanation, settle
) -> None:
    take(panel, settle, trained, explanation)
    view = panel.wavenumbers
    assert not view.canvas.isVisibleTo(view)
    found = []
    view.work.gave.connect(found.append)
    view.work.begin_button.click()
    settle(lambda: found and not view.work.runner.busy)
    (shares,) = found
    line = A_HEIGHT // 3
    assert shares.by_line.argmax() == line
    assert shares.by_line.sum() == pytest.approx(1.0)
    channels, density = shares.channels[line], shares.share[line]
    centre = float(np.median(explanation.samples.features[:, 3 * line]))
    width = float(np.median(explanation.samples.features[:, 3 * line + 1]))
    assert abs(channels[density.argmax()] - centre) < 2 * width, "on the line, not beside it"
    assert view.words.text().startswith(explanation.samples.lines[line].name)
    assert view.canvas.isVisibleTo(view)
    axes, moved = view.canvas.figure.axes
    assert len(axes.lines) == len(explanation.samples.lines) == len(moved.collections)
    assert "per" in moved.get_ylabel()


def test_what_must_not_be_interpreted_is_stamped_and_a_lacking_model_is_told(
    panel: ExplainPanel, trained: TrainedModel, doubtful: Explanation, settle
) -> None:
    take(panel, settle, doubtful)
    assert "Needs the trained model" in panel.wavenumbers.work.message.text()
    assert not panel.wavenumbers.work.begin_button.isEnabled()
    contents.add(panel.viewer, to_layers(trained))
    panel.canvas.explanation = None  # as when it is chosen again
    panel.refresh()
    settle(panel.wavenumbers.work.begin_button.isEnabled)
    panel.wavenumbers.work.begin_button.click()
    settle(lambda: panel.wavenumbers.canvas.isVisibleTo(panel.wavenumbers))
    assert stamped(panel.wavenumbers.canvas.figure.axes[-1])
