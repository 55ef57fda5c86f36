"""What the report says of a trained model and its explanation."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_wse2xai.data import VALIDATIONS, Explanation, Level, MapLevel, NullTest, TrainedModel, Verdict
from napari_wse2xai.data.compared import together
from napari_wse2xai.data.verdict import p_in_words
from napari_wse2xai.numerics.relative_error import in_percent
from napari_wse2xai.report._numbers import MAPPED, MISSING, to_digits_of

CLASSES = {Level.INTERPRETABLE: "yes", Level.LOCAL_ONLY: "local", Level.DO_NOT_INTERPRET: "no"}
"""Class of the badge in the page's style."""
ROLES = {
    "saturating": "saturates",
    "linear": "acts linearly",
    "quadratic": "acts as its square",
    "partner": "acts only through the first",
}
"""What each planted parameter does."""
PARTS = {
    "prediction": "Measured and predicted PL {target} and the error of each pixel; the network saw seven pixels of ten.",
    "scatter": "Predicted against measured PL {target}; the training, epoch by epoch; the network among simpler models. Spatial blocks "
    "leave out a pixel's whole surroundings, a random split only the pixel.",
    "unexplained": "What RS does not explain of PL {target}: measured less predicted by the best model, which never saw the pixel's "
    "surroundings, in standard errors; and the regions where that gathers: defects, strain or dirt that RS does not show may sit there.",
    "null_test": "The same fast model on maps that are as smooth as PL {target} but owe nothing to RS (grey), and on PL {target} itself "
    "(line).",
}

MODELS_APART = (
    "slope maps of all models that predict about as well, in the same colours, and by how many errors they differ at most. "
    "Bright: there the data allow more than one map."
)
MAP_CLASSES = {MapLevel.AGREED: "yes", MapLevel.DISPUTED: "local", MapLevel.ALONE: "local"}


def badges(model: TrainedModel | None) -> list[dict[str, str]]:
    """Verdict on each target."""
    return [] if model is None else [badge(verdict) for verdict in model.verdicts]


def badge(verdict: Verdict) -> dict[str, str]:
    """Target, words, class and meaning of a verdict."""
    return {
        "target": verdict.target,
        "level": str(verdict.level),
        "class": CLASSES[verdict.level],
        "meaning": verdict.level.meaning,
    }


def targets(model: TrainedModel) -> list[dict[str, Any]]:
    """Verdict with its reasons, scores and null test of each target."""
    return [
        badge(verdict)
        | {"reasons": verdict.reasons, "scores": scores(model, verdict.target), "null_test": _null_test(model.null_test(verdict.target))}
        for verdict in model.verdicts
    ]


def scores(model: TrainedModel, target: str) -> list[dict[str, str]]:
    """One row per model and validation: numbers on training and on validation pixels."""
    rows = []
    for validation, words in VALIDATIONS.items():
        for name in dict.fromkeys(score.model for score in model.scores if score.target == target and score.validation == validation):
            seen, unseen = (model.score(target, model=name, validation=validation, part=part) for part in ("training", "validation"))
            if unseen is not None:
                row = {"model": name, "validation": words, "r2": f"{unseen.r2:.3f}", "mae": to_digits_of(unseen.mae, unseen.mae)}
                row |= {
                    "mape": percent(unseen.mape),
                    "wape": percent(unseen.wape),
                    "percent": in_percent(unseen.mape, unseen.wape),
                    "r2_training": MISSING if seen is None else f"{seen.r2:.3f}",
                }
                rows.append(row)
    return rows


def percent(value: float) -> str:
    """A number of a table, or a dash where it means nothing."""
    return f"{value:.1f}" if np.isfinite(value) else MISSING


def _null_test(test: NullTest | None) -> list[str]:
    """Sentences about the null test."""
    if test is None:
        return []
    if test.refused:
        return [f"There is no p value: {test.refused}"]
    return [
        f"{VALIDATIONS.get(kind, kind)}: R² {test.r2[kind]:.3f} for the measured map, at most {np.max(values):.3f} for "
        f"{len(values)} surrogates; {p_in_words(test.p_value[kind], len(values))}."
        for kind, values in test.surrogate_r2.items()
        if len(values)
    ]


def captions(model: TrainedModel | None, explanation: Explanation | None) -> Iterator[tuple[str, str]]:
    """Name of every figure that may have been drawn, without its ending, and the words under it."""
    for target in model.samples.target_names if model is not None else ():
        assert model is not None
        for part, words in PARTS.items():
            for name, of_flake in _flakes(f"model_{target}_{part}", model.samples.names):
                yield name, words.format(target=target) + of_flake
    if explanation is not None:
        yield from _explained(explanation)


def _explained(explanation: Explanation) -> Iterator[tuple[str, str]]:
    yield (
        "explanation_ranking",
        f"What the {explanation.model_words} says: spread of each parameter's partial dependence with its error, and the root mean square "
        "of its ICE slope times σ, which also sees a parameter that acts only together with another.",
    )
    yield (
        "explanation_pdp",
        f"Partial dependence of PL {explanation.target} on each parameter, of the {explanation.model_words}, with "
        "95 % bands. Grey: central 95 % of the measured PL. Dashed: where few pixels reach. "
        "Dotted: accumulated local effects (ALE), which never leave the data. The mode whose curve spans most of the grey band dominates.",
    )
    for place, feature in enumerate(explanation.ranking[:MAPPED], start=1):
        name = explanation.features[feature]
        words = (
            f"{name}, its ICE slope by the {explanation.model_words} (pale and hatched where it is within two standard deviations of zero, "
            "leaves the data, or is disputed by a model that predicts as well), and PL."
        )
        for key, of_flake in _flakes(f"explanation_map_{place}", explanation.samples.names):
            yield key, words + of_flake
    for key, of_flake in _flakes("explanation_models", explanation.samples.names):
        yield key, f"{explanation.features[explanation.ranking[0]]}: {MODELS_APART}{of_flake}"
    yield from _asked(explanation)


