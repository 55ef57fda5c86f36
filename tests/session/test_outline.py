"""A session as it is read: flakes, RS and PL, steps without a result of their own, what was learnt from several flakes."""

from dataclasses import replace

from test_rerun import DESPIKE, FIT, FLAKE, chain
from test_session import PL_PEAK, measured

from learned import make_model
from napari_wse2xai import io
from napari_wse2xai.data import AxisKind, Pairable, Record
from napari_wse2xai.session import Missing, Session
from napari_wse2xai.session.outline import about, outline
from napari_wse2xai.stages import Pair, Train
from napari_wse2xai.stages.pair import StageCoordinates


def told(session: Session) -> list[tuple[str, dict[str, list[str]]]]:
    return [(branch.name, {side: [row.title for row in rows] for side, rows in branch.sides.items()}) for branch in outline(session)]


def test_steps_that_have_no_result_of_their_own_stand_before_the_one_that_has(tmp_path):
    io.write_map(replace(measured(1, bare=4), name="flake"), tmp_path / "rs.nc")
    *_, last, peaks = chain(io.read(tmp_path / "rs.nc"), FLAKE, DESPIKE, FIT)
    session = Session([last, peaks])
    assert told(session) == [("flake", {"RS": ["Read rs.nc", "Find flake", "Remove spikes", "Deconvolve: A1'"]})]
    (branch,) = outline(session)
    assert [(row.step, row.node.artefact) for row in branch.sides["RS"]] == [("read", last), ("FindFlake", last), ("", last), ("", peaks)]


def test_flakes_of_one_name_are_numbered_and_a_network_of_both_stands_apart():
    sides = [(measured(seed), measured(seed + 100, kind=AxisKind.ENERGY)) for seed in (1, 2)]
    peaks = [(FIT(raman), PL_PEAK(pl)) for raman, pl in sides]
    pairs = [Pair(method=StageCoordinates())(Pairable(*each)) for each in peaks]
    models = [
        replace(make_model(), history=(Record("Train", {}, "0.1.0", 1.0, f"2026-01-0{day}", Train().taken(on)),))
        for day, on in ((1, pairs), (2, pairs[1:]))
    ]
    session = Session([*sides[0], *sides[1], *peaks[0], *peaks[1], *pairs, *models])
    names = [name for name, _ in told(session)]
    assert names == ["flake", "flake (2)", "Several flakes"]
    sides_told = dict(told(session))
    assert sides_told["flake"][""] == [f"Pair RS and PL: {int(pairs[0].paired.sum())} pixels"]
    assert sides_told["flake (2)"][""][1:] == ["Train: PL height, position"] or sides_told["flake (2)"][""][1:] == ["Train: PL height"]
    assert len(sides_told["Several flakes"][""]) == 1


def test_what_failed_stands_with_what_it_was_to_be_made_of_and_says_why():
    raw = measured(3, kind=AxisKind.ENERGY)
    session = Session([raw])
    session.note_failure(Missing.of_step(PL_PEAK.model_copy(update={"detection": 9.0}), [raw], "There is no peak to fit; add one."))
    assert told(session) == [("flake", {"PL": ["map", "Deconvolve"]})]
    words = about(session.nodes[-1]).splitlines()
    assert words[0] == "There is no peak to fit; add one."
    assert "detection: 9.0" in words
    assert not any(word.startswith("solver") for word in words), "settings that are the usual ones are not told"
