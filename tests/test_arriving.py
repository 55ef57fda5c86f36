"""Planes of a map that stays in its file: there at once as far as they are known, whole when they were read."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.data.chunked import Chunks, Place
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.layers import ArrivingPlanes, Follower, arriving, map_layer
from napari_wse2xai.plots.spectra import brightest_pixel
from watched import is_reading

SHAPE, CHUNKS = (12, 10, 30), (4, 5, 30)
VALUES = np.random.default_rng(0).normal(100, 5, SHAPE).astype(np.float32)
VALUES[4:6, 7:10, 13:22] += 500


class Stored:
    """A map in chunks that notes what is read."""

    def __init__(self, coarser: tuple[Chunks, ...] = ()) -> None:
        self.read, self.refuses = list[Place](), False
        self.counts: Any = StoredCounts.of(Chunks("map.zarr", SHAPE, CHUNKS, self, coarser=coarser))

    def __call__(self, place: Place) -> Any:
        if self.refuses:
            raise ReaderError("'map.zarr' cannot be read any more.")
        self.read.append(place)
        return VALUES[place]


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_plane_is_there_before_anything_is_read_and_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "AT_ONCE", 600)
    source, heard = Stored(), list[int]()
    planes = ArrivingPlanes(source.counts)
    assert (planes.shape, planes.ndim, planes.size, len(planes)) == ((30, 12, 10), 3, 3600, 30)
    assert np.isnan(planes[17]).all()
    assert source.read == []
    planes.read_for(Follower(lambda: heard.append(len(source.read)), pytest.fail))
    until(lambda: not is_reading())
    np.testing.assert_array_equal(planes[17], VALUES[..., 17])
    np.testing.assert_array_equal(planes[16:18, 2:5, 3], np.moveaxis(VALUES, -1, 0)[16:18, 2:5, 3])
    assert sorted(heard) == [1, 2, 3, 4, 5, 6], "each chunk once, and told"
    np.testing.assert_array_equal(np.asarray(planes), np.moveaxis(VALUES, -1, 0))


def test_what_is_thin_is_of_what_is_known_and_only_what_is_thick_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """napari asks for slices one channel thick."""
    monkeypatch.setattr(arriving, "PLANES", 3)
    source, stored = Stored(), np.moveaxis(VALUES, -1, 0)
    planes = ArrivingPlanes(source.counts)
    for key, shape in ((slice(4, 5), (1, 12, 10)), (slice(4, 7), (3, 12, 10)), ((-1, slice(2)), (2, 10)), ((np.int64(3), 2, 4), ())):
        assert np.shape(planes[key]) == shape and np.isnan(planes[key]).all()
    assert source.read == []
    np.testing.assert_array_equal(planes[4:8], stored[4:8])
    assert len(source.read) == 6
    planes[5]
    planes.take(5, 0, VALUES[planes._places[0]])
    assert planes._kept(5)[1] == {0}
    for channel in (6, 7, 5, 8, 9):
        planes[channel]
    assert (list(planes._planes), planes._kept(5)[1]) == ([5, 8, 9], {0}), "what was looked at last is kept"
    planes[10], planes[8], planes[9]
    assert planes._kept(5)[1] == set()


@pytest.mark.parametrize("pieces", [600, 1200, 1 << 20])
def test_other_channels_are_known_roughly_from_what_was_read(monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    monkeypatch.setattr(arriving, "ROUGH", SHAPE[0] * SHAPE[1] * SHAPE[2] // 4)
    monkeypatch.setattr(arriving, "AT_ONCE", pieces)
    planes = ArrivingPlanes(Stored().counts)
    assert len(planes._places) == max(1, 3600 // pieces), "chunk by chunk, rows of chunks, all at once"
    planes[17]
    planes.read_for(Follower(lambda: None, pytest.fail))
    until(lambda: not is_reading())
    planes.read_for(None)
    np.testing.assert_array_equal(planes[3], VALUES[::2, ::2, 3].repeat(2, axis=0).repeat(2, axis=1))
    planes.read_for(Follower(lambda: None, pytest.fail))
    until(lambda: not is_reading())
    np.testing.assert_array_equal(planes[3], VALUES[..., 3], "what was asked for last is read on")
    planes[8]
    until(lambda: not is_reading())
    np.testing.assert_array_equal(planes[8], VALUES[..., 8], "and what is asked for from now on")


def test_the_first_places_that_are_read_tell_of_all_of_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "AT_ONCE", 1)
    planes = ArrivingPlanes(StoredCounts.of(Chunks("map.zarr", (100, 5, 30), (1, 5, 30), pytest.fail)))
    first = sorted(rows.start for rows, _ in planes._places[:20])
    assert np.diff([0, *first, 100]).max() < 10


def test_what_the_file_has_in_fewer_pixels_is_seen_first() -> None:
    half = VALUES[::2, ::2]
    source = Stored((Chunks("map.zarr", half.shape, CHUNKS, half.__getitem__),))
    np.testing.assert_array_equal(ArrivingPlanes(source.counts)[4], half[..., 4].repeat(2, axis=0).repeat(2, axis=1))
    np.testing.assert_array_equal(ArrivingPlanes(source.counts.turned())[4], half[..., 25].repeat(2, axis=0).repeat(2, axis=1))
    assert source.read == []


def gone() -> tuple[Stored, ArrivingPlanes, list[str]]:
    """A file that could not be read, its planes, and what was told of it."""
    source, told = Stored(), list[str]()
    source.refuses = True
    planes = ArrivingPlanes(source.counts)
    planes[0]
    planes.read_for(Follower(lambda: pytest.fail("nothing came"), told.append))
    until(lambda: bool(told))
    return source, planes, told


def test_a_file_that_is_gone_is_told_once() -> None:
    _, planes, told = gone()
    planes[1]
    assert told == ["'map.zarr' cannot be read any more."]
    assert not is_reading()


def test_a_file_that_is_back_is_read_for_who_looks_next() -> None:
    source, planes, _ = gone()
    source.refuses = False
    planes.read_for(Follower(lambda: None, pytest.fail))
    assert source.read == [], "what was asked for before it was gone is no longer wanted"
    planes[1]
    until(lambda: not is_reading())
    np.testing.assert_array_equal(planes[1], VALUES[..., 1])


def test_reading_ends_with_who_looked() -> None:
    source = Stored()
    planes = ArrivingPlanes(source.counts)
    planes[0]
    planes.read_for(None)
    planes[1]
    assert not is_reading()
    assert source.read == []


def test_a_layer_of_a_dear_map_reads_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "DEAR", 1000)
    monkeypatch.setattr("napari_wse2xai.numerics.brightness.NUMBERS_SAMPLED", 600)
    source = Stored()
    found = SpectralMap.from_arrays(source.counts, np.linspace(200, 229, 30), AxisKind.RAMAN_SHIFT)
    data, keywords, _ = map_layer(found)
    assert isinstance(data, ArrivingPlanes)
    assert [place[:2] for place in source.read] == [(slice(4, 8), slice(5, 10))], "the middle chunk"
    assert keywords["contrast_limits"][1] > 500
    assert VALUES[(*brightest_pixel(found), 17)] > 500
    assert len(source.read) == 1


@pytest.mark.parametrize(("chunks", "dear"), [((4, 5, 30), True), ((12, 10, 1), False)])
def test_planes_that_lie_alone_in_the_file_are_read_as_they_are(monkeypatch: pytest.MonkeyPatch, chunks: Any, dear: bool) -> None:
    monkeypatch.setattr(arriving, "DEAR", 1000)
    assert arriving.is_dear(StoredCounts.of(Chunks("map.zarr", SHAPE, chunks, VALUES.__getitem__))) is dear


def test_of_a_lazy_map_the_deepest_chunk_is_what_a_plane_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    array = pytest.importorskip("dask.array")
    monkeypatch.setattr(arriving, "DEAR", 1000)
    assert arriving.is_dear(array.from_array(VALUES, chunks=(12, 10, 29)))
    assert not arriving.is_dear(array.from_array(VALUES, chunks=(12, 10, 1)))
