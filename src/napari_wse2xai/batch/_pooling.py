"""Numbers of many flakes together: by condition, and against what a series runs over."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from napari_wse2xai.batch._jobs import DONE, FlakeOutcome
from napari_wse2xai.data.pooled import OfFlake, Pool
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.numerics.trend import trend

VARIED = {"power": "mW", "exposure": "s"}
"""What a series may run over that heights otherwise must not differ in, and how it ends in `FlakeValue.taken`."""


def pools(outcomes: Sequence[FlakeOutcome], over: str = "") -> list[Pool]:
    """Every quantity of the flakes that are done; what must not be compared is left out, and told.

    Parameters
    ----------
    over : name of what a series runs over: flakes may be lit by different power where that is it, and for different times where that is
    """
    varied = next((unit for word, unit in VARIED.items() if word in over.lower()), "")
    found: dict[str, list[OfFlake]] = {}
    for row, value in ((outcome.row, value) for outcome in outcomes if outcome.row.state == DONE for value in outcome.values):
        if value.pixels:
            found.setdefault(value.quantity, []).append(OfFlake(row.name, row.condition, row.value, value))
    refused: dict[str, list[str]] = {}
    for quantity, flakes in found.items():
        if why := _unlike(flakes, varied):
            refused.setdefault(why, []).append(quantity)
    for why, quantities in refused.items():
        named = ", ".join(quantities[:3]) + (f" and {len(quantities) - 3} more" if len(quantities) > 3 else "")
        warnings.warn(f"Not pooled over flakes: {named}. {why}", DataWarning, stacklevel=2)
    left_out = {quantity for quantities in refused.values() for quantity in quantities}
    return [Pool(tuple(flakes)) for quantity, flakes in found.items() if quantity not in left_out]


def _unlike(flakes: Sequence[OfFlake], varied: str) -> str:
    """Why values must not be pooled; empty where they may be."""
    first = flakes[0]

    def kept(taken: str) -> list[str]:
        return [words for words in taken.split(", ") if not varied or not words.endswith(f" {varied}")]

    for flake in flakes:
        if flake.value.unit != first.value.unit:
            units = f"'{flake.name}' is in {flake.value.unit}, '{first.name}' in {first.value.unit}"
            return f"{units}: bring all to one unit (convert_axis, or normalise: {{}})."
        if kept(flake.value.taken) != kept(first.value.taken):
            ours, theirs = (each.value.taken or "what its file does not say" for each in (flake, first))
            return f"'{flake.name}' was taken with {ours}, '{first.name}' with {theirs}: divide by exposure and power (normalise: {{}})."
    return ""


def by_condition(pooled: Sequence[Pool]) -> Iterator[dict[str, Any]]:
    """A row for each quantity and condition: the flakes' medians, how far they spread, and how far pixels do within a flake."""
    for pool, condition in _each(pooled):
        values = [flake.value for flake in pool.under(condition)]
        low, middle, high = np.quantile([value.median for value in values], [0.25, 0.5, 0.75]).tolist()
        within = float(np.median([value.high - value.low for value in values]))
        pixels = sum(value.pixels for value in values)
        numbers = {"flakes": len(values), "pixels": pixels, "median": middle, "low": low, "high": high, "within_flake": within}
        yield _named(pool, condition) | numbers


def along(pooled: Sequence[Pool]) -> Iterator[dict[str, Any]]:
    """A row for each quantity and condition: how it follows the values of the flakes."""
    for pool, condition in _each(pooled):
        x, y, errors = pool.points(condition)
        if x:
            yield _named(pool, condition) | asdict(trend(x, y, errors))


def _each(pooled: Sequence[Pool]) -> Iterator[tuple[Pool, str]]:
    return ((pool, condition) for pool in pooled for condition in pool.conditions)


def _named(pool: Pool, condition: str) -> dict[str, Any]:
    first = pool.first
    return {"condition": condition, "modality": first.modality, "peak": first.peak, "parameter": first.parameter, "unit": first.unit}


def values_by_flake(outcomes: Sequence[FlakeOutcome]) -> Iterator[Mapping[str, Any]]:
    """A row for each flake and quantity."""
    for outcome in outcomes:
        row = outcome.row
        for value in outcome.values if row.state == DONE else ():
            yield {"condition": row.condition, "name": row.name, "at": row.value} | value.as_record()
