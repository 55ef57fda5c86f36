"""Computed maps in the peaks' group of ``results.nc``."""

from typing import Any

import numpy as np

from napari_wse2xai.data import ComputedMap, PeakMaps
from napari_wse2xai.io.hdf5 import numbers_of, texts_of

_TEXTS = {"computed": "name", "computed_unit": "unit", "computed_expression": "expression"}
_NUMBERS = {"computed_value": "value", "computed_error": "error"}


def write_computed(group: Any, peaks: PeakMaps) -> None:
    """Write maps (computed, y, x) with their names, units and formulas, where there are any."""
    import h5py

    if not peaks.computed:
        return
    group.dimensions["computed"] = len(peaks.computed)
    for name, field in _TEXTS.items():
        variable = group.create_variable(name, ("computed",), dtype=h5py.string_dtype())
        variable[:] = np.array([getattr(each, field) for each in peaks.computed], dtype=object)
    for name, field in _NUMBERS.items():
        maps = np.stack([np.asarray(getattr(each, field), dtype=np.float32) for each in peaks.computed])
        variable = group.create_variable(name, ("computed", "y", "x"), data=np.ascontiguousarray(maps))
        variable.attrs["long_name"] = "worked out of the peaks' parameters" if field == "value" else "standard error of computed_value"


def read_computed(group: Any) -> tuple[ComputedMap, ...]:
    """Read what `write_computed` wrote."""
    if "computed" not in group:
        return ()
    columns: dict[str, Any] = {field: texts_of(group[name]) for name, field in _TEXTS.items()}
    columns |= {field: numbers_of(group[name]) for name, field in _NUMBERS.items()}
    return tuple(ComputedMap(**{field: values[k] for field, values in columns.items()}) for k in range(len(columns["name"])))
