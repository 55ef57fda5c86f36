"""The skeleton of a WITec file: all of it but the spectra, checked before it is parsed.

A WITec file is a tree of tags: length of the name, name, type, start and end of the payload.  The parser trusts these numbers; one that
points backwards would make it read for ever.  This walk follows the tags in the parser's own order and refuses such files.  It copies
them as well, but where the spectra of a graph stand it leaves a note of where they lie in the file: the parser copies every payload into
memory, twice, and a project holds maps that nobody asked for.
"""

import os
import struct
from pathlib import Path
from typing import IO

from napari_wse2xai.errors import ReaderError

_MAGIC = (b"WIT_PRCT", b"WIT_DATA", b"WIT_PR06", b"WIT_DA06")
_TREE, _BYTES = 0, 7
_DEEPEST = 64
_LONGEST_NAME = 4096
_SPECTRA = (b"GraphData", b"Data")
"""Tag and tag in it that holds the spectra of a graph."""
PLACE = struct.Struct("<QQ")
"""What stands in the skeleton for spectra: the bytes of the file where they begin and end."""


def skeleton(path: Path) -> bytes:
    """File without spectra; raises a `ReaderError` unless every tag lies within its parent, and after the tag before it."""
    with path.open("rb") as stream:
        content = _Content(stream)
        if content[:8] not in _MAGIC:
            raise ReaderError(f"'{path.name}' is not a WITec project or data file, whatever its name says; choose another file.")
        return bytes(_TagCopier(content, path.name).copied())


class _Content:
    """Bytes of an open file: read, not mapped, for a mapped file that another program cuts ends the process."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def __len__(self) -> int:
        return os.fstat(self._stream.fileno()).st_size

    def __getitem__(self, part: slice) -> bytes:
        start = part.start or 0
        self._stream.seek(start)
        return self._stream.read(max(part.stop - start, 0))

    def numbers(self, form: str, position: int) -> tuple[int, ...]:
        """Numbers from a place; a `struct.error` tells that the file ends before."""
        return struct.unpack(form, self[position : position + struct.calcsize(form)])


class _Tag:
    """Header of one tag."""

    def __init__(self, content: "_Content", position: int, name: str) -> None:
        try:
            (length,) = content.numbers("<I", position)
            if length > _LONGEST_NAME:
                raise broken(name, position)
            kind, start, end = content.numbers("<IQQ", position + 4 + length)
        except struct.error as error:
            raise broken(name, position) from error
        self.name: bytes = content[position + 4 : position + 4 + length]
        self.kind, self.start, self.end = int(kind), int(start), int(end)
        # The name's length, the name, kind, start and end.
        self.after_header: int = position + 4 + length + 20


class _TagCopier:
    """Copies tag by tag."""

    def __init__(self, content: "_Content", name: str) -> None:
        self.content, self.file_name = content, name
        self.copy = bytearray(content[:8])
        self._open: list[tuple[_Tag, int]] = []
        """Trees that are not yet complete, each with the place of its header's end in the copy."""

    def copied(self) -> bytearray:
        """Follow all tags to the end of the first one, which is the root."""
        position = self._follow(8)
        while self._open:
            while self._open and position >= self._open[-1][0].end:
                self._close(self._open.pop()[1])
            if self._open:
                position = self._follow(position)
        return self.copy

    def _follow(self, position: int) -> int:
        """Copy a leaf, or enter a tree: gives the position of the next tag."""
        tag = _Tag(self.content, position, self.file_name)
        end = self._open[-1][0].end if self._open else len(self.content)
        if not tag.after_header <= tag.start <= tag.end <= end or len(self._open) >= _DEEPEST:
            raise broken(self.file_name, tag.after_header)
        # Where a payload ends is known when it is copied: `_close` fills the two noughts in.
        self.copy += struct.pack("<I", len(tag.name)) + tag.name + struct.pack("<IQQ", tag.kind, 0, 0)
        start = len(self.copy)
        if tag.kind == _TREE:
            self._open.append((tag, start))
            return tag.after_header
        self.copy += self._payload(tag)
        self._close(start)
        return tag.end

    def _close(self, start: int) -> None:
        """Note in a tag's header where its payload begins and ends."""
        PLACE.pack_into(self.copy, start - PLACE.size, start, len(self.copy))

    def _payload(self, tag: _Tag) -> bytes:
        if self._open and (self._open[-1][0].name, tag.name) == _SPECTRA:
            if tag.kind != _BYTES:
                raise broken(self.file_name, tag.after_header)
            return PLACE.pack(tag.start, tag.end)
        return self.content[tag.start : tag.end]


def broken(name: str, position: int) -> ReaderError:
    """Make the error for a file whose tags do not fit."""
    return ReaderError(f"'{name}' is incomplete or damaged near byte {position}; copy it again from the instrument's computer.")
