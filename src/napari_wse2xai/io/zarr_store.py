"""Zarr folders, opened and read with care: nothing outside the folder is followed, no size is believed that its files cannot hold."""

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.hdf5 import require_real
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.ordinary import require_ordinary, shown

_MOST_COMPRESSED = 5000
"""Zstandard can shrink a map with an even background by no more: an array that claims more per stored byte is damaged."""
_HARMLESS = 1 << 20
"""Bytes that any array may claim: one whose values were never written has no files."""
_METADATA = (".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json")
_BLOSC = struct.Struct("<4xI4xI")
"""Header of a chunk that Blosc compressed: bytes that it unpacks to, and its own."""
_MOST_IN_A_CHUNK = 2
"""Times the size of a chunk that it may unpack to: filters change the size little."""
_COMPRESSORS = ("blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd")


def open_store(path: Path) -> HdfNode:
    """Open a Zarr folder to read; one that leads to files elsewhere is refused."""
    import zarr

    if not path.is_dir():
        raise ReaderError(f"'{path.name}' is a file, but Zarr stores are folders; choose the folder, unpacked.")
    require_self_contained(path)
    return cast("HdfNode", zarr.open_group(path, mode="r"))


def require_self_contained(folder: Path) -> None:
    """Refuse a folder that holds links to what lies outside, or anything but files and folders."""
    root = folder.resolve()
    for entry in _entries(folder):
        place = Path(entry.path)
        if entry.is_symlink() and not _resolved(place).is_relative_to(root):
            raise ReaderError(
                f"'{folder.name}': '{shown(place.relative_to(folder))}' is a link to a file elsewhere, which is not read for a folder that "
                "may come from a stranger; put the file itself there."
            )
        if not entry.is_file() and not entry.is_dir():
            require_ordinary(place)


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """All that lies in a folder, at any depth; links to folders are not entered."""
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in found:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _resolved(link: Path) -> Path:
    """Where a link leads; a link that leads in a circle leads nowhere in the folder."""
    try:
        return link.resolve()
    except (OSError, RuntimeError):
        # A circle is a RuntimeError for Python 3.12 and before, an OSError for later ones.
        return Path(os.sep)


def read_array(array: HdfNode) -> NDArray[Any]:
    """All numbers of an array; a size that its files cannot hold is refused before any memory is taken."""
    require_readable(array)
    return np.asarray(array[...])


def require_readable(array: HdfNode) -> None:
    """Refuse an array that its files cannot hold, or whose chunks cannot be read as real numbers."""
    require_stored(array, harmless=_HARMLESS)
    require_whole_chunks(array)
    require_real(np.dtype(array.dtype), array.name)


def require_whole_chunks(array: HdfNode) -> None:
    """Refuse chunks of Blosc that were cut: it believes the length in their header, and reading beyond ends the process."""
    if "blosc" not in "".join(type(codec).__name__.lower() + str(getattr(codec, "codec_id", "")) for codec in array.compressors):
        return
    if array.shards is not None:
        raise ReaderError(f"'{array.name}' has shards that Blosc compressed, whose damage cannot be seen; write it without shards.")
    room = _MOST_IN_A_CHUNK * math.prod(array.chunks or array.shape) * np.dtype(array.dtype).itemsize
    for entry in _entries(Path(array.store.root) / array.path):
        if not entry.is_file() or entry.name in _METADATA:
            continue
        with open(entry.path, "rb") as stream:
            head = stream.read(_BLOSC.size)
        unpacked, packed = _BLOSC.unpack(head) if len(head) == _BLOSC.size else (0, 0)
        if not _BLOSC.size <= packed <= entry.stat().st_size or unpacked > room:
            raise ReaderError(f"'{array.name}' has a chunk '{entry.name}' that is incomplete or damaged; copy the folder again.")


def require_stored(array: HdfNode, *, harmless: int = 0) -> None:
    """Refuse a size that the files cannot hold, of the array or of one of its chunks.

    Parameters
    ----------
    harmless : bytes that it may claim all the same
    """
    most = max(_MOST_COMPRESSED * array.nbytes_stored(), harmless)
    chunk = math.prod(array.shards or array.chunks or array.shape) * np.dtype(array.dtype).itemsize
    if array.nbytes > most or chunk > max(most, _HARMLESS):
        raise ReaderError(f"'{array.name}' claims {array.size} values but holds hardly any; the folder is incomplete, copy it again.")
    names = [type(codec).__name__.lower() for codec in (*array.compressors, *array.filters)]
    if sum(any(known in name for known in _COMPRESSORS) for name in names) > 1:
        raise ReaderError(f"'{array.name}' is compressed twice, by which a small file can fill any memory; write it again.")
