"""Scores, partial dependences and slopes as tables for a spreadsheet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.data import Explanation, TrainedModel
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
            row: dict[str, Any] = dict(zip(keys, case, strict=True))
            row |= {"target": score.target, "verdict": levels.get(score.target, ""), "model": score.model}
            row |= {"validation": score.validation, "part": score.part, "R2": score.r2}
            row |= {"MAE": score.mae, "MAPE (%)": score.mape, "WAPE (%)": score.wape, "seconds": score.seconds}
            rows.append(row)
    _write(rows, path)


def write_pdp_csv(explanation: Explanation, path: str | Path) -> None:
    """One line per feature and point of its curve: value, partial dependence, 95 % band, whether the data reach there, and ALE."""
    _write(
        [
            {
                "feature": feature,
                "unit": explanation.feature_units[index],
                "value": explanation.pdp_grid[index, point],
                f"PL {explanation.target} ({explanation.target_unit})": explanation.pdp[index, point],
                "low": explanation.pdp_low[index, point],
                "high": explanation.pdp_high[index, point],
                "supported": int(explanation.supported[index, point]),
                "verdict": str(explanation.verdict.level),
                "ALE": np.nan if explanation.ale is None else explanation.ale[index, point],
            }
            for index, feature in enumerate(explanation.features)
            for point in range(explanation.pdp.shape[1])
        ],
        path,
    )


def write_ranking_csv(explanation: Explanation, path: str | Path) -> None:
    """One line per feature, the most important first: what it does to the prediction, with errors, and what its whole peak is worth."""
    unit = explanation.target_unit
    rows: list[dict[str, Any]] = []
    for index in explanation.ranking:
        lost, error = explanation.peak_loss(index)
        row: dict[str, Any] = {"feature": explanation.features[index], "unit": explanation.feature_units[index]}
        row |= {f"PDP spread ({unit})": explanation.importance[index], f"error ({unit})": explanation.importance_error[index]}
        row |= {f"rms slope x sigma ({unit})": explanation.slope_rms[index], "R2 lost (peak)": lost, "R2 lost error": error}
        row |= {f"mean slope ({unit} / unit)": explanation.slope[index].mean(), "sure (share of pixels)": explanation.sure(index).mean()}
        for each in explanation.answers:
            row |= {each.title: each.values[index], f"{each.title} error": each.errors[index]}
        rows.append(row | {"verdict": str(explanation.verdict.level)})
    _write(rows, path)


def write_slopes_csv(explanation: Explanation, path: str | Path) -> None:
    """One line per pixel: its place, then for each feature the ICE slope, its standard deviation, and whether it is sure (1 or 0)."""
    table: dict[str, Any] = {name: values for name, (_, values, _) in explanation.samples.places().items()}
    for index, feature in enumerate(explanation.features):
        unit = f"{explanation.target_unit} / {explanation.feature_units[index]}"
        table[f"{feature} slope ({unit})"] = explanation.slope[index]
        table[f"{feature} slope error ({unit})"] = explanation.slope_error[index]
        table[f"{feature} sure"] = explanation.sure(index).astype(np.int8)
    table["verdict"] = str(explanation.verdict.level)
    _write(table, path)


def _write(table: Any, path: str | Path) -> None:
    import pandas as pd

    with new_file(path) as temporary:
        pd.DataFrame(table).to_csv(temporary, index=False, float_format="%.7g", encoding="utf-8")
