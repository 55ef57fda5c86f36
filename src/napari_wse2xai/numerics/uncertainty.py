"""Standard errors and goodness of a fit, from the noise that the residuals show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.noise import variance_line
from napari_wse2xai.numerics.problem import FORM, FWHM, HEIGHT, PER_PEAK, POSITION, Problem

CHUNK = 256
"""Pixels whose Jacobians are held at once."""


@dataclass(frozen=True)
class Quality:
    """How well every pixel of one window was fitted."""

    error: NDArray[np.float64]
    """(pixel, peak, 4) one standard error; NaN where the data say nothing about the parameter, or it is fixed or at its bound."""
    covariance: NDArray[np.float64]
    """(pixel, peak, 3, 3) covariance of FWHM, height and form, zero for what does not vary: for the error of the area."""
    chi2: NDArray[np.float64]
    """(pixel,) sum of squared residuals over the noise variance."""
    explained: NDArray[np.float64]
    """(pixel,) R2: share of the window's variance, above its background, that the peaks explain."""
    lone: NDArray[np.float64]
    """(pixel,) largest residual, in noise standard deviations, of a channel whose neighbours fit: above about 8 it is a spike."""
    freedom: int
    """Channels minus parameters."""
    distance: NDArray[np.float64]
    """(pixel,) by how many units of chi2 the objective could still fall, to second order: near 0 at a minimum."""


def assess(problem: Problem, counts: NDArray[np.float32], parameters: NDArray[np.float64], free: NDArray[np.bool_]) -> Quality:
    """Errors of a least-squares fit with a position penalty, and how good it is.

    Parameters
    ----------
    problem : what was fitted
    counts : (pixel, n) counts
    parameters : (pixel, peak, 4)
    free : (pixel, peak, 4) False where a parameter lies at its bound and so has no error of its own

    Notes
    -----
    The objective weighs channels alike (the paper's) or as set, but shot noise does neither: the covariance is the sandwich
    ``A^-1 (J^T V J) A^-1`` with ``A = J^T J + penalty`` and V the channels' variances.  V is a constant of each pixel plus a gain times the
    fitted signal, both read off the differences of neighbouring residuals, which a slow misfit does not raise; a misfit shows in chi2.
    Ties carry over: with ``all = L fitted`` the covariance of all parameters is ``L C L^T``.
    """
    fitted = model(problem.x, problem.shapes, parameters)
    weighted = (counts - fitted) * problem.root
    residual = problem.without_background(weighted)
    pull = problem.pull(counts)
    variance = residual_variance(residual / problem.root, fitted)
    error, covariance = np.full_like(parameters, np.nan), np.zeros((*parameters.shape[:2], 3, 3))
    distance = np.empty(len(counts))
    for first in range(0, len(counts), CHUNK):
        part = slice(first, first + CHUNK)
        local = _Local(problem, parameters[part], free[part], pull[part])
        full = local.covariance(variance[part] * problem.root**2)
        known = np.where(local.known, np.einsum("bii->bi", full), np.nan)
        error[part].reshape(len(full), -1)[:, problem.rows] = np.sqrt(known)
        covariance[part] = local.of_shape(full)
        distance[part] = local.distance(residual[part]) / np.median(variance[part], axis=1)
    total = problem.without_background(counts * problem.root)
    return Quality(
        error,
        covariance,
        np.sum((residual / problem.root) ** 2 / variance, axis=1),
        1.0 - np.sum(residual**2, axis=1) / np.maximum(np.sum(total**2, axis=1), 1e-300),
        _lone(residual / problem.root / np.sqrt(variance)),
        len(problem.x) - len(problem.leaders) - problem.background.shape[1],
        distance,
    )


