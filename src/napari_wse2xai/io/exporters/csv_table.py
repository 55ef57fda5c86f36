"""Tables with commas in UTF-8, a heading and a line per pixel: what pandas and spreadsheets read as they are."""

from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.data import Components, Explanation, PairedMaps, PeakMaps, SpectralMap, TrainedModel
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.exporters._export import Export
from napari_wse2xai.io.images import PlainImage
from napari_wse2xai.io.map_csv import write_map_csv
from napari_wse2xai.io.peaks_csv import write_peaks_csv
from napari_wse2xai.io.tables import write_table


def write(artefact: Any, path: Path) -> None:
    """Write a line per pixel: maps and peaks so that they read back the same, all else as `to_dataframe` gives it."""
    if isinstance(artefact, SpectralMap):
        write_map_csv(artefact, path)
    elif isinstance(artefact, PeakMaps):
        write_peaks_csv(artefact, path)
    elif isinstance(artefact, PlainImage):
        _write_image(artefact, path)
    else:
        write_table(artefact, path)


def _write_image(image: PlainImage, path: Path) -> None:
    """Write the place of each pixel and its value."""
    assert image.frame is not None
    places = image.frame.at(*np.indices(image.frame.shape)).reshape(-1, 2)
    head = ",".join([*(f"{each.name} ({each.unit or '1'})" for each in image.frame.directions), f'"{image.name} ({image.unit})"'])
    with new_file(path) as temporary:
        table = np.column_stack([places, image.values.astype(np.float64).ravel()])
        np.savetxt(temporary, table, fmt="%.9g", delimiter=",", header=head, comments="", encoding="utf-8")


EXPORT = Export(
    "CSV",
    (".csv",),
    (SpectralMap, PeakMaps, Components, PairedMaps, TrainedModel, Explanation, PlainImage),
    write,
    holds="a line per pixel, UTF-8, commas; maps and peaks read back the same",
    opens="pandas, Excel, Origin, R",
)
