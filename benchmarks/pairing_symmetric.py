"""Whether a flake that looks the same when turned is ever paired wrongly in silence.

``python benchmarks/pairing_symmetric.py [--flakes 200] [--workers 2] [--agreement]``: flakes of ``tests/symmetric_flakes.py``, which has
nothing of the package's own generator: rims with noise, holes, light of RS and PL that have nothing in common, grids of other steps.
Peaks are made directly, without spectra.  ``--agreement``: how much of the outlines agree at true coordinates, and at wrong ones.
"""

import argparse
import os
import sys
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np

from napari_wse2xai.data import Pairable
from napari_wse2xai.data.transform import corners_um
from napari_wse2xai.errors import AmbiguousPairing, DataError
from napari_wse2xai.numerics import registration, rivals
from napari_wse2xai.numerics.outline import STAY
from napari_wse2xai.stages import Pair
from napari_wse2xai.stages._placing import scan_of
from symmetric_flakes import SYMMETRIC, Dirt, Scanned, irregular, scanned

RIGHT_STEPS = 3.0
"""A placing whose corners are off by less, in the mean, is the right one of all that could be."""
KINDS = (
    "symmetric, true coordinates",
    "symmetric, unknown turn and shift",
    "symmetric, unknown turn and shift, each mask without a side",
    "irregular, unknown turn and shift",
)


def flake(seed: int, kind: str) -> Scanned:
    """Both scans of one flake."""
    if kind.startswith("irregular"):
        return scanned(irregular(seed), seed, lost=True)
    rims, rng = list(SYMMETRIC.values()), np.random.default_rng(seed)
    cut = Dirt(rng.uniform(0, 0.5), int(rng.integers(3)), rng.uniform(0, 0.2), rng.uniform(0.15, 0.35))
    return scanned(rims[seed % len(rims)], seed, lost="unknown" in kind, dirt=cut if "without a side" in kind else None)


def outcome(seed: int, kind: str) -> str:
    """What became of one flake."""
    warnings.simplefilter("ignore")
    registration.REPEATS = 6  # the error is not asked for here
    scans = flake(seed, kind)
    try:
        paired = Pair()(Pairable(scans.raman, scans.pl))
    except AmbiguousPairing:
        return "ambiguous"
    except DataError:
        return "refused"
    corners = corners_um(scans.pl.frame)
    off = np.linalg.norm(paired.transform.apply(corners) - scans.truth.apply(corners), axis=1).mean() / paired.step_um
    return "right" if off < RIGHT_STEPS else "wrong, but said to be not sure" if paired.doubts else "WRONG IN SILENCE"


def agreement(seed: int, *, lost: float = 0.0, off_steps: float = 0.0) -> float:
    """Share of the outlines that lies within a step, as the stage has them, of a symmetric flake that lies where it says or so far off."""
    rims, rng = list(SYMMETRIC.values()), np.random.default_rng(seed)
    dirt = Dirt(rng.uniform(0, 0.5), int(rng.integers(3)), rng.uniform(0, 0.2), lost)
    scans = scanned(rims[seed % len(rims)], seed, lost=False, dirt=dirt)
    angle = rng.uniform(0, 2 * np.pi)
    away = off_steps * np.array(scans.raman.frame.step_um) * [np.sin(angle), np.cos(angle)]
    moved = replace(scans.pl, frame=replace(scans.pl.frame, origin_um=tuple((np.array(scans.pl.frame.origin_um) + away).tolist())))
    fits = rivals.compared(scan_of(scans.raman), scan_of(moved), [STAY], strict=True)
    return fits[0].agreement if fits else 0.0


def agreements(flakes: int) -> None:
    """Print the worst of the true ones and the best of the wrong ones."""
    seeds = range(2000, 2000 + flakes)
    print(f"true coordinates: at least {min(map(agreement, seeds)):.0%}")
    print(f"true, a third of the flake lost in each mask: at least {min(agreement(seed, lost=1 / 3) for seed in seeds):.0%}")
    for steps in (2, 3, 4, 6):
        print(f"{steps} RS steps off: at most {max(agreement(seed, off_steps=steps) for seed in seeds):.0%}")


def main() -> None:
    """Count what becomes of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flakes", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--agreement", action="store_true")
    given = parser.parse_args()
    if given.agreement:
        agreements(given.flakes)
        return
    with ProcessPoolExecutor(given.workers) as pool:
        for kind in KINDS:
            found = list(pool.map(partial(outcome, kind=kind), range(1000, 1000 + given.flakes)))
            odd = [1000 + index for index, words in enumerate(found) if words.lower().startswith(("wrong", "refused"))]
            print(f"{kind}: {dict(Counter(found))}" + (f"; seeds {odd}" if odd else ""), flush=True)


if __name__ == "__main__":
    main()
