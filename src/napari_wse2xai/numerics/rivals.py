"""Find how two scans of one flake lie to one another without help, and what else fits as well."""

from dataclasses import dataclass, replace

import numpy as np

from napari_wse2xai.numerics.coarse_search import Done, Freedom, candidates
from napari_wse2xai.numerics.lost_sides import LostSides, OutlineEvidence
from napari_wse2xai.numerics.outline import Array, Placing, Scan
from napari_wse2xai.numerics.registration import SHIFT, TURN, distances, overlap, refine, seen, slopes, with_common_blur

SMALLEST_SPREAD = 0.2
"""Least scatter of the outlines that is believed, in steps of the coarser scan."""
CAP = 3.0
"""Most that one piece of an outline can speak against a placing: a mask that is wrong somewhere is no more than wrong."""
PIECE_STEPS = 4.0
"""Length over which the error of an outline is alike, in steps of the coarser scan."""
POINTS_PER_STEP = 1.4
"""Of an outline."""
CORE = 0.8
"""Share of the outlines, the best agreeing, that must tell two placings apart as well."""
MARGIN, CORE_MARGIN = 8.0, 5.0
"""A placing whose worth stays behind by less, of the whole or of the core, fits as well; benchmarks/pairing.py counts."""
LOST_MARGIN, LOST_DOUBT, OTHER_HAND_DOUBT = 4.5, 7.0, 2.5
"""The same where a side that either mask may have lost is left out; below what that is at least said; and that of the other hand."""
UNMIRRORED = 3.0
"""Head start of placings that do not mirror."""
SAME_STEPS = 3.0
"""Placings that bring the corners nearer to one another, in steps, are one."""
SLIDE_STEPS = 4.0
"""How far a placing is slid along the way that its outlines resist least."""
LEAST_EVIDENCE = 0.3
"""Share of either outline that must lie on the other scan for it to speak for the stage's coordinates."""
AGREES_TOO = 0.12
"""What the stage's coordinates may agree less than the best placing, as a share of the outlines."""


@dataclass(frozen=True, eq=False)
class PlacingFit:
    """How well the outlines agree where a placing brings them."""

    placing: Placing
    agreement: float
    """Share of the outlines that both scans see which have the other within the tolerance."""
    evidence: float
    """Share of both outlines that lies where the other scan was, and so can agree or not."""
    worth: float
    """Logarithm of the likelihood over that of a placing at random."""
    core: float
    """The same without what agrees least."""
    behind: float = np.inf
    """By how much it is worth less than the best one, should either mask have lost the side that tells them apart."""

    @property
    def mirrored(self) -> bool:
        """Whether the placing mirrors."""
        return bool(np.linalg.det(self.placing.matrix) < 0)

    @property
    def rank(self) -> float:
        """Worth, with the head start of what does not mirror."""
        return self.worth + (0.0 if self.mirrored else UNMIRRORED)


def search(fixed: Scan, moving: Scan, freedom: Freedom, progress: Done, also: tuple[Placing, ...] = ()) -> list[PlacingFit]:
    """Every placing that is worth a look, the best first; none where the flakes have no outline to go by or nowhere agree.

    Parameters
    ----------
    also : placings to begin with, besides those of the coarse search
    """
    fixed, moving = with_common_blur(fixed, moving)
    if not (len(fixed.outline) and len(moving.outline)):
        return []
    starts = [*also, *candidates(fixed, moving, freedom, lambda done: progress(0.6 * done))]
    refined: list[Placing] = []
    for number, start in enumerate(starts):
        progress(0.6 + 0.4 * number / len(starts))
        placing = refine(fixed, moving, start, freedom=freedom)
        if placing is not None:
            refined.append(placing)
    fits = _distinct(fixed, moving, compared(fixed, moving, refined))
    if not fits:
        return []
    together = compared(fixed, moving, [fits[0].placing, *_slid(fixed, moving, fits[0].placing, freedom)])
    # What is slid beats the best by the grain of the pixels only.
    slid = [fit for fit in together if fit.placing is not fits[0].placing and fit in as_good([together[0], fit])]
    return _if_sides_are_lost(fixed, moving, [*fits, *slid], freedom)


def compared(fixed: Scan, moving: Scan, placings: list[Placing], *, strict: bool = False) -> list[PlacingFit]:
    """Fits of placings of scans with a common blur, the best first, with the scatter that the best of them shows.

    Parameters
    ----------
    strict : the outlines agree within a step only, however far the best of them lie apart
    """
    known = [(placing, apart) for placing in placings if (apart := _Apart.of(fixed, moving, placing)) is not None]
    step = pitch(fixed, moving)
    spread, tolerance, fits = SMALLEST_SPREAD * step, step, list[PlacingFit]()
    for _ in range(1 if strict else 2):
        ranked = sorted(((apart.fit(placing, spread, tolerance), apart) for placing, apart in known), key=lambda one: -one[0].rank)
        fits = [fit for fit, _ in ranked]
        if ranked:
            # Only the best placing tells how far outlines lie apart that do agree; with that all are weighed once more.
            middle = float(np.median(ranked[0][1].far))
            spread, tolerance = max(spread, 1.48 * middle), max(tolerance, 2 * middle)
    return fits


