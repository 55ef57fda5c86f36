"""How right slope maps are, by model and by maker of flakes: agreement, bias, and whether the errors tell it.

``python benchmarks/slope_maps.py [--flakes 5] [--first 0] [--models network,"Gaussian process"] [--refits 16] [--measured] [--write]``.
Every model learns the measured PL of the same pixels, from RS without its noise as in the Train stage (``--measured``: with it), and is
explained with its bands; the truth is the law's own central difference at the same pixels.  Medians over flakes.  ``--write`` puts the
table into ``docs/explaining.md``.  Models were tuned on flakes 100 to 104.
"""

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from makers import MAKERS, WEAK, Made
from sklearn.ensemble import HistGradientBoostingRegressor

from explaining import samples_of
from napari_wse2xai import explaining
from napari_wse2xai.explaining.planted import PlantedLaw
from napari_wse2xai.explaining.semi_synthetic import planted_samples
from napari_wse2xai.learning import GaussianProcess, MLPEnsembleRegressor, SpectralCNNRegressor
from napari_wse2xai.learning.calibrated import calibrated
from napari_wse2xai.numerics.library_threads import single_threaded

DOCS = Path(__file__).resolve().parents[1] / "docs" / "explaining.md"
NOISE, HIDDEN = 0.05, 0.05
"""Shares of the variance of the light of `make_flake` that no law gives."""
MODELS: dict[str, Callable[[Made, int], Any]] = {
    "network": lambda made, seed: SpectralCNNRegressor(made.samples.lines, random_state=seed, device="cpu"),
    "MLP ensemble": lambda made, seed: MLPEnsembleRegressor(random_state=seed),
    "Gaussian process": lambda made, seed: GaussianProcess(random_state=seed),
    "gradient boosting": lambda made, seed: HistGradientBoostingRegressor(max_iter=150, random_state=seed),
}
COLUMNS = (
    "R2 of law",
    "PDP R2",
    "slope r",
    "mean slope",
    "mean slope within 1.96 errors",
    "coverage",
    "coverage, acting",
    "band / rms error",
    "CPU s",
)


def flake(seed: int) -> Made:
    """A law planted on the fitted parameters of a flake of `make_flake`, with noise of light and of parameters and a hidden map."""
    samples = samples_of(seed)
    rng = np.random.default_rng(seed)
    values = samples.targets[:, 0]
    law = PlantedLaw.drawn(samples, values, rng, share=1 - NOISE - HIDDEN)
    planted = planted_samples(samples, law, values, (NOISE, HIDDEN), rng)
    # The law acts on these parameters, so they are the true ones: what is learnt from has their errors once more.
    noise = np.nan_to_num(samples.feature_errors) * rng.standard_normal(samples.features.shape)
    return Made(replace(planted, features=samples.features + noise), law.predict)


def learnt_from(made: Made, measured: bool) -> Made:
    """The same flake as the Train stage gives it to its models: without the noise of RS, unless it is to be kept."""
    return made if measured else replace(made, samples=calibrated(made.samples))


ALL_MAKERS: dict[str, Callable[[int], Made]] = {**MAKERS, "make_flake": flake}


def scores(made: Made, model: Any, refits: int) -> list[float]:
    """One flake, one model: numbers in the order of `COLUMNS`."""
    samples, begun = made.samples, time.process_time()
    values = samples.targets[:, 0]
    known = np.isfinite(values)
    with single_threaded():
        fitted = model.fit(samples.features[known], values[known])
    subject = explaining.Subject.of(fitted, samples.features)
    partial, slopes = explaining.partial_dependence(subject), explaining.ice_slope(subject)
    errors = explaining.bands(partial, slopes, samples.features, values, samples.coordinates_um, refits=refits)
    spent = time.process_time() - begun
    truth = explaining.ice_slope(made, samples.features, step=np.where(slopes.step > 0, slopes.step, 1.0).tolist()).slope
    size = np.sqrt((truth**2).mean(axis=1)) * slopes.step
    acting = np.flatnonzero(size > WEAK * size.max())
    agreement = [float(np.corrcoef(truth[k], slopes.slope[k])[0, 1]) for k in acting if truth[k].std() > 1e-6 * np.abs(truth[k]).max()]
    means, found = truth.mean(axis=1), slopes.slope.mean(axis=1)
    bias = [float(found[k] / means[k]) for k in acting if abs(means[k]) > 0.2 * truth[k].std()]
    inside = np.abs(found - means) <= 1.96 * errors.mean_slope_error
    off, half = np.abs(slopes.slope - truth), 1.96 * errors.slope_error
    width = float(np.median(np.median(half, axis=1)[acting] / np.sqrt((off**2).mean(axis=1))[acting]))
    curves = explaining.partial_dependence(made, samples.features).average
    told = [_r2(curves[k], partial.average[k]) for k in acting]
    clean = made.law(samples.features)
    numbers = [_r2(clean, subject.predicted), statistics.median(told), statistics.median(agreement), statistics.median(bias)]
    return [*numbers, float(inside.mean()), float((off <= half).mean()), float((off <= half)[acting].mean()), width, spent]


def _r2(truth: Any, found: Any) -> float:
    return float(1 - ((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def rows(asked: argparse.Namespace) -> Iterator[str]:
    """One line per maker and model."""
    yield f"| maker | model | flakes | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 3)}"
    for maker in asked.makers.split(","):
        found: dict[str, list[list[float]]] = {name: [] for name in asked.models.split(",")}
        for seed in range(asked.first, asked.first + asked.flakes):
            made = learnt_from(ALL_MAKERS[maker](seed), asked.measured)
            for name, each in found.items():
                each.append(scores(made, MODELS[name](made, seed), asked.refits))
                print(maker, seed, name, *(f"{value:.2f}" for value in each[-1]), file=sys.stderr, flush=True)
        for name, each in found.items():
            cells = [f"{statistics.median(column):.2f}" for column in zip(*each, strict=True)]
            yield f"| {maker} | {name} | {len(each)} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table, and write it where that is asked for."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--flakes", type=int, default=5)
    given.add_argument("--first", type=int, default=0)
    given.add_argument("--makers", default=",".join(ALL_MAKERS))
    given.add_argument("--models", default=",".join(MODELS))
    given.add_argument("--refits", type=int, default=16)
    given.add_argument("--measured", action="store_true", help="keep the noise of RS")
    given.add_argument("--write", action="store_true")
    asked = given.parse_args()
    lines = []
    for line in rows(asked):
        print(line, flush=True)
        lines.append(line)
    if asked.write:
        page = DOCS.read_text(encoding="utf-8")
        table = "\n".join(lines)
        DOCS.write_text(re.sub(r"(<!-- slopes -->\n).*?(<!-- end -->)", rf"\g<1>{table}\n\g<2>", page, flags=re.S), encoding="utf-8")


if __name__ == "__main__":
    main()
