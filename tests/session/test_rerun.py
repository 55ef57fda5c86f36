"""Run again from any step with one setting changed: to the bit what a fresh run with that setting gives."""

from dataclasses import fields, replace
from typing import ClassVar

import numpy as np
import pytest
from test_session import PL_PEAK, measured

from learned import make_explanation, make_model
from napari_wse2xai import io
from napari_wse2xai.data import AxisKind, Explanation, Pairable, PairedMaps, PeakMaps, Record, SpectralMap, TrainedModel
from napari_wse2xai.errors import Cancelled, DataError, ReaderError, SettingsError
from napari_wse2xai.session import Session, State, rerun
from napari_wse2xai.session.edited import with_flake
from napari_wse2xai.stages import Baseline, ConvertAxis, Deconvolve, Despike, Explain, FindFlake, Pair, Peak, Stage, Train
from napari_wse2xai.stages.pair import GivenTransform, StageCoordinates

FLAKE, DESPIKE, BASELINE = FindFlake(window=(240, 260)), Despike(), Baseline()
FIT = Deconvolve(peaks=(Peak(name="A1'", position=250, fwhm=5, window=(210, 290)),))
PAIR = Pair(method=StageCoordinates())


@pytest.fixture
def file(tmp_path):
    """A map with three spikes and a bare edge, in a file."""
    made = measured(1, bare=4)
    made.counts[2, 7, 30] += 5000
    made.counts[5, 9, 60] += 9000
    made.counts[3, 1, 10] += 4000
    io.write_map(replace(made, name="flake"), tmp_path / "flake.nc")
    return tmp_path / "flake.nc"


def chain(source: SpectralMap, *stages) -> list:
    made = [source]
    for stage in stages:
        made.append(stage(made[-1]))
    return made


def differing(one, other) -> list[str]:
    """Fields that are not equal to the bit; histories and metadata tell moments and are left out."""
    wrong = []
    for field in fields(one):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(ours, np.ndarray) and (ours.dtype != theirs.dtype or ours.tobytes() != theirs.tobytes()):
            wrong.append(field.name)
    return wrong


def newest(session: Session, kind: type):
    return session.of_kind(kind)[-1]


HARDER = {"method": {"kind": "first difference", "threshold": 4.0}}
HARDER_STAGE = Despike.model_validate(HARDER)


def test_a_setting_of_an_early_step_gives_to_the_bit_what_a_fresh_run_gives(file):
    started = chain(io.read(file), FLAKE, DESPIKE, BASELINE, FIT)
    session = Session(started)
    made = session.rerun(started[2], HARDER)
    fresh = chain(io.read(file), FLAKE, HARDER_STAGE, BASELINE, FIT)
    assert [type(each) for each in made.artefacts] == [SpectralMap, SpectralMap, PeakMaps]
    for again, wanted in zip(made.artefacts, fresh[2:], strict=True):
        assert differing(again, wanted) == []
        assert [record.settings for record in again.history] == [record.settings for record in wanted.history]
    assert differing(made.artefacts[-1], started[-1]) != [], "the setting does something here"
    states = [session.node(each).state for each in started]
    assert states == [State.CURRENT, State.CURRENT, State.REPLACED, State.OUT_OF_DATE, State.OUT_OF_DATE]
    assert {session.node(each).state for each in made.artefacts} == {State.CURRENT}
    assert session.undo() == "Run again: Despike of flake"
    assert list(session) == started


def test_a_step_that_has_no_result_of_its_own_is_run_again_from_the_file(file):
    """As in a session that was opened from the results of a run: the last map and its peaks, and nothing between."""
    *_, last, peaks = chain(io.read(file), FLAKE, DESPIKE, BASELINE, FIT)
    session = Session((last, peaks))
    made = session.rerun(peaks, HARDER, step="Despike")
    fresh = chain(io.read(file), FLAKE, HARDER_STAGE, BASELINE, FIT)
    again = {type(each): each for each in made.artefacts}
    assert differing(again[PeakMaps], fresh[-1]) == []
    assert differing(again[SpectralMap], fresh[-2]) == []
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ReaderError, match="is another file now"):
        session.rerun(peaks, HARDER, step="Despike")
    file.unlink()
    with pytest.raises(ReaderError, match="is not in"):
        session.rerun(peaks, HARDER, step="Despike")


