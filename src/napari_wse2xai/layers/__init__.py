"""Artefacts as napari layer tuples, and back; napari itself is not needed for either.

Same frame, same place: every layer gets scale, translation and units from the artefact's `Frame`, rows downwards, columns to the right.
`layer.metadata["wse2xai"]` holds a `Shown`, written here only and read by `shown_in` only.
"""

from napari_wse2xai.layers.arriving import ArrivingPlanes, Follower
from napari_wse2xai.layers.components import groups_layer, share_layer
from napari_wse2xai.layers.learnt import (
    beside_layers,
    disagreement_layer,
    effect_layer,
    folds_layer,
    prediction_layers,
    region_layer,
    slope_layer,
    split_layer,
)
from napari_wse2xai.layers.maps import (
    chi2_layer,
    computed_layer,
    computed_part,
    flake_layer,
    layer_name,
    light_layer,
    map_layer,
    overlay_layers,
    part_name,
    peak_layer,
    picture_layer,
    repaired_layer,
    residual_layer,
    status_layer,
    telling_channel,
)
from napari_wse2xai.layers.part import part_layer
from napari_wse2xai.layers.shown import KEY, LayerTuple, Shown, kinds_layer, shapes_layer, shown_in, to_layers
from napari_wse2xai.layers.slider import Slider
from napari_wse2xai.layers.theory import regions_layer, structure_layer

__all__ = [
    "KEY",
    "ArrivingPlanes",
    "Follower",
    "LayerTuple",
    "Shown",
    "Slider",
    "beside_layers",
    "chi2_layer",
    "computed_layer",
    "computed_part",
    "disagreement_layer",
    "effect_layer",
    "flake_layer",
    "folds_layer",
    "groups_layer",
    "kinds_layer",
    "layer_name",
    "light_layer",
    "map_layer",
    "overlay_layers",
    "part_layer",
    "part_name",
    "peak_layer",
    "picture_layer",
    "prediction_layers",
    "region_layer",
    "regions_layer",
    "repaired_layer",
    "residual_layer",
    "shapes_layer",
    "share_layer",
    "shown_in",
    "slope_layer",
    "split_layer",
    "status_layer",
    "structure_layer",
    "telling_channel",
    "to_layers",
]
