"""Maps that are as smooth as a measured one and have its values, but owe nothing to it: what chance looks like on this flake."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.errors import DataError
from napari_wse2xai.learning.variogram import FEWEST_PAIRS, Lags, Numbers, Raster, Variogram

SMOOTHINGS = 12
"""Gaussian kernels, from half a pixel to half of the flake's extent, of which a surrogate is mixed, beside white noise."""
WAVELENGTHS = (2.0, 1.4, 1.0, 0.75, 0.55, 0.4)
"""Of noises with one wavelength in all directions, in flake extents: they give a variogram that rises and falls again."""
WAVELENGTH_SPREAD = 0.35
"""Standard deviation of their frequency, in cycles per flake extent."""
REFITS = 4
"""Rounds in which the mixture is corrected by what the surrogates' own variogram misses."""
RELATIVE_FROM = 0.03
"""Shares of the variance well above this are matched relatively, so that the smoothness between neighbours counts as the range does."""
REACH = 0.75
"""Distances up to this share of the flake's extent are matched; without the long ones a slope across the flake is missed everywhere."""
TOLERANCE = 0.05
"""Mean deviation of the surrogates' mean variogram from the target's, as a share of the variance, above which they are no fair null."""
CHECKED_LENGTHS = 1.5
"""Distances up to this many correlation lengths are compared: beyond, chance shapes the variogram of a single map."""


def surrogates(
    values: ArrayLike, coordinates: ArrayLike, *, count: int = 99, rng: np.random.Generator | int = 0, flake: ArrayLike | None = None
) -> Numbers:
    """Draw maps with the values and the variogram of a map on an irregular flake: (count, n).

    Parameters
    ----------
    values : (n,) without NaN
    coordinates : (n, 2) y and x on a regular grid
    flake : (n,) which flake a pixel lies on, where there are several: each keeps its own values and variogram

    Notes
    -----
    Every surrogate is a sum of white noise, Gaussian-filtered noises and noises of one wavelength, drawn on a rectangle around the flake
    and cut out, whose variogram is brought to the map's by non-negative least squares; it is then given the values of the map in the order
    of its ranks, and the weights are corrected by what its variogram still misses.  Variogram matching after Burt et al. 2020 (doi
    10.1016/j.neuroimage.2020.117038), with a mixture in place of the search for one kernel.  Surrogates are stationary and alike in all
    directions: a map with two regions of different smoothness is matched on average.
    """
    y, places = np.asarray(values, dtype=np.float64), np.asarray(coordinates, dtype=np.float64)
    label = np.zeros(len(y)) if flake is None else np.asarray(flake)
    dice = np.random.default_rng(rng)
    drawn = np.empty((count, len(y)))
    for one in np.unique(label):
        here = label == one
        drawn[:, here] = _of_one_flake(y[here], Raster.of(places[here]), count, dice)
    return drawn


def variogram_misfit(values: Numbers, drawn: Numbers, coordinates: ArrayLike, flake: ArrayLike | None = None) -> float:
    """Mean deviation of surrogates' (count, n) mean variogram from the map's (n,), as a share of the variance; of flakes, the worst."""
    places = np.asarray(coordinates, dtype=np.float64)
    label = np.zeros(len(values)) if flake is None else np.asarray(flake)
    return max(_misfit(values[label == one], drawn[:, label == one], Raster.of(places[label == one])) for one in np.unique(label))


def _misfit(values: Numbers, drawn: Numbers, raster: Raster) -> float:
    lags = Lags(raster)
    wanted = lags.variogram(values)
    near = wanted.distance <= max(CHECKED_LENGTHS * wanted.length(), wanted.distance[0])
    return float(np.mean(np.abs(lags.variogram(drawn).share.mean(axis=0) - wanted.share)[near]))


