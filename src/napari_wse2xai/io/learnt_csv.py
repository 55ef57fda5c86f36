"""Scores, partial dependences and slopes as tables for a spreadsheet, under the headings that their fields declare."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation, TrainedModel
from napari_wse2xai.data.declared import declared
from napari_wse2xai.data.trained_model import Score
from napari_wse2xai.io.atomic import new_file


def write_scores_csv(models: Mapping[tuple[str, ...], TrainedModel], path: str | Path, *, keys: Sequence[str] = ()) -> None:
    """One line per model, reference models too, target, validation and part, with the verdict on the target.

    Parameters
    ----------
    models : by what tells them apart, such as architecture and condition; ``{(): model}`` for one
    keys : titles of what tells them apart
    """
    rows: list[dict[str, Any]] = []
    for case, model in models.items():
        levels = {verdict.target: str(verdict.level) for verdict in model.verdicts}
        for score in model.scores:
            row = dict(zip(keys, case, strict=True)) | {"target": score.target, "verdict": levels.get(score.target, "")}
            rows.append(row | {each.about.heading or each.field: getattr(score, each.field) for each in declared(Score)})
    _write(rows, path)


def write_pdp_csv(explanation: Explanation, path: str | Path) -> None:
    """One line per feature and point of its curve: value, partial dependence, 95 % band, whether the data reach there, and ALE."""
    points = explanation.pdp.shape[1]
    table = {"feature": np.repeat(explanation.features, points), "unit": np.repeat(explanation.feature_units, points)}
    table |= {heading: values.ravel() for heading, values in _headed(explanation, "feature", "grid")}
    _write(table | {"verdict": str(explanation.verdict.level)}, path)


def write_ranking_csv(explanation: Explanation, path: str | Path) -> None:
    """One line per feature, the most important first: what it does to the prediction, with errors, and what its whole peak is worth."""
    table, every = dict(_headed(explanation, "feature")), range(len(explanation.features))
    table[f"mean slope ({explanation.target_unit} / unit)"] = explanation.slope.mean(axis=1)
    table["sure (share of pixels)"] = np.array([explanation.sure(index).mean() for index in every])
    for each in explanation.answers:
        table |= {each.title: np.asarray(each.values), f"{each.title} error": np.asarray(each.errors)}
    ranked = {heading: values[list(explanation.ranking)] for heading, values in table.items()}
    _write(ranked | {"verdict": str(explanation.verdict.level)}, path)


def write_slopes_csv(explanation: Explanation, path: str | Path) -> None:
    """One line per pixel: its place, then for each feature the ICE slope, its standard deviation, and whether it is sure (1 or 0)."""
    table: dict[str, Any] = {name: values for name, (_, values, _) in explanation.samples.places().items()}
    for index, (feature, unit) in enumerate(zip(explanation.features, explanation.feature_units, strict=True)):
        for heading, values in _headed(explanation, "feature", "pixel"):
            table[heading.format(label=feature).replace("feature_unit", unit)] = values[index]
        table[f"{feature} sure"] = explanation.sure(index).astype(np.int8)
    table["verdict"] = str(explanation.verdict.level)
    _write(table, path)


def _headed(explanation: Explanation, *dims: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Fields along some dimensions under the headings that they declare; NaN for what an explanation has not."""
    for each in declared(Explanation):
        if each.about.heading and each.about.dims == dims:
            values, unit = getattr(explanation, each.field), each.about.unit.format(explanation).replace(" per ", " / ")
            values = np.full(explanation.pdp.shape[: len(dims)], np.nan) if values is None else np.asarray(values)
            heading = each.about.heading.format(explanation, unit=unit)
            yield heading, values.astype(np.int8) if each.is_true_or_false else values


def _write(table: Any, path: str | Path) -> None:
    import pandas as pd

    with new_file(path) as temporary:
        pd.DataFrame(table).to_csv(temporary, index=False, float_format="%.7g", encoding="utf-8")
