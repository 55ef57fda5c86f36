"""A map as a group of a NetCDF-4 file: contiguous numbers, named dimensions, CF attributes; written and read by h5netcdf and h5py."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, Frame, Record, SpectralAxis, SpectralMap
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.axis import Medium
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import warn_of_holes
from napari_wse2xai.io.hdf5 import chunks_of, numbers_of, require_real, require_stored
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.items import axis_text
from napari_wse2xai.io.marks import read_marks, write_marks
from napari_wse2xai.io.stored import bands, is_large, may_stay
from napari_wse2xai.io.told import NOTHING, Told, made_map

CONVENTIONS = "CF-1.11"
OVERHEAD = 1 << 16
"""Bytes that a file takes beside its arrays, amply."""
_MAP_DIMENSIONS = ("y", "x", "spectral")


def write_map(spectral_map: SpectralMap, path: str | Path, *, last: Callable[[], Record] | None = None) -> None:
    """Write one map into one NetCDF-4 file, which appears complete or not at all.

    Parameters
    ----------
    last
        Gives one more record for the history; asked when the counts are written, for a record that takes time to make.
    """
    import h5netcdf

    size = spectral_map.counts.nbytes + OVERHEAD
    with new_file(path, expected_bytes=size) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs.update({"Conventions": CONVENTIONS, "title": spectral_map.name})
        write_map_group(file, spectral_map)
        if spectral_map.flake is not None:
            write_flake(file, spectral_map.flake)
        if last is not None:
            file.attrs["history"] = histories.to_json((*spectral_map.history, last()))


def write_map_group(group: HdfNode, spectral_map: SpectralMap) -> None:
    """Write counts, coordinates and what is known of them into a group; the flake goes elsewhere."""
    write_frame(group, spectral_map.frame)
    write_axis(group, spectral_map.axis)
    counts = group.create_variable("counts", _MAP_DIMENSIONS, dtype=np.float32)
    counts.attrs.update({"long_name": "intensity", "units": spectral_map.intensity_unit})
    for band in bands(spectral_map.counts.shape):  # in one piece, a mapped or turned map would be copied into memory whole
        counts[band] = np.ascontiguousarray(spectral_map.counts[band], dtype=np.float32)
    if spectral_map.repaired is not None:
        repaired = group.create_variable("repaired", ("y", "x"), data=spectral_map.repaired)
        repaired.attrs.update({"long_name": "channels replaced by the spike filter", "units": "1"})
    write_marks(group, spectral_map)
    write_texts(group, spectral_map)


def write_texts(group: HdfNode, artefact: Any) -> None:
    """Write name, intensity unit, metadata and history of a map or of peak maps as attributes."""
    group.attrs["name"] = artefact.name
    group.attrs["intensity_unit"] = artefact.intensity_unit
    group.attrs["metadata"] = json.dumps(dict(artefact.metadata), ensure_ascii=False)
    group.attrs["history"] = histories.to_json(artefact.history)


def write_frame(group: HdfNode, frame: Frame) -> None:
    """Write the coordinates y and x in um, and the exact grid as attributes."""
    for name, values, along in zip("yx", (frame.y_um, frame.x_um), frame.directions, strict=True):
        group.dimensions[name] = len(values)
        variable = group.create_variable(name, (name,), data=values)
        variable.attrs.update({"units": along.unit or "1", "long_name": f"stage position {along.name}" if along.is_length else along.name})
    record = frame.as_record()
    group.attrs["step_um"] = np.array(frame.step_um, dtype=np.float64)
    group.attrs["origin_um"] = np.array(frame.origin_um, dtype=np.float64)
    group.attrs["sample"] = frame.sample
    if "directions" in record:
        group.attrs["directions"] = json.dumps(record["directions"], ensure_ascii=False)
    if "rotation_deg" in record:
        group.attrs["rotation_deg"] = frame.rotation_deg


def write_axis(group: HdfNode, axis: SpectralAxis) -> None:
    """Write the spectral coordinate with its unit, and the laser where it is known."""
    group.dimensions["spectral"] = len(axis)
    variable = group.create_variable("spectral", ("spectral",), data=axis.values)
    variable.attrs.update({"units": axis.unit, "long_name": axis.kind.value})  # the name tells a Raman shift from a wavenumber of light
    if axis.laser_nm is not None:
        group.attrs["laser_nm"] = float(axis.laser_nm)
    if axis.medium is not None:
        group.attrs["wavelengths_in"] = axis.medium.value
    if axis.error is not None:
        error = group.create_variable("spectral_error", ("spectral",), data=axis.error)
        error.attrs.update({"units": axis.unit, "long_name": "standard error of the calibrated axis"})


def write_flake(group: HdfNode, flake: NDArray[np.bool_]) -> None:
    """Write the flake as a CF flag variable."""
    variable = group.create_variable("flake", ("y", "x"), data=flake.astype(np.int8))
    variable.attrs.update({"flag_values": np.array([0, 1], dtype=np.int8), "flag_meanings": "bare_substrate flake", "long_name": "flake"})


def map_groups(file: HdfNode) -> tuple[str, ...]:
    """Names of the groups that hold a map (``counts`` over y, x and spectral); the file's root is ``""``."""
    import h5py

    found: list[str] = []

    def visit(name: str, node: object) -> None:
        is_cube = isinstance(node, h5py.Dataset) and node.ndim == 3
        if is_cube and name.rpartition("/")[2] == "counts" and {*_dimensions(cast("HdfNode", node))} == {*_MAP_DIMENSIONS}:
            found.append(name.rpartition("/")[0])

    file.visititems(visit)
    return tuple(found)


