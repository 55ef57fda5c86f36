"""From a file of any known format to one for other programs."""

from pathlib import Path
from typing import Any

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.io.delivery import require_room
from napari_wse2xai.io.netcdf import write_map
from napari_wse2xai.io.readers import reading
from napari_wse2xai.io.results import is_results, parts_of, read_results
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
    laser_nm: float | None = None,
) -> Any:
    """Write a map of any known format, or a part of a run's results, and give it; the ending of `target` says how, as `export` does.

    As NetCDF the same as `read` and `write_map` one after the other, only sooner: the checksum is taken while the counts are written.
    """
    from napari_wse2xai.io.exporters import export, required

    require_room(Path(target).expanduser().parent, [Path(target).name])
    if item is not None and is_results(source) and item in (parts := parts_of(read_results(source))):
        export(parts[item], target)
        return parts[item]
    required(target, SpectralMap)
    with reading(source, item, Told(unit, overlap, swap_xy, laser_nm), at_once=True) as (found, record):
        if Path(target).suffix.lower() == ".nc":
            write_map(found, target, last=record)
            return found.with_record(record())
        export(whole := found.with_record(record()), target)
        return whole
