"""Figures of training and explanation: the paper's Figures 2 and 3, and what the verdict rests on."""

from collections.abc import Callable
from functools import partial

from napari_wse2xai.data import Explanation, Frame, Results, TrainedModel
from napari_wse2xai.data.questions import TwoParameters, Wavenumbers
from napari_wse2xai.plots import compared, explaining, pairs, regions, training, wavenumbers
from napari_wse2xai.plots.grid import is_line, proportions
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.report._numbers import MAPPED

Draw = Callable[[], PlainFigure]
COLUMNS = 4
"""Of panels: eight modes make two full rows."""


def jobs(results: Results) -> dict[str, Draw]:
    """Figures by name, in the order of the report, not yet drawn."""
    found: dict[str, Draw] = {}
    if results.model is not None:
        for target in results.model.samples.target_names:
            found |= _of_target(results.model, target)
    if results.explanation is not None:
        found |= _of_explanation(results.explanation)
    return found


def _of_target(model: TrainedModel, target: str) -> dict[str, Draw]:
    flakes = range(len(model.samples.frames))
    found: dict[str, Draw] = {f"model_{target}_prediction{_suffix(flake)}": partial(_prediction, model, target, flake) for flake in flakes}
    found[f"model_{target}_scatter"] = partial(_quality, model, target)
    if model.unexplained is not None:
        found |= {f"model_{target}_unexplained{_suffix(flake)}": partial(_unexplained, model, target, flake) for flake in flakes}
    if model.null_test(target) is not None:
        found[f"model_{target}_null_test"] = partial(_null_test, model, target)
    return found


def _of_explanation(explanation: Explanation) -> dict[str, Draw]:
    found: dict[str, Draw] = {"explanation_ranking": partial(_ranking, explanation), "explanation_pdp": partial(pdp_panel, explanation)}
    for place, feature in enumerate(explanation.ranking[:MAPPED], start=1):
        for flake in range(len(explanation.samples.frames)):
            found[f"explanation_map_{place}{_suffix(flake)}"] = partial(side_by_side, explanation, feature, flake)
    if explanation.others:
        for flake in range(len(explanation.samples.frames)):
            found[f"explanation_models{_suffix(flake)}"] = partial(models_apart, explanation, explanation.ranking[0], flake)
    return found | _of_questions(explanation)


def _of_questions(explanation: Explanation) -> dict[str, Draw]:
    """Figures of what the recipe asked beside curves and slopes."""
    found: dict[str, Draw] = {
        f"explanation_pair_{k}": partial(_pair, explanation, pair) for k, pair in enumerate(explanation.pairs, start=1)
    }
    for place, feature in enumerate(dict.fromkeys(region.feature for region in explanation.regions), start=1):
        for flake in range(len(explanation.samples.frames)):
            found[f"explanation_regions_{place}{_suffix(flake)}"] = partial(_regions, explanation, feature, flake)
    return found | {
        f"explanation_wavenumbers{_suffix(k)}": partial(_wavenumbers, explanation, each) for k, each in enumerate(explanation.wavenumbers)
    }


def _pair(explanation: Explanation, pair: TwoParameters) -> PlainFigure:
    figure = PlainFigure(figsize=(5.0, 4.6), layout="constrained")
    bar, axes = figure.subplots(2, 1, height_ratios=(1, 20))
    pairs.draw_pair(axes, explanation, pair, bar=bar)
    return figure


def _regions(explanation: Explanation, feature: int, flake: int) -> PlainFigure:
    figure = PlainFigure(figsize=(6.5, 5.0), layout="constrained")
    regions.draw_regions(figure.subplots(), explanation, feature, flake=flake)
    return figure


def _wavenumbers(explanation: Explanation, found: Wavenumbers) -> PlainFigure:
    figure = PlainFigure(figsize=(9.0, 3.4), layout="constrained")
    wavenumbers.draw_wavenumbers(figure.subplots(), explanation, found)
    return figure