def test_a_flake_found_before_and_edited_by_hand_keeps_the_hand(file):
    """Found on the raw map, edited, used on the despiked one, as the window does it."""
    raw = io.read(file)
    found, despiked = FLAKE(raw), DESPIKE(raw)
    drawn = np.array(found.flake)
    drawn[1, 5], drawn[6, 2] = not drawn[1, 5], not drawn[6, 2]
    used = with_flake(despiked, drawn, found)
    peaks = FIT(used)
    session = Session((raw, found, despiked, used, peaks))
    session.rerun(despiked, HARDER)
    again = newest(session, PeakMaps)
    assert differing(again, FIT(with_flake(HARDER_STAGE(raw), drawn, found))) == []
    session.undo()
    wider = FLAKE.model_copy(update={"edge_fraction": 0.9})
    session.rerun(found, wider)
    anew = wider(raw).flake
    expected = np.where(drawn != found.flake, drawn, anew)
    assert not np.array_equal(anew, found.flake)
    assert np.array_equal(np.isfinite(newest(session, PeakMaps).height[0]) & ~expected, np.zeros_like(expected))
    assert differing(newest(session, PeakMaps), FIT(replace(despiked, flake=expected))) == []


def test_the_other_flake_of_the_same_name_and_grid_is_left_alone(file, tmp_path):
    one = chain(io.read(file), DESPIKE, FIT)
    io.write_map(replace(measured(2), name="flake"), tmp_path / "other.nc")
    other = chain(io.read(tmp_path / "other.nc"), DESPIKE, FIT)
    session = Session((*one, *other))
    made = session.rerun(one[1], HARDER)
    assert len(made.artefacts) == 2
    assert {session.node(each).state for each in other} == {State.CURRENT}
    assert differing(made.artefacts[-1], FIT(HARDER_STAGE(one[0]))) == []


def test_pairs_follow_with_the_newest_of_the_other_side(file):
    raw, light = io.read(file), measured(3, kind=AxisKind.ENERGY)
    raman, pl = FIT(raw), PL_PEAK(light)
    pair = PAIR(Pairable(raman, pl))
    shifted = Pair(method=GivenTransform(offset_um=(0.5, 1.0)))
    other = shifted(Pairable(raman, pl))
    session = Session((raw, light, raman, pl, pair, other))
    newer = PL_PEAK.model_copy(update={"detection": 6.0})(light)
    session.add(newer)
    made = session.rerun(raman, {"detection": 9.0})
    fit = FIT.model_copy(update={"detection": 9.0})(raw)
    assert session.node(pair).state is State.REPLACED
    assert len(made.artefacts) == 2, "what was replaced is not made again"
    assert differing(made.artefacts[0], fit) == []
    assert differing(made.artefacts[1].pl, shifted(Pairable(fit, newer)).pl) == []
    assert differing(made.artefacts[1].pl, PAIR(Pairable(fit, newer)).pl) != []
    assert session.pairs_of(newer) == [made.artefacts[1]]


def test_what_is_out_of_date_is_brought_up_to_date_as_it_was(file):
    raw, light = io.read(file), measured(4, kind=AxisKind.ENERGY)
    raman, pl = FIT(raw), PL_PEAK(light)
    pair = PAIR(Pairable(raman, pl))
    session = Session((raw, light, raman, pl, pair))
    newer = FIT.model_copy(update={"detection": 9.0})(raw)
    session.add(newer)
    assert session.node(pair).state is State.OUT_OF_DATE
    (now,) = session.rerun(pair).artefacts
    assert now.raman is newer
    assert session.node(now).state is State.CURRENT


