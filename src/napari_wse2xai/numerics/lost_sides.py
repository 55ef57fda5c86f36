"""What the outlines say of a placing if either mask has lost a side of the flake, where light faded or the threshold lay too high.

A mask that has lost a side ends there in a straight edge that is none of the flake's.  Two such masks agree best edge on edge, which is
wrong where they have lost different sides; on a round or symmetric flake nothing else contradicts.  So every straight edge of a mask is
taken for a cut in turns, nothing at or beyond it is counted, and placings are compared by what is left.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.outline import Array, Scan

WAYS = np.stack([np.sin(angles := np.arange(72) * np.pi / 36), np.cos(angles)], axis=-1)
"""(72, 2) directions in which a side may lie."""
STRAIGHT_STEPS = 1.0
"""An edge that strays by less from a line is straight."""
LONG_SHARE = 0.5
"""Least length of a straight edge that may be a cut, in mean diameters of the flake."""
BEYOND_STEPS = 2.0
"""Nothing is counted from so far before a cut."""
LEAST_KEPT = 0.45
"""Share of the outlines that must still count."""
WEAKEST = 4
"""So many pairs of cuts, those that leave the placing least determined, are slid."""


@dataclass(frozen=True, eq=False)
class OutlineEvidence:
    """What each point of the outlines says for a placing."""

    gains: Array
    """(n,) logarithm of likelihood, weighted."""
    weight: Array
    """(n,)."""
    fixed: Array
    """(n, 2) places on the fixed scan."""
    moving: Array
    """(n, 2) the same places on the moving scan."""


@dataclass(frozen=True, eq=False)
class Cuts:
    """Straight edges of one mask that may be none of the flake's."""

    ways: Array
    """(k, 2) unit vectors outwards."""
    limits: Array
    """(k,) um along these, from which nothing is counted."""

    @classmethod
    def of(cls, scan: Scan, step: float) -> Self:
        """Find those of a mask; `step` is that of the coarser scan."""
        # Diameter of a disc as large as the flake.
        straight = _straight_um(scan, step) >= LONG_SHARE * 2 * np.sqrt(scan.flake.sum() * abs(np.prod(scan.step)) / np.pi)
        ways = WAYS[straight]
        return cls(ways, (scan.places[scan.flake] @ ways.T).max(axis=0) - BEYOND_STEPS * step)

    def counted(self, places: Array) -> Array:
        """(k + 1, n) 1 where a place (n, 2) still counts, first without any cut."""
        return np.vstack([np.ones(len(places)), (places @ self.ways.T <= self.limits).T])


def _straight_um(scan: Scan, step: float) -> Array:
    """(72,) length of the outermost edge that is straight, along each direction."""
    outwards, along = scan.outline @ WAYS.T, scan.outline @ np.stack([WAYS[:, 1], -WAYS[:, 0]])
    near = outwards >= outwards.max(axis=0) - STRAIGHT_STEPS * step
    return np.array([_longest_run(np.sort(places[there]), 2 * step) for places, there in zip(along.T, near.T, strict=True)])


def _longest_run(places: Array, gap: float) -> float:
    """Length of the longest part of rising places (n,) without a gap."""
    runs = np.split(places, np.flatnonzero(np.diff(places) > gap) + 1)
    return max(float(run[-1] - run[0]) for run in runs)


@dataclass(frozen=True, eq=False)
class LostSides:
    """Cuts of both masks, compared by pairs: one of the fixed scan's or none, with one of the moving scan's or none."""

    fixed: Cuts
    moving: Cuts

    @classmethod
    def of(cls, fixed: Scan, moving: Scan) -> Self:
        """Find the cuts of two scans."""
        step = max(fixed.pitch, moving.pitch)
        return cls(Cuts.of(fixed, step), Cuts.of(moving, step))

    @property
    def shape(self) -> tuple[int, int]:
        """How many pairs of cuts there are, that of none included."""
        return len(self.fixed.ways) + 1, len(self.moving.ways) + 1

    def summed(self, evidence: OutlineEvidence, values: Array) -> Array:
        """(k + 1, m + 1) sum of values (n,) of the points that count, for each pair of cuts; of values (n, p) so many sums each."""
        here, there = self.fixed.counted(evidence.fixed), self.moving.counted(evidence.moving)
        sums = [(here * value) @ there.T for value in np.atleast_2d(values.T)]
        return np.asarray(np.stack(sums, axis=-1) if values.ndim > 1 else sums[0])

    def behind(self, best: OutlineEvidence, other: OutlineEvidence) -> Array:
        """(k + 1, m + 1) by how much a placing is worth less than the best one; infinite where too little counts."""
        enough = np.minimum(self.summed(best, best.weight), self.summed(other, other.weight)) >= LEAST_KEPT * best.weight.sum()
        return np.where(enough, self.summed(best, best.gains) - self.summed(other, other.gains), np.inf)

    def weakest(self, best: OutlineEvidence, steep: Array) -> list[tuple[Array, tuple[int, int]]]:
        """Ways (3,) along which the best placing is held least, each with the pair of cuts that leaves it so.

        Parameters
        ----------
        steep : (n, 3) derivatives of the distances by the nudge
        """
        # Gauss and Newton's matrix, point by point: its smallest eigenvalue says along which way a placing is held least.
        products = (steep[:, :, None] * steep[:, None]).reshape(len(steep), -1) * best.weight[:, None]
        sums = self.summed(best, products)
        sizes, ways = np.linalg.eigh(sums.reshape(*sums.shape[:2], *2 * (steep.shape[1],)))
        enough = self.summed(best, best.weight) >= LEAST_KEPT * best.weight.sum()
        held = np.where(enough, sizes[..., 0] / np.maximum(sizes.sum(axis=-1), 1e-12), np.inf)
        order: NDArray[np.intp] = np.argsort(held, axis=None)[:WEAKEST]
        pairs = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, held.shape), strict=True)]
        return [(ways[pair][:, 0], pair) for pair in pairs if np.isfinite(held[pair])]
