"""Standard errors and goodness of a fit, from the noise that the residuals show."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.blends import of_blends
from napari_wse2xai.numerics.local_problem import LocalProblem
from napari_wse2xai.numerics.moment_slopes import Expansion, MomentSlopes
from napari_wse2xai.numerics.noise_memory import carried
from napari_wse2xai.numerics.problem import PER_PEAK, POSITION, Problem
from napari_wse2xai.numerics.residual_noise import Noise
from napari_wse2xai.numerics.slopes import Slopes, drawn, model
from napari_wse2xai.numerics.structure import largest
from napari_wse2xai.numerics.threads import single_thread
from napari_wse2xai.numerics.weak_lines import of_weak_lines

AT_ONCE, FEWEST, MOST = 600_000, 256, 4096
"""Values of an array (pixel, n), or of derivatives, that are worked on at once, and pixels at least and at most: they stay in the cache."""
HUGE = 1e30
"""Largest variance that is kept."""
ALONE = 4.0
"""Standard deviations that a channel must reach to be looked at as a spike."""


@dataclass(frozen=True)
class Quality:
    """How well every pixel of one window was fitted."""

    error: NDArray[np.float32]
    """(pixel, peak, 4) one standard error; NaN where the data say nothing about the parameter, or it is fixed or at its bound."""
    covariance: NDArray[np.float32]
    """(pixel, peak, 3, 3) covariance of FWHM, height and form, zero for what does not vary: for the error of the area."""
    chi2: NDArray[np.float64]
    """(pixel,) sum of squared residuals over the noise variance."""
    explained: NDArray[np.float64]
    """(pixel,) R2: share of the window's variance, above its background, that the peaks explain."""
    lone: NDArray[np.float64]
    """(pixel,) largest residual, in noise standard deviations, of a channel whose neighbours fit: above about 8 it is a spike."""
    under: NDArray[np.float64]
    """(pixel, d) how much of every column of `Problem.under` lies under the peaks."""
    structure: NDArray[np.float64]
    """(pixel,) what the most significant structure of the residual is worth, in standard deviations, see `structure.largest`."""
    noise: NDArray[np.float64]
    """(pixel,) standard deviation of a channel, root mean square, counts."""
    freedom: int
    """Channels minus parameters."""
    distance: NDArray[np.float64]
    """(pixel,) by how many units of chi2 the objective could still fall, to second order: near 0 at a minimum."""


