"""OME-Zarr, a picture in a folder."""

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.io.atomic import told_plainly
from napari_wse2xai.io.exporters._export import Export
from napari_wse2xai.io.images import PlainImage, image_of


def write(artefact: PlainImage | SpectralMap | PeakMaps, path: Path) -> None:
    """Write a folder in OME-Zarr 0.4, which appears complete or not at all."""
    import zarr

    image = image_of(artefact)
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    scale = list(image.step_um)
    if image.values.ndim == 3:
        axes, scale = [{"name": "c", "type": "channel"}, *axes], [1.0, *scale]
    transform = [{"type": "scale", "scale": scale}]
    described: dict[str, Any] = {"version": "0.4", "name": image.name, "axes": axes}
    described["datasets"] = [{"path": "0", "coordinateTransformations": transform}]

    def made(folder: Path) -> None:
        group = zarr.open_group(folder, mode="w", zarr_format=2)
        group.create_array("0", data=image.plain, chunk_key_encoding={"name": "v2", "separator": "/"})
        group.attrs["multiscales"] = [described]
        if image.channels:
            group.attrs["omero"] = {"channels": [_channel(*each) for each in zip(image.channels, image.plain, strict=True)]}

    _folder(path, made)


def _channel(name: str, values: NDArray[Any]) -> dict[str, Any]:
    """What OME-Zarr wants to be said of a channel: how bright it is drawn."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return {"label": name, "color": "FFFFFF", "window": {"min": low, "max": high, "start": low, "end": high}}


def _folder(target: Path, write: Callable[[Path], None]) -> None:
    """Make a folder that takes its place when it is complete; one that is there already is not written over."""
    with told_plainly(target):
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as beside:
            write(Path(beside) / "made")
            (Path(beside) / "made").rename(target)


EXPORT = Export(
    "OME-Zarr",
    (".ome.zarr",),
    (SpectralMap, PeakMaps, PlainImage),
    write,
    holds="the same in OME-Zarr 0.4, a folder",
    opens="napari, OMERO, Fiji, zarr",
    as_seen=True,
    is_folder=True,
)
