"""The property sets of a Renishaw file (blocks WXDM and WXIS): how the spectra were taken, and the state of the instrument.

A set is a row of items: kind, flags and number of the key, then the value; the names of most keys are items themselves, of the set or of
one above it.  Laser powers are in none of them: WiRE knows the transmission of its filters only.
"""

import struct
from collections.abc import Iterator, Mapping

from napari_wse2xai.io.wdf_blocks import Blocks

_MAGIC = b"PSET"
_COMPRESSED, _ARRAY = 0x40, 0x80
_KEY, _SET = "k", "p"
_TEXTS = "kubp"
"""Kinds whose value begins with its length."""
_NUMBERS = {"?": "?", "c": "b", "s": "h", "i": "i", "w": "q", "r": "f", "q": "d", "t": "Q"}
_NAMES = {0x3F3: "NamedItems", 0x3FA: "Grating Name", 0x3FB: "Laser", 0x3FE: "Objective magnification", 0x3FF: "Objective name"}
"""Keys that WiRE numbers without naming them, as far as they are needed."""
_DEEPEST = 8
_LONGEST = 1 << 24
"""Bytes of a block of properties; those that are longer hold pictures or masks, and are left alone."""
_MOST_ITEMS = 20_000
_WANTED = {
    ("WXDM", "NamedItems", "Scan", "Exposure Time"): "Exposure Time (ms)",
    ("WXDM", "NamedItems", "Scan", "Accumulations"): "Accumulations",
    ("WXIS", "Microscope", "Objective name"): "Objective",
    ("WXIS", "Microscope", "Objective magnification"): "Objective magnification",
    ("WXIS", "System Configuration", "Grating"): "Grating",
    ("WXIS", "System Configuration", "Laser"): "Laser",
    ("WXIS", "ND Transmission %"): "ND Transmission (%)",
}
"""Where WiRE keeps what is wanted, and what it is called in the metadata."""
_ABOVE = {path[:depth] for path in _WANTED for depth in range(1, len(path))}


class _DamagedError(ValueError):
    """A set that ends too early, or has items of no known kind."""


def properties_in(blocks: Blocks) -> dict[str, str]:
    """What a file says of its acquisition; a set that is damaged says what stands before the damage."""
    found: dict[str, str] = {}
    for block in ("WXDM", "WXIS"):
        if not len(_MAGIC) + 4 < blocks.size(block) <= _LONGEST:
            continue
        content = memoryview(blocks.content(block))
        if bytes(content[:4]) != _MAGIC:
            continue
        try:
            for path, value in _items(content[8:], (block,), {}, [_MOST_ITEMS]):
                found[_WANTED[path]] = value
        except (_DamagedError, struct.error):
            continue
    return found


def _items(content: memoryview, path: tuple[str, ...], above: Mapping[int, str], left: list[int]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Wanted values of a set and of the sets in it; `left` counts down how many items may still be looked at."""
    items = list(_split(content, left))
    names = {**_NAMES, **above, **{key: value for kind, key, value in items if kind == _KEY and isinstance(value, str)}}
    for kind, key, value in items:
        here = (*path, names.get(key, ""))
        if kind == _SET and isinstance(value, memoryview) and here in _ABOVE and len(here) < _DEEPEST:
            yield from _items(value, here, names, left)
        elif kind != _KEY and here in _WANTED and isinstance(value, str):
            yield here, value


def _split(content: memoryview, left: list[int]) -> Iterator[tuple[str, int, str | memoryview]]:
    """Kind, key and value of every item of a set: numbers and texts as text, other sets as bytes."""
    position = 0
    while position + 4 <= len(content):
        left[0] -= 1
        kind, flags, key = chr(content[position]), content[position + 1], struct.unpack_from("<H", content, position + 2)[0]
        position += 4
        count = 1
        if flags & _ARRAY:
            count, position = struct.unpack_from("<I", content, position)[0], position + 4
        if kind in _TEXTS:
            size, position = struct.unpack_from("<I", content, position)[0], position + 4
        elif kind in _NUMBERS:
            size = count * struct.calcsize(f"<{_NUMBERS[kind]}")
        else:
            raise _DamagedError(kind)
        if position + size > len(content) or left[0] < 0:
            raise _DamagedError(kind)
        part = content[position : position + size]
        position += size
        is_plain = count == 1 and not flags & _COMPRESSED and kind != "b"
        yield kind, key, part if kind == _SET else _text(kind, part) if is_plain else ""


def _text(kind: str, part: memoryview) -> str:
    if kind in _NUMBERS:
        return f"{struct.unpack(f'<{_NUMBERS[kind]}', part)[0]:g}"
    return bytes(part).decode("utf-8", "replace").strip()
