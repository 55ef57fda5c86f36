"""NumPy arrays (``.npy``) with their spectral axis in a file beside them.

``flake.npy`` holds (y, x, spectral) numbers, or in another order that the length of the axis tells; beside it lies ``flake_axis.npy``,
``flake_axis.txt`` or ``flake_axis.csv`` with one value for each channel, one a line or separated by commas.  A text may start with a line
that names the unit, such as ``Raman shift (cm-1)``.
An array (m, spectral) is shown as a list, one of (spectral) as a point.  Row 0 of the array is the top row.
"""

import re
import tokenize
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import grid
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item, axis_text, require_only
from napari_wse2xai.io.told import Told, made_map

FORMATS = (
    Format(
        "NumPy array with its axis",
        ("*.npy",),
        order=120,
        holds="(y, x, spectral), or another order that the length of the axis tells; the axis beside it in `NAME_axis.npy`, `.txt` or "
        "`.csv`, whose first line may name the unit",
        needs="NumPy",
        licence="BSD-3",
    ),
)

_AXIS_ENDINGS = ("_axis.npy", "_axis.txt", "_axis.csv")
_HEADER_ERRORS = (SyntaxError, tokenize.TokenError)
"""What NumPy raises on a damaged header, which is a Python expression."""
_FEWEST_CHANNELS = 5
"""An axis with fewer values is not taken for that of another dimension than the last."""
_WORDS = re.compile(r"[^,;\s]+")


def items(path: Path) -> tuple[Item, ...]:
    """Describe the one array; its numbers are not read."""
    array = _array(path)
    values, unit = _axis(path, array.shape)
    array = _spectral_last(array, len(values))
    ny, nx = (*array.shape[:-1], 1, 1)[:2]
    text = axis_text(float(values.min()), float(values.max()), unit or "(unit not given)")
    return (Item(path.stem, (ny, nx, len(values)), text, is_map=array.ndim == 3),)


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the array and its axis."""
    require_only(item, items(path)[0], path)
    array = _array(path)
    values, in_file = _axis(path, array.shape)
    _warn_of_order(array.shape, len(values), path.name)
    with readable_as("a NumPy array", path):
        # read anew, not from the mapped array: another program may cut the file meanwhile
        counts = np.array(_spectral_last(np.load(path, allow_pickle=False), len(values)), dtype=np.float32, order="C")
    warn_of_holes(counts, path.name)
    cube, frame = _gridded(counts, path.name)
    return made_map(cube, *settle_axis(values, in_file, given=told.unit, name=path.name), told, frame=frame, name=path.stem)


def _array(path: Path) -> NDArray[np.generic]:
    """Array in the file, not in memory: a size that the file does not have is refused."""
    if path.stem.endswith("_axis"):
        raise ReaderError(f"'{path.name}' is a spectral axis; open '{path.stem.removesuffix('_axis')}.npy' beside it.")
    with readable_as("a NumPy array", path, *_HEADER_ERRORS):
        array = _opened(path)
    if not array.size or array.ndim > 3 or not array.ndim or array.dtype.kind not in "iuf":
        shape = " x ".join(map(str, array.shape)) or "no"
        raise ReaderError(f"'{path.name}' holds {shape} values of type {array.dtype}; save an array (y, x, spectral) of real numbers.")
    return array


def _opened(path: Path) -> NDArray[np.generic]:
    with path.open("rb") as stream:
        if not stream.read(6).startswith(np.lib.format.MAGIC_PREFIX):  # NumPy would take it for a pickle, and advise to trust it
            raise ReaderError(f"'{path.name}' is not a NumPy file, whatever its name says; choose another file.")
    array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _spectral_last(array: NDArray[np.generic], n_channels: int) -> NDArray[np.generic]:
    """Array with its spectral dimension last: the last one that is as long as the axis."""
    at = max(index for index, size in enumerate(array.shape) if size == n_channels)
    return np.moveaxis(array, at, -1)


def _warn_of_order(shape: tuple[int, ...], n_channels: int, name: str) -> None:
    if shape.count(n_channels) > 1:
        told = f"'{name}': several of its dimensions have {n_channels} values, as its axis; the last of them is taken as the spectral one."
        warnings.warn(told, DataWarning, stacklevel=2)


def _axis(path: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], str | None]:
    """Values and unit of the axis in the file beside; None where it does not say the unit."""
    beside = next((found for ending in _AXIS_ENDINGS if (found := path.with_name(path.stem + ending)).is_file()), None)
    if beside is None:
        wanted = " or ".join(f"'{path.stem}{ending}'" for ending in _AXIS_ENDINGS)
        raise ReaderError(f"'{path.name}' needs its spectral axis beside it, in {wanted}; write its {shape[-1]} values there, one a line.")
    with readable_as("a spectral axis", beside, *_HEADER_ERRORS):
        values, unit = _axis_values(beside)
    fitting = shape if values.size >= _FEWEST_CHANNELS else shape[-1:]
    if values.ndim != 1 or values.size not in fitting:
        raise ReaderError(
            f"'{beside.name}' has {values.size} values, but '{path.name}' has {shape[-1]} channels (its last dimension); correct one."
        )
    if not np.isfinite(values).all():
        raise ReaderError(f"'{beside.name}' holds values that are not numbers; write the axis again.")
    return values, unit


def _axis_values(path: Path) -> tuple[NDArray[np.float64], str | None]:
    if path.suffix == ".npy":
        _opened(path)
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64), None
    first, _, rest = path.read_text(encoding="utf-8-sig").strip().partition("\n")
    words = _WORDS.findall(first)
    if words and all(map(_is_number, words)):
        return np.array([*words, *_WORDS.findall(rest)], dtype=np.float64), None
    return np.array(_WORDS.findall(rest), dtype=np.float64), _unit_in(first)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _unit_in(line: str) -> str | None:
    """Unit that a line names, in brackets or bare; None where it is none of a spectral axis."""
    for text in (*re.findall(r"[(\[]([^)\]]+)[)\]]", line), *line.lstrip("# ").split()[-1:]):
        try:
            return AxisKind.from_unit(text).unit
        except DataError:
            continue
    return None


def _gridded(counts: NDArray[np.float32], name: str) -> tuple[NDArray[np.float32], Frame]:
    if counts.ndim == 2:
        return grid.as_list(counts, f"'{name}' has no positions")
    if counts.ndim == 1:
        return counts[None, None, :], Frame((1, 1))
    warnings.warn(f"'{name}' does not say the distance of its pixels; it is taken as 1 µm.", DataWarning, stacklevel=2)
    return counts, Frame((counts.shape[0], counts.shape[1]))
