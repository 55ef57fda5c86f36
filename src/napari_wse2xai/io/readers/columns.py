"""Spectra in columns: the spectral axis in the first column, one more column per spectrum, titles above or none.

This is WITec's ASCII table (``X-Axis`` and names in the first line, units in the second, or one of them, or neither; ``(i/j)`` at the end
of a column's name are its column i and row j), and what most programs write for single spectra and lists of them: Origin with lines of long
names, units and comments, a spreadsheet with ``Raman shift (cm-1), Intensity``.  Without places the spectra come as a list.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Direction, Frame, SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError, counted
from napari_wse2xai.io import grid, table_text
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import warn_of_holes
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.placing import Along, placed
from napari_wse2xai.io.table_layout import WITEC_AXIS, counts_up, is_in_columns
from napari_wse2xai.io.table_look import FEWEST_CHANNELS, Look, look
from napari_wse2xai.io.table_words import coordinate_of, counts_unit, is_error, is_spectral, unit_by_size, unit_of_light
from napari_wse2xai.io.told import Told, made_map

FORMATS = (
    Format(
        "Spectra in columns (WITec ASCII table, others)",
        TABLES,
        order=260,
        holds="a map (its pixels named), else a list; with names and units, one of them, or neither",
        needs="NumPy",
        licence="BSD-3",
    ),
)

_PLACE = re.compile(r"\((\d+)/(\d+)\)\s*$")


@dataclass(frozen=True, eq=False)
class Columns:
    """Spectra of a table, and what its head says of them."""

    axis: NDArray[np.float64]
    """(n,) as it stands in the file."""
    spectra: NDArray[np.float32]
    """(m, n)."""
    titles: tuple[tuple[str, ...], ...]
    """Cells of the head above each spectrum."""
    axis_unit: str | None
    is_named: bool
    """Whether the head says that the first column is a spectral axis."""


def recognises(path: Path) -> bool:
    """Whether the first column, not the first line, is the spectral axis."""
    seen = look(path)
    return seen is not None and is_in_columns(seen)


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the map, or the list of spectra."""
    seen = look(path)
    if seen is None:
        raise ReaderError(f"'{path.name}' names spectra but holds no values; export it again.")
    table = columns_of(seen, path)
    if told.unit is None and not table.is_named:
        _require_axis(table, path)
    cube, frame = _gridded(table, seen, path)
    return as_map(table, cube, frame, seen, told, path)


def columns_of(seen: Look, path: Path) -> Columns:
    """Numbers of a table whose first column is the axis, without columns that are no spectra."""
    with table_text.open_table(path) as stream:
        stream.seek(seen.start)
        axis, columns = table_text.read_numbers(stream, seen.style, seen.n_columns, 1, path)
    if not columns.size:
        raise ReaderError(f"'{path.name}' names spectra but holds no values; export it again.")
    titles = seen.titles(0)
    kept = _spectra_among(axis[:, 0], columns, seen, path)
    unit = unit_of_light(titles) or seen.metadata.get("AxisUnit[1]")
    named = unit is not None or seen.names_axis(0) or any(title.startswith(WITEC_AXIS) for title in titles)
    spectra = np.ascontiguousarray(columns[:, kept].T)
    warn_of_holes(spectra, path.name)
    return Columns(axis[:, 0], spectra, tuple(seen.titles(column + 1) for column in kept), unit, named)


def _spectra_among(axis: NDArray[np.float64], columns: NDArray[np.float32], seen: Look, path: Path) -> list[int]:
    """Columns, counted after the axis, that are spectra: no errors of one, nor the axis once more."""
    titles = [seen.titles(column) for column in range(seen.n_columns)]
    errors = [number for number, words in enumerate(titles[1:]) if is_error(words)]
    again = [number for number, words in enumerate(titles[1:]) if words and words[0] == (titles[0] or ("",))[0] and is_spectral(words)]
    if any(not np.allclose(columns[:, number], axis, equal_nan=True) for number in again):
        raise ReaderError(f"'{path.name}' has spectra on axes that differ, each with its own; export them on one axis, or one by one.")
    if not any(titles) and columns.shape[1] == 2:
        errors = _unnamed_errors(columns, path)
    if errors:
        what = "column of errors" if len(errors) == 1 else "columns of errors"
        warnings.warn(f"'{path.name}': {len(errors)} {what} left out.", DataWarning, stacklevel=2)
    return [number for number in range(columns.shape[1]) if number not in (*errors, *again)]


