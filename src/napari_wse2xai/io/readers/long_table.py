"""Long tables: one line per channel of every spectrum, its coordinates in front (``#X #Y #Wave #Intensity``, as WiRE exports a map).

The titles say which column is which, in any order; spectra may be interrupted, rise or fall, and either coordinate may be the fast one.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError, counted
from napari_wse2xai.io import table_text
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.placing import Along, placed
from napari_wse2xai.io.table_look import Look, look
from napari_wse2xai.io.table_words import Coordinate, coordinate_of, counts_unit, is_intensity, is_spectral, unit_by_size, unit_of_light
from napari_wse2xai.io.told import Told, made_map

FORMATS = (Format("Long table (WiRE text)", TABLES, order=240),)

if TYPE_CHECKING:
    from pandas._typing import ReadCsvBuffer

_EMPTIEST = 4
"""Places per line of the table, from which its spectra have no common axis."""


@dataclass(frozen=True)
class _Columns:
    """Which column holds what."""

    coordinates: dict[int, Coordinate]
    wave: int
    intensity: int


def recognises(path: Path) -> bool:
    """Whether the titles name coordinates, a spectral axis and an intensity."""
    seen = look(path)
    return seen is not None and _columns_of(seen) is not None


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the map, line or series."""
    seen = look(path)
    columns = None if seen is None else _columns_of(seen)
    if seen is None or columns is None:
        raise ReaderError(f"'{path.name}' names no coordinates, spectral axis and intensity in its first line; export it again.")
    table = _numbers(seen, path)
    places = table[:, list(columns.coordinates)]
    spectra, firsts, axis = _spectra(places, table[:, columns.wave], table[:, columns.intensity], path)
    del table, places
    warn_of_holes(spectra, path.name)
    along = [
        Along(coordinate.direction, coordinate.um_per_unit * firsts[:, number])
        for number, coordinate in enumerate(columns.coordinates.values())
    ]
    cube, frame = placed(spectra, along, path.name)
    titles = seen.titles(columns.wave)
    in_file = unit_by_size(unit_of_light(titles), float(axis.max()), path.name) if told.unit is None else None
    return made_map(
        cube,
        *settle_axis(axis, in_file, given=told.unit, name=path.name, called=" ".join(titles)),
        told,
        frame=frame,
        name=table_text.stem_of(path),
        intensity_unit=counts_unit(seen.titles(columns.intensity)),
        metadata=seen.metadata,
    )


def _columns_of(seen: Look) -> _Columns | None:
    """Which column holds what; None where the titles do not say it of every column."""
    # A coordinate at least, the axis and the intensity; a wider table has its spectra side by side.
    if not 3 <= seen.n_columns <= 8:
        return None
    coordinates: dict[int, Coordinate] = {}
    waves, intensities = [], []
    for column in range(seen.n_columns):
        titles = seen.titles(column)
        found = next((known for title in titles if (known := coordinate_of(title, _unit_below(titles, title)))), None)
        if found is not None:
            coordinates[column] = found
        elif is_spectral(titles):
            waves.append(column)
        elif is_intensity(titles):
            intensities.append(column)
    if not coordinates or len(waves) != 1 or not intensities:
        return None
    return _Columns(coordinates, waves[0], intensities[0])


def _unit_below(titles: tuple[str, ...], title: str) -> str:
    """Title of the next line, where units may stand."""
    position = titles.index(title) + 1
    return titles[position] if position < len(titles) else ""


def _numbers(seen: Look, path: Path) -> NDArray[np.float64]:
    """The whole table in double precision: coordinates and axis tell lines apart."""
    with table_text.open_table(path) as stream:
        stream.seek(seen.start)
        table = _at_once(stream, seen, path)
        if table is None:
            stream.seek(seen.start)
            table, _ = table_text.read_numbers(stream, seen.style, seen.n_columns, seen.n_columns, path)
    if not len(table):
        raise ReaderError(f"'{path.name}' names its columns but holds no numbers; export it again.")
    return table


def _at_once(stream: IO[bytes], seen: Look, path: Path) -> NDArray[np.float64] | None:
    """Table of numbers and nothing else, some eight times faster for its millions of short lines; None where it holds anything else."""
    import pandas as pd

    style = seen.style
    if style.thousands or style.indent or style.separator not in "\t;,":
        return None
    with readable_as("a long table", path):
        try:
            frame = pd.read_csv(
                cast("ReadCsvBuffer[bytes]", stream),
                sep=style.separator,
                decimal=style.decimal,
                header=None,
                names=range(seen.n_columns),
                index_col=False,
                dtype=np.float64,
                encoding="latin-1",
                on_bad_lines="error",
            )
        except ValueError:  # pandas' own errors are some
            return None
    table = frame.to_numpy(np.float64)
    return table if np.isfinite(table).all() else None