def jobs_of_card(model: TrainedModel, explanation: Explanation) -> dict[str, tuple[str, Draw]]:
    """Figures of the finding card by their names in the report, with their captions, not yet drawn."""
    first, target = explanation.ranking[0], explanation.target
    of = f"Partial dependence of the {explanation.model_words}"
    curves = f"{of} with 95 % bands; grey: central 95 % of the measured PL; dashed: few pixels reach there; dotted: ALE."
    maps = f"{explanation.features[first]}, its ICE slope by the {explanation.model_words} (hatched where it is not sure), and PL."
    return {
        "explanation_pdp": (curves, partial(pdp_panel, explanation)),
        "explanation_map_1": (maps, partial(side_by_side, explanation, first)),
        f"model_{target}_prediction": (f"Measured and predicted PL {target}.", partial(_prediction, model, target, 0)),
    }


def _suffix(flake: int) -> str:
    return f"_flake_{flake + 1}" if flake else ""


def _prediction(model: TrainedModel, target: str, flake: int) -> PlainFigure:
    figure = _three_maps(model.samples.frames[flake])
    training.draw_prediction(figure.subplots(1, 3), model, target, flake=flake)
    return figure


def _unexplained(model: TrainedModel, target: str, flake: int) -> PlainFigure:
    figure = PlainFigure(figsize=(8.6, 3.6), layout="constrained")
    training.draw_unexplained(figure.subplots(1, 2), model, target, flake=flake)
    return figure


def _quality(model: TrainedModel, target: str) -> PlainFigure:
    """Scatter plot, curves, and the network among the reference models."""
    figure = PlainFigure(figsize=(13.0, 4.2), layout="constrained")
    scatter, curves, references = figure.subplots(1, 3)
    training.draw_scatter(scatter, model, target)
    training.draw_learning_curves(curves, model.curves, target, verdict=model.verdict(target))
    training.draw_reference_models(references, model, target)
    return figure


def _null_test(model: TrainedModel, target: str) -> PlainFigure:
    test = model.null_test(target)
    assert test is not None
    figure = PlainFigure(figsize=(5.0 * len(test.r2), 3.4), layout="constrained")
    for axes, validation in zip(figure.subplots(1, len(test.r2), squeeze=False)[0], test.r2, strict=True):
        training.draw_null_test(axes, test, validation, verdict=model.verdict(target))
    return figure


def pdp_panel(explanation: Explanation) -> PlainFigure:
    """Partial dependence, one panel per mode: the paper's Figure 3a,b."""
    count = len(explaining.modes(explanation))
    rows = -(-count // COLUMNS)
    figure = PlainFigure(figsize=(max(3.2 * min(count, COLUMNS), 5.0), 2.6 * rows + 0.4), layout="constrained")
    explaining.draw_pdp_panel(figure, explanation, columns=COLUMNS)
    return figure


def _ranking(explanation: Explanation) -> PlainFigure:
    figure = PlainFigure(figsize=(8.0, 0.3 * min(len(explanation.ranking), 12) + 1.2), layout="constrained")
    explaining.draw_ranking(figure.subplots(), explanation)
    return figure


def side_by_side(explanation: Explanation, feature: int, flake: int = 0) -> PlainFigure:
    """RS, ICE slope and PL: the paper's Figure 3c-j."""
    figure = _three_maps(explanation.samples.frames[flake])
    explaining.draw_side_by_side(figure.subplots(1, 3), explanation, feature, flake=flake)
    return figure


def models_apart(explanation: Explanation, feature: int, flake: int) -> PlainFigure:
    """Slope maps of all models that predict as well, and where they differ."""
    count = len(explanation.others) + 2
    figure = _maps_of(explanation.samples.frames[flake], count)
    compared.draw_compared(figure.subplots(1, count), explanation, feature, flake=flake)
    return figure


def _three_maps(frame: Frame) -> PlainFigure:
    """Figure for three pictures of a flake in its proportions."""
    return _maps_of(frame, 3)


def _maps_of(frame: Frame, count: int) -> PlainFigure:
    """Figure for pictures of a flake, side by side in its proportions."""
    ratio = 0.6 if is_line(frame) else min(max(proportions(frame), 0.3), 2.0)
    return PlainFigure(figsize=(4.0 * count, 2.9 * ratio + 0.8), layout="constrained")
