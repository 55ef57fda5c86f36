"""Declared artefacts (`data.declared`) in groups of NetCDF files, both ways: what a file holds is what the fields' annotations say.

Values per pixel of a model or an explanation stand as maps, those of the first flake in the group itself (``/model``), those of others,
whose grids differ, beside it (``/model_flake_2``): xarray wants a group to have its parent's coordinates.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, History, Samples
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.declared import Declared, attributes, declared, variables
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.hdf5 import numbers_of, texts_of
from napari_wse2xai.io.hdf_node import HdfNode

LAYOUT = 2
"""Version of how results lie in a file; what says none is of before this was counted, and is read all the same."""


def put(group: HdfNode, name: str, dimensions: Sequence[str], values: object, **attributes: Any) -> None:
    """Write an array of numbers or texts; dimensions that are not there yet, or have another length further up, are made."""
    stored = np.asarray(values)
    for dimension, size in zip(dimensions, stored.shape, strict=True):
        if dimension not in group.dimensions or group.dimensions[dimension].size != size:
            group.dimensions[dimension] = size
    if stored.dtype.kind in "OU":
        import h5py

        group.create_variable(name, tuple(dimensions), dtype=h5py.string_dtype())[:] = stored.astype(object)
    else:
        stored = stored.astype(np.int8) if stored.dtype == bool else stored
        group.create_variable(name, tuple(dimensions), data=stored if stored.ndim == 0 else np.ascontiguousarray(stored))
    group.variables[name].attrs.update(attributes)


def write(group: HdfNode, artefact: Any, samples: Samples | None = None) -> None:
    """Write every declared field; those per pixel of `samples` as maps."""
    group.attrs.update(attributes(artefact))
    for name, (dims, texts, _) in artefact.coordinates().items():
        if texts.dtype == object and name not in group.variables:
            put(group, name, dims, texts)
    for each in variables(artefact):
        home = inside(group, each.about.group)
        if each.about.empty is not None and samples is not None:
            _put_maps(home, samples, each.name, each.dims[:-1], each.values, empty=each.about.empty, **each.attributes)
        elif each.name not in home.variables and each.values.size:
            put(home, each.name, each.dims, each.values, **each.attributes)


def inside(group: HdfNode, name: str) -> HdfNode:
    """Group within another, with the same history."""
    if not name:
        return group
    if name not in group.groups:
        group.create_group(name).attrs["history"] = group.attrs["history"]
    return group.groups[name]


def read(kind: type, group: HdfNode, samples: Samples | None = None) -> dict[str, Any]:
    """Declared fields of a class that are in a group; what a file of before lacks is left to the class."""
    found: dict[str, Any] = {}
    for each in declared(kind):
        home = group.get(each.about.group) if each.about.group else group
        if each.about.dims is None:
            if each.name in group.attrs:
                found[each.field] = _attribute(each, group)
        elif each.record is not None:
            found[each.field] = () if home is None else _records(each.record, home)
        elif home is not None and each.name in home:
            found[each.field] = _values(each, home, samples)
    return found


def _attribute(each: Declared, group: HdfNode) -> Any:
    value, text = group.attrs[each.name], netcdf.text_of(group.attrs, each.name)
    if each.hint == History:
        return histories.from_json(text) if text else ()
    if each.hint is str:
        return text
    if each.hint in (int, float):
        return each.hint(np.asarray(value).item())
    if each.is_numbers:
        return tuple(np.asarray(value, dtype=np.float64).tolist())
    return from_plain(each.hint | None if each.optional else each.hint, json.loads(text or "[]"))


def from_plain(hint: Any, value: Any) -> Any:
    """Value of its kind from JSON, which may be a stranger's: a ValueError, TypeError or LookupError tells that it is none."""
    kinds = get_args(hint)
    if is_dataclass(hint):
        return hint(**{each.name: from_plain(each.type, value[each.name]) for each in fields(hint)})  # type: ignore[operator]
    if get_origin(hint) is tuple:
        each = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        return tuple(from_plain(kind, part) for kind, part in zip(each, value, strict=True))
    if get_origin(hint) is Mapping:
        return {str(key): from_plain(kinds[1], part) for key, part in dict(value).items()}
    if get_origin(hint) is UnionType:
        return None if value is None else from_plain(kinds[0], value)
    return value if hint is Any else hint(value)


