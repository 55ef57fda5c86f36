"""WITec's ASCII exports with a header: ``[Header]`` and ``[Data]`` in one file, and the three files of a graph export.

A graph export is ``NAME (Header).txt``, ``NAME (X-Axis).txt`` with one value of the axis a line, and ``NAME (Y-Axis).txt`` with one
count a line, spectrum after spectrum; any of the three opens the map.  Spectra follow one another along x, then from the top row down.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Direction, Frame, SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import grid, table_text
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.readers.columns import columns_of, intensity_unit, places_in
from napari_wse2xai.io.table_look import look
from napari_wse2xai.io.table_words import um_per
from napari_wse2xai.io.told import Told, made_map

FORMATS = (Format("WITec ASCII export with a header", TABLES, order=210),)

_PART = re.compile(r"(?P<before>.*?)(?P<opened>[ _]?\(|[ _])(?P<part>Header|X-Axis|Y-Axis)(?P<after>\)?\.(txt|TXT|dat))")
_PARTS = ("Header", "X-Axis", "Y-Axis")
_SERIES = {"s": "time", "ms": "time", "min": "time", "h": "time", "K": "temperature", "°C": "temperature", "mW": "power", "V": "voltage"}
_EMPTIEST = 8
"""A header that tells more places than this per spectrum is not believed."""


def recognises(path: Path) -> bool:
    """Whether a file is one of a graph export, or begins with WITec's header."""
    if _parts_of(path) is not None:
        return True
    seen = look(path)
    return seen is not None and "Header" in seen.sections and "SizeGraph" in seen.metadata


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the map, line or spectrum."""
    parts = _parts_of(path)
    export = _of_columns(path) if parts is None else _of_parts(parts)
    metadata = export.metadata
    warn_of_holes(export.spectra, path.name)
    cube, frame = _gridded(export, path.name)
    return made_map(
        cube,
        *settle_axis(export.axis, metadata.get("XAxisUnit") or export.axis_unit, given=told.unit, name=path.name),
        told,
        frame=frame,
        laser_nm=laser_in(metadata),
        name=metadata.get("GraphName") or table_text.stem_of(path),
        intensity_unit=intensity_unit(metadata.get("DataUnit", ""), ()),
        metadata=metadata,
    )


@dataclass(frozen=True, eq=False)
class _Export:
    """What an export holds."""

    axis: NDArray[np.float64]
    """(n,)."""
    spectra: NDArray[np.float32]
    """(m, n)."""
    metadata: dict[str, str]
    places: NDArray[np.intp] | None = None
    """(m, 2) row and column of each, where the titles of all tell them."""
    axis_unit: str | None = None


def _of_columns(path: Path) -> _Export:
    """Export in one file."""
    seen = look(path)
    if seen is None:
        raise ReaderError(f"'{path.name}' has a header but no spectra; export it again.")
    table = columns_of(seen, path)
    return _Export(table.axis, table.spectra, seen.metadata, places_in(table.titles), table.axis_unit)


def _parts_of(path: Path) -> dict[str, Path] | None:
    """The three files of a graph export by name; None where a file's name is of none."""
    found = _PART.fullmatch(path.name)
    seen = look(path) if found is not None else None
    if found is None or (seen is not None and (found["part"] == "Header" or seen.n_columns > 1)):
        return None
    return {part: path.with_name(f"{found['before']}{found['opened']}{part}{found['after']}") for part in _PARTS}


def _of_parts(parts: Mapping[str, Path]) -> _Export:
    missing = [part.name for part in parts.values() if not part.is_file()]
    if missing:
        raise ReaderError(
            f"'{missing[0]}' is missing: the export of a graph has three files, Header, X-Axis and Y-Axis; put them into one folder."
        )
    metadata = _header_of(parts["Header"])
    axis, counts = (_column_of(parts[name]) for name in ("X-Axis", "Y-Axis"))
    if not len(axis) or len(counts) % len(axis):
        raise ReaderError(
            f"'{parts['Y-Axis'].name}' has {len(counts)} counts, no multiple of the {len(axis)} channels of '{parts['X-Axis'].name}'; "
            "copy or export the three files again."
        )
    return _Export(axis, counts.reshape(-1, len(axis)).astype(np.float32), metadata)


