"""How often the verdict finds laws of known strength, and how often it is fooled, by the fast model alone: no spectra, no network.

``nice python benchmarks/verdict_power.py --seeds 100 110 [--part 1/2] [--surrogates 39] [--kinds law60,rim] [--process]``, two parts
side by side; one file per table lies in ``--work``, so that a run can go on; ``--tables`` prints the table of what is there.

Three makers of RS: the two of `makers.py` within four outlines, and crystals of `napari_wse2xai.synthetic` (triangle, star) with a tenth of
their spread of noise.  PL: laws that settle 100 to 40 % of the variance, the rest white; six kinds that owe nothing to RS, a share of white
noise in each (none to 40 %); laws with a hidden smooth field as strong as they.  The focus is asked of laws only where ``--focus``
is given: it costs as much as all else.  ``--process`` asks a Gaussian process too where the verdict is "local only" (half a minute each).
``--whole`` asks the whole Train stage, network and focus included (a minute of one core each), wherever it could still say
"interpretable": not where the fast model's verdict says that no score of any model would do.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from makers import LINES, MAKERS, SHAPE
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from napari_wse2xai.data import NETWORK, Frame, Level, Samples, Score
from napari_wse2xai.learning import GaussianProcess
from napari_wse2xai.learning.common_mode import common_mode
from napari_wse2xai.learning.evaluation import Evaluation
from napari_wse2xai.learning.fast_model import folds_of
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.scores import r2
from napari_wse2xai.learning.tame_scale import tamed
from napari_wse2xai.learning.verdict import Evidence, judge
from napari_wse2xai.progress import silent
from napari_wse2xai.stages import Train

Numbers = NDArray[np.float64]
LAWS = ("law100", "law80", "law60", "law40")
NULLS = ("smooth", "stepped", "striped", "tilted", "rim", "white")
HIDDEN = ("hidden", "hidden factor")
CRYSTALS = ("triangle", "star")
PERFECT = tuple(Score(NETWORK, "height", validation, "validation", 1.0, *(float("nan"),) * 3) for validation in ("random", "blocks"))
"""No model could have better ones."""


def rs_and_law(maker: str, seed: int, cache: Path) -> tuple[Numbers, Numbers, Numbers, tuple[int, int]]:
    """RS (n, feature), grid places (n, 2), law (n,) and the grid's shape."""
    if maker == "crystal":
        return _crystal(CRYSTALS[seed % 2], seed, cache)
    made = MAKERS[maker](seed)
    places = np.stack([made.samples.row, made.samples.column], axis=1)
    keep = _outline(seed % 4)[made.samples.row, made.samples.column]
    features = made.samples.features[keep]
    return features, places[keep].astype(float), made.law(features), SHAPE


def _outline(kind: int) -> NDArray[np.bool_]:
    y, x = (np.indices(SHAPE) / np.array(SHAPE)[:, None, None] - 0.5) * 2
    angle, radius = np.arctan2(y, x), np.hypot(y, x)
    triangle, star = (y < 0.85) & (y > -0.95 + 1.9 * np.abs(x)), radius < 0.75 + 0.28 * np.cos(5 * angle)
    bay = (radius < 0.97) & ~((x > 0.1) & (np.abs(y) < 0.15))
    return np.asarray((np.ones(SHAPE, dtype=bool), triangle, star, bay)[kind])


def _crystal(shape: str, seed: int, cache: Path) -> tuple[Numbers, Numbers, Numbers, tuple[int, int]]:
    file = cache / f"crystal_{shape}_{seed}.npz"
    if not file.exists():
        from napari_wse2xai.synthetic import make_flake

        truth = make_flake(shape, seed=seed, law="known").truth
        raman = truth.raman
        maps = np.stack([raman.position, raman.fwhm, raman.height], axis=1).reshape(-1, *raman.position.shape[1:])
        np.savez(file, maps=maps, pl=truth.pl.height[0])
    with np.load(file) as stored:
        maps, pl = stored["maps"].astype(float), stored["pl"].astype(float)
    there = np.isfinite(maps).all(axis=0) & np.isfinite(pl)
    features = maps[:, there].T
    features += 0.1 * features.std(axis=0) * np.random.default_rng([5, seed]).standard_normal(features.shape)
    return features, np.argwhere(there).astype(float), pl[there], (pl.shape[0], pl.shape[1])


