"""Arrays by name, as NumPy, MATLAB and HDF5 files hold them: which of them are spectra, and which of the others are their axes.

An axis is known by its name and by its length; the length decides which dimension of an array it belongs to.  Where two readings are
possible the usual one is taken, and said aloud when the array is read.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.axis import spectral_unit
from napari_wse2xai.errors import DataError
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.signal_axes import Axis
from napari_wse2xai.io.signals import Signal, items_of, map_of
from napari_wse2xai.io.told import HOW_TO_SWAP, Told

_SPECTRAL = re.compile(r"wave|raman|shift|lambda|energ|spectral|freq|(^|[_\W])(axis|wl|wn|nm|e?v|mev|cm1?|nu|channels?)($|[_\W\d])", re.I)
_PLACE = re.compile(
    r"([xyz]|rows?|col(umn)?s?|depth|distance|position)([_ ]?(pos|positions?|axis|coords?|coordinates?|stage|um|µm|mm|nm))?", re.I
)
_SERIES = re.compile(r"(t|times?|temp(erature)?s?|powers?|pressures?|delays?|voltages?|gate|points?|index|frames?|scans?)([_\W].*)?", re.I)
_NO_COUNTS = re.compile(r"err|sigma|std|var(iance)?$|mask|weight|flake|uncert|dark|backgr|quality|valid", re.I)
_COUNTS = re.compile(r"counts|spectr|intens|data|signal|cube|map", re.I)
_INVERSE_LENGTH_OR_ENERGY = re.compile(r"1/ ?cm|cm.{0,3}-?1|eV|⁻¹", re.I)
ELSEWHERE = "it lies in another file, which is not read for one that may come from a stranger"
_FEWEST_CHANNELS = 3
_MOST_DIMENSIONS = 5


@dataclass(frozen=True)
class Array:
    """One array of a file; its numbers are read when they are asked for."""

    name: str
    """With the groups that it lies in, ``entry/data/counts``."""
    shape: tuple[int, ...]
    kind: str
    """NumPy's letter for the kind of its numbers."""
    load: Callable[[Any], NDArray[Any]]
    """Numbers at an index, such as ``...`` for all of them."""
    unit: str = ""
    axes: tuple[str, ...] = ()
    """Names of the arrays that the file attaches to its dimensions, as far as it does."""

    @property
    def short(self) -> str:
        """Name without its groups."""
        return self.name.rpartition("/")[2]

    @property
    def group(self) -> str:
        """Groups that it lies in."""
        return self.name.rpartition("/")[0]

    @property
    def is_vector(self) -> bool:
        """Whether it is a row of numbers, whatever its number of dimensions."""
        return self.kind in "iuf" and sum(size > 1 for size in self.shape) == 1

    @property
    def length(self) -> int:
        """Number of values of a vector."""
        return max(self.shape, default=0)

    @property
    def may_be_spectra(self) -> bool:
        """Whether it has room for channels and places."""
        return self.kind in "iufc" and len(self.shape) <= _MOST_DIMENSIONS and sum(size > 1 for size in self.shape) > 1

    @property
    def is_called_spectral(self) -> bool:
        """Whether its name is one of a spectral axis, and none of a place or a time."""
        return _SPECTRAL.search(self.short) is not None and not self.is_called_place and not _SERIES.fullmatch(self.short)

    @property
    def is_called_place(self) -> bool:
        """Whether its name is one of a place on the sample."""
        return _PLACE.fullmatch(self.short) is not None

    def values(self) -> NDArray[np.float64]:
        """All numbers of a vector."""
        return np.asarray(self.load(...), dtype=np.float64).ravel()

    def axis(self, *, is_navigation: bool) -> Axis:
        """The vector as an axis, with the unit that the file or its name says."""
        return Axis(_plain_name(self.short), self.unit or _unit_in(self.short, is_spectral=not is_navigation), self.values(), is_navigation)

    def place_called(self, index: int) -> str:
        """What a dimension without coordinates is by its name: a place, or the value of a series; else empty."""
        name = self.axes[index].rpartition("/")[2] if index < len(self.axes) else ""
        return _plain_name(name) if _PLACE.fullmatch(name) or _SERIES.fullmatch(name) else ""


