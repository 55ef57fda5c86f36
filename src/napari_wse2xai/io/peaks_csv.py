"""Peak maps as a table for a spreadsheet, one line per pixel, which reads back the same.

What is no number of a pixel (grid, axis, line shapes, windows, metadata, history) stands as JSON in the first cell of the last column.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PARAMETERS, AxisKind, ComputedMap, Frame, PeakMaps, SpectralAxis, Status
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.axis import Medium
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.ordinary import require_ordinary

if TYPE_CHECKING:
    import pandas as pd

_LAST = "fit (napari-wse2xai)"
_OF_PEAKS = (*PARAMETERS, "form", "area")
"""Parameters, each of which has an error beside it."""
_OF_PIXELS = {"reduced_chi2": "reduced chi2", "r2": "R2"}
_OPTIONAL = ("form", "form_error", "area", "area_error", "at_bound", "r2", "background", "peak_status")
_WHOLE = ("at_bound", "peak_status")
_SINGLE = np.float32
_LONGEST_HEADING = 1 << 20


@dataclass(frozen=True)
class _About:
    """What a table says once."""

    shape: tuple[int, int]
    step_um: tuple[float, float]
    origin_um: tuple[float, float]
    sample: str
    axis: list[float]
    axis_unit: str
    """Code of the axis's kind."""
    laser_nm: float | None
    names: list[str]
    shapes: list[str]
    windows: list[tuple[float, float]]
    present: list[str]
    """Maps that not every deconvolution has, and this one has."""
    intensity_unit: str
    name: str
    report: str
    metadata: dict[str, str]
    history: str
    directions: list[dict[str, Any]] | None = None
    rotation_deg: float = 0.0
    wavelengths_in: str | None = None
    axis_error: list[float] | None = None
    computed: tuple[tuple[str, str, str], ...] = ()
    """Name, formula and unit of every computed map."""


def write_peaks_csv(peaks: PeakMaps, path: str | Path) -> None:
    """Write one line per pixel: row, column, stage position or time or the like, status, goodness, each peak's numbers with their errors.

    Cells are empty where there is no value.  `read_peaks_csv` reads all of it back.
    """
    import pandas as pd

    about = _about(peaks)
    rows, columns = (index.ravel() for index in np.indices(peaks.frame.shape))
    places = peaks.frame.at(rows, columns).T
    table: dict[str, Any] = {
        "row": rows,
        "column": columns,
        peaks.frame.directions[0].column: places[0],
        peaks.frame.directions[1].column: places[1],
        "status": [Status(int(code)).meaning for code in peaks.status.ravel()],
    }
    table |= {title: getattr(peaks, attribute)[at].ravel() for title, attribute, at in _columns(about)}
    for each in peaks.computed:
        table |= dict(zip(_titles(each.name, each.unit), (each.value.ravel(), each.error.ravel()), strict=True))
    table[_LAST] = [json.dumps(asdict(about), ensure_ascii=False), *[""] * (len(rows) - 1)]
    with new_file(path) as temporary:
        pd.DataFrame(table).to_csv(temporary, index=False, float_format="%.9g", encoding="utf-8")


def _about(peaks: PeakMaps) -> _About:
    frame, axis = peaks.frame, peaks.axis
    return _About(
        shape=frame.shape,
        step_um=(float(frame.step_um[0]), float(frame.step_um[1])),
        origin_um=(float(frame.origin_um[0]), float(frame.origin_um[1])),
        sample=frame.sample,
        directions=frame.as_record().get("directions"),
        rotation_deg=frame.rotation_deg,
        axis=axis.values.tolist(),
        axis_unit=axis.kind.code,
        laser_nm=None if axis.laser_nm is None else float(axis.laser_nm),
        names=list(peaks.names),
        shapes=list(peaks.shapes),
        windows=[(float(low), float(high)) for low, high in peaks.windows],
        present=[name for name in _OPTIONAL if getattr(peaks, name) is not None],
        intensity_unit=peaks.intensity_unit,
        name=peaks.name,
        report=peaks.report,
        metadata=dict(peaks.metadata),
        history=histories.to_json(peaks.history),
        wavelengths_in=None if axis.medium is None else axis.medium.value,
        axis_error=None if axis.error is None else axis.error.tolist(),
        computed=tuple((each.name, each.expression, each.unit) for each in peaks.computed),
    )


def _titles(name: str, unit: str) -> tuple[str, str]:
    """Columns of a computed map and of its error."""
    return f"{name} ({unit})", f"{name} error ({unit})"


