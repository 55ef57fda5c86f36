"""Frames of curves at points: named blocks, of which ``index.xml`` says how they belong together."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.io.mdt.binary import UM_PER, Cursor, entries, laser_of, text_of, xml_of
from napari_wse2xai.io.mdt.contents import About, Content, Other, Spectra, optical_kind

_INDEX, _PARAMETERS = "index.xml", "__xmlparams.xml"
_TYPES = {"float64": "<f8", "float32": "<f4", "int32": "<i4"}


@dataclass(frozen=True)
class _Index:
    """Entries of the index by kind, each list in the order of its numbers."""

    names: list[ET.Element]
    axes: list[ET.Element]
    measured: list[ET.Element]
    data: list[ET.Element]
    points: list[ET.Element]

    def quantity(self, element: ET.Element) -> ET.Element:
        """What an axis or a measured curve is of."""
        return self.names[_number(element, "name")]


@dataclass(frozen=True)
class _Curves:
    """One curve per point, all over one axis."""

    index: _Index
    blocks: dict[str, memoryview]
    measured: list[ET.Element]

    @property
    def axis(self) -> ET.Element:
        """Their axis."""
        return self.index.axes[_number(self.measured[0], "axis0")]

    @property
    def units(self) -> tuple[str, str]:
        """Units of axis and curve."""
        return self.index.quantity(self.axis).get("unit", ""), self.index.quantity(self.measured[0]).get("unit", "")

    @property
    def what(self) -> str:
        """Both in words."""
        ends = (self.index.quantity(self.measured[0]), self.index.quantity(self.axis))
        return " over ".join(f"{quantity.get('name', 'values')} ({quantity.get('unit', '')})" for quantity in ends)


def curves_content(body: memoryview, about: About) -> Content:
    """Spectra at their points, where the axis is one of light; one curve per point: the first, measured in the axis' direction."""
    blocks = _blocks(body)
    root = xml_of(blocks.get(_INDEX, memoryview(b"")))
    metadata = dict(entries(xml_of(blocks.get(_PARAMETERS, memoryview(b"")))))
    about = replace(about, name=metadata.get("Name", about.name), metadata=metadata, laser_nm=laser_of(metadata))
    if root is None:
        return Other(about, "curves without an index", is_known=False)
    index = _Index(*(sorted(root.iter(tag), key=lambda e: _number(e, "index")) for tag in ("Name", "Axis", "Meas", "Data", "Point")))
    curves = _Curves(index, blocks, [_first_curve(point, index, blocks) for point in index.points])
    if not curves.measured:
        return Other(about, "curves without points", is_known=False)
    return _content(curves, about)


def _content(curves: _Curves, about: About) -> Content:
    axis_unit, unit = curves.units
    yx = np.array([[float(point.get("y", "")), float(point.get("x", ""))] for point in curves.index.points])
    n_channels = _number(curves.axis, "count")
    kind = optical_kind(axis_unit, unit, about.laser_nm)
    if kind is None:
        return Other(about, f"not optical: {curves.what}", (*_grid_of(yx), n_channels))
    entries_of_data = [curves.index.data[_number(curve, "data")] for curve in curves.measured]
    same = {(_number(curve, "axis0"), _number(data, "count")) for curve, data in zip(curves.measured, entries_of_data, strict=True)}
    if len(same) > 1 or (n_channels != next(iter(same))[1]):
        return Other(about, f"{len(yx)} spectra of different axes: {curves.what}", (len(yx), 1, n_channels), is_known=False)
    _require_bytes(curves, entries_of_data)
    um = UM_PER.get(curves.index.points[0].get("unit", ""))
    load = partial(_load, curves, entries_of_data)
    return Spectra(about, _axis_values(curves), kind, unit or "counts", len(yx), load, yx_um=None if um is None else yx * um)


def _blocks(body: memoryview) -> dict[str, memoryview]:
    """Blocks by name; of several with one name the first."""
    cursor = Cursor(body)
    (count,) = cursor.unpack("I")
    sizes = cursor.array("<u4", 2 * count).reshape(count, 2).tolist()
    names = [text_of(bytes(cursor.take(name_size))) for name_size, _ in sizes]
    blocks: dict[str, memoryview] = {}
    for name, (_, size) in zip(names, sizes, strict=True):
        blocks.setdefault(name, cursor.take(size))
    return blocks


def _number(element: ET.Element, key: str) -> int:
    number = int(element.get(key, ""))
    if number < 0:
        raise ValueError(f"{element.tag} with {key} {number}")
    return number


def _first_curve(point: ET.Element, index: _Index, blocks: dict[str, memoryview]) -> ET.Element:
    """First of a point's curves that runs as its axis does; the point's block lists the numbers of its curves."""
    block = Cursor(blocks[point.get("name", "")])
    block.take(_number(point, "offset"))
    curves = [index.measured[number] for number in block.array("<u4", block.left // 4).tolist()]
    return next((curve for curve in curves if curve.get("inverse0") == "0"), curves[0])


def _values(curves: _Curves, entry: ET.Element, quantity: ET.Element) -> NDArray[np.float64]:
    """Values of a data entry; whole numbers are in steps of the quantity's scale."""
    kind = np.dtype(_TYPES[entry.get("type", "")])
    cursor = Cursor(curves.blocks[entry.get("name", "")])
    cursor.take(_number(entry, "offset") * kind.itemsize)
    values = cursor.array(kind, _number(entry, "count")).astype(np.float64)
    return values if kind.kind == "f" else values * float(quantity.get("scale", "1")) + float(quantity.get("bias", "0"))


def _axis_values(curves: _Curves) -> NDArray[np.float64]:
    axis = curves.axis
    if int(axis.get("data", "-1")) >= 0:
        return _values(curves, curves.index.data[_number(axis, "data")], curves.index.quantity(axis))
    return np.linspace(float(axis.get("start", "")), float(axis.get("stop", "")), _number(axis, "count"))


def _require_bytes(curves: _Curves, entries_of_data: list[ET.Element]) -> None:
    """Refuse more numbers than the frame holds bytes of, before an axis of that length is made."""
    n_bytes = sum(_number(entry, "count") * np.dtype(_TYPES[entry.get("type", "")]).itemsize for entry in entries_of_data)
    if n_bytes > sum(map(len, curves.blocks.values())):
        raise ValueError("the index counts more values than the frame holds")


def _load(curves: _Curves, entries_of_data: list[ET.Element]) -> NDArray[np.float32]:
    """All curves, (m, n)."""
    quantity = curves.index.quantity(curves.measured[0])
    return np.array([_values(curves, entry, quantity) for entry in entries_of_data], dtype=np.float32)


def _grid_of(yx: NDArray[np.float64]) -> tuple[int, int]:
    """Rows and columns of points, where these fill a grid."""
    ny, nx = (len(np.unique(values.round(6))) for values in yx.T)
    return (ny, nx) if ny * nx == len(yx) else (len(yx), 1)