class Lift(Stage[PairedMaps, PairedMaps]):
    """A stage of somebody's own, which turns a pair into another."""

    takes: ClassVar[tuple[type, ...]] = (PairedMaps,)
    gives: ClassVar[type] = PairedMaps
    by: float = 1.0

    def run(self, source, progress):
        return replace(source, pl=replace(source.pl, height=source.pl.height + self.by))


def test_what_was_made_of_its_like_follows_it(file, monkeypatch):
    """A pair that a late stage gave rests on the pair that it took, and through it on the peaks."""
    monkeypatch.setitem(rerun.BY_NAME, "Lift", Lift)
    raw, light = io.read(file), measured(5, kind=AxisKind.ENERGY)
    raman, pl = FIT(raw), PL_PEAK(light)
    pair = PAIR(Pairable(raman, pl))
    lifted = Lift(by=3)(pair)
    higher = Lift(by=5)(lifted)
    session = Session((raw, light, raman, pl, pair, lifted, higher))
    assert [session.parents(each) for each in (higher, lifted, pair)] == [[lifted], [pair], [raman, pl]]
    assert session.peaks_in(higher) == [raman, pl]
    assert session.pairs_of(raman) == [pair, lifted, higher]
    made = session.rerun(raman, {"detection": 9.0})
    assert [session.node(each).state for each in (pair, lifted, higher)] == [State.OUT_OF_DATE] * 3
    fresh = PAIR(Pairable(FIT.model_copy(update={"detection": 9.0})(raw), pl))
    assert [len(each.history) for each in made.artefacts[1:]] == [1, 2, 3]
    for again, added in zip(made.artefacts[1:], (0, 3, 8), strict=True):
        assert differing(again.raman, fresh.raman) == []
        np.testing.assert_allclose(again.pl.height, fresh.pl.height + added)
        assert session.node(again).state is State.CURRENT
    (top,) = session.rerun(made.artefacts[3], {"by": 1.0}).artefacts
    np.testing.assert_allclose(top.pl.height, fresh.pl.height + 4)
    alone = Session((raw, light, raman, pl, lifted))
    assert alone.parents(lifted) == []
    with pytest.raises(DataError, match="is not in the session; open that too"):
        alone.rerun(lifted, {"by": 1.0})


@pytest.mark.parametrize("make", [make_model, make_explanation, lambda: FIT(measured(6))])
def test_of_every_kind_the_like_that_it_was_made_of_is_its_parent(make):
    def done(before, step, second):
        return before.with_record(Record(step, {}, "0.1.0", 1.0, f"2026-01-01T00:00:0{second}"))

    first, other = (done(make(), "Made", second) for second in (1, 2))
    turned = done(first, "Turned", 3)
    session = Session((first, other, turned))
    assert session.parents(turned) == [first]
    assert session.parents(other) == []
    assert session.ancestors(done(turned, "Turned", 5))[:2] == [turned, first]


def test_a_failure_below_is_kept_with_its_sentence_and_one_of_the_step_changes_nothing(file):
    raw = io.read(file)
    started = chain(raw, FLAKE, FIT)
    session = Session(started)
    with pytest.raises(SettingsError, match="Deconvolve: detection"):
        session.rerun(started[-1], {"detection": -1})
    with pytest.raises(DataError, match="There is no peak to fit"):
        session.rerun(started[-1], {"peaks": ()})
    assert list(session) == started


def test_what_fails_below_is_kept_with_its_sentence_and_all_that_rests_on_it(file):
    light = measured(5, kind=AxisKind.ENERGY)
    raw, same, raman = chain(io.read(file), ConvertAxis(to="cm-1"), FIT)
    pl = PL_PEAK(light)
    pair = PAIR(Pairable(raman, pl))
    session = Session((raw, same, raman, light, pl, pair))
    made = session.rerun(same, {"to": "nm"})
    assert [type(each) for each in made.artefacts] == [SpectralMap]
    of_peaks, of_pair = session.nodes[-2:]
    assert [(node.step, node.state, node.artefact) for node in (of_peaks, of_pair)] == [
        ("Deconvolve", State.FAILED, None),
        ("Pair", State.FAILED, None),
    ]
    assert "Peak A1' is expected at 250 nm" in of_peaks.why
    assert of_pair.why == f"It rests on Deconvolve of 'flake', which failed: {of_peaks.why}"
    assert of_peaks.parents == (session.node(made.artefacts[0]).id,)
    session.undo()
    assert session.node(pair).state is State.CURRENT