def _unnamed_errors(columns: NDArray[np.float32], path: Path) -> list[int]:
    """Of two columns without titles the second, where it is the first one's counting error; nothing else can be known of it."""
    counts, other = columns.T
    # Such columns are written with few digits: the root of 3 counts stands there as 1.7.
    if np.allclose(other, np.sqrt(np.abs(counts)), rtol=0.01, atol=0.05, equal_nan=True):
        return [1]
    raise ReaderError(
        f"'{path.name}' has three columns without titles: two spectra, or one and its error; "
        "name them in a first line, such as 'Raman shift (cm-1), counts, error'."
    )


def _require_axis(table: Columns, path: Path) -> None:
    """Refuse what is no spectral axis, where nobody says that it is one."""
    n = len(table.axis)
    if n < FEWEST_CHANNELS:
        raise ReaderError(
            f"'{path.name}' is a table of {counted(n, 'line')} without titles, too few for spectra in columns; "
            "export the spectra with their axis, or give its unit when you load it."
        )
    if counts_up(table.axis):
        raise ReaderError(
            f"'{path.name}': its first column only counts channels; calibrate it, or give the unit of the axis when you load it."
        )


def as_map(table: Columns, cube: NDArray[np.float32], frame: Frame, seen: Look, told: Told, path: Path) -> SpectralMap:
    """Map of the spectra at their places."""
    in_file = unit_by_size(table.axis_unit, float(np.nanmax(table.axis)), path.name) if told.unit is None else None
    first = next(iter(table.titles), ())
    return made_map(
        cube,
        *settle_axis(table.axis, in_file, given=told.unit, name=path.name, called=" ".join(seen.titles(0))),
        told,
        frame=frame,
        laser_nm=laser_in(seen.metadata),
        name=next((_PLACE.sub("", title).strip() for title in first if _PLACE.search(title)), "") or table_text.stem_of(path),
        intensity_unit=intensity_unit(seen.metadata.get("AxisUnit[0]", ""), first),
        metadata=seen.metadata,
    )


def intensity_unit(told: str, titles: Sequence[str]) -> str:
    """Unit of the intensity; WITec writes ``CCD cts``, LabSpec ``Cnt``."""
    if told:
        return told.replace("Cnt", "counts").replace("CCD cts", "counts")
    return "counts" if any("cts" in title.lower() for title in titles) else counts_unit(titles)


def _gridded(table: Columns, seen: Look, path: Path) -> tuple[NDArray[np.float32], Frame]:
    """Put the spectra where the head says."""
    if (places := places_in(table.titles)) is not None:
        return _on_pixels(table.spectra, places, path.name)
    if along := _lines_of_numbers(seen, len(table.spectra)):
        return placed(table.spectra, along, path.name)
    if len(table.spectra) == 1:
        return table.spectra[:, None, :], Frame((1, 1))
    return grid.as_list(table.spectra, f"'{path.name}' does not say which pixel each column is")


def _on_pixels(spectra: NDArray[np.float32], places: NDArray[np.intp], name: str) -> tuple[NDArray[np.float32], Frame]:
    """Put spectra at their row and column, 1 um apart; WITec draws row 0 at the top."""
    cube, frame = grid.place(spectra, places[:, 0].astype(np.float64), places[:, 1].astype(np.float64), name)
    warnings.warn(f"'{name}' does not say the distance of its pixels; it is taken as 1 µm.", DataWarning, stacklevel=2)
    return cube, Frame(frame.shape)


def places_in(titles: Sequence[Sequence[str]]) -> NDArray[np.intp] | None:
    """Row and column of each spectrum (m, 2), as ``(column/row)`` in its title says; None where that cannot be known of all.

    Some without it are allowed where the others stand row by row and leave just their pixels free.
    """
    found = [next((place for title in words if (place := _PLACE.search(title))), None) for words in titles]
    known = np.array([place is not None for place in found])
    if not known.any() or 2 * known.sum() < len(found):
        return None
    places = np.array([(int(place[2]), int(place[1])) for place in found if place], dtype=np.intp)
    if known.all():
        return places
    low, nx = places.min(axis=0), int(np.ptp(places[:, 1])) + 1
    every = np.arange(len(found), dtype=np.intp)
    if len(found) % nx or ((places - low) @ (nx, 1) != every[known]).any():
        return None
    return np.asarray(np.stack([every // nx, every % nx], axis=1) + low, dtype=np.intp)


def _lines_of_numbers(seen: Look, m: int) -> list[Along]:
    """Coordinates from lines of the head that hold one number per spectrum, their name in the first cell: ``x``, ``y``, ``time (s)``."""
    found = []
    for name, values in seen.number_lines:
        known = coordinate_of(name)
        direction = known.direction if known else Direction("spectrum" if is_spectral([name]) else name.strip() or "spectrum", "")
        if len(values) == m > 1:
            found.append(Along(direction, values * (known.um_per_unit if known else 1.0)))
    return found
