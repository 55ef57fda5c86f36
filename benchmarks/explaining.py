"""Explaining: how fast, how exact, and how right on flakes whose law is known.

``python benchmarks/explaining.py [--flakes 20] [--write]``.  Three tables, which ``--write`` puts into ``docs/explaining.md``:

1. speed against scikit-learn's ``partial_dependence(kind="both", method="brute")`` on the same network;
2. what nine nodes and few weighted pixels cost in accuracy;
3. a law planted on the fitted parameters of synthetic flakes (`explaining.simulate`), the default network trained on it, and the
   explanation compared with the truth; beside it scikit-learn, PyALE, effector and captum on the same networks, where they are installed.
"""

import argparse
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.inspection import partial_dependence as sklearn_partial_dependence

from napari_wse2xai import batch, explaining, recipe
from napari_wse2xai.data import Pairable, Samples
from napari_wse2xai.explaining.planted import PlantedLaw
from napari_wse2xai.explaining.semi_synthetic import Recovery
from napari_wse2xai.learning import GaussianProcess, MLPEnsembleRegressor, SpectralCNNRegressor
from napari_wse2xai.stages import Pair
from napari_wse2xai.stages.pair import StageCoordinates
from napari_wse2xai.synthetic import FLAKE_SHAPES, make_flake

Numbers = NDArray[np.float64]
DOCS = Path(__file__).resolve().parents[1] / "docs" / "explaining.md"
PIXELS = 3000
NOISE = 0.05
FEW = 5
"""Flakes for the comparison with other packages and for the accuracy."""


def samples_of(seed: int, **changed: Any) -> Samples:
    """Fitted parameters of a synthetic flake, as a user gets them."""
    flake = make_flake(FLAKE_SHAPES[seed % len(FLAKE_SHAPES)], seed=seed, **changed)
    results = batch.run_chains(recipe.preset(), {"raman": flake.raman, "pl": flake.pl})
    pair = Pair(method=StageCoordinates())(Pairable(results.peaks["raman"], results.peaks["pl"]))
    return Samples.of([pair])


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result and wall time."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


# --- 1 and 2: speed and accuracy


