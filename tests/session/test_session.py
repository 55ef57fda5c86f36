"""Which came from which: never by name, by place in a list, or by equal numbers."""

from dataclasses import replace

import numpy as np
import pytest

from learned import make_explanation, make_model
from napari_wse2xai.data import AxisKind, Frame, Pairable, Record, SpectralMap
from napari_wse2xai.data.history import descends, from_json, given, mark_of, to_json
from napari_wse2xai.io import read_flakes, read_results, write_results
from napari_wse2xai.session import Session, named_results
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Pair, Peak, Train
from napari_wse2xai.stages.pair import StageCoordinates

SHAPE = (7, 11)
DECONVOLVE = Deconvolve(peaks=(Peak(name="A1'", position=250, fwhm=5, window=(210, 290)),), pixels="everywhere")
PL_PEAK = Deconvolve(peaks=(Peak(name="A exciton", position=1.65, fwhm=0.05, window=(1.5, 1.8)),), pixels="everywhere")


def measured(seed: int, *, kind: AxisKind = AxisKind.RAMAN_SHIFT, sample: str = "flake", bare: int = 0) -> SpectralMap:
    """A Lorentzian in every pixel but some bare columns, of heights of this map's own; name, grid and axis are those of all others."""
    rng = np.random.default_rng(seed)
    axis, middle, width = (np.linspace(200, 300, 81), 250, 5) if kind is AxisKind.RAMAN_SHIFT else (np.linspace(1.5, 1.8, 61), 1.65, 0.05)
    heights = rng.uniform(500, 900, (*SHAPE, 1))
    heights[:, :bare] = 0
    counts = heights / (1 + (2 * (axis - middle) / width) ** 2) + 30 + rng.normal(0, 3, (*SHAPE, len(axis)))
    return SpectralMap.from_arrays(counts, axis, kind, frame=Frame(SHAPE, (0.5, 0.5), (0.0, 0.0), sample), laser_nm=532.0)


def paired(seed: int, sample: str = "flake") -> tuple[SpectralMap, SpectralMap, Pairable]:
    raman, pl = measured(seed, sample=sample), measured(seed + 100, kind=AxisKind.ENERGY, sample=sample)
    return raman, pl, Pairable(DECONVOLVE(raman), PL_PEAK(pl))


def trained_on(*pairs, name: str = "model"):
    """A model made by hand that says what it was trained on, as `Train` does (tests/stages/test_train.py holds it to that)."""
    record = Record("Train", {}, "0.1.0", 1.0, f"2026-01-01T00:00:0{len(pairs)}", Train().taken(pairs))
    return replace(make_model(name=name), history=(record,))


def test_two_maps_of_one_grid_axis_and_name_have_fits_of_their_own():
    one, other = measured(1), measured(2)
    peaks = DECONVOLVE(one)
    session = Session((one, peaks, other))
    assert session.peaks_of(one) is peaks
    assert session.peaks_of(other) is None
    assert session.source_of(peaks) is one
    assert Session((other, peaks)).source_of(peaks) is None


def test_of_every_flake_the_newest_pair_is_learnt_from_whichever_side_was_done_again():
    raman, pl, first = paired(1)
    other = Pair(method=StageCoordinates())(paired(2)[2])  # another flake, of the same names and grid
    pairing = Pair(method=StageCoordinates())
    wider = PL_PEAK.model_copy(update={"detection": 8.0})
    pairs = [pairing(first), other, pairing(replace(first, pl=wider(pl))), pairing(Pairable(DECONVOLVE(raman), first.pl))]
    for count, newest in ((2, [0, 1]), (3, [1, 2]), (4, [1, 3])):
        assert [pairs.index(one) for one in Session(pairs[:count]).pairs()] == newest


def test_the_same_numbers_read_from_two_files_are_two_measurements():
    one = measured(1)
    twins = [one.with_record(Record("read", {"file": "a.txt", "sha256": digest})) for digest in ("1" * 64, "2" * 64)]
    peaks = DECONVOLVE(twins[0])
    assert Session((*twins, peaks)).peaks_of(twins[1]) is None
    assert Session((*twins, peaks)).source_of(peaks) is twins[0]


def test_peaks_go_back_to_the_map_that_was_fitted_through_every_step():
    raw = measured(3)
    despiked = Despike()(raw)
    above = Baseline()(despiked)
    peaks, earlier = DECONVOLVE(above), DECONVOLVE(despiked)
    session = Session((raw, despiked, above, earlier, peaks))
    assert session.source_of(peaks) is above
    assert session.source_of(earlier) is despiked
    assert session.ancestors(peaks) == [above, despiked, raw]
    assert session.peaks_of(despiked) is peaks
    assert session.peaks_of(above) is peaks


def test_a_baseline_tried_after_the_fit_is_no_map_of_that_fit():
    raw = measured(4)
    peaks = DECONVOLVE(raw)
    later = Baseline()(raw)
    session = Session((raw, peaks, later))
    assert session.peaks_of(later) is None
    assert session.source_of(peaks) is raw


