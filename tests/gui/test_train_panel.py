"""Training in the window: flakes chosen, trained, watched, stopped, judged, saved, and found again by other panels."""

import re
from threading import Event, Thread, current_thread, main_thread
from time import perf_counter

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from sklearn.dummy import DummyRegressor

from learned import make_model, make_samples
from napari_wse2xai import io
from napari_wse2xai.data import Level, PairedMaps, TrainedModel
from napari_wse2xai.data.quantities import in_sentence
from napari_wse2xai.errors import Cancelled, StopTraining
from napari_wse2xai.gui.parts import preloading
from napari_wse2xai.gui.parts.work_row import time_left
from napari_wse2xai.gui.session import contents, kept_trainings
from napari_wse2xai.gui.session.saving import results_in
from napari_wse2xai.gui.train.monitor import TrainingListener
from napari_wse2xai.gui.train.panel import ENOUGH, TrainPanel
from napari_wse2xai.gui.train.result import HEIGHTS
from napari_wse2xai.layers import to_layers
from napari_wse2xai.learning import network_training, references
from napari_wse2xai.learning.network_training import Trainer
from napari_wse2xai.plots.judged import BADGE_COLORS
from napari_wse2xai.stages import Train
from napari_wse2xai.stages.train import OneCycle, PaperRecipe
from napari_wse2xai.synthetic import make_flake
from truth_pairs import truth_pair

QUICK = Train(recipe=OneCycle(epochs=3), network_on_blocks=False, surrogates=39, block_folds=2)


@pytest.fixture(scope="module")
def pair() -> PairedMaps:
    return truth_pair(make_flake("triangle", shape_px=(18, 20), seed=1))


@pytest.fixture
def panel(viewer, qtbot, pair: PairedMaps) -> TrainPanel:
    contents.add(viewer, to_layers(pair))
    panel = TrainPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_cancelled_and_then_trained_in_the_window_while_it_answers(
    panel: TrainPanel, viewer, pair: PairedMaps, settle, monkeypatch, tmp_path
) -> None:
    every = references.reference_models
    monkeypatch.setattr(references, "reference_models", lambda seed=0: {name: every(seed)[name] for name in ("mean", "kernel ridge")})
    panel.form.put(QUICK.model_copy(update={"recipe": OneCycle(epochs=5000)}))
    panel.work.begin_button.click()
    settle(lambda: panel.work.bar.maximum() == 100, timeout=60_000)
    panel.work.cancel_button.click()
    assert panel.work.message.text().startswith("Cancelled")
    assert panel.work.begin_button.isEnabled()
    assert not contents.models(viewer)
    assert panel.chosen() == [pair]
    panel.form.put(QUICK)
    grown: list[tuple[str, dict]] = []
    panel.monitor.grew.connect(lambda validation, curves: grown.append((validation, curves)))
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(perf_counter()))
    timer.start(5)
    panel.work.begin_button.click()
    assert panel.enough_button.isEnabled()
    settle(lambda: not panel.work.runner.busy, timeout=60_000)
    timer.stop()
    assert np.percentile(np.diff(beats), 95) < 0.25
    model = panel.model()
    assert model is not None
    assert contents.models(viewer) == [model]
    assert model.history[-1].settings["surrogates"] == 39
    assert contents.session(viewer).pairs_of(model) == [pair]
    assert {"random", "all pixels"} <= {validation for validation, _ in grown}
    verdict = model.verdict("height")
    assert str(verdict.level) in panel.result.badge.level.text()
    assert BADGE_COLORS[verdict.level] in panel.result.badge.level.styleSheet()
    assert all(in_sentence(reason) in panel.result.badge.reasons.text() for reason in verdict.reasons)
    settle(lambda: [layer.name.split(",")[0] for layer in viewer.layers if layer.visible] == ["predicted PL height"])
    assert next(iter(results_in(viewer).values())).model is model
    panel.save_scores(tmp_path / "scores.csv")
    assert "kernel ridge" in (tmp_path / "scores.csv").read_text(encoding="utf-8")


