"""The finding card from the window: with the scores of the simulation, stamped, whole or not at all, and told why not."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from learned import make_explanation, make_model, make_recovery
from napari_wse2xai import io
from napari_wse2xai.data import Explanation, Level, Samples, TrainedModel
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.parts import asking
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers


@pytest.fixture
def panel(viewer, qtbot) -> ExplainPanel:
    panel = ExplainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def show(panel: ExplainPanel, settle):
    """Put layers of an explanation into the window, then of its model: made by hand, it has no network to load."""

    def show(explanation: Explanation, model: TrainedModel | None = None) -> ExplainPanel:
        contents.add(panel.viewer, to_layers(explanation))
        settle(lambda: panel.pixels is not None)
        if model is not None:
            contents.add(panel.viewer, to_layers(model)[:1])
        return panel

    return show


@pytest.fixture
def ask(monkeypatch):
    """Press the button and choose a path; gives what the panel then says."""

    def ask(panel: ExplainPanel, path: Path) -> str:
        monkeypatch.setattr(asking.QFileDialog, "getSaveFileName", lambda *args: (str(path), ""))
        panel.save_buttons["card"].click()
        return panel.saved.text()

    return ask


def test_the_card_has_the_scores_of_the_simulation_and_its_stamp(show, ask, samples: Samples, tmp_path) -> None:
    model = make_model(samples, level=Level.DO_NOT_INTERPRET)
    explanation = make_explanation(samples, level=Level.DO_NOT_INTERPRET)
    panel = show(explanation, model)
    panel.recovery_test.tried = explanation  # what follows is as if it had been run
    panel.recovery_test.show_recovery(make_recovery())
    assert "Saved" in ask(panel, tmp_path / "card.html")
    text = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "DO NOT INTERPRET" in text
    assert "Simulation of this flake with a known law" in text
    panel.save("netcdf", tmp_path / "explanation.nc")
    assert io.read_results(tmp_path / "explanation.nc").explanation.recovery == make_recovery()


def test_scores_that_came_with_an_explanation_are_shown_and_remembered(show, samples: Samples) -> None:
    first, second = replace(make_explanation(samples), recovery=make_recovery(good=False)), make_explanation(samples)
    panel = show(first)
    assert panel.recovery_test.badge.isVisible() and "with care" in panel.recovery_test.badge.text()
    panel.recovery_test.take(second, None)
    assert not panel.recovery_test.badge.isVisible()
    panel.recovery_test.tried = second
    panel.recovery_test.show_recovery(make_recovery())
    panel.recovery_test.take(first, None)
    assert "with care" in panel.recovery_test.badge.text()
    panel.recovery_test.take(second, None)
    assert "can be believed" in panel.recovery_test.badge.text()


def test_what_cannot_be_written_is_told_in_a_sentence_and_leaves_nothing(show, ask, samples: Samples, tmp_path) -> None:
    explanation = make_explanation(samples)
    panel = show(explanation)
    assert "needs the trained model too, and it is not in the window" in ask(panel, tmp_path / "card.pdf")
    contents.add(panel.viewer, to_layers(make_model(samples))[:1])
    (tmp_path / "file").touch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "'card.pdf' cannot be written to the folder" in ask(panel, tmp_path / "file" / "card.pdf")
        assert "let its name end in .pdf or .html" in ask(panel, tmp_path / "card.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
