"""Every result as a node: its parents, its settings, whether it holds; taken back, done again, told."""

from dataclasses import replace

import numpy as np
import pytest
from test_session import DECONVOLVE, measured, paired, trained_on

from learned import make_explanation, make_samples
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.errors import DataError
from napari_wse2xai.session import Change, Missing, Session, State
from napari_wse2xai.session import session as home
from napari_wse2xai.stages import Baseline, CompareTheory, Despike, Explain, Pair, Train
from napari_wse2xai.stages.pair import StageCoordinates


def ids(session: Session) -> list[str]:
    return [node.id for node in session.nodes]


def test_a_node_tells_what_made_it_and_of_what():
    raman, pl, both = paired(1)
    pair = Pair(method=StageCoordinates())(both)
    session = Session((raman, pl, both.raman, both.pl, pair))
    node = session.node(pair)
    assert node.step == "Pair"
    assert node.settings["method"] == {"kind": "stage coordinates", "refine": False}
    assert set(node.parents) == {session.node(both.raman).id, session.node(both.pl).id}
    assert session.node(both.raman).parents == (session.node(raman).id,)
    assert session.node(raman).parents == ()
    assert {each.state for each in session.nodes} == {State.CURRENT}
    assert session.node(pair).id == f"pair-{mark_of(pair.history)}"


def test_states_say_what_was_run_again_and_on_what():
    raman, pl, both = paired(2)
    pair = Pair(method=StageCoordinates())(both)
    model = trained_on(pair)
    session = Session((raman, pl, both.raman, both.pl, pair, model))
    anew = DECONVOLVE.model_copy(update={"detection": 7.5})(raman)
    session.add(anew)
    states = {node.id: (node.state, node.why) for node in session.nodes}
    assert states[session.node(both.raman).id] == (State.REPLACED, "Replaced: Deconvolve was run again on 'map' since.")
    for after in (pair, model):
        state, why = states[session.node(after).id]
        assert state is State.OUT_OF_DATE
        assert why.startswith("Out of date: Deconvolve was run again on 'map'")
    assert {states[session.node(one).id][0] for one in (raman, pl, both.pl, anew)} == {State.CURRENT}


def test_two_flakes_of_one_grid_and_name_stay_two():
    one, other = measured(3), measured(4)
    peaks, others = DECONVOLVE(one), DECONVOLVE(other)
    session = Session((one, other, peaks, others))
    assert len(set(ids(session))) == 4
    assert session.node(peaks).parents == (session.node(one).id,)
    assert session.node(others).parents == (session.node(other).id,)
    assert session.below(one) == [peaks]


def test_undo_and_redo_lead_back_and_forth_to_the_very_same():
    raw = measured(5)
    session = Session((raw,))
    despiked = Despike()(raw)
    peaks = DECONVOLVE(despiked)
    session.add(despiked)
    session.add(peaks)
    session.add(peaks)  # is there: no step of its own
    assert session.undoable == "Deconvolve: map"
    assert session.undo() == "Deconvolve: map"
    assert list(session) == [raw, despiked]
    session.undo()
    assert list(session) == [raw]
    assert session.undo() == ""
    assert session.redoable == "Despike: map"
    session.redo()
    session.redo()
    assert list(session) == [raw, despiked, peaks]
    assert session.redo() == ""
    session.undo()
    session.add(DECONVOLVE(raw))
    assert session.redoable == "", "what was taken back is gone where another thing was done instead"


def test_removing_takes_what_rests_on_it_and_undo_brings_all_back():
    raman, pl, both = paired(6)
    pair = Pair(method=StageCoordinates())(both)
    session = Session((raman, pl, both.raman, both.pl, pair))
    before = ids(session)
    session.remove(both.raman)
    assert list(session) == [raman, pl, both.pl]
    session.undo()
    assert ids(session) == before
    with pytest.raises(DataError, match="holds no result"):
        session.remove(DECONVOLVE(raman))


def test_who_listens_is_told_once_of_each_change_and_not_of_none():
    raw = measured(7)
    session, told, left = Session((raw,)), [], []
    session.changed.connect(told.append)
    session.leaving.connect(left.append)
    despiked = Despike()(raw)
    session.add(despiked)
    session.add(despiked)
    session.undo()
    session.redo()
    assert [(list(each.came), list(each.went)) for each in told] == [([despiked], []), ([], [despiked]), ([despiked], [])]
    assert [each.moment for each in told] == [1, 0, 1]
    assert left == [0, 1, 0]
    assert all(isinstance(each, Change) for each in told)


