"""NetCDF-4 files with maps: those that this package writes, results of a run, and any with ``counts`` (y, x, spectral) or other arrays."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.arrays import Arrays
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.hdf5 import open_hdf5
from napari_wse2xai.io.hdf5_arrays import arrays_in
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.items import Item, choose
from napari_wse2xai.io.netcdf import describe_map_group, map_groups, read_map_group
from napari_wse2xai.io.told import Told
from napari_wse2xai.ordinary import require_ordinary

FORMATS = (
    Format(
        "NetCDF",
        ("*.nc",),
        order=60,
        holds="`counts` (y, x, spectral) with coordinates in any group; all that this package writes; else arrays as those of MATLAB",
        needs="h5netcdf, h5py",
        licence="BSD-3",
    ),
)

ROOT_ITEM = "map"
"""Name of the map that lies in the root group; others go by their group's name, such as ``raman/map``."""


def items(path: Path) -> tuple[Item, ...]:
    """List the maps in all groups, or the arrays that are spectra; nothing but their axes is read."""
    with open_netcdf(path) as file:
        groups = map_groups(file)
        return tuple(_items(file, groups)) if groups else _others(file, path).items()


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one map, with the flake found on it."""
    with open_netcdf(path) as file:
        groups = map_groups(file)
        if not groups:
            return _others(file, path).map_of(item, told, path)
        chosen = choose(_items(file, groups), item, path)
        group = file if chosen.name == ROOT_ITEM else file[chosen.name]
        return read_map_group(group, name=path.stem, told=told)


@contextmanager
def open_netcdf(path: Path) -> Iterator[Any]:
    """Open a NetCDF-4 file to read; whatever is wrong in it becomes a `ReaderError`."""
    require_ordinary(path)
    with readable_as("NetCDF-4", path), path.open("rb") as stream:
        if stream.read(3) == b"CDF":
            raise ReaderError(f"'{path.name}' is a NetCDF-3 file; convert it to NetCDF-4 ('nccopy -k nc4 IN OUT').")
    with readable_as("NetCDF-4", path), open_hdf5(path) as file:
        yield file


def _others(file: HdfNode, path: Path) -> Arrays:
    """Arrays of a file whose author gave variables and dimensions other names."""
    found = arrays_in(file, path)
    if not found.arrays:
        raise ReaderError(f"'{path.name}' holds no variable 'counts' (y, x, spectral), nor other arrays; choose a file with a map.")
    return found


def _items(file: HdfNode, groups: Iterable[str]) -> list[Item]:
    return [_item(file[group] if group else file, group or ROOT_ITEM) for group in groups]


def _item(group: HdfNode, name: str) -> Item:
    shape, axis = describe_map_group(group, name)
    return Item(name, shape, axis, is_map=shape[0] * shape[1] > 1)
