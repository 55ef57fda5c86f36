"""Frames of the newer layout: an array of cells along calibrated dimensions, with one or more quantities per cell."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.mdt.binary import UM_PER, Cursor, entries, laser_of, scaled, text_of, xml_of
from napari_wse2xai.io.mdt.contents import About, Content, Image, Other, Spectra, optical_kind, upright_frame

_TYPES = {-1: "i1", 1: "u1", -2: "<i2", 2: "<u2", -4: "<i4", 4: "<u4", -8: "<i8", 8: "<u8"} | {
    -(4 + 23 * 256): "<f4",
    -(8 + 52 * 256): "<f8",
}
_SI_UNITS = {0x101: "m", 0x100001: "A", 0xFFFD010200: "V", 0x1000001: "s"}
_UNLIMITED = (1 << 64) - 1
_LOCATIONS = ("HLT", "HLB", "HRT", "HRB", "VLT", "VLB", "VRT", "VRB")
"""How a map was scanned: rows or columns (horizontal, vertical), from the left or right, from the top or bottom."""


@dataclass(frozen=True)
class Calibration:
    """A dimension or a quantity: value of number i is bias + i scale."""

    name: str
    unit: str
    bias: float
    scale: float
    count: int
    """Number of cells along a dimension; 0 for a quantity."""
    type: str
    comment: memoryview

    @property
    def um(self) -> float | None:
        """Micrometres per unit, of a length."""
        return UM_PER.get(self.unit)


@dataclass(frozen=True)
class _Array:
    about: About
    dimensions: list[Calibration]
    quantities: list[Calibration]
    n_cells: int
    data: Cursor

    @property
    def what(self) -> str:
        """Both in words."""
        over = ", ".join(f"{d.count} {d.unit}".strip() for d in self.dimensions) or f"{self.n_cells}"
        return f"{' and '.join(q.name or q.unit or 'values' for q in self.quantities)} over {over}"


def array_content(body: memoryview, about: About, folder: Path) -> Content:
    """Scan, single spectrum, or map of spectra; anything else is not known."""
    array = _array(body, about)
    sizes = len(array.dimensions), len(array.quantities)
    frame_type = array.about.metadata.get("FrameType", "")
    if any(not q.type for q in array.quantities) or frame_type.startswith("HybridForceVolume"):
        return Other(array.about, f"not optical: {array.what}")
    if sizes == (2, 1):
        return _image(array)
    if sizes == (0, 2):
        return _spectrum(array)
    if sizes[0] == 3 and sizes[1] >= 2:
        return _map(array, frame_type.startswith("Spectra2DFullSpectrum"), folder)
    return Other(array.about, f"array of a layout that is not known: {array.what}", is_known=False)


def _array(body: memoryview, about: About) -> _Array:
    cursor = Cursor(body)
    head_size, _ = cursor.unpack("II")
    # Counters and places of a preview, which a map does not need.
    cursor.take(36)
    name_size, xml_size, view_size, spec_size, source_size, _, _, _ = cursor.unpack("8I")
    cursor = Cursor(body, head_size)
    name = cursor.text(name_size) or about.name
    metadata = dict(entries(xml_of(cursor.take(xml_size))))
    cursor.take(view_size + spec_size + source_size + 4)
    structure = Cursor(cursor.take(cursor.unpack("I")[0]))
    n_cells, _, n_dimensions, n_quantities = structure.unpack("QIII")
    dimensions = [_calibration(cursor) for _ in range(n_dimensions)]
    quantities = [_calibration(cursor) for _ in range(n_quantities)]
    about = replace(about, name=name, metadata=metadata, laser_nm=laser_of(metadata))
    return _Array(about, dimensions, quantities, n_cells, cursor)


def _calibration(cursor: Cursor) -> Calibration:
    (size,) = cursor.unpack("I")
    if size < 8:
        raise ValueError(f"a calibration of {size} bytes")
    own = Cursor(cursor.take(size - 4))
    (struct_size,) = own.unpack("I")
    numbers = Cursor(own.take(struct_size))
    name_size, comment_size, unit_size, si_unit, _, _, bias, scale, first, last, kind, _ = numbers.unpack("IIIQdQddQQiI")
    name, comment, unit = own.take(name_size), own.take(comment_size), text_of(bytes(own.take(unit_size)))
    # A quantity has as many values as there are cells: its last index says "any".
    count = 0 if last == _UNLIMITED else last - first + 1
    if not np.isfinite([bias, scale]).all() or count < 0:
        raise ValueError("a calibration without sense")
    return Calibration(text_of(bytes(name)), unit or _SI_UNITS.get(si_unit, ""), bias, scale, count, _TYPES.get(kind, ""), comment)


def _image(array: _Array) -> Content:
    """Scan of one quantity; the file's first row is the lowest."""
    (x, y), (z,) = array.dimensions, array.quantities
    shape = (y.count, x.count)
    if x.um is None or y.um is None or not x.count * y.count:
        return Other(array.about, f"no picture: {array.what}", (*shape, 1))
    values = array.data.array(z.type, x.count * y.count).reshape(shape)
    frame = upright_frame(shape, (y.bias * y.um, x.bias * x.um), (y.scale * y.um, x.scale * x.um))
    return Image(array.about, frame, z.unit, lambda: scaled(values[::-1], z.bias, z.scale))


