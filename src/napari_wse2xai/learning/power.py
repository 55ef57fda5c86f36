"""What could have been found at all: laws of known strength on the user's own RS and places, asked as the measured PL is."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import NullTest
from napari_wse2xai.learning.fast_model import folds_of, predictions
from napari_wse2xai.learning.neighbours import Likeness
from napari_wse2xai.learning.surrogate_maps import surrogates
from napari_wse2xai.learning.tame_scale import tamed
from napari_wse2xai.learning.variogram import Numbers
from napari_wse2xai.numerics.standard import standardised

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
"""Strengths of the planted laws: the share of the variance of PL that they settle."""
LAWS = 10
"""Laws that are planted at each strength."""
FOUND = 0.8
"""A strength counts as one that can be found where this share of the laws was."""
COLUMNS = 3
"""Parameters that a planted law depends on."""


@dataclass(frozen=True, eq=False)
class Power:
    """Laws that would have been told from chance in spatial blocks."""

    pixels: int
    found: Numbers
    """(share,) share of the laws found, for each of `SHARES` of the variance that they settle."""
    needed: float
    """Pixels with which what was measured would be told from chance, were it as it looks; NaN where it looks like nothing."""

    @property
    def least(self) -> float:
        """Smallest share of the variance that a law must settle to be found; NaN where none was."""
        enough = [share for share, found in zip(SHARES, self.found, strict=True) if found >= FOUND]
        return min(enough, default=float("nan"))

    @property
    def text(self) -> str:
        """Both as one or two sentences."""
        could = f"With these {self.pixels} pixels and this smoothness a law would be told from chance if it settled"
        told = (
            f"{could} {self.least:.0%} of the variance of PL or more" if np.isfinite(self.least) else f"{could} more than {SHARES[-1]:.0%}"
        )
        if not np.isfinite(self.needed) or self.needed <= self.pixels:
            return f"{told}."
        return f"{told}; what was measured, if it is no chance, would need about {_round(self.needed)} pixels."

    @classmethod
    def of(cls, X: Numbers, y: Numbers, places: Numbers, flake: NDArray[np.int64], test: NullTest, *, seed: int = 0) -> Self:  # noqa: N803
        """Plant laws in the user's RS (n, feature) and places (n, 2); what they leave is as smooth as PL (n,) and owes nothing to RS."""
        features, values = tamed(X), tamed(y)
        dice = np.random.default_rng(seed)
        laws = np.stack([_law(features, dice) for _ in range(LAWS)])
        rest = surrogates(values, places, count=LAWS, rng=dice, flake=flake)
        rest = (rest - rest.mean(axis=1, keepdims=True)) / rest.std(axis=1, keepdims=True)
        maps = np.concatenate([np.sqrt(share) * laws + np.sqrt(1 - share) * rest for share in SHARES]).T
        splits = folds_of(values, places, flake, seed, quiet=False)
        name = list(splits)[-1]
        predicted = predictions(features, maps, {name: splits[name]}, seed)[name]
        told = Likeness(values, places, flake).between(maps, predicted, np.ones((len(values), 1))).reshape(len(SHARES), LAWS)
        measured = test.told_beyond(validation=name)
        limit = float(np.quantile(measured.surrogate_correlation, 0.95)) if measured is not None else float("nan")
        own = measured.correlation if measured is not None else float("nan")
        needed = len(values) * (limit / own) ** 2 if own > 0 else float("nan")
        return cls(len(values), (told > limit).mean(axis=1), needed)


def _law(features: Numbers, dice: np.random.Generator) -> Numbers:
    """A saturating law of some standardised columns, of unit spread: (n,)."""
    chosen = dice.choice(features.shape[1], min(COLUMNS, features.shape[1]), replace=False)
    raw = np.tanh(standardised(features[:, chosen])) @ dice.choice([-1.0, 1.0], len(chosen))
    return np.asarray((raw - raw.mean()) / max(float(raw.std()), 1e-12))


def _round(pixels: float) -> str:
    """Two digits, for more are not known."""
    digits = 10 ** max(int(np.floor(np.log10(pixels))) - 1, 0)
    return f"{round(pixels / digits) * digits:,.0f}"
