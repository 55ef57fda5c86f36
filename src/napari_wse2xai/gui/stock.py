"""What lies in a viewer's layer list: which layers show which artefacts."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.layers import LayerTuple, Shown, map_layer, shown_in

Viewer = Any
Layer = Any


def shown(layer: Layer) -> Shown | None:
    """What a layer shows, if it is one of ours."""
    return shown_in(layer.metadata)


def map_of(layer: Layer) -> SpectralMap:
    """Map that one of `map_layers` shows."""
    is_ = shown(layer)
    assert is_ is not None and isinstance(is_.artefact, SpectralMap)
    return is_.artefact


def map_layers(viewer: Viewer) -> list[Layer]:
    """Layers that show a map of spectra, the newest last."""
    return [layer for layer in viewer.layers if (is_ := shown(layer)) is not None and is_.part == "map"]


def all_peaks(viewer: Viewer) -> list[PeakMaps]:
    """Every set of peak maps that some layer shows, the newest last."""
    found = {id(is_.artefact): is_.artefact for layer in viewer.layers if (is_ := shown(layer)) is not None}
    return [artefact for artefact in found.values() if isinstance(artefact, PeakMaps)]


def peaks_of(viewer: Viewer, source: SpectralMap) -> PeakMaps | None:
    """Newest peak maps on the same place and axis as a map."""
    fitting = [p for p in all_peaks(viewer) if p.frame == source.frame and p.name == source.name and p.axis.kind is source.axis.kind]
    same_axis = [p for p in fitting if len(p.axis) == len(source.axis)]
    return same_axis[-1] if same_axis else None


def with_edited_flake(viewer: Viewer, source: SpectralMap) -> SpectralMap:
    """Map with the flake as its Labels layer shows it now, edits by hand included."""
    for layer in reversed(viewer.layers):
        is_ = shown(layer)
        if is_ is not None and is_.part == "flake" and is_.artefact.frame == source.frame and is_.artefact.name == source.name:
            return replace(source, flake=np.asarray(layer.data) > 0)
    return source


def add(viewer: Viewer, layers: list[LayerTuple]) -> list[Layer]:
    """Add layers; several maps with different kinds of axis get a slider each."""
    added = []
    for data, keywords, kind in layers:
        is_ = shown_in(keywords["metadata"])
        if is_ is not None and is_.part == "map":
            added.append(_add_map(viewer, is_.artefact, keywords))
        else:
            added.append(getattr(viewer, f"add_{kind}")(data, **keywords))
    return added


def _add_map(viewer: Viewer, source: Any, keywords: dict[str, Any]) -> Layer:
    data, own, _ = map_layer(source, sliders=tuple(map_of(layer).axis for layer in map_layers(viewer)))
    own["visible"] = keywords.get("visible", True)
    return viewer.add_image(data, **own)


def share_sliders(viewer: Viewer) -> None:
    """Give every kind of spectral axis its own slider, once maps of more than one kind are there.

    Opened alone, a map has one slider; a Raman and a PL map on one slider would never be seen together.
    """
    maps = map_layers(viewer)
    axes = tuple(map_of(layer).axis for layer in maps)
    kinds = len({axis.kind for axis in axes})
    for layer in maps:
        if layer.ndim != 2 + kinds:
            index = viewer.layers.index(layer)
            data, keywords, _ = map_layer(map_of(layer), sliders=axes)
            keywords |= {name: getattr(layer, name) for name in ("visible", "name", "contrast_limits", "opacity")}
            viewer.layers.remove(layer)
            viewer.add_image(data, **keywords)
            viewer.layers.move(len(viewer.layers) - 1, index)
