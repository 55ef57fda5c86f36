"""A map as a table that pandas reads without arguments: a heading with the spectral axis, a line per pixel, commas, UTF-8.

What is no number of a pixel (grid, axis, flake, metadata, history) stands as JSON in the first cell of the last column, so that it reads
back the same.
"""

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.table_kept import kept_of, restored
from napari_wse2xai.io.table_text import loaded
from napari_wse2xai.ordinary import require_ordinary

LAST = "map (napari-wse2xai)"
_LONGEST_HEADING = 1 << 22


def write_map_csv(spectral_map: SpectralMap, path: str | Path) -> None:
    """Write ``y``, ``x`` with their units, then a column for each channel, headed by its place on the axis; `read` reads it back."""
    frame, axis = spectral_map.frame, spectral_map.axis
    headings = [*(each.column for each in frame.directions), *(repr(float(value)) for value in axis.values), LAST]
    about = _about(spectral_map)
    with new_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(headings)
        for row in range(frame.shape[0]):
            counts = np.asarray(spectral_map.counts[row])
            for column, spectrum in enumerate(counts):
                place = (repr(float(value)) for value in frame.at(row, column))
                table.writerow([*place, *("" if value != value else f"{value:.9g}" for value in spectrum.tolist()), about])
                about = ""


def _about(spectral_map: SpectralMap) -> str:
    axis = spectral_map.axis
    told: dict[str, Any] = {
        "frame": spectral_map.frame.as_record(),
        "axis_unit": axis.kind.code,
        "laser_nm": None if axis.laser_nm is None else float(axis.laser_nm),
        "intensity_unit": spectral_map.intensity_unit,
        "metadata": dict(spectral_map.metadata),
    }
    return json.dumps(told | {"kept": kept_of(spectral_map)}, ensure_ascii=False)


def is_map_csv(path: Path) -> bool:
    """Whether a file is a table that `write_map_csv` wrote, by its first line."""
    if path.suffix.lower() != ".csv":
        return False
    with path.open("rb") as stream:
        return stream.readline(_LONGEST_HEADING).rstrip().endswith(LAST.encode())


def read_map_csv(path: Path, unit: str | None = None) -> SpectralMap:
    """Read what `write_map_csv` wrote; `unit` is that of the axis, where the user says another."""
    require_ordinary(path)
    with readable_as("a table of a map", path), path.open(encoding="utf-8", newline="") as stream:
        channels, first = (next(csv.reader([stream.readline()])) for _ in range(2))
        about = json.loads(first[-1])
        frame = Frame.from_record(about["frame"]).checked()
        lines = itertools.chain([",".join(first[:-1])], (line.rpartition(",")[0] for line in stream))
        counts = loaded(map(_with_nan, lines), ",", len(channels) - 1, 2)[1]
        if len(counts) != frame.n_pixels:
            raise ReaderError(f"'{path.name}' has {len(counts)} lines for {frame.n_pixels} pixels; copy or write it again.")
        warn_of_holes(counts, path.name)
        found = SpectralMap.from_arrays(
            counts.reshape(*frame.shape, -1),
            np.array(channels[2:-1], dtype=np.float64),
            AxisKind.from_unit(unit or about["axis_unit"]),
            frame=frame,
            laser_nm=about["laser_nm"],
            name=path.stem,
            intensity_unit=str(about["intensity_unit"]),
            metadata={str(key): str(value) for key, value in about["metadata"].items()},
        )
    return restored(found, about["kept"]) if unit is None else found


def _with_nan(line: str) -> str:
    """Line of numbers with a word in every empty cell."""
    while ",," in line:
        line = line.replace(",,", ",nan,")
    return f"{line}nan" if line.endswith(",") else line
