"""Bring the outlines of two scans of one flake together, and find how sure the placing is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import optimize

from napari_wse2xai.numerics.coarse_search import Done, Freedom
from napari_wse2xai.numerics.outline import STAY, Array, Pivot, Placing, Scan

BLUR_PX = 1.0
"""Blur of the flake before its outline is drawn, in pixels of the coarser scan."""
BORDER_PX = 1.5
"""Outlines this near to the other scan's border are not compared."""
SHIFT, TURN, SCALE = 2, 3, 4
"""How many parts of a nudge are free: the shift alone, the turn too, the stretch too."""
REPEATS = 40
"""How often the scans are simulated for the error."""


@dataclass(frozen=True, eq=False)
class Found:
    """Where the moving scan lies on the fixed one, and how sure that is."""

    placing: Placing
    covariance: Array
    """(4, 4) um^2 of the nudge (shift y, x, turn, stretch) about the pivot."""
    pivot: Pivot
    overlap: float
    """Intersection over union of the two flakes where both scans were."""
    residual_um: float
    """Root mean square distance of the outlines."""

    @property
    def turn_um(self) -> tuple[float, float]:
        """Turn and its standard error, um at the pivot's radius."""
        return float(self.placing.nudge_from(STAY, self.pivot)[2]), float(np.sqrt(self.covariance[2, 2]))

    def error_um(self, places: Array) -> Array:
        """Standard error (n, 2) along y and x of where places (n, 2) of the moving scan come to lie."""
        # Small against the flake, so that turn and stretch act linearly; large against rounding.
        tiny = 1e-4 * self.pivot.radius
        moves = [(self.placing.nudged(tiny * unit, self.pivot)(places) - self.placing(places)) / tiny for unit in np.eye(4)]
        jacobian = np.stack(moves, axis=-1)
        return np.asarray(np.sqrt(np.einsum("nij,jk,nik->ni", jacobian, self.covariance, jacobian)))


def settle(fixed: Scan, moving: Scan, start: Placing, *, free: int, progress: Done) -> Found | None:
    """Refine a placing that is nearly right, and find its error; None where the outlines do not meet.

    Parameters
    ----------
    free : `SHIFT`, `TURN` or `SCALE`
    """
    fixed, moving = with_common_blur(fixed, moving)
    if not (len(fixed.outline) and len(moving.outline)):
        return None
    placing = refine(fixed, moving, start, free=free)
    if placing is None:
        return None
    residual = _misfit(fixed, moving, placing)
    covariance = simulated_covariance(fixed, moving, placing, residual, free=free, progress=progress)
    return Found(placing, covariance, fixed.pivot, overlap(fixed, moving, placing), residual)


def with_common_blur(*scans: Scan) -> list[Scan]:
    """Blur all outlines alike, so that corners are rounded alike."""
    blur = BLUR_PX * max(scan.pitch for scan in scans)
    return [replace(scan, blur_um=blur) for scan in scans]


def refine(
    fixed: Scan, moving: Scan, start: Placing, *, free: int = TURN, freedom: Freedom | None = None, rounds: int = 6
) -> Placing | None:
    """Bring the outlines together by least squares, deaf to outliers; None where they do not meet."""
    placing, pivot = start, fixed.pivot
    for _ in range(rounds):
        function = distances(fixed, moving, placing, pivot)
        if function is None:
            return None
        # An outline is known to half a pixel: what is farther off counts in proportion only, not squared.
        blunt = 0.5 * max(fixed.pitch, moving.pitch)
        found = optimize.least_squares(
            partial(_of_one, function),
            np.zeros(free),
            slopes(function, 0.05 * fixed.pitch),
            loss="soft_l1",
            f_scale=blunt,
        )
        placing = placing.nudged(_whole(found.x), pivot)
        if freedom is not None:
            placing = freedom.held(fixed, moving, placing)
        # A thousandth of a pixel: far less than outlines can tell.
        if np.abs(found.x).max() < 1e-3 * fixed.pitch:
            break
    return placing


Distances = Callable[[Array], Array]


def _of_one(function: Distances, nudge: Array) -> Array:
    """Distances at one nudge (free,)."""
    return np.asarray(function(nudge[None])[0])


def seen(fixed: Scan, moving: Scan, placing: Placing) -> tuple[Array, Array]:
    """Places (n, 2) of the fixed scan's outline that the moving scan covers, and of the moving one's that the fixed scan covers."""
    still = fixed.outline[moving.covers(placing.back(fixed.outline), -BORDER_PX)]
    return still, moving.outline[fixed.covers(placing(moving.outline), -BORDER_PX)]


