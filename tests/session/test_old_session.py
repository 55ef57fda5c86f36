"""A session's file that yesterday's code wrote, before layouts were counted: it opens, hangs together as it did, and work goes on in it."""

import gzip
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_wse2xai.data import PeakMaps
from napari_wse2xai.session import Session, State
from napari_wse2xai.session.files import is_session, view_in

OLD = Path(__file__).with_name("old") / "session_before_layouts.nc.gz"
KINDS = ["SpectralMap"] * 4 + ["PeakMaps"] * 3 + ["PairedMaps", "TrainedModel", "Explanation", "PairedMaps"]
PARENTS = [[], [], [0], [2], [3], [3], [1], [5, 6], [7], [8], [5, 6]]
"""Of every result in its order, what it was made of."""


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("old") / "session.nc"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    return path


def test_an_old_session_opens_with_every_number_that_it_holds(old):
    assert is_session(old)
    session = Session.open(old)
    nodes = session.nodes
    ids = [node.id for node in nodes]
    assert [node.kind.__name__ for node in nodes] == KINDS
    assert [[ids.index(parent) for parent in node.parents] for node in nodes] == PARENTS
    assert [k for k, node in enumerate(nodes) if node.state is not State.CURRENT] == [4, 10]
    assert (nodes[4].state, nodes[10].state) == (State.REPLACED, State.FAILED)
    assert nodes[10].why == "The outlines of the two flakes do not agree; place them by hand."
    with h5py.File(old) as file:
        groups = [file["nodes"][name] for name in ids]
        for number, names in ((0, ("counts",)), (5, ("position", "fwhm", "height", "height_error", "status", "reduced_chi2"))):
            for name in names:
                stored = groups[number][name][()]
                np.testing.assert_array_equal(getattr(nodes[number].artefact, name), stored, err_msg=name)
        np.testing.assert_array_equal(nodes[9].artefact.pdp, groups[9]["explanation/pdp"][()])
        assert nodes[9].artefact.recovery.model_r2 == groups[9]["explanation/recovery"].attrs["model_r2"]
        assert nodes[8].artefact.name == groups[8].attrs["title"]
    assert nodes[9].artefact.samples is nodes[8].artefact.samples
    assert nodes[7].artefact.raman is nodes[5].artefact


def test_what_an_old_window_showed_is_shown_and_an_old_step_is_run_again(old):
    assert [(each["part"], each["visible"]) for each in view_in(old)] == [("map", True), ("A1' height", False)]
    session = Session.open(old)
    assert session.node(view_in(old)[1]["node"]).kind is PeakMaps
    session.remove(session.nodes[8].id)  # training takes minutes
    again = session.rerun(session.nodes[5].id).artefacts[0]
    np.testing.assert_allclose(again.height, session.artefacts[5].height, rtol=1e-4)


def test_what_is_written_of_it_today_is_the_same_session(old, tmp_path):
    session = Session.open(old)
    session.save(tmp_path / "today.nc", spectra=True)
    today = Session.open(tmp_path / "today.nc")
    assert [(node.id, node.parents, node.state, node.why) for node in today.nodes] == [
        (node.id, node.parents, node.state, node.why) for node in session.nodes
    ]
    for ours, theirs in zip(today.of_kind(PeakMaps), session.of_kind(PeakMaps), strict=True):
        np.testing.assert_array_equal(ours.height, theirs.height)
