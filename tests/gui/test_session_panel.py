"""The session in the window: deleted layers lose nothing, undo and redo move layers, a step is run again, all is saved and opened."""

from dataclasses import replace
from datetime import datetime
from time import sleep

import numpy as np
import pytest
from qtpy.QtCore import Qt

from learned import make_model, make_recovery
from napari_wse2xai import io
from napari_wse2xai.data import Explanation, Pairable, PeakMaps, Record, SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.maps.peak_chooser import PeakChooser
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.maps.stage_panel import StagePanel
from napari_wse2xai.gui.parts.turns import all_idle
from napari_wse2xai.gui.session import contents, kept_trainings
from napari_wse2xai.gui.session.layers import LayerSnapshot, session_layers
from napari_wse2xai.gui.session.opened import open_file
from napari_wse2xai.gui.session.panel import SessionPanel
from napari_wse2xai.gui.theory.panel import TheoryPanel
from napari_wse2xai.gui.train.panel import TrainPanel
from napari_wse2xai.layers import peak_layer, to_layers
from napari_wse2xai.progress import silent
from napari_wse2xai.session import Session, State
from napari_wse2xai.session import session as session_module
from napari_wse2xai.session.files import view_in
from napari_wse2xai.stages import Baseline, CompareTheory, Deconvolve, Despike, Explain, FindFlake, Pair, Peak, Train
from napari_wse2xai.stages.pair import StageCoordinates

PL_LINE = Deconvolve(peaks=(Peak(name="A exciton", position=1.65, fwhm=0.05, window=(1.5, 1.8)),))


@pytest.fixture
def panel(viewer, qtbot) -> SessionPanel:
    made = SessionPanel(viewer)
    qtbot.addWidget(made)
    return made


def show(viewer, *artefacts) -> None:
    for artefact in artefacts:
        contents.add(viewer, to_layers(artefact))


def shown(viewer) -> list[tuple[str, str, bool]]:
    """Kind, part and visibility of every layer, from below."""
    layers = [(contents.shown(layer), layer.visible) for layer in viewer.layers]
    return [(type(is_.artefact).__name__, is_.part, visible) for is_, visible in layers]


def rows(panel: SessionPanel) -> list[tuple[str, str]]:
    """Words of the tree with their depth as dots, and states."""

    def of(item, depth):
        yield "." * depth + item.text(0), item.text(1)
        for index in range(item.childCount()):
            yield from of(item.child(index), depth + 1)

    return [row for index in range(panel.tree.topLevelItemCount()) for row in of(panel.tree.topLevelItem(index), 0)]


def test_deleting_layers_deletes_no_result_and_a_double_click_shows_it_again(viewer, qtbot, panel, settle, small, one_line):
    peaks = one_line(small)
    show(viewer, small, peaks)
    viewer.layers.clear()
    settle()
    assert list(contents.session(viewer)) == [small, peaks]
    panel.choose(panel.session.node(peaks).id)
    panel.tree.itemDoubleClicked.emit(panel.tree.currentItem(), 0)
    assert shown(viewer) == [("PeakMaps", "status", False), ("PeakMaps", "A1' height", True)]
    panel.choose(panel.session.node(small).id)
    panel.buttons["show"].click()
    assert shown(viewer)[:2] == [("PeakMaps", "status", False), ("PeakMaps", "A1' height", False)]
    assert shown(viewer)[2] == ("SpectralMap", "map", True)


def test_the_tree_tells_flakes_steps_and_states(viewer, panel, settle, small, light, one_line):
    twin = replace(small, counts=np.ascontiguousarray(small.counts[::-1, ::-1]))
    raman, pl, other = one_line(small), PL_LINE(light), one_line(twin)
    pair = Pair(method=StageCoordinates())(Pairable(raman, pl))
    train = Record("Train", {"seed": 5}, "0.1.0", 1.0, "2026-01-01T00:00:00", Train().taken([pair]))
    model = replace(make_model(), history=(train,))
    show(viewer, small, raman, light, pl, twin, other, pair, model, one_line(small))
    settle(lambda: panel.tree.topLevelItemCount() == 2)
    assert rows(panel) == [
        ("flake", ""),
        (".RS", ""),
        ("..small", ""),
        ("..Deconvolve: A1'", "replaced"),
        ("..Deconvolve: A1'", ""),
        (".PL", ""),
        ("..light", ""),
        ("..Deconvolve: A exciton", ""),
        (f".Pair RS and PL: {int(pair.paired.sum())} pixels", "out of date"),
        (".Train: PL height", "out of date"),
        ("flake (2)", ""),
        (".RS", ""),
        ("..small", ""),
        ("..Deconvolve: A1'", ""),
    ]
    panel.choose(panel.session.node(model).id)
    tip = panel.tree.currentItem().toolTip(0)
    assert "Deconvolve was run again on 'small'" in tip
    assert "seed: 5" in tip


