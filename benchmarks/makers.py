"""Tables of flakes with known laws, made in two ways that share nothing with `napari_wse2xai.synthetic` nor with `explaining.planted`.

Written before any model was tuned on them, and not to be edited after: a model that is made better on one maker must be so on the others.

``anisotropic``: every parameter has a smooth field of its own, each with its own reach and grain; PL follows other forms than those that
`simulate` plants (a quotient, a bell, a soft threshold, the lesser of two heights); counting noise; a part of PL is a field that RS does
not show.

``domains``: a crystal of grains with steps between them, an edge that differs from the middle, and a scan whose focus drifts line by line,
there and back, which moves all heights and PL alike; PL follows a sigmoid, a power and a kink.

PL follows the true parameters; what is learnt from are measured ones, a tenth of their spread off.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from napari_wse2xai.data import Frame, Line, Samples

Numbers = NDArray[np.float64]
SHAPE = (38, 45)
LINES = tuple(Line(name, "lorentzian", (place - 20.0, place + 20.0)) for name, place in (
    ("L1", 190.0), ("L2", 215.0), ("L3", 240.0), ("L4", 262.0), ("L5", 300.0), ("L6", 345.0), ("L7", 375.0), ("L8", 398.0)
))  # fmt: skip
POSITION, WIDTH, HEIGHT = range(3)
WEAK = 0.02
"""Share of the largest effect below which a parameter counts as one that does nothing."""


@dataclass(frozen=True, eq=False)
class Made:
    """A flake's table and the law behind it."""

    samples: Samples
    law: Callable[[Numbers], Numbers]
    """PL without noise for a table (n, column), in counts."""

    def predict(self, table: Numbers) -> Numbers:
        """Same as `law`, for what explains estimators."""
        return self.law(np.asarray(table, dtype=np.float64))


def _column(line: int, parameter: int) -> int:
    return 3 * line + parameter


def _field(rng: np.random.Generator, reach: tuple[float, float], turn: float = 0.0) -> Numbers:
    """Gaussian random field of unit spread on the grid, with a reach in pixels along each of two axes that may be turned."""
    big = 2 * max(SHAPE)
    rough = gaussian_filter(rng.standard_normal((big, big)), reach, mode="wrap")
    y, x = np.indices(SHAPE) - np.array(SHAPE)[:, None, None] / 2
    row, column = np.cos(turn) * y - np.sin(turn) * x, np.sin(turn) * y + np.cos(turn) * x
    turned = rough[np.round(row + big / 2).astype(int) % big, np.round(column + big / 2).astype(int) % big]
    return np.asarray((turned - turned.mean()) / turned.std())


def _raw(standard: Numbers, rng: np.random.Generator) -> tuple[Numbers, Numbers, Numbers]:
    """Columns in their units: true ones (n, column), errors of measuring them, and centre and scale (2, column)."""
    centres, scales = [], []
    for line in LINES:
        level = rng.uniform(80, 900)
        centres += [np.mean(line.window), rng.uniform(3, 12), level]
        scales += [rng.uniform(0.15, 0.6), rng.uniform(0.2, 0.8), 0.16 * level]
    centre, scale = np.array(centres), np.array(scales)
    errors = np.broadcast_to(0.1 * scale, standard.shape).copy()
    true = centre + scale * np.clip(standard, -4, 4)
    return true, errors, np.stack([centre, scale])


def _samples(features: Numbers, errors: Numbers, light: Numbers, light_errors: Numbers, flake: NDArray[np.bool_], name: str) -> Samples:
    row, column = np.nonzero(flake)
    return Samples(
        LINES,
        "cm-1",
        "counts",
        features,
        errors,
        np.zeros(features.shape, dtype=bool),
        ("height",),
        ("counts",),
        light[:, None],
        light_errors[:, None],
        "PL",
        np.zeros(len(row), dtype=np.int64),
        row,
        column,
        (Frame(SHAPE, (0.5, 0.5), (0.0, 0.0), name),),
        (name,),
    )


