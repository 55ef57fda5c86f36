"""Data as HyperSpy describes them: an array, a dictionary for each of its axes, and nested metadata.

Its own files, all formats that RosettaSciIO reads and arrays in HDF5, NumPy or MATLAB files come in this shape; here they become maps.  A
spectral axis that merely counts channels is refused.  Of an array with more than two axes beside the spectral one, such as a map at several
times, every map is an item of its own.
"""

import itertools
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, SpectralMap
from napari_wse2xai.data.acquisition import Acquisition
from napari_wse2xai.data.axis import spectral_unit
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import grid
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import warn_of_holes
from napari_wse2xai.io.items import Item, axis_text, choose, first_of
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.signal_axes import Axis, are_lengths, frame_of, lengths_of, rows_first, steps_um, text_of
from napari_wse2xai.io.told import Told, made_map

_LONGEST_TEXT = 500
_SMALLEST_TURN = 0.05
"""Degrees of a turn that moves no pixel by as much as its jitter."""
_MOST_SLICES = 5000
"""Maps in one array at most; more of them are no list to choose from."""


@dataclass(frozen=True)
class Signal:
    """One array of a file; it is read when it is asked for."""

    name: str
    axes: tuple[Axis, ...]
    metadata: Mapping[str, Any]
    load: Callable[[Any], NDArray[Any]]
    """Numbers at an index, such as ``...`` for all of them."""
    index: tuple[int | slice, ...] | None = None
    """Part of the file's array of which `axes` are the axes; None: all of it."""
    points: tuple[Axis, Axis] | None = None
    """Coordinates y and x of each of a list of spectra, instead of one axis of places."""
    doubt: str = ""
    """What was assumed, for a warning."""

    @property
    def places(self) -> tuple[Axis, ...]:
        """Axes that count spectra, rows first, even where the file has columns first."""
        found = self._counted
        return tuple(found[index] for index in rows_first(found))

    @property
    def _counted(self) -> tuple[Axis, ...]:
        return tuple(axis for axis in self.axes if axis.is_navigation)

    @property
    def spectral(self) -> Axis:
        """The axis of the channels."""
        return next(axis for axis in self.axes if not axis.is_navigation)

    @property
    def is_spectral(self) -> bool:
        """Whether it is spectra at all, of a map, a line or a point."""
        return len(self._counted) <= 2 and len(self.axes) - len(self._counted) == 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """(ny, nx, n); of points on a grid that of the list."""
        ny, nx = (*(len(axis.values) for axis in self.places), 1, 1)[:2]
        return ny, nx, len(self.spectral.values)

    def item(self) -> Item:
        """Describe it for a list."""
        texts = dict(_flat(self.metadata))
        places = self.points or self.places
        is_map = bool(places) and are_lengths(places)
        shape = self.shape if self.points is None else (*(len(np.unique(axis.values)) for axis in self.points), self.shape[2])
        return Item(
            self.name,
            (shape[0], shape[1], shape[2]),
            _axis_in_words(self.spectral),
            is_map=is_map,
            step_um=steps_um(self.places) if is_map and self.points is None else None,
            laser_nm=_laser_nm(self.metadata),
            date=" ".join(filter(None, (texts.get(f"General.{key}") for key in ("date", "time")))),
            objective=first_of(texts, ("objective_magnification",)),
            acquisition=Acquisition.from_metadata(texts),
        )

    def cube(self) -> Any:
        """Numbers as (ny, nx, n): an array, or `StoredCounts` where they stay in their file."""
        loaded = self.load(... if self.index is None else self.index)
        stays = isinstance(loaded, StoredCounts)
        data: Any = loaded if stays else np.asarray(loaded)
        if not stays and np.iscomplexobj(data):
            raise ReaderError(f"'{self.name}' holds complex numbers, which are no counts; save their modulus or their real part.")
        at = next(index for index, axis in enumerate(self.axes) if not axis.is_navigation)
        data = np.moveaxis(data, at, -1)
        order = rows_first(self._counted)
        data = data.transpose(*order, len(order))
        return (data if stays else np.ascontiguousarray(data, dtype=np.float32)).reshape(self.shape)

    def slices(self) -> Iterator["Signal"]:
        """One signal for each value of the axes beyond two: those that are no places, or else the first ones."""
        beyond = _beyond(self.axes)
        if math.prod(len(self.axes[at].values) for at in beyond) > _MOST_SLICES:
            yield self
            return
        for chosen in itertools.product(*(range(len(self.axes[at].values)) for at in beyond)):
            yield self._slice(dict(zip(beyond, chosen, strict=True)))

    def _slice(self, chosen: Mapping[int, int]) -> "Signal":
        if not chosen:
            return self
        said = {
            axis.name or f"axis {at}": f"{axis.values[chosen[at]]:g} {axis.in_words}".strip()
            for at, axis in enumerate(self.axes)
            if at in chosen
        }
        name = ", ".join((self.name, *(f"{key} {value}" for key, value in said.items())))
        axes = tuple(axis for at, axis in enumerate(self.axes) if at not in chosen)
        index = tuple(chosen.get(at, slice(None)) for at in range(len(self.axes)))
        return replace(self, name=name, axes=axes, metadata={**self.metadata, **said}, index=index)


