"""Zarr folders (version 2 or 3) with ``counts`` (y, x, spectral) and its coordinates, as xarray writes them, or with arrays of other names.

The dimensions may lie in any order: ``y`` and ``x`` go by these names, the third one is the spectral axis.  Row 0 is the first along y.
A map of this package opened from NetCDF by xarray and written by it as Zarr keeps grid, laser, metadata and history.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.chunked import Chunks, Place
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.arrays import Array, Arrays
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.items import Item, axis_text, choose
from napari_wse2xai.io.stored import is_large
from napari_wse2xai.io.told import Told, made_map
from napari_wse2xai.io.zarr_store import open_store, read_array, require_readable, require_stored

FORMATS = (
    Format(
        "Zarr",
        ("*.zarr",),
        is_folder=True,
        order=70,
        holds="the same, as xarray writes it, dimensions in any order; else arrays as those of MATLAB",
        needs="zarr",
        licence="MIT",
    ),
)

ROOT_ITEM = "map"
_SPATIAL = ("y", "x")
_DEEPEST = 3
"""Groups in groups that are looked through."""


def items(path: Path) -> tuple[Item, ...]:
    """List the maps in all groups; nothing but their axes is read."""
    with readable_as("Zarr", path, AssertionError):  # zarr asserts what it expects of metadata
        root = open_store(path)
        groups = _groups(root)
        return tuple(_item(group, name) for name, group in groups.items()) if groups else _others(root, path).items()


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one map."""
    with readable_as("Zarr", path, AssertionError):
        root = open_store(path)
        groups = _groups(root)
        if not groups:
            return _others(root, path).map_of(item, told, path)
        chosen = choose([_item(group, name) for name, group in groups.items()], item, path)
        return _as_map(groups[chosen.name], path, told)


def _groups(root: HdfNode) -> dict[str, HdfNode]:
    """Groups that hold a map, by the names of their items."""
    found = {ROOT_ITEM: root} | {name: node for name, node in root.members(max_depth=_DEEPEST) if hasattr(node, "members")}
    return {name: group for name, group in found.items() if "counts" in group and _is_map(group["counts"])}


def _is_map(array: HdfNode) -> bool:
    """Whether exactly one of its three dimensions is neither y nor x."""
    return getattr(array, "ndim", 0) == 3 and {*_SPATIAL} < {*_dimensions(array)} and len({*_dimensions(array)}) == 3


def _others(root: HdfNode, path: Path) -> Arrays:
    """Arrays of a folder whose author gave variables and dimensions other names."""
    found = [_array(name, node, path) for name, node in root.members(max_depth=_DEEPEST) if not hasattr(node, "members")]
    if not found:
        raise ReaderError(f"'{path.name}' holds no array 'counts' (y, x, spectral), nor other arrays; choose a folder with a map.")
    return Arrays(found, {name: str(value) for name, value in root.attrs.items() if isinstance(value, str | int | float)})


def _array(name: str, array: HdfNode, path: Path) -> Array:
    unit = netcdf.text_of(array.attrs, "units")
    return Array(name, array.shape, np.dtype(array.dtype).kind, lambda index: _numbers(array, path, index), unit, _named_dimensions(array))


def _numbers(array: HdfNode, path: Path, index: Any) -> Any:
    """Numbers at an index; all of a large map stay in their folder."""
    if index is ... and array.ndim == 3 and is_large(array.nbytes):
        return StoredCounts.of(_chunks(array, path))
    return _read(array)[index]


def _named_dimensions(array: HdfNode) -> tuple[str, ...]:
    """Names of its dimensions in their order, as far as the folder says them."""
    named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    return tuple(str(name or "") for name in named)


def _dimensions(array: HdfNode) -> tuple[str, ...]:
    """Names of the dimensions of counts; y, x, spectral where the folder does not say."""
    return _named_dimensions(array) or (*_SPATIAL, "spectral")


