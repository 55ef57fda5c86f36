"""What the manifest offers to napari: readers, samples, a writer.  Nothing heavy is loaded before a command runs."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_wse2xai.errors import DataWarning, UserError

if TYPE_CHECKING:
    from napari_wse2xai.io.images import PlainImage
    from napari_wse2xai.layers import LayerTuple

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
    if layers:
        from napari_wse2xai.gui.session import recent

        recent.note(map(Path, paths))
    return layers


def read_for_napari(path: str | Sequence[str]) -> "list[LayerTuple]":
    """Open what is dropped on the window; a file that cannot be read adds nothing, its sentence is shown."""
    return _fitted(read_layers(path)) or [(None,)]  # type: ignore[list-item]  # npe2's sign for "read, but nothing to show"


def _layers_of(path: Path) -> "list[LayerTuple]":
    from napari_wse2xai.layers import to_layers
    from napari_wse2xai.session.files import is_session
    from napari_wse2xai.session.opening import all_of

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


def triangle_pl_on_its_own_grid() -> "list[LayerTuple]":
    """Sample: PL map of the triangle flake, taken another day: coarser, shifted, turned, mirrored."""
    from napari_wse2xai.layers import to_layers
    from napari_wse2xai.synthetic import SAMPLE_PLACEMENT, make_pair

    return _fitted(to_layers(make_pair("triangle", SAMPLE_PLACEMENT).pl))


def _sample(shape: Any, modality: str, lines: str = "usual") -> "list[LayerTuple]":
    from napari_wse2xai.layers import to_layers
    from napari_wse2xai.synthetic import make_flake

    return _fitted(to_layers(getattr(make_flake(shape, lines=lines), modality)))


# Commands of the manifest, each by a name of its own.
triangle_raman = partial(_sample, "triangle", "raman")
triangle_pl = partial(_sample, "triangle", "pl")
star_raman = partial(_sample, "star", "raman")
star_pl = partial(_sample, "star", "pl")
ws2_raman = partial(_sample, "triangle", "raman", "WS2")
ws2_pl = partial(_sample, "triangle", "pl", "WS2")
mos2_raman = partial(_sample, "triangle", "raman", "MoS2")
mos2_pl = partial(_sample, "triangle", "pl", "MoS2")
mose2_raman = partial(_sample, "triangle", "raman", "MoSe2")
mose2_pl = partial(_sample, "triangle", "pl", "MoSe2")
mote2_raman = partial(_sample, "triangle", "raman", "MoTe2")
mote2_pl = partial(_sample, "triangle", "pl", "MoTe2")
bilayer_mote2_raman = partial(_sample, "triangle", "raman", "bilayer MoTe2")
bulk_mos2_raman = partial(_sample, "triangle", "raman", "bulk MoS2")
graphene_raman = partial(_sample, "triangle", "raman", "graphene")
hbn_raman = partial(_sample, "triangle", "raman", "hBN")
bilayer_wse2_raman = partial(_sample, "triangle", "raman", "bilayer WSe2")


def _fitted(layers: "list[LayerTuple]") -> "list[LayerTuple]":
    """Layers made to fit the window that they are for, where there is one."""
    from napari import current_viewer

    from napari_wse2xai.gui.session import contents

    viewer = current_viewer()
    return layers if viewer is None else contents.fitted_in(viewer, layers)


def write_map(path: str, data: object, meta: dict[str, Any]) -> list[str]:
    """Save what a layer shows: a map, or peak maps, whole; any other picture as it is seen.  Of other makers' layers only pictures."""
    from napari_wse2xai.data import PeakMaps, SpectralMap
    from napari_wse2xai.io.exporters import export, way_out
    from napari_wse2xai.io.images import PlainImage
    from napari_wse2xai.layers import shown_in

    shown, picture = shown_in(meta.get("metadata", {})), way_out(path, PlainImage)
    whole = None if shown is None else shown.artefact
    is_whole = isinstance(whole, SpectralMap) if shown is not None and shown.part == "map" else isinstance(whole, PeakMaps)
    if picture is not None and picture.as_seen and (shown is None or shown.part != "map"):
        export(_seen(data, meta), path)
    elif shown is None:
        return []
    else:
        export(whole if is_whole else _seen(data, meta), path)
    return [path]


def _seen(data: object, meta: dict[str, Any]) -> "PlainImage":
    """What a layer shows, as a picture."""
    from napari_wse2xai.io.images import PlainImage
    from napari_wse2xai.layers import shown_in

    shown = shown_in(meta.get("metadata", {}))
    dy, dx = (float(each) for each in meta.get("scale", (1.0, 1.0))[-2:])
    return PlainImage(np.asarray(data), meta.get("name", "picture"), (dy, dx), frame=None if shown is None else shown.frame)
