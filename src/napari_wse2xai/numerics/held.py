"""Parameters that are fixed, tied or the same in all spectra: what each spectrum says of them, what all say together, how they differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import PER_PEAK, Problem
from napari_wse2xai.numerics.residual_noise import Noise
from napari_wse2xai.numerics.uncertainty import located

Values = NDArray[np.float64]
AT_ONCE = 1024
"""Spectra worked on together: their slopes stay in the cache."""
MOST = 5.0
"""Errors that a spectrum may lie off to count as much: one that is abnormal is not the map."""


@dataclass(frozen=True)
class Said:
    """What each spectrum says of held parameters, to first order, beside all that it has of its own.

    Every spectrum is asked by a Newton step of all its parameters, the held ones among them.  The mean spectrum would not do: lines that
    wander over a map are wider there.
    """

    away: Values
    """(pixel, s) how far from where they are held, or from what they follow, it puts the parameters."""
    error: Values
    """(pixel, s) one standard error of that; infinite where it says nothing."""
    weight: Values
    """(pixel, s, s) inverse covariance of `away`."""
    moved: Values
    """(pixel, 4 peak, s) by how much a step of one away moves every parameter."""

    @classmethod
    def of(
        cls,
        problem: Problem,
        places: Sequence[tuple[int, int]],
        counts: NDArray[np.float32],
        found: Values,
        free: NDArray[np.bool_],
        noise: Noise,
        seen: NDArray[np.bool_],
    ) -> Self:
        """Of fits (pixel, peak, 4) to spectra (pixel, n) that held the parameters at some places (peak, parameter).

        `seen` (pixel, s) is where a spectrum shows the peak of each: of one that is not there anything may be said.
        """
        freed = problem.freed(places)
        relations = _relations(problem, freed, places)
        parts = [slice(first, first + AT_ONCE) for first in range(0, max(len(counts), 1), AT_ONCE)]
        each = [_of_some(freed, relations, counts[part], found[part], free[part], noise, seen[part]) for part in parts]
        return cls(*(np.concatenate(values) for values in zip(*each, strict=True)))

    @property
    def together(self) -> tuple[Values, Values]:
        """(s,) how far all of them together put the parameters, and the standard errors: infinite where none says anything."""
        total, pull = self.weight.sum(axis=0), np.einsum("pij,pj->i", self.weight, self.away)
        known = np.diag(total) > 0
        step, error = np.zeros(len(total)), np.full(len(total), np.inf)
        covariance = np.linalg.pinv(total[np.ix_(known, known)])
        step[known], error[known] = covariance @ pull[known], np.sqrt(np.diag(covariance))
        return step, error

    @property
    def scatter(self) -> tuple[Values, Values]:
        """(s,) standard deviation by which the spectra may differ beyond their errors; and what it is worth, in standard deviations.

        By moments (DerSimonian and Laird 1986), plus one standard error of that variance: what differs by less is not seen to differ.
        """
        spread, worth = np.zeros(self.away.shape[1]), np.zeros(self.away.shape[1])
        for s, (away, error) in enumerate(zip(self.away.T, self.error.T, strict=True)):
            known = np.isfinite(error)
            free = int(known.sum()) - 1
            if free > 1:
                weight = error[known] ** -2.0
                beside = away[known] - (weight @ away[known]) / weight.sum()
                excess = float(np.minimum(weight * beside**2, MOST**2).sum()) - free
                chance, share = float(np.sqrt(2.0 * free)), float(weight.sum() - (weight @ weight) / weight.sum())
                spread[s], worth[s] = np.sqrt((max(excess, 0.0) + chance) / share), excess / chance
        return spread, worth


def _relations(problem: Problem, freed: Problem, places: Sequence[tuple[int, int]]) -> Values:
    """(m, s) what is held to a value, of all that is then fitted: a parameter by itself, or less what it follows."""
    at = {divmod(int(place), PER_PEAK): row for row, place in enumerate(freed.leaders)}
    relations = np.zeros((len(at), len(places)))
    for column, place in enumerate(places):
        relations[at[place], column] = 1.0
        for tie in problem.ties:
            if tie.follower == place and tie.leader in at:
                relations[at[tie.leader], column] -= tie.ratio
    return relations


def _of_some(
    freed: Problem,
    relations: Values,
    counts: NDArray[np.float32],
    found: Values,
    free: NDArray[np.bool_],
    noise: Noise,
    seen: NDArray[np.bool_],
) -> tuple[Values, Values, Values, Values]:
    """Fields of `Said` for some spectra."""
    slopes, local, _, weighted = located(freed, counts, found, free, noise)
    residual = freed.without_background((counts - slopes.fitted) * freed.root).astype(np.float32)
    fitted = np.searchsorted(freed.rows, freed.leaders)
    whole = np.moveaxis(local.covariance(weighted, noise.memory), -1, 0)[:, fitted[:, None], fitted]
    covariance = relations.T @ whole @ relations
    known = (np.abs(relations).T @ ~local.known[fitted]) == 0
    variance = np.where(known.T & seen, np.einsum("pii->pi", covariance), np.inf)
    error, said = np.sqrt(np.maximum(variance, 0.0)), np.isfinite(variance) & (variance > 0)
    both = said[:, :, None] & said[:, None, :]
    weight = np.linalg.inv(np.where(both, covariance, np.eye(relations.shape[1]))) * both
    across = np.moveaxis(local.inverse, -1, 0) @ relations
    moved = np.zeros((len(counts), found[0].size, relations.shape[1]))
    moved[:, freed.rows] = freed.links @ (across @ np.linalg.pinv(relations.T @ across, hermitian=True))
    return np.where(said, local.step(residual).T @ relations, 0.0), np.where(said, error, np.inf), weight, moved
