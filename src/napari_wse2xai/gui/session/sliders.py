"""One spectral slider, that of the current map's kind; every map stays (spectral, y, x), whatever else is in the window.

napari lays the first axes of all layers on one slider.  Maps of the current kind are laid along it with their own values; those of
another kind (PL beside RS) along the same stretch, channel by channel, so that both are seen wherever it stands.  Which channel of a kind
was shown is remembered, and shown again when one goes back to it.
"""

from contextlib import ExitStack
from typing import Any

import numpy as np
from napari import Viewer
from napari.layers import Layer

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.layers import LayerTuple, Slider, map_layer, shown_in, telling_channel

SPECTRAL = -3
ON_SLIDER = ("map", "residual")
"""Parts that are (spectral, y, x)."""
"""Axis of the slider, counted from the end."""


class Sliders:
    """Knows where the slider stood for each kind of axis."""

    def __init__(self) -> None:
        self._kind: AxisKind | None = None
        self._stood: dict[AxisKind, float] = {}

    def follow(self, viewer: Viewer, layers: list[Layer], current: Layer) -> None:
        """Lay all maps along the slider of the current one's kind; where none was shown before, begin where the flake stands out most."""
        kind = map_of(current).axis.kind
        if self._kind is not None and self._kind is not kind:
            self._stood[self._kind] = float(viewer.dims.point[SPECTRAL])
        strangers = [layer for layer in layers if has_slider(layer) and layer.axis_labels[SPECTRAL] != kind.value]
        _lay(strangers, map_of(current))
        if kind is not self._kind:
            self._kind = kind
            if kind in self._stood:
                viewer.dims.set_point(viewer.dims.ndim + SPECTRAL, self._stood[kind])
            else:
                go_to_telling_channel(viewer, current)

    def forget(self) -> None:
        """No map is left: the next one begins anew."""
        self._kind = None
        self._stood.clear()


def has_slider(layer: Layer) -> bool:
    """Whether a map's layer has spectra still: a hand may have put a picture in their place."""
    return bool(layer.ndim >= -SPECTRAL)


def map_of(layer: Layer) -> SpectralMap:
    """Map that a layer shows, which shows one."""
    is_ = shown_in(layer.metadata)
    assert is_ is not None and isinstance(is_.artefact, SpectralMap)
    return is_.artefact


def laid_along(layers: list[LayerTuple], current: SpectralMap) -> list[LayerTuple]:
    """Layers that come into a window, their maps laid along the slider of its current one: axes in two units have none in common."""
    return [_relaid(layer, current) for layer in layers]


def _relaid(layer: LayerTuple, current: SpectralMap) -> LayerTuple:
    is_ = shown_in(layer[1]["metadata"])
    if is_ is None or is_.part not in ON_SLIDER or not isinstance(is_.artefact, SpectralMap):
        return layer
    return layer[0], layer[1] | _along(is_.artefact, current), layer[2]


def _along(source: SpectralMap, current: SpectralMap) -> dict[str, Any]:
    """How a map lies along the slider of another."""
    keywords = map_layer(source, along=current.axis)[1]
    return {name: keywords[name] for name in ("units", "axis_labels", "scale", "translate")}


def _lay(layers: list[Layer], current: SpectralMap) -> None:
    """Lay maps along the slider of one; their places on the canvas stay.  napari hears of units when all have the same."""
    with ExitStack() as quiet:
        for layer in layers:
            quiet.enter_context(layer.events.units.blocker())
            for name, values in _along(map_of(layer), current).items():
                setattr(layer, name, (values[0], *getattr(layer, name)[1:]))
    for layer in layers[:1]:
        layer.events.units()


def go_to_telling_channel(viewer: Viewer, layer: Layer) -> None:
    """Put the slider where a map's flake stands out most."""
    if not has_slider(layer):
        return
    source = map_of(layer)
    slider = Slider.over(source.axis)
    steps = round((float(source.axis.values[telling_channel(source)]) - slider.start) / slider.step)
    viewer.dims.set_point(viewer.dims.ndim + SPECTRAL, float(layer.translate[SPECTRAL] + steps * layer.scale[SPECTRAL]))


def shown_channel(layer: Layer, source: SpectralMap, point: object) -> int | None:
    """Channel of a map that its layer shows where the slider stands at a point of the world; None where it shows none."""
    world = np.asarray(point, dtype=float)[-layer.ndim :]
    if len(world) < layer.ndim or not has_slider(layer):
        return None
    channels = Slider.over(source.axis).channels
    return int(channels[np.clip(round(float(layer.world_to_data(world)[SPECTRAL])), 0, len(channels) - 1)])


def see(layer: Layer, wanted: bool) -> None:
    """Show or hide a layer that is not so already: napari draws and tells all of it anew at each word, also where nothing changes."""
    if layer.visible != wanted:
        layer.visible = wanted