def test_what_was_cancelled_is_resumed_by_a_window_opened_anew(
    panel: TrainPanel, viewer, qtbot, settle, unfinished, monkeypatch, pair: PairedMaps
) -> None:
    monkeypatch.setattr(references, "reference_models", lambda seed: {"mean": DummyRegressor()})
    cancelled, one_more = Event(), Trainer._one_more

    def one_more_when_cancelled(trainer: Trainer) -> None:
        if trainer.epoch == 3:
            cancelled.wait(60)
        one_more(trainer)

    monkeypatch.setattr(Trainer, "_one_more", one_more_when_cancelled)
    monkeypatch.setattr(network_training, "PATIENCE_S", 60.0)  # told of whole epochs alone: one cancelled within is not kept
    settings = QUICK.model_copy(update={"recipe": OneCycle(epochs=6), "target": ("position",)})
    panel.form.put(settings)
    said: list[str] = []
    panel.work.runner.progressed.connect(lambda fraction, message: said.append(message))
    panel.work.begin_button.click()
    settle(lambda: any("epoch 3 of 6" in message for message in said), timeout=60_000)
    panel.work.cancel_button.click()
    cancelled.set()
    settle(lambda: "Train goes on from there" in panel.work.message.text())
    assert panel.work.message.text().startswith("Cancelled")
    panel.form.put(settings.model_copy(update={"seed": 1}))
    settle(lambda: not panel._looking.runner.busy)
    assert "goes on" not in panel.work.message.text(), "these settings are another training"
    panel.close()
    later = TrainPanel(viewer)
    qtbot.addWidget(later)
    later.form.put(settings)
    settle(lambda: "Train goes on from there" in later.work.message.text())
    said.clear()
    later.work.runner.progressed.connect(lambda fraction, message: said.append(message))
    later.work.begin_button.click()
    settle(lambda: not later.work.runner.busy, timeout=60_000)
    assert any(re.search(r"CNN, random, resumed at epoch \d+ of 6: epoch", message) for message in said)
    assert not any("epoch 1 of 6" in message for message in said if "random" in message)
    assert later.model() is not None
    np.testing.assert_array_equal(later.model().predicted, settings([pair]).predicted)
    assert later.work.message.text().startswith("Done")
    assert "goes on" not in later.work.message.text()
    assert not unfinished.exists()


def test_what_is_being_loaded_is_waited_for_and_the_wait_can_be_cancelled(monkeypatch) -> None:
    release, told = Event(), []
    slow = Thread(target=release.wait)
    slow.start()
    monkeypatch.setattr(preloading, "_loading", [slow])

    def impatient(fraction: float, message: str) -> None:
        told.append(message)
        if len(told) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        preloading.wait(impatient)
    release.set()
    slow.join()
    preloading.wait(impatient)
    assert told == [preloading.LOADING] * 2


def test_growing_curves_do_not_draw_the_axes_anew(panel: TrainPanel, settle) -> None:
    drawn: list[object] = []
    panel._idle.stop()
    panel.live.mpl_connect("draw_event", drawn.append)
    panel.live.begin(10)
    panel._draw_live()
    settle(panel.live.isVisible)
    before = len(drawn)
    for validation in ("random", "blocks", "all pixels"):
        panel.work.message.say("a line of words\n" * (1 + len(validation) % 3))
        panel.live.show_curves(validation, {"epoch": [1.0, 2.0], "loss": [1.0, 0.1], "r2_training": [0.0, 0.9], "r2_validation": []})
        settle()
    assert before == len(drawn)
    assert panel.live.title.get_text() == "CNN, all pixels"
    assert len(panel.live.lines["loss"].get_xdata()) == 2


def test_a_training_waits_for_the_cancelled_one_before_it(pair: PairedMaps) -> None:
    told: list[str] = []

    def cancelled(fraction: float, message: str) -> None:
        told.append(message)
        raise Cancelled

    with kept_trainings._in_turn(lambda fraction, message: None), pytest.raises(Cancelled):
        kept_trainings.train(QUICK, [pair], cancelled)
    assert told == [kept_trainings.WAITING]


def test_cancel_goes_through_the_listener() -> None:
    def cancelled(fraction: float, message: str) -> None:
        raise Cancelled

    listener = TrainingListener(cancelled, lambda validation, curves: None, Event())
    with pytest.raises(Cancelled):
        listener(0.0, "")


def test_every_plot_of_every_target_and_flake_is_shown(panel: TrainPanel, viewer, settle, tmp_path) -> None:
    first = make_model(make_samples(targets=("height", "position"), flakes=2), level=Level.DO_NOT_INTERPRET)
    layers = contents.add(viewer, to_layers(first))
    settle(lambda: panel.model() is first)
    assert {layer.name.split(",")[0] for layer in layers if layer.visible} == {"predicted PL height"}
    assert all("DO NOT INTERPRET" in layer.name for layer in layers if "predicted" in layer.name or "error" in layer.name)
    for tab in range(len(HEIGHTS)):
        panel.result.tabs.setCurrentIndex(tab)
        assert panel.result.canvas.figure.axes[0].has_data()
    panel.result.target.setCurrentIndex(1)
    assert "PL position" in panel.result.badge.level.text()
    assert panel.result.table.verticalHeaderItem(0).text() == "mean"
    panel.save_figure(tmp_path / "plot.svg")
    assert 'id="verdict"' in (tmp_path / "plot.svg").read_text(encoding="utf-8")
    contents.add(viewer, to_layers(make_model(name="second")))
    settle(lambda: panel.model() is not first)
    panel.which.setCurrentIndex(0)
    assert panel.model() is first


