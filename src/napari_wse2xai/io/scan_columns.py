"""Which coordinate column of a LabSpec table is which, and along what its spectra were taken.

LabSpec 6 names X, then Y in the header, but writes the column of Y first, then that of X, which changes fastest (native files of it lie
beside their text twins in public data).  Others write the columns as they name them, or name none.
"""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Direction, Frame
from napari_wse2xai.data.frame import PLACE_UNIT
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import grid
from napari_wse2xai.io.told import HOW_TO_SWAP

_PLACES = ("x", "y", "z", "XA", "YA")
"""Names of coordinates of the stage; those after the first two say what they are of."""
_RANK = {"x": 0, "XA": 0, "y": 1, "YA": 1, "z": 2, "depth": 2}
"""Order in which LabSpec names what it scans; a time, a temperature and the like come last."""
_LAST = 3
_WORDS = {
    "time": "time zeit temps tempo tiempo",
    "temperature": "temperature température temperatur temperatura",
    "power": "power leistung puissance potenza potencia",
    "point": "point points punkt punkte punto puntos",
    "depth": "depth tiefe profondeur profundidad",
}
_NAMES = {word: name for name, words in _WORDS.items() for word in words.split()} | {name.lower(): name for name in _PLACES}
_UM_PER = {"um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "mm": 1e3, "nm": 1e-3, "cm": 1e4, "m": 1e6}
_CLEARLY = 1.4
"""A coordinate that goes through its range so much oftener than the other is the fast one; two rows there and back make 2."""
_LENGTHS = {*_PLACES, "depth"}


@dataclass(frozen=True)
class Column:
    """One coordinate of all spectra."""

    direction: Direction
    values: NDArray[np.float64]
    """(m,) in the unit of the direction."""

    @property
    def rank(self) -> int:
        """Place in the order in which LabSpec names what it scans; the lower of two goes along the columns of the map."""
        return _RANK.get(self.direction.name, _LAST)


def gridded(
    spectra: NDArray[np.float32], coordinates: NDArray[np.float64], metadata: Mapping[str, str], path: Path, *, is_settled: bool = False
) -> tuple[NDArray[np.float32], Frame]:
    """Put spectra (m, n) where their coordinates (m, k), k from 1 to 3, say, as a cube (ny, nx, n); row 0 has the smallest y.

    Parameters
    ----------
    is_settled : whether the user has looked, and says which way round x and y are: what is assumed needs no word then
    """
    columns, doubt = _columns(coordinates, metadata)
    if doubt and not is_settled:
        mend = f": compare the map with the instrument's, and choose {HOW_TO_SWAP}" if len(columns) > 1 else ""
        warnings.warn(f"'{path.name}'{doubt}{mend}.", DataWarning, stacklevel=2)
    plane = columns if len(columns) < 3 else _plane_of(columns, path)
    if len(plane) == 1:
        return _along_one(spectra, plane[0], path.name)
    slow, fast = (plane[0], plane[1]) if plane[0].rank > plane[1].rank else (plane[1], plane[0])
    if {slow.direction.name, fast.direction.name} & {"XA", "YA"}:
        text = f"'{path.name}' was scanned at an angle to the stage that it does not say; it is drawn unturned, along XA and YA."
        warnings.warn(text, DataWarning, stacklevel=2)
    return grid.place(spectra, slow.values, fast.values, path.name, (slow.direction, fast.direction))


def _along_one(spectra: NDArray[np.float32], column: Column, name: str) -> tuple[NDArray[np.float32], Frame]:
    """Spectra along one coordinate: a series in the order of the file, or a line, which lies as it was scanned."""
    direction, nowhere = column.direction, np.zeros(len(spectra))
    if not direction.is_length:
        return grid.as_series(spectra, column.values, direction)
    if column.rank == 0:
        return grid.place(spectra, nowhere, column.values, name, (Direction("y" if direction.name == "x" else "YA"), direction))
    return grid.place(spectra, column.values, nowhere, name, (direction, Direction("XA" if direction.name == "YA" else "x")))


def _columns(coordinates: NDArray[np.float64], metadata: Mapping[str, str]) -> tuple[list[Column], str]:
    """Columns with what they are, by the header's names and by which of them changes fastest; and what was assumed, in words."""
    named, doubt = _named(metadata), ""
    speeds = [_speed(values) for values in coordinates.T]
    if len(speeds) == 1:
        doubt = "" if len(named) == 1 else " does not name its coordinate, which is taken as y in µm, though it may be a time"
        named = named if len(named) == 1 else [Direction("y")]
    elif len(named) < len(speeds):
        named, doubt = _by_speed(speeds)
    else:
        named, doubt = _in_order(named[: len(speeds)], speeds)
    return [_scaled(direction, values) for direction, values in zip(named, coordinates.T, strict=True)], doubt


def _speed(values: NDArray[np.float64]) -> float:
    """How often a coordinate goes through its whole range from first to last spectrum; 0 for one that stays."""
    extent = float(np.ptp(values))
    return float(np.abs(np.diff(values)).sum()) / extent if extent else 0.0


def _in_order(named: list[Direction], speeds: list[float]) -> tuple[list[Direction], str]:
    """Directions of the columns, and what is not sure of them, where the header has names for all of them."""
    ranks = [_RANK.get(direction.name, _LAST) for direction in named]
    if ranks != sorted(set(ranks)):
        return named, ""
    second, first = sorted(speeds)[-2:]
    is_clear = first >= _CLEARLY * second
    if speeds[-1] == first and (is_clear or not first):
        return named[::-1], ""
    names = " and ".join(direction.name.upper() for direction in (named if is_clear else named[::-1]))
    why = "first coordinate column changes fastest, so its columns" if is_clear else "coordinate columns change equally fast; they"
    text = f": its {why} are taken as {names}, {'as its header names them' if is_clear else 'as LabSpec 6 writes them'}"
    return named if is_clear else named[::-1], text


def _by_speed(speeds: list[float]) -> tuple[list[Direction], str]:
    """Directions of the columns by how fast they change, and what is not sure of them, where the header does not name them."""
    found = [Direction("")] * len(speeds)
    for name, column in zip(_PLACES, np.argsort([-speed for speed in speeds], kind="stable"), strict=False):
        found[int(column)] = Direction(name)
    names = ", ".join(direction.name for direction in found)
    text = f" does not name its coordinates; the column that changes faster is taken as x (the columns are {names})"
    return found, text


def _named(metadata: Mapping[str, str]) -> list[Direction]:
    """Directions in the order in which the header names them, in the header's units."""
    found: list[Direction] = []
    while name := metadata.get(f"AxisType[{len(found) + 2}]", "").strip():
        unit = metadata.get(f"AxisUnit[{len(found) + 2}]", "").strip()
        within = re.search(r"[(\[]([^)\]]*)[)\]]\s*$", name)
        bare = name[: within.start()].strip() if within else name
        found.append(Direction(_NAMES.get(bare.lower(), bare.lower()), unit or (within[1].strip() if within else "")))
    return found


def _scaled(direction: Direction, values: NDArray[np.float64]) -> Column:
    """Column with its direction in um, where that is a length."""
    unit = direction.unit.replace("Â", "").replace("µ", "u").replace("μ", "u").lower()
    factor = _UM_PER.get(unit)
    if direction.name in _LENGTHS and not unit:
        factor = 1.0
    if factor is None:
        return Column(direction, values)
    return Column(replace(direction, unit=PLACE_UNIT), values * factor)


def _plane_of(columns: Sequence[Column], path: Path) -> list[Column]:
    """Two of three columns: those that change, or those of the surface where the third only follows it."""
    changing = [column for column in columns if np.ptp(column.values) > 0]
    if len(changing) < 3:
        return changing if len(changing) == 2 else sorted(columns, key=lambda column: column.rank)[:2]
    *plane, height = sorted(columns, key=lambda column: column.rank)
    if len(np.unique(np.stack([column.values for column in plane]), axis=1).T) < len(height.values):
        raise ReaderError(f"'{path.name}' has 3 coordinate columns that all change, a map has two; export one plane of the scan.")
    low, high = float(height.values.min()), float(height.values.max())
    text = f"'{path.name}': its {height.direction.label} follows the surface from {low:g} to {high:g}"
    warnings.warn(f"{text}; the map shows the other two coordinates.", DataWarning, stacklevel=2)
    return plane
