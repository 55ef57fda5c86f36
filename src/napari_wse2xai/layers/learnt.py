"""What was learnt, as layers: prediction beside measurement, folds, and slope images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation, Samples, TrainedModel
from napari_wse2xai.data.explanation import APART
from napari_wse2xai.data.quantities import COLORMAPS, Feature, colormap_of, feature_words, pretty, region_color
from napari_wse2xai.layers.shown import BY_HAND, KEY, LayerTuple, Shown, kinds_layer, limits, place, reach, to_layers
from napari_wse2xai.numerics.relative_error import in_percent, mape, wape

_SPLIT = {"not sampled": "#00000000", "training": "#7c8794", "validation": "#d1495b"}
_FOLDS = ("#4c78b8", "#e8a33d", "#3f9b63", "#d1495b", "#9a7fd1", "#17a2a2", "#a0522d", "#e377c2", "#6b6b6b", "#b5bd00")


@to_layers.register
def _(artefact: TrainedModel) -> list[LayerTuple]:
    layers = []
    for flake in range(len(artefact.samples.frames)):
        layers += [split_layer(artefact, flake), folds_layer(artefact, flake)]
        for target in artefact.samples.target_names:
            layers += prediction_layers(artefact, target, flake) + unexplained_layers(artefact, target, flake)
    return layers


@to_layers.register
def _(artefact: Explanation) -> list[LayerTuple]:
    flakes, first = range(len(artefact.samples.frames)), artefact.ranking[0]
    apart = [] if artefact.disagreement is None else [disagreement_layer(artefact, first, flake) for flake in flakes]
    return [*apart, *(slope_layer(artefact, first, flake) for flake in flakes)]


def prediction_layers(model: TrainedModel, target: str, flake: int) -> list[LayerTuple]:
    """Measured, error and predicted images, the last on top: the paper's Figure 2; the error in percent stands in the name."""
    samples, index = model.samples, model.samples.target(target)
    measured, predicted = (samples.image(values, flake) for values in (samples.targets[:, index], model.predicted[index]))
    unit, bounds = pretty(samples.target_units[index]), limits(measured, 2, 98)
    percent = in_percent(mape(measured, predicted), wape(measured, predicted))
    stamp, colours = _stamp(str(model.verdict(target).level)), colormap_of(target)
    return [
        _image(model, f"measured {target}", f"measured PL {target} ({unit})", measured, flake, colormap=colours, contrast_limits=bounds),
        _image(model, f"error {target}", f"error of PL {target}, {percent} ({unit}){stamp}", predicted - measured, flake),
        _image(
            model,
            f"predicted {target}",
            f"predicted PL {target}, {percent} ({unit}){stamp}",
            predicted,
            flake,
            colormap=colours,
            contrast_limits=bounds,
            visible=index == 0,
        ),
    ]


def unexplained_layers(model: TrainedModel, target: str, flake: int) -> list[LayerTuple]:
    """What RS does not explain: residuals in standard errors, and the regions where they gather as Labels, both hidden at first."""
    if model.unexplained is None or model.region is None:
        return []
    index = model.samples.target(target)
    score, region = model.samples.image(model.unexplained[index], flake), model.region[index]
    words = [
        ("explained", "#00000000"),
        *((f"region {k}", region_color(k - 1)) for k in range(1, region.max() + 1)),
    ]
    name, limits_ = f"what RS does not explain of PL {target}", (-5.0, 5.0)
    return [
        _image(model, f"unexplained {target}", f"{name} (standard errors)", score, flake, contrast_limits=limits_),
        _labels(model, f"regions {target}", f"regions of {name}", region, words, flake),
    ]


def split_layer(model: TrainedModel, flake: int) -> LayerTuple:
    """Training and validation pixels of the random split as Labels, hidden at first."""
    return _labels(model, "split", "training and validation", model.split.astype(np.int64) + 1, list(_SPLIT.items()), flake)


def folds_layer(model: TrainedModel, flake: int) -> LayerTuple:
    """Spatial folds as Labels, hidden at first."""
    count = int(model.block.max(initial=-1)) + 1
    words = [("in no fold", "#00000000"), *((f"fold {k + 1}", _FOLDS[k % len(_FOLDS)]) for k in range(count))]
    return _labels(model, "folds", "spatial folds", model.block + 1, words, flake)


def slope_layer(explanation: Explanation, feature: int, flake: int = 0, *, only_sure: bool = True) -> LayerTuple:
    """ICE slope of one parameter: white is zero; transparent where it is within two standard deviations of zero or off the data.

    Parameters
    ----------
    feature : number of the feature
    only_sure : leave out what is not sure
    """
    samples, name = explanation.samples, explanation.features[feature]
    every = explanation.slope[feature]
    values = samples.image(np.where(explanation.sure(feature), every, np.nan) if only_sure else every, flake)
    limit = reach(samples.image(every, flake))
    unit = f"{pretty(explanation.target_unit)} / {pretty(explanation.feature_units[feature])}"
    title = f"{feature_words(name)} slope, {explanation.model_words} ({unit}){_stamp(str(explanation.verdict.level))}"
    return _image(explanation, f"slope {name}", title, values, flake, contrast_limits=(-limit, limit), visible=True)


