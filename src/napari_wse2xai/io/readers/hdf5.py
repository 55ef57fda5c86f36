"""HDF5 files of any make (``.h5``, ``.hdf5``, NeXus ``.nxs``): an array of spectra whose axis lies beside it, chosen by its path."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.arrays import Arrays
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.hdf5 import open_hdf5
from napari_wse2xai.io.hdf5_arrays import arrays_in
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.told import Told

FORMATS = (
    Format(
        "HDF5 and NeXus arrays",
        ("*.h5", "*.hdf5", "*.nxs"),
        order=90,
        holds="arrays as those of MATLAB; data groups of NeXus",
        needs="h5py",
        licence="BSD-3",
    ),
)


def recognises(_path: Path) -> bool:
    """Take every HDF5 file that is none of HyperSpy's."""
    return True


def items(path: Path) -> tuple[Item, ...]:
    """List the arrays that are spectra, and those that lack an axis; only axes are read."""
    with _opened(path) as arrays:
        return arrays.items()


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one of them."""
    with _opened(path) as arrays:
        return arrays.map_of(item, told, path)


@contextmanager
def _opened(path: Path) -> Iterator[Arrays]:
    with readable_as("HDF5", path), open_hdf5(path, whole=False) as file:
        found = arrays_in(file, path)
        if not (found.arrays or found.elsewhere):
            raise ReaderError(f"'{path.name}' holds no arrays of numbers; choose another file.")
        yield found