def _plain_name(name: str) -> str:
    """Letter of a place on the sample, whatever the rest of its name; other names as they are."""
    letter = name[:1].lower()
    return letter if letter in ("x", "y", "z") and _PLACE.fullmatch(name) else name


def _unit_in(name: str, *, is_spectral: bool) -> str:
    """Unit that a name ends in, such as ``wavelength_nm``."""
    if not is_spectral:
        found = re.search(r"[_ (\[](um|µm|mm|nm|s|ms|min|K)\W*$", name)
        return found[1] if found else ""
    try:
        spectral_unit(name)
    except DataError:
        return ""
    return name


@dataclass(frozen=True)
class Arrays:
    """All arrays of a file, and its texts and single numbers, by name."""

    arrays: Sequence[Array]
    texts: Mapping[str, str] = field(default_factory=dict)
    is_columns_first: bool = False
    """Whether a list of spectra counts the pixels of a map down its columns, as in MATLAB."""
    elsewhere: tuple[str, ...] = ()
    """Names of what the file has, but keeps in another file."""

    def signals(self) -> list[Signal]:
        """Arrays that are spectra, the most likely first."""
        likely = sorted((each for each in self.arrays if each.may_be_spectra), key=_unlikeness)
        found = [self._signal(each) for each in likely]
        if not likely:
            found = [self._spectrum(each) for each in self.arrays if each.is_vector and not each.is_called_spectral]
        return [signal for signal in found if signal is not None]

    def items(self) -> tuple[Item, ...]:
        """List the arrays that are spectra, then those that are none."""
        return (*items_of(self.signals()), *self.others())

    def map_of(self, item: str | None, told: Told, path: Path) -> SpectralMap:
        """Make a map of the array of this name, or of the most likely."""
        return map_of(self.signals(), item, told, path, others=self.others())

    def others(self) -> list[Item]:
        """Arrays that might be spectra but for their axis."""
        without = (each for each in self.arrays if each.may_be_spectra and self._spectral(each) is None)
        why = "no spectral axis of its length beside it"
        lacking = [Item(each.name, _three(each.shape), "", is_map=False, what=why) for each in without]
        return [*lacking, *(Item(name, (0, 0, 0), "", is_map=False, what=ELSEWHERE) for name in self.elsewhere)]

    def _signal(self, array: Array) -> Signal | None:
        found = self._spectral(array)
        if found is None:
            return None
        spectral, at, doubt = found
        rest = [index for index in range(len(array.shape)) if index != at]
        points = self._points(array, [array.shape[index] for index in rest]) if len(rest) == 1 else None
        places = self._places(array, rest)
        axes = [spectral.axis(is_navigation=False) if index == at else places[index] for index in range(len(array.shape))]
        doubts = "; ".join(filter(None, (doubt, self._doubt_of_square(array, rest))))
        return Signal(array.name, tuple(axes), self._texts_of(array), array.load, points=points, doubt=doubts)

    def _spectrum(self, array: Array) -> Signal | None:
        """A single spectrum, where there is an axis as long."""
        axis = next((each for each in self._near(array) if each.is_called_spectral and each.length == array.length), None)
        if axis is None:
            return None
        return Signal(array.name, (axis.axis(is_navigation=False),), self._texts_of(array), lambda index: np.ravel(array.load(...)))

    def _spectral(self, array: Array) -> tuple[Array, int, str] | None:
        """Spectral axis, the dimension it belongs to, and what is not sure about it."""
        attached = self._attached(array)
        if attached is not None:
            return *attached, ""
        fitting = [each for each in self._near(array) if each.length in array.shape and each.length >= _FEWEST_CHANNELS]
        named = [each for each in fitting if each.is_called_spectral]
        plain = [each for each in fitting if not each.is_called_place and not _SERIES.fullmatch(each.short)]
        if not named and len(plain) != 1:
            return None
        axis = (named or plain)[0]
        at = max(index for index, size in enumerate(array.shape) if size == axis.length)
        is_sure = array.shape.count(axis.length) == 1
        return axis, at, "" if is_sure else f"several dimensions have {axis.length} values; the last of them is taken as the spectral one"

    def _attached(self, array: Array) -> tuple[Array, int] | None:
        """Spectral axis among those that the file attaches: by its name, else by its unit, else the last of a full set."""
        found = [(self._named(array, name), at) for at, name in enumerate(array.axes)]
        axes = [(axis, at) for axis, at in found if axis is not None and axis.length == array.shape[at]]
        by_name = [pair for pair in axes if pair[0].is_called_spectral]
        by_unit = [pair for pair in axes if _INVERSE_LENGTH_OR_ENERGY.search(pair[0].unit)]
        is_full = len(axes) == len(array.shape) and not (axes[-1][0].is_called_place or _SERIES.fullmatch(axes[-1][0].short))
        return next(iter([*by_name, *by_unit, *(axes[-1:] if is_full else [])]), None)

    def _places(self, array: Array, rest: Sequence[int]) -> dict[int, Axis]:
        """Axes of the other dimensions, by their numbers: attached, or of the right name and length, or mere numbers."""
        free = [each for each in self._near(array) if each.is_called_place or _SERIES.fullmatch(each.short)]
        free.sort(key=lambda each: "zyx".find(each.short[:1].lower()) if each.is_called_place else -1)
        found: dict[int, Axis] = {}
        for index in rest:
            attached = self._named(array, array.axes[index]) if index < len(array.axes) else None
            axis = attached or next((each for each in free if each.length == array.shape[index] and each.is_vector), None)
            if axis is None or axis.length != array.shape[index]:
                found[index] = Axis(array.place_called(index), "", np.arange(array.shape[index], dtype=np.float64), True)
                continue
            free = [each for each in free if each is not axis]
            found[index] = axis.axis(is_navigation=True)
        return found

    def _doubt_of_square(self, array: Array, rest: Sequence[int]) -> str:
        """What is not sure where both sides of a map are as long, and nothing tells rows from columns."""
        sides = [array.shape[index] for index in rest]
        if len(sides) != 2 or sides[0] != sides[1] or sides[0] == 1 or any(array.place_called(index) for index in rest):
            return ""
        told = f"both sides of the map have {sides[0]} pixels, and the first is taken as y"
        return f"{told}: compare the map with the instrument's, and choose {HOW_TO_SWAP}"

    def _points(self, array: Array, sizes: Sequence[int]) -> tuple[Axis, Axis] | None:
        """Coordinates y and x of each of a list of spectra: as they are, or of a map of which the list counts the pixels."""
        near = list(self._near(array))
        y, x = (next((each for each in near if each.is_called_place and each.short[:1].lower() == letter), None) for letter in "yx")
        if y is None or x is None:
            return None
        rows, columns = y.axis(is_navigation=True), x.axis(is_navigation=True)
        if y.length == x.length == sizes[0]:
            return rows, columns
        if y.length * x.length != sizes[0]:
            return None
        every = np.meshgrid(rows.values, columns.values, indexing="ij")
        at_y, at_x = (each.ravel(order="F" if self.is_columns_first else "C") for each in every)
        return Axis(rows.name, rows.unit, at_y, True), Axis(columns.name, columns.unit, at_x, True)

    def _near(self, array: Array) -> list[Array]:
        """Vectors in the same group, then in those above it."""
        above = (each for each in self.arrays if each.is_vector and each is not array and _is_above(each.group, array.group))
        return sorted(above, key=lambda each: -len(each.group))

    def _named(self, array: Array, name: str) -> Array | None:
        wanted = (name, f"{array.group}/{name}".lstrip("/"))
        return next((each for each in self.arrays if each.name in wanted and each.is_vector), None)

    def _texts_of(self, array: Array) -> dict[str, str]:
        """Texts of the file as a whole, and of the entry that the array lies in."""
        entry = array.name.partition("/")[0]
        return {key: value for key, value in self.texts.items() if "/" not in key or key.partition("/")[0] == entry}


def _is_above(group: str, below: str) -> bool:
    return not group or f"{below}/".startswith(f"{group}/")


def _unlikeness(array: Array) -> tuple[bool, bool, int]:
    """Sort key: what is called counts first, errors and masks last, large before small."""
    return _NO_COUNTS.search(array.short) is not None, _COUNTS.search(array.short) is None, -int(np.prod(array.shape))


def _three(shape: Iterable[int]) -> tuple[int, int, int]:
    """Shape of three numbers, for a list."""
    sizes = [1, 1, *shape]
    return int(np.prod(sizes[:-2])), sizes[-2], sizes[-1]
