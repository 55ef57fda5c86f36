"""Compressed text that is unpacked while it is read, and never to more than any real table."""

import gzip
import io
import os
from pathlib import Path
from typing import IO, cast

from napari_wse2xai.errors import ReaderError

MOST_DEFLATED = 1100
"""Deflate cannot shrink by more: numbers that claim more than that per stored byte are damaged, or an attack."""
_MOST_COMPRESSED = 100
"""Deflate shrinks a table of measured numbers four- to tenfold; what was made to fill a memory shrinks a thousandfold."""
_NEVER_TOO_MUCH = 1 << 27
"""Bytes that any file may unpack to: a small map of zeros is no attack."""
_BUFFER = 1 << 18


class _Unpacked(io.RawIOBase):
    """Bytes of a gzip file; more of them than a table of its size can have are refused while they come."""

    def __init__(self, path: Path) -> None:
        self._file, self._name = gzip.GzipFile(path, "rb"), path.name
        self._most = max(_NEVER_TOO_MUCH, _MOST_COMPRESSED * os.path.getsize(path))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        n_read = self._file.readinto(buffer)
        if self._file.tell() > self._most:
            size = f"more than {self._most / 1e6:.0f} MB"
            raise ReaderError(f"'{self._name}' unpacks to {size}, as no table of its size does; unpack it yourself if it is one.")
        return n_read

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_gzip(path: Path) -> IO[bytes]:
    """Open a gzip-compressed file to read what is in it."""
    return cast("IO[bytes]", io.BufferedReader(_Unpacked(path), _BUFFER))
