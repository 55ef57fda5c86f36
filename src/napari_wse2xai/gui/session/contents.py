"""What lies in a window: its session, and which layers show what of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
from napari import Viewer
from napari.layers import Layer

from napari_wse2xai.data import Explanation, PairedMaps, PeakMaps, Picture, SpectralMap, TrainedModel
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.session.current import CurrentMap
from napari_wse2xai.gui.session.layers import session_layers
from napari_wse2xai.gui.session.sliders import laid_along
from napari_wse2xai.gui.session.sliders import map_of as map_of
from napari_wse2xai.gui.session.sliders import see as see
from napari_wse2xai.layers import KEY, LayerTuple, Shown, shown_in
from napari_wse2xai.session import Artefact, Session, of_one_measurement
from napari_wse2xai.session.edited import with_flake

Kind = TypeVar("Kind", bound=Artefact)
L = TypeVar("L", bound=Layer)


def shown(layer: Layer) -> Shown | None:
    """What a layer shows, if it is one of ours."""
    return shown_in(layer.metadata)


def layers_of(viewer: Viewer, artefact: object) -> Iterator[tuple[Layer, Shown]]:
    """Layers that show an artefact, from below, and what they show of it."""
    every = [(layer, shown(layer)) for layer in viewer.layers]
    return ((layer, is_) for layer, is_ in every if is_ is not None and is_.artefact is artefact)


def map_layers(viewer: Viewer) -> list[Layer]:
    """Layers that show a map of spectra, the newest last."""
    return [layer for layer in viewer.layers if (is_ := shown(layer)) is not None and is_.part == "map"]


def current(viewer: Viewer) -> CurrentMap:
    """The one map that slider, spectrum and panels follow."""
    return session_layers(viewer).current


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


def flake_layer_of(viewer: Viewer, source: SpectralMap) -> Layer | None:
    """Newest layer that shows the flake of a map; None where there is none."""
    for layer in reversed(viewer.layers):
        is_ = shown(layer)
        if is_ is None or is_.part != "flake" or not isinstance(is_.artefact, SpectralMap):
            continue
        if is_.artefact.frame == source.frame and of_one_measurement(is_.artefact, source):
            return layer
    return None


def with_edited_flake(viewer: Viewer, source: SpectralMap) -> SpectralMap:
    """Map with the flake as its Labels layer shows it now, edits by hand included; its history says where that flake is from."""
    layer = flake_layer_of(viewer, source)
    return source if layer is None else with_flake(source, np.asarray(layer.data) > 0, shown(layer).artefact)  # type: ignore[union-attr,arg-type]


def kept_with_flake(viewer: Viewer, source: SpectralMap) -> SpectralMap:
    """Map with the flake as it is drawn, as the session keeps it: what is made of it must be made again from the same."""
    drawn, known = with_edited_flake(viewer, source), session(viewer)
    if drawn is source:
        return source
    there = known.with_mark(mark_of(drawn.history))
    if isinstance(there, SpectralMap) and np.array_equal(there.axis.values, drawn.axis.values):
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
    return [getattr(viewer, f"add_{kind}")(data, **keywords) for layer in layers for data, keywords, kind in fitted_in(viewer, [layer])]


def coming(viewer: Viewer, layers: list[LayerTuple]) -> Iterator[Callable[[], object]]:
    """Add layers one by one, and select the last: things that take a moment each, since napari lays out what it shows of a selected one."""
    come: list[Layer] = []

    def put(layer: LayerTuple) -> None:
        viewer.layers._activate_on_insert = False
        try:
            come.extend(add(viewer, [layer]))
        finally:
            viewer.layers._activate_on_insert = True

    def select() -> None:
        if come and come[-1] in viewer.layers:
            viewer.layers.selection.active = come[-1]

    yield from (partial(put, layer) for layer in layers)
    yield select


def open_in_turns(viewer: Viewer, queue: CallQueue, layers: list[LayerTuple], label: str) -> None:
    """Take what was opened into a window as one step, and its layers one per turn of the window's loop."""
    opened = [is_.artefact for _, keywords, _ in layers if (is_ := shown_in(keywords["metadata"])) is not None]
    session(viewer).add(*(each for each in opened if not isinstance(each, Picture)), label=label)
    queue.do([*coming(viewer, layers), viewer.reset_view])


def added(viewer: Viewer, layer: LayerTuple, kind: type[L]) -> L:
    """A layer of a kind that is added to a window."""
    (one,) = add(viewer, [layer])
    assert isinstance(one, kind)
    return one


def fitted_in(viewer: Viewer, layers: list[LayerTuple]) -> list[LayerTuple]:
    """Layers made to fit a window: maps lie along the slider of its current one."""
    there = current(viewer).layer
    return layers if there is None else laid_along(layers, map_of(there))


def hidden_by(viewer: Viewer, coming: list[LayerTuple], source: SpectralMap | None) -> list[Layer]:
    """What new layers replace on the canvas: the map that was worked on, the former flake, former peak maps of the same map."""
    found, new = [], [is_ for _, keywords, _ in coming if (is_ := shown_in(keywords["metadata"])) is not None]
    parts = {is_.part for is_ in new}
    for layer in viewer.layers:
        is_ = shown(layer)
        if is_ is None or source is None or is_.frame != source.frame or not of_one_measurement(is_.artefact, source):
            continue
        worked_on = is_.artefact is source and is_.part == "map" and "map" in parts
        former = is_.part == "flake" and "flake" in parts
        former_peaks = isinstance(is_.artefact, PeakMaps) and any(isinstance(one.artefact, PeakMaps) for one in new)
        if worked_on or former or former_peaks:
            found.append(layer)
    return found


def hide(layers: list[Layer]) -> None:
    """Hide some layers."""
    for layer in layers:
        see(layer, False)


def pixel_at(layer: Layer, position: object) -> tuple[int, int] | None:
    """Row and column of a layer under a point of the world, whatever scale, shift or rotation the layer has; None outside."""
    world = np.asarray(position, dtype=float)
    if len(world) < layer.ndim:  # the viewer had fewer axes when the event was made
        return None
    row, column = (round(float(v)) for v in layer.world_to_data(world)[-2:])
    inside = 0 <= row < layer.data.shape[-2] and 0 <= column < layer.data.shape[-1]
    return (row, column) if inside else None
