"""Where a frame's rows and columns are drawn in a plot, and what stands along its axes.

A scan of the stage is drawn in stage coordinates; one that is turned to the stage in its own axes, from its first pixel, for its pixels
would not fill a rectangle otherwise; a series over its time, temperature or number; values at uneven distances one apart, with ticks of
their own.
"""

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from napari_wse2xai.data import Frame

Edges = tuple[float, float, float, float]
Y, X = 0, 1
TICKS = 5
"""Intervals between ticks along an axis of a map, at most."""


def is_line(frame: Frame) -> bool:
    """Tell a line scan or a series, one row or column of several pixels, from a map."""
    return min(frame.shape) == 1 < max(frame.shape)


def along(frame: Frame, index: int) -> NDArray[np.float64]:
    """Where the rows (0) or columns (1) of a frame are drawn."""
    start, step = _start_and_step(frame, index)
    return np.asarray(start + step * np.arange(frame.shape[index]), dtype=np.float64)


def _start_and_step(frame: Frame, index: int) -> tuple[float, float]:
    if frame.directions[index].values:
        return 0.0, 1.0
    return 0.0 if frame.rotation_deg else frame.origin_um[index], frame.step_um[index]


def extent_um(frame: Frame) -> Edges:
    """Outer edges (left, right, bottom, top) in um, or in what the directions are in, with row 0 at the top."""
    (bottom, top), (left, right) = _ends(frame, Y)[::-1], _ends(frame, X)
    return left, right, bottom, top


def line_extent(frame: Frame) -> Edges:
    """Edges of a line scan or a series laid flat."""
    return *_ends(frame, line_of(frame)), 0.0, 1.0


def _ends(frame: Frame, index: int) -> tuple[float, float]:
    """Outer edge of the first pixel and of the last."""
    places, half = along(frame, index), _start_and_step(frame, index)[1] / 2
    return float(places[0] - half), float(places[-1] + half)


def line_of(frame: Frame) -> int:
    """Direction along which a line scan or a series runs."""
    return Y if frame.shape[Y] > 1 else X


def proportions(frame: Frame) -> float:
    """Height of a picture of the frame for a width of one; a series has no proportions of its own."""
    if not frame.has_places:
        return 0.75
    left, right, bottom, top = extent_um(frame)
    return abs(top - bottom) / abs(right - left)


def aspect(frame: Frame) -> Literal["equal", "auto"]:
    """What matplotlib is told: only lengths on the sample are compared with one another."""
    return "equal" if frame.has_places else "auto"


def label(frame: Frame, index: int) -> str:
    """Name and unit of a direction; of a turned scan's that it is one of the scan, not of the stage."""
    direction = frame.directions[index]
    if not frame.rotation_deg or not direction.is_length:
        return direction.label
    turned = f", turned {frame.rotation_deg:.4g}°" if index == X else ""
    return f"{direction.name} of the scan (µm{turned})"


def few_ticks() -> MaxNLocator:
    """As many ticks beside a map whatever its size.

    Where a layout makes a map smaller for the width of its numbers, and then other numbers fit that are narrower, it comes to no end, and
    labels lie on one another.
    """
    return MaxNLocator(nbins=TICKS, steps=[1, 2, 5, 10])


def dress(axes: Axes, frame: Frame) -> None:
    """Write what runs along both axes."""
    axes.set(xlabel=label(frame, X), ylabel=label(frame, Y))
    for axis, index in ((axes.xaxis, X), (axes.yaxis, Y)):
        axis.set_major_locator(few_ticks())
        _own_ticks(axis, frame, index)


def dress_line(axes: Axes, frame: Frame) -> None:
    """Write what runs along a line scan or a series, from left to right."""
    index = line_of(frame)
    axes.set(xlabel=label(frame, index), xlim=sorted(_ends(frame, index)))
    _own_ticks(axes.xaxis, frame, index)


def _own_ticks(axis: Any, frame: Frame, index: int) -> None:
    """Write the values of pixels that are drawn one apart."""
    values = frame.directions[index].values
    if values:
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axis.set_major_formatter(FuncFormatter(lambda at, _: f"{values[round(at)]:.5g}" if 0 <= round(at) < len(values) else ""))
