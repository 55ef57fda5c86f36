"""Peak maps as a table for a spreadsheet, one line per pixel, which reads back the same.

Columns are the declared maps (`data.peak_maps`).  What is no number of a pixel (grid, axis, and all else that is declared) stands as JSON
in the first cell of the last column.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, ComputedMap, Frame, PeakMaps, SpectralAxis, Status
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.axis import Medium
from napari_wse2xai.data.declared import PLACES, Declared, declared
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.codec import from_plain
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.ordinary import require_ordinary

_LAST = "fit (napari-wse2xai)"
_STRAIGHT = 2
"""Points of the background in a table that does not say them."""
_LONGEST_HEADING = 1 << 20
Place = tuple[str, Declared, tuple[int, ...]]
"""Heading of a column, the field that it shows, and which of its maps."""


def write_peaks_csv(peaks: PeakMaps, path: str | Path) -> None:
    """Write one line per pixel: row, column, stage position or time or the like, status, goodness, each peak's numbers with their errors.

    Cells are empty where there is no value.  `read_peaks_csv` reads all of it back.
    """
    import pandas as pd

    rows, columns = (index.ravel() for index in np.indices(peaks.frame.shape))
    places = peaks.frame.at(rows, columns).T
    table: dict[str, Any] = {
        "row": rows,
        "column": columns,
        peaks.frame.directions[0].column: places[0],
        peaks.frame.directions[1].column: places[1],
        "status": [Status(int(code)).meaning for code in peaks.status.ravel()],
    }
    points = _STRAIGHT if peaks.background is None else peaks.background.shape[1]
    for heading, each, at in _columns(peaks, points):
        if (values := getattr(peaks, each.field)) is not None:
            table[heading] = values[at].ravel()
    for one in peaks.computed:
        table |= dict(zip(_headings(one.name, one.unit), (one.value.ravel(), one.error.ravel()), strict=True))
    table[_LAST] = [json.dumps(_about(peaks, points), ensure_ascii=False, default=_plain), *[""] * (len(rows) - 1)]
    with new_file(path) as temporary:
        pd.DataFrame(table).to_csv(temporary, index=False, float_format="%.9g", encoding="utf-8")


def _about(peaks: PeakMaps, points: int) -> dict[str, Any]:
    """What a table says once."""
    axis = peaks.axis
    return {
        **peaks.frame.as_record(),
        "axis": axis.values,
        "axis_unit": axis.kind.code,
        "laser_nm": axis.laser_nm,
        "wavelengths_in": axis.medium,
        "axis_error": axis.error,
        **{each.field: getattr(peaks, each.field) for each in _said_once()},
        "history": histories.to_json(peaks.history),
        "computed": [(each.name, each.expression, each.unit) for each in peaks.computed],
        "background_points": points,
    }


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else dict(value) if hasattr(value, "keys") else asdict(value)


def _said_once() -> Iterator[Declared]:
    """Declared fields that are no maps."""
    return (each for each in declared(PeakMaps) if each.record is None and not _is_map(each))


def _is_map(each: Declared) -> bool:
    return each.about.dims is not None and each.about.dims[-2:] == PLACES


def _headings(name: str, unit: str) -> tuple[str, str]:
    """Headings of a computed map and of its error."""
    return f"{name} ({unit})", f"{name} error ({unit})"


def _columns(peaks: Any, points: int) -> Iterator[Place]:
    """Every column of numbers that there may be, for peaks, or for what is known of them before there are any maps."""
    maps = [each for each in declared(PeakMaps) if _is_map(each) and each.field != "status"]
    bases = [each.field for each in maps]
    own = sorted(
        (each for each in maps if each.about.dims == ("peak", *PLACES)),
        key=lambda each: (bases.index(each.field.removesuffix("_error")), each.field),
    )
    yield from ((_heading(each), each, ()) for each in maps if each.about.dims == PLACES)
    for index, name in enumerate(peaks.names):
        yield from ((f"{name} {_heading(each, peaks)}", each, (index,)) for each in own)
    for index, window in enumerate(dict.fromkeys(peaks.windows)):
        for each in maps:
            if each.about.dims is not None and each.about.dims[0] == "fit_window":
                yield from _of_window(each, index, window, points, peaks)


def _of_window(each: Declared, index: int, window: Sequence[float], points: int, peaks: Any) -> Iterator[Place]:
    words = f"{each.field.replace('_', ' ')} {window[0]:g}-{window[1]:g}"
    if each.about.dims is None or len(each.about.dims) == len(("fit_window", *PLACES)):
        yield words, each, (index,)
        return
    for point, place in enumerate(np.linspace(window[0], window[1], points)):
        yield f"{words} at {place:g} ({each.about.unit.format(peaks)})", each, (index, point)


def _heading(each: Declared, of: Any = None) -> str:
    """Words for a column; with the unit where that is one peak's."""
    words = each.about.heading or each.field.replace("_", " ")
    return f"{words} ({each.about.unit.format(of)})" if of is not None and each.about.unit else words