def test_a_model_comes_back_from_a_file_and_from_its_layers(trained: TrainedModel, viewer, tmp_path) -> None:
    from napari_wse2xai.data import Results

    io.write_results(Results({}, {}, model=trained), tmp_path / "results.nc")
    layers = contents.add(viewer, to_layers(io.read_results(tmp_path / "results.nc")))
    (back,) = contents.models(viewer)
    np.testing.assert_allclose(back.predicted, trained.predicted)
    place = {layer.name.split(",")[0].split(" PL")[0]: layer for layer in layers}
    row, column = back.samples.row[0], back.samples.column[0]
    assert place["predicted"].data[row, column] == pytest.approx(back.predicted[0, 0], rel=1e-6)
    error = back.predicted[0, 0] - back.samples.targets[0, 0]
    assert place["error of"].data[row, column] == pytest.approx(error, rel=1e-3)
    assert place["error of"].contrast_limits[0] == -place["error of"].contrast_limits[1]
    split, folds = place["training and validation"], place["spatial folds"]
    assert split.data[row, column] == back.split[0] + 1
    assert folds.data[row, column] == back.block[0] + 1
    assert not split.visible
    off = np.argwhere(np.isnan(place["predicted"].data))[0]
    assert split.data[tuple(off)] == folds.data[tuple(off)] == 0


def test_time_left() -> None:
    assert [time_left(*case) for case in ((1.0, 0.5), (10.0, 0.5), (60.0, 0.1))] == ["", "about 10 s left", "about 9 min left"]
    assert time_left(10.0, 0.5, 0.4) == "about 50 s left", "what was done before an interruption tells nothing about the pace"


def test_it_says_what_is_missing_and_enough_is_raised_once_within_a_network(panel: TrainPanel, viewer, settle) -> None:
    shown: list[str] = []
    panel._enough()
    assert panel.work.message.text() == ENOUGH
    listener = TrainingListener(lambda fraction, message: None, lambda validation, curves: shown.append(validation), panel.monitor.enough)
    listener(0.1, "kernel ridge, random")
    listener.watch("random", {"epoch": [1.0]})
    with pytest.raises(StopTraining):
        listener(0.2, "CNN, random: epoch 1 of 9")
    listener.watch("random", {"epoch": [1.0, 2.0]})
    listener(0.3, "CNN, random: epoch 2 of 9")
    assert shown == ["random"], "curves come at most a few times a second"
    assert panel.work.begin_button.isEnabled()
    panel.flakes.item(0).setCheckState(panel.flakes.item(0).checkState().Unchecked)
    assert not panel.work.begin_button.isEnabled()
    assert "Tick" in panel.work.message.text()
    panel.form.put(Train())
    panel.form._inputs["target"].put(())
    assert "at least one target" in panel.work.message.text()
    panel.preset.setCurrentText("paper")
    assert isinstance(panel.form.value().recipe, PaperRecipe)
    viewer.layers.clear()
    assert panel.chosen() or panel._known, "deleting layers deletes no result"
    session = contents.session(viewer)
    session.remove(*session.of_kind(PairedMaps))
    settle(lambda: "Pair an RS map" in panel.work.message.text())


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_kept_is_looked_for_beside_the_window_and_only_where_there_is_some(panel: TrainPanel, settle, monkeypatch, kept) -> None:
    """To know a training by its flakes the noise is taken out of RS; and it is asked at every change of a setting."""
    asked: list[object] = []
    monkeypatch.setattr(kept_trainings, "are_some_kept", lambda: kept)
    monkeypatch.setattr(kept_trainings, "offer", lambda settings, pairs: asked.append(current_thread()) or f"Kept: {settings.target[0]}.")
    panel._check()
    settle(lambda: not panel._looking.runner.busy)
    assert [thread is main_thread() for thread in asked] == [False] * kept
    assert ("Kept: " in panel.work.message.text()) is kept
    panel.flakes.item(0).setCheckState(panel.flakes.item(0).checkState().Unchecked)
    assert "Kept" not in panel.work.message.text()
