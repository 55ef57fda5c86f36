"""MATLAB files (``.mat``) with plain arrays, of version 5 (SciPy) or 7.3 (HDF5); WITec's own exports have a reader of theirs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from napari_wse2xai.io.hdf5 import open_hdf5
from napari_wse2xai.io.hdf5_arrays import arrays_in, is_hdf5
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.told import Told
from napari_wse2xai.io.unpacking import MOST_DEFLATED

FORMATS = (
    Format(
        "MATLAB arrays",
        ("*.mat",),
        order=30,
        holds="every array with a spectral axis of its length beside it, chosen by its name or path; in any order of dimensions; with "
        "places, times or temperatures beside it ([below](#arrays-by-name)); MATLAB 5 and 7.3",
        needs="SciPy, h5py",
        licence="BSD-3",
    ),
)

_BYTES = {"double": 8, "single": 4} | {f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)}
_SMALL = 1 << 20
"""Numbers up to which an array is read with the axes."""


def recognises(_path: Path) -> bool:
    """Take every MATLAB file that is none of WITec's."""
    return True


def items(path: Path) -> tuple[Item, ...]:
    """List the arrays that are spectra, and those that lack an axis."""
    with _opened(path) as arrays:
        return arrays.items()


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one of them."""
    with _opened(path) as arrays:
        if not (arrays.signals() or arrays.others()):
            raise ReaderError(
                f"'{path.name}' holds no data set of spectra: neither one that WITec exported, nor an array with an axis beside it."
            )
        return arrays.map_of(item, told, path)


@contextmanager
def _opened(path: Path) -> Iterator[Arrays]:
    if is_hdf5(path):
        with readable_as("MATLAB 7.3", path), open_hdf5(path, whole=False) as file:
            yield arrays_in(file, path)
        return
    from scipy.io.matlab import MatReadError

    with readable_as("MATLAB", path, MatReadError, NameError):  # scipy 1.17 forgets to set a variable on an unknown class code
        yield _arrays(path)


def _arrays(path: Path) -> Arrays:
    from scipy.io import whosmat

    known = [(name, tuple(map(int, shape)), kind) for name, shape, kind in whosmat(path)]
    numeric = {name: shape for name, shape, kind in known if kind in _BYTES}
    sizes = {name: int(np.prod(shape, dtype=object)) for name, shape, _ in known}
    if sum(sizes[name] * _BYTES[kind] for name, _, kind in known if kind in _BYTES) > MOST_DEFLATED * path.stat().st_size:
        raise ReaderError(f"'{path.name}' claims more values than it holds; it is incomplete, copy it again.")
    small = _loaded(path, [name for name, _, kind in known if sizes[name] <= _SMALL and (kind in _BYTES or kind == "char")])
    single = {
        name: str(np.asarray(small[name]).ravel()[0])
        for name, _, kind in known
        if name in small and (kind == "char" or sizes[name] == 1) and sizes[name]
    }
    found = [Array(name, shape, "f", partial(_numbers, path, name, small)) for name, shape in numeric.items() if sizes[name] > 1]
    return Arrays(found, single, is_columns_first=True)


def _loaded(path: Path, names: list[str]) -> Mapping[str, Any]:
    from scipy.io import loadmat

    return {name: value for name, value in loadmat(path, variable_names=names).items() if name in names} if names else {}


def _numbers(path: Path, name: str, small: Mapping[str, Any], index: Any) -> NDArray[Any]:
    values: NDArray[Any] = np.asarray((small if name in small else _loaded(path, [name]))[name])
    return np.asarray(values[index])
