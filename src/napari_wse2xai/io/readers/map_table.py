"""Tables of a map that this package wrote for pandas and spreadsheets."""

from pathlib import Path

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.map_csv import is_map_csv, read_map_csv
from napari_wse2xai.io.told import Told

FORMATS = (
    Format(
        "Table of a map",
        ("*.csv",),
        order=210,
        holds="what was saved as CSV here, with its grid, flake and history",
        needs="NumPy",
        licence="BSD-3",
    ),
)
recognises = is_map_csv


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the map."""
    return read_map_csv(path, told.unit)
