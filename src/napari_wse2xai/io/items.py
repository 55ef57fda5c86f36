"""What a file holds, and the choice of one map in it."""

import difflib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_wse2xai.data import SpectralAxis, SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError


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

    @property
    def n_pixels(self) -> int:
        """Number of spectra."""
        return self.shape[0] * self.shape[1]

    def __str__(self) -> str:
        """One line for ``convert --list``."""
        kind = "map" if self.is_map else "not a scan"
        return f"{self.name}: {self.shape[0]} x {self.shape[1]} pixels, {self.shape[2]} channels, {self.axis} ({kind})"


def describe_axis(axis: SpectralAxis) -> str:
    """Range and unit of an axis, such as ``88–2821 cm-1``."""
    return axis_text(*axis.span, axis.unit)


def axis_text(low: float, high: float, unit: str) -> str:
    """Range and unit in words."""
    digits = ".3f" if high < 20 else ".0f"
    return f"{low:{digits}}–{high:{digits}} {unit}"


def item_of(spectral_map: SpectralMap, name: str | None = None) -> Item:
    """Describe a map that was read."""
    shape = (*spectral_map.frame.shape, len(spectral_map.axis))
    return Item(name or spectral_map.name, shape, describe_axis(spectral_map.axis), is_map=spectral_map.frame.n_pixels > 1)


def choose(items: Sequence[Item], wanted: str | None, path: Path) -> Item:
    """Item of the wanted name, or else the largest map; others are then named in a warning."""
    if not items:
        raise ReaderError(f"'{path.name}' holds no spectra of a map; choose another file.")
    if wanted is not None:
        return _named(items, wanted, path)
    best = max(items, key=lambda item: (item.is_map, item.n_pixels))
    others = ", ".join(f"'{item.name}'" for item in items if item is not best)
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
        return items[names.index(wanted)]
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'? It holds" if near else "it holds"
    raise ReaderError(f"'{path.name}' holds no item '{wanted}'; {hint} {', '.join(repr(name) for name in names)}.")