def describe_map_group(group: HdfNode, name: str) -> tuple[tuple[int, int, int], str]:
    """Shape (ny, nx, n) and spectral axis of a map in words, without reading its counts."""
    sizes = _sizes(group["counts"])
    low_high, unit = _coordinate(group, "spectral", sizes["spectral"])
    low, high = float(low_high.min()), float(low_high.max())
    return (sizes["y"], sizes["x"], sizes["spectral"]), axis_text(low, high, unit or "(unit not given)")


def _sizes(dataset: HdfNode) -> dict[str, int]:
    """Size of each dimension of counts, in the order of the file; no axis is made for what the file cannot hold."""
    require_stored(dataset)
    return dict(zip(_dimensions(dataset), dataset.shape, strict=True))


def read_map_group(group: HdfNode, *, name: str, told: Told = NOTHING) -> SpectralMap:
    """Read a map from an open h5py group; `name` serves where the file gives none."""
    dataset = group["counts"]
    sizes = _sizes(dataset)
    values = read_values(dataset).transpose([list(sizes).index(dimension) for dimension in _MAP_DIMENSIONS])
    said = said_of_axis(group if "spectral" in group else group.parent, group, "spectral", told)
    axis_values, kind = settle_axis(*_coordinate(group, "spectral", sizes["spectral"]), **said, name=name)
    counts: Any = values if isinstance(values, StoredCounts) else np.ascontiguousarray(values, dtype=np.float32)
    if "history" not in group.attrs and getattr(counts, "chunks", None) is None:
        warn_of_holes(counts, name)
    read = made_map(
        counts,
        axis_values,
        kind,
        told,
        frame=read_frame(group, (sizes["y"], sizes["x"])),
        laser_nm=laser_of(group),
        flake=read_flake(group),
        repaired=numbers_of(group["repaired"]).astype(np.uint16) if "repaired" in group else None,
        **read_marks(group, (sizes["y"], sizes["x"], sizes["spectral"])),
        **texts_of(group, name, text_of(dataset.attrs, "units")),
    )
    return replace(read, axis=with_calibration(read.axis, group))