def _of_one_flake(values: Numbers, raster: Raster, count: int, rng: np.random.Generator) -> Numbers:
    if len(values) < FEWEST_PAIRS or np.ptp(values) == 0 or not np.isfinite(values).all():
        raise DataError(
            f"Surrogates need at least {FEWEST_PAIRS} pixels with different values and no gaps; there are {len(values)} pixels."
        )
    lags = Lags(raster, REACH * raster.extent)
    wanted, start = lags.variogram(values), lags.variogram(_normal_scores(values))
    layers = _layers(raster, count, rng)
    # Unscaled, for variograms of independent layers add up, shares of their variances do not.
    known = lags.variogram(layers).share * layers.var(axis=-1)[..., None]
    target = np.broadcast_to(start.share, (count, len(start.share)))
    drawn = with_ranks(_mix(layers, known, target, wanted), values)
    for _ in range(REFITS):
        # Giving a normal field other values changes its variogram a little: aimed farther by as much, the next round meets it.
        target = target * wanted.share / np.maximum(lags.variogram(drawn).share.mean(axis=0), 1e-6)
        drawn = with_ranks(_mix(layers, known, target, wanted), values)
    return drawn


def _layers(raster: Raster, count: int, rng: np.random.Generator) -> Numbers:
    """Independent fields on the flake, (count, layer, n), cut from periodic rectangles of twice the flake's sides."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    shape = tuple(next_fast_len(2 * side, real=True) for side in raster.shape)
    layers = []
    for gain in _gains(raster, shape):
        noise = irfft2(rfft2(rng.standard_normal((count, *shape), dtype=np.float32)) * gain, shape)
        layers.append(noise[:, raster.index[:, 0], raster.index[:, 1]] / noise.std())
    return np.stack(layers, axis=1).astype(np.float64)


def _gains(raster: Raster, shape: tuple[int, ...]) -> list[NDArray[np.float32]]:
    """Filters of the noises, at the frequencies of a real Fourier transform: none, Gaussians, rings around one frequency."""
    rows, columns = np.fft.fftfreq(shape[0], raster.step[0]), np.fft.rfftfreq(shape[1], raster.step[1])
    frequency = np.hypot(rows[:, None], columns[None, :])
    widths = np.geomspace(0.5 * min(raster.step), 0.5 * raster.extent, SMOOTHINGS)
    # Transform of a Gaussian blur of that width: exp(-2 pi^2 width^2 frequency^2).
    smooth = [np.exp(-2.0 * (np.pi * width * frequency) ** 2) for width in widths]
    cycles = frequency * raster.extent
    rings = [np.exp(-0.5 * ((cycles - 1.0 / wavelength) / WAVELENGTH_SPREAD) ** 2) for wavelength in WAVELENGTHS]
    return [gain.astype(np.float32) for gain in (np.ones_like(frequency), *smooth, *rings)]


def _mix(layers: Numbers, known: Numbers, target: Numbers, curve: Variogram) -> Numbers:
    """Sum of each surrogate's layers whose variogram comes nearest to the one wanted (count, lag): (count, n)."""
    from scipy.optimize import nnls

    # Independent layers: variances add, and only sums without negative parts are maps; hence non-negative least squares.
    weight = np.sqrt(curve.pairs) / (curve.share + RELATIVE_FROM)
    variances = np.stack([nnls((design * weight).T, wanted * weight)[0] for design, wanted in zip(known, target, strict=True)])
    return np.asarray(np.einsum("ckn,ck->cn", layers, np.sqrt(variances)))


def _normal_scores(values: Numbers) -> Numbers:
    """Replace values (n,) by the quantiles of a normal distribution at their ranks."""
    from scipy.stats import norm, rankdata

    # Half a rank off either end: no pixel is given an infinite value.
    return np.asarray(norm.ppf((rankdata(values, method="ordinal") - 0.5) / len(values)))


def with_ranks(fields: Numbers, values: Numbers) -> Numbers:
    """Give each field (count, n) the values (n,) in the order of its ranks."""
    drawn = np.empty_like(fields)
    np.put_along_axis(drawn, np.argsort(fields, axis=1), np.broadcast_to(np.sort(values), fields.shape), axis=1)
    return drawn
