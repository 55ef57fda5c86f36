"""Spectra in columns: the spectral axis in the first column, one more column per spectrum.

This is WITec's ASCII export (``X-Axis`` and names in the first line, units in the second, or one of them, or neither; ``(i/j)`` at the end
of a column's name are its column i and row j), and what many programs write for single spectra.  Without names the spectra come as a list.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import grid, table_text
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.items import Item, item_of, require_only

_NAMES = "X-Axis"
"""How the line with the names of the columns begins."""
_PLACE = re.compile(r"\((\d+)/(\d+)\)\s*$")
_LARGEST_LINE_LOOKED_AT = 1 << 22


@dataclass(frozen=True)
class _Head:
    style: table_text.Style
    n_columns: int
    metadata: dict[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    """Name of each spectrum; empty for a file without names."""
    axis_unit: str | None = None
    intensity_unit: str = ""


def recognises(path: Path) -> bool:
    """Whether the first column, not the first line, is the spectral axis."""
    with table_text.open_table(path) as stream, readable_as("a text table", path):
        _, first = table_text.read_header(stream)
        style = table_text.style_of(first, *table_text.peek_lines(stream))
        if first.startswith(_NAMES) or _is_of_units(table_text.cells_of(first, style)):
            return True
        following = [table_text.cells_of(line, style) for line in table_text.peek_lines(stream)]
        starts = [cells[0] for cells in following if cells and cells[0]]
        return _axis_is_first_column(table_text.cells_of(first, style), starts, style)


def _axis_is_first_column(first: list[str], starts: list[str], style: table_text.Style) -> bool:
    """Decide by the cells of the first line and the first cells of the lines after it."""
    if len(first) < 2 or not first[0]:
        return False
    try:
        across = table_text.numbers(first, style)
    except ValueError:
        return False
    down = table_text.leading_numbers([first[0], *starts], style)
    return len(down) > 2 and _is_monotonic(down) and (not _is_monotonic(across) or len(down) > len(across))


def _is_monotonic(values: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    return bool((steps > 0).all() or (steps < 0).all())


def items(path: Path) -> tuple[Item, ...]:
    """List the one map of a table."""
    return (item_of(read(path, None, None)),)


def read(path: Path, item: str | None, unit: str | None) -> SpectralMap:
    """Read the map, or the list of spectra."""
    with table_text.open_table(path) as stream:
        with readable_as("spectra in columns", path):
            head, start = _read_head(stream)
        stream.seek(start)
        axis, columns = table_text.read_numbers(stream, head.style, head.n_columns, 1, path)
    if not columns.size:
        raise ReaderError(f"'{path.name}' names spectra but holds no values; export it again.")
    spectra = np.ascontiguousarray(columns.T)
    warn_of_holes(spectra, path.name)
    result = _as_map(spectra, axis[:, 0], head, unit, path)
    require_only(item, item_of(result), path)
    return result


def _read_head(stream: IO[bytes]) -> tuple[_Head, int]:
    """Names and units, and where the numbers start."""
    start = _after_comments(stream)
    metadata, first = table_text.read_header(stream)
    following = table_text.peek_lines(stream)
    style = table_text.style_of(first, *following)
    cells = table_text.cells_of(first, style)
    head = _Head(style, len(cells), metadata, (), metadata.get("AxisUnit[1]"), metadata.get("AxisUnit[0]", ""))
    if first.startswith(_NAMES):
        head, start = replace(head, names=tuple(cells[1:])), stream.tell()
        cells = table_text.cells_of(following[0] if following else "", style)
        stream.readline()
    if _is_of_units(cells):
        head, start = replace(head, axis_unit=cells[0], intensity_unit=cells[-1]), stream.tell()
    return head, start


def _is_of_units(cells: list[str]) -> bool:
    """Whether a line says the units of the columns: the first one is a unit of light."""
    try:
        AxisKind.from_unit(cells[0] if cells else "")
    except DataError:
        return False
    return True


def _after_comments(stream: IO[bytes]) -> int:
    """Position of the first line that is no header line; the stream is left at its start."""
    position = 0
    while stream.readline(_LARGEST_LINE_LOOKED_AT).startswith(b"#"):
        position = stream.tell()
    stream.seek(0)
    return position


def _as_map(spectra: NDArray[np.float32], axis: NDArray[np.float64], head: _Head, unit: str | None, path: Path) -> SpectralMap:
    cube, frame = _gridded(spectra, head.names, path)
    values, kind = settle_axis(axis, head.axis_unit, given=unit, name=path.name)
    return SpectralMap.from_arrays(
        cube,
        values,
        kind,
        frame=frame,
        laser_nm=table_text.first_number(head.metadata.get("Laser (nm)", "")),
        name=_PLACE.sub("", head.names[0]).strip() if head.names else table_text.stem_of(path),
        intensity_unit=counts_unit(head.intensity_unit),
        metadata=head.metadata,
    )


def _gridded(spectra: NDArray[np.float32], names: Sequence[str], path: Path) -> tuple[NDArray[np.float32], Frame]:
    """Put the spectra where their names say; WITec draws row 0 at the top."""
    places = [_PLACE.search(name) for name in names]
    if not places or not all(places):
        if len(spectra) == 1:
            return spectra[:, None, :], Frame((1, 1))
        return grid.as_list(spectra, f"'{path.name}' does not say which pixel each column is")
    x, y = (np.array([float(place[group]) for place in places if place]) for group in (1, 2))
    cube, frame = grid.place(spectra, y, x, path.name)
    warnings.warn(f"'{path.name}' does not say the distance of its pixels; it is taken as 1 µm.", DataWarning, stacklevel=2)
    return cube, Frame(frame.shape)


def counts_unit(text: str) -> str:
    """Unit of the intensity; WITec writes ``CCD cts``."""
    return "counts" if not text or "cts" in text.lower() or text == "Cnt" else text
