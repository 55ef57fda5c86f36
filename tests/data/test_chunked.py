"""Counts in the chunks of a file: indexed as NumPy would, a chunk unpacked once, none that is not asked for."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_wse2xai.data import chunked
from napari_wse2xai.data.chunked import Chunks, Place
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.stages import _bands

SHAPE, CHUNKS = (7, 5, 11), (3, 2, 4)
VALUES = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


class Counting:
    """Numbers that note which places were read."""

    def __init__(self, values: Any = VALUES) -> None:
        self.values, self.read = values, list[Place]()

    def __call__(self, place: Place) -> Any:
        self.read.append(place)
        return self.values[place]

    @property
    def counts(self) -> StoredCounts:
        return StoredCounts.of(Chunks("map.nc", SHAPE, CHUNKS, self))


def parts(size: int) -> st.SearchStrategy[Any]:
    bound = st.one_of(st.none(), st.integers(-size - 2, size + 2))
    step = st.one_of(st.none(), st.integers(1, 5), st.integers(-5, -1))
    return st.one_of(st.integers(-size, size - 1), st.builds(slice, bound, bound, step))


@settings(max_examples=150, deadline=None)
@given(st.data(), st.permutations(range(3)), st.booleans(), st.integers(0, 3))
def test_any_view_gives_what_numpy_gives(data: Any, order: list[int], turned: bool, given_parts: int) -> None:
    found: Any = Counting().counts.transpose(order)
    wanted = VALUES.transpose(order)
    if turned:
        found, wanted = found.turned(), wanted[:, :, ::-1]
    key = tuple(data.draw(parts(size)) for size in wanted.shape[:given_parts])
    np.testing.assert_array_equal(found[key], wanted[key])
    last = data.draw(parts(wanted.shape[-1]))
    np.testing.assert_array_equal(found[..., last], wanted[..., last])
    edges = [np.cumsum((0, *sizes)) for sizes in found.chunks]
    assert [edge[-1] for edge in edges] == list(found.shape)
    assert found.reshape(found.shape) is found
    np.testing.assert_array_equal(found.reshape(-1, found.shape[-1]), wanted.reshape(-1, found.shape[-1]))


def test_a_spectrum_unpacks_its_own_chunks_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Counting()
    counts = source.counts.turned()
    assert source.read == []
    counts[4, 3], counts[5, 2]
    assert source.read == [(slice(3, 6), slice(2, 4), part) for part in (slice(8, 11), slice(4, 8), slice(0, 4))]
    monkeypatch.setattr(chunked, "KEPT", 2 * 4 * 3 * 2 * 4)  # two chunks
    counts[0, 0]
    counts[4, 3]
    assert len(source.read) == 9, "what is used least goes first"


def test_what_is_infinite_was_not_measured() -> None:
    values = np.where(VALUES == 200, np.inf, VALUES)
    np.testing.assert_array_equal(Counting(values).counts[...], np.where(VALUES == 200, np.nan, VALUES))


@pytest.mark.parametrize("turned", [False, True])
def test_stages_take_each_chunk_in_hand_once(turned: bool) -> None:
    source = Counting()
    counts: Any = source.counts.transpose(1, 0, 2)
    counts = counts.turned() if turned else counts
    kept = _bands.computed_once(counts)
    np.testing.assert_array_equal(kept, VALUES.transpose(1, 0, 2)[..., :: -1 if turned else 1])
    assert len(source.read) == 3 * 3 * 3


def test_depth_tells_what_one_channel_costs() -> None:
    counts: Any = Counting().counts
    assert (counts.depth, counts.transpose(2, 1, 0).depth) == (4, 3)
