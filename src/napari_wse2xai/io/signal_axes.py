"""Axes of an array: which one is spectral, and what the others are on the sample, or instead of a place on it."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Direction, Frame
from napari_wse2xai.data.frame import PLAN
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io.grid import step_and_start, with_values

_NM_PER = {"m": 1e9, "cm": 1e7, "mm": 1e6, "um": 1e3, "nm": 1.0, "pm": 1e-3, "å": 0.1, "angstrom": 0.1, "ångström": 0.1}
_LONG_NAMES = (("metre", "m"), ("meter", "m"), ("micron", "um"), ("micro", "u"), ("milli", "m"), ("nano", "n"), ("centi", "c"))
NO_UNITS = ("", "px", "pixel", "pixels", "channel", "channels", "index", "<undefined>", "undefined", "none", "a.u.", "arb. units")
_PLACES = re.compile(r"[xyzwh]a?|[xyz][_ ]?(pos|position|axis|coordinates?)?|width|height|rows?|col(umn)?s?|position|distance|depth|length")


@dataclass(frozen=True)
class Axis:
    """One axis of an array."""

    name: str
    unit: str
    values: NDArray[np.float64]
    is_navigation: bool
    """Whether it counts spectra, not channels."""

    @classmethod
    def of(cls, record: Mapping[str, Any], size: int) -> "Axis":
        """Read the dictionary of an axis: explicit values, or offset and scale."""
        offset, scale = (float(record.get(key, default)) for key, default in (("offset", 0.0), ("scale", 1.0)))
        values: NDArray[np.float64] = np.asarray(record.get("axis", offset + scale * np.arange(size)), dtype=np.float64)
        if values.shape != (size,):
            raise ReaderError(f"The axis '{record.get('name')}' has {values.size} values for {size} places; write the file again.")
        return cls(text_of(record.get("name")), text_of(record.get("units")), values, bool(record.get("navigate")))

    @property
    def length_unit(self) -> str:
        """Unit of length in plain letters; empty where it is none."""
        plain = self.unit.strip().lower().replace("µ", "u").replace("μ", "u")
        if len(plain) > 2 and plain not in _NM_PER:
            plain = plain.rstrip("s")
            for long, short in _LONG_NAMES:
                plain = plain.replace(long, short)
        return plain if plain in _NM_PER else ""

    @property
    def nm(self) -> float:
        """Nanometres in its unit of length."""
        return _NM_PER[self.length_unit]

    @property
    def has_unit(self) -> bool:
        """Whether the file says a unit, not only that it counts."""
        return self.unit.strip().lower() not in NO_UNITS

    @property
    def is_called_place(self) -> bool:
        """Whether its name is one of a place on the sample."""
        return _PLACES.fullmatch(self.name.strip().lower()) is not None

    @property
    def in_words(self) -> str:
        """Unit for a direction that is no length."""
        return self.unit.strip() if self.has_unit else ""


def text_of(value: object) -> str:
    """Text or number as text; anything else, such as HyperSpy's sign for an undefined value, is empty."""
    return str(value) if isinstance(value, str | int | float | np.number | np.bool_) else ""


def rows_first(places: Sequence[Axis]) -> tuple[int, ...]:
    """Order in which one or two axes are rows, then columns: x runs along the columns, z down the rows."""
    names = [axis.name.strip().lower()[:1] for axis in places]
    swapped = len(places) == 2 and ((names[0] in ("x", "w") and names[1] not in ("x", "w")) or names == ["y", "z"])
    return (1, 0) if swapped else tuple(range(len(places)))


def _is_length(axis: Axis, n_places: int) -> bool:
    """Whether an axis is a length; one of a map that has neither unit nor name counts pixels."""
    return bool(axis.length_unit) or (not axis.has_unit and (axis.is_called_place or (n_places == 2 and not axis.name.strip())))


def are_lengths(places: Sequence[Axis]) -> bool:
    """Whether all axes are lengths."""
    return all(_is_length(axis, len(places)) for axis in places)


def _direction(axis: Axis, usual: Direction, n_places: int) -> tuple[Direction, NDArray[np.float64]]:
    """What an axis is, and its values in the unit of that."""
    name = axis.name.strip()
    if not _is_length(axis, n_places):
        return Direction(name or "point", axis.in_words), axis.values
    name = name.lower() if len(name) == 1 else name
    values = axis.values * axis.nm / 1e3 if axis.length_unit else axis.values
    return Direction({"w": "x", "h": "y", "width": "x", "height": "y"}.get(name.lower(), name) or usual.name), values


def frame_of(places: Sequence[Axis], name: str) -> Frame:
    """Grid of at most two axes, rows first; what the file does not say of it, or what is drawn otherwise, goes into a warning."""
    if not places:
        return Frame((1, 1))
    found = [_direction(axis, usual, len(places)) for axis, usual in zip(places, PLAN, strict=False)]
    kept = [with_values(direction, values) for direction, values in found]
    _warn_of_lengths(places, kept, name)
    steps = [step_and_start(values) for _, values in found]
    shape = [len(axis.values) for axis in places]
    while len(kept) < 2:
        taken = [direction.name for direction in kept]
        kept.append(next(usual for usual in PLAN[::-1] if usual.name not in taken))
        steps.append((1.0, 0.0))
        shape.append(1)
    (dy, y0), (dx, x0) = steps
    return Frame((shape[0], shape[1]), (dy, dx), (y0, x0), directions=(kept[0], kept[1]))


def lengths_of(points: Sequence[Axis], name: str) -> list[tuple[Direction, NDArray[np.float64]]]:
    """What the coordinates of points are, and their values in the unit of that."""
    found = [_direction(axis, usual, len(points)) for axis, usual in zip(points, PLAN, strict=True)]
    _warn_of_lengths(points, [direction for direction, _ in found], name)
    return found


def _warn_of_lengths(places: Sequence[Axis], kept: Sequence[Direction], name: str) -> None:
    lengths = [(axis, direction) for axis, direction in zip(places, kept, strict=True) if direction.is_length]
    without = " and ".join(f"'{direction.name}'" for axis, direction in lengths if not axis.length_unit)
    uneven = " and ".join(f"'{direction.name}'" for _, direction in lengths if direction.values)
    if without and all(np.array_equal(axis.values, np.arange(len(axis.values))) for axis, _ in lengths):
        warnings.warn(f"'{name}' does not say the distance of its pixels; it is taken as 1 µm.", DataWarning, stacklevel=3)
    elif without:
        warnings.warn(f"'{name}' does not say the unit of its positions along {without}; they are taken as µm.", DataWarning, stacklevel=3)
    if len(places) == 1 and not (places[0].name or places[0].has_unit):
        told = f"'{name}' has no positions, so its {len(places[0].values)} spectra are shown as a list, one row each."
        warnings.warn(told, DataWarning, stacklevel=3)
    if uneven:
        warnings.warn(f"'{name}': the distances along {uneven} differ; they are drawn equally wide.", DataWarning, stacklevel=3)


def steps_um(places: Sequence[Axis]) -> tuple[float, float]:
    """Distance of the pixels (dy, dx) in um, of axes that are lengths."""
    steps = [abs(step_and_start(axis.values)[0]) * (axis.nm / 1e3 if axis.length_unit else 1.0) for axis in places]
    dy, dx, *_ = *steps, 1.0, 1.0
    return dy, dx
