"""Maps that are as smooth as a measured one and have its values, but owe nothing to it: what chance looks like on this flake."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.errors import DataError
from napari_wse2xai.learning.variogram import FEWEST_PAIRS, Numbers, Raster, Variogram, variogram

SMOOTHINGS = 12
"""Gaussian kernels, from half a pixel to `WIDEST` of the flake's extent, of which a surrogate is mixed, beside white noise."""
DRAWS = 1
"""Fields per kernel: more give the mixture more to choose from."""
WIDEST = 0.5
REFITS = 3
"""Rounds in which the mixture is corrected by what the surrogates' own variogram misses."""
TOLERANCE = 0.15
"""Mean deviation of the surrogates' mean variogram from the target's, as a share of the variance, above which they are no fair null."""
CHECKED_SHARE = 0.5
"""Distances up to this share of the flake's extent are compared."""


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
    The normal scores of the values have a variogram; non-negative least squares fits it by those of white noises under Gaussian filters and
    a nugget.  Fields of that mixture are drawn on a rectangle around the flake, cut out, and given the values of the map in the order of
    their ranks.  Variogram matching after Burt et al. 2020 (doi 10.1016/j.neuroimage.2020.117038), here without a search.  Surrogates are
    stationary: a map with two regions of different smoothness is matched on average.
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
    reach = CHECKED_SHARE * raster.extent
    wanted, got = variogram(values, raster, reach=reach), variogram(drawn, raster, reach=reach)
    return float(np.average(np.abs(got.share.mean(axis=0) - wanted.share), weights=wanted.pairs))


def _of_one_flake(values: Numbers, raster: Raster, count: int, rng: np.random.Generator) -> Numbers:
    if len(values) < FEWEST_PAIRS or np.ptp(values) == 0 or not np.isfinite(values).all():
        raise DataError(
            f"Surrogates need at least {FEWEST_PAIRS} pixels with different values and no gaps; there are {len(values)} pixels."
        )
    scores = _normal_scores(values)
    wanted = variogram(scores, raster)
    layers = _layers(raster, count, rng)
    known = variogram(layers, raster).share
    target = np.broadcast_to(wanted.share, (count, len(wanted.share)))
    for _ in range(REFITS):
        drawn = _with_ranks(_mix(layers, known, target, wanted), scores)
        target = np.maximum(target + wanted.share - variogram(drawn, raster).share, 0.0)
    return _with_ranks(_mix(layers, known, target, wanted), values)


def _layers(raster: Raster, count: int, rng: np.random.Generator) -> Numbers:
    """Independent fields (count, layer, n) of unit variance on the flake: white noise, and Gaussian-filtered noise of many widths."""
    widths = np.repeat(np.geomspace(0.5 * min(raster.step), WIDEST * raster.extent, SMOOTHINGS), DRAWS)
    white = rng.standard_normal((count, len(raster.index)))
    layers = np.stack([white, *(_field(raster, float(width), count, rng) for width in widths)], axis=1)
    layers -= layers.mean(axis=-1, keepdims=True)
    return np.asarray(layers / layers.std(axis=-1, keepdims=True))


def _mix(layers: Numbers, known: Numbers, target: Numbers, curve: Variogram) -> Numbers:
    """Sum of each surrogate's layers whose variogram comes nearest to the one wanted (count, lag): (count, n)."""
    from scipy.optimize import nnls

    weight = np.sqrt(curve.pairs) / (curve.share + 0.1)
    variances = np.stack([nnls((design * weight).T, wanted * weight)[0] for design, wanted in zip(known, target, strict=True)])
    return np.asarray(np.einsum("ckn,ck->cn", layers, np.sqrt(variances)))


def _field(raster: Raster, width: float, count: int, rng: np.random.Generator) -> Numbers:
    """Gaussian-filtered noise on the flake (count, n)."""
    sides = [int(np.ceil(side + 6 * width / step)) for side, step in zip(raster.shape, raster.step, strict=True)]
    noise = _filtered_noise(rng, count, sides, [width / step for step in raster.step])
    return np.asarray(noise[:, raster.index[:, 0], raster.index[:, 1]], dtype=np.float64)


def _filtered_noise(rng: np.random.Generator, count: int, sides: list[int], widths: list[float]) -> NDArray[np.float32]:
    """White noise under a Gaussian filter (count, ny, nx), periodic."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    shape = tuple(next_fast_len(side, real=True) for side in sides)
    spectrum = rfft2(rng.standard_normal((count, *shape), dtype=np.float32))
    frequencies = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    spectrum *= np.exp(-2.0 * np.pi**2 * sum((width * f) ** 2 for width, f in zip(widths, frequencies, strict=True))).astype(np.float32)
    return np.asarray(irfft2(spectrum, shape), dtype=np.float32)


def _normal_scores(values: Numbers) -> Numbers:
    """Replace values (n,) by the quantiles of a normal distribution at their ranks."""
    from scipy.stats import norm, rankdata

    return np.asarray(norm.ppf((rankdata(values, method="ordinal") - 0.5) / len(values)))


def _with_ranks(fields: Numbers, values: Numbers) -> Numbers:
    """Give each field (count, n) the values (n,) in the order of its ranks."""
    drawn = np.empty_like(fields)
    np.put_along_axis(drawn, np.argsort(fields, axis=1), np.broadcast_to(np.sort(values), fields.shape), axis=1)
    return drawn
