"""NetCDF-4 files with maps: those that this package writes, results of a run, and any with ``counts`` (y, x, spectral)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.hdf5 import open_hdf5
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
        holds="`counts` (y, x, spectral) with coordinates in any group; all that this package writes",
        needs="h5netcdf, h5py",
        licence="BSD-3",
    ),
)

ROOT_ITEM = "map"
"""Name of the map that lies in the root group; others go by their group's name, such as ``raman/map``."""


def items(path: Path) -> tuple[Item, ...]:
    """List the maps in all groups; nothing but their axes is read."""
    with open_netcdf(path) as file:
        return tuple(_items(file, path))


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one map, with the flake found on it."""
    with open_netcdf(path) as file:
        chosen = choose(_items(file, path), item, path)
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


def _items(file: HdfNode, path: Path) -> list[Item]:
    groups = map_groups(file)
    if not groups:
        raise ReaderError(f"'{path.name}' holds no variable 'counts' (y, x, spectral); choose a file with a map.")
    return [_item(file[group] if group else file, group or ROOT_ITEM) for group in groups]


def _item(group: HdfNode, name: str) -> Item:
    shape, axis = describe_map_group(group, name)
    return Item(name, shape, axis, is_map=shape[0] * shape[1] > 1)
