"""Maps whose lines are as narrow as those of real monolayer WSe2 at high resolution, made without any of the code that is tested.

Voigt profiles of scipy, averaged over each channel; every line of every pixel has a height, a place and a width of its own, drawn without
regard to its neighbours: nothing is smooth over the map.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import voigt_profile

LINES = (  # position, Lorentzian FWHM, height; measured on monolayers at 532 nm, 0.5 cm-1 per channel
    (119.8, 3.0, 500.0),
    (138.0, 3.0, 350.0),
    (218.6, 17.5, 130.0),
    (240.8, 10.0, 330.0),
    (250.08, 1.0, 9000.0),
    (257.2, 2.3, 300.0),
    (260.8, 4.2, 700.0),
    (278.0, 29.0, 160.0),
    (360.4, 1.6, 220.0),
    (374.5, 2.4, 420.0),
    (396.0, 11.0, 200.0),
)
TOP = 4
"""Which of them is A1'."""
INSTRUMENT = 0.7
"""FWHM of the spectrometer's Gaussian, cm-1: A1' comes out 1.36 wide, 2.7 channels."""
SUBSAMPLES = 5


@dataclass(frozen=True)
class NarrowFlake:
    counts: np.ndarray
    """(ny, nx, n) with shot and read noise."""
    clean: np.ndarray
    axis: np.ndarray
    flake: np.ndarray

    @property
    def sigma(self) -> np.ndarray:
        return np.sqrt(self.clean + 7.0**2)

    def top(self) -> np.ndarray:
        """(ny, nx) channel of the highest count about A1'."""
        near = np.flatnonzero(np.abs(self.axis - LINES[TOP][0]) < 2.5)
        return near[self.clean[:, :, near].argmax(axis=2)]


def narrow_flake(shape=(30, 34), *, seed=0, spread=0.3, step=0.51, all_flake=False) -> NarrowFlake:
    rng = np.random.default_rng(seed)
    axis = 100 + step * np.arange(700) + 1e-5 * np.arange(700) ** 2
    y, x = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    flake = np.ones(shape, bool) if all_flake else (y + 0.6 * x > 0.42) & (y - 0.9 * x < 0.6) & (x < 0.93)
    number = int(flake.sum())
    light = np.zeros((number, len(axis)))
    for position, fwhm, height in LINES:
        at = position + rng.normal(0, 0.12, number)
        own = fwhm * rng.uniform(0.9, 1.25, number)
        light += height * rng.lognormal(0, spread, number)[:, None] * profile(axis, at, own)
    clean = np.zeros((*shape, len(axis)))
    clean += 220 + 60 * np.exp(-((axis - 100) / 60)) + rng.normal(0, 6, (*shape, 1))
    clean[~flake] += 3000 * profile(axis, np.full((~flake).sum(), 450.0), np.full((~flake).sum(), 4.0))
    clean[flake] += light
    counts = rng.poisson(clean) + rng.normal(0, 7, clean.shape)
    return NarrowFlake(counts.astype(np.float32), clean, axis, flake)


def profile(axis, position, fwhm, instrument=INSTRUMENT):
    """(m, n) Voigt lines, averaged over each channel, as high as 1 where not averaged; far from the top the instrument changes nothing."""
    sigma = instrument / np.sqrt(8 * np.log(2))
    gamma = fwhm[:, None] / 2
    edges = np.concatenate([[1.5 * axis[0] - 0.5 * axis[1]], 0.5 * (axis[1:] + axis[:-1]), [1.5 * axis[-1] - 0.5 * axis[-2]]])
    result = gamma / np.pi / ((axis - position[:, None]) ** 2 + gamma**2)
    near = np.flatnonzero(np.abs(axis - np.mean(position)) < 7)
    inside = edges[near, None] + np.diff(edges)[near, None] * (np.arange(SUBSAMPLES) + 0.5) / SUBSAMPLES
    result[:, near] = voigt_profile(inside - position[:, None, None], sigma, gamma[..., None]).mean(axis=2)
    return result / voigt_profile(0.0, sigma, gamma)


def hit(flake: NarrowFlake, rng: np.random.Generator, how: str) -> tuple[np.ndarray, np.ndarray]:
    """Counts with cosmic rays, and the hits (m, 4): row, column, first channel, width.

    ``how`` is "anywhere", "on top" (one of its channels is that of A1') or "two neighbours" (in the same channels).
    """
    ny, nx, n = flake.counts.shape
    rows, columns = np.mgrid[1 : ny - 1 : 4, 1 : nx - 2 : 5].reshape(2, -1)
    keep = flake.flake[rows, columns]
    rows, columns = rows[keep], columns[keep]
    width = rng.integers(1, 4, len(rows))
    first = rng.integers(5, n - 8, len(rows))
    if how != "anywhere":
        on_top = flake.top()[rows, columns] - rng.integers(0, width)
        first = on_top if how == "on top" else np.where(rng.random(len(rows)) < 0.5, on_top, first)
    hits = np.stack([rows, columns, first, width], axis=1)
    if how == "two neighbours":
        hits = np.concatenate([hits, hits + np.array([0, 1, 0, 0])])
    counts = flake.counts.copy()
    for row, column, at, wide in hits:
        line = (flake.clean[row, column] - 250)[at : at + wide].max()
        amplitude = max(line, 300.0) * np.exp(rng.uniform(np.log(0.7), np.log(6.0)))
        shares = np.array([[1.0, 0, 0], [1.0, rng.uniform(0.3, 1.0), 0], [rng.uniform(0.2, 0.8), 1.0, rng.uniform(0.2, 0.8)]])
        counts[row, column, at : at + wide] += (amplitude * shares[wide - 1][:wide]).astype(np.float32)
    return counts, hits
