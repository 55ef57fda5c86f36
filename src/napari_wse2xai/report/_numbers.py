"""Numbers as people write them."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

MISSING = "–"
MAPPED = 3
"""Features whose slope is shown as a map: the first of the ranking."""


def to_digits_of(value: float, uncertainty: float, *, digits: int = 2) -> str:
    """Value with as many decimals as its uncertainty has meaningful digits."""
    if not math.isfinite(value):
        return MISSING
    if not math.isfinite(uncertainty) or uncertainty <= 0:
        return f"{value:.5g}"
    decimals = digits - 1 - math.floor(math.log10(uncertainty))
    return f"{value:.{max(0, min(decimals, 8))}f}"


def with_spread(values: NDArray[np.floating]) -> str:
    """Median and robust spread, half the width of the central 68 %, of the values that exist."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return MISSING
    low, middle, high = (float(v) for v in np.percentile(finite, [16, 50, 84]))
    spread = (high - low) / 2
    return f"{to_digits_of(middle, spread)} ± {to_digits_of(spread, spread)}"


def median(values: NDArray[np.floating], *, digits: int = 2) -> str:
    """Median of the values that exist, to a few digits."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size:
        return MISSING
    middle = float(np.median(finite))
    return to_digits_of(middle, abs(middle), digits=digits)


def setting_text(value: object) -> str:
    """A setting's value in the words of a recipe."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {setting_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        nested = any(isinstance(inner, list | tuple | Mapping) for inner in value)
        return (", " if not nested else "; ").join(setting_text(inner) for inner in value) or "none"
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
