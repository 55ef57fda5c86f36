"""Text in the layout of LabSpec, as programs that import it expect it."""

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.io.exporters._export import Export
from napari_wse2xai.io.tables import write_map_table

EXPORT = Export(
    "LabSpec text",
    (".txt", ".tsv"),
    (SpectralMap,),
    write_map_table,
    holds="header lines, the spectral axis, then a line per pixel, tabs between, Latin-1; it reads back the same",
    opens="LabSpec, Origin, programs that import LabSpec's tables",
)
