"""Check of a WITec file's skeleton before it is parsed.

A WITec file is a tree of tags: length of the name, name, type, start and end of the payload.  The parser trusts these numbers;
one that points backwards would make it read for ever.  This walk follows the tags in the parser's own order and refuses such files.
"""

import struct

from napari_wse2xai.errors import ReaderError

_MAGIC = (b"WIT_PRCT", b"WIT_DATA", b"WIT_PR06", b"WIT_DA06")
_TREE = 0
_DEEPEST = 64
_LONGEST_NAME = 4096


def require_sound(content: bytes, name: str) -> None:
    """Raise a `ReaderError` unless every tag lies within its parent, and after the tag before it."""
    if content[:8] not in _MAGIC:
        raise ReaderError(f"'{name}' is not a WITec project or data file, whatever its name says; choose another file.")
    ends = [len(content)]
    position = _Tag(content, 8, name).follow(ends, name)
    while len(ends) > 1:
        while len(ends) > 1 and position >= ends[-1]:
            ends.pop()
        if len(ends) > 1:
            position = _Tag(content, position, name).follow(ends, name)


class _Tag:
    """Header of one tag."""

    def __init__(self, content: bytes, position: int, name: str) -> None:
        try:
            (length,) = struct.unpack_from("<I", content, position)
            if length > _LONGEST_NAME:
                raise broken(name, position)
            kind, start, end = struct.unpack_from("<IQQ", content, position + 4 + length)
        except struct.error as error:
            raise broken(name, position) from error
        self.kind, self.start, self.end = int(kind), int(start), int(end)
        self.after_header: int = position + 4 + length + 20

    def follow(self, ends: list[int], name: str) -> int:
        """Enter a tree, or pass a leaf: gives the position of the next tag, and keeps the ends of the open trees."""
        if not self.after_header <= self.start <= self.end <= ends[-1] or len(ends) > _DEEPEST:
            raise broken(name, self.after_header)
        if self.kind == _TREE:
            ends.append(self.end)
            return self.after_header
        return self.end


def broken(name: str, position: int) -> ReaderError:
    """Make the error for a file whose tags do not fit."""
    return ReaderError(f"'{name}' is incomplete or damaged near byte {position}; copy it again from the instrument's computer.")
