"""One ranking of several flakes, each explained by itself: means with their scatter from flake to flake, and what holds on how many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.random_effects import RandomEffects

Numbers = NDArray[np.float64]
TOP = 3
"""A parameter holds on a flake where it is among so many there, with the sign that it has on most."""


@dataclass(frozen=True, eq=False)
class OverFlakes:
    """Effects of parameters on several flakes, such as their mean slopes per standard deviation."""

    features: tuple[str, ...]
    effect: Numbers
    """(flake, feature)"""
    error: Numbers
    """(flake, feature) one standard error each."""
    mean: Numbers
    """(feature,) over flakes, each weighed by its own error and the scatter between flakes."""
    mean_error: Numbers
    """(feature,)"""
    scatter: Numbers
    """(feature,) standard deviation between flakes that the errors of the single flakes do not account for."""

    @classmethod
    def of(cls, features: Sequence[str], effect: ArrayLike, error: ArrayLike) -> Self:
        """Put flakes together by random effects.

        Parameters
        ----------
        effect, error : (flake, feature) with sign, and one standard error each

        Raises
        ------
        DataError
            There are fewer than two flakes.
        """
        effects, errors = np.asarray(effect, dtype=np.float64), np.asarray(error, dtype=np.float64)
        if effects.ndim != 2 or len(effects) < 2 or effects.shape != errors.shape or effects.shape[1] != len(features):
            raise DataError(f"Effects of shape {effects.shape} are no comparison of flakes; give (flake, parameter), two flakes or more.")
        found = RandomEffects.of(np.ones((len(effects), 1)), effects, np.maximum(errors, 1e-12))
        return cls(tuple(features), effects, errors, found.coefficients[0], found.errors[0], np.sqrt(found.between))

    @property
    def ranking(self) -> NDArray[np.int64]:
        """Features by the size of their mean effect, the largest first."""
        return np.argsort(-np.abs(self.mean), kind="stable")

    @property
    def ranks(self) -> NDArray[np.int64]:
        """(flake, feature) place in the ranking of each flake alone, from 1."""
        return np.argsort(np.argsort(-np.abs(self.effect), axis=1, kind="stable"), axis=1) + 1

    @property
    def holds(self) -> NDArray[np.int64]:
        """(feature,) flakes on which it is among the first `TOP` with the sign of its mean."""
        return np.asarray(((self.ranks <= TOP) & (np.sign(self.effect) == np.sign(self.mean))).sum(axis=0))

    def without_one(self) -> Numbers:
        """(flake,) rank correlation of the effects on each flake with the mean of all others, as if it came last."""
        from scipy.stats import spearmanr

        others = [np.delete(self.effect, one, axis=0).mean(axis=0) for one in range(len(self.effect))]
        return np.array([float(spearmanr(own, rest).statistic) for own, rest in zip(self.effect, others, strict=True)])

    def sentences(self, count: int = TOP, *, silent: int = 0) -> list[str]:
        """What holds for the first parameters, and how well each flake is told by the others.

        Parameters
        ----------
        silent : flakes on which nothing could be told: nothing holds there
        """
        flakes = len(self.effect) + silent
        said = [
            f"{self.features[k]}: {self.mean[k]:+.2f} ± {self.mean_error[k]:.2f}, scatter between flakes {self.scatter[k]:.2f}, "
            f"holds on {self.holds[k]} of {flakes} flakes."
            for k in self.ranking[:count]
        ]
        if len(self.features) < 2:  # one alone has no ranking
            return said
        alike = self.without_one()
        left_out = f"The ranking of a flake left out agrees with that of the others with {alike.min():.2f} to {alike.max():.2f} (Spearman)."
        return [*said, left_out]