@dataclass(frozen=True, eq=False)
class _Apart:
    """How far the outlines lie apart, point by point."""

    far: Array
    """(n,) um."""
    weight: Array
    """(n,) independent pieces of outline that a point stands for."""
    evidence: float
    fixed: Array
    """(n, 2) where the points lie on the fixed scan, um."""
    moving: Array
    """(n, 2) and on the moving one."""

    @classmethod
    def of(cls, fixed: Scan, moving: Scan, placing: Placing) -> "_Apart | None":
        """None where no outline lies where both scans were."""
        function = distances(fixed, moving, placing, fixed.pivot)
        if function is None:
            return None
        still, carried = seen(fixed, moving, placing)
        counts = [len(still), len(carried)]
        each = np.array([fixed.pitch, moving.pitch]) / (2 * POINTS_PER_STEP * PIECE_STEPS * pitch(fixed, moving))
        every = float(each @ [len(fixed.outline), len(moving.outline)])
        here, there = np.concatenate([still, placing(carried)]), np.concatenate([placing.back(still), carried])
        return cls(np.abs(function(np.zeros((1, TURN)))[0]), np.repeat(each, counts), float(each @ counts) / every, here, there)

    def gains(self, spread: float) -> Array:
        """(n,) logarithm of the likelihood of each distance, with heavy tails, over that of one at random."""
        return np.asarray(0.5 * CAP - np.minimum(np.log1p((self.far / spread) ** 2), CAP))

    def evidence_at(self, spread: float) -> OutlineEvidence:
        """What every point says."""
        return OutlineEvidence(self.gains(spread) * self.weight, self.weight, self.fixed, self.moving)

    def fit(self, placing: Placing, spread: float, tolerance: float) -> PlacingFit:
        """Likelihood of these distances, and how much agrees."""
        gains = self.gains(spread)
        order = np.argsort(-gains)
        weighted, total = (gains * self.weight)[order], np.cumsum(self.weight[order])
        core = float(weighted[total <= CORE * total[-1]].sum())
        agreement = float(self.weight[self.far <= tolerance].sum() / self.weight.sum())
        return PlacingFit(placing, agreement, self.evidence, float(weighted.sum()), core)


def agrees(fixed: Scan, moving: Scan, placing: Placing, least: float) -> bool:
    """Whether a share of the outlines lies within a step where a placing brings them, with enough of them seen.

    Where both scans overlap but see no outline there, whether the flakes cover one another.
    """
    fixed, moving = _blurred(fixed, moving)
    still, carried = seen(fixed, moving, placing)
    if max(len(still) / len(fixed.outline), len(carried) / len(moving.outline)) < LEAST_EVIDENCE:
        covered = moving.covers(placing.back(fixed.places)).sum() * abs(np.prod(fixed.step))
        enough = covered >= 0.5 * min(scan.flake.size * abs(np.prod(scan.step)) for scan in (fixed, moving))
        return bool(enough) and overlap(fixed, moving, placing) >= least
    fits = compared(fixed, moving, [placing], strict=True)
    return bool(fits) and fits[0].agreement >= least


def agrees_too(fixed: Scan, moving: Scan, placing: Placing, best: Placing) -> bool:
    """Whether the outlines agree nearly as much at one placing as at the best one, and as much of them, or would if a side is lost."""
    found = {id(fit.placing): fit for fit in compared(*_blurred(fixed, moving), [best, placing])}
    one, other = found.get(id(placing)), found.get(id(best))
    lost = _Lost.of(*_blurred(fixed, moving), best)
    if one is None or other is None or lost is None:
        return False
    if lost.behind(placing).min() < LOST_MARGIN:
        return True
    return one.agreement >= other.agreement - AGREES_TOO and one.evidence >= 0.5 * other.evidence


def as_good(fits: list[PlacingFit]) -> list[PlacingFit]:
    """Those that fit as well as the first, itself included."""
    best = fits[0]
    return [fit for fit in fits if fit.worth >= best.worth - MARGIN or fit.core >= best.core - CORE_MARGIN or _if_lost(fit, best)]


def _if_lost(fit: PlacingFit, best: PlacingFit) -> bool:
    """Whether it fits as well as the best, of the same hand, should either mask have lost a side."""
    return fit.behind < LOST_MARGIN and fit.mirrored == best.mirrored


def nearly_as_good(fits: list[PlacingFit]) -> bool:
    """Whether something would fit nearly as well as the first, should either mask have lost a side."""
    return any(fit.behind < (LOST_DOUBT if fit.mirrored == fits[0].mirrored else OTHER_HAND_DOUBT) for fit in fits[1:])