def _beyond(axes: Sequence[Axis]) -> list[int]:
    """Positions of the axes that count spectra beyond two; the last of those called places stay, else the last ones."""
    counted = [at for at, axis in enumerate(axes) if axis.is_navigation]
    by_worth = sorted(counted, key=lambda at: (bool(axes[at].length_unit) or axes[at].is_called_place, at))
    return sorted(by_worth[: max(0, len(counted) - 2)])


def spectra_in(signals: Sequence[Signal]) -> list[Signal]:
    """Signals that are spectra, with no more than two axes beside the spectral one."""
    return [part for signal in signals for part in signal.slices() if part.is_spectral]


def items_of(signals: Sequence[Signal]) -> tuple[Item, ...]:
    """List the signals that are spectra."""
    return tuple(signal.item() for signal in spectra_in(signals))


def map_of(signals: Sequence[Signal], item: str | None, told: Told, path: Path, *, others: Sequence[Item] = ()) -> SpectralMap:
    """Make a map of the signal of this name, or of the largest; `others` are items that are no spectra."""
    spectra = spectra_in(signals)
    chosen = choose([*(signal.item() for signal in spectra), *others], item, path)
    signal = next(known for known in spectra if known.name == chosen.name)
    values, own_unit = (signal.spectral.values, None) if told.unit else _spectral_values(signal.spectral)
    if not (told.unit or own_unit) and np.array_equal(values, np.arange(len(values))):
        raise ReaderError(
            f"'{path.name}' has no spectral axis, only channel numbers; calibrate it where it was measured, and export it again."
        )
    if signal.doubt and not told.swap_xy:  # who swaps has looked
        warnings.warn(f"'{signal.name}' in '{path.name}': {signal.doubt}.", DataWarning, stacklevel=2)
    cube, frame = _placed(signal, path.name)
    if getattr(cube, "chunks", None) is None:
        warn_of_holes(cube, path.name)
    return made_map(
        cube,
        *settle_axis(values, own_unit, given=told.unit, name=path.name, called=signal.spectral.name),
        told,
        frame=frame,
        laser_nm=_laser_nm(signal.metadata),
        name=signal.name,
        intensity_unit=_intensity_unit(signal.metadata),
        metadata=dict(_flat(signal.metadata)),
    )


def _spectral_values(axis: Axis) -> tuple[NDArray[np.float64], str | None]:
    """Values and unit, lengths in nm; None where the file does not say the unit."""
    if axis.length_unit:
        return axis.values * axis.nm, "nm"
    return axis.values, axis.unit if axis.has_unit else None


def _axis_in_words(axis: Axis) -> str:
    """Range and unit; the unit is a question where it is not known, for `read` can be told."""
    values, unit = _spectral_values(axis)
    try:
        found = spectral_unit(unit or "")
    except DataError:
        return axis_text(float(values.min()), float(values.max()), "(unit ?)")
    return axis_text(float(values.min()) * found.factor, float(values.max()) * found.factor, found.kind.code)


def _placed(signal: Signal, name: str) -> tuple[Any, Frame]:
    """Numbers (ny, nx, n) and their grid."""
    if signal.points is None:
        return signal.cube(), _frame(signal, name)
    spectra = signal.cube().reshape(-1, signal.shape[2])
    (rows, y), (columns, x) = lengths_of(signal.points, name)
    return grid.place(spectra, y, x, name, (rows, columns))


def _frame(signal: Signal, name: str) -> Frame:
    """Grid of the signal; LabSpec counts the turn of a scan from +x towards +y, about the origin of its coordinates."""
    frame = frame_of(signal.places, name)
    degrees = _within(signal.metadata, "Acquisition_instrument", "Spectral_image", "rotation_angle")
    if degrees is None or len(signal.places) < 2 or abs(float(degrees)) < _SMALLEST_TURN:
        return frame
    warnings.warn(
        f"'{name}' was scanned at {float(degrees):.1f} degrees to the stage; it is drawn turned, from +x towards +y.",
        DataWarning,
        stacklevel=2,
    )
    turned = replace(frame, rotation_deg=-float(degrees))
    y0, x0 = turned.turn @ np.array(frame.origin_um)
    return replace(turned, origin_um=(float(y0), float(x0)))


def _laser_nm(metadata: Mapping[str, object]) -> float | None:
    laser = _within(metadata, "Acquisition_instrument", "Laser", "wavelength")
    if isinstance(laser, int | float | np.number) and laser > 0:
        return float(laser)
    return laser_in(dict(_flat(metadata)))


def _intensity_unit(metadata: Mapping[str, object]) -> str:
    """Unit in ``Intensity (Counts/s)``."""
    found = re.search(r"\(([^()]+)\)", text_of(_within(metadata, "Signal", "quantity")))
    return found[1].replace("Counts", "counts") if found else "counts"


def _within(metadata: Mapping[str, object], *keys: str) -> Any:
    value: Any = metadata
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _flat(metadata: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested metadata as lines ``Laser.wavelength: 532.0``."""
    for key, value in metadata.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        elif text := text_of(value):
            yield f"{above}{key}", text[:_LONGEST_TEXT]
