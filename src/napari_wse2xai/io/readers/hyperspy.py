"""HyperSpy's own files: ``.hspy`` (HDF5) and ``.zspy`` (a Zarr folder), laid out alike.

``Experiments/NAME`` holds ``data``, the groups ``axis-0``, ``axis-1``... with their attributes, and ``metadata``.  RosettaSciIO, which
writes them, is under the GPL and reads ``.zspy`` with Zarr 2 only; h5py and Zarr 3 need no more than this module.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.hdf5 import lies_inside, open_hdf5, require_real, require_stored
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.netcdf import text_of
from napari_wse2xai.io.signal_axes import Axis
from napari_wse2xai.io.signals import Signal, items_of, map_of
from napari_wse2xai.io.told import Told
from napari_wse2xai.io.zarr_store import open_store, read_array, require_whole_chunks
from napari_wse2xai.io.zarr_store import require_stored as require_zarr_stored

FORMATS = (
    Format(
        "HyperSpy",
        ("*.hspy", "*.h5", "*.hdf5"),
        order=80,
        holds="every experiment with one spectral axis; of more than two other axes, such as a map at several times, each map is an item",
        needs="h5py, zarr",
        licence="BSD-3, MIT",
    ),
    Format("HyperSpy in Zarr", ("*.zspy",), is_folder=True, order=100, holds="the same, a folder", needs="zarr", licence="MIT"),
)

_DEEPEST = 20


def recognises(path: Path) -> bool:
    """Whether an HDF5 file of a common name is one of HyperSpy's."""
    import h5py

    if not h5py.is_hdf5(path):
        return False
    with readable_as("HDF5", path), open_hdf5(path, whole=False) as file:
        return lies_inside(file, "Experiments") and text_of(file.attrs, "file_format").lower() == "hyperspy"


def items(path: Path) -> tuple[Item, ...]:
    """List the experiments; nothing but their axes is read."""
    with _experiments(path) as signals:
        return items_of(signals)


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one of them."""
    with _experiments(path) as signals:
        return map_of(signals, item, told, path)


@contextmanager
def _experiments(path: Path) -> Iterator[list[Signal]]:
    with readable_as("a HyperSpy file", path), _open(path) as file:
        if "Experiments" not in file:
            raise ReaderError(f"'{path.name}' is not a HyperSpy file, whatever its name says; choose another file.")
        group = file["Experiments"]
        yield [_signal(group[name], str(name)) for name in group if "data" in group[name]]


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    if path.is_dir():
        yield open_store(path)
        return
    with open_hdf5(path) as file:
        yield file


def _signal(group: HdfNode, name: str) -> Signal:
    data = group["data"]
    _require_stored(data)
    axes = tuple(Axis.of(_axis_record(group[f"axis-{index}"]), size) for index, size in enumerate(data.shape))
    return Signal(name, axes, _nested(group["metadata"]) if "metadata" in group else {}, lambda index: _values(data, index))


def _values(data: Any, index: Any = ...) -> Any:
    """Numbers of an array, in HDF5 or Zarr: all of them, in their file where they are many, or a part."""
    import h5py

    _require_stored(data)
    require_real(np.dtype(data.dtype), str(data.name))
    if not isinstance(data, h5py.Dataset):
        require_whole_chunks(data)
    if index is not ...:
        return np.asarray(data[index])
    if isinstance(data, h5py.Dataset):
        from napari_wse2xai.io.netcdf import read_values

        return read_values(data)
    return read_array(data)


def _require_stored(data: Any) -> None:
    """Refuse a size that the file cannot hold, before an axis of that length is made."""
    import h5py

    if isinstance(data, h5py.Dataset):
        require_stored(data)
    else:
        require_zarr_stored(data)


def _axis_record(group: HdfNode) -> Mapping[str, Any]:
    record = dict(group.attrs)
    return record if "axis" not in group else {**record, "axis": _values(group["axis"])}


def _nested(group: HdfNode, depth: int = 0) -> dict[str, Any]:
    """Attributes of a group and of all groups in it."""
    found = dict(group.attrs)
    for name in group if depth < _DEEPEST else ():
        if hasattr(group[name], "keys"):
            found[str(name)] = _nested(group[name], depth + 1)
    return found
