"""A trained model and its explanation made by hand from a law that is known: for tests that read, write and draw them.

PL = 500 + 3 a + 40 e + 0.002 a h, with ``a`` the height of A1', ``e`` the position of E' from 250 and ``h`` the height of 2LA(M): two main
effects and one interaction.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_wse2xai.data import (
    Explanation,
    Frame,
    Level,
    Line,
    NullTest,
    OtherModel,
    Record,
    Recovery,
    Samples,
    Score,
    TrainedModel,
    Verdict,
)
from napari_wse2xai.data.questions import Answer, Region, TwoParameters, Wavenumbers
from napari_wse2xai.data.trained_model import Beyond

LINES = (
    Line("E'", "lorentzian", (183.0, 300.0)),
    Line("A1'", "lorentzian", (183.0, 300.0)),
    Line("2LA(M)", "lorentzian", (314.0, 410.0)),
)
E_POSITION, A_HEIGHT, H_HEIGHT = 0, 5, 8
TYPICAL = np.array([249.0, 4.0, 120.0, 252.0, 3.5, 400.0, 359.0, 9.0, 90.0])
SPREAD = np.array([0.6, 0.3, 25.0, 0.4, 0.3, 90.0, 0.9, 0.8, 20.0])
HISTORY = (Record("Train", {"target": ["height"], "seed": 0}, "0.1.0", 12.5),)


def law(x: np.ndarray) -> np.ndarray:
    """PL height of parameters (..., 9)."""
    return 500 + 3 * x[..., A_HEIGHT] + 40 * (x[..., E_POSITION] - 250) + 0.002 * x[..., A_HEIGHT] * x[..., H_HEIGHT]


def make_samples(*, targets: Sequence[str] = ("height",), flakes: int = 1, shape: tuple[int, int] = (16, 20), seed: int = 0) -> Samples:
    """Round flakes on grids that differ, with smooth parameters."""
    rng = np.random.default_rng(seed)
    frames = tuple(Frame((shape[0] + 2 * i, shape[1] + i), (0.5, 0.5), (1.0 + i, -2.0), f"flake {i + 1}") for i in range(flakes))
    places = [np.nonzero(_disc(frame.shape)) for frame in frames]
    row, column = (np.concatenate([place[axis] for place in places]) for axis in (0, 1))
    flake = np.repeat(np.arange(flakes), [len(place[0]) for place in places])
    waves = rng.uniform(0.15, 0.5, (2, 9)), rng.uniform(0, 6, 9)
    smooth = np.sin(row[:, None] * waves[0][0] + column[:, None] * waves[0][1] + waves[1])
    features = TYPICAL + SPREAD * (smooth + 0.15 * rng.normal(size=smooth.shape))
    columns = {
        "height": law(features),
        "position": 1.65 + 1e-3 * smooth[:, 1],
        "fwhm": 0.05 + 1e-3 * smooth[:, 0],
        "area": law(features) / 20,
    }
    measured = np.stack([columns[name] for name in targets], axis=1)
    spread = 0.01 * np.abs(measured)
    return Samples(
        LINES,
        "cm-1",
        "counts",
        features,
        np.broadcast_to(0.05 * SPREAD, features.shape).copy(),
        np.zeros(features.shape, dtype=bool),
        tuple(targets),
        tuple({"height": "counts", "area": "counts eV"}.get(name, "eV") for name in targets),
        measured + spread * rng.normal(size=measured.shape),
        spread,
        "A exciton",
        flake,
        row,
        column,
        frames,
        tuple(f"flake {i + 1}" for i in range(flakes)),
    )


def _disc(shape: tuple[int, int]) -> np.ndarray:
    rows, columns = np.indices(shape)
    across = min(shape) if min(shape) > 1 else 0.8 * max(shape)
    return (rows - shape[0] / 2 + 0.5) ** 2 + (columns - shape[1] / 2 + 0.5) ** 2 < (across / 2) ** 2


def make_verdict(target: str = "height", level: Level = Level.INTERPRETABLE) -> Verdict:
    """A verdict with two reasons."""
    reasons = ("R² 0.93 on blocks of pixels that the network never saw.", "None of 39 surrogate maps is predicted as well (p = 0.025).")
    return Verdict(target, level, reasons, {"r2_blocks": 0.93, "p_blocks": 0.025})


def make_model(samples: Samples | None = None, *, level: Level = Level.INTERPRETABLE, seed: int = 1, name: str = "model") -> TrainedModel:
    """A model that predicts the targets with three percent of noise."""
    samples = samples or make_samples()
    rng = np.random.default_rng(seed)
    n, targets = len(samples), samples.target_names
    predicted = (samples.targets * (1 + 0.03 * rng.normal(size=samples.targets.shape))).T
    block = np.asarray(samples.column // 6 % 5, dtype=np.int64)
    held_out = np.where(block == 4, np.nan, predicted * (1 + 0.01 * rng.normal(size=(len(targets), n))))
    return TrainedModel(
        samples,
        {"architecture": "convolution", "channels": [16, 32], "max_epochs": 30, "learning_rate": 0.004, "random_state": seed},
        {target: _weights(rng) for target in targets},
        (rng.random(n) < 0.3).astype(np.uint8),
        predicted,
        held_out,
        np.where(block == 4, -1, block),
        _curves(targets),
        tuple(_scores(targets)),
        tuple(_null_test(target, rng) for target in targets),
        tuple(make_verdict(target, level) for target in targets),
        ("Heights rise and fall together.",),
        "cpu",
        name,
        HISTORY,
    )


def _weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    return {
        "blocks.0.weight": rng.normal(size=(4, 3, 3)).astype(np.float32),
        "norm.num_batches_tracked": np.array(7, dtype=np.int64),
        "head.bias": rng.normal(size=1).astype(np.float32),
    }


def _curves(targets: Sequence[str]) -> dict[str, np.ndarray]:
    epochs = np.arange(30)
    curves = {}
    for target in targets:
        curves[f"{target} epoch"] = 1.0 + 3 * epochs
        curves[f"{target} loss"] = np.exp(-epochs / 6) + 0.02
        curves[f"{target} r2 training"] = 1 - np.exp(-epochs / 5)
        curves[f"{target} r2 validation"] = 0.95 - np.exp(-epochs / 6)
        curves[f"{target} seconds"] = epochs * 0.1
    return curves


def _scores(targets: Sequence[str]) -> list[Score]:
    r2 = {"mean": (-0.01, -0.2), "ridge": (0.7, 0.55), "gradient boosting": (0.96, 0.9), "MLP ensemble": (0.98, 0.96), "CNN": (0.97, 0.93)}
    return [
        Score(model, target, validation, part, value + 0.01 * (part == "training"), 20.5, 3.25, 3.0, 4.5)
        for target in targets
        for model, values in r2.items()
        for validation, value in zip(("random", "blocks"), values, strict=True)
        for part in ("training", "validation")
    ]


def _null_test(target: str, rng: np.random.Generator) -> NullTest:
    surrogates = {"random": rng.normal(0.6, 0.08, 39), "blocks": rng.normal(-0.2, 0.15, 39)}
    beyond = tuple(
        Beyond(confounder, validation, 0.3, rng.normal(0, 0.03, 39), 0.025, 0.4)
        for confounder, validation in (("", "random"), ("", "blocks"), ("edge", "blocks"))
    )
    p_values, turned = {"random": 0.025, "blocks": 0.025}, {"turned by 180°": 0.01}
    return NullTest(
        target, "gradient boosting", {"random": 0.96, "blocks": 0.9}, surrogates, p_values, "", beyond, turned, 0.2, "logarithmic"
    )


def make_explanation(samples: Samples | None = None, *, level: Level = Level.INTERPRETABLE, target: str = "height") -> Explanation:
    """The explanation of a network that has learnt the law exactly, with errors of five percent of each feature's reach."""
    samples = samples or make_samples()
    x, step = samples.features, samples.features.std(axis=0)
    low, high = np.percentile(x, [2.5, 97.5], axis=0)
    grid = np.linspace(low - 0.3 * step, high + 0.3 * step, 21).T
    pixels = np.arange(0, len(samples), 5)
    ice = np.stack([_with(x[pixels], index, values) for index, values in enumerate(grid)])
    pdp = np.stack([_with(x, index, values).mean(axis=0) for index, values in enumerate(grid)])
    slope = np.stack([_slope(x, index, step[index]) for index in range(x.shape[1])])
    importance, slope_rms = pdp.std(axis=1), np.sqrt((slope**2).mean(axis=1)) * step
    band = 12.0 + 0.05 * (pdp.max(axis=1) - pdp.min(axis=1))[:, None]
    return Explanation(
        samples,
        target,
        "counts",
        make_verdict(target, level),
        samples.feature_names,
        samples.feature_units,
        grid,
        pdp,
        pdp - band,
        pdp + band,
        (grid > low[:, None]) & (grid < high[:, None]),
        (float(np.percentile(law(x), 2.5)), float(np.percentile(law(x), 97.5))),
        pixels,
        ice,
        step,
        slope,
        np.abs(slope) * 0.1 + 0.2 * np.abs(slope).max(axis=1, keepdims=True) * (samples.column > 14),
        1.6 * step[:, None] < np.abs(x - x.mean(axis=0)).T,
        importance,
        0.05 * importance + 2.0,
        slope_rms,
        tuple(int(i) for i in np.argsort(-np.maximum(importance, slope_rms))),
        (("E'.height", "2LA(M).height", 0.97),),
        **_extra(pdp, slope, importance),
        remarks=("The bands hold refits over 5 blocks.",),
        history=(*HISTORY, Record("Explain", {"features": "all", "grid": 21}, "0.1.0", 1.5)),
    )