def read_peaks_csv(path: str | Path) -> PeakMaps:
    """Read what `write_peaks_csv` wrote."""
    import pandas as pd

    source = Path(path).expanduser()
    require_ordinary(source)
    with readable_as("a table of peaks", source):
        table = pd.read_csv(source, encoding="utf-8", na_values={_LAST: []})
        if _LAST not in table:
            raise ReaderError(f"'{source.name}' has no column '{_LAST}', so it is no table of peaks of this package; choose another file.")
        about = json.loads(table[_LAST].iloc[0])
        ny, nx = about["shape"]
        if len(table) != ny * nx:
            raise ReaderError(f"'{source.name}' has {len(table)} lines for {ny * nx} pixels; copy or write it again.")
        return _as_peaks(about, {str(heading): table[heading].to_numpy().reshape(ny, nx) for heading in table.columns[:-1]})


def _as_peaks(about: dict[str, Any], table: dict[str, NDArray[Any]]) -> PeakMaps:
    told = {each.field: _read(each, about[each.field]) for each in _said_once() if about.get(each.field) is not None}
    known = SimpleNamespace(axis=_axis_of(about), **told)
    found: dict[str, list[NDArray[Any]]] = {}
    many: dict[str, tuple[int, ...]] = {}
    for heading, each, at in _columns(known, about.get("background_points", _STRAIGHT)):
        if heading in table:
            found.setdefault(each.field, []).append(table[heading].astype(each.kind))
            many[each.field] = tuple(index + 1 for index in at)
    maps: dict[str, Any] = {field: np.reshape(columns, (*many[field], *columns[0].shape)) for field, columns in found.items()}
    codes = {status.meaning: int(status) for status in Status}
    status = np.array([[codes[word] for word in row] for row in table["status"]], dtype=np.uint8)
    computed = tuple(
        ComputedMap(*words, *(table[heading].astype(np.float32) for heading in _headings(words[0], words[2])))
        for words in about.get("computed", ())
    )
    return PeakMaps(Frame.from_record(about), known.axis, status=status, computed=computed, **told, **maps)


def _read(each: Declared, value: Any) -> Any:
    """Value of a field that is no map."""
    if each.field == "history":
        return histories.from_json(value)
    return np.array(value, dtype=each.kind) if each.is_array else from_plain(each.hint, value)


def _axis_of(about: dict[str, Any]) -> SpectralAxis:
    medium = None if about.get("wavelengths_in") is None else Medium(about["wavelengths_in"])
    error = None if about.get("axis_error") is None else np.array(about["axis_error"])
    return SpectralAxis(np.array(about["axis"]), AxisKind.from_unit(about["axis_unit"]), about["laser_nm"], medium, error)


def is_peaks_csv(path: str | Path) -> bool:
    """Whether a file is a table that `write_peaks_csv` wrote, by its first line."""
    source = Path(path).expanduser()
    if source.suffix.lower() != ".csv" or require_ordinary(source) is None or not source.is_file():
        return False
    with source.open("rb") as stream:
        return _LAST.encode() in stream.readline(_LONGEST_HEADING)
