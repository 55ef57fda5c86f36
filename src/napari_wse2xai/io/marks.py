"""What was found of single channels of a map, in NetCDF: replaced by the spike filter, saturated, bridged, bad everywhere."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.hdf5 import numbers_of
from napari_wse2xai.io.hdf_node import HdfNode

_PLACES = {
    "replaced": "channels that the spike filter replaced",
    "saturated": "channels at the detector's ceiling, of counts as they were read",
    "bridged": "channels without a value, filled by straight lines for drawing and filters",
}
"""Those with a place each: row, column and channel."""
_BAD = "bad_channels"
_ASKED = "asked"
"""Attribute that names what was asked of the counts: an answer may be empty."""


def write_marks(group: HdfNode, spectral_map: SpectralMap) -> None:
    """Write what was asked of the counts."""
    known = {name: getattr(spectral_map, name) for name in (*_PLACES, _BAD)}
    group.attrs[_ASKED] = " ".join(name for name, values in known.items() if values is not None)
    for name, values in known.items():
        if values is None or not len(values):
            continue
        group.dimensions[f"{name}_place"] = len(values)
        dimensions: tuple[str, ...] = (f"{name}_place",)
        if name in _PLACES:
            if "place" not in group.dimensions:
                group.dimensions["place"] = 3
            dimensions = (*dimensions, "place")
        variable = group.create_variable(name, dimensions, data=np.ascontiguousarray(values, dtype=np.int32))
        long_name = _PLACES.get(name, "channels that tell nothing in any pixel")
        variable.attrs.update({"long_name": f"{long_name}: {'row, column, channel' if name in _PLACES else 'channel'}, from 0"})


def read_marks(group: HdfNode, shape: tuple[int, int, int]) -> dict[str, Any]:
    """Fields of `SpectralMap`; what was not asked, or lies in a file of before, stays unknown."""
    asked = str(group.attrs.get(_ASKED, "")).split()
    return {name: _read(group, name, shape) for name in (*_PLACES, _BAD) if name in asked}


def _read(group: HdfNode, name: str, shape: tuple[int, int, int]) -> NDArray[np.int32]:
    sizes = np.array(shape if name in _PLACES else shape[2:])
    if name not in group:
        return np.empty((0, 3) if name in _PLACES else 0, dtype=np.int32)
    values = numbers_of(group[name])
    columns = values.reshape(len(values), -1)
    if columns.shape[1] != len(sizes) or (columns < 0).any() or (columns >= sizes).any():
        raise ReaderError(f"'{name}' names channels that the map does not have; the file is damaged: run it again.")
    return np.asarray(values, dtype=np.int32)