def test_cancel_leaves_everything_as_it_was(file):
    started = chain(io.read(file), FLAKE, DESPIKE, FIT)
    session = Session(started)

    def stop(fraction: float, message: str) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        session.rerun(started[1], {"k": 4.0}, progress=stop)
    assert list(session) == started
    assert session.undoable == ""


def test_progress_rises_through_all_of_it(file):
    started, told = chain(io.read(file), FLAKE, DESPIKE, FIT), []
    Session(started).rerun(started[1], {"k": 4.0}, progress=lambda fraction, message: told.append((fraction, message)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    assert {message.split(",")[0] for _, message in told} == {"FindFlake", "Despike", "Deconvolve"}


@pytest.fixture
def quick_learning(monkeypatch):
    """Training and explaining in no time: what they give follows from their settings and from what they are given, as of the true ones."""

    def learn(self, source, progress, checkpoint=None):
        total = sum(float(np.nansum(pair.raman.height) + 2 * np.nansum(pair.pl.height)) for pair in source)
        return replace(make_model(seed=self.seed), predicted=np.full((1, 3), total + self.seed), history=())

    def explain(self, source, progress):
        slope = np.full((2, 3), float(source.predicted.sum()) * self.grid)
        return replace(make_explanation(), slope=slope, history=source.history)

    monkeypatch.setattr(Train, "run", learn)
    monkeypatch.setattr(Explain, "run", explain)


def test_networks_and_explanations_follow_from_the_first_step_on(file, quick_learning):
    train, explain = Train(), Explain(grid=7)
    raw, despiked, raman = chain(io.read(file), DESPIKE, FIT)
    light = measured(6, kind=AxisKind.ENERGY)
    pl, others = PL_PEAK(light), FIT(measured(7))
    pair, other = PAIR(Pairable(raman, pl)), PAIR(Pairable(others, pl))
    model = train([other, pair])
    alone, explanation = train([other]), explain(model)
    session = Session((raw, despiked, light, raman, pl, others, pair, other, alone, model, explanation))
    made = session.rerun(despiked, HARDER)
    again = {type(each): each for each in made.artefacts}
    fresh = train([other, PAIR(Pairable(FIT(HARDER_STAGE(raw)), pl))])
    assert differing(again[TrainedModel], fresh) == []
    assert differing(again[TrainedModel], model) != []
    assert differing(again[Explanation], explain(fresh)) == []
    assert session.model_of(again[Explanation]) is again[TrainedModel]
    assert len(made.artefacts) == 5, "what was trained on the other flake alone is left alone"
    assert session.node(alone).state is State.CURRENT
    assert session.node(model).state is session.node(explanation).state is State.OUT_OF_DATE
    session.undo()
    (model_again, explained_again) = session.rerun(model, {"seed": 3}).artefacts
    assert differing(model_again, train.model_copy(update={"seed": 3})([other, pair])) == []
    assert differing(explained_again, explain(model_again)) == []


def test_the_recipe_of_any_result_makes_that_one_again(file, tmp_path):
    from napari_wse2xai import recipe

    raw, flake, despiked, first = chain(io.read(file), FLAKE, DESPIKE, FIT)
    harder = HARDER_STAGE(flake)
    second = FIT(harder)
    session = Session((raw, flake, despiked, first, harder, second))
    for peaks, step in ((first, DESPIKE), (second, HARDER_STAGE)):
        (tmp_path / "recipe.yaml").write_text(session.recipe_of(peaks), encoding="utf-8")
        wanted = recipe.load(tmp_path / "recipe.yaml")
        assert wanted.raman.despike == step
        again = wanted.chains()["raman"].run(io.read(wanted.raman.file))
        assert differing(again.peaks, peaks) == []
    assert "deconvolve: false" in session.recipe_of(despiked)
