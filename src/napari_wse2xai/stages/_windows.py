"""Spectral windows as settings."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataError


def _ordered(window: tuple[float, float]) -> tuple[float, float]:
    if window[0] >= window[1]:
        raise ValueError(f"a window goes from low to high, not from {window[0]:g} to {window[1]:g}")
    return window


Window = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""(low, high) in the axis unit."""


def channels(source: SpectralMap, window: tuple[float, float] | None, what: str) -> slice:
    """Channels of a window, or all of them; refuse a window that holds none."""
    if window is None:
        return slice(None)
    chosen = source.axis.between(*window)
    if chosen.stop <= chosen.start:
        low, high = source.axis.span
        raise DataError(
            f"'{source.name}' was measured from {low:.5g} to {high:.5g} {source.axis.unit}, so {what} "
            f"{window[0]:g} to {window[1]:g} holds no channel; choose a window inside the measured range."
        )
    return chosen


def without(inside: slice, bad: NDArray[np.int32] | None) -> slice | NDArray[np.intp]:
    """Channels of a slice that are not among some others; the slice itself where none of these is in it."""
    which = np.arange(inside.start, inside.stop)
    kept = which if bad is None else np.setdiff1d(which, bad)
    return inside if len(kept) == len(which) else np.asarray(kept, dtype=np.intp)


def together(windows: Sequence[tuple[float, float]], step: float) -> dict[tuple[float, float], list[tuple[float, float]]]:
    """Windows that overlap by more than a channel, by what they cover together, in the order in which they come first.

    Peaks of windows that overlap are in each other's way: fitted one by one, each would take the other's light for its own.
    """
    spans: list[tuple[float, float]] = []
    for low, high in sorted(set(windows)):
        # Windows that meet in one channel do not overlap: one ends where the other begins.
        if spans and low < spans[-1][1] - 1.5 * step:
            spans[-1] = (spans[-1][0], max(spans[-1][1], high))
        else:
            spans.append((low, high))
    covered = {window: next(span for span in spans if span[0] <= window[0] and window[1] <= span[1]) for window in windows}
    return {span: [window for window in dict.fromkeys(windows) if covered[window] == span] for span in dict.fromkeys(covered.values())}
