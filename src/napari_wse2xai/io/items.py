"""What a file holds, and the choice of one map in it."""

import difflib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_wse2xai.data import AxisKind, SpectralAxis, SpectralMap
from napari_wse2xai.data.acquisition import Acquisition
from napari_wse2xai.data.axis import spectral_unit
from napari_wse2xai.errors import DataError, DataWarning, ReaderError, counted

_DATE_WORDS = ("acquired", "start date", "date", "start time", "time stamp")
_OBJECTIVE_WORDS = ("objective",)
_MOST_NAMED = 6
"""Items named in one sentence at most."""


@dataclass(frozen=True)
class Item:
    """One data set in a file."""

    name: str
    shape: tuple[int, int, int]
    """(ny, nx, n)."""
    axis: str
    """Its spectral axis in words, such as ``88–2821 cm-1``."""
    is_map: bool = True
    """False for a time series or a single point: spectra, but not those of a scan of the sample."""
    what: str = ""
    """What it is if it is not spectra of light, such as ``picture (nA)`` or ``not optical: Iprobe (nA) over BVValue (V)``."""
    over: str = ""
    """Of a series, what changes from spectrum to spectrum: ``time (s)``."""
    step_um: tuple[float, float] | None = None
    """Distance of the pixels (dy, dx) in um, where the file says it."""
    laser_nm: float | None = None
    """Wavelength of the laser in nm, where the file says it."""
    date: str = ""
    """When it was measured, in the file's own words."""
    objective: str = ""
    """Microscope objective, in the file's own words."""

    acquisition: Acquisition = field(default_factory=Acquisition)
    """Exposure, power and the like, where the file says them."""

    @property
    def is_raman_shift(self) -> bool:
        """Whether its axis is a Raman shift."""
        try:
            return spectral_unit(self.axis.partition(" ")[2]).kind is AxisKind.RAMAN_SHIFT
        except DataError:
            return False

    @property
    def is_spectra(self) -> bool:
        """Whether `read` gives a map of it."""
        return not self.what

    @property
    def n_pixels(self) -> int:
        """Number of spectra."""
        return self.shape[0] * self.shape[1]

    def __str__(self) -> str:
        """One line for ``convert --list``."""
        if not self.is_spectra:
            return f"{self.name}: {' x '.join(map(str, self.shape))}, {self.what}"
        kind = f"series over {self.over}" if self.over else "map" if self.is_map else "not a scan"
        pixels = f"{self.shape[0]} x {self.shape[1]} {'pixel' if self.n_pixels == 1 else 'pixels'}"
        taken = "".join(f", {title.lower()} {value}" for title, value in self.acquisition.facts())
        return f"{self.name}: {pixels}, {counted(self.shape[2], 'channel')}, {self.axis} ({kind}){taken}"


def describe_axis(axis: SpectralAxis) -> str:
    """Range and unit of an axis, such as ``88–2821 cm-1``."""
    return axis_text(*axis.span, axis.kind.code)


def axis_text(low: float, high: float, unit: str) -> str:
    """Range and unit in words."""
    digits = ".3f" if high < 20 else ".0f"
    return f"{low:{digits}}–{high:{digits}} {unit}"


def item_of(spectral_map: SpectralMap, name: str | None = None) -> Item:
    """Describe a map that was read."""
    frame = spectral_map.frame
    is_map = frame.n_pixels > 1 and frame.has_places
    return Item(
        name or spectral_map.name,
        (*frame.shape, len(spectral_map.axis)),
        describe_axis(spectral_map.axis),
        is_map=is_map,
        over=" and ".join(direction.label for direction in frame.over),
        step_um=(abs(frame.step_um[0]), abs(frame.step_um[1])) if is_map else None,
        laser_nm=spectral_map.axis.laser_nm,
        date=first_of(spectral_map.metadata, _DATE_WORDS),
        objective=first_of(spectral_map.metadata, _OBJECTIVE_WORDS),
        acquisition=Acquisition.from_metadata(spectral_map.metadata),
    )


def first_of(metadata: Mapping[str, str], words: Sequence[str]) -> str:
    """Value of the first entry whose key has one of some words, the first word preferred."""
    found = (value for word in words for key, value in metadata.items() if word in key.lower() and value.strip())
    return next(found, "")


def choose(items: Sequence[Item], wanted: str | None, path: Path) -> Item:
    """Item of the wanted name, or else the largest map; others are then named in a warning."""
    if not items:
        raise ReaderError(f"'{path.name}' holds no spectra of a map; choose another file.")
    if wanted is not None:
        return _named(items, wanted, path)
    spectra = [item for item in items if item.is_spectra]
    if not spectra:
        held = ", ".join(f"'{item.name}' ({item.what})" for item in items[:_MOST_NAMED])
        raise ReaderError(f"'{path.name}' holds no spectra of light, only {held}; choose another file.")
    best = max(spectra, key=lambda item: (item.is_map, item.n_pixels))
    names = [f"'{item.name}'" for item in items if item is not best]
    others = ", ".join(names[:_MOST_NAMED]) + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")
    if others:
        warnings.warn(f"'{path.name}' holds more than one item: '{best.name}' was read; also there: {others}.", DataWarning, stacklevel=2)
    return best


def require_only(wanted: str | None, item: Item, path: Path) -> None:
    """Refuse a name that is not the one of the file's only item."""
    if wanted is not None:
        _named([item], wanted, path)


def _named(items: Sequence[Item], wanted: str, path: Path) -> Item:
    names = [item.name for item in items]
    if wanted in names:
        item = items[names.index(wanted)]
        if not item.is_spectra:
            raise ReaderError(f"'{wanted}' in '{path.name}' holds no spectra of light ({item.what}); choose another item.")
        return item
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'? It holds" if near else "it holds"
    raise ReaderError(f"'{path.name}' holds no item '{wanted}'; {hint} {', '.join(repr(name) for name in names)}.")
