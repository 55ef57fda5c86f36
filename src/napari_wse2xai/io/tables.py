"""Tables for a spreadsheet: a map in the layout of LabSpec, and paired maps, one line per pixel."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from napari_wse2xai.data import PairedMaps, SpectralMap
from napari_wse2xai.data.declared import Tabled
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.readers.labspec import FRAME_KEY
from napari_wse2xai.io.table_kept import KEPT_KEY, kept_of


def write_map_table(spectral_map: SpectralMap, path: str | Path) -> None:
    """Write a map as text in the layout of LabSpec, with tabs; `read` reads it back.

    Counts, axis, grid, unit, laser and metadata are kept exactly and where other programs look for them; all else, from the flake to the
    history, in one line of the header that only this package reads.
    """
    with new_file(path) as temporary, temporary.open("wb") as stream:
        for key, value in _header_of(spectral_map):
            stream.write(_encoded(f"#{key}=\t{_in_one_line(value)}\n"))
        _write_rows(stream, spectral_map)


def write_table(artefact: PairedMaps | Tabled, path: str | Path) -> None:
    """Write what ``to_dataframe`` gives: one line per pixel; cells are empty where there is no value."""
    with new_file(path) as temporary:
        artefact.to_dataframe().to_csv(temporary, index=False, float_format="%.7g", encoding="utf-8")


def _in_one_line(value: str) -> str:
    """Text without line ends; JSON has none, and its blanks count."""
    return value if value.startswith("{") and "\n" not in value else " ".join(value.split())


def _encoded(line: str) -> bytes:
    """Latin-1 as LabSpec writes it, or UTF-8 for what Latin-1 has not; `read` knows both."""
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8")


def _header_of(spectral_map: SpectralMap) -> Iterator[tuple[str, str]]:
    axis = spectral_map.axis
    own = {"AxisUnit[0]": spectral_map.intensity_unit, "AxisType[1]": "Spectr", "AxisUnit[1]": axis.kind.code}
    for number, direction in zip((2, 3), reversed(spectral_map.frame.directions), strict=True):
        own |= {f"AxisType[{number}]": direction.name.upper(), f"AxisUnit[{number}]": "µm" if direction.is_length else direction.unit}
    if axis.laser_nm is not None:
        own["Laser (nm)"] = repr(float(axis.laser_nm))
    if spectral_map.frame.sample:
        own["Sample"] = spectral_map.frame.sample
    yield from {
        **spectral_map.metadata,
        **own,
        FRAME_KEY: json.dumps(spectral_map.frame.as_record()),
        KEPT_KEY: kept_of(spectral_map),
    }.items()


def _write_rows(stream: IO[bytes], spectral_map: SpectralMap) -> None:
    frame, axis = spectral_map.frame, spectral_map.axis
    stream.write(_encoded("\t".join(["", "", *(repr(float(value)) for value in axis.values)]) + "\n"))
    for row, y_um in enumerate(frame.y_um):
        for column, x_um in enumerate(frame.x_um):
            counts = (f"{value:.9g}" for value in spectral_map.counts[row, column])
            stream.write(_encoded("\t".join([repr(float(y_um)), repr(float(x_um)), *counts]) + "\n"))