def said_of_axis(owner: Any, group: HdfNode, name: str, told: Told) -> dict[str, Any]:
    """Who says the unit of a spectral coordinate, for `settle_axis`, and what it is called; what this package wrote is no guess."""
    attributes = owner[name].attrs if name in owner else {}
    settled = spectral_code(attributes) if _is_ours(group) else None
    return {"given": told.unit or settled, "called": text_of(attributes, "long_name")}


def texts_of(group: HdfNode, name: str, unit: str) -> dict[str, Any]:
    """Fields of an artefact that `write_texts` wrote, with fallbacks for files of others."""
    return {
        "name": text_of(group.attrs, "name") or name,
        "intensity_unit": text_of(group.attrs, "intensity_unit") or unit or "counts",
        "metadata": _json_of(group.attrs, "metadata"),
        "history": histories.from_json(text_of(group.attrs, "history")) if _is_ours(group) else (),
    }


def _is_ours(group: HdfNode) -> bool:
    return text_of(group.attrs, "history").startswith("[")


def _json_of(attributes: Mapping[str, Any], key: str) -> dict[str, str]:
    return {str(word): str(value) for word, value in json.loads(text_of(attributes, key) or "{}").items()}


def text_of(attributes: Mapping[str, Any], key: str) -> str:
    """Text attribute, empty where it is missing."""
    value = attributes.get(key, "")
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def laser_of(group: HdfNode) -> float | None:
    """Wavelength of the laser in nm, where the file gives it."""
    laser = group.attrs.get("laser_nm", group["counts"].attrs.get("laser_nm") if "counts" in group else None)
    return None if laser is None else float(np.asarray(laser).item())


def read_frame(group: HdfNode, shape: tuple[int, int]) -> Frame:
    """Grid of a group: as written by this package, or from its coordinates."""
    return frame_by(group, shape, lambda name, size: _coordinate(group, name, size)[0])


def frame_by(group: HdfNode, shape: tuple[int, int], coordinate: Callable[[str, int], NDArray[np.float64]]) -> Frame:
    """Grid of a group of any file: as written by this package, or from what is asked for by its name and size."""
    if "step_um" in group.attrs and "origin_um" in group.attrs:
        return _written_frame(group.attrs, shape)
    sample = text_of(group.attrs, "sample")
    (y0, dy), (x0, dx) = (_start_and_step(coordinate(name, size)) for name, size in zip("yx", shape, strict=True))
    return Frame(shape, (dy, dx), (y0, x0), sample)


def _written_frame(attributes: Mapping[str, Any], shape: tuple[int, int]) -> Frame:
    """Grid from the attributes that `write_frame` wrote."""
    record: dict[str, Any] = {key: attributes[key] for key in ("step_um", "origin_um")}
    record |= {
        "shape": shape,
        "sample": text_of(attributes, "sample"),
        "rotation_deg": np.asarray(attributes.get("rotation_deg", 0.0)).item(),
    }
    return Frame.from_record(record | {"directions": json.loads(text_of(attributes, "directions") or "null")})