def _header_of(path: Path) -> dict[str, str]:
    with table_text.open_table(path) as stream, readable_as("the header of a WITec export", path):
        pairs = (table_text.decoded(line).partition("=") for line in stream.readlines(1 << 20))
        return {key.strip(): value.strip() for key, sign, value in pairs if sign}


def _column_of(path: Path) -> NDArray[np.float64]:
    with table_text.open_table(path) as stream:
        style = table_text.style_of(*table_text.peek_lines(stream))
        values, _ = table_text.read_numbers(stream, style, 1, 1, path)
    return values[:, 0]


def _gridded(export: _Export, name: str) -> tuple[NDArray[np.float32], Frame]:
    """Spectra on the grid that the header tells, or over its series; those that an interrupted scan lacks are NaN."""
    metadata = export.metadata
    nx, ny = (_whole(metadata.get(key, "")) for key in ("SizeX", "SizeY"))
    spectra = export.spectra
    if len(spectra) == 1 and nx * ny <= 1:
        y, x = (_length(metadata, f"Position{name}", "PositionUnit") or 0.0 for name in "YX")
        return spectra[:, None, :], Frame((1, 1), origin_um=(y, x))
    if "SeriesUnit" in metadata and min(nx, ny) <= 1:
        return _series(spectra, metadata)
    flat = np.arange(len(spectra)) if export.places is None else (export.places - export.places.min(axis=0)) @ (nx, 1)
    if not flat.max() < nx * ny <= _EMPTIEST * len(spectra):
        return grid.as_list(spectra, f"'{name}' has {len(spectra)} spectra, which is not the {nx} x {ny} of its header")
    frame = _placed(Frame((nx * ny, 1) if min(nx, ny) == 1 else (ny, nx), _steps(metadata, nx, ny, name)), metadata, name)
    return grid.filled(spectra, flat, frame, name), frame


def _series(spectra: NDArray[np.float32], metadata: Mapping[str, str]) -> tuple[NDArray[np.float32], Frame]:
    """Spectra over the time, the temperature... that the header tells."""
    unit = metadata["SeriesUnit"]
    offset, scale = _number(metadata.get("SeriesOffset", "")) or 0.0, _number(metadata.get("SeriesScale", "")) or 1.0
    factor = um_per(unit)
    direction = Direction(_SERIES.get(unit, "series"), unit) if factor is None else Direction("z")
    values = offset + scale * np.arange(len(spectra), dtype=np.float64)
    return grid.as_series(spectra, values * (1.0 if factor is None else factor), direction)


def _placed(frame: Frame, metadata: Mapping[str, str], name: str) -> Frame:
    """Scan about its origin: in WITec's projects, which have the same words beside the places of the pixels, that is the scan's centre."""
    x, y = (_length(metadata, f"ScanOrigin{axis}", "ScanUnit") for axis in "XY")
    if x is None or y is None or min(frame.shape) == 1:
        return frame
    (ny, nx), (dy, dx) = frame.shape, frame.step_um
    told = f"'{name}': its ScanOrigin is taken as the centre of the scan, with y rising upwards, as in WITec's projects."
    warnings.warn(told, DataWarning, stacklevel=2)
    return replace(frame, step_um=(-dy, dx), origin_um=(y + dy * (ny - 1) / 2, x - dx * (nx - 1) / 2))


def _length(metadata: Mapping[str, str], key: str, unit_key: str) -> float | None:
    """Length in um; None where the header does not tell it."""
    number, factor = _number(metadata.get(key, "")), um_per(metadata.get(unit_key, ""))
    return None if number is None or factor is None else number * factor


def _number(text: str) -> float | None:
    """Number of a header, which may be below zero; None where it is none."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _steps(metadata: Mapping[str, str], nx: int, ny: int, name: str) -> tuple[float, float]:
    """Distance of the pixels (dy, dx) in um, of a line the one along it; 1 um, and a warning, where the header does not tell it."""
    factor = um_per(metadata.get("ScanUnit", ""))
    width, height = (table_text.first_number(metadata.get(key, "")) or 0.0 for key in ("ScanWidth", "ScanHeight"))
    if factor is None or not (width > 0 or height > 0):
        warnings.warn(f"'{name}' does not say the distance of its pixels; it is taken as 1 µm.", DataWarning, stacklevel=2)
        return 1.0, 1.0
    dx, dy = factor * width / nx or 1.0, factor * height / ny or 1.0
    return (dy, dx) if min(nx, ny) > 1 else (dx if nx > 1 else dy, 1.0)