def pl_of(kind: str, seed: int, places: Numbers, law: Numbers, shape: tuple[int, int]) -> Numbers:
    """PL (n,) of a kind."""
    rng = np.random.default_rng([77, seed, sum(map(ord, kind))])
    white, known = rng.standard_normal(len(places)), _unit(law)
    if kind in LAWS:
        share = int(kind[3:]) / 100
        return np.sqrt(share) * known + np.sqrt(1 - share) * white
    if kind == "hidden":
        return known + rng.uniform(0.8, 1.2) * _field(rng, shape, places, rng.uniform(3, 6)) + 0.1 * white
    if kind == "hidden factor":
        return (3 + known) * np.exp(0.4 * _field(rng, shape, places, rng.uniform(3, 6))) + 0.1 * white
    if kind == "white":
        return white
    share = rng.choice([0.0, 0.05, 0.2, 0.4])
    return np.sqrt(1 - share) * _owing_nothing(kind, rng, places, shape) + np.sqrt(share) * white


def _owing_nothing(kind: str, rng: np.random.Generator, places: Numbers, shape: tuple[int, int]) -> Numbers:
    turn = rng.uniform(0, 2 * np.pi)
    along = places @ np.array([np.sin(turn), np.cos(turn)])
    if kind == "stepped":
        centres = rng.uniform(0, 1, (rng.integers(4, 9), 2)) * shape
        domain = np.argmin(((places[:, None] - centres) ** 2).sum(axis=-1), axis=1)
        return _unit(rng.standard_normal(len(centres))[domain])
    if kind == "striped":
        stripes = gaussian_filter(rng.standard_normal(400), rng.uniform(1.5, 4))
        return _unit(stripes[np.round(along - along.min()).astype(int) + 5])
    if kind == "tilted":
        return _unit(_unit(along) + 0.4 * _field(rng, shape, places, 3.0))
    if kind == "rim":
        there = np.zeros(shape, dtype=bool)
        there[tuple(places.astype(int).T)] = True
        distance = distance_transform_edt(np.pad(there, 1))[1:-1, 1:-1][there]
        rim = _unit(np.exp(-distance / rng.uniform(2, 4))) * rng.choice([-1, 1])
        return _unit(rim + 0.4 * _field(rng, shape, places, 3.0))
    return _field(rng, shape, places, rng.uniform(2, 6))


def _field(rng: np.random.Generator, shape: tuple[int, int], places: Numbers, reach: float) -> Numbers:
    return _unit(gaussian_filter(rng.standard_normal(shape), reach, mode="reflect")[tuple(places.astype(int).T)])


def _unit(values: Numbers) -> Numbers:
    return np.asarray((values - values.mean()) / values.std())


def judged(kind: str, maker: str, seed: int, asked: argparse.Namespace) -> dict[str, Any]:
    """One table: level, numbers, first reason."""
    features, places, law, shape = rs_and_law(maker, seed, asked.work)
    y = pl_of(kind, seed, places, law, shape)
    test = null_test(features, y, places, target="height", count=asked.surrogates)
    shared = common_mode(features, y - y.min() + 4 * y.std(), places, test) if asked.focus and kind in LAWS and not test.refused else None
    evidence = Evidence("height", len(y), (), test, common_mode=shared)
    verdict = judge(evidence)
    if asked.process and verdict.level is Level.LOCAL_ONLY:
        verdict = judge(replace(evidence, scores=tuple(process_scores(features, y, places))))
    if asked.whole and judge(replace(evidence, scores=PERFECT)).level is Level.INTERPRETABLE:
        verdict = Evaluation.learn(Train(surrogates=asked.surrogates), samples_of(features, y, places, shape), "height", silent).verdict
    beyond = {f"{one.confounder or one.validation}": [one.correlation, one.p_value] for one in test.beyond}
    return {"level": verdict.level, "reason": verdict.reasons[0], "numbers": dict(verdict.numbers), "beyond": beyond, "pixels": len(y)}


