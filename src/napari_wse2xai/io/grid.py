"""From a list of spectra with stage coordinates to a map: which row and column each one belongs to."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame
from napari_wse2xai.errors import DataWarning, counted

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
    spectra: NDArray[np.float32], y_um: NDArray[np.float64], x_um: NDArray[np.float64], name: str
) -> tuple[NDArray[np.float32], Frame]:
    """Put spectra (m, n) at their coordinates (m,) into a cube (ny, nx, n); row 0 has the smallest y, column 0 the smallest x.

    Places without a spectrum become NaN.  Coordinates that are on no grid give a list, (m, 1, n).
    """
    rows, columns = find_lines(y_um), find_lines(x_um)
    if rows is None or columns is None:
        return _place_unevenly(spectra, y_um, x_um, name)
    if _is_too_empty(rows.count * columns.count, spectra, _EMPTIEST) or _is_collapsed(rows, columns):
        return _no_grid(spectra, name)
    return _place_on(spectra, rows, columns, name)


def _is_collapsed(rows: Lines, columns: Lines) -> bool:
    """Whether most spectra share their place with another: seen from one damaged coordinate far away, all others are one line."""
    places = np.unique(rows.index * columns.count + columns.index)
    return 2 * len(places) < len(rows.index)


def _no_grid(spectra: NDArray[np.float32], name: str) -> tuple[NDArray[np.float32], Frame]:
    return as_list(spectra, f"'{name}': the positions lie on no rectangular grid")


def _place_unevenly(
    spectra: NDArray[np.float32], y_um: NDArray[np.float64], x_um: NDArray[np.float64], name: str
) -> tuple[NDArray[np.float32], Frame]:
    """One row and column per different coordinate, where these are few; their distances differ, which a warning says."""
    rows, columns = find_lines(y_um) or distinct_lines(y_um), find_lines(x_um) or distinct_lines(x_um)
    if _is_too_empty(rows.count * columns.count, spectra, _DENSEST_UNEVEN):
        return _no_grid(spectra, name)
    warnings.warn(
        f"'{name}': the distances between its {counted(rows.count, 'row')} or {counted(columns.count, 'column')} differ; "
        "they are drawn equally wide.",
        DataWarning,
        stacklevel=2,
    )
    return _place_on(spectra, rows, columns, name)


def _place_on(spectra: NDArray[np.float32], rows: Lines, columns: Lines, name: str) -> tuple[NDArray[np.float32], Frame]:
    flat = rows.index * columns.count + columns.index
    frame = Frame((rows.count, columns.count), (rows.step, columns.step), (rows.origin, columns.origin))
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


def as_list(spectra: NDArray[np.float32], why: str) -> tuple[NDArray[np.float32], Frame]:
    """Make a map (m, 1, n) of spectra without positions, in the order of the file, 1 um apart; `why` goes into a warning."""
    shown = "its spectrum is" if len(spectra) == 1 else f"its {len(spectra)} spectra are"
    warnings.warn(f"{why}, so {shown} shown as a list, one row each, 1 µm apart.", DataWarning, stacklevel=2)
    return spectra[:, None, :], Frame((len(spectra), 1))
