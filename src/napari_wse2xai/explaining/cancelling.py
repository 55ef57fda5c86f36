"""Parameters that move together and whose effects cancel: the data tell their difference, not what either does."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
TOGETHER = 0.9
"""Parameters with at least this correlation move together."""
CANCELLED = 0.35
"""Their effects cancel where the sum is at most this share of the sum of their sizes."""
LEAST = 0.1
"""Effects smaller than this share of the largest are not looked at."""


def cancelling(features: Numbers, effect: Numbers) -> Iterator[tuple[int, int, float]]:
    """Find pairs of columns that move together while their effects cancel, with their correlation.

    Parameters
    ----------
    features : (n, feature)
    effect : (feature,) mean slope times the parameter's standard deviation, with sign
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        together = np.atleast_2d(np.nan_to_num(np.corrcoef(features, rowvar=False)))
    acting = np.flatnonzero(np.abs(effect) >= LEAST * np.abs(effect).max(initial=0.0))
    for place, one in enumerate(acting):
        for other in acting[place + 1 :]:
            r = float(together[one, other])
            left = abs(effect[one] + np.sign(r) * effect[other])
            if abs(r) >= TOGETHER and left <= CANCELLED * (abs(effect[one]) + abs(effect[other])):
                yield int(one), int(other), r


def cancelling_sentences(names: Sequence[str], features: Numbers, effect: Numbers, unit: str) -> list[str]:
    """Say of each such pair that it must be read as one."""
    return [
        f"{names[one]} and {names[other]} move together (r = {r:.2f}) and their effects cancel "
        f"({effect[one]:+.2g} and {effect[other]:+.2g} {unit} per standard deviation): read them as a pair, "
        "of which the data tell the difference alone."
        for one, other, r in cancelling(features, effect)
    ]