def _start_and_step(values: NDArray[np.float64]) -> tuple[float, float]:
    """First of some coordinates, and their distance; 1 where there is none."""
    step = float(values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else 1.0
    return (float(values[0]), step) if step else (float(values[0]), 1.0)


def read_axis(group: HdfNode) -> SpectralAxis:
    """Spectral axis that `write_axis` wrote."""
    values, unit = _coordinate(group, "spectral", group["spectral"].shape[0])
    return with_calibration(SpectralAxis(values, AxisKind.from_unit(unit or ""), laser_of(group)), group)


def with_calibration(axis: SpectralAxis, group: HdfNode) -> SpectralAxis:
    """Add what a group says of an axis that rises: the medium of its wavelengths, and the error of its calibration."""
    medium = text_of(group.attrs, "wavelengths_in")
    error = _coordinate(group, "spectral_error", len(axis))[0] if "spectral_error" in group else None
    return replace(axis, medium=Medium(medium) if medium in tuple(Medium) else None, error=error)


def read_flake(group: HdfNode) -> NDArray[np.bool_] | None:
    """Flake of a map: in its own group, or in the group ``flake`` beside it."""
    import h5py

    beside = group.parent.get("flake")
    owner = group if "flake" in group else beside
    return numbers_of(owner["flake"]).astype(bool) if isinstance(owner, h5py.Group) and "flake" in owner else None


def read_values(dataset: HdfNode, index: object = ...) -> Any:
    """Whole data set, or a part of it, CF packing undone: an array, or `StoredCounts` where it is large and plain, or in chunks.

    A size that the file cannot hold is refused before any memory is taken.
    """
    stored = require_stored(dataset)
    require_real(dataset.dtype, dataset.name)
    fill, scale, offset = (dataset.attrs.get(key) for key in ("_FillValue", "scale_factor", "add_offset"))
    is_bare = (fill, scale, offset) == (None, None, None) and dataset.ndim == 3 and _is_plain(dataset)
    if index is ... and is_bare and may_stay(dataset.dtype, stored):
        ny, nx, channels = dataset.shape
        return StoredCounts(Path(dataset.file.filename), (ny, nx, channels), dataset.id.get_offset())
    if index is ... and dataset.ndim == 3 and dataset.chunks is not None and is_large(dataset.size * dataset.dtype.itemsize):
        return StoredCounts.of(chunks_of(dataset, lambda values: unpacked(values, fill, scale, offset)))
    return unpacked(np.asarray(dataset[index]), fill, scale, offset)


def unpacked(values: NDArray[Any], fill: Any, scale: Any, offset: Any) -> NDArray[Any]:
    """Numbers with CF packing undone."""
    if fill is not None and not np.isnan(fill).all():
        values = np.where(values == fill, np.nan, values)
    if scale is not None or offset is not None:
        values = values * (1.0 if scale is None else scale) + (0.0 if offset is None else offset)
    return values


def _is_plain(dataset: HdfNode) -> bool:
    """Whether the values lie in the file in one piece."""
    offset = dataset.id.get_offset()
    return bool(offset and offset + dataset.size * 4 <= os.path.getsize(dataset.file.filename))


def _dimensions(dataset: HdfNode) -> tuple[str, ...]:
    """Names of the dimensions of counts, in their order: y, x, spectral where the file does not say, but has the last."""
    names = tuple(str(dimension[0].name).rpartition("/")[2] if len(dimension) else "" for dimension in dataset.dims)
    return names if any(names) or "spectral" not in dataset.parent else _MAP_DIMENSIONS


def _coordinate(group: HdfNode, name: str, size: int) -> tuple[NDArray[np.float64], str | None]:
    """Values and unit of a coordinate, in the group or the one above; counted from 0 where it has none."""
    owner = group if name in group else group.parent
    if name not in owner or is_mere_size(owner[name]):
        return np.arange(size, dtype=np.float64), None
    values = numbers_of(owner[name]).astype(np.float64)
    if values.shape != (size,):
        raise ReaderError(f"The coordinate '{name}' has {values.size} values for {size} places; write the file again.")
    return values, spectral_code(owner[name].attrs)


def is_mere_size(dataset: HdfNode) -> bool:
    """Whether it only stands for the length of a dimension, and its numbers mean nothing."""
    return text_of(dataset.attrs, "NAME").startswith("This is a netCDF dimension but not")


def spectral_code(attributes: Mapping[str, Any]) -> str | None:
    """Unit of a coordinate; of wavenumbers of light, which share theirs with a Raman shift, the code of the kind."""
    unit = text_of(attributes, "units") or None
    return AxisKind.WAVENUMBER.code if unit and text_of(attributes, "long_name") == AxisKind.WAVENUMBER.value else unit
