"""Reading numbers and texts from a file's bytes, never beyond their end."""

import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_wse2xai.io.table_text import first_number

UM_PER = {"m": 1e6, "cm": 1e4, "mm": 1e3, "um": 1.0, "mkm": 1.0, "nm": 1e-3, "Å": 1e-4, "A": 1e-4}
UNITS = {-10: "1/cm", -5: "m", -4: "cm", -3: "mm", -2: "um", -1: "nm", 0: "Å", 1: "nA", 2: "V", 4: "kHz", 5: "deg", 6: "%"} | {
    7: "°C", 8: "V", 9: "s", 10: "ms", 11: "us", 12: "ns", 13: "counts", 14: "px", 20: "A", 21: "mA", 22: "uA", 23: "nA", 24: "pA"
} | {25: "V", 26: "mV", 27: "uV", 28: "nV", 29: "pV", 30: "N", 31: "mN", 32: "uN", 33: "nN", 34: "pN"}  # fmt: skip
"""Units by their code in scans and old spectra."""
_MOST_XML = 1 << 24
_LONGEST_VALUE = 200


class Cursor:
    """A place in a piece of bytes that moves on with every reading; a `ValueError` tells of reading beyond the end."""

    def __init__(self, content: memoryview, start: int = 0) -> None:
        self.content, self.position = content, start

    @property
    def left(self) -> int:
        """Number of bytes from here to the end."""
        return len(self.content) - self.position

    def take(self, size: int) -> memoryview:
        """Next bytes, not copied."""
        if not 0 <= size <= self.left:
            raise ValueError(f"{size} bytes are wanted at byte {self.position} of a piece of {len(self.content)}")
        self.position += size
        return self.content[self.position - size : self.position]

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """Next numbers, little-endian."""
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def array(self, kind: DTypeLike, count: int) -> NDArray[Any]:
        """Next numbers as an array that shares the file's bytes."""
        dtype = np.dtype(kind)
        return np.frombuffer(self.take(count * dtype.itemsize), dtype=dtype)

    def text(self, size: int) -> str:
        """Next bytes as text: UTF-8 where it is valid, otherwise Windows' Cyrillic, NT-MDT's home."""
        return text_of(bytes(self.take(size)))


def text_of(raw: bytes) -> str:
    """Text of bytes, without what lies behind a zero."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1251", errors="replace")
    return text.partition("\0")[0].strip()


def xml_of(raw: memoryview) -> ET.Element | None:
    """Root of an XML text in UTF-16 or UTF-8; None where there is none, or a damaged one, which costs metadata only."""
    content = bytes(raw[:_MOST_XML])
    is_wide = content[1:2] == b"\0" or content[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le" if is_wide else "utf-8", errors="replace")
    text = text.lstrip("\ufeff").rstrip("\0").strip()
    if not text or "<!" in text:  # a declaration of entities could grow without end
        return None
    try:
        return ET.fromstring(text.partition("?>")[2] if text.startswith("<?") else text)
    except ET.ParseError:
        return None


def entries(root: ET.Element | None) -> Iterator[tuple[str, str]]:
    """Tags with a short text; a repeated tag counts once."""
    for element in root.iter() if root is not None else ():
        name, value = element.get("Name", element.tag), (element.text or "").strip()
        if value and len(value) < _LONGEST_VALUE:
            yield name, value


def laser_of(metadata: dict[str, str]) -> float | None:
    """Wavelength of the laser in nm."""
    for key in ("SWLaserWL", "LaserWL"):
        value = first_number(metadata.get(key, ""))
        if value:
            return value
    return None


def scaled(values: NDArray[Any], offset: float, step: float) -> NDArray[np.float32]:
    """Values as stored to values in their unit."""
    result = values.astype(np.float32, order="C")
    if step != 1.0:
        result *= np.float32(step)
    if offset:
        result += np.float32(offset)
    return result
