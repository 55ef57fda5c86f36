"""Judge many synthetic flakes and write the tables of docs/verdict.md: ``python docs/make_verdicts.py``.

Every flake goes through the whole chain: spectra, preset, deconvolution, pairing, null test, common mode, verdict.  With ``--network`` the
whole Train stage runs in place of the fast model alone (about a minute a flake).  One file per flake lies in the work folder, so that a run
can be stopped and taken up again, and ``--part 1/4`` to ``--part 4/4`` can run side by side; ``--tables`` only writes the tables of what is
there.
"""

import argparse
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from napari_wse2xai import batch, recipe
from napari_wse2xai.data import Level, Pairable, PairedMaps, Samples, Verdict
from napari_wse2xai.learning.common_mode import common_mode
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.scores import noise_ceiling
from napari_wse2xai.learning.verdict import Evidence, judge
from napari_wse2xai.stages import Pair, Train
from napari_wse2xai.stages.pair import StageCoordinates
from napari_wse2xai.synthetic import make_flake

PAGE = Path(__file__).with_name("verdict.md")
LAWS = {
    "known": "known law",
    "hidden": "known law times a smooth map that RS cannot see",
    "independent": "smooth map that owes nothing to RS",
    "focus": "the focus and nothing else, ±40 %",
}
SHAPES = ("triangle", "star")
SEEDS = {
    range(10): "limits chosen on these",
    range(10, 20): "limits not chosen on these; an earlier run of them showed that surrogates must match long distances, too",
    range(20, 30): "run once, after everything was settled",
}
FOCUS = 0.2
"""Standard deviation of the logarithm of the focus of the flakes whose PL is nothing else."""


@dataclass(frozen=True)
class Case:
    """One flake."""

    law: str
    shape: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.law}_{self.shape}_{self.seed}"

    def pair(self) -> PairedMaps:
        """Grow, measure, deconvolve and pair the flake."""
        flake = make_flake(self.shape, seed=self.seed, law=self.law)
        maps = batch.run_chains(recipe.preset(), {"raman": flake.raman, "pl": flake.pl}).peaks
        return Pair(method=StageCoordinates())(Pairable(maps["raman"], maps["pl"]))


def table_of(case: Case, work: Path) -> dict[str, Any]:
    """Features, target and places of a flake, from the work folder where it was grown before."""
    file = work / f"{case.name}.npz"
    if not file.exists():
        samples = Samples.of([case.pair()])
        fields = {"X": samples.features, "y": samples.targets, "ye": samples.target_errors, "xy": samples.coordinates_um}
        np.savez_compressed(file, **fields, row=samples.row, column=samples.column)
    with np.load(file) as stored:
        return dict(stored)


def with_focus(case: Case, work: Path) -> dict[str, Any]:
    """A flake whose heights and PL share a strong focus, and whose PL is nothing but that focus and three percent of noise."""
    from scipy.ndimage import gaussian_filter

    table = table_of(Case("known", case.shape, case.seed), work)
    rng = np.random.default_rng([1911, case.seed])
    field = gaussian_filter(rng.standard_normal((48, 56)), 6.0, mode="reflect")[table["row"], table["column"]]
    focus = np.exp(FOCUS * (field - field.mean()) / field.std())
    features = table["X"].copy()
    features[:, 2::3] *= focus[:, None]
    pl = 6000.0 * focus * (1 + 0.03 * rng.standard_normal(len(focus)))
    return {**table, "X": features, "y": pl[:, None], "ye": np.full((len(pl), 1), 0.03 * 6000.0)}


def judged(case: Case, work: Path) -> Verdict:
    """Judge by the fast model alone."""
    table = with_focus(case, work) if case.law == "focus" else table_of(case, work)
    features, y, places = table["X"], table["y"][:, 0], table["xy"]
    null = null_test(features, y, places, target="height")
    shared = None if null.refused else common_mode(features, y, places, null)
    return judge(Evidence("height", len(y), (), null, noise_ceiling(y, table["ye"][:, 0]), common_mode=shared))


def judge_all(cases: list[Case], work: Path, *, network: bool) -> None:
    """Judge what was not judged before, and keep it."""
    for case in cases:
        file = work / f"{case.name}{'-network' * network}.json"
        if file.exists() or (network and case.law == "focus"):
            continue
        start = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdict = Train()([case.pair()]).verdict("height") if network else judged(case, work)
        kept = {"level": verdict.level, "numbers": dict(verdict.numbers), "reasons": verdict.reasons, "seconds": perf_counter() - start}
        file.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        print(f"{case.name}: {verdict.level} ({kept['seconds']:.0f} s)", flush=True)


def cases_of(seeds: Iterator[int] | range) -> list[Case]:
    return [Case(law, shape, seed) for seed in seeds for shape in SHAPES for law in LAWS]


def tables(work: Path) -> str:
    """Levels by law for every set of seeds, and the numbers behind them."""
    parts = []
    for suffix, by in (("", "fast model alone"), ("-network", "whole Train stage, with the network")):
        for seeds, title in SEEDS.items():
            found = {law: _stored(work, law, seeds, suffix) for law in LAWS}
            if any(found.values()):
                judged_seeds = [seed for seed in seeds if _stored(work, next(iter(LAWS)), range(seed, seed + 1), suffix)]
                parts.append(f"Seeds {judged_seeds[0]} to {judged_seeds[-1]}, both shapes ({title}; {by}):\n\n{_table(found)}")
    return "\n\n".join(parts)


def _stored(work: Path, law: str, seeds: range, suffix: str) -> list[dict[str, Any]]:
    files = [work / f"{Case(law, shape, seed).name}{suffix}.json" for seed in seeds for shape in SHAPES]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]


def _table(found: dict[str, list[dict[str, Any]]]) -> str:
    head = ["PL is made of", "flakes", *Level, "R² random", "R² blocks", "kept in blocks", "p random ≤ 0.05", "p blocks ≤ 0.05"]
    rows = [_row(LAWS[law], results) for law, results in found.items() if results]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _row(title: str, results: list[dict[str, Any]]) -> list[str]:
    levels = [str(sum(result["level"] == level for result in results)) for level in Level]
    numbers = [_range(results, name) for name in ("r2_random", "r2_blocks", "kept")]
    passed = [str(sum(result["numbers"].get(name, 1.0) <= 0.05 for result in results)) for name in ("p_random", "p_blocks")]
    return [title, str(len(results)), *levels, *numbers, *passed]


def _range(results: list[dict[str, Any]], name: str) -> str:
    values = np.array([result["numbers"].get(name, np.nan) for result in results])
    return f"{np.nanmedian(values):.2f} ({np.nanmin(values):.2f} to {np.nanmax(values):.2f})"


def write_page(work: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    filled = re.sub(
        r"(<!-- verdicts -->\n).*?(<!-- end -->)", lambda place: f"{place[1]}\n{tables(work)}\n\n{place[2]}", text, flags=re.DOTALL
    )
    PAGE.write_text(filled, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/verdicts"), help="folder of what was judged (default: %(default)s)")
    parser.add_argument("--network", action="store_true", help="run the whole Train stage")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 30), metavar=("FROM", "BEFORE"), help="(default: 0 30)")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="only every N-th flake, from the K-th")
    parser.add_argument("--tables", action="store_true", help="judge nothing")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, given.part.split("/"))
    if not given.tables:
        judge_all(cases_of(range(*given.seeds))[part - 1 :: parts], given.work, network=given.network)
    write_page(given.work)


if __name__ == "__main__":
    main()
