"""What lies in a viewer's layer list: which layers show which artefacts."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_wse2xai.data import PeakMaps, SpectralAxis, SpectralMap
from napari_wse2xai.layers import LayerTuple, Shown, map_layer, shown_in, telling_channel

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
    """Add layers to a window."""
    return [getattr(viewer, f"add_{kind}")(data, **keywords) for data, keywords, kind in fitted_in(viewer, layers)]


def fitted_in(viewer: Viewer, layers: list[LayerTuple]) -> list[LayerTuple]:
    """Layers made to fit a window: maps with different kinds of axis get a slider each, those in the window included.

    On one slider a Raman and a PL map would never be seen together, and napari would drop all units.
    """
    coming = [is_.artefact.axis for _, keywords, _ in layers if (is_ := shown_in(keywords["metadata"])) is not None and is_.part == "map"]
    if not coming:
        return layers
    axes = (*(map_of(layer).axis for layer in map_layers(viewer)), *coming)
    share_sliders(viewer, axes)
    return [_resized(layer, axes) for layer in layers]


def _resized(layer: LayerTuple, axes: tuple[SpectralAxis, ...]) -> LayerTuple:
    is_ = shown_in(layer[1]["metadata"])
    if is_ is None or is_.part != "map" or not isinstance(is_.artefact, SpectralMap):
        return layer
    data, keywords, kind = map_layer(is_.artefact, sliders=axes)
    return data, keywords | {"visible": layer[1].get("visible", True)}, kind


def share_sliders(viewer: Viewer, axes: tuple[SpectralAxis, ...] = ()) -> None:
    """Give every kind of spectral axis, those of the window's maps and the given ones, its own slider."""
    maps = map_layers(viewer)
    axes = (*(map_of(layer).axis for layer in maps), *axes)
    if all(layer.ndim == 2 + len({axis.kind for axis in axes}) for layer in maps):
        return
    renewed = []
    for layer in maps:
        data, keywords, _ = map_layer(map_of(layer), sliders=axes)
        keywords |= {name: getattr(layer, name) for name in ("visible", "name", "contrast_limits", "opacity")}
        renewed.append((viewer.layers.index(layer), data, keywords))
    for layer in maps:  # all out before any comes back: maps with and without the new slider have no units in common
        viewer.layers.remove(layer)
    for index, data, keywords in renewed:
        viewer.add_image(data, **keywords)
        viewer.layers.move(len(viewer.layers) - 1, index)


def go_to_brightest_channel(viewer: Viewer, layer: Layer) -> None:
    """Put a map's slider where the flake stands out most."""
    source = map_of(layer)
    slider = next((i for i, name in enumerate(viewer.dims.axis_labels) if name == source.axis.kind.value), None)
    if slider is not None:
        viewer.dims.set_point(slider, layer.translate[layer.axis_labels.index(source.axis.kind.value)] + _offset(layer, source))


def _offset(layer: Layer, source: SpectralMap) -> float:
    return float(telling_channel(source) * layer.scale[layer.axis_labels.index(source.axis.kind.value)])
