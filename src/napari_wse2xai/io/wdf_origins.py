"""The lists of a Renishaw file (block ORGN): where the stage was at each spectrum, and what the time, the temperature... were."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Direction
from napari_wse2xai.io.wdf_blocks import Blocks

SPATIAL_X, SPATIAL_Y, SPATIAL_Z = 3, 4, 5
_UM_PER = {3: 1e-3, 5: 1.0, 8: 1e3, 9: 1e6}
_FILE_TIME, _MILLISECONDS = 24, 13
_UNITS = {
    **{10: "K", 11: "Pa", 12: "s", 13: "ms", 14: "h", 15: "d", 19: "°", 20: "rad", 21: "°C", 22: "°F", 23: "K/min", 24: "s", 25: "µs"},
    **{4: "eV", 26: "V", 27: "A", 28: "mA", 30: "Ω", 31: "°R", 32: "C", 33: "pC"},
}
"""Renishaw's units, by their codes, that may go with a series."""
_SERIES = {
    SPATIAL_Z: "z",
    9: "temperature",
    10: "pressure",
    13: "polarisation",
    6: "r",
    7: "theta",
    8: "phi",
    28: "signal",
    14: "focus",
    18: "time",
    11: "time",
}
"""What a series may run over, by the code of the list, the more telling first: every file has times."""
_PRIMARY = 1 << 31
_TICKS = 1e7
"""Of a Windows time stamp, per second."""


@dataclass(frozen=True)
class _List:
    kind: int
    unit: int
    label: str
    is_primary: bool
    values: NDArray[np.float64]

    @property
    def direction(self) -> Direction:
        unit = "um" if self.unit in _UM_PER else _UNITS.get(self.unit, "")
        return Direction(_SERIES.get(self.kind) or self.label.lower() or "value", unit)


@dataclass(frozen=True)
class Origins:
    """All lists of a file."""

    lists: tuple[_List, ...]

    @property
    def lengths(self) -> dict[int, NDArray[np.float64]]:
        """Stage coordinates in um, by their codes."""
        return {each.kind: each.values for each in self.lists if each.unit in _UM_PER}

    @property
    def are_places_asked(self) -> bool:
        """Whether the file says that what changes is the place on the surface."""
        return any(each.is_primary and each.kind in (SPATIAL_X, SPATIAL_Y) for each in self.lists)

    def series(self) -> tuple[NDArray[np.float64], Direction] | None:
        """What a series runs over: the values of each spectrum; None where nothing changes that is known."""
        varying = [each for each in self.lists if each.kind in _SERIES and np.ptp(each.values)]
        if not varying:
            return None
        order = list(_SERIES)
        best = min(varying, key=lambda each: (not each.is_primary, order.index(each.kind)))
        return best.values, best.direction


def origins_of(blocks: Blocks, n_lists: int, n_planned: int, n_measured: int) -> Origins:
    """Lists of a file, without those that hold no numbers."""
    # Kind, unit and a label of 16 bytes, then a number of 8 bytes for each spectrum.
    each = 24 + 8 * n_planned
    starts = (4 + index * each for index in range(min(n_lists, blocks.size("ORGN") // each)))
    found = (_list_at(blocks, start, n_measured) for start in starts)
    return Origins(tuple(each for each in found if np.isfinite(each.values).all()))


def _list_at(blocks: Blocks, start: int, count: int) -> _List:
    code, unit = (int(word) for word in blocks.unpack("ORGN", "II", start))
    label = blocks.text("ORGN", 16, start + 8)
    if unit == _FILE_TIME:
        stamps = blocks.array("ORGN", "<u8", count, start + 24)
        values = (stamps - stamps.min()).astype(np.float64) / _TICKS if count else stamps.astype(np.float64)
    else:
        values = blocks.array("ORGN", "<f8", count, start + 24).astype(np.float64) * _UM_PER.get(unit, 1.0)
    return _List(code & ~_PRIMARY, unit, label, bool(code & _PRIMARY), values)
