"""From a list of spectra with stage coordinates to a map: which row and column each one belongs to."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Direction, Frame
from napari_wse2xai.data.frame import PLAN
from napari_wse2xai.errors import DataWarning, counted
from napari_wse2xai.io import turned

_OFF_GRID = 0.25
"""Largest distance of a coordinate from its grid line, in steps."""
_EMPTIEST = 8
"""A scan with more grid places than this per spectrum is a list of points, not a grid."""
_EMPTIEST_LARGE = 3
"""The same for a grid that takes much memory: one damaged coordinate must not widen a map of a gigabyte eightfold with nothing."""
_LARGE = 2**26
"""Bytes from which a grid takes much memory."""
_FINEST = 1e-7
"""Coordinates closer than this part of the scan's extent are equal: text has six digits or so."""
_DENSEST_UNEVEN = 4
"""An uneven grid may have so many places per spectrum; one more makes it a list of points."""
_DENSEST_TURNED = 2
"""The same for a grid that is turned against the stage: few points at random lie on some such grid."""
_FEWEST_TURNED = 5
_UNEVEN = 1e-3
"""Values farther than this part of their step from even ones are kept, each."""
_POINTS = Direction("point", "")


def _is_too_empty(n_places: int, spectra: NDArray[np.float32], emptiest: int) -> bool:
    """Whether spectra (m, n) fill too little of so many places."""
    n_bytes = 4 * n_places * spectra.shape[1]
    return n_places > (emptiest if n_bytes < _LARGE else min(emptiest, _EMPTIEST_LARGE)) * len(spectra)


@dataclass(frozen=True)
class Lines:
    """Equidistant grid lines along one coordinate, and the line of each point."""

    index: NDArray[np.intp]
    origin: float
    step: float

    @property
    def count(self) -> int:
        """Number of grid lines."""
        return int(self.index.max()) + 1


def find_lines(values: NDArray[np.float64]) -> Lines | None:
    """Equidistant lines on which all coordinates lie, jitter and missing lines allowed; None where there are none.

    Points are gathered into clusters at a growing distance, from rounding errors upwards, until the cluster centres lie on
    multiples of one step.
    """
    extent = float(np.ptp(values))
    if extent == 0 or len(values) == 1:
        return Lines(np.zeros(len(values), dtype=np.intp), float(values[0]), 1.0)
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order])
    distance = extent * _FINEST
    while distance < extent:
        lines = _lines_at(values, order, gaps > distance)
        if lines is not None:
            return lines
        # At least to the next gap, or the same lines would be found again.
        distance = max(distance * 1.5, float(gaps[gaps > distance].min(initial=extent)))
    return None


def _lines_at(values: NDArray[np.float64], order: NDArray[np.intp], is_border: NDArray[np.bool_]) -> Lines | None:
    """Lines through the clusters that the borders between sorted points make, if these are equidistant."""
    cluster = np.empty(len(values), dtype=np.intp)
    cluster[order] = np.concatenate(([0], np.cumsum(is_border)))
    centres = np.bincount(cluster, weights=values) / np.bincount(cluster)
    if len(centres) < 2:
        return None
    position = _multiples(centres)
    if position[-1] >= _EMPTIEST * len(centres):
        return None
    step, origin = np.polyfit(position, centres, 1)
    index = position[cluster]
    if step <= 0 or np.abs(values - origin - step * index).max() > _OFF_GRID * step:
        return None
    return Lines(index, float(origin), float(step))


def _multiples(centres: NDArray[np.float64]) -> NDArray[np.intp]:
    """Distance of each centre from the first one in steps; the step is the typical one of the short distances."""
    distances = np.diff(centres)
    step = float(np.median(distances[distances < 1.5 * distances.min()]))
    jumps = np.maximum(np.rint(distances / step), 1)
    return np.concatenate(([0], np.cumsum(jumps))).astype(np.intp)


def distinct_lines(values: NDArray[np.float64]) -> Lines:
    """One line per different coordinate, equidistant or not; the step is the mean one."""
    order = np.argsort(values, kind="stable")
    is_border = np.diff(values[order]) > float(np.ptp(values)) * _FINEST
    index = np.empty(len(values), dtype=np.intp)
    index[order] = np.concatenate(([0], np.cumsum(is_border)))
    step = float(np.ptp(values)) / max(int(index.max()), 1)
    return Lines(index, float(values.min()), step or 1.0)


