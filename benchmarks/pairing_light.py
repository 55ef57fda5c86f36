"""Whether the light of the two flakes places PL better than their outlines do, once the outlines have been brought together.

``python benchmarks/pairing_light.py [--flakes 24]``: the flakes of ``pairing.py``.  Minimised is the mean robust misfit of the outlines
plus a weight times one minus the correlation of the light well inside the flake; weight 0 is what `numerics.registration` does.
"""

import argparse
import os
import warnings
from collections.abc import Callable

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from napari_wse2xai.data.transform import corners_um
from napari_wse2xai.numerics import registration, rivals
from napari_wse2xai.numerics.coarse_search import Freedom
from napari_wse2xai.numerics.outline import Placing, Scan
from napari_wse2xai.recipe import preset
from napari_wse2xai.stages._placing import scan_of
from napari_wse2xai.synthetic import FLAKE_SHAPES, Placement, SyntheticPair, make_pair

WEIGHTS = (0.0, 0.1, 0.3, 1.0, 3.0)
Nudge = NDArray[np.float64]
Scans = tuple[Scan, Scan, NDArray[np.float64], NDArray[np.float64]]


def scans_of(pair: SyntheticPair) -> tuple[Scan, Scan, NDArray[np.float64], NDArray[np.float64]]:
    """What registration sees of both maps, and the light of each, which it does not see."""
    chains = preset().chains()
    peaks = [chains[name].run(getattr(pair, name)).peaks for name in ("raman", "pl")]
    found = [one for one in peaks if one is not None]
    fixed, moving = registration.with_common_blur(*(scan_of(one) for one in found))
    ours, theirs = (one.light.astype(np.float64) for one in found)
    return fixed, moving, ours, theirs


def unlikeness(scans: Scans, start: Placing) -> Callable[[Nudge], float]:
    """One minus the correlation of the light after a nudge, on pixels two steps or more from the outline."""
    fixed, moving, all_ours, theirs = scans
    inside = (fixed.distance(fixed.places) > 2 * max(fixed.pitch, moving.pitch)) & np.isfinite(all_ours)
    places, ours, light = fixed.places[inside], all_ours[inside], np.nan_to_num(theirs)

    def unlike(nudge: Nudge) -> float:
        there = start.nudged(np.append(nudge, 0.0), fixed.pivot).back(places)
        seen = moving.covers(there, -1.0)
        return 1.0 - abs(float(np.corrcoef(ours[seen], moving.sampled(light, there[seen]))[0, 1]))

    return unlike


def placed(scans: Scans, start: Placing, weight: float) -> Placing:
    """Placing at the least of misfit and weighted unlikeness, from one that the outlines gave."""
    fixed, moving, *_ = scans
    distances = registration.distances(fixed, moving, start, fixed.pivot)
    unlike, blunt = unlikeness(scans, start), 0.5 * max(fixed.pitch, moving.pitch)
    assert distances is not None

    def cost(nudge: Nudge) -> float:
        return float(np.mean(2 * (np.sqrt(1 + (distances(nudge[None])[0] / blunt) ** 2) - 1))) + weight * unlike(nudge)

    simplex = np.vstack([np.zeros(3), 0.3 * fixed.pitch * np.eye(3)])
    options = {"initial_simplex": simplex, "xatol": 0.003 * fixed.pitch, "fatol": 1e-6, "maxfev": 150}
    found = optimize.minimize(cost, np.zeros(3), method="Nelder-Mead", options=options)
    return start.nudged(np.append(found.x, 0.0), fixed.pivot)


def errors(seed: int, shape: str) -> list[float]:
    """Mean corner error in RS steps for each weight."""
    pair = make_pair(shape, Placement.at_random(seed), seed=seed)
    scans = scans_of(pair)
    fixed, moving, *_ = scans
    best = rivals.search(fixed, moving, Freedom(), lambda done: None)[0].placing
    corners = corners_um(pair.pl.frame)
    placings = [placed(scans, best, weight) for weight in WEIGHTS]
    return [float(np.linalg.norm(one(corners) - pair.transform.apply(corners), axis=1).mean() / fixed.pitch) for one in placings]


def main() -> None:
    """Print median and 95 % of the corner errors for each weight."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flakes", type=int, default=24)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for shape in FLAKE_SHAPES:
        table = np.array([errors(seed, shape) for seed in range(given.flakes)])
        for weight, off in zip(WEIGHTS, table.T, strict=True):
            print(f"{shape:<9s} weight of the light {weight:>4g}: median {np.median(off):.3f}, 95 % below {np.percentile(off, 95):.3f}")


if __name__ == "__main__":
    main()
