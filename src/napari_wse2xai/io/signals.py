"""Data as HyperSpy describes them: an array, a dictionary for each of its axes, and nested metadata.

Its own files and all formats that RosettaSciIO reads come in this shape; here they become maps.  Nothing is guessed about an axis: a
spectral axis that merely counts channels is refused, positions without a unit of length are said to be none.
"""

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import warn_of_holes
from napari_wse2xai.io.items import Item, axis_text, choose, first_of

_NM_PER = {"m": 1e9, "mm": 1e6, "um": 1e3, "nm": 1.0, "å": 0.1, "angstrom": 0.1}
_NO_UNITS = ("px", "pixel", "pixels", "channel", "<undefined>")
_LONGEST_TEXT = 500


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
        return cls(_text(record.get("name")), _text(record.get("units")), values, bool(record.get("navigate")))

    @property
    def length_unit(self) -> str:
        """Unit of length in plain letters; empty where it is none."""
        plain = self.unit.strip().lower().replace("µ", "u").replace("μ", "u")
        return plain if plain in _NM_PER else ""

    @property
    def um(self) -> float:
        """Micrometres in its unit of length."""
        return _NM_PER[self.length_unit] / 1e3

    @property
    def step(self) -> float:
        """Mean distance of its values, 1 where there is only one."""
        n = len(self.values)
        return float(self.values[-1] - self.values[0]) / (n - 1) if n > 1 and self.values[-1] != self.values[0] else 1.0


@dataclass(frozen=True)
class Signal:
    """One array of a file; it is read when it is asked for."""

    name: str
    axes: tuple[Axis, ...]
    metadata: Mapping[str, Any]
    load: Callable[[], NDArray[Any]]

    @property
    def places(self) -> tuple[Axis, ...]:
        """Axes that count spectra, rows first, even where the file has columns first."""
        found = tuple(axis for axis in self.axes if axis.is_navigation)
        return found[::-1] if self.is_transposed else found

    @property
    def is_transposed(self) -> bool:
        """Whether the file's first axis is the horizontal one."""
        first = [axis.name.lower() for axis in self.axes if axis.is_navigation]
        return len(first) == 2 and first[0][:1] in ("x", "w") and first[1][:1] in ("y", "h")

    @property
    def spectral(self) -> Axis:
        """The axis of the channels."""
        return next(axis for axis in self.axes if not axis.is_navigation)

    @property
    def is_spectral(self) -> bool:
        """Whether it is spectra at all, of a map, a line or a point."""
        return len(self.places) <= 2 and len(self.axes) - len(self.places) == 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """(ny, nx, n)."""
        ny, nx = (*(len(axis.values) for axis in self.places), 1, 1)[:2]
        return ny, nx, len(self.spectral.values)

    def item(self) -> Item:
        """Describe it for a list."""
        values, unit = _spectral_values(self.spectral)
        text = axis_text(float(values.min()), float(values.max()), unit or "(unit ?)")
        texts = dict(_flat(self.metadata))
        is_map = bool(self.places) and all(axis.length_unit for axis in self.places)
        return Item(
            self.name,
            self.shape,
            text,
            is_map=is_map,
            step_um=_steps(self.places) if is_map else None,
            laser_nm=_laser_nm(self.metadata),
            date=" ".join(filter(None, (texts.get(f"General.{key}") for key in ("date", "time")))),
            objective=first_of(texts, ("objective_magnification",)),
        )


def items_of(signals: Sequence[Signal]) -> tuple[Item, ...]:
    """List the signals that are spectra."""
    return tuple(signal.item() for signal in signals if signal.is_spectral)


