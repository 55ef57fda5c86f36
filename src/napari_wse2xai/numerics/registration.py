"""Find how two scans of one flake lie to one another: coarsely by masked correlation, then by bringing the outlines together."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from napari_wse2xai.numerics.coarse_search import Done, Freedom, candidates
from napari_wse2xai.numerics.outline import STAY, Array, Pivot, Placing, Scan

BLUR_PX = 1.0
"""Blur of the flake before its outline is drawn, in pixels of the coarser scan."""
BORDER_PX = 1.5
"""Outlines this near to the other scan's border are not compared."""
LIGHT_WEIGHT = 0.1
"""What a perfect likeness of the light counts beside a perfect overlap."""
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

    def error_um(self, places: Array) -> Array:
        """Standard error (n, 2) along y and x of where places (n, 2) of the moving scan come to lie."""
        tiny = 1e-4 * self.pivot.radius
        moves = [(self.placing.nudged(tiny * unit, self.pivot)(places) - self.placing(places)) / tiny for unit in np.eye(4)]
        jacobian = np.stack(moves, axis=-1)
        return np.asarray(np.sqrt(np.einsum("nij,jk,nik->ni", jacobian, self.covariance, jacobian)))


def register(fixed: Scan, moving: Scan, freedom: Freedom, progress: Done) -> Found | None:
    """Find the placing without help; None where the flakes have no outline to go by or nowhere agree."""
    fixed, moving = with_common_blur(fixed, moving)
    if not (len(fixed.outline) and len(moving.outline)):
        return None
    coarse = candidates(fixed, moving, freedom, lambda done: progress(0.3 * done))
    refined = [refine(fixed, moving, placing) for placing in coarse]
    placings = [placing for placing in refined if placing is not None]
    if not placings:
        return None
    best = max(placings, key=lambda placing: score(fixed, moving, placing))
    return settle(fixed, moving, best, scale=freedom.scale, progress=lambda done: progress(0.3 + 0.7 * done))


def settle(fixed: Scan, moving: Scan, start: Placing, *, scale: bool, progress: Done) -> Found | None:
    """Refine a placing that is nearly right, and find its error; None where the outlines do not meet."""
    fixed, moving = with_common_blur(fixed, moving)
    if not (len(fixed.outline) and len(moving.outline)):
        return None
    placing = refine(fixed, moving, start, scale=scale)
    if placing is None:
        return None
    residual = _misfit(fixed, moving, placing)
    covariance = simulated_covariance(fixed, moving, placing, residual, scale=scale, progress=progress)
    return Found(placing, covariance, fixed.pivot, overlap(fixed, moving, placing), residual)


def with_common_blur(*scans: Scan) -> list[Scan]:
    """Blur all outlines alike, so that corners are rounded alike."""
    blur = BLUR_PX * max(scan.pitch for scan in scans)
    return [replace(scan, blur_um=blur) for scan in scans]


def refine(fixed: Scan, moving: Scan, start: Placing, *, scale: bool = False, rounds: int = 6) -> Placing | None:
    """Bring the outlines together by least squares, deaf to outliers; None where they do not meet."""
    placing, pivot = start, fixed.pivot
    for _ in range(rounds):
        distances = _distances(fixed, moving, placing, pivot, scale)
        if distances is None:
            return None
        blunt = 0.5 * max(fixed.pitch, moving.pitch)
        size = 4 if scale else 3
        found = optimize.least_squares(distances, np.zeros(size), _slopes(distances, 0.05 * fixed.pitch), loss="soft_l1", f_scale=blunt)
        placing = placing.nudged(_whole(found.x), pivot)
        if np.abs(found.x).max() < 1e-3 * fixed.pitch:
            break
    return placing


Distances = Callable[[Array], Array]


def _distances(fixed: Scan, moving: Scan, placing: Placing, pivot: Pivot, scale: bool) -> Distances | None:
    """Distances of each scan's outline from the other's after a nudge, um; None where too little of them meets."""
    still = fixed.outline[moving.covers(placing.back(fixed.outline), -BORDER_PX)]
    carried = moving.outline[fixed.covers(placing(moving.outline), -BORDER_PX)]
    if min(len(still), len(carried)) < 8:
        return None

    def distances(nudge: Array) -> Array:
        nudged = placing.nudged(_whole(nudge), pivot)
        return np.concatenate([moving.distance(nudged.back(still)), fixed.distance(nudged(carried))])

    return distances


def _whole(nudge: Array) -> Array:
    """Nudge with its stretch, none where the scale is fixed."""
    return np.append(nudge, np.zeros(4 - len(nudge)))


def _slopes(function: Distances, reach: float) -> Distances:
    """Derivatives (n, m) over a reach that steps over the grain of the distance maps."""
    return lambda nudge: np.stack([(function(nudge + e) - function(nudge - e)) / (2 * reach) for e in reach * np.eye(len(nudge))], axis=1)


def _misfit(fixed: Scan, moving: Scan, placing: Placing) -> float:
    """Root mean square distance of the outlines, um."""
    distances = _distances(fixed, moving, placing, fixed.pivot, False)
    return float(np.sqrt((distances(np.zeros(3)) ** 2).mean())) if distances is not None else float("nan")


def overlap(fixed: Scan, moving: Scan, placing: Placing) -> float:
    """Intersection over union of the flakes on the fixed scan's pixels that both scans cover."""
    places = placing.back(fixed.places)
    covered = moving.covers(places)
    carried = moving.sampled(moving.flake.astype(np.float64), places) > 0.5
    either = ((fixed.flake | carried) & covered).sum()
    return float((fixed.flake & carried & covered).sum() / either) if either else 0.0


def score(fixed: Scan, moving: Scan, placing: Placing) -> float:
    """How well the flakes agree: their overlap, and where that is alike for two placings, their light."""
    return overlap(fixed, moving, placing) + LIGHT_WEIGHT * likeness(fixed, moving, placing)


def likeness(fixed: Scan, moving: Scan, placing: Placing) -> float:
    """Size of the correlation of the intensities where both scans see the flake, 0 to 1."""
    places = placing.back(fixed.places)
    light = moving.sampled(moving.intensity, places)
    both = fixed.flake & moving.covers(places) & np.isfinite(light) & np.isfinite(fixed.intensity)
    if both.sum() < 10:
        return 0.0
    first, second = fixed.intensity[both], light[both]
    return float(abs(np.corrcoef(first, second)[0, 1])) if first.std() > 0 and second.std() > 0 else 0.0


def simulated_covariance(fixed: Scan, moving: Scan, placing: Placing, residual: float, *, scale: bool, progress: Done) -> Array:
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
        found = refine(still, moved, truth, scale=scale)
        if found is not None:
            nudges.append(found.nudge_from(truth, fixed.pivot))
            misfits.append(_misfit(still, moved, found))
    if len(nudges) < REPEATS // 2:
        return np.full((4, 4), np.nan)
    scatter = np.array(nudges)
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
        return np.where(on_fixed & on_moving, 0.5 * (here + other), np.where(on_moving & ~on_fixed, other, here))

    return replace(fixed, flake=on_flake(fixed.places) > 0), replace(moving, flake=on_flake(truth(moving.places)) > 0)