def test_training_explaining_and_theory_that_fail_stand_in_the_tree_with_their_sentence(
    viewer, qtbot, panel, settle, small, light, one_line, monkeypatch
):
    def refuse(*_: object, **__: object) -> None:
        raise DataError("There is too little to learn from; measure more.")

    peaks, pl = one_line(small), PL_LINE(light)
    pair = Pair(method=StageCoordinates())(Pairable(peaks, pl))
    model = replace(make_model(), history=(Record("Train", {"seed": 5}, "0.1.0", 1.0, "2026-01-01T00:00:00", Train().taken([pair])),))
    show(viewer, small, light, peaks, pl, pair, model)
    monkeypatch.setattr(kept_trainings, "train", refuse)
    monkeypatch.setattr(Explain, "__call__", refuse)
    monkeypatch.setattr(CompareTheory, "__call__", refuse)
    for kind, begin, step, parents in (
        (TrainPanel, "train", "Train", [pair]),
        (ExplainPanel, "explain", "Explain", [model]),
        (TheoryPanel, "compare", "CompareTheory", [peaks, pair]),
    ):
        work = kind(viewer)
        qtbot.addWidget(work)
        getattr(work, begin)()
        settle(lambda work=work: not work.work.runner.busy)
        failed = panel.session.nodes[-1]
        assert (failed.step, failed.state, failed.why) == (step, State.FAILED, "There is too little to learn from; measure more.")
        assert set(failed.parents) == {panel.session.node(one).id for one in parents}
        settle(lambda step=step: any(words.strip(".").startswith(("Theory", step)) and state == "failed" for words, state in rows(panel)))


def test_undo_of_a_run_brings_the_former_result_and_its_layers_back(viewer, qtbot, panel, settle, small, one_line):
    show(viewer, small)
    stage = StagePanel(viewer, Deconvolve)
    view, chooser = SpectrumView(viewer), PeakChooser(viewer)
    for widget in (stage, view, chooser):
        qtbot.addWidget(widget)
    viewer.layers[0].visible = True
    found = []
    for detection in (3.0, 9.0):
        stage.form.put(one_line.model_copy(update={"detection": detection}))
        stage.run()
        qtbot.waitUntil(lambda: not stage.work.runner.busy and all_idle(), timeout=60_000)
        found.append(contents.all_peaks(viewer)[-1])
    former, now = found
    assert shown(viewer).count(("PeakMaps", "A1' height", True)) == 1
    before = shown(viewer)
    settle()
    assert view.peaks is now
    assert panel.buttons["undo"].isEnabled()
    built, layers = [], len(viewer.layers)
    heard = viewer.layers.events.end_batch.connect(lambda event: built.append(len(viewer.layers)))
    panel.buttons["undo"].click()
    viewer.layers.events.end_batch.disconnect(heard)
    assert len(viewer.layers) < layers - 1
    assert built == [len(viewer.layers)], "napari builds its scene once for all layers that go, and looks for garbage once"
    settle()
    assert contents.all_peaks(viewer) == [former]
    assert [contents.shown(layer).artefact for layer in viewer.layers if layer.visible and layer.ndim == 2] == [former]
    assert view.peaks is former
    panel.buttons["redo"].click()
    settle()
    assert contents.all_peaks(viewer) == [former, now]
    assert sorted(shown(viewer)) == sorted(before)
    assert view.peaks is now
    panel.undo()
    panel.undo()
    settle()
    assert list(contents.session(viewer)) == [small]
    assert shown(viewer) == [("SpectralMap", "map", True)]
    panel.undo()
    panel.undo()
    assert "nothing to take back" in panel.files.message.text()


def test_a_flake_edited_by_hand_comes_back_as_it_was_drawn(viewer, panel, small):
    found = FindFlake(window=(240, 260))(small)
    show(viewer, small)
    contents.add(viewer, [layer for layer in to_layers(found) if layer[2] == "labels"])
    labels = viewer.layers[-1]
    drawn = np.array(labels.data)
    drawn[5, 5], drawn[0, 1] = 0, 1
    labels.data = drawn
    panel.undo()
    assert len(viewer.layers) == 1
    panel.redo()
    assert np.array_equal(viewer.layers[-1].data, drawn)
    source = contents.kept_with_flake(viewer, small)
    assert np.array_equal(source.flake, drawn > 0)
    assert contents.kept_with_flake(viewer, small) is source, "the same flake is no second result"
    assert contents.session(viewer).node(source).step == "flake edited by hand"


