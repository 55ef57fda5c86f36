"""Standard errors and goodness of a fit, from the noise that the residuals show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import DERIVATIVES, SHAPES
from napari_wse2xai.numerics.noise import variance_line
from napari_wse2xai.numerics.problem import Problem

CHUNK = 256
"""Pixels whose Jacobians are held at once."""


@dataclass(frozen=True)
class Quality:
    """How well every pixel of one window was fitted."""

    error: NDArray[np.float64]
    """(pixel, peak, 3) one standard error; NaN where the data say nothing about the parameter."""
    chi2: NDArray[np.float64]
    """(pixel,) sum of squared residuals over the noise variance."""
    freedom: int
    """Channels minus parameters."""
    distance: NDArray[np.float64]
    """(pixel,) by how many units of chi2 the objective could still fall, to second order: near 0 at a minimum."""


def assess(problem: Problem, counts: NDArray[np.float32], parameters: NDArray[np.float64], free: NDArray[np.bool_]) -> Quality:
    """Errors of an unweighted least-squares fit with a position penalty, and how good it is.

    Parameters
    ----------
    problem : what was fitted
    counts : (pixel, n) counts
    parameters : (pixel, peak, 3)
    free : (pixel, peak, 3) False where a parameter lies at its bound and so has no error of its own

    Notes
    -----
    The objective weighs all channels alike (the paper's), but shot noise does not: the covariance is the sandwich
    ``A^-1 (J^T V J) A^-1`` with ``A = J^T J + penalty`` and V the channels' variances.  V is a constant of each pixel plus a gain times the
    fitted signal, both read off the differences of neighbouring residuals, which a slow misfit does not raise; a misfit shows in chi2.
    """
    fitted = model(problem.x, problem.shapes, parameters)
    residual = problem.without_background(counts - fitted)
    pull = problem.pull(counts)
    variance = residual_variance(residual, fitted)
    error = np.empty_like(parameters)
    distance = np.empty(len(counts))
    for first in range(0, len(counts), CHUNK):
        part = slice(first, first + CHUNK)
        jacobian = _jacobian(problem, parameters[part]) * free[part].reshape(len(free[part]), 1, -1)
        covariance, inverse = _sandwich(jacobian, variance[part], pull[part])
        error[part] = np.sqrt(np.einsum("bii->bi", covariance)).reshape(error[part].shape)
        downhill = np.einsum("bni,bn->bi", jacobian, residual[part])
        held = (parameters[part, :, 2] <= 0) & (downhill[:, 2::3] < 0)  # an absent peak would go below zero, but may not
        downhill[:, 2::3][held] = 0.0
        downhill[:, 0::3] -= pull[part] * (parameters[part, :, 0] - problem.anchor) * free[part, :, 0]
        distance[part] = np.einsum("bi,bij,bj->b", downhill, inverse, downhill) / np.median(variance[part], axis=1)
    error[~free] = np.nan
    return Quality(
        error, np.sum(residual**2 / variance, axis=1), len(problem.x) - 3 * len(problem.shapes) - problem.background.shape[1], distance
    )


def model(x: NDArray[np.float64], shapes: tuple[str, ...], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the peaks, (pixel, n) counts."""
    total = np.zeros((len(parameters), len(x)))
    for k, shape in enumerate(shapes):
        total += SHAPES[shape](x, *(parameters[:, k, i, None] for i in range(3)))
    return total


def residual_variance(residual: NDArray[np.floating], fitted: NDArray[np.floating]) -> NDArray[np.float64]:
    """Noise variance of every channel, (pixel, n) counts^2."""
    difference = np.diff(residual, axis=1) / np.sqrt(2.0)
    level = 0.5 * (fitted[:, 1:] + fitted[:, :-1])
    step = max(1, difference.size // 500_000)
    _, gain = variance_line(difference.ravel()[::step], level.ravel()[::step])
    own = np.mean(difference**2 - gain * level, axis=1, keepdims=True)
    floor = 0.1 * np.mean(difference**2, axis=1, keepdims=True) + np.finfo(np.float64).tiny
    return np.asarray(np.maximum(own, floor) + gain * np.maximum(fitted, 0.0))


def _jacobian(problem: Problem, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """(pixel, n, 3 * peak), in the order of the parameters, the background projected out."""
    columns = [
        column
        for k, shape in enumerate(problem.shapes)
        for column in DERIVATIVES[shape](problem.x, *(parameters[:, k, i, None] for i in range(3)))
    ]
    return np.swapaxes(problem.without_background(np.stack(columns, axis=1)), 1, 2)


def _sandwich(
    jacobian: NDArray[np.float64], variance: NDArray[np.float64], penalty: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Covariance, and the inverse of the normal matrix; zero rows and columns for parameters that the data do not determine."""
    normal = np.swapaxes(jacobian, 1, 2) @ jacobian
    diagonal = np.einsum("bii->bi", normal)
    known = diagonal > 1e-12 * diagonal.max(axis=1, keepdims=True)
    diagonal[:, 0::3] += penalty * known[:, 0::3]
    scale = np.where(known, 1.0 / np.sqrt(np.where(known, diagonal, 1.0)), 0.0)
    scaled = normal * scale[:, :, None] * scale[:, None, :] + np.einsum("bi,ij->bij", 1.0 - known, np.eye(known.shape[1]))
    # A hair of ridge: two peaks on top of one another make the matrix singular, and their errors huge, not the program fail.
    inverse = np.linalg.inv(scaled + 1e-10 * np.eye(known.shape[1])) * scale[:, :, None] * scale[:, None, :]
    weighted = np.swapaxes(jacobian * variance[..., None], 1, 2) @ jacobian
    return inverse @ weighted @ inverse, inverse