def _values(each: Declared, home: HdfNode, samples: Samples | None) -> Any:
    if each.about.empty is not None and samples is not None:
        values = _values_of_maps(home, samples, each.name)
        return values.astype(bool) if each.is_true_or_false else values
    values = _column(each, home)
    if get_origin(each.hint) in (dict, Mapping):
        assert each.about.dims is not None
        known = each.about.only or each.about.keys
        return {key: value for key, value in zip(texts_of(home[each.about.dims[0]]), values, strict=True) if not known or key in known}
    return values


def _column(each: Declared, home: HdfNode) -> Any:
    """Values of a variable of the kind that its field has: an array, texts, or numbers within tuples."""
    import h5py

    if h5py.check_string_dtype(home[each.name].dtype) is not None:
        return texts_of(home[each.name])
    values = numbers_of(home[each.name])
    if each.is_array:
        return values.astype(bool) if each.is_true_or_false else values
    return _tuples(values.astype(bool) if each.hint is bool else values)


def _tuples(values: NDArray[Any]) -> Any:
    return tuple(map(_tuples, values)) if values.ndim > 1 else tuple(values.tolist())


def _records(kind: type, home: HdfNode) -> tuple[Any, ...]:
    """Records of which each field is a variable; a number that is none stands for None where the field allows that."""
    columns = {each.field: _column(each, home) for each in declared(kind) if each.name in home}
    optional = {each.field for each in declared(kind) if each.hint is float and each.optional}
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return tuple(kind(**{name: None if name in optional and np.isnan(value) else value for name, value in row.items()}) for row in rows)


def make_flakes(group: HdfNode, samples: Samples, history: str) -> None:
    """Give a group the coordinates of the first flake, and every other flake a group beside it."""
    group.attrs["history"] = history
    netcdf.write_frame(group, samples.frames[0])
    for index, frame in enumerate(samples.frames[1:], start=1):
        other = group.parent.create_group(_beside(group, index))
        other.attrs.update({"name": samples.names[index], "history": history})
        netcdf.write_frame(other, frame)


def _put_maps(
    group: HdfNode, samples: Samples, name: str, dimensions: Sequence[str], values: NDArray[Any], *, empty: float, **about: Any
) -> None:
    """Write values (..., n) per sample as maps (..., y, x), one for each flake; `empty` stands where there is no sample."""
    for home, index, frame in _homes(group, samples):
        here = samples.flake == index
        maps = np.full((*values.shape[:-1], *frame.shape), empty, dtype=np.int8 if values.dtype == bool else values.dtype)
        maps[..., samples.row[here], samples.column[here]] = values[..., here]
        put(home, name, (*dimensions, "y", "x"), maps, **about)


def _values_of_maps(group: HdfNode, samples: Samples, name: str) -> NDArray[Any]:
    """Values (..., n) per sample that `_put_maps` wrote."""
    found: list[NDArray[Any]] = []
    for home, index, frame in _homes(group, samples):
        here = samples.flake == index
        if home[name].shape[-2:] != frame.shape:
            raise ReaderError(f"'{home[name].name}' has other pixels than its flake; the file is damaged, copy it again.")
        found.append(numbers_of(home[name])[..., samples.row[here], samples.column[here]])
    values = np.empty((*found[0].shape[:-1], len(samples)), dtype=found[0].dtype)
    for index, part in enumerate(found):
        values[..., samples.flake == index] = part
    return values


def _homes(group: HdfNode, samples: Samples) -> Iterator[tuple[HdfNode, int, Frame]]:
    for index, frame in enumerate(samples.frames):
        yield (group.parent[_beside(group, index)] if index else group), index, frame


def _beside(group: HdfNode, flake: int) -> str:
    """Name of a flake's group beside that of the first."""
    return f"{group.name.rpartition('/')[2]}_flake_{flake + 1}"
