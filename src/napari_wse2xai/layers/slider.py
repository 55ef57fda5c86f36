"""A slider whose number is the value of the channel that is shown, also where channels are not evenly spaced.

napari's sliders are evenly spaced.  A map on an uneven axis is therefore laid on an even row of values at least as fine as its closest
channels, each value showing the channel nearest to it; nothing is copied.  Where channels are even, values and channels are the same.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_wse2xai.data import SpectralAxis

UNEVEN = 0.1
"""Part of a channel by which an axis may leave even steps and still count as even."""
FINEST = 64
"""Values of a slider for each channel at most: two channels of a stitched spectrum may nearly coincide."""


@dataclass(frozen=True, eq=False)
class Slider:
    """Evenly spaced values over a spectral axis."""

    start: float
    step: float
    channels: NDArray[np.intp]
    """(m,) channel nearest to each value."""
    is_even: bool
    """Whether values and channels are the same."""

    @classmethod
    def over(cls, axis: SpectralAxis) -> "Slider":
        """Slider over an axis; every channel that is not too near to another can be reached.

        Values on an uneven axis are multiples of a power of two, so that maps on slightly different axes, a map and the same map
        calibrated, have their values in common: in one window they are moved by one slider.
        """
        values, count = axis.values, len(axis)
        start, end = axis.span
        apart = np.diff(values)
        if count < 2 or np.abs(np.linspace(start, end, count) - values).max() <= UNEVEN * apart.min():
            return cls(start, (end - start) / max(count - 1, 1) or 1.0, np.arange(count), is_even=True)
        finest = (end - start) / (FINEST * count)
        step = 2.0 ** max(np.floor(np.log2(apart.min())), np.ceil(np.log2(finest)))
        first, last = np.ceil(start / step - 0.5), np.floor(end / step + 0.5)  # less than half a step from the ends
        return cls(first * step, step, nearest(values, np.arange(first, last + 1) * step), is_even=False)

    def __len__(self) -> int:
        """Give the number of values."""
        return len(self.channels)

    def along(self, other: "Slider") -> "Slider":
        """The same channels, laid evenly along another slider from its first value to its last."""
        span = other.step * (len(other) - 1)
        return replace(self, start=other.start, step=span / max(len(self) - 1, 1) or other.step)


def nearest(values: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the rising value nearest to each wanted one."""
    after = np.clip(np.searchsorted(values, wanted), 1, len(values) - 1)
    return np.asarray(after - (wanted - values[after - 1] < values[after] - wanted), dtype=np.intp)


class OnSlider:
    """Counts of a map as an array whose one axis is a slider's values instead of channels: a view, also of counts on disk.

    It has what napari asks of the data of a layer; to numpy it is an array.

    Parameters
    ----------
    channels_first : array in which axis `own` holds channels
    own : axis of the slider
    channels : (m,) channel that each value of the slider shows
    """

    def __init__(self, channels_first: Any, own: int, channels: NDArray[np.intp]) -> None:
        self._by_channel, self._own, self._channels = channels_first, own, channels

    @property
    def by_channel(self) -> Any:
        """The array of channels that it is a view of."""
        return self._by_channel

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of every axis."""
        of_channels = self._by_channel.shape
        return (*of_channels[: self._own], len(self._channels), *of_channels[self._own + 1 :])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the counts."""
        return np.result_type(self._by_channel.dtype)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        """Give the size of the first axis."""
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """Part of the array: one value of the slider is a view, several are a copy of that part."""
        full = _full_key(key, self.ndim)
        if full is None:
            return np.asarray(self)[key]
        wanted = self._channels[full[self._own]]
        if np.ndim(wanted) == 0:
            return self._by_channel[(*full[: self._own], int(wanted), *full[self._own + 1 :])]
        first, last = (int(wanted.min()), int(wanted.max()) + 1) if len(wanted) else (0, 0)
        part = self._by_channel[(*full[: self._own], slice(first, last), *full[self._own + 1 :])]
        before = sum(isinstance(each, slice) for each in full[: self._own])
        return part[(slice(None),) * before + (wanted - first,)]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it, copied."""
        if copy is False:
            raise ValueError("counts on the even values of a slider can only be copied")
        return np.asarray(self[...], dtype=dtype)


def _full_key(key: Any, ndim: int) -> tuple[Any, ...] | None:
    """Index of every axis, an int or a slice each; None for a key of another kind."""
    keys = key if isinstance(key, tuple) else (key,)
    dots = [place for place, each in enumerate(keys) if each is Ellipsis]
    if len(dots) > 1 or not all(isinstance(each, int | np.integer | slice) for each in keys if each is not Ellipsis):
        return None
    here = dots[0] if dots else len(keys)
    missing = ndim - (len(keys) - len(dots))
    return (*keys[:here], *(slice(None),) * missing, *keys[here + len(dots) :]) if missing >= 0 else None