def test_colours_and_contrast_that_were_chosen_come_back_with_their_layer(viewer, qtbot, panel, tmp_path, small, small_peaks):
    show(viewer, small, small_peaks)
    chosen = {"contrast_limits": [1010.0, 1050.5], "gamma": 0.7, "opacity": 0.4}
    height = viewer.layers[-1]
    height.colormap = "twilight"
    for name, value in chosen.items():
        setattr(height, name, value)
    panel.save(tmp_path / "session.nc")
    qtbot.waitUntil(lambda: "Saved" in panel.files.message.text(), timeout=60_000)
    panel.undo()
    assert len(viewer.layers) == 1
    panel.redo()
    again = viewer.layers[-1]
    assert again is not height
    assert (again.colormap.name, {name: getattr(again, name) for name in chosen}) == ("twilight", chosen)
    (_, looks, _) = [layer for layer in open_file(tmp_path / "session.nc", silent).layers() if layer[2] == "image"][-1]
    assert looks["colormap"] == "twilight"
    assert {name: looks[name] for name in chosen} == chosen


def test_looks_of_a_strangers_file_are_taken_only_where_they_can_be():
    looks = {"colormap": "no such", "contrast_limits": [3.0, 1.0], "gamma": "much", "opacity": 0.5, "data": 1}
    record = {"node": "peaks", "part": "A1' height", "flake": 0, "visible": True}
    assert LayerSnapshot.from_record(record | {"looks": looks}).looks == {"opacity": 0.5}
    for told in ("twilight", [1], {"contrast_limits": 5}, {"contrast_limits": [[1.0, np.nan]]}):
        assert LayerSnapshot.from_record(record | {"looks": told}).looks == {}


def test_a_step_is_run_again_from_the_panel_and_shown_in_the_place_of_the_former(viewer, qtbot, panel, settle, small, one_line):
    despiked = Despike()(small)
    peaks = one_line(despiked)
    show(viewer, small, despiked, peaks)
    contents.add(viewer, [peak_layer(peaks, 0, "fwhm")])
    settle()
    before = shown(viewer)
    panel.choose(panel.session.node(peaks).id)
    panel.buttons["again"].click()
    assert not panel.again.isHidden()
    panel.again.form.put(one_line.model_copy(update={"detection": 8.0}))
    panel.again.work.begin_button.click()
    qtbot.waitUntil(lambda: "made again" in panel.files.message.text(), timeout=60_000)
    now = contents.all_peaks(viewer)[-1]
    assert np.array_equal(now.height, one_line.model_copy(update={"detection": 8.0})(despiked).height, equal_nan=True)
    assert panel.session.node(peaks).state is State.REPLACED
    assert shown(viewer)[-3:] == [("PeakMaps", "status", False), ("PeakMaps", "A1' height", True), ("PeakMaps", "A1' FWHM", True)]
    assert all(not visible for kind, _, visible in shown(viewer)[:-3] if kind == "PeakMaps")
    panel.undo()
    settle()
    assert shown(viewer) == before


def test_running_again_is_cancelled_and_what_is_wrong_is_said(viewer, qtbot, panel, settle, small, one_line, monkeypatch):
    peaks = one_line(small)
    show(viewer, small, peaks)
    settle()
    panel.choose(panel.session.node(small).id)
    assert not panel.buttons["again"].isEnabled(), "what was measured cannot be run again"
    panel.choose(panel.session.node(peaks).id)
    panel.run_again()
    panel.again.form._inputs["detection"].widget.value = "x"
    assert not panel.again.work.begin_button.isEnabled()
    panel.again.form.put(one_line)

    def slow(self, source, progress):
        for _ in range(10_000):
            sleep(0.01)
            progress(0.1, "fitting")

    monkeypatch.setattr(Deconvolve, "run", slow)
    panel.again.begin()
    assert panel.again.busy
    panel.again.work.cancel_button.click()
    assert not panel.again.busy
    assert "Cancelled" in panel.again.work.message.text()
    assert list(contents.session(viewer)) == [small, peaks]


