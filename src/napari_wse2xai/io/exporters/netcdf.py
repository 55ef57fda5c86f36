"""NetCDF: all that there is of a result, as this package opens it again."""

from pathlib import Path
from typing import Any

from napari_wse2xai.data import Explanation, PairedMaps, PeakMaps, Results, SpectralMap, TrainedModel
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.exporters._export import Export
from napari_wse2xai.io.images import PlainImage
from napari_wse2xai.io.netcdf import CONVENTIONS, write_frame, write_map
from napari_wse2xai.io.results import write_results


def write(artefact: object, path: Path) -> None:
    """Write a map or a picture alone, all else in the groups of a run's results."""
    if isinstance(artefact, PlainImage):
        _write_image(artefact, path)
    elif isinstance(artefact, SpectralMap):
        write_map(artefact, path)
    else:
        write_results(_as_results(artefact), path)


def _write_image(image: PlainImage, path: Path) -> None:
    """Write a variable ``values`` (y, x) with its coordinates."""
    import h5netcdf

    assert image.frame is not None
    with new_file(path) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs.update({"Conventions": CONVENTIONS, "title": image.name})
        write_frame(file, image.frame)
        variable = file.create_variable("values", ("y", "x"), data=image.values)
        variable.attrs.update({"long_name": image.name, "units": image.unit})


def _as_results(artefact: Any) -> Results:
    if isinstance(artefact, PeakMaps):
        return Results({}, {artefact.axis.kind.modality: artefact})
    if isinstance(artefact, PairedMaps):
        return Results({}, {"raman": artefact.raman}, paired=artefact)
    if isinstance(artefact, TrainedModel):
        return Results({}, model=artefact)
    return Results({}, explanation=artefact) if isinstance(artefact, Explanation) else artefact


EXPORT = Export(
    "NetCDF",
    (".nc",),
    (SpectralMap, PeakMaps, PairedMaps, TrainedModel, Explanation, Results, PlainImage),
    write,
    holds="everything, with units, meaning and history ([results.md](results.md))",
    opens="this package, xarray, MATLAB, Origin, Panoply",
)
