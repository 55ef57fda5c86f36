"""Files of which opening reads hardly any: chunks that stay where they are, and a checksum that is taken when it is asked for."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.data.history import from_json, mark_of, to_json
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import checksum, read, sha256, stored, write_map

pytestmark = pytest.mark.skipif(os.name != "posix", reason="large maps stay in their file on Unix only")
SHAPE, CHUNKS = (6, 8, 40), (2, 4, 40)
COUNTS = np.random.default_rng(0).integers(300, 2000, SHAPE).astype(np.float32)
AXIS = np.linspace(200.0, 278.0, 40)


def as_zarr(path: Path) -> Path:
    group = zarr.create_group(path)
    group.create_array("counts", shape=SHAPE, dtype="f4", chunks=CHUNKS, dimension_names=("y", "x", "spectral"))[...] = COUNTS
    group.create_array("spectral", data=AXIS, dimension_names=("spectral",)).attrs["units"] = "cm-1"
    return path


def as_hdf5(path: Path, name: str = "counts", axis: str = "spectral") -> Path:
    with h5py.File(path, "w") as file:
        packed = file.create_dataset(name, data=(COUNTS / 2).astype(np.int16), chunks=CHUNKS, compression="gzip")
        packed.attrs.update({"scale_factor": 2.0})
        file.create_dataset(axis, data=AXIS).attrs["units"] = "cm-1"
    return path


def spoil(path: Path) -> None:
    """Damage the chunk of the last pixel, and leave size and time as they were."""
    state = path.stat()
    if path.is_dir():
        chunk = path / "counts" / "c" / "2" / "1" / "0"
        chunk.write_bytes(bytes(chunk.stat().st_size))
        return
    with h5py.File(path) as file:
        data = file["scan/intensity" if path.suffix == ".h5" else "counts"]
        place = data.id.get_chunk_info_by_coord((4, 4, 0))
    with path.open("r+b") as stream:
        stream.seek(place.byte_offset)
        stream.write(bytes(place.size))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "LARGE", 1000)


MAKERS: Any = {
    "flake.zarr": as_zarr,
    "flake.nc": as_hdf5,
    "flake.h5": lambda path: as_hdf5(path, "scan/intensity", "scan/raman_shift"),
}


@pytest.mark.filterwarnings("ignore:'flake.h5'")
@pytest.mark.parametrize("name", MAKERS)
def test_opening_reads_no_chunk(tmp_path: Path, everything_is_large: None, name: str) -> None:
    """A damaged chunk shows where it is asked for, and nowhere else."""
    path = MAKERS[name](tmp_path / name)
    whole = read(path)
    assert isinstance(whole.counts, StoredCounts)
    np.testing.assert_array_equal(np.asarray(whole.counts), 2 * (COUNTS // 2) if name != "flake.zarr" else COUNTS)
    spoil(path)
    found = read(path)
    np.testing.assert_array_equal(found.counts[0, 7], whole.counts[0, 7])
    with pytest.raises(ReaderError, match=f"'{name}' cannot be read as"):
        found.counts[5, 7]


def test_pieces_of_a_pyramid_are_known(tmp_path: Path, everything_is_large: None) -> None:
    path = as_zarr(tmp_path / "flake.zarr")
    group = zarr.open_group(path)
    group.create_array("half", data=COUNTS[::2, ::2], dimension_names=("y", "x", "spectral"))
    group.attrs["ome"] = {"multiscales": [{"datasets": [{"path": "counts"}, {"path": "half"}]}]}
    (coarse,) = read(path).counts.coarser  # type: ignore[attr-defined]
    np.testing.assert_array_equal(coarse[1], COUNTS[2, ::2])
    group.attrs["ome"] = {"multiscales": [{"datasets": [{"path": "half"}, {"path": "counts"}]}]}
    assert read(path).counts.coarser == ()  # type: ignore[attr-defined]


def test_the_checksum_is_taken_when_it_is_asked_for(tmp_path: Path, everything_is_large: None, monkeypatch: pytest.MonkeyPatch) -> None:
    path = as_hdf5(tmp_path / "flake.nc")
    taken, plain = [], checksum._digest
    monkeypatch.setattr(checksum, "_digest", lambda place: taken.append(place) or plain(place))
    found = read(path)
    record = found.history[-1]
    mark = mark_of(found.history)
    assert mark == mark_of(read(path).history)
    assert taken == []
    wanted = hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.settings["sha256"] == wanted == json.loads(to_json(found.history))[-1]["settings"]["sha256"]
    assert taken == [path], "once"
    assert mark == mark_of(from_json(to_json(found.history))), "the same in a file"
    write_map(found, tmp_path / "copy.nc")
    assert read(tmp_path / "copy.nc").history[0].settings["sha256"] == wanted


def test_two_large_files_of_one_name_are_told_apart(tmp_path: Path, everything_is_large: None) -> None:
    marks = []
    for folder, change in (("a", 0), ("b", 1), ("c", 0)):
        (tmp_path / folder).mkdir()
        write_map(SpectralMap.from_arrays(COUNTS + change, AXIS, AxisKind.RAMAN_SHIFT), tmp_path / folder / "flake.nc")
        marks.append(mark_of(read(tmp_path / folder / "flake.nc").history[-1:]))
    assert marks[0] == marks[2] != marks[1]


def test_a_file_that_changed_before_its_checksum_was_taken_has_none(tmp_path: Path, everything_is_large: None) -> None:
    path = as_hdf5(tmp_path / "flake.nc")
    first, second = read(path), read(path)
    os.utime(path, (1, 1))
    with pytest.warns(DataWarning, match=r"'flake\.nc' was changed or removed before its SHA-256 was taken"):
        assert first.history[-1].settings["sha256"] == ""
    path.unlink()
    with pytest.warns(DataWarning, match="cannot be rerun"):
        to_json(second.history)


def test_a_checksum_is_taken_anew_of_what_changed_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = as_zarr(tmp_path / "flake.zarr")
    for each in path.rglob("*"):
        os.utime(each, (1, 1))
    monkeypatch.setattr(checksum, "_SETTLED_NS", -1)  # the times of these entries are of just now
    before = sha256(path)
    taken, plain = [], checksum._digest
    monkeypatch.setattr(checksum, "_digest", lambda place: taken.append(place.name) or plain(place))
    assert (sha256(path), taken) == (before, [])
    chunk = path / "counts" / "c" / "2" / "1" / "0"
    content = chunk.read_bytes()
    chunk.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(chunk, (1, 1))
    assert sha256(path) != before
    assert taken == ["0"], "size and time are as before, the entry's own time is not"