def speed_table(rounds: int) -> str:
    """Speed of all curves and slope maps of 3,000 pixels; scikit-learn is timed on one parameter of 24 per round and multiplied."""
    samples = samples_of(0, shape_px=(80, 90))
    table = np.resize(samples.features, (PIXELS, samples.features.shape[1]))
    law = PlantedLaw.drawn(samples, samples.targets[:, 0], np.random.default_rng(0))
    networks = {
        "paper's network (length 256, 92 k weights)": SpectralCNNRegressor.paper(samples.lines, max_epochs=1),
        "default network": SpectralCNNRegressor(samples.lines, max_epochs=5),
    }
    lines = ["| network | curves | slope maps | derivative maps | scikit-learn, brute | ratio |", "|---|---|---|---|---|---|"]
    for name, estimator in networks.items():
        estimator.fit(samples.features, law.predict(samples.features))
        times = np.median([_round(estimator, table, column % table.shape[1]) for column in range(rounds)], axis=0)
        ratio = times[3] / (times[0] + times[1])
        lines.append(f"| {name} | {times[0]:.1f} s | {times[1]:.1f} s | {times[2]:.1f} s | {times[3]:.0f} s | {ratio:.0f} × |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def _round(estimator: Any, table: Numbers, column: int) -> list[float]:
    """Seconds for curves, slopes, derivatives, and scikit-learn's brute force for all columns."""
    ours = [timed(lambda: explaining.partial_dependence(estimator, table, kind="both"))[1]]
    ours += [timed(lambda work=work: work(estimator, table))[1] for work in (explaining.ice_slope, explaining.derivatives)]
    options = {"kind": "both", "method": "brute", "grid_resolution": 50, "percentiles": (0.025, 0.975)}
    _, one = timed(lambda: sklearn_partial_dependence(estimator, table, [column], **options))
    return [*ours, one * table.shape[1]]


def accuracy_table(cases: Sequence[tuple[Any, Samples]]) -> str:
    """Largest error of a curve against all points and pixels, over the range of the strongest curve and of the PL's 95 % band."""
    ways = {"9 nodes, all pixels": (9, None), "all points, 400 pixels": (None, 400), "9 nodes, 400 pixels (default)": (9, 400)}
    errors: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for estimator, samples in cases:
        table = samples.features
        columns = explaining.ranking(*_importances(estimator, table))[:6]
        exact = explaining.partial_dependence(estimator, table, columns, nodes=None, samples=None).average
        band = float(np.ptp(np.nanpercentile(samples.targets[:, 0], [2.5, 97.5])))
        for way, (nodes, pixels) in ways.items():
            quick = explaining.partial_dependence(estimator, table, columns, nodes=nodes, samples=pixels).average
            worst = float(np.abs(quick - exact).max())
            errors[way].append((worst / float(np.ptp(exact, axis=1).max()), worst / band))
    lines = ["| | of the strongest curve: median, worst | of the PL's 95 % band: median, worst |", "|---|---|---|"]
    for way, found in errors.items():
        cells = [f"{statistics.median(part):.2%}, {max(part):.2%}" for part in zip(*found, strict=True)]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _importances(estimator: Any, table: Numbers) -> tuple[Numbers, Numbers]:
    partial, slopes = explaining.partial_dependence(estimator, table), explaining.ice_slope(estimator, table)
    return explaining.pdp_spread(table, partial.grid_values, partial.average), explaining.slope_rms(slopes.slope, slopes.step)


# --- 3: right or wrong


class Kept:
    """Trains for `simulate`, and keeps what rivals need."""

    def __init__(self, make: Callable[[Samples, int], Any], seed: int) -> None:
        self.make = make
        self.seed = seed
        self.estimator: Any = None
        self.planted: Samples | None = None

    def train(self, planted: Samples, progress: Any) -> Any:
        """Fit the model to the planted law."""
        self.planted = planted
        known = np.isfinite(planted.targets[:, 0])
        self.estimator = self.make(planted, self.seed).fit(planted.features[known], planted.targets[known, 0])
        return self.estimator


MODELS: dict[str, Callable[[Samples, int], Any]] = {
    "network (CNN)": lambda samples, seed: SpectralCNNRegressor(samples.lines, random_state=seed),
    "MLP ensemble": lambda samples, seed: MLPEnsembleRegressor(random_state=seed),
    "Gaussian process": lambda samples, seed: GaussianProcess(random_state=seed),
}
"""What is explained; the first is compared with other packages."""


def recoveries(flakes: int) -> tuple[dict[str, list[Recovery]], list[tuple[Any, Samples]], dict[str, list[float]]]:
    """One recovery per model and flake; networks and samples of the first few; agreement with rivals on those."""
    found: dict[str, list[Recovery]] = {name: [] for name in MODELS}
    cases, rivals = [], {}
    for seed in range(flakes):
        samples = samples_of(seed)
        for name, make in MODELS.items():
            kept = Kept(make, seed)
            recovery, seconds = timed(lambda s=samples, k=kept, n=seed: explaining.simulate(s, k.train, noise=NOISE, seed=n))
            found[name].append(recovery)
            print(f"flake {seed}, {name}: {len(samples)} pixels, {seconds:.0f} s", *recovery.sentences, sep="\n  ", flush=True)
            if name == next(iter(MODELS)) and len(cases) < FEW:
                cases.append((kept.estimator, kept.planted))
                for rival, value in compared_with_rivals(kept, recovery).items():
                    rivals.setdefault(rival, []).append(value)
    return found, cases, rivals


def recovery_table(found: Mapping[str, Sequence[Recovery]]) -> str:
    """What was reached by each model, beside what was aimed at."""
    measures: list[tuple[str, str, Callable[[Sequence[Recovery]], str]]] = [
        ("saturating height ranked first", "all", lambda every: _share(r.ranks["saturating"] == 1 for r in every)),
        ("partner of the interaction within the first 4", "all", lambda every: _share(r.ranks["partner"] <= 4 for r in every)),
        ("all four planted parameters first", "", lambda every: _share(max(r.ranks.values()) == 4 for r in every)),
        ("R2 of the model against the law, median (worst)", "", lambda every: _spread([r.model_r2 for r in every])),
        ("PDP R2, strongest parameter, median (worst)", "", lambda every: _spread([r.pdp_r2["saturating"] for r in every])),
        ("PDP R2, all main effects, median (worst)", "> 0.95", lambda every: _spread([v for r in every for v in r.pdp_r2.values()])),
        ("slope-map correlation, median (worst)", "> 0.9", lambda every: _spread([v for r in every for v in r.slope_correlation.values()])),
        (
            "true curves within the 95 % bands, mean (worst flake)",
            "90-99 %",
            lambda every: _spread([r.band_coverage for r in every], np.mean),
        ),
        ("true slopes within 1.96 sigma, mean (worst flake)", "90-99 %", lambda every: _spread([r.slope_coverage for r in every], np.mean)),
        ("sure slopes of parameters that do nothing, mean", "", lambda every: f"{np.mean([r.false_slopes for r in every]):.1%}"),
        ("flakes on which the recovery test says 'can be believed'", "", lambda every: _share(r.passed for r in every)),
    ]
    flakes = len(next(iter(found.values())))
    rows = [f"| {text} | {' | '.join(measure(every) for every in found.values())} | {aim} |" for text, aim, measure in measures]
    return "\n".join([f"| {flakes} flakes | {' | '.join(found)} | aim |", "|---" * (len(found) + 2) + "|", *rows])


def _share(hits: Iterable[bool]) -> str:
    return f"{np.mean(list(hits)):.0%}"


def _spread(values: Sequence[float], middle: Callable[[Sequence[float]], Any] = statistics.median) -> str:
    return f"{middle(values):.3f} ({min(values):.3f})"


def compared_with_rivals(kept: Kept, recovery: Recovery) -> dict[str, float]:
    """Largest difference to other packages on the same network, relative to the range, and their times over ours."""
    assert kept.planted is not None
    table, names = kept.planted.features, list(kept.planted.feature_names)
    column = names.index(recovery.law["saturating"])
    result = against_sklearn(kept.estimator, table, column)
    for rival in (against_pyale, against_effector, against_captum):
        try:
            result.update(rival(kept.estimator, table, column))
        except ImportError:
            continue
    return result


def against_sklearn(estimator: Any, table: Numbers, column: int) -> dict[str, float]:
    """The same curve point by point, on all pixels."""
    options = {"grid_resolution": 20, "percentiles": (0.025, 0.975)}
    theirs = sklearn_partial_dependence(estimator, table, [column], kind="average", method="brute", **options).average[0]
    ours = explaining.partial_dependence(estimator, table, [column], nodes=None, samples=None, **options).average[0]
    return {"PDP: scikit-learn 'brute'": float(np.abs(ours - theirs).max() / np.ptp(theirs))}


def against_pyale(estimator: Any, table: Numbers, column: int) -> dict[str, float]:
    """First-order ALE on the same bins."""
    import pandas as pd
    from PyALE import ale

    frame = pd.DataFrame(table, columns=[f"x{k}" for k in range(table.shape[1])])
    wrapped = type("Wrapped", (), {"predict": lambda self, rows: estimator.predict(rows.to_numpy())})()
    theirs = ale(frame, wrapped, [f"x{column}"], grid_size=20, include_CI=False, plot=False)
    ours = explaining.accumulated_local_effects(estimator, table, [column], bins=20)
    mine = np.interp(theirs.index.to_numpy(float), ours.grid_values[0], ours.average[0])
    return {"ALE: PyALE": float(np.abs(mine - theirs["eff"].to_numpy()).max() / np.ptp(mine))}


def against_effector(estimator: Any, table: Numbers, column: int) -> dict[str, float]:
    """Its PDP on our grid, on all pixels."""
    import effector

    ours = explaining.partial_dependence(estimator, table, [column], nodes=None, samples=None, grid_resolution=20)
    pdp = effector.PDP(table, lambda rows: np.asarray(estimator.predict(rows)), nof_instances="all")
    theirs = np.asarray(pdp.eval(column, ours.grid_values[0], centering=False))
    return {"PDP: effector": float(np.abs(ours.average[0] - theirs).max() / np.ptp(theirs))}


def against_captum(estimator: Any, table: Numbers, column: int) -> dict[str, float]:
    """Integrated gradients per parameter, same baseline and steps."""
    import torch
    from captum.attr import IntegratedGradients

    few = table[:: max(1, len(table) // 200)]
    ours = explaining.integrated_gradients(estimator, few, level="parameters", n_steps=32)
    inputs = torch.as_tensor(few, dtype=torch.float32)
    theirs = IntegratedGradients(lambda x: estimator.module_(x)[:, 0]).attribute(
        inputs, baselines=torch.as_tensor(ours.baseline, dtype=torch.float32)[None], n_steps=32, method="gausslegendre"
    )
    return {"integrated gradients: captum": float(np.abs(ours.attributions - theirs.detach().numpy()).max() / np.ptp(ours.attributions))}


def rivals_table(rivals: Mapping[str, Sequence[float]]) -> str:
    """Agreement with other packages."""
    rows = [f"| {name} | {statistics.median(values):.1e} | {max(values):.1e} |" for name, values in rivals.items()]
    return "\n".join(["| | largest difference over range, median of 5 flakes | worst |", "|---|---|---|", *rows])


def write(tables: Mapping[str, str]) -> None:
    """Put the tables between their marks in the docs."""
    text = DOCS.read_text(encoding="utf-8")
    for name, table in tables.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)", rf"\g<1>{table}\n\g<2>", text, flags=re.DOTALL)
    DOCS.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flakes", type=int, default=20, help="0 leaves all but the speed out")
    parser.add_argument("--rounds", type=int, default=3, help="for the speed; 0 leaves it out")
    parser.add_argument("--write", action="store_true", help="into docs/explaining.md")
    given = parser.parse_args()
    tables = {"speed": speed_table(given.rounds)} if given.rounds else {}
    if given.flakes:
        found, cases, rivals = recoveries(given.flakes)
        tables |= {"recovery": recovery_table(found), "accuracy": accuracy_table(cases), "rivals": rivals_table(rivals)}
    for name, table in tables.items():
        print(f"\n{name}\n{table}")
    if given.write:
        write(tables)


if __name__ == "__main__":
    main()