def distances(fixed: Scan, moving: Scan, placing: Placing, pivot: Pivot) -> Distances | None:
    """Distances (m, n) of each scan's outline from the other's after each of some nudges, um; None where too little of them meets."""
    still, carried = seen(fixed, moving, placing)
    # Fewer places than twice the parts of a nudge cannot hold it.
    if min(len(still), len(carried)) < 8:
        return None

    def of_nudges(nudges: Array) -> Array:
        nudged = [placing.nudged(_whole(nudge), pivot) for nudge in nudges]
        back, there = (np.stack(places) for places in zip(*((one.back(still), one(carried)) for one in nudged), strict=True))
        return np.concatenate([moving.distance(back), fixed.distance(there)], axis=1)

    return of_nudges


def _whole(nudge: Array) -> Array:
    """Nudge (4,) of one that leaves out what is not free."""
    return np.append(nudge, np.zeros(4 - len(nudge)))


def slopes(function: Distances, reach: float) -> Distances:
    """Derivatives (n, m) over a reach that steps over the grain of the distance maps."""

    def at(nudge: Array) -> Array:
        steps = reach * np.eye(len(nudge))
        above, below = np.split(function(np.concatenate([nudge + steps, nudge - steps])), 2)
        return np.asarray((above - below).T / (2 * reach))

    return at


def _misfit(fixed: Scan, moving: Scan, placing: Placing) -> float:
    """Root mean square distance of the outlines, um."""
    function = distances(fixed, moving, placing, fixed.pivot)
    return float(np.sqrt((function(np.zeros((1, TURN))) ** 2).mean())) if function is not None else float("nan")


def overlap(fixed: Scan, moving: Scan, placing: Placing) -> float:
    """Intersection over union of the flakes on the fixed scan's pixels that both scans cover."""
    places = placing.back(fixed.places)
    covered = moving.covers(places)
    carried = moving.sampled(moving.flake.astype(np.float64), places) > 0.5
    either = ((fixed.flake | carried) & covered).sum()
    return float((fixed.flake & carried & covered).sum() / either) if either else 0.0


def simulated_covariance(fixed: Scan, moving: Scan, placing: Placing, residual: float, *, free: int, progress: Done) -> Array:
    """Covariance (4, 4) of the placing's nudge in um^2: scan the found flake again and again, and see how the found placing scatters.

    Each time the flake and the moving scan lie elsewhere by up to half a pixel, so that other pixels fall on either side of the outline:
    this, not the noise of the light, is what limits the placing.  Where the outlines differ by more than that makes them differ, the
    covariance is raised accordingly.
    """
    rng = np.random.default_rng(0)
    nudges, misfits = [], []
    for done in range(REPEATS):
        progress(done / REPEATS)
        elsewhere = STAY.nudged(_jitter(rng, fixed), fixed.pivot)
        truth = placing.nudged(np.append(rng.uniform(-0.5, 0.5, 2) * moving.pitch, [0.0, 0.0]), fixed.pivot)
        still, moved = _scanned_again(fixed, moving, placing, elsewhere, truth)
        found = refine(still, moved, truth, free=free)
        if found is not None:
            nudges.append(found.nudge_from(truth, fixed.pivot))
            misfits.append(_misfit(still, moved, found))
    if len(nudges) < REPEATS // 2:
        return np.full((4, 4), np.nan)
    scatter = np.array(nudges)
    # About the truth, not about their mean: a placing that is always off to one side errs too.
    return np.asarray(scatter.T @ scatter / len(scatter) * max(1.0, residual / float(np.mean(misfits))) ** 2)


def _jitter(rng: np.random.Generator, fixed: Scan) -> Array:
    """Nudge of the flake: half a pixel along y and x, and a degree or two."""
    turn = np.deg2rad(rng.uniform(-2.0, 2.0)) * fixed.pivot.radius
    return np.array([*(rng.uniform(-0.5, 0.5, 2) * fixed.pitch), turn, 0.0])


def _scanned_again(fixed: Scan, moving: Scan, placing: Placing, elsewhere: Placing, truth: Placing) -> tuple[Scan, Scan]:
    """Both scans of the flake that they show together, moved elsewhere, with the moving scan placed anew."""

    def on_flake(places: Array) -> Array:
        before = elsewhere.back(places)
        there = placing.back(before)
        here, other = fixed.distance(before), moving.distance(there)
        on_fixed, on_moving = fixed.covers(before), moving.covers(there)
        # Where both scans saw the flake its outline lies midway between theirs, so that neither is taken for the truth.
        return np.where(on_fixed & on_moving, 0.5 * (here + other), np.where(on_moving & ~on_fixed, other, here))

    return replace(fixed, flake=on_flake(fixed.places) > 0), replace(moving, flake=on_flake(truth(moving.places)) > 0)