def _columns(about: _About) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Title of each column of numbers, the field of `PeakMaps` that it shows, and which of its maps."""
    for field, title in _OF_PIXELS.items():
        if _has(about, field):
            yield title, field, ()
    yield from _peak_columns(about)
    if _has(about, "background"):
        for index, (low, high) in enumerate(dict.fromkeys(about.windows)):
            yield f"background {low:g}-{high:g} at {low:g} ({about.intensity_unit})", "background", (index, 0)
            yield f"background {low:g}-{high:g} at {high:g} ({about.intensity_unit})", "background", (index, 1)


def _peak_columns(about: _About) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    axis_unit = AxisKind.from_unit(about.axis_unit).unit
    units = {"height": about.intensity_unit, "area": f"{about.intensity_unit} {axis_unit}", "form": "1"}
    for index, peak in enumerate(about.names):
        for parameter in filter(partial(_has, about), _OF_PEAKS):
            unit = units.get(parameter, axis_unit)
            yield f"{peak} {parameter} ({unit})", parameter, (index,)
            if _has(about, f"{parameter}_error"):
                yield f"{peak} {parameter} error ({unit})", f"{parameter}_error", (index,)
        if _has(about, "at_bound"):
            yield f"{peak} at bound", "at_bound", (index,)
        if _has(about, "peak_status"):
            yield f"{peak} status", "peak_status", (index,)


def _has(about: _About, field: str) -> bool:
    return field not in _OPTIONAL or field in about.present


def read_peaks_csv(path: str | Path) -> PeakMaps:
    """Read what `write_peaks_csv` wrote."""
    import pandas as pd

    source = Path(path).expanduser()
    require_ordinary(source)
    with readable_as("a table of peaks", source):
        table = pd.read_csv(source, encoding="utf-8", na_values={_LAST: []})
        if _LAST not in table:
            raise ReaderError(f"'{source.name}' has no column '{_LAST}', so it is no table of peaks of this package; choose another file.")
        about = _About(**json.loads(table[_LAST].iloc[0]))
        ny, nx = about.shape
        if len(table) != ny * nx:
            raise ReaderError(f"'{source.name}' has {len(table)} lines for {ny * nx} pixels; copy or write it again.")
        return _as_peaks(about, table)


def _as_peaks(about: _About, table: "pd.DataFrame") -> PeakMaps:
    ny, nx = about.shape
    codes = {status.meaning: int(status) for status in Status}
    return PeakMaps(
        frame=Frame.from_record(asdict(about)),
        axis=_axis_of(about),
        names=tuple(about.names),
        shapes=tuple(about.shapes),
        windows=tuple((low, high) for low, high in about.windows),
        status=np.array([codes[word] for word in table["status"]], dtype=np.uint8).reshape(ny, nx),
        name=about.name,
        intensity_unit=about.intensity_unit,
        report=about.report,
        metadata=about.metadata,
        history=histories.from_json(about.history),
        computed=tuple(_computed(*words, about.shape, table) for words in about.computed),
        **_maps(about, table),
    )


def _computed(name: str, expression: str, unit: str, shape: tuple[int, int], table: "pd.DataFrame") -> ComputedMap:
    maps = (table[title].to_numpy(_SINGLE).reshape(shape) for title in _titles(name, unit))
    return ComputedMap(name, expression, unit, *maps)


def _axis_of(about: _About) -> SpectralAxis:
    medium = None if about.wavelengths_in is None else Medium(about.wavelengths_in)
    error = None if about.axis_error is None else np.array(about.axis_error)
    return SpectralAxis(np.array(about.axis), AxisKind.from_unit(about.axis_unit), about.laser_nm, medium, error)


def is_peaks_csv(path: str | Path) -> bool:
    """Whether a file is a table that `write_peaks_csv` wrote, by its first line."""
    source = Path(path).expanduser()
    if source.suffix.lower() != ".csv" or require_ordinary(source) is None or not source.is_file():
        return False
    with source.open("rb") as stream:
        return _LAST.encode() in stream.readline(_LONGEST_HEADING)


def _maps(about: _About, table: "pd.DataFrame") -> dict[str, Any]:
    """All maps by the field that they belong to, in the order of the columns."""
    found: dict[str, list[NDArray[Any]]] = {}
    leading: dict[str, tuple[int, ...]] = {}
    about = _About(**{**asdict(about), "windows": [tuple(window) for window in about.windows]})
    for title, field, at in _columns(about):
        found.setdefault(field, []).append(table[title].to_numpy(np.uint8 if field in _WHOLE else _SINGLE))
        leading[field] = tuple(index + 1 for index in at)
    return {field: np.stack(columns).reshape(*leading[field], *about.shape) for field, columns in found.items()}
