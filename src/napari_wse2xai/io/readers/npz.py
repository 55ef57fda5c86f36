"""NumPy archives (``.npz``): arrays by name, one of them the spectra, the others its axes."""

import tokenize
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.arrays import Array, Arrays
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.told import Told
from napari_wse2xai.io.unpacking import MOST_DEFLATED

FORMATS = (Format("NumPy archive", ("*.npz",), order=130, holds="arrays as those of MATLAB", needs="NumPy", licence="BSD-3"),)

_ERRORS = (zipfile.BadZipFile, SyntaxError, tokenize.TokenError, NotImplementedError)


def items(path: Path) -> tuple[Item, ...]:
    """List the arrays that are spectra; only the axes are read."""
    with readable_as("a NumPy archive", path, *_ERRORS):
        arrays = _arrays(path)
        return arrays.items()


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one of them."""
    with readable_as("a NumPy archive", path, *_ERRORS):
        arrays = _arrays(path)
        return arrays.map_of(item, told, path)


def _arrays(path: Path) -> Arrays:
    with zipfile.ZipFile(path) as archive:
        heads = {
            info.filename.removesuffix(".npy"): _head(archive, info, path) for info in archive.infolist() if info.filename.endswith(".npy")
        }
    found = [Array(name, shape, kind, partial(_numbers, path, name)) for name, (shape, kind) in heads.items() if shape]
    single = {name: str(_numbers(path, name, ...)) for name, (shape, kind) in heads.items() if not shape and kind in "iufU"}
    return Arrays(found, single)


def _head(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> tuple[tuple[int, ...], str]:
    """Shape and kind of one array; a size that the archive cannot hold is refused."""
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    n_bytes = int(np.prod([int(size) for size in shape], dtype=object)) * dtype.itemsize
    if n_bytes > info.file_size or info.file_size > MOST_DEFLATED * info.compress_size + MOST_DEFLATED:
        raise ReaderError(f"'{path.name}': its array '{info.filename}' claims more values than it holds; save it again.")
    return tuple(int(size) for size in shape), dtype.kind


def _numbers(path: Path, name: str, index: Any) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as archive:
        return np.asarray(archive[name][index])
