"""The current map of a window: one for slider, spectrum and panels alike."""

from weakref import ref

from napari import Viewer
from napari.layers import Layer
from psygnal import Signal

from napari_wse2xai.data import PeakMaps, Picture
from napari_wse2xai.gui.session.sliders import ON_SLIDER, Sliders, map_of, see
from napari_wse2xai.layers import shown_in
from napari_wse2xai.session import Artefact, Session


class CurrentMap:
    """Map of the flake that the selected layer is of; where another layer is selected, the last one stays."""

    changed = Signal()
    """Another map, or none, is current."""

    def __init__(self, viewer: Viewer, session: Session) -> None:
        self._viewer, self._session, self._sliders = ref(viewer), session, Sliders()
        self.layer: Layer | None = None
        """Layer that shows it; None where there is no map."""
        self._groups = viewer.layers.events, viewer.layers.selection.events
        self._groups[0].removed.connect(self.update)
        self._groups[1].active.connect(self.update)
        self.update()

    def let_go(self) -> None:
        """Hear of nothing more."""
        self._groups[0].removed.disconnect(self.update)
        self._groups[1].active.disconnect(self.update)

    def update(self, event: object = None) -> None:
        """Look anew which map is current."""
        viewer = self._viewer()
        if viewer is None:
            return
        maps = [layer for layer in viewer.layers if (is_ := shown_in(layer.metadata)) is not None and is_.part == "map"]
        before, self.layer = self.layer, self._found(viewer, maps)
        if self.layer is None:
            self._sliders.forget()
        else:
            others = [layer for layer in viewer.layers if (is_ := shown_in(layer.metadata)) is not None and is_.part in ON_SLIDER]
            self._sliders.follow(viewer, others, self.layer)
        if self.layer is not before:
            self.changed.emit()

    def choose(self, layer: Layer) -> None:
        """Make a map current: selected, seen, and no other map of its place over it."""
        viewer, chosen = self._viewer(), shown_in(layer.metadata)
        if viewer is None:
            return
        viewer.layers.selection.active = layer
        for other in viewer.layers:
            is_ = shown_in(other.metadata)
            if is_ is not None and chosen is not None and is_.part == "map" and is_.frame == chosen.frame:
                see(other, other is layer)

    def _found(self, viewer: Viewer, maps: list[Layer]) -> Layer | None:
        active = viewer.layers.selection.active
        is_ = None if active is None else shown_in(active.metadata)
        if is_ is None or isinstance(is_.artefact, Picture):
            return self.layer if self.layer in maps else _seen_last(maps)
        return _seen_last(self._fitting(is_.artefact, maps) or maps)

    def _fitting(self, artefact: Artefact, maps: list[Layer]) -> list[Layer]:
        """Layers of the map that an artefact is, or was found in, else of all maps of its measurement."""
        source = self._session.source_of(artefact) if isinstance(artefact, PeakMaps) else artefact
        exact = [layer for layer in maps if map_of(layer) is source]
        return exact or [layer for layer in maps if self._session.is_of(artefact, map_of(layer))]


def _seen_last(maps: list[Layer]) -> Layer | None:
    seen = [layer for layer in maps if layer.visible] or maps
    return seen[-1] if seen else None
