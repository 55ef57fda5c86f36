"""The layer that shows one part of an artefact, as `Shown` names it."""

from collections.abc import Iterator

from napari_wse2xai.data import PARAMETERS, Explanation, PeakMaps
from napari_wse2xai.layers.learnt import beside_layers, region_layer, slope_layer
from napari_wse2xai.layers.maps import chi2_layer, computed_layer, computed_part, part_name, peak_layer
from napari_wse2xai.layers.shown import KEY, LayerTuple, to_layers


def part_layer(artefact: object, part: str, flake: int = 0) -> LayerTuple | None:
    """Layer of one part, visible or not as it is at first; None for what a user painted or drew."""
    for layer in to_layers(artefact):
        shown = layer[1]["metadata"][KEY]
        if (shown.part, shown.flake) == (part, flake):
            return layer
    further = _of_peaks(artefact, part) if isinstance(artefact, PeakMaps) else iter(())
    if isinstance(artefact, Explanation):
        further = _of_explanation(artefact, part, flake)
    return next(further, None)


def _of_peaks(peaks: PeakMaps, part: str) -> Iterator[LayerTuple]:
    for error in (False, True):
        for index, name in enumerate(peaks.names):
            for parameter in PARAMETERS:
                if part_name(name, parameter, error=error) == part:
                    yield peak_layer(peaks, index, parameter, error=error)
        for each in peaks.computed:
            if computed_part(each, error=error) == part:
                yield computed_layer(peaks, each, error=error)
    if part == "reduced chi2":
        yield chi2_layer(peaks)


def _of_explanation(explanation: Explanation, part: str, flake: int) -> Iterator[LayerTuple]:
    side, _, name = part.partition(" ")
    if part == "region":
        yield region_layer(explanation, flake)
    elif name in explanation.features:
        feature = explanation.features.index(name)
        if side == "slope":
            yield slope_layer(explanation, feature, flake)
        elif side in ("RS", "PL"):
            yield beside_layers(explanation, feature, flake)[side == "PL"]