def test_a_flake_found_anew_leaves_spectra_and_their_fit_together():
    raw = measured(5, bare=4)
    with_flake = FindFlake(window=(240, 260))(raw)
    assert with_flake.flake.any()
    peaks = DECONVOLVE(raw)
    assert Session((raw, peaks, with_flake)).peaks_of(with_flake) is peaks


def test_a_model_knows_its_pairs_and_its_explanation_its_model():
    (_, _, one), (_, _, other) = paired(10), paired(11)
    first, second = (Pair(method=StageCoordinates())(each) for each in (one, other))
    of_first, of_second = trained_on(first), trained_on(second, name="model")
    of_second = replace(of_second, history=(replace(of_second.history[0], when="2026-01-02T00:00:00"),))
    explanation = replace(make_explanation(), history=(*of_first.history, Record("Explain", {}, when="2026-01-03T00:00:00")))
    session = Session((one.raman, one.pl, other.raman, other.pl, first, second, of_second, of_first, explanation))
    assert session.pairs_of(of_first) == [first]
    assert session.pairs_of(of_second) == [second]
    assert session.model_of(explanation) is of_first
    assert Session((of_second, explanation)).model_of(explanation) is None
    assert session.explanations_of(one.raman) == [explanation]
    assert session.explanations_of(other.raman) == []


def test_a_step_run_again_under_a_trained_model_marks_it_out_of_date():
    raman, pl, both = paired(12)
    pair = Pair(method=StageCoordinates())(both)
    model = trained_on(pair)
    session = Session((raman, pl, both.raman, both.pl, pair, model))
    assert session.outdated(model) == ""
    session.add(DECONVOLVE(measured(13)))
    assert session.outdated(model) == "", "another flake's fit is nothing to this model"
    session.add(DECONVOLVE.model_copy(update={"pixels": "everywhere"})(raman))
    assert "Deconvolve was run again" in session.outdated(model)
    assert "Deconvolve was run again" in session.outdated(pair)
    assert session.outdated(both.pl) == ""


def test_every_flake_is_saved_and_read_again_with_its_own(tmp_path):
    flakes = {sample: paired(seed, sample) for seed, sample in ((20, "one"), (21, "two"))}
    pairs = {sample: Pair(method=StageCoordinates())(both) for sample, (_, _, both) in flakes.items()}
    model = trained_on(pairs["one"])
    newest = DECONVOLVE(flakes["one"][0])  # of the model's map, but nothing was made of it
    artefacts = [part for raman, pl, both in flakes.values() for part in (raman, pl, both.raman, both.pl)]
    named = named_results(Session((*artefacts, *pairs.values(), model, newest)))
    assert list(named) == ["one", "two", "one 2"]
    write_results(named["one"], tmp_path / "results.nc", {name: named[name] for name in ("two", "one 2")})
    first, second, third = read_flakes(tmp_path / "results.nc").values()
    assert read_results(tmp_path / "results.nc").peaks["raman"].height == pytest.approx(pairs["one"].raman.height)
    assert first.model is not None
    assert second.model is None
    assert first.peaks["raman"].height == pytest.approx(pairs["one"].raman.height), "the peaks that the model was trained on"
    assert second.peaks["raman"].height == pytest.approx(pairs["two"].raman.height)
    assert third.peaks["raman"].height == pytest.approx(newest.height)
    assert second.maps["pl"].counts == pytest.approx(flakes["two"][1].counts)
    back = Session(part for each in (first, second, third) for part in (*each.maps.values(), *each.peaks.values(), each.paired) if part)
    back.add(first.model)
    assert back.pairs_of(first.model) == [first.paired]
    assert back.source_of(third.peaks["raman"]) is first.maps["raman"]
    assert back.source_of(second.peaks["pl"]) is second.maps["pl"]


def test_what_a_later_run_replaced_is_left_out_unless_something_rests_on_it():
    raw = measured(30)
    former, now = DECONVOLVE(raw), DECONVOLVE(raw)
    (results,) = named_results(Session((raw, former, now))).values()
    assert results.peaks["raman"] is now


def test_a_file_of_before_says_nothing_of_parents_and_is_told():
    parent, child = (Record("read", {"sha256": "a"}),), (Record("Pair", {}, seconds=0.25),)
    assert given(child, parent)[-1].of == (mark_of(parent),)
    told = given(child, parent)
    assert given(told, child) == told


def test_a_mark_outlives_the_file_and_computed_maps_but_no_second_run():
    raw = measured(31)
    one, other = DECONVOLVE(raw), DECONVOLVE(raw)
    assert mark_of(one.history) != mark_of(other.history)
    assert mark_of(from_json(to_json(one.history))) == mark_of(one.history)
    changed = (*one.history[:-1], replace(one.history[-1], settings={**one.history[-1].settings, "computed": ["x"]}))
    assert mark_of(changed) == mark_of(one.history)
    assert descends(one.history, raw.history)
    assert not descends(one.history, other.history)
