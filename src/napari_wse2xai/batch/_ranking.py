"""Flakes that were trained and explained one by one, put together by condition."""

import warnings
from collections.abc import Sequence

from napari_wse2xai import report
from napari_wse2xai.batch._jobs import DONE, FlakeOutcome
from napari_wse2xai.data.effects import FlakeEffects
from napari_wse2xai.errors import DataError, DataWarning


def over_flakes(done: "Sequence[FlakeOutcome]") -> "list[report.RankedOverFlakes]":
    """One ranking for each condition and target; a condition of which too few flakes may be interpreted has none, and that is told."""
    found: dict[tuple[str, str], dict[str, FlakeEffects]] = {}
    for outcome in done:
        for effects in outcome.effects if outcome.row.state == DONE else ():
            found.setdefault((outcome.row.condition, effects.target), {})[outcome.row.name] = effects
    ranked = []
    for (condition, target), flakes in found.items():
        try:
            ranked.append(report.RankedOverFlakes.of(condition, target, flakes))
        except DataError as why:
            warnings.warn(f"No ranking over flakes of {condition}, PL {target}: {why}", DataWarning, stacklevel=2)
    return ranked