def _spectra(
    places: NDArray[np.float64], wave: NDArray[np.float64], intensity: NDArray[np.float64], path: Path
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Spectra (m, n), the coordinates of each (m, k) and their axis (n,) from lines (l, k), (l,) and (l,)."""
    if not (np.isfinite(wave).all() and np.isfinite(places).all()):
        line = int(np.argmin(np.isfinite(wave) & np.isfinite(places).all(axis=1))) + 1
        raise ReaderError(f"'{path.name}' has no position or no place on the spectral axis in its line {line} of numbers; export it again.")
    return _in_blocks(places, wave, intensity) or _channel_by_channel(places, wave, intensity) or _pivoted(places, wave, intensity, path)


_Found = tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]


def _in_blocks(places: NDArray[np.float64], wave: NDArray[np.float64], intensity: NDArray[np.float64]) -> _Found | None:
    """Spectrum after spectrum, the last of which may be interrupted; None where the table is ordered otherwise."""
    lengths = dict.fromkeys((_stay_length(places, wave), _sweep_length(places, wave)))
    return next((found for n in lengths if (found := _in_blocks_of(n, places, wave, intensity)) is not None), None)


def _in_blocks_of(n: int, places: NDArray[np.float64], wave: NDArray[np.float64], intensity: NDArray[np.float64]) -> _Found | None:
    n_whole, n_left = divmod(len(wave), n)
    if n < 2 or not n_whole:
        return None
    whole = n_whole * n
    axis = wave[:n]
    if (wave[:whole].reshape(-1, n) != axis).any() or (wave[whole:] != axis[:n_left]).any():
        return None
    if (places[:whole].reshape(n_whole, n, -1) != places[:whole:n, None]).any() or (places[whole:] != places[whole : whole + 1]).any():
        return None
    spectra = np.full((n_whole + (n_left > 0), n), np.nan, dtype=np.float32)
    spectra.reshape(-1)[: len(intensity)] = intensity
    return spectra, places[::n], axis


def _stay_length(places: NDArray[np.float64], wave: NDArray[np.float64]) -> int:
    """Lines until a coordinate changes, or the axis begins anew: one spectrum, which may be stitched of pieces."""
    n = next(_first((places != places[0]).any(axis=1)), len(wave))
    return 1 + next(_first(wave[1:n] == wave[0]), n - 1)


def _sweep_length(places: NDArray[np.float64], wave: NDArray[np.float64]) -> int:
    """Lines until a coordinate changes or the axis turns back."""
    ends = [len(wave)]
    ends.extend(_first((places != places[0]).any(axis=1)))
    steps = np.diff(wave)
    ends.extend(end + 1 for end in _first(np.sign(steps) != np.sign(steps[:1])))
    return min(ends)


def _first(flags: NDArray[np.bool_]) -> Iterator[int]:
    """Position of the first True, if there is one."""
    position = int(np.argmax(flags)) if flags.size else 0
    if flags.size and flags[position]:
        yield position


def _channel_by_channel(places: NDArray[np.float64], wave: NDArray[np.float64], intensity: NDArray[np.float64]) -> _Found | None:
    """All places of one channel, then all of the next; None where the table is ordered otherwise."""
    m = next(_first(wave != wave[0]), len(wave))
    if m < 2 or len(wave) % m:
        return None
    n = len(wave) // m
    if (wave.reshape(n, m) != wave[::m, None]).any() or (places.reshape(n, m, -1) != places[:m]).any():
        return None
    return np.ascontiguousarray(intensity.reshape(n, m).T, dtype=np.float32), places[:m], wave[::m]


def _pivoted(places: NDArray[np.float64], wave: NDArray[np.float64], intensity: NDArray[np.float64], path: Path) -> _Found:
    """Lines in any order, each at its place and channel; what is missing is NaN."""
    axis, channel = np.unique(wave, return_inverse=True)
    where, index = np.unique(places, axis=0, return_inverse=True)
    if len(axis) * len(where) > _EMPTIEST * len(wave):
        raise ReaderError(f"'{path.name}' has spectra on axes that differ; export them on one axis.")
    with readable_as("a long table", path):
        spectra = np.full((len(where), len(axis)), np.nan, dtype=np.float32)
    spectra[index.reshape(-1), channel.reshape(-1)] = intensity
    n_doubled = len(wave) - len(np.unique(index.reshape(-1) * len(axis) + channel.reshape(-1)))
    if n_doubled:
        told = (
            f"'{path.name}' has {counted(n_doubled, 'line')} for a place and channel that another line has too; the last of each is kept."
        )
        warnings.warn(told, DataWarning, stacklevel=2)
    return spectra, where, axis
