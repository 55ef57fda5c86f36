"""How well the PL scan is placed on the RS scan without help, and how honest the error is.

``python benchmarks/pairing.py [--flakes 100] [--workers 2]``: so many sample flakes of each shape, each scanned twice: PL at 0.7 to 1.6
times the step, shifted up to 20 % of the field, turned up to 15 degrees, every other one mirrored; spectra simulated, despiked,
deconvolved, paired.
"""

import argparse
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Pairable
from napari_wse2xai.data.transform import corners_um
from napari_wse2xai.errors import AmbiguousPairing
from napari_wse2xai.recipe import preset
from napari_wse2xai.stages import Pair
from napari_wse2xai.stages.pair import Register
from napari_wse2xai.synthetic import FLAKE_SHAPES, Placement, make_pair

FOUND_STEPS = 1.0
"""A placing whose corners are off by less, in the mean, is found: it is the right one of all that could be."""


@dataclass(frozen=True)
class Outcome:
    """One pair."""

    off: NDArray[np.float64]
    """(4, 2) by which each corner of the PL scan is off, in RS steps."""
    claimed: float
    """Misalignment that the result claims, in RS steps."""
    seconds: float

    @property
    def corner(self) -> float:
        """Mean distance of the corners from where they belong, RS steps."""
        return float(np.linalg.norm(self.off, axis=1).mean())

    @property
    def rms(self) -> float:
        """Root mean square of the same."""
        return float(np.sqrt((self.off**2).sum(axis=1).mean()))


def outcome(seed: int, shape: str, scale: bool) -> Outcome | None:
    """Make, deconvolve and pair one flake; None where it fits in several ways."""
    warnings.simplefilter("ignore")
    scans = make_pair(shape, Placement.at_random(seed), seed=seed)
    chains = preset().chains()
    raman, pl = (chains[name].run(getattr(scans, name)).peaks for name in ("raman", "pl"))
    assert raman is not None
    assert pl is not None
    started = perf_counter()
    try:
        paired = Pair(method=Register(scale=scale))(Pairable(raman, pl))
    except AmbiguousPairing:
        return None
    corners = corners_um(pl.frame)
    off = (paired.transform.apply(corners) - scans.transform.apply(corners)) / paired.step_um
    return Outcome(off, paired.misalignment_um / paired.step_um, perf_counter() - started)


def main() -> None:
    """Count, for each shape, with and without the scale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flakes", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    print("corner errors in RS steps; 'honest': share of corner coordinates within one standard error (68 % wanted)")
    with ProcessPoolExecutor(given.workers) as pool:
        for scale in (False, True):
            for shape in FLAKE_SHAPES:
                every = list(pool.map(partial(outcome, shape=shape, scale=scale), range(given.flakes)))
                outcomes = [each for each in every if each is not None]
                found = [each for each in outcomes if each.corner < FOUND_STEPS]
                # The claim is the length of a vector of two coordinates, so each has 1/sqrt(2) of it.
                honest = np.mean([np.abs(each.off) < each.claimed / np.sqrt(2) for each in found])
                corners = np.array([each.corner for each in found])
                ratio = np.sqrt(np.mean([(each.rms / each.claimed) ** 2 for each in found]))
                print(
                    f"{shape:<9s} scale {'free ' if scale else 'known'}: {len(found)} of {len(every)} found, "
                    f"{len(every) - len(outcomes)} ambiguous, corner error median "
                    f"{np.median(corners):.3f}, 95 % below {np.percentile(corners, 95):.3f}, honest {100 * honest:.0f} %, "
                    f"error over claim {ratio:.2f}, {np.median([each.seconds for each in outcomes]):.2f} s a pair"
                )


if __name__ == "__main__":
    main()
