"""The blocks of a Renishaw file (``.wdf``): name, number, size, content.  Sizes that the file does not have are refused."""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.stored import numbers_in

_HEAD = struct.Struct("<4sIQ")


class Blocks:
    """Places of the blocks, the first of each name; their content is read on demand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken_off = ""
        """Name of the block in which the file ends too early."""
        self._places: dict[str, tuple[int, int]] = {}
        file_size = path.stat().st_size
        position = 0
        with path.open("rb") as stream:
            while position + _HEAD.size <= file_size:
                stream.seek(position)
                name, _, size = _HEAD.unpack(stream.read(_HEAD.size))
                if size < _HEAD.size:
                    break
                self._places.setdefault(name.decode("latin-1"), (position + _HEAD.size, min(position + size, file_size)))
                position += size
                self.broken_off = name.decode("latin-1").strip() if position > file_size else ""
        if next(iter(self._places), None) != "WDF1":
            raise ReaderError(f"'{path.name}' is not a Renishaw file, whatever its name says; choose another file.")

    def __contains__(self, name: str) -> bool:
        """Whether there is a block of this name."""
        return name in self._places

    def size(self, name: str) -> int:
        """Bytes of a block's content that are there."""
        start, end = self._places.get(name, (0, 0))
        return end - start

    def array(self, name: str, dtype: DTypeLike, count: int, offset: int = 0) -> NDArray[np.generic]:
        """`count` numbers from a block, `offset` bytes after its head."""
        values: NDArray[np.generic] = self.table(name, dtype, (count,), offset)
        return values

    def table(self, name: str, dtype: DTypeLike, shape: tuple[int, ...], offset: int = 0) -> Any:
        """Numbers from a block as an array of some shape, `offset` bytes after its head."""
        if offset + math.prod(shape) * np.dtype(dtype).itemsize > self.size(name):
            raise ReaderError(f"'{self.path.name}' breaks off in its block {name.strip()}; it is incomplete, copy it again.")
        return numbers_in(self.path, dtype, shape, self._places[name][0] + offset)

    def unpack(self, name: str, layout: str, offset: int = 0) -> tuple[int | float, ...]:
        """Few numbers of different kinds from a block."""
        raw = self.array(name, np.uint8, struct.calcsize(f"<{layout}"), offset)
        return struct.unpack(f"<{layout}", raw.tobytes())

    def text(self, name: str, length: int, offset: int) -> str:
        """Text of at most `length` bytes from a block."""
        raw = self.array(name, np.uint8, length, offset).tobytes()
        return raw.partition(b"\0")[0].decode("utf-8", "replace").strip()

    def content(self, name: str) -> bytes:
        """All bytes of a block."""
        return self.array(name, np.uint8, self.size(name)).tobytes()