def anisotropic(seed: int) -> Made:
    """Independent fields of different grain; a quotient, a bell, a soft threshold, the lesser of two; counting noise; a hidden field."""
    rng = np.random.default_rng([7, seed])
    flake = _blob(rng)
    maps = [_field(rng, tuple(rng.uniform(1.2, 7.0, 2)), rng.uniform(0, np.pi)) for _ in range(3 * len(LINES))]
    standard = np.stack([each[flake] for each in maps], axis=1)
    true, errors, units = _raw(standard, rng)
    chosen = rng.permutation(len(LINES))

    def law(table: Numbers) -> Numbers:
        z = np.clip((table - units[0]) / units[1], -4, 4)
        first, bell, threshold = (z[:, _column(chosen[k], kind)] for k, kind in ((0, HEIGHT), (1, POSITION), (2, WIDTH)))
        lesser = np.minimum(z[:, _column(chosen[3], HEIGHT)], z[:, _column(chosen[4], HEIGHT)])
        strong = np.exp(0.5 * first)
        quotient = 3.5 * strong / (1 + strong)
        return np.asarray(900 + 260 * (quotient + np.exp(-((bell - 0.6) ** 2)) + 0.5 * np.logaddexp(0, 1.5 * threshold) + 0.35 * lesser))

    clean = law(true)
    hidden = 0.25 * clean.std() * _field(rng, (5.0, 3.0))[flake]
    counted = np.sqrt(np.maximum(clean, 1.0)) * 1.2
    light = clean + hidden + counted * rng.standard_normal(len(clean))
    measured = true + errors * rng.standard_normal(true.shape)
    return Made(_samples(measured, errors, light, counted, flake, f"anisotropic {seed}"), law)


def domains(seed: int) -> Made:
    """Grains with steps, another edge, and a focus that drifts along the scan; a sigmoid, a power and a kink."""
    rng = np.random.default_rng([11, seed])
    flake = _blob(rng)
    seeds = rng.uniform(0, 1, (9, 2)) * SHAPE
    y, x = np.indices(SHAPE)
    grain = np.argmin((y[None] - seeds[:, 0, None, None]) ** 2 + (x[None] - seeds[:, 1, None, None]) ** 2, axis=0)
    edge = np.exp(-distance_transform_edt(flake) / 3.0)
    shared = [_field(rng, (4.0, 4.0)) for _ in range(3)]
    maps = []
    for _ in range(3 * len(LINES)):
        mixed = sum(weight * each for weight, each in zip(rng.normal(size=3), shared, strict=True))
        own = rng.normal(size=len(seeds))[grain] + rng.normal() * 1.5 * edge + 0.6 * mixed + 0.5 * _field(rng, (2.5, 2.5))
        maps.append((own - own[flake].mean()) / own[flake].std())
    standard = np.stack([each[flake] for each in maps], axis=1)
    true, errors, units = _raw(standard, rng)
    chosen = rng.permutation(len(LINES))

    def law(table: Numbers) -> Numbers:
        z = np.clip((table - units[0]) / units[1], -4, 4)
        sigmoid = 1 / (1 + np.exp(-1.8 * z[:, _column(chosen[0], POSITION)]))
        power = np.maximum(1 + 0.16 * z[:, _column(chosen[1], HEIGHT)], 0.05) ** 2.2
        kink = np.maximum(z[:, _column(chosen[2], WIDTH)] + 0.2, 0.0)
        return np.asarray(700 * power * (0.6 + 0.8 * sigmoid) - 110 * kink + 400)

    clean = law(true)
    drift = 1 + 0.05 * np.cumsum(rng.normal(size=SHAPE[0]))[:, None] / np.sqrt(SHAPE[0]) * np.ones(SHAPE)
    drift[1::2] += 0.01  # there and back
    focus = drift[flake]
    noise = 0.04 * clean.std() * np.ones(len(clean))
    light = clean * focus + noise * rng.standard_normal(len(clean))
    true[:, HEIGHT::3] *= focus[:, None]
    measured = true + errors * rng.standard_normal(true.shape)
    return Made(_samples(measured, errors, light, noise, flake, f"domains {seed}"), law)


def _blob(rng: np.random.Generator) -> NDArray[np.bool_]:
    """A lopsided flake that fills about two thirds of the grid."""
    y, x = (np.indices(SHAPE) / np.array(SHAPE)[:, None, None] - 0.5) * 2
    angle, radius = np.arctan2(y, x), np.hypot(y, x)
    waves = sum(0.16 / k * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (1, 2, 3, 5))
    return np.asarray(radius < 0.86 + waves)


MAKERS: dict[str, Callable[[int], Made]] = {"anisotropic": anisotropic, "domains": domains}