def with_others(explanation: Explanation, *, disputed: float = 0.1, same: bool = True) -> Explanation:
    """The same beside a process that disputes a share of the pixels, and agrees or not on the first parameter."""
    slope, importance = explanation.slope * 0.9, explanation.importance.copy()
    if not same:
        importance[explanation.ranking[-1]] = 10 * importance.max()
    other = OtherModel("Gaussian process", 0.94, 0.97, importance, 0.5 * importance, explanation.pdp + 1.0, slope)
    apart = 4.0 * (np.random.default_rng(2).random(slope.shape) < disputed)
    return replace(explanation, others=(other,), disagreement=apart)


def with_questions(explanation: Explanation) -> Explanation:
    """The same with two parameters at once, regions and wavenumbers."""
    features, count = explanation.samples.features, len(explanation.samples)
    grid = np.stack([np.linspace(*np.percentile(features[:, k], [5, 95]), 11) for k in (A_HEIGHT, H_HEIGHT)])
    surface = 500 + 3 * grid[0][:, None] + 0.002 * np.multiply.outer(*grid)
    region_of = np.zeros((len(explanation.features), count), dtype=np.int64)
    region_of[A_HEIGHT] = 1 + (features[:, H_HEIGHT] > 90)
    rules = ("2LA(M) height (counts) ≤ 90", "2LA(M) height (counts) > 90")
    channels = np.stack([np.linspace(*line.window, 16) for line in LINES])
    drawn = np.exp(-((channels - channels.mean(axis=1, keepdims=True)) ** 2) / 50) * [[120.0], [400.0], [90.0]]
    return replace(
        explanation,
        pairs=(TwoParameters((A_HEIGHT, H_HEIGHT), grid, surface, 0.31, 12.5),),
        region_of=region_of,
        regions=tuple(Region(A_HEIGHT, k, rule, 90.0 * k, 0.4) for k, rule in enumerate(rules, 1)),
        answers=(
            Answer("left_out", "R² lost (left out)", "what only its peak tells", "1", grid_of_three(), 0.01 * grid_of_three(), "A1'."),
        ),
        wavenumbers=(Wavenumbers(channels, drawn, drawn / 300, np.array([0.2, 0.65, 0.15]), 256, 0.125),),
    )


