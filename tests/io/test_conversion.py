"""`convert` writes what `read` and `write_map` write; large binary maps stay in their file until they are needed."""

import dataclasses
import hashlib
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from wdf_file import origins, plan, wdf_bytes

from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import Cancelled, UserError
from napari_wse2xai.io import convert, netcdf, read, stored, write_map, write_map_table

NY, NX, N = 20, 12, 400


@pytest.fixture
def wdf(tmp_path):
    return written(tmp_path / "flake.wdf", NY)


def written(path, ny):
    counts = np.random.default_rng(0).integers(0, 1000, (ny * NX, N)).astype(np.float32)
    y, x = (index.ravel() * 0.5 for index in np.indices((ny, NX)))
    path.write_bytes(wdf_bytes(counts, np.linspace(560, 100, N), origins(y, x, ny * NX), plan((ny, NX), (0.5, 0.5))))
    return path


def without_seconds(history):
    return [dataclasses.replace(record, seconds=0.0) for record in history]


@pytest.mark.parametrize("name", ["flake.wdf", "flake.nc", "flake.txt"])
def test_convert_is_read_and_write(wdf, name, tmp_path):
    write_map(read(wdf), tmp_path / "flake.nc")
    write_map_table(read(wdf), tmp_path / "flake.txt")
    source = tmp_path / name
    write_map(read(source), tmp_path / "slowly.nc")
    given = convert(source, tmp_path / "converted.nc")
    converted, wanted = netcdf_map(tmp_path / "converted.nc"), netcdf_map(tmp_path / "slowly.nc")
    np.testing.assert_array_equal(converted.counts, wanted.counts)
    assert (converted.frame, converted.name, converted.metadata) == (wanted.frame, wanted.name, wanted.metadata)
    assert without_seconds(converted.history) == without_seconds(wanted.history) == without_seconds(given.history)
    assert converted.history[-1].settings["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()


def netcdf_map(path):
    """Map as the file holds it, without the record that `read` adds."""
    found = read(path)
    return dataclasses.replace(found, history=found.history[:-1])


def test_a_large_wdf_stays_in_its_file_is_turned_and_written_some_rows_at_a_time(tmp_path, monkeypatch):
    wdf = written(tmp_path / "large.wdf", 5 * NY)  # far larger than all that a file is written with
    plain = read(wdf)
    monkeypatch.setattr(stored, "LARGE", 2**16)
    monkeypatch.setattr(stored, "_BAND", 2**13)
    mapped = read(wdf)
    assert isinstance(mapped.counts, StoredCounts)
    np.testing.assert_array_equal(mapped.counts, plain.counts)
    convert(wdf, tmp_path / "before.nc")  # so that what it imports is not counted
    tracemalloc.start()
    convert(wdf, tmp_path / "converted.nc")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.6 * plain.counts.nbytes  # never the whole map
    np.testing.assert_array_equal(read(tmp_path / "converted.nc").counts, plain.counts)


CUT = """
import os, sys
from napari_wse2xai.errors import UserError
from napari_wse2xai.io import read, stored
from napari_wse2xai.stages import FindFlake
stored.LARGE = 2**16
opened = read(sys.argv[1])
os.truncate(sys.argv[1], 20_000)
try:
    FindFlake()(opened)
except UserError as error:
    print(error)
"""


def test_a_wdf_that_is_cut_while_its_map_is_open_does_not_end_the_process(wdf):
    """A memory map would: by the signal SIGBUS, and napari with all that is in it."""
    done = subprocess.run([sys.executable, "-c", CUT, str(wdf)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "'flake.wdf' was changed since it was opened, and its map was still in it; open it again.\n"


def test_a_file_is_sent_to_the_disk_while_it_is_written(tmp_path, monkeypatch):
    from napari_wse2xai.io import atomic

    flushed = []
    monkeypatch.setattr(atomic, "_flush_to_disk", lambda path: flushed.append(path.stat().st_size))
    monkeypatch.setattr(atomic, "_BETWEEN_FLUSHES_S", 0.0)
    with atomic.new_file(tmp_path / "large.bin", expected_bytes=atomic._LARGE) as temporary:
        temporary.write_bytes(b"begun")
        deadline = time.monotonic() + 30
        while len(b"begun") not in flushed and time.monotonic() < deadline:
            time.sleep(0.001)
        temporary.write_bytes(b"complete")
    assert len(b"begun") in flushed[:-1]
    assert flushed[-1] == len(b"complete")


def test_a_disk_that_fails_meanwhile_is_told(tmp_path, monkeypatch):
    from napari_wse2xai.io import atomic

    def fail(path):
        raise OSError(28, "no space")

    monkeypatch.setattr(atomic, "_flush_to_disk", fail)
    with pytest.raises(UserError, match="disk is full"), atomic.new_file(tmp_path / "large.bin", expected_bytes=atomic._LARGE) as temporary:
        temporary.write_bytes(b"x")
    assert not list(tmp_path.iterdir())


def test_a_convert_that_fails_half_way_leaves_nothing(wdf, tmp_path, monkeypatch):
    def cancel(*arguments):
        raise Cancelled

    monkeypatch.setattr(netcdf, "write_texts", cancel)
    with pytest.raises(Cancelled):
        convert(wdf, tmp_path / "converted.nc")
    assert [path.name for path in tmp_path.iterdir()] == ["flake.wdf"]
