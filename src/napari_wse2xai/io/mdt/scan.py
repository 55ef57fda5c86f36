"""Frames of the older layout: scans, single curves, and curves at points of a scan.

A body begins with variables (three axis scales first), then come mode, nx, ny and the number of points as 16-bit numbers,
the values, the title and an XML text in UTF-16.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind
from napari_wse2xai.io.mdt.binary import UM_PER, UNITS, Cursor, entries, laser_of, scaled, xml_of
from napari_wse2xai.io.mdt.contents import About, Content, Image, Other, Spectra, optical_kind, upright_frame

_INT16 = "<i2"


@dataclass(frozen=True)
class MdtScale:
    """Value of index i is offset + i step."""

    offset: float
    step: float
    unit: str


@dataclass(frozen=True)
class _Layout:
    x: MdtScale
    y: MdtScale
    z: MdtScale
    nx: int
    ny: int
    points: NDArray[np.float32]
    """(m, 4): x, y and, as integers in the same bytes, the lengths of the curves there and back."""
    points_unit: str
    cursor: Cursor
    """Where the values begin."""


def _layout(body: memoryview, n_variables: int) -> _Layout:
    variables = Cursor(body)
    x, y, z = (_scale(variables) for _ in range(3))
    cursor = Cursor(body, n_variables)
    _, nx, ny, n_points = cursor.unpack("4H")
    points, unit = (_points(cursor, n_points)) if n_points else (np.empty((0, 4), np.float32), "um")
    return _Layout(x, y, z, nx, ny, points, unit, cursor)


def _scale(cursor: Cursor) -> MdtScale:
    offset, step, unit = cursor.unpack("ffh")
    return MdtScale(float(np.nan_to_num(offset)), abs(float(np.nan_to_num(step))) or 1.0, UNITS.get(unit, ""))


def _points(cursor: Cursor, count: int) -> tuple[NDArray[np.float32], str]:
    (head_size,) = cursor.unpack("i")
    _, _, unit = Cursor(cursor.take(head_size)).unpack("iih")
    return cursor.array("<f4", 4 * count).reshape(count, 4), UNITS.get(unit, "")


def _described(about: About, cursor: Cursor) -> About:
    """Add what stands behind the values: title and XML."""
    if cursor.left < 4:
        return about
    name = cursor.text(cursor.unpack("I")[0]) or about.name
    root = xml_of(cursor.take(cursor.unpack("I")[0])) if cursor.left >= 4 else None
    metadata = dict(entries(root))
    return replace(about, name=name, metadata=metadata, laser_nm=laser_of(metadata))


def scan_content(body: memoryview, n_variables: int, about: About) -> Content:
    """Scan of one quantity; the file's first row is the lowest."""
    layout = _layout(body, n_variables)
    values = layout.cursor.array(_INT16, layout.nx * layout.ny).reshape(layout.ny, layout.nx)
    about = _described(about, layout.cursor)
    if not values.size or layout.x.unit not in UM_PER or layout.y.unit not in UM_PER:
        return Other(about, f"scan over {layout.y.unit or '?'} and {layout.x.unit or '?'}, no picture", (layout.ny, layout.nx, 1))
    y_um, x_um = UM_PER[layout.y.unit], UM_PER[layout.x.unit]
    frame = upright_frame(
        (layout.ny, layout.nx), (layout.y.offset * y_um, layout.x.offset * x_um), (layout.y.step * y_um, layout.x.step * x_um)
    )
    return Image(about, frame, layout.z.unit, lambda: scaled(values[::-1], layout.z.offset, layout.z.step))


def measured_curve_content(body: memoryview, n_variables: int, about: About) -> Content:
    """Spectrum of Nanofinder: its axis, then its intensities, in single precision."""
    layout = _layout(body, n_variables)
    if layout.ny != 2 or len(layout.points) or not layout.nx:
        return Other(about, f"{layout.ny} rows of {layout.nx} values in a frame of spectra, a layout that is not known", is_known=False)
    axis = layout.cursor.array("<f4", layout.nx).astype(np.float64)
    values = layout.cursor.array("<f4", layout.nx)
    about = _described(about, layout.cursor)
    kind = optical_kind(layout.x.unit, layout.z.unit, about.laser_nm)
    if kind is None:
        return _not_optical(about, layout, 1)
    return Spectra(about, axis, kind, layout.z.unit or "counts", 1, lambda: values[None, :].astype(np.float32))


def curve_content(body: memoryview, n_variables: int, about: About) -> Content:
    """Curves over an equidistant axis: one after the other, or at points of a scan, there and back."""
    layout = _layout(body, n_variables)
    lengths = layout.points.view("<i4")[:, 2:].astype(np.int64)
    n_values = int(lengths.sum()) if len(lengths) else layout.nx * layout.ny
    if lengths.size and lengths.min() < 0:
        raise ValueError("a curve of negative length")
    values = layout.cursor.array(_INT16, n_values)
    about = _described(about, layout.cursor)
    kind = optical_kind(layout.x.unit, layout.z.unit, about.laser_nm)
    if kind is None or not n_values:
        return _not_optical(about, layout, max(len(lengths), 1))
    if not len(lengths):
        return _spectra(about, layout, kind, values.reshape(layout.ny, layout.nx))
    if len(np.unique(lengths[:, 0])) > 1:
        return Other(about, f"{len(lengths)} spectra of different lengths", is_known=False)
    starts = np.concatenate(([0], np.cumsum(lengths.sum(axis=1))[:-1]))
    there = values[starts[:, None] + np.arange(lengths[0, 0])] if lengths[0, 0] else np.empty((len(lengths), 0), np.int16)
    um = UM_PER.get(layout.points_unit)
    return _spectra(about, layout, kind, there, None if um is None else layout.points[:, 1::-1].astype(np.float64) * um)


def _spectra(about: About, layout: _Layout, kind: AxisKind, values: NDArray[np.int16], yx_um: NDArray[np.float64] | None = None) -> Content:
    n_spectra, n_channels = values.shape
    axis = layout.x.offset + layout.x.step * np.arange(n_channels, dtype=np.float64)
    unit = layout.z.unit or "counts"
    return Spectra(about, axis, kind, unit, n_spectra, lambda: scaled(values, layout.z.offset, layout.z.step), yx_um=yx_um)


def _not_optical(about: About, layout: _Layout, n_curves: int) -> Other:
    what = f"not optical: curves in {layout.z.unit or 'no unit'} over {layout.x.unit or 'no unit'}"
    return Other(about, what, (n_curves, 1, layout.nx))
