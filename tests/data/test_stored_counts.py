"""Counts that stay in their file: indexed as NumPy would, and never the end of the process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_wse2xai.data import stored_counts
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import ReaderError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="large maps stay in their file on Unix only")
SHAPE, OFFSET = (7, 5, 11), 12
VALUES = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("stored") / "map.bin"
    place.write_bytes(b"x" * OFFSET + VALUES.tobytes() + b"tail")
    return place


def parts(size: int) -> st.SearchStrategy[Any]:
    bound = st.one_of(st.none(), st.integers(-size - 2, size + 2))
    step = st.one_of(st.none(), st.integers(1, 4), st.integers(-4, -1))
    return st.one_of(st.integers(-size, size - 1), st.builds(slice, bound, bound, step))


@settings(max_examples=120, deadline=None)
@given(st.data(), st.permutations(range(3)), st.booleans(), st.integers(0, 3), st.sampled_from([1, 60, 10**6]))
def test_any_view_gives_what_numpy_gives(path: Path, data: Any, order: list[int], turned: bool, given_parts: int, band: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_counts, "_BAND", band)
        found: Any = StoredCounts(path, SHAPE, OFFSET).transpose(order)
        wanted = VALUES.transpose(order)
        if turned:
            found, wanted = found.turned(), wanted[:, :, ::-1]
        assert (found.shape, found.ndim, found.size, len(found), found.nbytes) == (wanted.shape, 3, wanted.size, len(wanted), wanted.nbytes)
        key = tuple(data.draw(parts(size)) for size in wanted.shape[:given_parts])
        np.testing.assert_array_equal(found[key], wanted[key])
        last = data.draw(parts(wanted.shape[-1]))
        np.testing.assert_array_equal(found[..., last], wanted[..., last])
        np.testing.assert_array_equal(np.asarray(found), wanted)


def test_dimensions_are_moved_added_and_repeated_without_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: Any = StoredCounts(path, SHAPE, OFFSET)
    with monkeypatch.context() as patch:
        patch.setattr(os, "preadv", lambda *_: pytest.fail("read"))
        shown = np.broadcast_to(np.expand_dims(np.moveaxis(counts, -1, 0), 1), (11, 4, 7, 5))
    wanted = np.broadcast_to(np.expand_dims(np.moveaxis(VALUES, -1, 0), 1), (11, 4, 7, 5))
    assert isinstance(shown, StoredCounts)
    assert shown.shape == wanted.shape
    for key in (
        (3, 2),
        (3, slice(None), 2),
        (slice(2, 4), 1, slice(None), 3),
        (slice(None), slice(1, 3)),
        (np.int64(3), 0, slice(1, 5), slice(2)),
    ):
        np.testing.assert_array_equal(shown[key], wanted[key])
    with pytest.raises(ValueError, match="cannot be repeated"):
        np.broadcast_to(counts, (7, 6, 11))


def test_masks_lists_and_functions_of_numpy_read_the_whole(path: Path) -> None:
    counts: Any = StoredCounts(path, SHAPE, OFFSET)
    mask = VALUES[..., 0] > 100
    np.testing.assert_array_equal(counts[mask], VALUES[mask])
    np.testing.assert_array_equal(counts[[1, 3], [0, 2], 1:4], VALUES[[1, 3], [0, 2], 1:4])
    np.testing.assert_array_equal(np.mean(counts, axis=-1), VALUES.mean(axis=-1))
    with pytest.raises(IndexError):
        counts[9]


def test_a_band_of_rows_reads_no_more_than_it_needs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, read, plain = StoredCounts(path, SHAPE, OFFSET), [], os.preadv

    def counting(handle: int, buffers: Any, place: int) -> int:
        read.append(len(buffers[0]))
        return plain(handle, buffers, place)

    monkeypatch.setattr(os, "preadv", counting)
    counts[2:4]
    counts[3, 2]
    assert read == [2 * 5 * 11 * 4, 11 * 4]


@pytest.mark.parametrize("change", ["cut", "written to"])
def test_a_file_that_changed_since_is_told(path: Path, tmp_path: Path, change: str) -> None:
    place = tmp_path / "map.bin"
    place.write_bytes(path.read_bytes())
    counts = StoredCounts(place, SHAPE, OFFSET)
    os.utime(place, (1, 1)) if change == "written to" else os.truncate(place, 100)
    for key in (0, (6, 4), slice(None)):
        with pytest.raises(ReaderError, match=r"'map\.bin' was changed since it was opened"):
            counts[key]


def test_a_file_that_is_replaced_or_removed_stays_readable(path: Path, tmp_path: Path) -> None:
    place = tmp_path / "map.bin"
    place.write_bytes(path.read_bytes())
    counts = StoredCounts(place, SHAPE, OFFSET)
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "new").replace(place)
    np.testing.assert_array_equal(counts[...], VALUES)
    place.unlink()
    np.testing.assert_array_equal(counts[3], VALUES[3])


CUT = """
import os, sys
import numpy as np
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import UserError
from napari_wse2xai.io import read, stored, write_map
from napari_wse2xai.stages import FindFlake
write_map(SpectralMap.from_arrays(np.ones((30, 20, 500)), np.arange(1, 501), AxisKind.WAVELENGTH), sys.argv[1])
stored.LARGE = 2**16
opened = read(sys.argv[1])
os.truncate(sys.argv[1], 20_000)
try:
    FindFlake()(opened)
except UserError as error:
    print(error)
"""


def test_a_map_whose_file_is_cut_while_it_is_open_does_not_end_the_process(tmp_path: Path) -> None:
    """A memory map would: by the signal SIGBUS, and napari with all that is in it."""
    done = subprocess.run([sys.executable, "-c", CUT, str(tmp_path / "map.nc")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "'map.nc' was changed since it was opened, and its map was still in it; open it again.\n"


@pytest.mark.parametrize("turned", [False, True])
def test_rows_of_spectra_are_reshaped_without_reading(path: Path, monkeypatch: pytest.MonkeyPatch, turned: bool) -> None:
    n = SHAPE[2]
    rows = StoredCounts(path, (SHAPE[0] * SHAPE[1], 1, n), OFFSET).reshape(-1, n)
    wanted = VALUES.reshape(-1, n)
    assert (rows.shape, rows.ndim) == (wanted.shape, 2)
    np.testing.assert_array_equal(rows[2:7, 1:], wanted[2:7, 1:])
    np.testing.assert_array_equal(rows[3], wanted[3])
    with monkeypatch.context() as context:
        context.setattr(StoredCounts, "__getitem__", lambda self, key: pytest.fail("it was read"))
        cube = rows.reshape(*SHAPE)
        line = rows.reshape(len(rows), 1, -1)
        cube, line = (cube.turned(), line.turned()) if turned else (cube, line)
    step = -1 if turned else 1
    np.testing.assert_array_equal(cube[1:, ::2], VALUES[1:, ::2, ::step])
    np.testing.assert_array_equal(line[4:6], VALUES.reshape(-1, 1, n)[4:6, :, ::step])
    del rows
    np.testing.assert_array_equal(cube[...], VALUES[..., ::step])
    np.testing.assert_array_equal(cube.reshape(n, -1), VALUES[..., ::step].reshape(n, -1))
