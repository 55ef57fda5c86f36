"""The session of a window, and its layers, which follow it: what lies there is taken in, what is undone goes, what is redone comes."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari import Viewer
from napari.layers import Layer
from napari.utils.color import ColorValue
from numpy.typing import NDArray

from napari_wse2xai.data import Picture, SpectralMap
from napari_wse2xai.gui.parts import preloading
from napari_wse2xai.gui.parts.docked import plain
from napari_wse2xai.gui.session.arrivals import follow_planes, let_go_of_planes
from napari_wse2xai.gui.session.current import CurrentMap
from napari_wse2xai.gui.session.heirs import heirs, let_inherit
from napari_wse2xai.layers import KEY, LayerTuple, Shown, part_layer, shown_in
from napari_wse2xai.session import Artefact, Change, Missing, Session, State, among

BLACK = "black"
LOOKS = ("colormap", "contrast_limits", "gamma", "opacity")
"""Of an image, what a user chooses for it and no result knows."""
NO_LONGER = {State.REPLACED: " · replaced", State.OUT_OF_DATE: " · out of date"}
"""What is added to the name of a layer."""


@dataclass(frozen=True)
class LayerSnapshot:
    """One layer of a result, as it was at some moment."""

    node: str
    part: str
    flake: int
    visible: bool
    drawn: NDArray[np.bool_] | None = None
    """Flake as it was drawn, where that is not the result's."""
    looks: Mapping[str, Any] = field(default_factory=dict)
    """Colours and contrast of an image, as they were."""

    def as_record(self) -> dict[str, Any]:
        """As a file of a session keeps it; a colour map that napari has no name for stays away."""
        known = {"node": self.node, "part": self.part, "flake": self.flake, "visible": self.visible}
        return known | ({"looks": _plain(self.looks)} if self.looks else {})

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "LayerSnapshot":
        """Back from a file."""
        return cls(str(record["node"]), str(record["part"]), int(record["flake"]), bool(record["visible"]), looks=_looks_in(record))


class SessionLayers:
    """Lets a window's session and its layers know of each other; a layer that is deleted takes nothing out of the session."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer, self.session = ref(viewer), Session()
        self._moments: dict[int, tuple[LayerSnapshot, ...]] = {}
        self.session.add(*_artefacts(viewer), label="Open")
        self.session.leaving.connect(self._remember)
        self.session.changed.connect(self._follow)
        self._layers, self._is_black = viewer.layers, False
        self._layers.events.inserted.connect(self._on_inserted, position="last")
        self._layers.events.removed.connect(self._choose_ground)
        self._layers.events.removed.connect(_let_go)
        self.current = CurrentMap(viewer, self.session)

    def let_go(self) -> None:
        """Hear of nothing more."""
        self._layers.events.inserted.disconnect(self._on_inserted)
        self._layers.events.removed.disconnect(self._choose_ground)
        self._layers.events.removed.disconnect(_let_go)
        self.current.let_go()

    def _on_inserted(self, event: Any) -> None:
        is_ = shown_in(event.value.metadata)
        if is_ is not None and not isinstance(is_.artefact, Picture):
            self.session.add(is_.artefact)
            self._name_by_state()
        follow_planes(event.value)
        self.current.update()
        self._choose_ground()

    def _choose_ground(self, event: object = None) -> None:
        """Make the canvas black while lights of ours lie there: they add up, and on a light window's white nothing of them is seen."""
        viewer = self._viewer()
        if viewer is None:
            return
        canvas, adds_up = viewer.canvas, any(layer.blending == "additive" and shown_in(layer.metadata) for layer in self._layers)
        if adds_up and canvas.background_color_override is None:
            canvas.background_color_override, self._is_black = ColorValue(BLACK), True
        elif not adds_up and self._is_black:
            canvas.background_color_override, self._is_black = None, False

    def seen(self) -> tuple[LayerSnapshot, ...]:
        """Every layer that shows a result, from below."""
        return tuple(_seen(layer, is_, node) for node, is_, layer in self._there())

    def _remember(self, moment: int) -> None:
        known = self.session.moments  # those that undo and redo lead to: what another was is seen no more
        self._moments = {number: seen for number, seen in self._moments.items() if number in known} | {moment: self.seen()}

    def _follow(self, change: Change) -> None:
        """Let layers go with their results, and be as they were where undo or redo lead back."""
        viewer = self._viewer()
        if viewer is None:
            return
        leads_back = change.moment in self._moments and bool(change.came or change.went)
        # Else napari builds its scene anew, and looks for garbage among all there is, for every layer that goes.
        with viewer.layers.batched_update() if change.went else nullcontext():
            self._exchange(viewer, change)
            self._name_by_state()
            if leads_back:
                self.show(self._moments.pop(change.moment))

    def _exchange(self, viewer: Viewer, change: Change) -> None:
        """Let layers have what their results were exchanged for, and go with those that went."""
        now = {id(former): new for former, new in change.exchanged}
        heir = heirs(self.session, change)
        for layer in list(viewer.layers):
            is_ = shown_in(layer.metadata)
            if is_ is not None and id(is_.artefact) in now:
                layer.metadata = {**layer.metadata, KEY: Shown(now[id(is_.artefact)], is_.part, is_.flake)}
            elif is_ is not None and id(is_.artefact) in heir and let_inherit(layer, heir[id(is_.artefact)]):
                continue
            elif is_ is not None and not isinstance(is_.artefact, Picture) and among(is_.artefact, change.went):
                viewer.layers.remove(layer)

    def _name_by_state(self) -> None:
        """Let the name of a layer tell whether what it shows still holds: after a second run both are in the list."""
        states = {node.id: node.state for node in self.session.nodes}
        for node, _, layer in self._there():
            own = str(layer.name)
            for words in NO_LONGER.values():
                own = own.removesuffix(words)
            wanted = own + NO_LONGER.get(states[node], "")
            if layer.name != wanted:
                layer.name = wanted

    def show(self, seen: tuple[LayerSnapshot, ...]) -> None:
        """Let layers of results be as they were: those that are gone come again, with what was drawn on them."""
        from napari_wse2xai.gui.session import contents

        viewer, held = self._viewer(), self.session.all_held
        there = {(held_id, is_.part, is_.flake): layer for held_id, is_, layer in self._there()}
        for each in seen:
            layer = there.get((each.node, each.part, each.flake))
            made = None if layer is not None or each.node not in held else layer_again(held[each.node], each)
            if made is not None and viewer is not None:
                (layer,) = contents.add(viewer, [made])
            if layer is not None:
                contents.see(layer, each.visible)

    def _there(self) -> list[tuple[str, Shown, Layer]]:
        """Id of each result that a layer shows, what it shows of it, and the layer, from below."""
        viewer, ids = self._viewer(), {id(each): name for name, each in self.session.all_held.items()}
        shown = [] if viewer is None else [(shown_in(layer.metadata), layer) for layer in viewer.layers]
        return [(ids[id(is_.artefact)], is_, layer) for is_, layer in shown if is_ is not None and id(is_.artefact) in ids]


