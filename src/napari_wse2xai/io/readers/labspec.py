"""LabSpec text tables (Horiba): header lines, the spectral axis, then one line per pixel.

The axis stands after as many empty cells as there are coordinate columns: two for a map, one for a line or a series, none for a bare list
of spectra; which column is what, `scan_columns` tells.  LabSpec draws y downwards, so row 0 has the smallest y.
"""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, SpectralMap
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import grid, scan_columns, table_text
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import PARSER_ERRORS, readable_as, warn_of_holes
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.table_kept import KEPT_KEY, restored
from napari_wse2xai.io.table_layout import MOST_COORDINATES, is_in_lines, n_zeros_over
from napari_wse2xai.io.told import Told, made_map

FORMATS = (
    Format(
        "LabSpec text",
        TABLES,
        order=270,
        holds="maps with or without holes, planes in z, lines, series over time, temperature and the like, lists",
        needs="NumPy",
        licence="BSD-3",
    ),
)

FRAME_KEY = "Frame (napari-wse2xai)"
"""Header line by which a table that this package wrote keeps its exact grid."""


@dataclass(frozen=True)
class _LabSpecHead:
    metadata: Mapping[str, str]
    axis: NDArray[np.float64]
    n_coordinates: int
    style: table_text.Style


def recognises(path: Path) -> bool:
    """Whether the first line is the spectral axis."""
    return is_in_lines(path)


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the map."""
    with table_text.open_table(path) as stream:
        head = _read_head(stream, path)
        n_columns = head.n_coordinates + len(head.axis)
        coordinates, spectra = table_text.read_numbers(stream, head.style, n_columns, head.n_coordinates, path)
    _require_whole(coordinates, spectra, head, path)
    warn_of_holes(spectra, path.name)
    cube, frame = _gridded(coordinates, spectra, head, told, path)
    return _as_map(cube, frame, head, told, path)


def _read_head(stream: IO[bytes], path: Path) -> _LabSpecHead:
    with readable_as("LabSpec text", path):
        metadata, line = table_text.read_header(stream)
        following = table_text.peek_lines(stream)
        style = table_text.style_of(line, *following)
    cells = table_text.cells_of(line, style)
    if not cells:
        raise ReaderError(f"'{path.name}' ends before its spectral axis; export the map again.")
    n_empty = next(position for position, cell in enumerate(cells) if cell)
    try:
        axis = table_text.numbers(cells[n_empty:], style)
    except ValueError as error:
        raise ReaderError(f"'{path.name}' has no spectral axis in its first line ({error}); export it as a LabSpec table.") from error
    n_beside = len(table_text.cells_of(following[0], style)) - len(axis) if following else 0
    n_coordinates, axis = (n_empty, axis) if n_empty else _told_apart(axis, n_beside)
    if not n_coordinates and len(axis) == 1:
        raise ReaderError(f"'{path.name}' holds one column of numbers, without a spectral axis; export the axis too.")
    if n_coordinates > MOST_COORDINATES:
        raise ReaderError(f"'{path.name}' has {n_coordinates} coordinate columns, a map has x and y; export one plane of the scan.")
    return _LabSpecHead(metadata, axis, n_coordinates, style)


def _told_apart(axis: NDArray[np.float64], n_beside: int) -> tuple[int, NDArray[np.float64]]:
    """Number of coordinate columns, and the axis, of a first line without empty cells.

    It is shorter than the next line by `n_beside`, or has zeros over the coordinates, where these cannot belong to the axis.
    """
    if 0 < n_beside <= MOST_COORDINATES:
        return n_beside, axis
    n_zeros = n_zeros_over(axis)
    return n_zeros, axis[n_zeros:]


def _require_whole(coordinates: NDArray[np.float64], spectra: NDArray[np.float32], head: _LabSpecHead, path: Path) -> None:
    """Refuse tables that end within a line, or have lines without coordinates."""
    if not len(spectra):
        raise ReaderError(f"'{path.name}' has a spectral axis but no spectra; export the map again.")
    if not np.isfinite(coordinates).all():
        row = int(np.argmin(np.isfinite(coordinates).all(axis=1))) + 1
        raise ReaderError(f"'{path.name}': spectrum {row} has no coordinates; export the map again with its positions.")


def _gridded(
    coordinates: NDArray[np.float64], spectra: NDArray[np.float32], head: _LabSpecHead, told: Told, path: Path
) -> tuple[NDArray[np.float32], Frame]:
    kept = _kept_frame(head.metadata, path)
    if kept is not None and kept.n_pixels == len(spectra):
        return spectra.reshape(*kept.shape, -1), kept
    if head.n_coordinates == 0:
        return grid.as_list(spectra, f"'{path.name}' has no positions")
    return scan_columns.gridded(spectra, coordinates, head.metadata, path, is_settled=told.swap_xy)


def _kept_frame(metadata: Mapping[str, str], path: Path) -> Frame | None:
    """Grid that this package wrote into the header; where that is damaged, the coordinates must do, and it is said."""
    text = metadata.get(FRAME_KEY)
    if text is None:
        return None
    try:
        return Frame.from_record(json.loads(text)).checked()
    except (*PARSER_ERRORS, DataError):
        text = f"'{path.name}': its header line with the grid is damaged; the pixels are placed by their coordinates instead."
        warnings.warn(text, DataWarning, stacklevel=2)
        return None


def _as_map(cube: NDArray[np.float32], frame: Frame, head: _LabSpecHead, told: Told, path: Path) -> SpectralMap:
    metadata = {key: value for key, value in head.metadata.items() if key not in (FRAME_KEY, KEPT_KEY)}
    in_file = metadata.get("AxisUnit[1]")
    axis, kind = settle_axis(head.axis, in_file, given=told.unit or (in_file if KEPT_KEY in head.metadata else None), name=path.name)
    found = made_map(
        cube,
        axis,
        kind,
        told,
        frame=frame if frame.sample else replace(frame, sample=metadata.get("Sample", "")),
        laser_nm=laser_in(metadata),
        name=table_text.stem_of(path),
        intensity_unit=_intensity_unit(metadata.get("AxisUnit[0]", "")),
        metadata=metadata,
    )
    return restored(found, head.metadata[KEPT_KEY]) if KEPT_KEY in head.metadata and told.unit is None else found


def _intensity_unit(text: str) -> str:
    """Unit of the intensity; LabSpec writes ``Cnt`` for counts and ``Cnt/sec`` for a rate."""
    return text.replace("Cnt", "counts") if text else "counts"