def _asked(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """What the recipe asked beside curves and slopes."""
    for number, pair in enumerate(explanation.pairs, start=1):
        yield f"explanation_pair_{number}", f"Mean prediction with both set; white dots are pixels. {pair.sentence(explanation)}"
    for place, feature in enumerate(dict.fromkeys(region.feature for region in explanation.regions), start=1):
        kept = next(region.kept for region in explanation.regions if region.feature == feature)
        words = (
            f"Parts of the flake in which {explanation.features[feature]} acts alike; within them {kept:.0%} of the curves' spread is left."
        )
        for key, of_flake in _flakes(f"explanation_regions_{place}", explanation.samples.names):
            yield key, words + of_flake
    for found in explanation.wavenumbers:
        yield "explanation_wavenumbers", f"Integrated gradients over the mean lines as the network sees them. {found.sentence(explanation)}"


def _flakes(name: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Name of a figure for each flake, and what to add to its caption."""
    for index, flake in enumerate(names):
        yield (f"{name}_flake_{index + 1}" if index else name), (f" Flake: {flake}." if len(names) > 1 else "")


def ranking(explanation: Explanation, *, most: int = 12) -> list[dict[str, Any]]:
    """One row per feature, the most important first."""
    rows: list[dict[str, Any]] = []
    for place, index in enumerate(explanation.ranking[:most], start=1):
        spread, error = float(explanation.importance[index]), float(explanation.importance_error[index])
        row: dict[str, Any] = {
            "place": str(place),
            "feature": explanation.features[index],
            "importance": f"{to_digits_of(spread, error)} ± {error:.2g}",
        }
        row["slope"] = _with_unit(explanation, index)
        lost, doubt = explanation.peak_loss(index)
        row["lost"] = _with_error(lost, doubt)
        row["answers"] = [_with_error(float(each.values[index]), float(each.errors[index])) for each in explanation.answers]
        row["sure"] = f"{100 * float(explanation.sure(index).mean()):.0f} %"
        rows.append(row | {"slope_rms": to_digits_of(float(explanation.slope_rms[index]), error)})
    return rows


def _with_error(value: float, error: float) -> str:
    return MISSING if np.isnan(value) else f"{to_digits_of(value, error, digits=1)} ± {error:.1g}"


def compared(explanation: Explanation) -> dict[str, Any]:
    """What the other models say: verdict on the map, in a sentence, and a row for each model."""
    level = explanation.map_level
    rows = [
        {
            "model": other.words,
            "r2": f"{other.r2:.3f}",
            "concordance": _two_digits(other.concordance),
            "first": ", ".join(explanation.features[k] for k in other.ranking[:3]),
        }
        for other in explanation.others
    ]
    return {"class": MAP_CLASSES[level], "level": str(level), "sentence": explanation.map_sentence, "rows": rows}


def _with_unit(explanation: Explanation, index: int) -> str:
    """Mean slope with its error and unit."""
    mean = float(explanation.slope[index].mean())
    unit = f"{explanation.target_unit} / {explanation.feature_units[index]}".replace("cm-1", "cm⁻¹")
    if explanation.mean_slope_error is None:
        return f"{to_digits_of(mean, abs(mean), digits=3)} {unit}"
    error = float(explanation.mean_slope_error[index])
    return f"{to_digits_of(mean, error)} ± {error:.2g} {unit}"


def recovery(explanation: Explanation) -> dict[str, Any] | None:
    """Whether a law planted on the flake was found again, with a row per planted parameter; None where that was not tried."""
    found = explanation.recovery
    if found is None:
        return None
    head, _, _, *rest = found.sentences
    rows = [
        {
            "role": ROLES[role],
            "parameter": parameter,
            "rank": f"{found.ranks[role]} of {found.parameters}",
            "curve": _two_digits(found.pdp_r2.get(role)),
            "map": _two_digits(found.slope_correlation.get(role)),
        }
        for role, parameter in found.law.items()
    ]
    badge_class, level = ("yes", "found again") if found.passed else ("local", "not found again")
    return {"class": badge_class, "level": level, "head": head, "rows": rows, "model_r2": f"{found.model_r2:.2f}", "notes": rest}


def _two_digits(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}".replace("-", "−")


def remarks(explanation: Explanation) -> list[str]:
    """Sentences about parameters that go together, then the other remarks."""
    pairs = explanation.not_separable
    said = together(pairs)
    known = [*(each.partition(" go together")[0] for each in said), *(f"{one} and {other}" for one, other, _ in pairs)]
    others = [remark for remark in explanation.remarks if not any(remark.startswith(f"{names} ") for names in known)]
    return [*(f"{each}." for each in said), *others, *(each.sentence for each in explanation.answers)]
