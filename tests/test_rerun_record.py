"""A run made again from its own results: the same files, the same arrays; other settings where they are given."""

import json
import platform
import shutil
from dataclasses import replace
from unittest.mock import Mock

import h5py
import numpy as np
import pytest
import torch
import yaml

from napari_wse2xai import batch, cli, io
from napari_wse2xai.data import Results
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.io import checksum, stored
from test_many_flakes import SETTINGS, write_map


@pytest.fixture
def made(tmp_path):
    """A folder with a map and the results of a run on it."""
    write_map(tmp_path / "in" / "a.nc")
    recipe = {**SETTINGS, "raman": {**SETTINGS["raman"], "file": "a.nc"}}
    (tmp_path / "in" / "one.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    batch.run_recipe(tmp_path / "in" / "one.yaml", tmp_path / "out")
    return tmp_path


def rerun(folder, *more, status=0):
    assert cli.main(["rerun", str(folder / "out" / "results.nc"), "--output", str(folder / "again"), *more]) == status


def peaks(folder):
    return io.read_results(folder / "results.nc").peaks["raman"]


def test_the_same_settings_give_the_same_arrays(made, monkeypatch):
    monkeypatch.chdir("/")
    rerun(made)
    one, other = peaks(made / "out"), peaks(made / "again")
    for name in ("position", "fwhm", "height", "position_error", "status", "reduced_chi2"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert [record.step for record in one.history] == [record.step for record in other.history]


def test_a_setting_may_differ(made, capsys):
    rerun(made, "--set", "deconvolve.detection=8", "--set", "deconvolve.background=none", "--set", "raman.deconvolve.peaks.A.fwhm=9")
    settings = peaks(made / "again").history[-1].settings
    assert (settings["detection"], settings["peaks"][0]["fwhm"]) == (8, 9)
    assert (peaks(made / "again").height != peaks(made / "out").height).all(), "no straight line under it"
    rerun(made, "--set", "deconvolve.detecion=8", status=2)
    assert "did you mean 'detection'?" in capsys.readouterr().err


def test_a_large_file_is_checked_all_the_same(tmp_path, monkeypatch, capsys):
    """Its checksum is not taken when it is opened, but when the record is written."""
    monkeypatch.setattr(stored, "LARGE", 1000)
    monkeypatch.setattr(checksum, "sha256", sha := Mock(wraps=checksum.sha256))
    write_map(tmp_path / "a.nc")
    found = io.read(tmp_path / "a.nc")
    assert sha.call_count == 0
    io.write_results(Results({"raman": found}), tmp_path / "out" / "results.nc")
    write_map(tmp_path / "a.nc", seed=5)
    assert cli.main(["rerun", str(tmp_path / "out" / "results.nc")]) == 2
    assert "SHA-256 differs" in capsys.readouterr().err


def test_a_file_that_is_another_now_is_refused(made, capsys):
    file = made / "in" / "a.nc"
    write_map(file, seed=5)
    rerun(made, status=2)
    assert "SHA-256 differs" in capsys.readouterr().err
    file.unlink()
    rerun(made, status=2)
    assert "put it back" in capsys.readouterr().err
    assert not (made / "again").exists()


def test_files_that_moved_with_the_results_are_found(made):
    shutil.move(made / "in" / "a.nc", made / "out" / "a.nc")
    rerun(made)
    np.testing.assert_array_equal(peaks(made / "out").height, peaks(made / "again").height)


@pytest.mark.parametrize(
    ("setting", "words"),
    [("detection", "write it as KEY=VALUE"), ("raman.deconvolve.peaks.B.fwhm=3", "no 'B' in the list"), ("raman.file.x=3", "raman.file")],
)
def test_what_is_no_setting_is_told(made, capsys, setting, words):
    rerun(made, "--set", setting, status=2)
    assert words in capsys.readouterr().err
    assert not (made / "again").exists()


def test_results_are_not_written_over_what_they_are_made_from(made, capsys):
    assert cli.main(["rerun", str(made / "out" / "results.nc"), "--output", str(made / "out")]) == 2
    assert "choose another output folder" in capsys.readouterr().err


def test_another_version_is_told(made):
    found = io.read_results(made / "out" / "results.nc")
    old = replace(found.peaks["raman"], history=tuple(replace(record, version="0.0.1") for record in found.peaks["raman"].history))
    io.write_results(replace(found, peaks={"raman": old}), made / "out" / "results.nc")
    with pytest.warns(DataWarning, match=r"made by version 0\.0\.1"):
        batch.rerun(made / "out" / "results.nc", made / "again", figures=False)


def test_the_history_says_what_each_step_was_done_with(made):
    with h5py.File(made / "out" / "results.nc") as file:
        records = json.loads(file["raman/peaks"].attrs["history"])
    assert records[0]["settings"]["sha256"] == io.sha256(made / "in" / "a.nc")
    expected = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__, "device": "cpu"}
    assert expected.items() <= records[-1]["made_with"].items()
    assert records[-1]["when"].startswith("20")
