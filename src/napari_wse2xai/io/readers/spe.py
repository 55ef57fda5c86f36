"""Princeton Instruments files (``.spe``): those of LightField (3.0) with their wavelengths, those of WinSpec (2.x) with their polynomial.

Frames are a series, rows of a detector that was not binned are tracks; neither is a place on the sample.  Each region of the detector is an
item.  A parser of a library would need xarray, lxml and numpydantic for it.
"""

import math
import re
import struct
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.signal_axes import Axis
from napari_wse2xai.io.signals import Signal, items_of, map_of
from napari_wse2xai.io.told import Told

FORMATS = (
    Format(
        "Princeton Instruments",
        ("*.spe",),
        order=140,
        holds="LightField (3.0) and WinSpec (2.x): spectra, frames, tracks, each region of the detector an item",
        needs="own parser",
    ),
)

_HEADER = 4100
_NUMBERS = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "u1", 8: "<u4"}
"""Kinds of numbers of WinSpec."""
_PIXELS = {"MonochromeUnsigned16": "<u2", "MonochromeUnsigned32": "<u4", "MonochromeFloating32": "<f4"}
"""The same of LightField."""
_XML, _WAVELENGTHS = "{http://www.princetoninstruments.com/spe/2009}", "Wavelength"
_LIGHTFIELD = 3.0
_GRATING = re.compile(r"\[([^\]]+)\]")
"""The chosen grating, ``[500nm,600][1][0]``: blaze and grooves per mm, then its place in the spectrometer."""


@dataclass(frozen=True)
class _Region:
    """Part of the detector: its spectra in every frame."""

    name: str
    n_frames: int
    height: int
    width: int
    kind: str
    start: int
    """Byte at which those of the first frame begin."""
    stride: int
    """Bytes from frame to frame."""
    axis: NDArray[np.float64]

    def signal(self, path: Path, metadata: dict[str, Any]) -> Signal:
        last = self.start + (self.n_frames - 1) * self.stride + self.height * self.width * np.dtype(self.kind).itemsize
        if min(self.n_frames, self.height, self.width) < 1 or last > path.stat().st_size:
            raise ReaderError(f"'{path.name}' holds fewer spectra than it names; it is incomplete, copy it again.")
        places = [
            Axis(name, "", np.arange(size, dtype=np.float64), True) for name, size in (("frame", self.n_frames), ("track", self.height))
        ]
        axes = (*(axis for axis in places if len(axis.values) > 1), Axis("wavelength", "nm", self.axis, False))
        shape = tuple(len(axis.values) for axis in axes)
        return Signal(self.name, axes, metadata, lambda index: self.numbers(path).reshape(shape)[index])

    def numbers(self, path: Path) -> NDArray[np.generic]:
        """Counts (frames, height, width)."""
        steps = (self.stride, self.width * np.dtype(self.kind).itemsize, np.dtype(self.kind).itemsize)
        content = path.read_bytes()
        return np.ndarray((self.n_frames, self.height, self.width), self.kind, content, self.start, steps)


