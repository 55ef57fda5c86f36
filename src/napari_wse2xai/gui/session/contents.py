"""What lies in a window: its session, and which layers show what of it."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from qtpy.QtCore import QTimer

from napari_wse2xai.data import Explanation, PairedMaps, PeakMaps, SpectralAxis, SpectralMap, TrainedModel
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.gui.session.layers import session_layers
from napari_wse2xai.layers import KEY, LayerTuple, Shown, Slider, map_layer, shown_in, telling_channel
from napari_wse2xai.session import Artefact, Session, of_one_measurement
from napari_wse2xai.session.edited import with_flake

Viewer = Any
Layer = Any
Kind = TypeVar("Kind", bound=Artefact)


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


def session(viewer: Viewer) -> Session:
    """Everything that was opened or made in a window, whether its layers are still there or not."""
    return session_layers(viewer).session


def of_kind(viewer: Viewer, kind: type[Kind]) -> list[Kind]:
    """All of one kind in a window's session, the newest last."""
    return session(viewer).of_kind(kind)


def all_peaks(viewer: Viewer) -> list[PeakMaps]:
    """Every deconvolution, the newest last; PL that was brought onto an RS grid belongs to `paired_maps`."""
    return of_kind(viewer, PeakMaps)


def paired_maps(viewer: Viewer) -> list[PairedMaps]:
    """Newest pair of RS and PL maps of every flake, the newest last."""
    return session(viewer).pairs()


def models(viewer: Viewer) -> list[TrainedModel]:
    """Every trained model, the newest last."""
    return of_kind(viewer, TrainedModel)


def explanations(viewer: Viewer) -> list[Explanation]:
    """Every explanation, the newest last."""
    return of_kind(viewer, Explanation)


def evidence_for(viewer: Viewer, explanation: Explanation) -> tuple[str, ...]:
    """What theory says of an explanation, a sentence each; empty where it was not asked about this one."""
    found = session(viewer).theory_of(explanation)
    return () if found is None else found.evidence


def exchange(viewer: Viewer, former: PeakMaps, now: PeakMaps) -> None:
    """Let a deconvolution, and the pairs that hold it, have more computed maps."""
    known = session(viewer)
    pairs = [(pair, replace(pair, raman=now)) for pair in known.of_kind(PairedMaps) if pair.raman is former]
    known.exchange([(former, now), *pairs])


def with_edited_flake(viewer: Viewer, source: SpectralMap) -> SpectralMap:
    """Map with the flake as its Labels layer shows it now, edits by hand included; its history says where that flake is from."""
    for layer in reversed(viewer.layers):
        is_ = shown(layer)
        if is_ is None or is_.part != "flake" or not isinstance(is_.artefact, SpectralMap):
            continue
        if is_.artefact.frame == source.frame and of_one_measurement(is_.artefact, source):
            return with_flake(source, np.asarray(layer.data) > 0, is_.artefact)
    return source


def kept_with_flake(viewer: Viewer, source: SpectralMap) -> SpectralMap:
    """Map with the flake as it is drawn, as the session keeps it: what is made of it must be made again from the same."""
    drawn, known = with_edited_flake(viewer, source), session(viewer)
    if drawn is source:
        return source
    there = known.with_mark(mark_of(drawn.history))
    if isinstance(there, SpectralMap):
        return there
    known.note(drawn)
    return drawn


def keep_drawn_flakes(viewer: Viewer) -> None:
    """Take flakes that were edited by hand into the session, so that they are saved."""
    for layer in list(viewer.layers):
        is_ = shown(layer)
        if is_ is None or is_.part != "flake" or not isinstance(is_.artefact, SpectralMap):
            continue
        now = with_flake(is_.artefact, np.asarray(layer.data) > 0, is_.artefact)
        if now is not is_.artefact:
            session(viewer).note(now)
            layer.metadata = {**layer.metadata, KEY: Shown(now, is_.part, is_.flake)}


def add(viewer: Viewer, layers: list[LayerTuple]) -> list[Layer]:
    """Add layers to a window."""
    return [getattr(viewer, f"add_{kind}")(data, **keywords) for data, keywords, kind in fitted_in(viewer, layers)]


def maps_in(layers: list[LayerTuple]) -> list[SpectralMap]:
    """Maps that some layers show."""
    there = (shown_in(keywords["metadata"]) for _, keywords, _ in layers)
    return [is_.artefact for is_ in there if is_ is not None and is_.part == "map" and isinstance(is_.artefact, SpectralMap)]


def fitted_in(viewer: Viewer, layers: list[LayerTuple]) -> list[LayerTuple]:
    """Layers made to fit a window: maps with different kinds of axis get a slider each, those in the window included.

    On one slider a Raman and a PL map would never be seen together, and napari would drop all units.
    """
    coming = [source.axis for source in maps_in(layers)]
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


