"""A file appears complete or not at all, and what prevents it is told in one sentence."""

import errno
import os
import subprocess
import sys

import pytest

from napari_wse2xai.errors import Cancelled, UserError
from napari_wse2xai.io import new_file


def test_the_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "deep" / "er" / "result.nc"
    with new_file(target) as temporary:
        temporary.write_text("done")
        assert temporary.parent == target.parent
        assert not target.exists()
    assert target.read_text() == "done"
    assert os.listdir(target.parent) == ["result.nc"]


@pytest.mark.parametrize("interruption", [ValueError, KeyboardInterrupt, Cancelled])
def test_what_interrupts_leaves_the_old_file_and_no_other(tmp_path, interruption):
    target = tmp_path / "result.nc"
    target.write_text("old")
    with pytest.raises(interruption), new_file(target) as temporary:
        temporary.write_text("half")
        raise interruption
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.nc"]


def test_permissions_are_those_of_any_new_file(tmp_path):
    with new_file(tmp_path / "result.nc") as temporary:
        temporary.write_text("x")
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "result.nc").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "may not write"), (errno.EIO, "another folder")]
)
def test_errors_of_the_system_become_sentences(tmp_path, number, words):
    with pytest.raises(UserError, match=words) as caught, new_file(tmp_path / "result.nc"):
        raise OSError(number, os.strerror(number))
    assert str(tmp_path) in str(caught.value)
    assert not os.listdir(tmp_path)


def test_a_folder_that_cannot_be_made_and_a_name_that_is_a_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match=r"not a folder|stands where"), new_file(tmp_path / "file" / "result.nc"):
        pytest.fail("nothing to write to")
    (tmp_path / "taken.nc").mkdir()
    with pytest.raises(UserError, match="a folder of that name"), new_file(tmp_path / "taken.nc"):
        pytest.fail("nothing to write to")


FULL = """
import resource, signal, sys
import numpy as np
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import UserError
from napari_wse2xai.io import write_map
import h5netcdf
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    write_map(SpectralMap.from_arrays(np.ones((20, 20, 100)), np.arange(1, 101), AxisKind.ENERGY), sys.argv[1])
except UserError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process's files are a matter of Unix")
def test_hdf5_that_runs_out_of_space_is_told_too(tmp_path):
    target = tmp_path / "map.nc"
    done = subprocess.run([sys.executable, "-c", FULL, str(target)], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("'map.nc' cannot be written to the folder"), done.stderr
    assert not os.listdir(tmp_path)
