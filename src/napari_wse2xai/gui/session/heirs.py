"""Layers of a deconvolution and of what was done to it by hand: the same layers show one or the other, and none comes or goes."""

from napari.layers import Layer

from napari_wse2xai.data import PeakMaps
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.layers import KEY, Shown, part_layer, shown_in
from napari_wse2xai.session import Artefact, Change, Session
from napari_wse2xai.stages import BY_NAME


def heirs(session: Session, change: Change) -> dict[int, PeakMaps]:
    """What is to be shown in the place of some peaks, by their identity: what was reviewed for what it was made of, and back again."""
    every = session.of_kind(PeakMaps)
    found: dict[int, PeakMaps] = {}
    for each in (one for one in change.came if _is_reviewed(one)):
        found |= {id(base): each for base in every if mark_of(base.history) == _base_of(each) and isinstance(each, PeakMaps)}
    for each in (one for one in change.went if _is_reviewed(one)):
        alike = [other for other in every if _is_reviewed(other) and _base_of(other) == _base_of(each)]
        bases = [other for other in every if mark_of(other.history) == _base_of(each)]
        found |= {id(each): other for other in (bases[-1:] + alike[-1:])[-1:]}
    return found


def let_inherit(layer: Layer, heir: PeakMaps) -> bool:
    """Let a layer show the same of its heir; return whether there is the same."""
    is_ = shown_in(layer.metadata)
    made = None if is_ is None else part_layer(heir, is_.part, is_.flake)
    if is_ is None or made is None:
        return False
    layer.data = made[0]
    layer.metadata = {**layer.metadata, KEY: Shown(heir, is_.part, is_.flake)}
    return True


def _is_reviewed(artefact: Artefact) -> bool:
    """Whether peaks were made of peaks."""
    step = BY_NAME.get(artefact.history[-1].step) if artefact.history else None
    return isinstance(artefact, PeakMaps) and step is not None and PeakMaps in step.takes


def _base_of(artefact: Artefact) -> str:
    """Mark of what something was made of, whose history it carries on."""
    return mark_of(artefact.history[:-1])