def hide_below(viewer: Viewer, coming: list[LayerTuple], source: SpectralMap | None) -> None:
    """Hide what new layers replace on the canvas: the map that was worked on, the former flake, former peak maps of the same map."""
    new = [is_ for _, keywords, _ in coming if (is_ := shown_in(keywords["metadata"])) is not None]
    parts = {is_.part for is_ in new}
    for layer in viewer.layers:
        is_ = shown(layer)
        if is_ is None or source is None or is_.frame != source.frame or not of_one_measurement(is_.artefact, source):
            continue
        worked_on = is_.artefact is source and is_.part == "map" and "map" in parts
        former = is_.part == "flake" and "flake" in parts
        former_peaks = isinstance(is_.artefact, PeakMaps) and any(isinstance(one.artefact, PeakMaps) for one in new)
        if worked_on or former or former_peaks:
            layer.visible = False


def share_sliders(viewer: Viewer, axes: tuple[SpectralAxis, ...] = ()) -> None:
    """Give every kind of spectral axis, those of the window's maps and the given ones, its own slider."""
    maps = map_layers(viewer)
    axes = (*(map_of(layer).axis for layer in maps), *axes)
    if all(layer.ndim == 2 + len({axis.kind for axis in axes}) for layer in maps):
        return
    points = dict(zip(viewer.dims.axis_labels, viewer.dims.point, strict=True))
    renewed = [(viewer.layers.index(layer), *map_layer(map_of(layer), sliders=axes)[:2], layer) for layer in maps]
    for layer in maps:  # all out before any comes back: maps with and without the new slider have no units in common
        viewer.layers.remove(layer)
    for index, data, keywords, layer in renewed:
        viewer.add_image(data, **keywords | _looks(layer) | _where(layer, keywords))
        viewer.layers.move(len(viewer.layers) - 1, index)
    for slider, label in enumerate(viewer.dims.axis_labels):
        if label in points:
            viewer.dims.set_point(slider, points[label])


def _looks(layer: Layer) -> dict[str, Any]:
    """How a user may have set a layer's looks."""
    return {name: getattr(layer, name) for name in ("name", "visible", "opacity", "blending", "contrast_limits", "colormap", "gamma")}


def _where(layer: Layer, keywords: dict[str, Any]) -> dict[str, Any]:
    """Where a user may have moved or turned a layer on the canvas, for the same map with another number of sliders."""
    sliders = len(keywords["scale"]) - 2
    rotate, affine = np.eye(sliders + 2), np.eye(sliders + 3)
    rotate[-2:, -2:] = np.asarray(layer.rotate)[-2:, -2:]
    affine[-3:, -3:] = np.asarray(layer.affine.affine_matrix)[-3:, -3:]
    return {
        "scale": (*keywords["scale"][:sliders], *layer.scale[-2:]),
        "translate": (*keywords["translate"][:sliders], *layer.translate[-2:]),
        "rotate": rotate,
        "affine": affine,
    }


def begin_at_brightest_channel(viewer: Viewer) -> None:
    """Put the slider of the first map that comes into a window where its flake stands out most, once napari has made the slider.

    Without it a dropped map begins at the middle of its axis, where it may be black.
    """

    def on_inserted(_event: Any) -> None:
        if map_layers(viewer):
            viewer.layers.events.inserted.disconnect(on_inserted)
            QTimer.singleShot(0, go)

    def go() -> None:
        for layer in map_layers(viewer)[:1]:
            go_to_brightest_channel(viewer, layer)

    viewer.layers.events.inserted.connect(on_inserted)


def go_to_brightest_channel(viewer: Viewer, layer: Layer) -> None:
    """Put a map's slider where the flake stands out most."""
    source = map_of(layer)
    own, slider = source.axis.kind.value, Slider.over(source.axis)
    here = next((i for i, name in enumerate(viewer.dims.axis_labels) if name == own), None)
    if here is not None:
        steps = round((float(source.axis.values[telling_channel(source)]) - slider.start) / slider.step)
        axis = layer.axis_labels.index(own)
        viewer.dims.set_point(here, float(layer.translate[axis] + steps * layer.scale[axis]))


def shown_channel(layer: Layer, source: SpectralMap, point: Any) -> int | None:
    """Channel of a map that its layer shows where the sliders stand at a point of the world; None where it shows none."""
    own = next((i for i, name in enumerate(layer.axis_labels) if name == source.axis.kind.value), 0)
    world = np.asarray(point, dtype=float)[-layer.ndim :]
    if len(world) < layer.ndim:
        return None
    channels = Slider.over(source.axis).channels
    return int(channels[np.clip(round(float(layer.world_to_data(world)[own])), 0, len(channels) - 1)])


def pixel_at(layer: Any, position: Any) -> tuple[int, int] | None:
    """Row and column of a layer under a point of the world, whatever scale, shift or rotation the layer has; None outside."""
    world = np.asarray(position, dtype=float)
    if len(world) < layer.ndim:  # the viewer had fewer axes when the event was made
        return None
    row, column = (round(float(v)) for v in layer.world_to_data(world)[-2:])
    inside = 0 <= row < layer.data.shape[-2] and 0 <= column < layer.data.shape[-1]
    return (row, column) if inside else None