def test_more_to_a_result_is_the_same_result():
    raman, _, both = paired(8)
    pair = Pair(method=StageCoordinates())(both)
    session = Session((raman, both.raman, both.pl, pair))
    before, told = ids(session), []
    session.changed.connect(told.append)
    now = replace(both.raman, report="more")
    new_pair = replace(pair, raman=now)
    session.exchange([(both.raman, now), (pair, new_pair)])
    assert ids(session) == before
    assert told[0].exchanged == ((both.raman, now), (pair, new_pair))
    assert (told[0].came, told[0].went) == ((), ())
    assert session.pairs_of(now) == [new_pair]
    session.undo()
    assert list(session) == [raman, both.raman, both.pl, pair]


def test_several_changes_may_be_one_step_back():
    raw = measured(9)
    session = Session((raw,))
    with session.as_one("Open flakes.nc"):
        session.add(Despike()(raw))
        session.add(Baseline()(raw))
    assert session.undo() == "Open flakes.nc"
    assert list(session) == [raw]


def test_a_failure_stands_until_its_step_succeeds():
    raw = measured(10)
    session = Session((raw,))
    peaks = DECONVOLVE(raw)
    id_ = session.node(raw).id
    session.note_failure(Missing("map", "There is no peak to fit; add one.", peaks.history, (id_,)))
    node = session.nodes[-1]
    assert (node.state, node.why, node.step, node.parents) == (State.FAILED, "There is no peak to fit; add one.", "Deconvolve", (id_,))
    assert list(session) == [raw], "nothing that failed is offered as a result"
    assert session.undoable == "", "a failure is no step that could be taken back"
    session.add(DECONVOLVE(raw))
    assert [each.state for each in session.nodes] == [State.CURRENT, State.CURRENT]


def test_every_kind_of_step_that_fails_has_the_history_that_its_result_would_have(tmp_path):
    raman, pl, both = paired(5)
    stage = Pair(method=StageCoordinates())
    pair = stage(both)
    model = trained_on(pair)
    beside = CompareTheory()(raman, both.raman, paired=pair)
    everything = (raman, pl, both.raman, both.pl, pair, model)
    cases = [
        (DECONVOLVE, [raman], both.raman, [raman]),
        (stage, [both.raman, both.pl], pair, [both.raman, both.pl]),
        (Train(), [pair], model, [pair]),
        (CompareTheory(), [both.raman, pair], beside, [both.raman, pair]),
    ]
    for settings, given, result, parents in cases:
        session = Session(one for one in everything if one is not result)
        session.note_failure_of(settings, given, "It did not work; try again.")
        failed = session.nodes[-1]
        assert (failed.state, failed.why) == (State.FAILED, "It did not work; try again.")
        assert {session.node(one).id for one in parents} == set(failed.parents)
        assert failed.name == (pair.name if settings in (stage, Train()) else raman.name)
        session.save(tmp_path / "session.nc", spectra=True)
        again = Session.open(tmp_path / "session.nc").nodes
        assert [(node.id, node.why, node.step) for node in again if node.state is State.FAILED] == [(failed.id, failed.why, failed.step)]
        session.add(result)
        assert not [node for node in session.nodes if node.state is State.FAILED], "it succeeded on the same things since"


def test_an_explanation_that_failed_belongs_to_its_model():
    model = trained_on(Pair(method=StageCoordinates())(paired(6)[2]))
    session = Session([model])
    session.note_failure_of(Explain(), [model], "There are too few pixels.")
    failed = session.nodes[-1]
    assert (failed.parents, failed.name, failed.step) == ((session.node(model).id,), model.name, "Explain")
    kept = replace(make_explanation(make_samples()), history=(*model.history, replace(failed.record, when="2026-01-02T00:00:00")))
    session.add(kept)
    assert [node.state for node in session.nodes] == [State.CURRENT, State.CURRENT]


def test_what_only_undo_holds_is_let_go_before_it_fills_the_memory(monkeypatch):
    raw = measured(12)
    session = Session((raw,))
    monkeypatch.setattr(home, "MOST_BYTES", 2 * raw.counts.nbytes + 1)
    for _ in range(5):
        copy = replace(raw, counts=np.array(raw.counts), name="another")
        session.add(copy)
        session.remove(copy)
    gone = {id(each) for moment in session._past for each in moment.artefacts} - {id(raw)}
    assert 1 <= len(gone) <= 2
    assert session.undo()
