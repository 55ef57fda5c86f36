"""Zarr folders, opened and read with care."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import ReaderError

_MOST_COMPRESSED = 5000
"""Zstandard can shrink a map with an even background by no more: an array that claims more per stored byte is damaged."""


def open_store(path: Path) -> Any:
    """Open a Zarr folder to read."""
    import zarr

    if not path.is_dir():
        raise ReaderError(f"'{path.name}' is a file, but Zarr stores are folders; choose the folder, unpacked.")
    return zarr.open_group(path, mode="r")


def read_array(array: Any) -> NDArray[Any]:
    """All numbers of an array; a size that its files cannot hold is refused before any memory is taken."""
    require_stored(array)
    return np.asarray(array[...])


def require_stored(array: Any) -> None:
    """Refuse a size that the files cannot hold."""
    if array.nbytes > _MOST_COMPRESSED * array.nbytes_stored():
        raise ReaderError(f"'{array.name}' claims {array.size} values but holds hardly any; the folder is incomplete, copy it again.")
