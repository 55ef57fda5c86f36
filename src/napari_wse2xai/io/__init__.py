"""Files in and out.  Light to import: the libraries behind a format are loaded when a file of it is opened."""

from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.checksum import sha256
from napari_wse2xai.io.conversion import convert
from napari_wse2xai.io.delivery import UNFINISHED, delivered, mark_unfinished, require_room
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.learnt_csv import write_pdp_csv, write_ranking_csv, write_scores_csv, write_slopes_csv
from napari_wse2xai.io.left_over import clear_left_over
from napari_wse2xai.io.netcdf import write_map
from napari_wse2xai.io.peaks_csv import is_peaks_csv, read_peaks_csv, write_peaks_csv
from napari_wse2xai.io.readers import FORMATS, list_items, pictures, read
from napari_wse2xai.io.results import is_results, parts_of, read_flakes, read_job, read_results, write_results
from napari_wse2xai.io.tables import write_map_table, write_table

__all__ = [
    "FORMATS",
    "UNFINISHED",
    "Item",
    "clear_left_over",
    "convert",
    "delivered",
    "is_peaks_csv",
    "is_results",
    "list_items",
    "mark_unfinished",
    "new_file",
    "parts_of",
    "pictures",
    "read",
    "read_flakes",
    "read_job",
    "read_peaks_csv",
    "read_results",
    "require_room",
    "sha256",
    "write_map",
    "write_map_table",
    "write_pdp_csv",
    "write_peaks_csv",
    "write_ranking_csv",
    "write_results",
    "write_scores_csv",
    "write_slopes_csv",
    "write_table",
]
