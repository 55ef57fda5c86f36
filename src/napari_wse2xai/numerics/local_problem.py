"""A least-squares problem about its found parameters, to first order, for many pixels at once: what errors and distances need.

Pixels are the last axis everywhere: each step of the small matrices' algebra is one operation over all of them.
"""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.elimination import inverse
from napari_wse2xai.numerics.moment_slopes import MomentSlopes
from napari_wse2xai.numerics.problem import FORM, FWHM, HEIGHT, PER_PEAK, POSITION, Problem
from napari_wse2xai.numerics.slopes import Slopes

Values = NDArray[np.float64]
RIDGE = 1e-7
"""Added to the scaled normal matrix, whose diagonal is 1: about what single precision cannot tell."""
NARROWEST = 0.3
"""Share of its width that a line keeps elsewhere."""
NOTHING = 1e-12
"""Square of the share of the greatest change below which the data say nothing."""
AT_END = 1e-3
"""How near the end of what a shape can be a form is at it."""


class LocalProblem:
    """The best background is taken off sums, not off slopes: so the long sums are taken once."""

    def __init__(
        self, problem: Problem, slopes: Slopes | MomentSlopes, parameters: Values, free: NDArray[np.bool_], pull: NDArray[np.float64]
    ) -> None:
        """Take parameters and what is free of them (pixel, peak, 4), and the weight of the positions' penalty (pixel, peak)."""
        self.problem, self.slopes, self.parameters, self.free, self.pull = problem, slopes, parameters, free, pull
        self.flat = free.reshape(len(free), -1)[:, problem.leaders].T
        sums, many = slopes.normal(), len(problem.rows)
        self.under = sums[many:, :many].copy()
        normal = self._fitted(sums)
        diagonal: Values = np.einsum("iip->ip", normal)  # a view: what is added here is added to the matrix
        determined = self._determined(diagonal)
        self.positions = np.flatnonzero(problem.leaders % PER_PEAK == POSITION)
        self.pulled: Values = pull.T[problem.leaders[self.positions] // PER_PEAK] * determined[self.positions]
        diagonal[self.positions] += self.pulled
        scale = np.where(determined, 1.0 / np.sqrt(np.where(determined, diagonal, 1.0)), 0.0)
        # A hair of ridge: two peaks on top of one another make the matrix singular, and their errors huge, not the program fail.
        self.inverse = _scaled(inverse(_raised(_scaled(normal, scale), np.where(determined, RIDGE, 1.0 + RIDGE))), scale)
        self.known: NDArray[np.bool_] = ((problem.links != 0).astype(np.float64) @ determined) > 0
        """(q, pixel) whether the data say anything about each parameter that varies."""

    def moved(self, rows: NDArray[np.intp], by: Values) -> "LocalProblem":
        """The same problem of some pixels as it is elsewhere, ``by`` (pixel, q) of what varies; no line narrower than `NARROWEST`."""
        there = self.problem.moved(self.parameters[rows], by)
        there[..., FWHM] = np.maximum(there[..., FWHM], NARROWEST * self.parameters[rows][..., FWHM])
        return LocalProblem(self.problem, Slopes(self.problem, there), there, self.free[rows], self.pull[rows])

    def _determined(self, diagonal: Values) -> NDArray[np.bool_]:
        """(m, pixel) whether the data say anything about what is fitted, of the squares of its slopes.

        Slopes have the units of counts over those of the parameter: only what a change by a line's own width or height does compares.
        """
        kind, peak = self.problem.leaders % PER_PEAK, self.problem.leaders // PER_PEAK
        fwhm, height = (self.parameters[..., which].T for which in (FWHM, HEIGHT))
        along, light = np.isin(kind, (POSITION, FWHM))[:, None], (kind == HEIGHT)[:, None]
        highest = height.max(axis=0)
        size = np.where(along, fwhm[peak], np.where(light, np.where(highest > 0, highest, 1.0), 1.0))
        change = diagonal * size**2
        return np.asarray(change > NOTHING * change.max(axis=0))

    def _fitted(self, sums: Values) -> Values:
        """(m, m, pixel) sums of products of what is fitted, the best background taken off, of those of all slopes and polynomials."""
        many = len(self.problem.rows)
        whole, shadow = sums[:many, :many].copy(), np.zeros((many, many, sums.shape[2]))
        for own, line in zip(self.under, sums[many:], strict=True):
            across = line[:many] - 0.5 * sum((share * other for share, other in zip(line[many:], self.under, strict=True)), np.zeros(1))
            shadow += own[:, None] * across
        whole -= shadow
        whole -= shadow.swapaxes(0, 1)
        links = self.problem.links
        linked = whole if self.problem.plain else links.T @ np.tensordot(links.T, whole, 1)
        return linked if self.flat.all() else _scaled(linked, self.flat)

    def covariance(self, variance: NDArray[np.float32], memory: tuple[float, ...] = (), *, flat: bool = False) -> Values:
        """(q, q, pixel) covariance of all that varies, for the variance of each weighted channel (pixel, n) and the memory of the noise.

        `flat`: the variance is the same in all channels of a pixel.
        """
        if flat and not memory:
            fitted = self.inverse.copy()
            for k, pulled in zip(self.positions, self.pulled, strict=True):
                fitted -= (self.inverse[k] * pulled)[:, None] * self.inverse[k]
            fitted *= variance[:, 0]
        else:
            products = self.slopes.weighted(variance)
            if memory and isinstance(self.slopes, Slopes):
                products += self._shared(self.slopes, np.sqrt(variance), memory)
            middle, outer = (np.ascontiguousarray(np.moveaxis(each, -1, 0)) for each in (self._fitted(products), self.inverse))
            fitted = np.moveaxis(outer @ middle @ outer, 0, -1)
        links = self.problem.links
        return fitted if self.problem.plain else np.asarray(links @ np.tensordot(links, fitted, 1))

    def crossed(self, weighted: NDArray[np.float32]) -> Values:
        """(pixel, q) covariance of all that varies with a sum of channels whose covariance with each weighted channel is given."""
        many, links = len(self.problem.rows), self.problem.links
        sums = self.slopes.product(weighted)
        plain = sums[:many] - np.einsum("dqp,dp->qp", self.under, sums[many:])
        return np.asarray((links @ self._solved((links.T @ plain) * self.flat)).T)

    def _solved(self, right: Values) -> Values:
        """(m, pixel) what solves the normal equations for a right-hand side."""
        return np.asarray(np.einsum("ijp,jp->ip", self.inverse, right))

    def errors(self, covariance: Values) -> Values:
        """(pixel, peak, 4) standard errors; NaN where there is none."""
        error = np.full_like(self.parameters, np.nan)
        variance = np.abs(np.einsum("iip->ip", covariance))
        error.reshape(len(error), -1)[:, self.problem.rows] = np.sqrt(np.where(self.known, variance, np.nan)).T
        return error

    @staticmethod
    def _shared(slopes: Slopes, sigma: NDArray[np.float32], memory: tuple[float, ...]) -> Values:
        """(slope, slope, pixel) what channels that share noise add to the sums of products."""
        scaled = slopes.all * sigma[:, None]
        total = np.zeros((*scaled.shape[:2], scaled.shape[1]))
        for lag, share in enumerate(memory[1:], start=1):
            once = share * (scaled[:, :, lag:] @ np.swapaxes(scaled[:, :, :-lag], 1, 2)).astype(np.float64)
            total += once + np.swapaxes(once, 1, 2)
        return np.moveaxis(total, 0, -1)

    def of_shape(self, covariance: Values) -> Values:
        """(pixel, peak, 3, 3) covariance of FWHM, height and form of each peak; zero for what does not vary."""
        peaks, many = self.parameters.shape[1], len(self.problem.rows)
        places = np.full(peaks * PER_PEAK, -1)
        places[self.problem.rows] = np.arange(many)
        own = places.reshape(peaks, PER_PEAK)[:, [FWHM, HEIGHT, FORM]]
        varies = (own[:, :, None] >= 0) & (own[:, None, :] >= 0)
        flat = np.where(varies, own[:, :, None] * many + own[:, None, :], 0)
        each = covariance.reshape(many * many, -1)[flat] * varies[..., None]
        return np.ascontiguousarray(np.moveaxis(each, -1, 0))

    def distance(self, residual: NDArray[np.float32]) -> Values:
        """(pixel,) fall of the sum of squares that a Newton step promises."""
        downhill = self._downhill(residual)
        return np.asarray((downhill * self._solved(downhill)).sum(axis=0))

    def step(self, residual: NDArray[np.float32]) -> Values:
        """(m, pixel) a Newton step of what is fitted."""
        return self._solved(self._downhill(residual))

    def _downhill(self, residual: NDArray[np.float32]) -> Values:
        """(m, pixel) half of the slope of the objective, downwards, for a weighted residual (pixel, n) without its background."""
        leaders = self.problem.leaders
        downhill = (self.problem.links.T @ self.slopes.product(residual)[: len(self.problem.rows)]) * self.flat
        away = (self.parameters[:, :, POSITION] - self.problem.anchor).T[leaders[self.positions] // PER_PEAK]
        downhill[self.positions] -= self.pulled * away
        heights = (leaders % PER_PEAK == HEIGHT)[:, None]
        absent = (self.parameters[:, :, HEIGHT].T <= 0)[leaders // PER_PEAK]
        downhill[heights & absent & (downhill < 0)] = 0.0  # an absent peak would go below zero, but may not
        downhill[self._out_of_its_ends(downhill)] = 0.0
        return np.asarray(downhill)

    def _out_of_its_ends(self, downhill: Values) -> NDArray[np.bool_]:
        """(m, pixel) forms that would leave what their shape can be."""
        kind, peak = self.problem.leaders % PER_PEAK, self.problem.leaders // PER_PEAK
        form, ends = self.parameters[..., FORM].T[peak], (self.problem.lower[peak, FORM], self.problem.upper[peak, FORM])
        low, high = (each[:, None] for each in ends)
        beyond = (form <= low + AT_END) & (downhill < 0) | (form >= high - AT_END) & (downhill > 0)
        return np.asarray((kind == FORM)[:, None] & beyond)


def _scaled(matrix: Values, by: Values | NDArray[np.bool_]) -> Values:
    """Rows and columns of matrices (m, m, pixel) times numbers (m, pixel), in their place."""
    matrix *= by[:, None]
    matrix *= by
    return matrix


def _raised(matrix: Values, by: Values) -> Values:
    """Matrices (m, m, pixel) with numbers (m, pixel) added to their diagonals, in their place."""
    diagonal: Values = np.einsum("iip->ip", matrix)
    diagonal += by
    return matrix
