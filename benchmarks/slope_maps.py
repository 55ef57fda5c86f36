"""How right slope maps are, by model and by maker of flakes: agreement, bias, and whether the errors tell it.

``python benchmarks/slope_maps.py [--flakes 5] [--models network,"Gaussian process"] [--refits 8]``.  Every model learns the measured PL of
the same pixels and is explained with its bands; the truth is the law's own central difference at the same pixels.  Medians over flakes.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from makers import MAKERS, WEAK, Made
from sklearn.ensemble import HistGradientBoostingRegressor

from napari_wse2xai import explaining
from napari_wse2xai.learning import GaussianProcess, MLPEnsembleRegressor, SpectralCNNRegressor
from napari_wse2xai.numerics.library_threads import single_threaded

MODELS: dict[str, Callable[[Made, int], Any]] = {
    "network": lambda made, seed: SpectralCNNRegressor(made.samples.lines, random_state=seed, device="cpu"),
    "MLP ensemble": lambda made, seed: MLPEnsembleRegressor(random_state=seed),
    "Gaussian process": lambda made, seed: GaussianProcess(random_state=seed),
    "gradient boosting": lambda made, seed: HistGradientBoostingRegressor(max_iter=150, random_state=seed),
}
COLUMNS = ("R2 of law", "slope r", "mean slope", "coverage", "band / rms error", "CPU s")


def scores(made: Made, model: Any, refits: int) -> list[float]:
    """One flake, one model: numbers in the order of `COLUMNS`."""
    samples, begun = made.samples, time.process_time()
    with single_threaded():
        fitted = model.fit(samples.features, samples.targets[:, 0])
    subject = explaining.Subject.of(fitted, samples.features)
    partial, slopes = explaining.partial_dependence(subject), explaining.ice_slope(subject)
    errors = explaining.bands(partial, slopes, samples.features, samples.targets[:, 0], samples.coordinates_um, refits=refits)
    spent = time.process_time() - begun
    truth = explaining.ice_slope(made, samples.features, step=slopes.step.tolist()).slope
    size = np.sqrt((truth**2).mean(axis=1)) * slopes.step
    acting = np.flatnonzero(size > WEAK * size.max())
    agreement = [float(np.corrcoef(truth[k], slopes.slope[k])[0, 1]) for k in acting]
    bias = [float(slopes.slope[k].mean() / truth[k].mean()) for k in acting if abs(truth[k].mean()) > 0.2 * truth[k].std()]
    off, half = np.abs(slopes.slope - truth), 1.96 * errors.slope_error
    clean = made.law(samples.features)
    explained = 1 - ((clean - subject.predicted) ** 2).sum() / ((clean - clean.mean()) ** 2).sum()
    width = float(np.median(np.median(half, axis=1)[acting] / np.sqrt((off**2).mean(axis=1))[acting]))
    return [float(explained), statistics.median(agreement), statistics.median(bias), float((off <= half).mean()), width, spent]


def main() -> None:
    """Print one line per maker and model."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--flakes", type=int, default=5)
    given.add_argument("--models", default=",".join(MODELS))
    given.add_argument("--refits", type=int, default=8)
    asked = given.parse_args()
    print(f"| maker | model | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 2)}")
    for maker, make in MAKERS.items():
        flakes = [make(seed) for seed in range(asked.flakes)]
        for name in asked.models.split(","):
            found = [scores(made, MODELS[name](made, seed), asked.refits) for seed, made in enumerate(flakes)]
            print(
                f"| {maker} | {name} | {' | '.join(f'{statistics.median(column):.2f}' for column in zip(*found, strict=True))} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
