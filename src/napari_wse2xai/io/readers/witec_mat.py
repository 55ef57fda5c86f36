"""WITec's MATLAB export: one data set object per variable, with its axes and, for a map, the size of the image."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.hdf5_arrays import is_hdf5
from napari_wse2xai.io.items import Item, choose, item_of
from napari_wse2xai.io.told import LISTING, Told, made_map

FORMATS = (Format("WITec MATLAB export", ("*.mat",), order=20, holds="maps and lines", needs="SciPy", licence="BSD-3"),)

_FIELDS = {"data", "axisscale"}


def recognises(path: Path) -> bool:
    """Whether it holds objects, as WITec writes, not plain arrays."""
    from scipy.io import whosmat
    from scipy.io.matlab import MatReadError

    if is_hdf5(path):
        return False
    with readable_as("MATLAB", path, MatReadError, NameError):
        classes = {kind for _, _, kind in whosmat(path)}
    return "object" in classes or classes == {"struct"}


def items(path: Path) -> tuple[Item, ...]:
    """List the data sets."""
    return tuple(item_of(spectral_map) for spectral_map in _maps(path, LISTING))


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one data set."""
    maps = {spectral_map.name: spectral_map for spectral_map in _maps(path, told)}
    chosen = maps[choose([item_of(spectral_map) for spectral_map in maps.values()], item, path).name]
    warn_of_holes(chosen.counts, path.name)
    return chosen


def _maps(path: Path, told: Told) -> tuple[SpectralMap, ...]:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    with readable_as("MATLAB", path, MatReadError, NameError):  # scipy 1.17 forgets to set a variable on an unknown class code
        content = loadmat(path)
        found = tuple(
            _as_map({key: value[key].item() for key in value.dtype.names}, told) for value in content.values() if _is_data_set(value)
        )
    if not found:
        raise ReaderError(f"'{path.name}' holds no data set that WITec exported (with 'data' and 'axisscale'); export the map again.")
    return found


def _is_data_set(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.size == 1 and _FIELDS.issubset(value.dtype.names or ())


def _as_map(record: dict[str, Any], told: Told) -> SpectralMap:
    axis, axis_unit = record["axisscale"][1, 0].ravel(), _text(record["axisscale"][1, 1])
    spectra = np.atleast_2d(record["data"])
    frame = _frame(record, len(spectra))
    values, kind = settle_axis(np.asarray(axis, dtype=np.float64), axis_unit, given=told.unit, name=_text(record["name"]))
    return made_map(
        spectra.reshape(*frame.shape[::-1], -1).transpose(1, 0, 2),
        values,
        kind,
        told,
        frame=frame,
        name=_text(record["name"]),
        metadata=dict(_metadata(record)),
    )


def _frame(record: dict[str, Any], n_spectra: int) -> Frame:
    """Grid of the image: MATLAB counts pixels down the columns, so y is the fast coordinate and comes first."""
    sizes = np.asarray(record.get("imagesize", ())).ravel()
    if sizes.size != 2:
        start, step = _start_and_step(record["axisscale"][0, 0])
        return Frame((n_spectra, 1), (step, 1.0), (start, 0.0))
    (y0, dy), (x0, dx) = (_start_and_step(record["imageaxisscale"][which, 0]) for which in (0, 1))
    return Frame((int(sizes[0]), int(sizes[1])), (dy, dx), (y0, x0))


def _start_and_step(positions: NDArray[np.float64]) -> tuple[float, float]:
    values = np.asarray(positions, dtype=np.float64).ravel()
    if values.size < 2 or values[-1] == values[0]:
        return (float(values[0]) if values.size else 0.0), 1.0
    return float(values[0]), float(values[-1] - values[0]) / (values.size - 1)


def _metadata(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    date = np.asarray(record.get("date", ())).ravel()
    if date.size == 6:
        yield "Exported", "{:04.0f}-{:02.0f}-{:02.0f} {:02.0f}:{:02.0f}:{:02.0f}".format(*date)
    for key in ("author", "description", "history", "uniqueid"):
        if text := _text(record.get(key, "")):
            yield key, text


def _text(value: object) -> str:
    """Text of a MATLAB string, or of a cell of strings."""
    array = np.asarray(value)
    if array.dtype.kind == "O":
        return "; ".join(filter(None, map(_text, array.ravel())))
    return " ".join(map(str, array.ravel())) if array.dtype.kind == "U" else ""