def _spectrum(array: _Array) -> Content:
    """One curve: its axis and its intensity side by side."""
    x, y = array.quantities
    count = x.count or array.n_cells
    values = array.data.array([("x", x.type), ("y", y.type)], count)
    kind = optical_kind(x.unit, _intensity(y.unit), array.about.laser_nm)
    if kind is None or not count:
        return Other(array.about, f"not optical: {array.what}", (1, 1, count))
    axis = x.bias + x.scale * values["x"].astype(np.float64)
    return Spectra(array.about, axis, kind, _intensity(y.unit), 1, lambda: scaled(values["y"][None, :], y.bias, y.scale))


def _map(array: _Array, spectral_first: bool, folder: Path) -> Content:
    """Map of spectra: the intensities of pixel after pixel, then the spectral axis; or the intensities in a file of their own."""
    z, x, y = array.dimensions if spectral_first else (array.dimensions[2], *array.dimensions[:2])
    intensity, wave = array.quantities[:2]
    shape = (y.count, x.count, z.count)
    kind = optical_kind(wave.unit, _intensity(intensity.unit), array.about.laser_nm)
    if kind is None or not z.count or x.um is None or y.um is None or {intensity.type, wave.type} != {"<f4"}:
        return Other(array.about, f"not optical: {array.what}", shape)
    external = array.about.metadata.get("ExternalDataFileName", "")
    values = None if external else array.data.array("<f4", shape[0] * shape[1] * shape[2])
    axis = wave.bias + wave.scale * array.data.array("<f4", z.count).astype(np.float64)
    location = _location(array.about)
    load = partial(_cube, values, folder / PureWindowsPath(external).name, shape, location, (intensity.bias, intensity.scale))
    frame = upright_frame(shape[:2], (y.bias * y.um, x.bias * x.um), (y.scale * y.um, x.scale * x.um))
    return Spectra(array.about, axis, kind, _intensity(intensity.unit), shape[0] * shape[1], load, frame)


def _location(about: About) -> str:
    number = about.metadata.get("Location", "0")
    return _LOCATIONS[int(number)] if number.isdigit() and int(number) < len(_LOCATIONS) else _LOCATIONS[0]


def _cube(
    values: NDArray[np.float32] | None, external: Path, shape: tuple[int, int, int], location: str, calibration: tuple[float, float]
) -> NDArray[np.float32]:
    ny, nx, n = shape
    if values is None:
        values = _external(external, ny * nx * n)
    # Pixels lie in the order of the scan: column after column where the fast direction was vertical.
    cube = values.reshape(nx, ny, n).transpose(1, 0, 2) if location[0] == "V" else values.reshape(shape)
    cube = cube[:, ::-1] if location[1] == "R" else cube
    return scaled(cube[::-1] if location[2] == "B" else cube, *calibration)


def _external(path: Path, count: int) -> NDArray[np.float32]:
    """Intensities in the file beside; only its name is taken from the frame, never a path."""
    if not path.is_file():
        raise ReaderError(f"The spectra lie in a file of their own, '{path.name}', which is not beside the .mdt file; copy it there.")
    if path.stat().st_size < 4 * count:
        raise ReaderError(f"'{path.name}' holds fewer spectra than the .mdt file says; copy it again from the instrument's computer.")
    return np.fromfile(path, dtype="<f4", count=count)


def _intensity(unit: str) -> str:
    return unit or "counts"
