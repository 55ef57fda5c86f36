"""How far a rectangular scan is turned against the stage, from the coordinates of its points in the order of the scan."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame

Floats = NDArray[np.float64]
_SMALLEST_DEG = 0.05
"""Turns below it move no pixel of a scan by as much as its own jitter."""

_THINNEST = 0.25
"""A scan that is less wide than this part of the distance of its points is a line."""


def angle_deg(y: Floats, x: Floats) -> float | None:
    """Turn of the scan's rows and columns from +y towards +x, within 45 degrees; None where the points tell none.

    The shortest ways from point to point of a scan lie along its fast direction, which is a row or a column.
    """
    dy, dx = np.diff(y), np.diff(x)
    length = np.hypot(dy, dx)
    if not (length > 0).any():
        return None
    # Steps of the scan, without the ways back to the next line.
    is_step = (length > 0) & (length < 1.5 * np.median(length[length > 0]))
    quarter = np.angle(np.exp(4j * np.arctan2(dx[is_step], dy[is_step])).sum()) / 4  # of four directions at right angles, all one
    degrees = float(np.rad2deg(quarter))
    return degrees if abs(degrees) > _SMALLEST_DEG else None


def unturned(y: Floats, x: Floats, degrees: float) -> tuple[Floats, Floats]:
    """Coordinates along the scan's own rows and columns, from its first point on."""
    own = np.stack([y - y[0], x - x[0]], axis=-1) @ Frame((1, 1), rotation_deg=degrees).turn
    widths = np.ptp(own, axis=0)
    own[:, widths < _THINNEST * widths.max() / len(own)] = 0.0  # a line, but for its jitter
    return own[:, 0], own[:, 1]


def origin_of(y: Floats, x: Floats, own_origin: tuple[float, float], degrees: float) -> tuple[float, float]:
    """Stage coordinate (y, x) of a place that `unturned` gave."""
    y0, x0 = Frame((1, 1), rotation_deg=degrees).turn @ np.array(own_origin)
    return float(y[0] + y0), float(x[0] + x0)