def samples_of(features: Numbers, y: Numbers, places: Numbers, shape: tuple[int, int]) -> Samples:
    """The table as the Train stage takes it: PL positive, as counts are, and RS without errors, so that it is left as it is."""
    row, column = places.astype(int).T
    unknown = np.full(features.shape, np.nan)
    light = (y - y.min() + 4 * y.std())[:, None]
    return Samples(
        LINES,
        "cm-1",
        "counts",
        features,
        unknown,
        np.zeros(features.shape, dtype=bool),
        ("height",),
        ("counts",),
        light,
        np.full(light.shape, np.nan),
        "PL",
        np.zeros(len(y), dtype=np.int64),
        row,
        column,
        (Frame(shape, (0.5, 0.5), (0.0, 0.0), "table"),),
        ("table",),
    )


def process_scores(features: Numbers, y: Numbers, places: Numbers) -> Iterator[Score]:
    """A Gaussian process on the folds of the fast model."""
    for validation, folds in folds_of(tamed(y), places, np.zeros(len(y), dtype=np.int64), 0).items():
        predicted = np.empty(len(y))
        for training, held_out in folds:
            predicted[held_out] = GaussianProcess().fit(features[training], y[training]).predict(features[held_out])
        yield Score("Gaussian process", "height", validation, "validation", float(r2(y, predicted)), *(float("nan"),) * 3)


def run(asked: argparse.Namespace) -> None:
    """Judge what was not judged before."""
    part, parts = map(int, asked.part.split("/"))
    jobs = [(kind, maker, seed) for seed in range(*asked.seeds) for kind in asked.kinds.split(",") for maker in (*MAKERS, "crystal")]
    for kind, maker, seed in jobs[part - 1 :: parts]:
        file = asked.work / f"{kind.replace(' ', '_')}_{maker}_{seed}.json"
        if not file.exists():
            begun = time.process_time()
            found = judged(kind, maker, seed, asked)
            file.write_text(json.dumps({**found, "kind": kind, "cpu": time.process_time() - begun}), encoding="utf-8")
            sys.stdout.write(f"{kind} {maker} {seed}: {found['level']}\n")
            sys.stdout.flush()


def rows(work: Path) -> Iterator[str]:
    """A line of the table for each kind that was judged."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(work.glob("*.json"))]
    yield "| PL is made of | tables | interpretable | local only | do not interpret |"
    yield "| --- | --- | --- | --- | --- |"
    for kind in (*LAWS, *NULLS, *HIDDEN):
        mine = [each for each in found if each["kind"] == kind]
        if mine:
            yield f"| {kind} | {len(mine)} | {' | '.join(str(sum(each['level'] == level for each in mine)) for level in Level)} |"


def main() -> None:
    """Judge, or print."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--work", type=Path, default=Path("build/verdict_power"))
    given.add_argument("--seeds", type=int, nargs=2, default=(0, 10), metavar=("FROM", "BEFORE"))
    given.add_argument("--kinds", default=",".join((*LAWS, *NULLS, *HIDDEN)))
    given.add_argument("--part", default="1/1", metavar="K/N")
    given.add_argument("--surrogates", type=int, default=99)
    given.add_argument("--whole", action="store_true")
    given.add_argument("--focus", action="store_true")
    given.add_argument("--process", action="store_true")
    given.add_argument("--tables", action="store_true")
    asked = given.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    if not asked.tables:
        run(asked)
    sys.stdout.write("\n".join(rows(asked.work)) + "\n")


if __name__ == "__main__":
    main()