def place(
    spectra: NDArray[np.float32],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    name: str,
    along: tuple[Direction, Direction] = PLAN,
) -> tuple[NDArray[np.float32], Frame]:
    """Put spectra (m, n) at their coordinates (m,) into a cube (ny, nx, n); row 0 has the smallest y, column 0 the smallest x.

    Coordinates are in the units of the directions.  Places without a spectrum become NaN.  A scan that is turned against the stage has a
    turned frame.  Coordinates that are on no grid give a list, (m, 1, n).
    """
    if not all(each.is_length for each in along):  # a time has no grid lines on which nothing was measured
        return _place_unevenly(spectra, y, x, name, along)
    rows, columns = find_lines(y), find_lines(x)
    if rows is not None and columns is not None and not _is_scattered(rows, columns, spectra, _DENSEST_TURNED):
        return _place_on(spectra, rows, columns, name, along)
    if (found := _place_turned(spectra, y, x, name, along)) is not None:
        return found
    if rows is None or columns is None:
        return _place_unevenly(spectra, y, x, name, along)
    return _no_grid(spectra, name) if _is_scattered(rows, columns, spectra, _EMPTIEST) else _place_on(spectra, rows, columns, name, along)


def _place_turned(
    spectra: NDArray[np.float32], y: NDArray[np.float64], x: NDArray[np.float64], name: str, along: tuple[Direction, Direction]
) -> tuple[NDArray[np.float32], Frame] | None:
    """Put spectra on a grid that is turned against the stage; None where they lie on none."""
    degrees = turned.angle_deg(y, x) if len(spectra) >= _FEWEST_TURNED else None
    if degrees is None:
        return None
    rows, columns = map(find_lines, turned.unturned(y, x, degrees))
    if rows is None or columns is None or _is_scattered(rows, columns, spectra, _DENSEST_TURNED):
        return None
    warnings.warn(f"'{name}' was scanned at {abs(degrees):.1f} degrees to the stage; it is drawn turned.", DataWarning, stacklevel=3)
    cube, frame = _place_on(spectra, rows, columns, name, along)
    return cube, replace(frame, origin_um=turned.origin_of(y, x, frame.origin_um, degrees), rotation_deg=degrees)


def _is_scattered(rows: Lines, columns: Lines, spectra: NDArray[np.float32], emptiest: int) -> bool:
    """Whether spectra fill too little of a grid, or most share their place with another.

    Seen from one damaged coordinate far away, all others are one line.
    """
    if _is_too_empty(rows.count * columns.count, spectra, emptiest):
        return True
    places = np.unique(rows.index * columns.count + columns.index)
    return 2 * len(places) < len(rows.index)


def _no_grid(spectra: NDArray[np.float32], name: str) -> tuple[NDArray[np.float32], Frame]:
    return as_list(spectra, f"'{name}': the positions lie on no rectangular grid")


def _place_unevenly(
    spectra: NDArray[np.float32], y: NDArray[np.float64], x: NDArray[np.float64], name: str, along: tuple[Direction, Direction]
) -> tuple[NDArray[np.float32], Frame]:
    """One row and column per different coordinate, where these are few; their distances differ, which a warning says of a length."""
    rows, columns = _lines_along(along[0], y), _lines_along(along[1], x)
    if _is_too_empty(rows.count * columns.count, spectra, _DENSEST_UNEVEN):
        return _no_grid(spectra, name)
    if all(each.is_length for each in along):
        warnings.warn(
            f"'{name}': the distances between its {counted(rows.count, 'row')} or {counted(columns.count, 'column')} differ; "
            "they are drawn equally wide.",
            DataWarning,
            stacklevel=3,
        )
    kept = (with_values(along[0], _line_values(rows, y)), with_values(along[1], _line_values(columns, x)))
    return _place_on(spectra, rows, columns, name, kept)


def _lines_along(direction: Direction, values: NDArray[np.float64]) -> Lines:
    return (find_lines(values) if direction.is_length else None) or distinct_lines(values)


