"""Fluorescence that is more here and less there, beside the lines: FindFlake is blind to it, whatever it does to the spectra's curve."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.stages import FindFlake

Array = NDArray[np.float64]
SHAPE = (34, 41)
X = np.arange(225.0, 295.0, 0.6)
NM = np.arange(690.0, 850.0, 1.2)
SEEDS = range(4)


def gaussian(x: Array, centre: float, fwhm: float) -> Array:
    return np.exp(-4 * np.log(2) * ((x - centre) / fwhm) ** 2)


def lorentzian(x: Array, centre: float, fwhm: float) -> Array:
    return 1 / (1 + 4 * ((x - centre) / fwhm) ** 2)


def field(rng: np.random.Generator, size: float = 8.0) -> Array:
    """(ny, nx) as smooth as it may be, of variance 1."""
    smooth = gaussian_filter(rng.normal(size=SHAPE), size)
    return (smooth - smooth.mean()) / smooth.std()


def triangle() -> NDArray[np.bool_]:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return (y > 8) & (y < 27) & (np.abs(x - 19) < 0.7 * (y - 8))


def raman(rng: np.random.Generator, glow: Array, flake: Array) -> SpectralMap:
    """Two lines 40 and 20 noise standard deviations high, where `flake` (ny, nx) says how much, on `glow` (ny, nx, n)."""
    lines = 400 * lorentzian(X, 250, 4) + 200 * lorentzian(X, 262, 6)
    counts = (flake * (1 + 0.2 * field(rng)))[..., None] * lines + glow + 100 + 10 * rng.normal(size=(*SHAPE, len(X)))
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT)


def shares(found: SpectralMap, flake: NDArray[np.bool_]) -> tuple[float, float]:
    """Of the flake: what was missed, and what was invented."""
    assert found.flake is not None
    return (flake & ~found.flake).sum() / flake.sum(), (found.flake & ~flake).sum() / flake.sum()


def tail(rng: np.random.Generator) -> Array:
    return (1 + 0.5 * field(rng)).clip(0, 3)[..., None] * 800 * np.exp(-(X - 180) / 45)


def both_ways(rng: np.random.Generator) -> Array:
    return 400 * field(rng)[..., None] * ((X - 255) / 60) ** 2


def beside(rng: np.random.Generator) -> Array:
    return (~triangle() * np.exp(0.5 * field(rng)))[..., None] * 900 * gaussian(X, 180, 200)


def particles(rng: np.random.Generator) -> Array:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    spots = sum(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 6) for cy, cx in ((4, 6), (4, 33), (30, 6), (22, 36)))
    return 1000 * spots[..., None] * gaussian(X, rng.uniform(230, 290), 60)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [tail, both_ways, beside, particles])
def test_lines_tell_the_flake_whatever_glows(kind: object, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = FindFlake()(raman(rng, kind(rng), triangle()))  # type: ignore[operator]
    missed, invented = shares(found, triangle())
    assert missed < 0.05 and invented < 0.15


@pytest.mark.filterwarnings("ignore:The top left corner")
@pytest.mark.parametrize("thin", [0.03, 0.08])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_little_of_the_lines_beside_the_flake_does_not_hide_it(thin: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = FindFlake(corner="top left")(raman(rng, np.zeros(()), np.where(triangle(), 1.0, thin)))
    missed, invented = shares(found, triangle())
    assert missed < 0.05 and invented < 0.1


def luminescence(rng: np.random.Generator, glow: Array) -> SpectralMap:
    """An exciton and beside it a trion, whose share goes from none to all: mixtures of both may be as smooth as a curve."""
    much = triangle() * np.exp(0.3 * field(rng))
    share = (0.5 + 0.4 * field(rng, 5)).clip(0, 1)
    bands = ((1 - share)[..., None] * gaussian(NM, 755, 28) + share[..., None] * gaussian(NM, 772, 38)) * much[..., None]
    counts = 1000 * bands + glow + 200 + 30 * rng.normal(size=(*SHAPE, len(NM)))
    return SpectralMap.from_arrays(counts.astype(np.float32), NM, AxisKind.WAVELENGTH)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bright", [0, 600, 1500])
def test_luminescence_is_told_from_uneven_fluorescence_and_not_taken_for_it(bright: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    glow = bright * np.exp(0.7 * field(rng))[..., None] * gaussian(NM, rng.uniform(650, 880), rng.uniform(120, 260))
    missed, invented = shares(FindFlake()(luminescence(rng, glow)), triangle())
    assert missed < 0.1 and invented < 0.2