def test_a_step_that_fails_in_the_window_is_a_node_until_it_succeeds(viewer, qtbot, panel, settle, small, one_line):
    show(viewer, small)
    stage = StagePanel(viewer, Deconvolve)
    qtbot.addWidget(stage)
    for position in (900.0, 249.5):
        stage.form.put(
            Deconvolve(peaks=(Peak(name="A1'", position=position, fwhm=5, window=(210, 290) if position < 800 else (800, 990)),))
        )
        stage.run()
        qtbot.waitUntil(lambda: not stage.work.runner.busy and all_idle(), timeout=60_000)
        settle()
        states = [(node.step, node.state) for node in contents.session(viewer).nodes[1:]]
        if position == 900.0:
            assert states == [("Deconvolve", State.FAILED)]
            assert rows(panel)[-1][1] == "failed"
            assert "expected at 900" in contents.session(viewer).nodes[-1].why
            assert contents.session(viewer).undoable == "Open: small", "a failure is no step to be taken back"
    assert states == [("Deconvolve", State.CURRENT)]


def test_a_session_is_saved_and_opened_in_another_window_where_work_goes_on(
    viewer, make_napari_viewer, qtbot, settle, tmp_path, small, light
):
    one_line = Deconvolve(peaks=(Peak(name="A1'", position=249.5, fwhm=5, window=(210, 290)),))
    for source in (small, light):
        io.write_map(source, tmp_path / f"{source.name}.nc")
    raw, pl_map = io.read(tmp_path / "small.nc"), io.read(tmp_path / "light.nc")
    raman, pl = one_line(raw), PL_LINE(pl_map)
    pair = Pair(method=StageCoordinates())(Pairable(raman, pl))
    show(viewer, raw, pl_map, raman, pl, pair)
    contents.add(viewer, [peak_layer(raman, 0, "fwhm")])
    viewer.layers[0].visible = False
    panel = SessionPanel(viewer)
    qtbot.addWidget(panel)
    panel.save(tmp_path / "session.nc")
    qtbot.waitUntil(lambda: "Saved" in panel.files.message.text(), timeout=60_000)
    assert len(view_in(tmp_path / "session.nc")) == len(viewer.layers)
    assert (tmp_path / "session.nc").stat().st_size < 1_000_000
    other = make_napari_viewer()
    again, training = SessionPanel(other), TrainPanel(other)
    for widget in (again, training):
        qtbot.addWidget(widget)
    again.open(tmp_path / "session.nc")
    qtbot.waitUntil(lambda: len(other.layers) == len(viewer.layers), timeout=60_000)
    settle()
    assert sorted(shown(other)) == sorted(shown(viewer))
    assert [node.id for node in again.session.nodes] == [node.id for node in panel.session.nodes]
    (loaded,) = training.chosen()
    assert loaded.raman is again.session.of_kind(PeakMaps)[0]
    assert training.work.begin_button.isEnabled()
    assert again.session.undoable == "Open session.nc"
    again.undo()
    assert len(other.layers) == 0


def test_a_session_that_is_dropped_on_the_window_or_viewed_opens_whole(viewer, tmp_path, small, small_peaks):
    session = Session([small, small_peaks])
    session.save(tmp_path / "session.nc")
    viewer.open(tmp_path / "session.nc", plugin="napari-wse2xai")
    assert [node.id for node in contents.session(viewer).nodes] == [node.id for node in session.nodes]
    assert {type(contents.shown(layer).artefact) for layer in viewer.layers} == {SpectralMap, PeakMaps}


def test_remove_says_how_much_went_and_the_recipe_of_a_result_is_saved(viewer, panel, settle, tmp_path, small, one_line):
    io.write_map(small, tmp_path / "small.nc")
    source = io.read(tmp_path / "small.nc")
    peaks = one_line(source)
    show(viewer, source, peaks)
    settle()
    panel.choose(panel.session.node(peaks).id)
    panel.save_recipe(tmp_path / "recipe.yaml")
    assert "249.5" in (tmp_path / "recipe.yaml").read_text(encoding="utf-8")
    panel.choose(panel.session.node(source).id)
    actions = {action.text(): action for action in panel.menu().actions()}
    actions["Remove"].trigger()
    assert panel.files.message.text() == "Removed Read small.nc and 1 result made of it; Undo brings it back."
    assert len(viewer.layers) == 0
    panel.undo()
    assert len(viewer.layers) == 3


def test_the_panel_is_told_of_and_does_not_ask_at_every_layer(viewer, panel, settle, small):
    """Moving, hiding and renaming layers, or adding ones of other making, is nothing to the tree."""
    show(viewer, small)
    settle()
    count = []
    panel._soon.timeout.disconnect()
    panel._soon.timeout.connect(lambda: count.append(1))
    viewer.add_image(np.zeros((3, 4)))
    viewer.layers[0].visible = False
    viewer.layers.selection.active = viewer.layers[0]
    settle()
    assert count == []
    contents.session(viewer).add(Despike()(small))
    contents.session(viewer).add(Despike()(small))
    settle()
    assert count == [1], "once after a burst"