def _line_values(lines: Lines, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinate of every grid line."""
    found = lines.origin + lines.step * np.arange(lines.count, dtype=np.float64)
    found[lines.index] = values
    return found


def with_values(direction: Direction, values: NDArray[np.float64]) -> Direction:
    """Direction that keeps the value of each row or column, unless they are even."""
    step, start = step_and_start(values)
    is_even = np.abs(values - start - step * np.arange(len(values))).max(initial=0.0) <= _UNEVEN * abs(step)
    return direction if is_even or len(values) < 2 else replace(direction, values=tuple(map(float, values)))


def step_and_start(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean distance of values along a direction, never zero, and the first of them."""
    step = float(values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else 1.0
    return step or 1.0, float(values[0])


def _place_on(
    spectra: NDArray[np.float32], rows: Lines, columns: Lines, name: str, along: tuple[Direction, Direction]
) -> tuple[NDArray[np.float32], Frame]:
    flat = rows.index * columns.count + columns.index
    frame = Frame((rows.count, columns.count), (rows.step, columns.step), (rows.origin, columns.origin), directions=along)
    return filled(spectra, flat, frame, name), frame


def filled(spectra: NDArray[np.float32], flat: NDArray[np.intp], frame: Frame, name: str) -> NDArray[np.float32]:
    """Spectra (m, n) at their places, counted row by row (m,), as a cube (ny, nx, n); the rest is NaN, which a warning says."""
    shape = (*frame.shape, spectra.shape[1])
    if len(flat) == frame.n_pixels and np.array_equal(flat, np.arange(len(flat))):
        return spectra.reshape(shape)
    n_filled = len(np.unique(flat))
    _warn_of_places(frame.n_pixels - n_filled, len(flat) - n_filled, frame, name)
    cube = np.full((frame.n_pixels, spectra.shape[1]), np.nan, dtype=np.float32)
    cube[flat] = spectra
    return cube.reshape(shape)


def _warn_of_places(n_missing: int, n_doubled: int, frame: Frame, name: str) -> None:
    if n_missing:
        (ny, nx), are = frame.shape, "is missing; it counts" if n_missing == 1 else "are missing; they count"
        where = f"{n_missing} of {frame.n_pixels} pixels of the {ny} x {nx} grid"
        warnings.warn(f"'{name}': {where} {are} as not measured.", DataWarning, stacklevel=2)
    if n_doubled:
        pixels = "1 pixel was" if n_doubled == 1 else f"{n_doubled} pixels were"
        warnings.warn(f"'{name}': {pixels} measured twice; the last spectrum of each is kept.", DataWarning, stacklevel=2)


def as_line(spectra: NDArray[np.float32], along_um: NDArray[np.float64], name: str) -> tuple[NDArray[np.float32], Frame]:
    """Put spectra (m, n) along one coordinate (m,) into a map of one column (ny, 1, n), smallest coordinate first."""
    lines = find_lines(along_um)
    if lines is None or len(np.unique(lines.index)) < len(spectra) or _is_too_empty(lines.count, spectra, _EMPTIEST):
        return as_list(spectra, f"'{name}': the positions are not equidistant")
    frame = Frame((lines.count, 1), (lines.step, 1.0), (lines.origin, 0.0))
    return filled(spectra, lines.index, frame, name), frame


def as_series(spectra: NDArray[np.float32], values: NDArray[np.float64], along: Direction) -> tuple[NDArray[np.float32], Frame]:
    """Put spectra (m, n) one below the other in the order of the file, (m, 1, n); each has its value (m,) of a time, a temperature..."""
    step, start = step_and_start(values)
    return spectra.reshape(len(spectra), 1, -1), Frame(
        (len(spectra), 1), (step, 1.0), (start, 0.0), directions=(with_values(along, values), PLAN[1])
    )


def as_list(spectra: NDArray[np.float32], why: str) -> tuple[NDArray[np.float32], Frame]:
    """Make a list (m, 1, n) of spectra without positions, in the order of the file; `why` goes into a warning."""
    shown = "its spectrum is" if len(spectra) == 1 else f"its {len(spectra)} spectra are"
    warnings.warn(f"{why}, so {shown} shown as a list, one row each.", DataWarning, stacklevel=2)
    return as_series(spectra, np.arange(len(spectra), dtype=np.float64), _POINTS)