def _let_go(event: Any) -> None:
    let_go_of_planes(event.value)
    preloading.let_go_of(event.value)


_KNOWN: WeakKeyDictionary[Viewer, SessionLayers] = WeakKeyDictionary()


def session_layers(viewer: Viewer) -> SessionLayers:
    """Session of a window with its layers; begun with what lies there when it is first asked for."""
    viewer = plain(viewer)
    if viewer not in _KNOWN:
        _KNOWN[viewer] = SessionLayers(viewer)
    return _KNOWN[viewer]


def _artefacts(viewer: Viewer) -> list[Artefact]:
    """What the layers show, each once."""
    every = [is_.artefact for layer in viewer.layers if (is_ := shown_in(layer.metadata)) is not None]
    return list({id(one): one for one in every if not isinstance(one, Picture)}.values())


def _seen(layer: Layer, is_: Shown, node: str) -> LayerSnapshot:
    drawn = None
    if is_.part == "flake" and isinstance(is_.artefact, SpectralMap):
        flake = np.asarray(layer.data) > 0
        drawn = None if is_.artefact.flake is not None and np.array_equal(flake, is_.artefact.flake) else flake
    looks = {name: getattr(layer, name) for name in LOOKS if hasattr(layer, "contrast_limits")}
    return LayerSnapshot(node, is_.part, is_.flake, bool(layer.visible), drawn, looks)


def layer_again(held: object, seen: LayerSnapshot) -> LayerTuple | None:
    """Layer of a result as it was; None where there is no such result, or it was painted."""
    made = part_layer(held, seen.part, seen.flake) if not isinstance(held, Missing) else None
    if made is None:
        return None
    data, keywords, kind = made
    return data if seen.drawn is None else seen.drawn.astype(np.uint8), keywords | dict(seen.looks), kind


def _plain(looks: Mapping[str, Any]) -> dict[str, Any]:
    """Looks as numbers and names."""
    from napari.utils.colormaps import AVAILABLE_COLORMAPS

    name = str(looks["colormap"].name)
    numbers: dict[str, Any] = {"contrast_limits": [float(each) for each in looks["contrast_limits"]]}
    numbers |= {each: float(looks[each]) for each in ("gamma", "opacity")}
    return numbers | ({"colormap": name} if name in AVAILABLE_COLORMAPS else {})


def _looks_in(record: Mapping[str, object]) -> dict[str, Any]:
    """Looks that a file keeps, which may be a stranger's: those that this napari knows."""
    from napari.utils.colormaps import AVAILABLE_COLORMAPS

    told = record.get("looks")
    looks = {name: told[name] for name in LOOKS if name in told} if isinstance(told, dict) else {}
    low, high = (*np.ravel(looks.get("contrast_limits", ())), 0, 0)[:2]
    is_valid = {
        "colormap": looks.get("colormap") in AVAILABLE_COLORMAPS,
        "contrast_limits": isinstance(low, float) and isinstance(high, float) and -np.inf < low < high < np.inf,
        "gamma": isinstance(looks.get("gamma"), float) and 0.2 <= looks["gamma"] <= 2,
        "opacity": isinstance(looks.get("opacity"), float) and 0 <= looks["opacity"] <= 1,
    }
    return {name: value for name, value in looks.items() if is_valid[name]}
