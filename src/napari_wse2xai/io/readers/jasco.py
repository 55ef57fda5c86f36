"""JASCO text: lines ``TITLE``, ``DATA TYPE``, ``XUNITS``... with their values, ``XYDATA``, the numbers, and what else is known below.

One spectrum, or several in columns beside one axis; further columns with units of their own (``Y2UNITS``) are other signals, and left out.
"""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import grid, table_text
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.table_look import Look, head_cells, is_of_numbers, look
from napari_wse2xai.io.table_words import counts_unit, unit_of_light
from napari_wse2xai.io.told import Told, made_map

FORMATS = (Format("JASCO text", TABLES, order=230),)

_NUMBERS = "XYDATA"


def recognises(path: Path) -> bool:
    """Whether the line above the numbers says ``XYDATA``, and one before it the unit of the axis."""
    seen = look(path)
    return seen is not None and {_NUMBERS, "XUNITS"} <= {cells[0].upper() for cells in seen.head}


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the spectrum, or the list of spectra."""
    seen = look(path)
    if seen is None:
        raise ReaderError(f"'{path.name}' has a header but no spectrum; export it again.")
    axis, spectra, foot = _numbers(seen, path)
    metadata = _pairs(seen.head) | _pairs(foot)
    if "Y2UNITS" in metadata and len(spectra) > 1:
        warnings.warn(f"'{path.name}': {len(spectra) - 1} other signals beside the spectrum left out.", DataWarning, stacklevel=2)
        spectra = spectra[:1]
    warn_of_holes(spectra, path.name)
    single = (spectra[:, None, :], Frame((1, 1)))
    cube, frame = single if len(spectra) == 1 else grid.as_list(spectra, f"'{path.name}' has no positions")
    called = metadata.get("XUNITS", "")
    return made_map(
        cube,
        *settle_axis(axis, unit_of_light([called]), given=told.unit, name=path.name, called=called),
        told,
        frame=frame,
        laser_nm=laser_in(metadata),
        name=metadata.get("TITLE") or table_text.stem_of(path),
        intensity_unit=counts_unit([f"({metadata.get('YUNITS', '')})"]),
        metadata=metadata,
    )


def _numbers(seen: Look, path: Path) -> tuple[NDArray[np.float64], NDArray[np.float32], list[list[str]]]:
    """Axis (n,), spectra (m, n), and the cells of the lines below the numbers."""
    with table_text.open_table(path) as stream, readable_as("JASCO text", path):
        stream.seek(seen.start)
        lines = stream.readlines()
    end = next((number for number, line in enumerate(lines) if not is_of_numbers(table_text.decoded(line))), len(lines))
    axis, columns = table_text.read_numbers(io.BytesIO(b"".join(lines[:end])), seen.style, seen.n_columns, 1, path)
    foot = [head_cells(table_text.decoded(line), seen.style) for line in lines[end:] if line.strip()]
    told = _pairs(seen.head).get("NPOINTS", "")
    if told.isdigit() and int(told) > len(axis):
        raise ReaderError(f"'{path.name}' breaks off after {len(axis)} of {told} points; copy or export it again.")
    if not columns.size:
        raise ReaderError(f"'{path.name}' has an axis but no spectrum beside it; export it again.")
    return axis[:, 0], np.ascontiguousarray(columns.T), foot


def _pairs(lines: "list[list[str]] | tuple[tuple[str, ...], ...]") -> dict[str, str]:
    """Lines of a name and a value as a dictionary; the first of a name counts."""
    return {cells[0]: cells[1] for cells in reversed(lines) if len(cells) > 1 and cells[0]}
