"""Samples in ``results.nc``, and values per sample as maps.

Those of the first flake stand in the group itself (``/model``), those of others, whose grids differ, beside it (``/model_flake_2``): xarray
wants a group to have its parent's coordinates.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, Line, Samples
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.hdf5 import numbers_of, texts_of

_COLUMNS = {
    "features": ("pixel", "feature"),
    "feature_errors": ("pixel", "feature"),
    "filled": ("pixel", "feature"),
    "targets": ("pixel", "target"),
    "target_errors": ("pixel", "target"),
    "flake": ("pixel",),
    "row": ("pixel",),
    "column": ("pixel",),
}
_MEANINGS = {
    "features": "position, FWHM and height of every RS line",
    "feature_errors": "one standard error of each",
    "filled": "1 where the median of the flake stands in for a value that is missing",
    "targets": "PL parameters to be predicted",
    "target_errors": "one standard error of each",
    "flake": "flake that the pixel lies on, from 0",
    "row": "row of the flake's RS map",
    "column": "column of the flake's RS map",
}
_TEXTS = ("pl_peak", "axis_unit", "intensity_unit")


def put(group: Any, name: str, dimensions: Sequence[str], values: NDArray[Any], **attributes: Any) -> None:
    """Write an array; dimensions that are not there yet, or have another length further up, are made."""
    for dimension, size in zip(dimensions, values.shape, strict=True):
        if dimension not in group.dimensions or group.dimensions[dimension].size != size:
            group.dimensions[dimension] = size
    stored = values.astype(np.int8) if values.dtype == bool else values
    variable = group.create_variable(name, tuple(dimensions), data=stored if stored.ndim == 0 else np.ascontiguousarray(stored))
    variable.attrs.update(attributes)


def put_texts(group: Any, name: str, dimension: str, texts: Sequence[str]) -> None:
    """Write a list of texts."""
    import h5py

    if dimension not in group.dimensions:
        group.dimensions[dimension] = len(texts)
    variable = group.create_variable(name, (dimension,), dtype=h5py.string_dtype())
    variable[:] = np.array(texts, dtype=object)


def texts(group: Any, name: str) -> tuple[str, ...]:
    """List of texts that `put_texts` wrote."""
    return texts_of(group[name])


def write_samples(group: Any, samples: Samples, history: str) -> None:
    """Write the table: one row per pixel."""
    put_texts(group, "feature", "feature", samples.feature_names)
    put_texts(group, "feature_unit", "feature", samples.feature_units)
    put_texts(group, "target", "target", samples.target_names)
    put_texts(group, "target_unit", "target", samples.target_units)
    for name, dimensions in _COLUMNS.items():
        put(group, name, dimensions, getattr(samples, name), long_name=_MEANINGS[name])
    put_texts(group, "line", "line", [line.name for line in samples.lines])
    put_texts(group, "shape", "line", [line.shape for line in samples.lines])
    put(group, "form", ("line",), np.array([np.nan if line.form is None else line.form for line in samples.lines], dtype=np.float64))
    put(group, "own_form", ("line",), np.array([line.own_form for line in samples.lines]))
    put(group, "window", ("line", "limit"), np.array([line.window for line in samples.lines], dtype=np.float64), units=samples.axis_unit)
    group.attrs["frames"] = json.dumps([frame.as_record() for frame in samples.frames], ensure_ascii=False)
    group.attrs["names"] = json.dumps(samples.names, ensure_ascii=False)
    group.attrs["history"] = history
    for name in _TEXTS:
        group.attrs[name] = getattr(samples, name)


def read_samples(group: Any) -> Samples:
    """Read what `write_samples` wrote."""
    fields: dict[str, Any] = {name: numbers_of(group[name]) for name in _COLUMNS}
    fields["filled"] = fields["filled"].astype(bool)
    fields |= {name: netcdf.text_of(group.attrs, name) for name in _TEXTS}
    return Samples(
        lines=_lines(group),
        computed_units={
            name.removesuffix(".value"): unit
            for name, unit in zip(texts(group, "feature"), texts(group, "feature_unit"), strict=True)
            if name.endswith(".value")
        },
        target_names=texts(group, "target"),
        target_units=texts(group, "target_unit"),
        frames=tuple(_frame(entry) for entry in json.loads(netcdf.text_of(group.attrs, "frames"))),
        names=tuple(json.loads(netcdf.text_of(group.attrs, "names"))),
        **fields,
    )


def _lines(group: Any) -> tuple[Line, ...]:
    """Lines; files of before know nothing of forms."""
    windows = [(float(low), float(high)) for low, high in numbers_of(group["window"])]
    forms = numbers_of(group["form"]) if "form" in group else np.full(len(windows), np.nan)
    own = numbers_of(group["own_form"]).astype(bool) if "own_form" in group else np.zeros(len(windows), dtype=bool)
    each = zip(texts(group, "line"), texts(group, "shape"), windows, forms, own, strict=True)
    return tuple(Line(name, shape, window, float(f) if np.isfinite(f) else None, own_form=bool(o)) for name, shape, window, f, o in each)


def _frame(entry: Any) -> Frame:
    """Frame from its record; files of version 0.1 hold a list of the first four values."""
    return Frame.from_record(
        entry if isinstance(entry, dict) else dict(zip(("shape", "step_um", "origin_um", "sample"), entry, strict=True))
    ).checked()


def make_flakes(group: Any, samples: Samples, history: str) -> None:
    """Give a group the coordinates of the first flake, and every other flake a group beside it."""
    group.attrs["history"] = history
    netcdf.write_frame(group, samples.frames[0])
    for index, frame in enumerate(samples.frames[1:], start=1):
        other = group.parent.create_group(_beside(group, index))
        other.attrs.update({"name": samples.names[index], "history": history})
        netcdf.write_frame(other, frame)


def put_maps(
    group: Any, samples: Samples, name: str, dimensions: Sequence[str], values: NDArray[Any], *, empty: float, **about: Any
) -> None:
    """Write values (..., n) per sample as maps (..., y, x), one for each flake; `empty` stands where there is no sample."""
    for home, index, frame in _homes(group, samples):
        here = samples.flake == index
        maps = np.full((*values.shape[:-1], *frame.shape), empty, dtype=np.int8 if values.dtype == bool else values.dtype)
        maps[..., samples.row[here], samples.column[here]] = values[..., here]
        put(home, name, (*dimensions, "y", "x"), maps, **about)


def values_of_maps(group: Any, samples: Samples, name: str) -> NDArray[Any]:
    """Values (..., n) per sample that `put_maps` wrote."""
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


def _homes(group: Any, samples: Samples) -> Iterator[tuple[Any, int, Frame]]:
    for index, frame in enumerate(samples.frames):
        yield (group.parent[_beside(group, index)] if index else group), index, frame


def _beside(group: Any, flake: int) -> str:
    """Name of a flake's group beside that of the first."""
    return f"{group.name.rpartition('/')[2]}_flake_{flake + 1}"