def _layout(group: HdfNode) -> tuple[list[int], tuple[int, int, int], str]:
    """Order of the dimensions that gives (y, x, spectral), the shape in this order, and the spectral one's name."""
    require_stored(group["counts"])
    names = _dimensions(group["counts"])
    spectral = next(name for name in names if name not in _SPATIAL)
    order = [names.index(name) for name in (*_SPATIAL, spectral)]
    ny, nx, n = (int(group["counts"].shape[index]) for index in order)
    return order, (ny, nx, n), spectral


def _item(group: HdfNode, name: str) -> Item:
    _, shape, spectral = _layout(group)
    values, unit = _coordinate(group, spectral, shape[2])
    return Item(
        name, shape, axis_text(float(values.min()), float(values.max()), unit or "(unit not given)"), is_map=shape[0] * shape[1] > 1
    )


def _as_map(group: HdfNode, path: Path, told: Told) -> SpectralMap:
    order, shape, spectral = _layout(group)
    array = group["counts"]
    stays = is_large(array.nbytes)
    numbers: Any = StoredCounts.of(_chunks(array, path, _coarser(group, array))) if stays else _read(array)
    turned = numbers.transpose(order)
    counts = turned if stays else np.ascontiguousarray(turned, dtype=np.float32)
    if "history" not in group.attrs and not stays:
        warn_of_holes(counts, path.name)
    return made_map(
        counts,
        *settle_axis(*_coordinate(group, spectral, shape[2]), **netcdf.said_of_axis(group, group, spectral, told), name=path.name),
        told,
        frame=netcdf.frame_by(group, shape[:2], lambda name, size: _coordinate(group, name, size)[0]),
        laser_nm=netcdf.laser_of(group),
        flake=_flake(group, shape[:2]),
        **netcdf.texts_of(group, path.stem, netcdf.text_of(array.attrs, "units")),
    )


def _read(array: HdfNode) -> NDArray[Any]:
    """All numbers."""
    return _unpacked(read_array(array), array)


def _coarser(group: HdfNode, array: HdfNode) -> list[HdfNode]:
    """Arrays that a group's OME metadata call the same in fewer pixels, the finest first, where the first of them is the counts."""
    described = group.attrs.get("ome", group.attrs).get("multiscales", [])
    paths = [str(each["path"]) for each in described[0]["datasets"]] if described else []
    found = [group[path] for path in paths[1:] if paths[0] == array.basename and path in group]
    spectral = next(index for index, name in enumerate(_dimensions(array)) if name not in _SPATIAL)
    return [each for each in found if getattr(each, "ndim", 0) == 3 and each.shape[spectral] == array.shape[spectral]]


def _chunks(array: HdfNode, path: Path, coarser: Sequence[HdfNode] = ()) -> Chunks:
    """Numbers that are read chunk by chunk, each when it is asked for."""
    require_readable(array)

    def read(place: Place) -> NDArray[Any]:
        with readable_as("Zarr", path, AssertionError):
            return _unpacked(np.asarray(array[place]), array)

    ny, nx, channels = array.shape
    rows, columns, depth = array.chunks or array.shape
    levels = tuple(_chunks(each, path) for each in coarser)
    return Chunks(path.name, (ny, nx, channels), (rows, columns, depth), read, coarser=levels)


def _unpacked(values: NDArray[Any], array: HdfNode) -> NDArray[Any]:
    """Numbers with CF packing undone."""
    fill, scale, offset = (array.attrs.get(key) for key in ("_FillValue", "scale_factor", "add_offset"))
    return netcdf.unpacked(values, fill if isinstance(fill, int | float) else None, scale, offset)  # xarray may write it as text


def _coordinate(group: HdfNode, name: str, size: int) -> tuple[NDArray[np.float64], str | None]:
    """Values and unit of a coordinate; counted from 0 where it has none."""
    if name not in group:
        return np.arange(size, dtype=np.float64), None
    values = read_array(group[name]).astype(np.float64)
    if values.shape != (size,) or not size:
        raise ReaderError(f"The coordinate '{name}' has {values.size} values for {size} places; write the folder again.")
    return values, netcdf.spectral_code(group[name].attrs)


def _flake(group: HdfNode, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    if "flake" not in group or getattr(group["flake"], "shape", None) != shape:
        return None
    return read_array(group["flake"]).astype(bool)