def map_of(signals: Sequence[Signal], item: str | None, unit: str | None, path: Path) -> SpectralMap:
    """Make a map of the signal of this name, or of the largest."""
    chosen = choose(items_of(signals), item, path)
    signal = next(known for known in signals if known.is_spectral and known.name == chosen.name)
    values, own_unit = (signal.spectral.values, None) if unit else _spectral_values(signal.spectral)
    if not (unit or own_unit) and np.array_equal(values, np.arange(len(values))):
        raise ReaderError(
            f"'{path.name}' has no spectral axis, only channel numbers; calibrate it where it was measured, and export it again."
        )
    cube = _cube(signal)
    warn_of_holes(cube, path.name)
    values, kind = settle_axis(values, own_unit, given=unit, name=path.name)
    return SpectralMap.from_arrays(
        cube,
        values,
        kind,
        frame=_frame(signal, path.name),
        laser_nm=_laser_nm(signal.metadata),
        name=signal.name,
        intensity_unit=_intensity_unit(signal.metadata),
        metadata=dict(_flat(signal.metadata)),
    )


def _spectral_values(axis: Axis) -> tuple[NDArray[np.float64], str | None]:
    """Values and unit, lengths in nm and energies in eV; None where the file does not say the unit."""
    unit = axis.unit.strip()
    if axis.length_unit:
        return axis.values * _NM_PER[axis.length_unit], "nm"
    if unit.lower() == "mev":
        return axis.values * 1e-3, "eV"
    return axis.values, AxisKind.from_unit(unit).code if unit and unit.lower() not in _NO_UNITS else None


def _cube(signal: Signal) -> NDArray[np.float32]:
    """Numbers as (ny, nx, n)."""
    at = next(index for index, axis in enumerate(signal.axes) if not axis.is_navigation)
    data = np.moveaxis(np.asarray(signal.load()), at, -1)
    if signal.is_transposed:
        data = data.swapaxes(0, 1)
    return np.ascontiguousarray(data, dtype=np.float32).reshape(signal.shape)


def _frame(signal: Signal, name: str) -> Frame:
    """Grid in um; a series without positions is a list."""
    shape = signal.shape[:2]
    if not all(axis.length_unit for axis in signal.places):
        along = " and ".join(f"'{axis.name}'" for axis in signal.places)
        warnings.warn(
            f"'{name}' has no positions along {along} in a unit of length; its spectra are drawn 1 µm apart.", DataWarning, stacklevel=2
        )
        return Frame(shape)
    rotation = _within(signal.metadata, "Acquisition_instrument", "Spectral_image", "rotation_angle")
    if rotation is not None and abs(float(rotation)) > 0.5:
        warnings.warn(
            f"'{name}' was scanned at {float(rotation):.1f} degrees to the stage; it is drawn unrotated, in the scan's own axes.",
            DataWarning,
            stacklevel=2,
        )
    y0, x0, *_ = *(float(axis.values[0]) * axis.um for axis in signal.places), 0.0, 0.0
    return Frame(shape, _steps(signal.places), (y0, x0))


def _steps(places: Sequence[Axis]) -> tuple[float, float]:
    """Distance of the pixels (dy, dx) in um."""
    dy, dx, *_ = *(axis.step * axis.um for axis in places), 1.0, 1.0
    return dy, dx


def _laser_nm(metadata: Mapping[str, Any]) -> float | None:
    laser = _within(metadata, "Acquisition_instrument", "Laser", "wavelength")
    return float(laser) if isinstance(laser, int | float | np.number) and laser > 0 else None


def _intensity_unit(metadata: Mapping[str, Any]) -> str:
    """Unit in ``Intensity (Counts/s)``."""
    found = re.search(r"\(([^()]+)\)", _text(_within(metadata, "Signal", "quantity")))
    return found[1].replace("Counts", "counts") if found else "counts"


def _within(metadata: Mapping[str, Any], *keys: str) -> Any:
    value: Any = metadata
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _flat(metadata: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested metadata as lines ``Laser.wavelength: 532.0``."""
    for key, value in metadata.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        elif text := _text(value):
            yield f"{above}{key}", text[:_LONGEST_TEXT]


def _text(value: object) -> str:
    """Text or number as text; anything else, such as HyperSpy's sign for an undefined value, is empty."""
    return str(value) if isinstance(value, str | int | float | np.number | np.bool_) else ""
