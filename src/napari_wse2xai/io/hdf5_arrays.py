"""The arrays of an HDF5 file: plain ones, with dimension scales, in NeXus groups, and those of MATLAB 7.3, which counts backwards."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.arrays import Array, Arrays
from napari_wse2xai.io.hdf5 import lies_elsewhere, lies_inside, require_stored
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.netcdf import is_mere_size, read_values, text_of

_MOST = 5000
"""Data sets looked at; no file of spectra has more."""
_LONGEST_TEXT = 500
_HARMLESS = 1 << 16
"""Bytes that a single text or number may claim, though the file never wrote it."""
_INTERNAL = "#"
"""First letter of the groups in which MATLAB keeps what is not for the user."""
_MATLAB = "MATLAB_class"
_UNITS = ("units", "unit", "Units", "Unit")


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5, also behind the text that MATLAB puts before it."""
    import h5py

    return bool(h5py.is_hdf5(path))


def arrays_in(file: HdfNode, path: Path) -> Arrays:
    """All arrays, texts and single numbers of an open file; nothing but single numbers is read, and nothing of another file."""
    found: list[Array] = []
    texts: dict[str, str] = {}
    backwards = any(_MATLAB in file[name].attrs for name in islice(file, _MOST) if lies_inside(file, name))
    elsewhere = list(_links_out(file))
    for name, dataset in _datasets(file, path):
        if lies_elsewhere(dataset.id):
            elsewhere.append(name)
        elif is_mere_size(dataset):
            continue
        elif not dataset.size or (value := _single(dataset)) is not None:
            texts |= {name: value} if dataset.size and value else {}
        elif dataset.dtype.kind in "iufc" or _is_complex(dataset):
            found.append(_array(name, dataset, backwards=backwards))
            texts |= dict(_attributes(dataset, f"{name}/"))
    return Arrays(found, texts | dict(_attributes(file, "")), is_columns_first=backwards, elsewhere=tuple(elsewhere))


def _datasets(file: HdfNode, path: Path) -> Iterator[tuple[str, Any]]:
    """Data sets by name, those that NeXus groups link to as well; other files are never opened for it."""
    import h5py

    found: dict[str, Any] = {}

    def visit(name: str, node: object) -> bool | None:
        if isinstance(node, h5py.Dataset):
            found[name] = node
        elif isinstance(node, h5py.Group):
            found.update(_linked(node))
        return True if len(found) > _MOST else None

    file.visititems(visit)
    if len(found) > _MOST:
        raise ReaderError(f"'{path.name}' holds more than {_MOST} arrays; save the map alone.")
    seen = set()
    for name, dataset in sorted(found.items(), key=lambda pair: pair[0].count("/")):
        if not name.startswith(_INTERNAL) and dataset.id not in seen:
            yield name, dataset
        seen.add(dataset.id)


def _links_out(file: HdfNode) -> Iterator[str]:
    """Names of links to other files."""
    import h5py

    found: list[bytes] = []

    def look(name: bytes, link: Any) -> int | None:
        if link.type not in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT):
            found.append(bytes(name))
        return 1 if len(found) > _MOST else None

    file.id.links.visit(look, info=True)
    yield from (name.decode("utf-8", "replace") for name in found)


def _linked(group: HdfNode) -> Iterator[tuple[str, Any]]:
    """Data sets that links of a group lead to within the file."""
    import h5py

    for name in group:
        is_soft = isinstance(group.get(name, getlink=True), h5py.SoftLink)
        if is_soft and lies_inside(group.file, f"{group.name}/{name}") and isinstance(node := group.get(name), h5py.Dataset):
            yield f"{group.name}/{name}".lstrip("/"), node


def _single(dataset: HdfNode) -> str | None:
    """Text or number of a data set that holds one; None where it holds more."""
    if dataset.size == 1 or text_of(dataset.attrs, _MATLAB) == "char":
        require_stored(dataset, harmless=_HARMLESS)
    if text_of(dataset.attrs, _MATLAB) == "char":
        return bytes(np.asarray(dataset[()], dtype=np.uint16).ravel()[:_LONGEST_TEXT]).decode("utf-16-le", "replace")
    if dataset.size != 1 or dataset.dtype.kind not in "iufSOU":
        return None if dataset.dtype.kind in "iufc" or _is_complex(dataset) else ""
    value = np.asarray(dataset[()]).item()
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))[:_LONGEST_TEXT]


def _attributes(node: HdfNode, above: str) -> Iterator[tuple[str, str]]:
    """Texts and numbers that a file or a data set has as attributes."""
    for name in node.attrs:
        value = node.attrs[name]
        if isinstance(value, str | int | float | np.number) and name not in (*_UNITS, _MATLAB):
            yield f"{above}{name}", str(value)[:_LONGEST_TEXT]


def _is_complex(dataset: HdfNode) -> bool:
    """Whether it holds complex numbers as MATLAB writes them."""
    return set(dataset.dtype.names or ()) == {"real", "imag"}


def _array(name: str, dataset: HdfNode, *, backwards: bool) -> Array:
    shape = tuple(int(size) for size in dataset.shape)
    unit = next((text for key in _UNITS if (text := text_of(dataset.attrs, key))), "")
    kind = "c" if _is_complex(dataset) else dataset.dtype.kind
    axes = () if backwards else _axes_of(dataset, name)
    return Array(name, shape[::-1] if backwards else shape, kind, lambda index: _numbers(dataset, index, backwards=backwards), unit, axes)


def _numbers(dataset: HdfNode, index: Any, *, backwards: bool) -> Any:
    require_stored(dataset)
    if _is_complex(dataset):
        return np.zeros(1, dtype=np.complex64)
    if not backwards:
        return read_values(dataset, index)
    turned = read_values(dataset).T
    return turned if index is ... else np.asarray(turned[index])


def _axes_of(dataset: HdfNode, name: str) -> tuple[str, ...]:
    """Names of the axes of its dimensions: of its NeXus group, or of its dimension scales."""
    signal = text_of(dataset.parent.attrs, "signal")
    listed = dataset.parent.attrs.get("axes") if signal == name.rpartition("/")[2] else dataset.attrs.get("axes")
    if isinstance(listed, str):
        listed = listed.strip("[]").replace(",", ":").split(":")
    if listed is not None and len(listed) == dataset.ndim:
        return tuple(each.decode() if isinstance(each, bytes) else str(each) for each in listed)
    return tuple(dimension[0].name.lstrip("/") if len(dimension) else "" for dimension in dataset.dims)