def assess(
    problem: Problem,
    counts: NDArray[np.float32],
    parameters: NDArray[np.float64],
    free: NDArray[np.bool_],
    noise: Noise | None = None,
) -> Quality:
    """Errors of a least-squares fit with a position penalty, and how good it is.

    Parameters
    ----------
    problem : what was fitted
    counts : (pixel, n) counts
    parameters : (pixel, peak, 4)
    free : (pixel, peak, 4) False where a parameter lies at its bound and so has no error of its own
    noise : None reads it off these spectra

    Notes
    -----
    The objective weighs channels alike (the paper's) or as set, but shot noise does neither: the covariance is the sandwich
    ``A^-1 (J^T V J) A^-1`` with ``A = J^T J + penalty`` and V the channels' variances.  V is a constant of each pixel plus a gain times the
    fitted signal, both read off the differences of neighbouring residuals, which a slow misfit does not raise; a misfit shows in chi2.
    Ties carry over: with ``all = L fitted`` the covariance of all parameters is ``L C L^T``.  Sums over channels are taken in single
    precision, all matrices are inverted in double.
    """
    from napari_wse2xai.numerics import moments

    noise = noise or Noise.of(problem, counts, parameters)
    expansion = (
        Expansion(problem, parameters) if moments.applies(problem) and problem.straight and len(counts) and not noise.memory else None
    )
    each = len(problem.x) * (1 if expansion else len(problem.rows) + 1)
    # As many pixels as fit into the cache with all that is worked out of them.
    size = min(max(AT_ONCE // each, FEWEST), MOST)
    chunks = [slice(first, first + size) for first in range(0, len(counts), size)] or [slice(0, 0)]

    def work(part: slice) -> dict[str, NDArray[Any]]:
        with torch.inference_mode():
            return _of_some(problem, counts[part], parameters[part], free[part], noise, expansion)

    if len(chunks) == 1:
        with single_thread():
            parts = [work(chunks[0])]
    else:
        with single_thread(), ThreadPoolExecutor(max_workers=min(len(chunks), os.cpu_count() or 1, 8)) as pool:
            parts = list(pool.map(work, chunks))
    names = [each.name for each in fields(Quality) if each.name != "freedom"]
    return Quality(
        freedom=len(problem.x) - len(problem.leaders) - problem.background.shape[1],
        **{name: np.concatenate([part[name] for part in parts]) for name in names},
    )


def located(
    problem: Problem, counts: NDArray[np.float32], parameters: NDArray[np.float64], free: NDArray[np.bool_], noise: Noise
) -> tuple[Slopes, LocalProblem, NDArray[np.float32], NDArray[np.float32]]:
    """Slopes at the parameters of some fits, the problem about them, and the variance of every channel there, plain and weighted."""
    slopes = Slopes(problem, parameters)
    residual = problem.without_background((counts - slopes.fitted) * problem.root) / problem.root
    variance = noise.variance(residual.astype(np.float32), slopes.fitted)
    local = LocalProblem(problem, slopes, parameters, free, problem.pull(counts))
    return slopes, local, variance, variance * problem.root.astype(np.float32) ** 2


def correlations(
    problem: Problem, counts: NDArray[np.float32], parameters: NDArray[np.float64], free: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Correlations of all parameters, from the covariance that `assess` takes the errors from.

    Returns
    -------
    (pixel, 4 peak, 4 peak) parameters in the order of the peaks; NaN where a parameter has no error
    """
    noise = Noise.of(problem, counts, parameters)
    _, local, _, weighted = located(problem, counts, parameters, free, noise)
    covariance = np.moveaxis(local.covariance(weighted, noise.memory), -1, 0)
    # What has no error has no correlation either.
    error = np.sqrt(np.where(local.known.T, np.einsum("bii->bi", covariance), np.nan))
    result = np.full((len(counts), *2 * (PER_PEAK * len(problem.shapes),)), np.nan)
    result[:, problem.rows[:, None], problem.rows] = covariance / error[:, :, None] / error[:, None, :]
    return result


@dataclass(frozen=True)
class Joint:
    """How all that was fitted in a window errs together, and with the light of some bands."""

    parameters: NDArray[np.float64]
    """(pixel, q, q) covariance of all that varies, in the order of `Problem.rows`."""
    bands: NDArray[np.float64]
    """(pixel, q, band) covariance of the parameters with the bands."""
    light: NDArray[np.float64]
    """(pixel, band, band) covariance of the part of the bands' light that lies in the window."""


def joint(
    problem: Problem,
    counts: NDArray[np.float32],
    parameters: NDArray[np.float64],
    free: NDArray[np.bool_],
    noise: Noise,
    bands: NDArray[np.float64],
) -> Joint:
    """Covariances for the errors of what is worked out of parameters and of bands' light.

    Parameters
    ----------
    bands : (n, band) weight of every channel of the window in each band
    """
    _, local, variance, weighted = located(problem, counts, parameters, free, noise)
    whole = local.covariance(weighted, noise.memory)
    by = of_blends(local, whole, weighted, noise.memory).reshape(len(counts), -1)[:, problem.rows]
    whole = np.moveaxis(whole, -1, 0) * by[:, :, None] * by[:, None, :]
    shared, crossed = np.empty((*variance.shape, bands.shape[1]), dtype=np.float32), np.empty((*whole.shape[:2], bands.shape[1]))
    for k, band in enumerate(bands.T.astype(np.float32)):
        shared[..., k] = _coloured(variance, noise.memory, band)
        crossed[..., k] = local.crossed(shared[..., k] * problem.root.astype(np.float32)) * by
    return Joint(whole, crossed, np.einsum("na,pnb->pab", bands, shared))


def _coloured(variance: NDArray[np.float32], memory: tuple[float, ...], band: NDArray[np.float32]) -> NDArray[np.float32]:
    """(pixel, n) covariance of every channel with a weighted sum of channels (n,)."""
    if not memory:
        return variance * band
    sigma = np.sqrt(variance)
    return np.asarray(sigma * carried(sigma * band, memory), dtype=np.float32)


def _of_some(
    problem: Problem,
    counts: NDArray[np.float32],
    parameters: NDArray[np.float64],
    free: NDArray[np.bool_],
    noise: Noise,
    expansion: Expansion | None,
) -> dict[str, NDArray[Any]]:
    """Fields of `Quality` for some pixels: from moments, where these can be trusted."""
    quick = np.zeros(len(counts), dtype=bool) if expansion is None else expansion.trusted(parameters)
    if expansion and quick.all():
        return _of_chunk(problem, MomentSlopes(expansion, parameters), counts, parameters, free, noise)
    if not quick.any():
        return _of_chunk(problem, Slopes(problem, parameters), counts, parameters, free, noise)
    rows = [np.flatnonzero(quick), np.flatnonzero(~quick)]
    parts = [_of_some(problem, counts[each], parameters[each], free[each], noise, expansion) for each in rows]
    order = np.argsort(np.concatenate(rows))
    return {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}


def _of_chunk(
    problem: Problem,
    slopes: Slopes | MomentSlopes,
    counts: NDArray[np.float32],
    parameters: NDArray[np.float64],
    free: NDArray[np.bool_],
    noise: Noise,
) -> dict[str, NDArray[Any]]:
    """Fields of `Quality` for some pixels."""
    background, plainly, root = problem.background.astype(np.float32), problem.weights is None, problem.root.astype(np.float32)
    lit: NDArray[np.float32] = slopes.fitted if plainly else slopes.fitted * root
    residual: NDArray[np.float32] = (counts if plainly else counts * root) - lit
    below = residual @ background
    residual -= below @ background.T
    plain = residual if plainly else residual / root
    variance = noise.variance(plain, slopes.fitted)
    local = LocalProblem(problem, slopes, parameters, free, problem.pull(counts))
    weighted = variance if plainly else variance * root**2
    full = local.covariance(weighted, noise.memory, flat=noise.flat and plainly)
    power, left = (variance[:, :1] if noise.flat else variance).mean(axis=1, dtype=np.float64), _squares(residual)
    # Where all channels of a pixel are equally noisy its residual need not be divided channel by channel.
    sigma, standard = (np.sqrt(variance[:, 0]), plain) if noise.flat else (np.float32(1.0), plain / np.sqrt(variance))
    return {
        **_errors(local, full, of_blends(local, full, weighted, noise.memory, flat=noise.flat and plainly)),
        "chi2": (left if noise.flat and plainly else _squares(standard)) / np.asarray(sigma, dtype=np.float64) ** 2,
        "explained": _explained(residual, left, lit, background),
        "lone": _lone(standard, sigma),
        "structure": largest(standard, noise.memory) / sigma,
        "noise": np.sqrt(power),
        "under": below @ problem.unmixed.T,
        "distance": local.distance(residual) / power,
    }


def _errors(local: LocalProblem, full: NDArray[np.float64], blended: NDArray[np.float64]) -> dict[str, NDArray[np.float32]]:
    """Errors, and covariances for the area, those of weak lines and of blends raised."""
    error = local.errors(full)
    by = blended * of_weak_lines(local.parameters, error, local.problem.start)
    return {"error": _single(error * by), "covariance": _single(local.of_shape(full) * by[..., 1:, None] * by[..., None, 1:])}


def _single(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """In single precision, what is beyond its range drawn in: these are kept for every peak of every pixel."""
    return np.clip(values, -HUGE, HUGE).astype(np.float32)


def _explained(
    residual: NDArray[np.floating], left: NDArray[np.float64], lit: NDArray[np.floating], background: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(pixel,) share of the squared spectrum, without its background, that the peaks `lit` (pixel, n) explain.

    That spectrum is the residual, whose squares sum up to `left` and which has no background, and the peaks without what the background
    takes of them.
    """
    total = left + 2 * np.einsum("bn,bn->b", residual, lit) + _squares(lit) - _squares(lit @ background)
    return np.asarray(1.0 - left / np.maximum(total, 1e-300))


def _squares(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """(pixel,) sums of squares."""
    return np.asarray(np.einsum("bn,bn->b", values, values), dtype=np.float64)


def standardised(problem: Problem, counts: NDArray[np.float32], parameters: NDArray[np.float64], noise: Noise) -> NDArray[np.float32]:
    """What a fit leaves of each spectrum, over the noise of the channel, (pixel, n)."""
    fitted, root, under = drawn(problem, parameters), problem.root.astype(np.float32), problem.background.astype(np.float32)
    residual = (counts - fitted) * root
    residual = np.asarray((residual - (residual @ under) @ under.T) / root, dtype=np.float32)
    return np.asarray(residual / np.sqrt(noise.variance(residual, fitted)), dtype=np.float32)


def left_over(problem: Problem, counts: NDArray[np.float32], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a fit leaves of each spectrum, weighted and without the best background, (pixel, n) counts."""
    return problem.without_background((counts - model(problem.x, problem.shapes, parameters, problem.width)) * problem.root)


def objective(problem: Problem, counts: NDArray[np.float32], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the solvers minimise, (pixel,) counts^2."""
    pull = problem.pull(counts) * (parameters[..., POSITION] - problem.anchor) ** 2
    return np.asarray((left_over(problem, counts, parameters) ** 2).sum(axis=1) + pull.sum(axis=1))


def _lone(residual: NDArray[np.floating], sigma: NDArray[np.float32] | np.float32) -> NDArray[np.float64]:
    """(pixel,) largest residual (pixel, n), over the noise, that stands three times above those two channels away; 0 below `ALONE`."""
    result, noise = np.zeros(len(residual)), np.broadcast_to(sigma, len(residual))
    rows = np.flatnonzero(residual.max(axis=1, initial=0.0) > ALONE * noise)
    beside = np.abs(residual[rows])
    # A line that was missed is wider than two channels, a ray is not.
    beside = 3.0 * np.maximum(beside[:, :-4], beside[:, 4:])
    middle = residual[rows, 2:-2]
    result[rows] = np.where(middle > beside, middle, 0.0).max(axis=1, initial=0.0) / noise[rows]
    return result