def items(path: Path) -> tuple[Item, ...]:
    """List the regions of the detector; no spectra are read."""
    with readable_as("a Princeton Instruments file", path, ET.ParseError):
        return items_of(_signals(path))


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one of them."""
    with readable_as("a Princeton Instruments file", path, ET.ParseError):
        return map_of(_signals(path), item, told, path)


def _signals(path: Path) -> list[Signal]:
    with path.open("rb") as stream:
        head = stream.read(_HEADER)
        # Offsets are those of SPE 3.0's binary header, which keeps WinSpec's 2.x: version at 1992, place of the XML footer at 678.
        version = struct.unpack_from("<f", head, 1992)[0] if len(head) == _HEADER else 0.0
        footer = struct.unpack_from("<Q", head, 678)[0] if len(head) == _HEADER else 0
        if not 1.0 <= version < 4.0:
            raise ReaderError(f"'{path.name}' is not a Princeton Instruments file, whatever its name says; choose another file.")
        if version < _LIGHTFIELD:
            return [_winspec(head, path).signal(path, _winspec_texts(head))]
        stream.seek(min(footer, path.stat().st_size))
        root = ET.fromstring(stream.read())
    return [region.signal(path, _texts(root)) for region in _regions(root, path)]


def _winspec(head: bytes, path: Path) -> _Region:
    """The one region of a WinSpec file; WinSpec counts the pixels of its polynomial from 1."""
    width, kind, height, n_frames = (
        # Width, kind of number, height and number of frames.
        struct.unpack_from(form, head, at)[0]
        for form, at in (("<H", 42), ("<h", 108), ("<H", 656), ("<i", 1446))
    )
    if kind not in _NUMBERS:
        raise ReaderError(f"'{path.name}' holds numbers of an unknown kind ({kind}); export it as text.")
    # Calibrated flag at 3098, order of the polynomial at 3101, its coefficients from 3263.
    order, coefficients = head[3101], struct.unpack_from("<6d", head, 3263)
    pixels = np.arange(1, width + 1, dtype=np.float64)
    is_calibrated = bool(head[3098]) and 0 < order < len(coefficients)
    axis = np.polynomial.polynomial.polyval(pixels, coefficients[: order + 1]) if is_calibrated else pixels - 1
    stride = width * height * np.dtype(_NUMBERS[kind]).itemsize
    return _Region(path.stem, n_frames, height, width, _NUMBERS[kind], _HEADER, stride, axis)


def _winspec_texts(head: bytes) -> dict[str, Any]:
    seconds, laser = struct.unpack_from("<f", head, 10)[0], struct.unpack_from("<d", head, 3311)[0]
    texts: dict[str, Any] = {"date": head[20:30].partition(b"\0")[0].decode("latin-1"), "Exposure (s)": f"{seconds:g}"}
    if math.isfinite(laser) and laser > 0:
        texts["Laser (nm)"] = f"{laser:g}"
    return texts


def _regions(root: ET.Element, path: Path) -> list[_Region]:
    """Regions of a LightField file, each with its part of the wavelengths."""
    frame = root.find(f"{_XML}DataFormat/{_XML}DataBlock")
    if frame is None or frame.get("pixelFormat") not in _PIXELS:
        raise ReaderError(f"'{path.name}' does not say what its numbers are; save it again in LightField.")
    kind, found, start = _PIXELS[frame.get("pixelFormat", "")], [], _HEADER
    blocks = frame.findall(f"{_XML}DataBlock")
    for number, block in enumerate(blocks, 1):
        width, height, size = (int(block.get(key, "0")) for key in ("width", "height", "size"))
        name = path.stem if len(blocks) == 1 else f"{path.stem} region {number}"
        axis = _wavelengths(root, block, width)
        found.append(_Region(name, int(frame.get("count", "1")), height, width, kind, start, int(frame.get("stride", "0")), axis))
        start += size
    return found


def _wavelengths(root: ET.Element, block: ET.Element, width: int) -> NDArray[np.float64]:
    """Wavelengths of a region's columns, which may be binned; mere numbers where LightField has none."""
    mapping = root.find(f"{_XML}Calibrations/{_XML}WavelengthMapping")
    text = None if mapping is None else mapping.findtext(f"{_XML}{_WAVELENGTHS}") or mapping.findtext(f"{_XML}WavelengthError")
    if not text:
        return np.arange(width, dtype=np.float64)
    # With errors LightField writes pairs, "wavelength,error", parted by spaces; without them, numbers parted by commas.
    every = np.array([pair.split(",")[0] for pair in text.split()] if " " in text.strip() else text.split(","), dtype=np.float64)
    if len(every) == width:
        return every
    ids = block.get("calibrations", "").split(",")
    sensor = next((each for each in root.iter(f"{_XML}SensorMapping") if each.get("id") in ids), None)
    # The wavelengths are of the whole sensor: the region takes its columns, and binned ones their means.
    first, binning = (int(sensor.get(key, default)) if sensor is not None else 0 for key, default in (("x", "0"), ("xBinning", "1")))
    binned = every[first : first + width * max(binning, 1)].reshape(width, -1)
    return np.asarray(binned.mean(axis=1))


def _texts(root: ET.Element) -> dict[str, Any]:
    """Laser, exposure, accumulations, grating and date of a LightField file."""
    found: dict[str, Any] = {}
    mapping = root.find(f"{_XML}Calibrations/{_XML}WavelengthMapping")
    if mapping is not None and mapping.get("laserLine"):
        found["Laser (nm)"] = mapping.get("laserLine")
    for element in root.iter():
        key = element.tag.rpartition("}")[2]
        if key == "ExposureTime" and element.text and element.get("relevance") != "False":
            # LightField gives milliseconds.
            found["Exposure (s)"] = f"{float(element.text) / 1e3:g}"
        elif key == "Accumulations" and element.text and element.get("relevance") != "False":
            found.setdefault("Accumulations", element.text.strip())
        elif key == "Grating" and (chosen := _GRATING.match(element.findtext(element.tag.replace("Grating", "Selected")) or "")):
            found.setdefault("Grating", chosen[1])
    created = root.find(f"{_XML}GeneralInformation/{_XML}FileInformation")
    if created is not None and created.get("created"):
        found["date"] = created.get("created")
    return found
