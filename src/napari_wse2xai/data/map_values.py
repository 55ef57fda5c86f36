"""Every quantity of a deconvolution, or of a pair of them, as one map with its unit and error."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.paired_maps import PairedMaps
from napari_wse2xai.data.peak_maps import PeakMaps, Status
from napari_wse2xai.data.quantities import WORDS, pretty

OF_A_PEAK = ("height", "position", "fwhm", "area", "form")
CHI2 = "reduced_chi2"
_PL = "PL "


@dataclass(frozen=True, eq=False)
class MapValues:
    """One quantity at every pixel."""

    name: str
    """``A1'.height``; the name of a computed map; ``PL X.height`` where RS has a peak of that name too."""
    unit: str
    """1 for a plain number."""
    values: NDArray[np.floating]
    """(ny, nx), NaN where there is none."""
    errors: NDArray[np.floating] | None = None
    """(ny, nx) one standard error."""

    @property
    def words(self) -> str:
        """For people: ``A1' FWHM``."""
        stem, dot, last = self.name.rpartition(".")
        known = {**WORDS, "area": "area"}
        return f"{stem} {known[last]}".strip() if dot and last in known else self.name.replace(CHI2, "reduced χ²")

    @property
    def label(self) -> str:
        """Words with the unit, for an axis."""
        return self.words if self.unit == "1" else f"{self.words} ({pretty(self.unit)})"


@singledispatch
def values_of(found: object) -> dict[str, MapValues]:
    """Quantities of peak maps, or of a pair on the RS grid, by name; those without any value are left out."""
    raise TypeError(f"{type(found).__name__} holds no maps to compare")


@values_of.register
def _(found: PeakMaps) -> dict[str, MapValues]:
    return {each.name: each for each in _of_peaks(found, "", "")}


@values_of.register
def _(found: PairedMaps) -> dict[str, MapValues]:
    taken = [{*peaks.names, *(each.name for each in peaks.computed)} for peaks in (found.raman, found.pl)]
    pl = _of_peaks(found.pl, _PL if taken[0] & taken[1] else "", _PL)
    return {each.name: each for each in (*_of_peaks(found.raman, "", ""), *pl)}


def _of_peaks(peaks: PeakMaps, prefix: str, chi2: str) -> Iterator[MapValues]:
    """Quantities of one deconvolution; the names of its peaks, and of its misfit, may get a word before them."""
    units = {"height": peaks.intensity_unit, "area": f"{peaks.intensity_unit} {peaks.axis.unit}", "form": "1"}
    for index, name in enumerate(peaks.names):
        for parameter in OF_A_PEAK:
            maps, errors = getattr(peaks, parameter), getattr(peaks, f"{parameter}_error")
            if maps is not None and np.isfinite(maps[index]).any():
                error = None if errors is None else errors[index]
                yield MapValues(f"{prefix}{name}.{parameter}", units.get(parameter, peaks.axis.unit), maps[index], error)
    for each in peaks.computed:
        yield MapValues(f"{prefix}{each.name}", each.unit, each.value, each.error)
    yield MapValues(f"{chi2}{CHI2}", "1", peaks.reduced_chi2)


def flags_of(found: PeakMaps | PairedMaps) -> dict[str, NDArray[np.bool_]]:
    """What is true or false at a pixel: ``flake``, ``ok`` (of a pair: both fits), and each other status by its name."""
    if isinstance(found, PairedMaps):
        light = found.pl.status
        flags = flags_of(found.raman)
        flags |= {f"{_PL}{status.name.lower()}": light == status for status in Status}
        return flags | {"ok": flags["ok"] & (light == Status.OK)}
    flags = {status.name.lower(): found.status == status for status in Status}
    return {"ok": flags["ok"], "flake": ~flags["not_on_flake"]} | flags
