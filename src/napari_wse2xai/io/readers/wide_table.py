"""Wide tables: one line per spectrum, and a head line whose cells are the spectral axis beside the names of coordinates.

So do pandas (``x,y,150.0,152.5,...``), SPECTROview and wafer maps (``X;Y;150.0;...``); the coordinates may stand anywhere, and columns of
words or numbers that are no coordinates are left out.
"""

import io
import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.axis import spectral_unit
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import grid, table_text
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import warn_of_holes
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.placing import Along, placed
from napari_wse2xai.io.table_layout import counts_up, steps_of
from napari_wse2xai.io.table_look import FEWEST_CHANNELS, Look, as_numbers, look
from napari_wse2xai.io.table_words import Coordinate, coordinate_of, counts_unit, is_spectral
from napari_wse2xai.io.told import Told, made_map

FORMATS = (Format("Wide table", TABLES, order=250),)

_WITH_UNIT = re.compile(r"\s*([-+]?[\d.,]+(?:[eE][-+]?\d+)?)\s*([^\d\s].*)?")


@dataclass(frozen=True)
class _Head:
    """Which column holds what."""

    coordinates: dict[int, Coordinate]
    channels: tuple[int, ...]
    axis: NDArray[np.float64]
    left_out: tuple[str, ...]
    """Titles of columns that are neither."""
    unit: str | None
    """Unit of the axis, where the head tells it."""

    @property
    def order(self) -> tuple[int, ...]:
        """Columns that are read: coordinates, then channels."""
        return (*self.coordinates, *self.channels)


def recognises(path: Path) -> bool:
    """Whether a head line holds a spectral axis beside words."""
    seen = look(path)
    return seen is not None and _head_of(seen) is not None


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the map, line, series or list."""
    seen = look(path)
    head = None if seen is None else _head_of(seen)
    if seen is None or head is None:
        raise ReaderError(f"'{path.name}' has no line with a spectral axis and the names of its other columns; export it again.")
    with table_text.open_table(path) as stream:
        stream.seek(seen.start)
        chosen, style = _reordered(stream, seen, head)
        numbers = table_text.read_numbers(chosen, style, len(head.order), len(head.coordinates), path)
    if not len(numbers[1]):
        raise ReaderError(f"'{path.name}' has a spectral axis but no spectra; export the map again.")
    return _as_map(numbers, head, seen, told, path)


def _as_map(numbers: table_text.Numbers, head: _Head, seen: Look, told: Told, path: Path) -> SpectralMap:
    coordinates, spectra = numbers
    warn_of_holes(spectra, path.name)
    if head.left_out:
        warnings.warn(f"'{path.name}': {', '.join(map(repr, head.left_out))} left out, no part of a spectrum.", DataWarning, stacklevel=2)
    along = [Along(one.direction, one.um_per_unit * coordinates[:, number]) for number, one in enumerate(head.coordinates.values())]
    cube, frame = placed(spectra, along, path.name) if along else grid.as_list(spectra, f"'{path.name}' has no positions")
    titles = [title for title in seen.titles(head.channels[0]) if np.isnan(as_numbers([title], seen.style)[0])]
    return made_map(
        cube,
        *settle_axis(head.axis, head.unit, given=told.unit, name=path.name),
        told,
        frame=frame,
        laser_nm=laser_in(seen.metadata),
        name=table_text.stem_of(path),
        intensity_unit=counts_unit(titles),
        metadata=seen.metadata,
    )


def _head_of(seen: Look) -> _Head | None:
    """The head line with the axis, and what it says of every column; None where there is none."""
    lines = seen.titled_lines
    if len(seen.number_lines) > 1 or (seen.names_axis(0) and not _corner_names_line(seen)):
        return None  # spectra in columns, below what is known of each
    for position, cells in reversed(list(enumerate(lines))):
        axis, unit = _axis_in(cells, seen)
        channels = np.flatnonzero(np.isfinite(axis))
        words = [column for column, cell in enumerate(cells) if cell and not np.isfinite(axis[column])]
        if (
            words
            and len(channels) >= FEWEST_CHANNELS
            and len(channels) >= len(words)
            and len(cells) == seen.n_columns
            and steps_of(axis)[1]
        ):
            below = lines[position + 1] if position + 1 < len(lines) else ()
            return _sorted_out(cells, below, axis, unit)
    return None


def _corner_names_line(seen: Look) -> bool:
    """Whether the name of an axis in the first cell is that of the numbers beside it, not of those below, which only count or are words."""
    down = seen.down()
    return any(is_spectral([name]) and not counts_up(numbers) for name, numbers in seen.number_lines) and (
        bool(np.isnan(down).all()) or counts_up(down)
    )


def _axis_in(cells: tuple[str, ...], seen: Look) -> tuple[NDArray[np.float64], str | None]:
    """Value of every cell that is a number, or a number with a unit of light; NaN elsewhere; and that unit."""
    parts = [_WITH_UNIT.fullmatch(cell) for cell in cells]
    units = {part[2].strip() for part in parts if part and part[2]}
    unit = units.pop() if len(units) == 1 and _is_of_light(units) else None
    bare = [part[1] if part and (not part[2] or unit) else "" for part in parts]
    return as_numbers(bare, seen.style), unit


def _is_of_light(units: set[str]) -> bool:
    try:
        return bool([spectral_unit(unit) for unit in units])
    except DataError:
        return False


def _sorted_out(cells: tuple[str, ...], below: tuple[str, ...], axis: NDArray[np.float64], unit: str | None) -> _Head:
    coordinates: dict[int, Coordinate] = {}
    left_out = []
    for column in np.flatnonzero(~np.isfinite(axis)).tolist():
        found = coordinate_of(cells[column], below[column] if column < len(below) else "")
        if found is not None and not any(found.direction.name == known.direction.name for known in coordinates.values()):
            coordinates[column] = found
        elif cells[column]:
            left_out.append(cells[column])
    channels = tuple(np.flatnonzero(np.isfinite(axis)).tolist())
    told = below[channels[0]] if channels[0] < len(below) and _is_of_light({below[channels[0]]}) else None
    return _Head(coordinates, channels, axis[list(channels)], tuple(left_out), unit or told)


def _reordered(stream: IO[bytes], seen: Look, head: _Head) -> tuple[IO[bytes], table_text.Style]:
    """Lines with the columns that are wanted, in the order in which they are read; the stream itself where it has these."""
    if head.order == tuple(range(seen.n_columns)):
        return stream, seen.style
    style = replace(seen.style, separator="\t", indent=0)
    lines = (table_text.cells_of(table_text.decoded(line), seen.style) for line in stream)
    chosen = ("\t".join([cells[column] if column < len(cells) else "" for column in head.order]) for cells in lines if cells)
    return io.BytesIO("\n".join(chosen).encode()), style