def model(x: NDArray[np.float64], shapes: tuple[str, ...], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the peaks, (pixel, n) counts, for parameters (pixel, peak, 4)."""
    total = np.zeros((len(parameters), len(x)))
    for k, shape in enumerate(shapes):
        total += SHAPES[shape](x, *parameters[:, k, :, None].swapaxes(0, 1))
    return total


def _lone(residual: NDArray[np.float64]) -> NDArray[np.float64]:
    """(pixel,) largest standardised residual that stands three times above those two channels away, (pixel, n)."""
    beside = np.maximum(np.abs(residual[:, :-4]), np.abs(residual[:, 4:]))
    middle = residual[:, 2:-2]
    return np.asarray(np.where(middle > 3 * beside, middle, 0.0).max(axis=1, initial=0.0))


def residual_variance(residual: NDArray[np.floating], fitted: NDArray[np.floating]) -> NDArray[np.float64]:
    """Noise variance of every channel, (pixel, n) counts^2."""
    difference = np.diff(residual, axis=1) / np.sqrt(2.0)
    level = 0.5 * (fitted[:, 1:] + fitted[:, :-1])
    step = max(1, difference.size // 500_000)
    _, gain = variance_line(difference.ravel()[::step], level.ravel()[::step])
    own = np.mean(difference**2 - gain * level, axis=1, keepdims=True)
    floor = 0.1 * np.mean(difference**2, axis=1, keepdims=True) + np.finfo(np.float64).tiny
    return np.asarray(np.maximum(own, floor) + gain * np.maximum(fitted, 0.0))


class _Local:
    """The least-squares problem about the found parameters of some pixels, to first order."""

    def __init__(self, problem: Problem, parameters: NDArray[np.float64], free: NDArray[np.bool_], pull: NDArray[np.float64]) -> None:
        self.problem, self.parameters, self.pull = problem, parameters, pull
        flat = free.reshape(len(free), -1)[:, problem.leaders]
        self.jacobian = self._jacobian() * flat[:, None, :]
        normal = np.swapaxes(self.jacobian, 1, 2) @ self.jacobian
        diagonal = np.einsum("bii->bi", normal)  # a view: what is added here is added to the matrix
        determined = diagonal > 1e-12 * diagonal.max(axis=1, keepdims=True)
        positions = problem.leaders % PER_PEAK == POSITION
        self.pulled = np.where(positions, pull[:, problem.leaders // PER_PEAK], 0.0) * determined
        diagonal += self.pulled
        scale = np.where(determined, 1.0 / np.sqrt(np.where(determined, diagonal, 1.0)), 0.0)
        identity = np.eye(len(problem.leaders))
        scaled = normal * scale[:, :, None] * scale[:, None, :] + (1.0 - determined)[:, :, None] * identity
        # A hair of ridge: two peaks on top of one another make the matrix singular, and their errors huge, not the program fail.
        self.inverse = np.linalg.inv(scaled + 1e-10 * identity) * scale[:, :, None] * scale[:, None, :]
        self.known: NDArray[np.bool_] = (determined.astype(np.float64) @ (problem.links != 0).T) > 0
        """(pixel, q) whether the data say anything about each parameter that varies."""

    def _jacobian(self) -> NDArray[np.float64]:
        """(pixel, n, m) derivatives by the fitted parameters, weighted, the background projected out."""
        problem, columns = self.problem, []
        rows = set(problem.rows.tolist())
        for k, shape in enumerate(problem.shapes):
            by = SHAPES[shape].derivatives(problem.x, *self.parameters[:, k, :, None].swapaxes(0, 1))
            columns += [column for i, column in enumerate(by) if k * PER_PEAK + i in rows]
        everything = np.swapaxes(problem.without_background(np.stack(columns, axis=1) * problem.root), 1, 2)
        return everything if problem.plain else np.asarray(everything @ problem.links)

    def covariance(self, variance: NDArray[np.float64]) -> NDArray[np.float64]:
        """(pixel, q, q) covariance of all that varies, for the variance of each weighted channel."""
        middle = np.swapaxes(self.jacobian * variance[..., None], 1, 2) @ self.jacobian
        fitted = self.inverse @ middle @ self.inverse
        return fitted if self.problem.plain else np.asarray(self.problem.links @ fitted @ self.problem.links.T)

    def of_shape(self, covariance: NDArray[np.float64]) -> NDArray[np.float64]:
        """(pixel, peak, 3, 3) covariance of FWHM, height and form of each peak; zero for what does not vary."""
        peaks = self.parameters.shape[1]
        places = np.full(peaks * PER_PEAK, len(self.problem.rows))
        places[self.problem.rows] = np.arange(len(self.problem.rows))
        padded = np.pad(covariance, [(0, 0), (0, 1), (0, 1)])  # a last row and column of zeros for what does not vary
        own = places.reshape(peaks, PER_PEAK)[:, [FWHM, HEIGHT, FORM]]
        return np.asarray(padded[:, own[:, :, None], own[:, None, :]])

    def distance(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """(pixel,) fall of the sum of squares that a Newton step promises."""
        leaders = self.problem.leaders
        downhill = np.einsum("bni,bn->bi", self.jacobian, residual)
        downhill -= self.pulled * (self.parameters[:, :, POSITION] - self.problem.anchor)[:, leaders // PER_PEAK]
        heights = leaders % PER_PEAK == HEIGHT
        absent = self.parameters[:, leaders // PER_PEAK, HEIGHT] <= 0
        downhill[heights & absent & (downhill < 0)] = 0.0  # an absent peak would go below zero, but may not
        return np.asarray(np.einsum("bi,bij,bj->b", downhill, self.inverse, downhill))
