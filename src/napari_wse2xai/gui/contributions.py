"""What the manifest offers to napari: readers, samples, a writer.  Nothing heavy is loaded before a command runs."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_wse2xai.errors import DataWarning, UserError

if TYPE_CHECKING:
    from napari_wse2xai.data import PeakMaps, SpectralMap
    from napari_wse2xai.layers import LayerTuple, Shown

ReaderFunction = Callable[[str | Sequence[str]], "list[LayerTuple]"]


def get_reader(path: str | Sequence[str]) -> ReaderFunction | None:
    """Give a reader for a file of a known format, else None so that napari asks others."""
    from napari_wse2xai.io import FORMATS
    from napari_wse2xai.io.readers import LABSPEC_BINARY

    first = Path(path if isinstance(path, str) else path[0])
    is_known = any(entry.matches(first) for entry in FORMATS)
    return read_for_napari if is_known or f"*{first.suffix.lower()}" in LABSPEC_BINARY else None


def read_layers(path: str | Sequence[str]) -> "list[LayerTuple]":
    """Open maps, or the result of a run, as layers.

    What is wrong with a file comes as one sentence in napari's notification; what the user should know about it, as a warning there.
    """
    paths = [path] if isinstance(path, str) else list(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        layers = [layer for file in paths for layer in _layers_of(Path(file))]
    for warning in caught:
        _tell(str(warning.message), grave=False)
    return layers


def read_for_napari(path: str | Sequence[str]) -> "list[LayerTuple]":
    """Open what is dropped on the window; a file that cannot be read adds nothing, its sentence is shown."""
    return _fitted(read_layers(path)) or [(None,)]  # type: ignore[list-item]  # npe2's sign for "read, but nothing to show"


def _layers_of(path: Path) -> "list[LayerTuple]":
    from napari_wse2xai.gui.parts.opening import all_of
    from napari_wse2xai.layers import to_layers
    from napari_wse2xai.session.files import is_session

    try:
        if is_session(path):
            return _layers_of_session(path)
        return [layer for artefact in all_of(path) for layer in to_layers(artefact)]
    except UserError as error:
        _tell(str(error), grave=True)
        return []


def _layers_of_session(path: Path) -> "list[LayerTuple]":
    """Layers that a session was saved with; what has none is in the window's session too, where there is a window."""
    from napari import current_viewer

    from napari_wse2xai.gui.session import contents
    from napari_wse2xai.gui.session.opened import open_file
    from napari_wse2xai.progress import silent

    opened, viewer = open_file(path, silent), current_viewer()
    if viewer is not None:
        contents.session(viewer).adopt(opened.held, f"Open {path.name}")
    return opened.layers()


def _tell(message: str, *, grave: bool) -> None:
    from napari.utils.notifications import show_error, show_warning

    (show_error if grave else show_warning)(message)


def triangle_raman() -> "list[LayerTuple]":
    """Sample: Raman map of the triangle flake."""
    return _sample("triangle", "raman")


def triangle_pl() -> "list[LayerTuple]":
    """Sample: PL map of the triangle flake."""
    return _sample("triangle", "pl")


def star_raman() -> "list[LayerTuple]":
    """Sample: Raman map of the star flake."""
    return _sample("star", "raman")


def star_pl() -> "list[LayerTuple]":
    """Sample: PL map of the star flake."""
    return _sample("star", "pl")


def triangle_pl_on_its_own_grid() -> "list[LayerTuple]":
    """Sample: PL map of the triangle flake, taken another day: coarser, shifted, turned, mirrored."""
    from napari_wse2xai.layers import to_layers
    from napari_wse2xai.synthetic import SAMPLE_PLACEMENT, make_pair

    return _fitted(to_layers(make_pair("triangle", SAMPLE_PLACEMENT).pl))


def _sample(shape: Any, modality: str) -> "list[LayerTuple]":
    from napari_wse2xai.layers import to_layers
    from napari_wse2xai.synthetic import make_flake

    return _fitted(to_layers(getattr(make_flake(shape), modality)))


def _fitted(layers: "list[LayerTuple]") -> "list[LayerTuple]":
    """Layers made to fit the window that they are for, where there is one."""
    from napari import current_viewer

    from napari_wse2xai.gui.session import contents

    viewer = current_viewer()
    return layers if viewer is None else contents.fitted_in(viewer, layers)


def write_map(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Save what a layer shows: a map, or peak maps, whole; any other picture as it is seen.  Of other makers' layers only OME files."""
    from napari_wse2xai.data import PeakMaps, SpectralMap
    from napari_wse2xai.layers import shown_in

    target, shown = Path(path), shown_in(meta.get("metadata", {}))
    is_whole = shown is not None and isinstance(shown.artefact, PeakMaps if shown.part != "map" else SpectralMap)
    if target.suffix.lower() in (".tif", ".tiff", ".zarr"):
        _write_ome(target, data, meta)
    elif shown is None:
        return []
    elif is_whole:
        _write(shown.artefact, target)  # type: ignore[arg-type]  # of either kind, as was just asked
    else:
        _write_seen(target, shown, data, meta)
    return [path]


def _write_seen(path: Path, shown: "Shown", data: Any, meta: dict[str, Any]) -> None:
    from napari_wse2xai.io import images

    write = images.write_image_netcdf if path.suffix.lower() == ".nc" else images.write_image_csv
    write(images.PlainImage(np.asarray(data), meta.get("name", shown.part)), shown.frame, path)


def _write_ome(path: Path, data: Any, meta: dict[str, Any]) -> None:
    """Write OME-TIFF or OME-Zarr; of a map its own channels, and not the even values that a slider shows."""
    from napari_wse2xai.data import SpectralMap
    from napari_wse2xai.io import images
    from napari_wse2xai.layers import shown_in

    shown = shown_in(meta.get("metadata", {}))
    channels: tuple[str, ...] = ()
    if shown is not None and shown.part == "map" and isinstance(shown.artefact, SpectralMap):
        data, axis = np.moveaxis(shown.artefact.counts, -1, 0), shown.artefact.axis
        channels = tuple(f"{value:.6g} {axis.unit}" for value in axis.values)
    step = tuple(float(each) for each in meta.get("scale", (1.0, 1.0))[-2:])
    image = images.PlainImage(np.asarray(data), meta.get("name", path.stem), step, channels=channels)  # type: ignore[arg-type]
    (images.write_ome_zarr if path.suffix.lower() == ".zarr" else images.write_ome_tiff)(image, path)


def _write(artefact: "SpectralMap | PeakMaps", path: Path) -> None:
    from napari_wse2xai import io
    from napari_wse2xai.data import Results, SpectralMap

    is_table = path.suffix.lower() != ".nc"
    if isinstance(artefact, SpectralMap):
        (io.write_map_table if is_table else io.write_map)(artefact, path)
    elif is_table:
        io.write_peaks_csv(artefact, path)
    else:
        io.write_results(Results({}, {artefact.axis.kind.modality: artefact}), path)
