"""What lies under the peaks of a fit, in ``results.nc``: the background, the substrate, and how both were fitted."""

import json
from typing import Any

import numpy as np

from napari_wse2xai.data import PeakMaps
from napari_wse2xai.data.peak_maps import Under
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.hdf5 import numbers_of

_UNDER = "under"


def write_under(group: Any, peaks: PeakMaps) -> None:
    """Write what there is."""
    group.attrs[_UNDER] = json.dumps([{"degree": each.degree, "beside": each.beside} for each in peaks.under])
    if peaks.background is None and peaks.substrate_share is None:
        return
    group.dimensions["fit_window"] = len(peaks.distinct_windows)
    if peaks.background is not None:
        points = "limit" if peaks.background.shape[1] == 2 else "background_point"
        if points != "limit":
            group.dimensions[points] = peaks.background.shape[1]
        meaning = "curve under the peaks, at places evenly from the lower to the upper end of each window"
        _put(group, "background", ("fit_window", points, "y", "x"), peaks.background.astype(np.float32), peaks.intensity_unit, meaning)
    if peaks.substrate is not None and peaks.substrate_share is not None:
        group.dimensions["substrate_channel"] = len(peaks.substrate)
        _put(group, "substrate", ("substrate_channel",), peaks.substrate, peaks.intensity_unit, "spectrum of the substrate")
        meaning = "how much of the substrate's spectrum lies under the peaks of each window"
        _put(group, "substrate_share", ("fit_window", "y", "x"), peaks.substrate_share.astype(np.float32), "1", meaning)


def read_under(group: Any) -> dict[str, Any]:
    """Fields of `PeakMaps`; files of before know a straight line alone."""
    names = ("background", "substrate", "substrate_share")
    found: dict[str, Any] = {name: numbers_of(group[name]) if name in group else None for name in names}
    text = netcdf.text_of(group.attrs, _UNDER)
    try:
        each = json.loads(text) if text else []
        found["under"] = tuple(Under(one["degree"], tuple((float(low), float(high)) for low, high in one["beside"])) for one in each)
    except (ValueError, KeyError, TypeError) as error:
        raise ReaderError("The record of how the windows were fitted is damaged; run the fit again.") from error
    return found


def _put(group: Any, name: str, dimensions: tuple[str, ...], values: Any, unit: str, meaning: str) -> None:
    variable = group.create_variable(name, dimensions, data=np.ascontiguousarray(values))
    variable.attrs.update({"units": unit, "long_name": meaning})
