"""What lies in a viewer's layer list: which layers show which artefacts."""

from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Explanation, PairedMaps, PeakMaps, Picture, Record, SpectralAxis, SpectralMap, TrainedModel
from napari_wse2xai.layers import KEY, LayerTuple, Shown, Slider, map_layer, shown_in, telling_channel
from napari_wse2xai.session import Artefact, Session, among, of_one_measurement

Viewer = Any
Layer = Any
Kind = TypeVar("Kind", bound=Artefact)
_KNOWN: WeakKeyDictionary[Viewer, Session] = WeakKeyDictionary()


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
    """What the layers show and what that was made of, in the order in which it came, whether its own layers are still there or not."""
    return _known(viewer, _artefacts(viewer))


def _known(viewer: Viewer, on_show: list[Artefact]) -> Session:
    known = _KNOWN.setdefault(viewer, Session())
    known.add(*on_show)
    return known


def _artefacts(viewer: Viewer) -> list[Artefact]:
    """What the layers show, each once."""
    every = [is_.artefact for layer in viewer.layers if (is_ := shown(layer)) is not None]
    return list({id(one): one for one in every if not isinstance(one, Picture)}.values())


def of_kind(viewer: Viewer, kind: type[Kind]) -> list[Kind]:
    """What the layers show of one kind, the newest last."""
    on_show = _artefacts(viewer)
    return [one for one in _known(viewer, on_show).of_kind(kind) if among(one, on_show)]


def all_peaks(viewer: Viewer) -> list[PeakMaps]:
    """Every set of peak maps that some layer shows, the newest last; PL that was brought onto an RS grid belongs to `paired_maps`."""
    return of_kind(viewer, PeakMaps)


def paired_maps(viewer: Viewer) -> list[PairedMaps]:
    """Every pair of RS and PL maps that some layer shows, the newest last."""
    return of_kind(viewer, PairedMaps)


def models(viewer: Viewer) -> list[TrainedModel]:
    """Every trained model that some layer shows, the newest last."""
    return of_kind(viewer, TrainedModel)


def explanations(viewer: Viewer) -> list[Explanation]:
    """Every explanation that some layer shows, the newest last."""
    return of_kind(viewer, Explanation)


def evidence_for(viewer: Viewer, explanation: Explanation) -> tuple[str, ...]:
    """What theory says of an explanation, a sentence each; empty where it was not asked about this one."""
    found = session(viewer).theory_of(explanation)
    return () if found is None else found.evidence


def exchange(viewer: Viewer, former: PeakMaps, now: PeakMaps) -> None:
    """Let all layers of one deconvolution show the same with more computed maps."""
    changed: dict[int, Any] = {id(former): now}
    changed |= {id(pair): replace(pair, raman=now) for pair in paired_maps(viewer) if pair.raman is former}
    for layer in viewer.layers:
        is_ = shown(layer)
        if is_ is not None and id(is_.artefact) in changed:
            layer.metadata = {**layer.metadata, KEY: Shown(changed[id(is_.artefact)], is_.part, is_.flake)}


def with_edited_flake(viewer: Viewer, source: SpectralMap) -> SpectralMap:
    """Map with the flake as its Labels layer shows it now, edits by hand included; its history says where that flake is from."""
    for layer in reversed(viewer.layers):
        is_ = shown(layer)
        if is_ is None or is_.part != "flake" or not isinstance(is_.artefact, SpectralMap):
            continue
        if is_.artefact.frame == source.frame and of_one_measurement(is_.artefact, source):
            return _with_flake(source, np.asarray(layer.data) > 0, is_.artefact)
    return source


def _with_flake(source: SpectralMap, flake: NDArray[np.bool_], found: SpectralMap) -> SpectralMap:
    """Map with a flake that was found on `found` and may have been edited since."""
    if source.flake is not None and np.array_equal(flake, source.flake):
        return source
    steps = [record for record in found.history if record.step == "FindFlake" and record not in source.history]
    changed = int(np.count_nonzero(flake != found.flake))
    if changed:
        edited = {"pixels": int(flake.sum()), "changed": changed, "sha256": sha256(np.packbits(flake).tobytes()).hexdigest()}
        steps.append(Record("flake edited by hand", edited, __version__))
    if steps and not source.history:
        steps[0] = replace(steps[0], of=(source.fingerprint,))
    return replace(source, flake=flake, history=(*source.history, *steps))


def add(viewer: Viewer, layers: list[LayerTuple]) -> list[Layer]:
    """Add layers to a window."""
    return [getattr(viewer, f"add_{kind}")(data, **keywords) for data, keywords, kind in fitted_in(viewer, layers)]


def fitted_in(viewer: Viewer, layers: list[LayerTuple]) -> list[LayerTuple]:
    """Layers made to fit a window: maps with different kinds of axis get a slider each, those in the window included.

    On one slider a Raman and a PL map would never be seen together, and napari would drop all units.
    """
    new = [is_.artefact for _, keywords, _ in layers if (is_ := shown_in(keywords["metadata"])) is not None and is_.part == "map"]
    coming = [artefact.axis for artefact in new if isinstance(artefact, SpectralMap)]
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
