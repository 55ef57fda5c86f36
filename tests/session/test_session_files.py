"""A session in one file and back: every flake, every step, to the bit; spectra by their own files."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from test_rerun import DESPIKE, FIT, FLAKE, HARDER, chain, differing
from test_session import PL_PEAK, measured

from learned import make_explanation, make_model
from napari_wse2xai import io
from napari_wse2xai.data import AxisKind, Pairable, Record, Results, SpectralMap
from napari_wse2xai.data.history import now
from napari_wse2xai.errors import DataWarning, ReaderError, UserError
from napari_wse2xai.session import Session, State
from napari_wse2xai.session.edited import with_flake
from napari_wse2xai.session.files import is_session, view_in
from napari_wse2xai.stages import Baseline, Pair, Train
from napari_wse2xai.stages.pair import StageCoordinates

PAIR = Pair(method=StageCoordinates())


@pytest.fixture
def folder(tmp_path):
    """Files of two flakes of one grid and one name, RS and PL each."""
    for index in (1, 2):
        io.write_map(replace(measured(index, bare=4), name="flake"), tmp_path / f"rs{index}.nc")
        io.write_map(replace(measured(index + 10, kind=AxisKind.ENERGY), name="flake"), tmp_path / f"pl{index}.nc")
    return tmp_path


def whole(folder) -> Session:
    """Two flakes, paired; of the first a former deconvolution, a flake edited by hand, a network and an explanation of it."""
    artefacts: list = []
    for index in (1, 2):
        raw, flake, despiked = chain(io.read(folder / f"rs{index}.nc"), FLAKE, DESPIKE)
        former = FIT(despiked)
        raman = FIT.model_copy(update={"detection": 6.0})(despiked)
        light = io.read(folder / f"pl{index}.nc")
        pl = PL_PEAK(light)
        artefacts += [raw, flake, despiked, former, raman, light, pl, PAIR(Pairable(raman, pl))]
    drawn = np.array(artefacts[1].flake)
    drawn[2, 6] = ~drawn[2, 6]
    artefacts.append(with_flake(artefacts[2], drawn, artefacts[1]))
    train = Record("Train", Train().model_dump(mode="json"), "0.1.0", 1.0, now(), Train().taken([artefacts[7]]))
    model = replace(make_model(), history=(train,))
    explanation = replace(make_explanation(model.samples), history=(train, Record("Explain", {}, "0.1.0", 1.0, now())))
    return Session([*artefacts, model, explanation])


def same(one: Session, other: Session) -> None:
    assert [node.id for node in one.nodes] == [node.id for node in other.nodes]
    for ours, theirs in zip(one.nodes, other.nodes, strict=True):
        assert (ours.parents, ours.state, ours.why, ours.step, ours.name) == (
            theirs.parents,
            theirs.state,
            theirs.why,
            theirs.step,
            theirs.name,
        )
        assert dict(ours.settings) == dict(theirs.settings)
        assert ours.artefact.history == theirs.artefact.history
        assert differing(ours.artefact, theirs.artefact) == [], ours.id


def test_everything_comes_back_to_the_bit_and_the_spectra_stay_where_they_are(folder):
    session = whole(folder)
    assert {node.state for node in session.nodes} == {State.CURRENT, State.REPLACED}
    session.save(folder / "session.nc")
    with h5py.File(folder / "session.nc") as file:
        assert not any("counts" in group for group in file["nodes"].values()), "spectra lie in their own files"
        assert len(file["nodes"]) == 19
        stored = file["nodes"][session.nodes[3].id]["height"][...]
    assert stored.tobytes() == session.artefacts[3].height.tobytes(), "a deconvolution that a later run replaced is kept"
    assert is_session(folder / "session.nc")
    assert not is_session(folder / "rs1.nc")
    back = Session.open(folder / "session.nc")
    same(back, session)
    assert back.undoable == ""
    raman, pair = back.artefacts[4], back.artefacts[7]
    assert pair.raman is raman
    assert back.pairs_of(back.artefacts[-2]) == [pair]
    assert back.artefacts[-1].samples is back.artefacts[-2].samples


def test_what_was_opened_is_run_again_like_what_was_made(folder):
    session = whole(folder)
    session.remove(session.artefacts[-2])
    session.save(folder / "session.nc")
    back = Session.open(folder / "session.nc")
    made, wanted = (each.rerun(each.artefacts[2], HARDER).artefacts for each in (back, session))
    assert len(made) == len(wanted) == 4
    assert [differing(ours, theirs) for ours, theirs in zip(made[:2], wanted[:2], strict=True)] == [[], []]


def test_spectra_go_into_the_file_where_nothing_else_could_give_them_or_where_asked_for(folder):
    alone, (_, despiked) = measured(7), chain(measured(8), DESPIKE)
    read = io.read(folder / "rs1.nc")
    session = Session([alone, despiked, read])
    session.save(folder / "session.nc")
    with h5py.File(folder / "session.nc") as file:
        groups = file["nodes"]
        assert ["counts" in groups[node.id] for node in session.nodes] == [True, True, False]
    session.save(folder / "whole.nc", spectra=True)
    for name in ("rs1.nc", "rs2.nc"):
        (folder / name).unlink()
    same(Session.open(folder / "whole.nc"), session)
    same(Session(Session.open(folder / "session.nc")), Session([alone, despiked]))


def test_spectra_whose_file_is_gone_or_another_when_saved_go_into_the_file(folder):
    session = Session([io.read(folder / "rs1.nc"), io.read(folder / "rs2.nc")])
    (folder / "rs1.nc").unlink()
    (folder / "rs2.nc").write_bytes((folder / "rs2.nc").read_bytes() + b"x")
    session.save(folder / "session.nc")
    same(Session.open(folder / "session.nc"), session)


def test_a_map_whose_file_is_gone_is_missing_and_comes_back_with_it(folder):
    session = whole(folder)
    session.save(folder / "session.nc")
    (folder / "rs1.nc").rename(folder / "away.nc")
    back = Session.open(folder / "session.nc")
    gone = [node for node in back.nodes if node.state is State.FAILED]
    assert [node.id for node in gone] == [session.nodes[index].id for index in (0, 1, 2, 16)]
    assert all("needs 'rs1.nc', which is not in" in node.why for node in gone)
    raman, pair = back.artefacts[1], back.artefacts[4]
    assert differing(raman, session.artefacts[4]) == []
    assert back.node(raman).parents == (gone[2].id,), "it still hangs together"
    assert pair.raman is raman, "what was fitted and paired works on"
    assert back.pairs_of(back.artefacts[-2]) == [pair]
    back.save(folder / "again.nc")
    (folder / "away.nc").rename(folder / "rs1.nc")
    same(Session.open(folder / "again.nc"), session)
    (folder / "rs1.nc").write_bytes((folder / "rs2.nc").read_bytes())
    assert "another file now" in Session.open(folder / "session.nc").nodes[0].why


def test_files_that_moved_with_the_session_are_found(folder, tmp_path):
    session = Session(chain(io.read(folder / "rs1.nc"), DESPIKE))
    session.save(folder / "session.nc")
    (tmp_path / "else").mkdir()
    for name in ("session.nc", "rs1.nc"):
        (folder / name).rename(tmp_path / "else" / name)
    same(Session.open(tmp_path / "else" / "session.nc"), session)


def test_spectra_that_another_version_makes_otherwise_are_told(folder, monkeypatch):
    session = Session(chain(io.read(folder / "rs1.nc"), Baseline()))
    session.save(folder / "session.nc")
    run = Baseline.run

    def otherwise(self, source, progress):
        made = run(self, source, progress)
        return replace(made, counts=made.counts + 1)

    monkeypatch.setattr(Baseline, "run", otherwise)
    with pytest.warns(DataWarning, match="not quite those that version"):
        Session.open(folder / "session.nc")


def test_what_a_window_showed_comes_back(folder):
    view = [{"node": "map-1", "part": "map", "visible": True}, {"node": "é", "part": "A1' height", "visible": False}]
    session = Session([io.read(folder / "rs1.nc")])
    session.save(folder / "session.nc", view=view)
    assert view_in(folder / "session.nc") == view
    session.save(folder / "session.nc")
    assert view_in(folder / "session.nc") == []


def test_results_of_a_run_open_as_a_session(folder):
    *_, despiked, peaks = chain(io.read(folder / "rs1.nc"), FLAKE, DESPIKE, FIT)
    io.write_results(Results({"raman": despiked}, {"raman": peaks}), folder / "results.nc")
    back = Session.open(folder / "results.nc")
    assert [type(each).__name__ for each in back] == ["SpectralMap", "PeakMaps"]
    assert back.node(back.artefacts[1]).parents == (back.nodes[0].id,)
    again = back.rerun(back.artefacts[1], HARDER, step="Despike").artefacts
    assert len(again) == 2


def test_a_disk_that_fails_leaves_the_former_session(folder, monkeypatch):
    session = whole(folder)
    session.save(folder / "session.nc")
    before = (folder / "session.nc").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_wse2xai.session.files._write_made", full)
    with pytest.raises(UserError, match="the disk is full"):
        session.save(folder / "session.nc")
    assert (folder / "session.nc").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["pl1.nc", "pl2.nc", "rs1.nc", "rs2.nc", "session.nc"]


def test_files_that_are_none_or_damaged_or_of_later_get_a_sentence(folder):
    with pytest.raises(ReaderError, match="does not exist"):
        Session.open(folder / "no.nc")
    with pytest.raises(ReaderError, match="holds no results"):
        Session.open(folder / "rs1.nc")
    whole(folder).save(folder / "session.nc")
    with h5py.File(folder / "session.nc", "r+") as file:
        file.attrs["session"] = 99
    with pytest.raises(ReaderError, match="later version"):
        Session.open(folder / "session.nc")
    with h5py.File(folder / "session.nc", "r+") as file:
        file.attrs["session"] = 1
        for group in file["nodes"].values():
            del group.attrs["kind"]
    with pytest.raises(ReaderError, match=r"session\.nc"):
        Session.open(folder / "session.nc")


def test_other_programs_read_the_file(folder):
    xarray = pytest.importorskip("xarray")
    session = whole(folder)
    session.save(folder / "session.nc")
    with xarray.open_datatree(folder / "session.nc", engine="h5netcdf") as tree:
        peaks = tree[f"nodes/{session.nodes[4].id}"]
        assert peaks["height"].dims == ("peak", "y", "x")
        assert peaks.attrs["state"] == "current"
        assert json.loads(peaks.attrs["parents"]) == list(session.nodes[4].parents)
        assert np.array_equal(peaks["height"].values, session.artefacts[4].height, equal_nan=True)
    assert isinstance(session.artefacts[0], SpectralMap)
