"""Planes of a map of which each would need all of its file: what was read so far is shown at once, the rest arrives."""

import math
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from threading import Lock, Thread
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_wse2xai.data.stored_counts import is_stored
from napari_wse2xai.errors import UserError

DEAR = 2**26
"""Bytes to be read for a plane from which it is not waited for."""
AT_ONCE = 4_000_000
"""Numbers read at a time, but for what can only be read whole."""
ROUGH = 2**24
"""Numbers that are kept of all channels, of some pixels."""
PLANES = 16
"""Planes that are kept."""
GOLDEN = 0.6180339887
"""Step, in lengths of the list of all places, from one that is read to the next: they come from all over the map."""

Place = tuple[slice, slice]


@dataclass(frozen=True)
class Follower:
    """Who looks at planes, and is told of them by the thread that reads."""

    heard: Callable[[], object]
    """More has arrived."""
    refused: Callable[[str], object]
    """The file cannot be read any more, and why."""
    reading: Callable[[], AbstractContextManager[None]] = nullcontext
    """What the thread does its reading in."""


def is_dear(counts: Any) -> bool:
    """Whether one channel of a map (ny, nx, n) that stays in its file needs much of it to be read."""
    if not is_stored(counts) or isinstance(counts, np.ndarray):
        return False
    depth = counts.depth if hasattr(counts, "depth") else max(counts.chunks[-1])
    return bool(counts.shape[0] * counts.shape[1] * depth * 4 > DEAR)


class ArrivingPlanes:
    """Counts as (channel, row, column) for a layer: a plane is given as far as it was read, and read on meanwhile.

    What is not known is that of a pixel nearby which was read for another channel, or NaN.  It has what napari asks of the data of a
    layer; to numpy it is an array with all numbers.

    Parameters
    ----------
    counts : (ny, nx, n), in their file
    """

    dtype = np.dtype(np.float32)
    ndim = 3

    def __init__(self, counts: Any) -> None:
        self.counts = counts
        ny, nx, n = map(int, counts.shape)
        self.shape = (n, ny, nx)
        self._follower: Follower | None = None
        self._step = max(1, int(np.ceil(np.sqrt(ny * nx * n / ROUGH))))
        self._planes: OrderedDict[int, tuple[NDArray[np.float32], set[int]]] = OrderedDict()
        self._places = _places(counts)
        self._wanted: int | None = None
        self._thread: Thread | None = None
        self._lock = Lock()

    @cached_property
    def _rough(self) -> NDArray[np.float32]:
        """(row, column, channel) of every so many pixels, as far as they were read."""
        n, ny, nx = self.shape
        return np.full((-(-ny // self._step), -(-nx // self._step), n), np.nan, dtype=np.float32)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        """Give the number of channels."""
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """Part of the array: of one channel what is known of it, at once; of several what the file has."""
        keys = key if isinstance(key, tuple) else (key,)
        if isinstance(keys[0], int | np.integer):
            return self._plane(range(len(self))[keys[0]])[keys[1:]]
        several = range(len(self))[keys[0]] if isinstance(keys[0], slice) else range(len(self))
        if 0 < len(several) <= PLANES:  # napari asks for the mean of a slice that is one channel thick
            return np.stack([self._plane(channel)[keys[1:]] for channel in several])
        return np.moveaxis(self.counts, -1, 0)[key]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it, read now."""
        return np.asarray(np.moveaxis(np.asarray(self.counts), -1, 0), dtype=dtype)

    def read_for(self, follower: "Follower | None") -> None:
        """Read on what was asked for last, and henceforth what is asked for; None: read no more."""
        with self._lock:
            self._follower, self._wanted = follower, self._wanted if follower is not None else None
            self._begin()

    def _plane(self, channel: int) -> NDArray[np.float32]:
        """What is known of a channel; the rest of it is what is read from now on."""
        with self._lock:
            plane, known = self._kept(channel)
            self._wanted = None if len(known) == len(self._places) else channel
            self._begin()
            return plane.copy()

    def _begin(self) -> None:
        if self._wanted is not None and self._follower is not None and self._thread is None:
            self._thread = Thread(target=_read, args=(ref(self), self._follower), name="planes", daemon=True)
            self._thread.start()

    def _kept(self, channel: int) -> tuple[NDArray[np.float32], set[int]]:
        if channel not in self._planes:
            rough = self._rough_plane(channel)
            rows, columns = (np.arange(whole) * some // whole for whole, some in zip(self.shape[1:], rough.shape, strict=True))
            self._planes[channel] = rough[rows[:, None], columns], set()
        self._planes.move_to_end(channel)
        while len(self._planes) > PLANES:
            self._planes.popitem(last=False)
        return self._planes[channel]

    def _rough_plane(self, channel: int) -> NDArray[np.float32]:
        """A channel in fewer pixels: as the file has it, where that is soon read, or of those that were read."""
        fitting = [coarse for coarse in getattr(self.counts, "coarser", ()) if not is_dear(coarse)]
        return np.asarray(fitting[0][..., channel]) if fitting else self._rough[..., channel]

    def next(self) -> tuple[int, int, Place] | None:
        """Channel that is wanted, number of a place of it that is not known yet, and that place; None where nothing is wanted."""
        with self._lock:
            if self._wanted is not None:
                _, known = self._kept(self._wanted)
                left = next((number for number in range(len(self._places)) if number not in known), None)
                if left is not None:
                    return self._wanted, left, self._places[left]
            self._thread = None
            return None

    def take(self, channel: int, number: int, block: NDArray[np.float32]) -> None:
        """Know what was read of a place, in all channels."""
        rows, columns = self._places[number]
        first, left = (-(-each.start // self._step) for each in (rows, columns))
        some = block[first * self._step - rows.start :: self._step, left * self._step - columns.start :: self._step]
        with self._lock:
            self._rough[first : first + some.shape[0], left : left + some.shape[1]] = some
            if channel in self._planes:
                plane, known = self._planes[channel]
                plane[rows, columns] = block[..., channel]
                known.add(number)

    def give_up(self) -> None:
        """Know that nothing more will arrive."""
        with self._lock:
            self._wanted = self._follower = self._thread = None


def _read(weak: "ref[ArrivingPlanes]", follower: Follower) -> None:
    """Read what is wanted, place by place, as long as somebody holds the planes."""
    with follower.reading():
        while (planes := weak()) is not None and (wanted := planes.next()) is not None:
            channel, number, (rows, columns) = wanted
            try:
                block = np.asarray(planes.counts[rows, columns], dtype=np.float32)
            except UserError as error:
                planes.give_up()
                follower.refused(str(error))
                return
            planes.take(channel, number, block)
            follower.heard()
            del planes, block


def _places(counts: Any) -> list[Place]:
    """Parts of the grid that are read in one piece, in an order that soon tells of all of it."""
    ny, nx, n = map(int, counts.shape)
    height, width = (1, nx) if counts.chunks is None else (int(counts.chunks[0][0]), int(counts.chunks[1][0]))
    width = min(nx, width * max(1, AT_ONCE // (height * width * n)))
    height = min(ny, height * max(1, AT_ONCE // (height * width * n))) if width == nx else height
    rows = [slice(start, min(start + height, ny)) for start in range(0, ny, height)]
    every = [(row, slice(start, min(start + width, nx))) for row in rows for start in range(0, nx, width)]
    order = np.argsort((0.5 + np.arange(len(every)) * GOLDEN) % 1.0, kind="stable")
    return [every[number] for number in order]
