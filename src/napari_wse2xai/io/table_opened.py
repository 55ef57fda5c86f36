"""Opening a text table: whatever its encoding and its line ends, lines of bytes in UTF-8 or Latin-1 that end in a line feed."""

import codecs
import io
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.unpacking import open_gzip

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LOOKED_AT = 1 << 17
"""Bytes by which the encoding is known: more than the spectral axis of a LabSpec map, the longest line before any line end."""
_BLOCK = 1 << 20
_MARKS = {codecs.BOM_UTF8: "latin-1", codecs.BOM_UTF32_LE: "utf-32-le", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""Byte order marks, the longer before the shorter; what follows that of UTF-8 is passed on byte by byte."""
_NO_TEXT = (b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b", b"%PDF")


def open_table(path: Path) -> IO[bytes]:
    """Open a plain or gzip-compressed table, refusing what is no text.

    Its lines are in UTF-8 or Latin-1, end in a line feed (a carriage return may stand before it) and begin with no byte order mark.
    """
    stream = open_gzip(path) if path.suffix.lower() == ".gz" else path.open("rb")
    try:
        with readable_as("a text table", path):
            start = stream.read(_LOOKED_AT)
            stream.seek(0)
        mark, encoding = _encoding_of(start)
        if start.startswith(_NO_TEXT) or (b"\0" in start and encoding is None):
            raise ReaderError(f"'{path.name}' is not a text table, whatever its name says; choose the exported text file.")
    except ReaderError:
        stream.close()
        raise
    return stream if encoding is None else cast("IO[bytes]", io.BufferedReader(_Recoded(stream, encoding, len(mark)), _BLOCK))


def decoded(line: bytes) -> str:
    """Text of a line: UTF-8 where it is valid, Latin-1 (LabSpec) otherwise; without its line end."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return text.rstrip("\r\n")


def stem_of(path: Path) -> str:
    """Name of a table's file without its endings: ``flake 1.5`` for ``flake 1.5.txt.gz``."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def _encoding_of(start: bytes) -> tuple[bytes, str | None]:
    """Byte order mark, and the encoding that has to be translated; None where lines can be read as they are."""
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return mark, encoding
    for zeros, others, encoding in ((1, 0, "utf-16-le"), (0, 1, "utf-16-be")):
        if 5 * start[zeros::2].count(0) > 2 * len(start) and not start[others::2].count(0):  # of digits every second byte is zero
            return b"", encoding
    n_old_ends = start[:-1].count(b"\r") - start.count(b"\r\n")
    return b"", "latin-1" if n_old_ends and b"\0" not in start else None


class _Recoded(io.RawIOBase):
    """Bytes of a table in another encoding as UTF-8 (Latin-1 stays), with line feeds alone; goes back by reading anew, as gzip does."""

    def __init__(self, source: IO[bytes], encoding: str, start: int) -> None:
        self._source, self._encoding, self._start = source, encoding, start
        self._rewind()

    def _rewind(self) -> None:
        self._source.seek(self._start)
        decoder = codecs.getincrementaldecoder(self._encoding)(errors="replace")
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self._waiting, self._position, self._ended = b"", 0, False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("seek from the end of a translated table")
        if offset < self._position:
            self._rewind()
        while self._position < offset and self.read(min(offset - self._position, _BLOCK)):
            pass
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        while not self._waiting and not self._ended:
            block = self._source.read(_BLOCK)
            self._ended = not block
            text = self._decoder.decode(block, final=self._ended)
            self._waiting = text.encode("latin-1" if self._encoding == "latin-1" else "utf-8", "replace")
        n_given = min(len(target), len(self._waiting))
        target[:n_given] = self._waiting[:n_given]
        self._waiting, self._position = self._waiting[n_given:], self._position + n_given
        return n_given

    def close(self) -> None:
        self._source.close()
        super().close()
