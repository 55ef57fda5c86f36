"""From a file of any known format to one NetCDF file."""

from pathlib import Path

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.io.delivery import require_room
from napari_wse2xai.io.netcdf import write_map
from napari_wse2xai.io.readers import reading
from napari_wse2xai.io.told import Told
from napari_wse2xai.numerics.seams import Overlap


def convert(
    source: str | Path,
    target: str | Path,
    item: str | None = None,
    *,
    unit: str | None = None,
    overlap: Overlap | None = None,
    swap_xy: bool = False,
) -> SpectralMap:
    """Write a map of any known format as NetCDF, and give it.

    The same as `read` and `write_map` one after the other, only sooner: the file's checksum is taken while the counts are written.
    """
    require_room(Path(target).expanduser().parent, [Path(target).name])
    with reading(source, item, Told(unit, overlap, swap_xy)) as (found, record):
        write_map(found, target, last=record)
        return found.with_record(record())
