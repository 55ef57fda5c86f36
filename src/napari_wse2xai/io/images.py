"""What one layer shows, as a file for other programs: a table, NetCDF, or OME-TIFF and OME-Zarr, which Fiji opens in micrometres."""

import errno
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame
from napari_wse2xai.io.atomic import new_file, told_plainly
from napari_wse2xai.io.netcdf import write_frame

MICROMETRE = "µm"
_OME_TYPES = {"b": "uint8", "u": "uint16", "i": "int32", "f": "float32"}
"""What OME knows of NumPy's kinds, and every program reads."""


@dataclass(frozen=True)
class PlainImage:
    """Values on a grid, with all that a stranger must know of them."""

    values: NDArray[Any]
    """(y, x), or (spectral, y, x)."""
    name: str
    step_um: tuple[float, float] = (1.0, 1.0)
    """Distance of rows and of columns, without a sign: row 0 is the top row."""
    unit: str = "1"
    channels: tuple[str, ...] = ()
    """What each spectral channel is, as ``249.8 cm-1``."""

    @property
    def plain(self) -> NDArray[Any]:
        """Values in a type that every program reads."""
        return np.ascontiguousarray(self.values, dtype=_OME_TYPES[self.values.dtype.kind])


def write_image_csv(image: PlainImage, frame: Frame, path: str | Path) -> None:
    """Write a line per pixel: its place and its value."""
    places = frame.at(*np.indices(frame.shape)).reshape(-1, 2)
    head = ",".join([*(f"{each.name} ({each.unit or '1'})" for each in frame.directions), f'"{image.name} ({image.unit})"'])
    with new_file(path) as temporary:
        table = np.column_stack([places, image.values.astype(np.float64).ravel()])
        np.savetxt(temporary, table, fmt="%.9g", delimiter=",", header=head, comments="", encoding="utf-8")


def write_image_netcdf(image: PlainImage, frame: Frame, path: str | Path) -> None:
    """Write a variable ``values`` (y, x) with its coordinates."""
    import h5netcdf

    with new_file(path) as temporary, h5netcdf.File(temporary, "w") as file:
        write_frame(file, frame)
        variable = file.create_variable("values", ("y", "x"), data=image.values)
        variable.attrs.update({"long_name": image.name, "units": image.unit})


def write_ome_tiff(image: PlainImage, path: str | Path) -> None:
    """Write an OME-TIFF with the size of a pixel in micrometres, and each spectral channel named."""
    import tifffile

    values, (dy, dx) = image.plain, image.step_um
    known: dict[str, Any] = {"axes": "YX" if values.ndim == 2 else "CYX", "Name": image.name}
    known |= {"PhysicalSizeX": dx, "PhysicalSizeXUnit": MICROMETRE, "PhysicalSizeY": dy, "PhysicalSizeYUnit": MICROMETRE}
    if image.channels:
        known["Channel"] = {"Name": list(image.channels)}
    with new_file(path, expected_bytes=values.nbytes) as temporary:
        tifffile.imwrite(temporary, values, ome=True, photometric="minisblack", metadata=known)


def write_ome_zarr(image: PlainImage, path: str | Path) -> None:
    """Write a folder in OME-Zarr 0.4, which appears complete or not at all."""
    import zarr

    target = Path(path)
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    scale = list(image.step_um)
    if image.values.ndim == 3:
        axes, scale = [{"name": "c", "type": "channel"}, *axes], [1.0, *scale]
    transform = [{"type": "scale", "scale": scale}]
    described = {"version": "0.4", "name": image.name, "axes": axes}
    described["datasets"] = [{"path": "0", "coordinateTransformations": transform}]

    def write(folder: Path) -> None:
        group = zarr.open_group(folder, mode="w", zarr_format=2)
        group.create_array("0", data=image.plain, chunk_key_encoding={"name": "v2", "separator": "/"})
        group.attrs["multiscales"] = [described]
        if image.channels:
            group.attrs["omero"] = {"channels": [{"label": name} for name in image.channels]}

    _folder(target, write)


def _folder(target: Path, write: Callable[[Path], None]) -> None:
    """Make a folder that takes its place when it is complete; one that is there already is not written over."""
    with told_plainly(target):
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as beside:
            write(Path(beside) / "made")
            (Path(beside) / "made").rename(target)
