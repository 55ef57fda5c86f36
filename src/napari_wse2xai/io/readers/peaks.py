"""Tables of peak maps: no spectra, but what `read_peaks_csv` reads; listed here so that they are told from tables of spectra."""

from pathlib import Path
from typing import NoReturn

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item, describe_axis
from napari_wse2xai.io.peaks_csv import is_peaks_csv, read_peaks_csv
from napari_wse2xai.io.told import Told

FORMATS = (
    Format(
        "Table of peak maps",
        ("*.csv",),
        order=200,
        holds="what `write_peaks_csv` wrote, as peak maps, not as a map",
        needs="pandas",
        licence="BSD-3",
    ),
)

PEAK_MAPS = "peak maps"
"""What such a table holds."""
recognises = is_peaks_csv


def items(path: Path) -> tuple[Item, ...]:
    """List the one set of peak maps."""
    peaks = read_peaks_csv(path)
    return (Item(peaks.name, (*peaks.frame.shape, len(peaks.names)), describe_axis(peaks.axis), what=PEAK_MAPS),)


def read(path: Path, item: str | None, told: Told) -> NoReturn:
    """Refuse to read spectra, and say what to do."""
    raise ReaderError(f"'{path.name}' holds peak maps, not spectra: open it in the window, or with read_peaks_csv.")