def resistance(fixed: Scan, moving: Scan, placing: Placing) -> tuple[Array, Array]:
    """How many pieces of the outlines resist a shift: along each way (2,), rising, and the ways as columns (2, 2)."""
    fixed, moving = _blurred(fixed, moving)
    apart = _Apart.of(fixed, moving, placing)
    if apart is None:
        return np.zeros(2), np.eye(2)
    steep = _steepness(fixed, moving, placing)[:, :SHIFT]
    pieces, ways = np.linalg.eigh(steep.T @ (steep * apart.weight[:, None]))
    return np.asarray(pieces), np.asarray(ways)


def pitch(fixed: Scan, moving: Scan) -> float:
    """Step of the coarser scan, um."""
    return max(fixed.pitch, moving.pitch)


def _blurred(fixed: Scan, moving: Scan) -> tuple[Scan, Scan]:
    first, second = with_common_blur(fixed, moving)
    return first, second


def _distinct(fixed: Scan, moving: Scan, fits: list[PlacingFit]) -> list[PlacingFit]:
    """Leave out what is the same as a better one."""
    kept: list[PlacingFit] = []
    near = SAME_STEPS * pitch(fixed, moving)
    for fit in fits:
        if all(np.linalg.norm(fit.placing(moving.corners) - other.placing(moving.corners), axis=1).mean() > near for other in kept):
            kept.append(fit)
    return kept


def _slid(fixed: Scan, moving: Scan, best: Placing, freedom: Freedom) -> list[Placing]:
    """A placing slid to either side along the way that its outlines resist least.

    That is along a straight edge, where both scans see but one, or round a disc.
    """
    steep = _steepness(fixed, moving, best)
    return _along(fixed, moving, best, np.linalg.eigh(steep.T @ steep)[1][:, 0], freedom)


def _steepness(fixed: Scan, moving: Scan, placing: Placing) -> Array:
    """Derivatives (n, 3) of the distances of the outlines by shift and turn."""
    function = distances(fixed, moving, placing, fixed.pivot)
    return np.zeros((0, TURN)) if function is None else slopes(function, 0.5 * fixed.pitch)(np.zeros(TURN))


def _along(fixed: Scan, moving: Scan, best: Placing, way: Array, freedom: Freedom) -> list[Placing]:
    """A placing slid to either side along a way (3,) as far as is free."""
    far = SLIDE_STEPS * pitch(fixed, moving)
    moved = [best.nudged(np.append(sign * far * way, 0.0), fixed.pivot) for sign in (-1.0, 1.0)]
    return [placing for placing in moved if freedom.held(fixed, moving, placing) is placing]


def _if_sides_are_lost(fixed: Scan, moving: Scan, fits: list[PlacingFit], freedom: Freedom) -> list[PlacingFit]:
    """Say of each fit how far it stays behind the best if a side is lost, and add what could be the place then.

    Mirrored ones are not asked where the best is none: scans of one instrument are not mirrored.
    """
    best = fits[0].placing
    lost = _Lost.of(fixed, moving, best)
    if lost is None:
        return fits
    asked = [fit if fit.mirrored > fits[0].mirrored else replace(fit, behind=float(lost.behind(fit.placing).min())) for fit in fits[1:]]
    ways = lost.sides.weakest(lost.best, _steepness(fixed, moving, best))
    slid = {float(lost.behind(to)[pair]): to for way, pair in ways for to in _along(fixed, moving, best, way, freedom)}
    nearest = min(slid, default=np.inf)
    if nearest >= LOST_MARGIN or any(fit.mirrored == fits[0].mirrored for fit in as_good([fits[0], *asked])[1:]):
        return [fits[0], *asked]
    added = compared(fixed, moving, [best, slid[nearest]])
    return [fits[0], *asked, *(replace(fit, behind=nearest) for fit in added if fit.placing is slid[nearest])]


@dataclass(frozen=True, eq=False)
class _Lost:
    """Compares placings with the best one, a side of either mask left out."""

    scans: tuple[Scan, Scan]
    sides: LostSides
    best: OutlineEvidence
    spread: float

    @classmethod
    def of(cls, fixed: Scan, moving: Scan, best: Placing) -> "_Lost | None":
        """None where no outline lies where both scans were."""
        apart = _Apart.of(fixed, moving, best)
        if apart is None:
            return None
        # 1.48 times the median distance of normal values is their standard deviation.
        spread = max(SMALLEST_SPREAD * pitch(fixed, moving), 1.48 * float(np.median(apart.far)))
        return cls((fixed, moving), LostSides.of(fixed, moving), apart.evidence_at(spread), spread)

    def behind(self, placing: Placing) -> Array:
        """By how much a placing is worth less than the best, for each pair of cuts."""
        apart = _Apart.of(*self.scans, placing)
        return np.full(self.sides.shape, np.inf) if apart is None else self.sides.behind(self.best, apart.evidence_at(self.spread))
