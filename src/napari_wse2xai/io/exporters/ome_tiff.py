"""OME-TIFF, which Fiji and its like open in micrometres."""

from pathlib import Path
from typing import Any

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.exporters._export import Export
from napari_wse2xai.io.images import PlainImage, image_of

MICROMETRE = "µm"


def write(artefact: PlainImage | SpectralMap | PeakMaps, path: Path) -> None:
    """Write a picture with the size of a pixel in micrometres, and each channel named."""
    import tifffile

    image = image_of(artefact)
    values, (dy, dx) = image.plain, image.step_um
    known: dict[str, Any] = {"axes": "YX" if values.ndim == 2 else "CYX", "Name": image.name}
    known |= {"PhysicalSizeX": dx, "PhysicalSizeXUnit": MICROMETRE, "PhysicalSizeY": dy, "PhysicalSizeYUnit": MICROMETRE}
    if image.channels:
        known["Channel"] = {"Name": list(image.channels)}
    with new_file(path, expected_bytes=values.nbytes) as temporary:
        tifffile.imwrite(temporary, values, ome=True, photometric="minisblack", metadata=known)


EXPORT = Export(
    "OME-TIFF",
    (".ome.tif", ".ome.tiff"),
    (SpectralMap, PeakMaps, PlainImage),
    write,
    holds="a picture in micrometres: channels of a map, parameters of peaks, or what a layer shows",
    opens="Fiji, QuPath, OMERO, tifffile",
    as_seen=True,
)