def test_scores_on_planted_laws_belong_to_the_explanation_in_the_session(viewer, qtbot, settle, explanation):
    explain = ExplainPanel(viewer)
    qtbot.addWidget(explain)
    show(viewer, explanation)
    settle(lambda: explain.result.explanation is explanation)
    explain.recovery_test.tried = explanation  # what follows is as if it had been run
    explain.recovery_test.work.gave.emit(make_recovery())
    settle()
    (kept,) = contents.session(viewer).of_kind(Explanation)
    assert kept.recovery is not None
    assert explain.result.explanation is explain.which.currentData() is kept
    assert {contents.shown(layer).artefact for layer in viewer.layers} == {kept}
    assert not explain.recovery_test.badge.isHidden()


def test_ctrl_z_works_inside_the_panel(viewer, qtbot, panel, small):
    show(viewer, small)
    qtbot.keyClick(panel.tree, Qt.Key_Z, Qt.ControlModifier)
    assert list(contents.session(viewer)) == []
    qtbot.keyClick(panel.tree, Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier)
    assert list(contents.session(viewer)) == [small]


def test_a_line_tells_settings_and_time_and_all_to_here_brings_up_to_date(viewer, qtbot, panel, settle, small):
    source = FindFlake(window=(240, 260))(small)
    above = Baseline()(source)
    fit = Deconvolve(peaks=(Peak(name="A1'", position=249.5, fwhm=5, window=(210, 290)),), detection=5)
    peaks = fit(above)
    show(viewer, small, source, above, peaks)
    panel.session.add(Baseline(method={"kind": "snip"})(source))
    settle(lambda: ("..Deconvolve: A1'", "out of date") in rows(panel))
    panel.choose(panel.session.node(peaks).id)
    line = panel.tree.currentItem()
    assert line.text(2) == "peaks (1), detection 5"
    panel.choose(panel.session.node(source).id)
    assert panel.tree.currentItem().text(2) == "window 240–260"
    panel.choose(panel.session.node(peaks).id)
    when = datetime.fromisoformat(peaks.history[-1].when).astimezone()
    assert f"{when:%H:%M}" in line.text(3)
    panel.buttons["here"].click()
    settle(lambda: len(contents.all_peaks(viewer)) == 2 and not panel.again.busy)
    made = contents.all_peaks(viewer)[-1]
    assert [record.settings.get("method", {}).get("kind") for record in made.history if record.step == "Baseline"] == ["snip"]
    assert made.history[-1].settings["detection"] == 5
    assert panel.session.node(made).state is State.CURRENT


def test_the_settings_of_a_recipe_come_into_the_panels(viewer, panels, light, tmp_path, settle):
    file = tmp_path / "recipe.yaml"
    file.write_text(
        "raman: {file: away.txt, baseline: {method: {kind: snip}}, deconvolve: {detection: 7}}\n"
        "pl: {file: away2.txt, deconvolve: {detection: 9}}\npair: {method: {kind: stage coordinates}}\nstop_after: pair\n"
    )
    panels.session.load_recipe(file)
    assert panels.panels[Deconvolve].form.value().detection == 7
    assert panels.panels[Baseline].form.value().method.kind == "snip"
    assert panels.pairing.form.value().method.kind == "stage coordinates"
    assert "away.txt" in panels.session.files.message.text()
    show(viewer, light)
    settle(lambda: panels.panels[Deconvolve].form.value().detection == 9)
    before = panels.panels[Deconvolve].form.value()
    file.write_text("raman: {file: away.txt, deconvolve: {detecton: 7}}\n")
    panels.session.load_recipe(file)
    assert "detection" in panels.session.files.message.text(), "the key that was meant is named"
    assert panels.panels[Deconvolve].form.value() == before


def test_what_layers_looked_like_is_remembered_as_long_as_undo_leads_there(viewer, small, small_peaks, monkeypatch) -> None:
    """Each look holds napari's colour maps, and flakes as they were drawn."""
    monkeypatch.setattr(session_module, "MOST_UNDONE", 2)
    known = session_layers(viewer)
    show(viewer, small, small_peaks)
    for name in "abcdef":
        known.session.add(replace(small_peaks, name=name))
    assert len(known._moments) == 2 + 1
    known.session.undo()
    known.session.undo()
    assert known.session.undo() == "", "as many as are remembered"
    known.session.forget_the_past()
    known.session.add(replace(small_peaks, name="g"))
    assert len(known._moments) == 1