def disagreement_layer(explanation: Explanation, feature: int, flake: int) -> LayerTuple:
    """By how many errors the slopes of models that predict as well differ, hidden at first; beyond 1.96 they are not the same."""
    assert explanation.disagreement is not None
    values = explanation.samples.image(explanation.disagreement[feature], flake)
    name = explanation.features[feature]
    title = f"{feature_words(name)} slope, models apart (errors){_stamp(str(explanation.verdict.level))}"
    looks = {"colormap": COLORMAPS["error"], "contrast_limits": (0.0, 2 * APART)}
    return _image(explanation, f"apart {name}", title, values, flake, **looks)


def beside_layers(explanation: Explanation, feature: int, flake: int = 0) -> list[LayerTuple]:
    """RS image left and PL image right of a slope image: the paper's Figure 3, c to j."""
    samples, name = explanation.samples, explanation.features[feature]
    raman = samples.image(samples.features[:, samples.feature_names.index(name)], flake)
    light = samples.image(samples.targets[:, samples.target(explanation.target)], flake)
    stamp = _stamp(str(explanation.verdict.level))
    shown = (
        ("RS", raman, f"{feature_words(name)} of RS ({pretty(explanation.feature_units[feature])})", Feature.of(name).parameter, -1),
        ("PL", light, f"PL {explanation.target} ({pretty(explanation.target_unit)})", explanation.target, 1),
    )
    layers = []
    for part, values, title, parameter, side in shown:
        colours = {"colormap": colormap_of(parameter), "contrast_limits": limits(values, 2, 98)}
        affine = np.eye(3)
        affine[1, 2] = 1.08 * side * samples.frames[flake].shape[1] * abs(samples.frames[flake].step_um[1])
        layers.append(_image(explanation, f"{part} {name}", title + stamp, values, flake, affine=affine, visible=True, **colours))
    return layers


def region_layer(explanation: Explanation, flake: int = 0) -> LayerTuple:
    """Labels to paint a region in, whose curves are looked for; empty at first."""
    frame = explanation.samples.frames[flake]
    keywords = {
        "name": _named(explanation.samples, "region of the curves", flake),
        "opacity": 0.6,
        "colormap": {None: "#00000000", 0: "#00000000", 1: BY_HAND},
        "metadata": {KEY: Shown(explanation, "region", flake)},
    }
    return np.zeros(frame.shape, dtype=np.uint8), keywords | place(frame), "labels"


def effect_layer(explanation: Explanation, feature: int, regions: NDArray[np.int64], rules: Sequence[str], flake: int) -> LayerTuple:
    """Regions in each of which one parameter acts alike, as Labels in the place of the slope map; the rule stands in the status bar.

    Parameters
    ----------
    feature : number of the feature
    regions : (n,) number of each pixel's region, from 1
    rules : what each region is, in words
    """
    samples, name = explanation.samples, explanation.features[feature]
    kinds = [("nothing was learnt here", "#00000000"), *((rule, region_color(k)) for k, rule in enumerate(rules))]
    title = _named(samples, f"regions of {feature_words(name)}{_stamp(str(explanation.verdict.level))}", flake)
    picture = np.nan_to_num(samples.image(regions, flake)).astype(np.uint8)
    return kinds_layer(Shown(explanation, f"effect {name}", flake), title, picture, kinds, heading="rule", opacity=0.85)


def _stamp(level: str) -> str:
    """Words behind the name of a layer, so that none goes without its verdict; empty where it is interpretable."""
    return "" if level == "interpretable" else f" · {level.upper()}"


def _image(artefact: TrainedModel | Explanation, part: str, name: str, values: NDArray[Any], flake: int, **looks: Any) -> LayerTuple:
    limit = reach(values)
    keywords = {
        "name": _named(artefact.samples, name, flake),
        "colormap": COLORMAPS["slope"],
        "contrast_limits": (-limit, limit),
        "visible": False,
    }
    keywords |= {"metadata": {KEY: Shown(artefact, part, flake)}}
    return values, keywords | place(artefact.samples.frames[flake]) | looks, "image"


def _labels(model: TrainedModel, part: str, title: str, values: NDArray[np.int64], words: list[tuple[str, str]], flake: int) -> LayerTuple:
    picture = np.nan_to_num(model.samples.image(values, flake)).astype(np.uint8)
    return kinds_layer(Shown(model, part, flake), _named(model.samples, title, flake), picture, words, visible=False)


def _named(samples: Samples, name: str, flake: int) -> str:
    """Name of a layer, the flake's behind it where there are several."""
    return f"{name} · {samples.names[flake]}" if len(samples.frames) > 1 else name