def grid_of_three() -> np.ndarray:
    """A number for each parameter of three peaks."""
    return np.repeat([0.02, 0.61, 0.11], 3)


def _extra(pdp: np.ndarray, slope: np.ndarray, importance: np.ndarray) -> dict[str, np.ndarray]:
    """What else was asked: curves a little flatter than the partial dependences, and every peak worth as much as its best parameter."""
    lost = np.repeat(importance.reshape(-1, 3).max(axis=1), 3) / importance.max()
    ale = pdp.mean(axis=1, keepdims=True) + 0.9 * (pdp - pdp.mean(axis=1, keepdims=True))
    return {"curvature": slope * 0.01, "ale": ale, "permutation": lost, "permutation_error": 0.02 * lost + 0.001}


def make_recovery(*, good: bool = True) -> Recovery:
    """Scores of a law planted on the samples, found again or not."""
    return Recovery(
        law={"saturating": "A1'.height", "linear": "A1'.position", "quadratic": "A1'.fwhm", "partner": "E'.height"},
        parameters=9,
        noise=0.03,
        hidden=0.04,
        ranks={"saturating": 1, "linear": 2, "quadratic": 4 if good else 7, "partner": 3},
        model_r2=0.974 if good else 0.62,
        pdp_r2={"saturating": 0.991, "linear": 0.97, "quadratic": 0.953 if good else 0.31},
        slope_correlation={"saturating": 0.962, "quadratic": 0.911 if good else 0.4, "partner": 0.88},
        band_coverage=0.94,
        slope_coverage=0.91,
        false_slopes=0.023,
        seed=7,
        target="height",
        history=(Record("Simulate", {"seed": 7}, "0.1.0", 21.5),),
    )


def _with(x: np.ndarray, feature: int, values: np.ndarray) -> np.ndarray:
    """Law (n, grid) with one feature set to each of the values."""
    changed = np.repeat(x[:, None], len(values), axis=1)
    changed[..., feature] = values
    return law(changed)


def _slope(x: np.ndarray, feature: int, step: float) -> np.ndarray:
    move = step * np.eye(x.shape[1])[feature]
    return (law(x + move) - law(x - move)) / (2 * step)
