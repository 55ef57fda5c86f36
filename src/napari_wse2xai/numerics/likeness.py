"""How far the pixels of one map are alike: covariances by distance on a masked grid, and what they make of the variance of sums."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Array = NDArray[np.float64]
REACH = 0.4
"""Pixels farther from one another than this share of the side of a square as large as the region count as unlike: farther out there are too
few independent pairs to say."""
NEAR, LONGEST = 0.25, 5.0
"""Share of that side over which likeness along y is compared with that along x, and by how much one may reach farther, at most."""


@dataclass(frozen=True, eq=False)
class MaskedGrid:
    """Pixels of a grid that count, and all distances between them."""

    there: NDArray[np.bool_]
    """(ny, nx)."""
    step: tuple[float, float] = (1.0, 1.0)
    """Distance of rows and of columns; signs do not matter."""

    @classmethod
    def of(cls, there: NDArray[np.bool_], step: tuple[float, float]) -> Self:
        """Cut a grid to the smallest rectangle that holds all its pixels: what lies outside costs time alone."""
        rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
        return cls(there[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], step)

    @property
    def count(self) -> int:
        """Number of pixels."""
        return int(self.there.sum())

    @cached_property
    def _size(self) -> tuple[int, int]:
        """Of the transforms: no pixel may meet another one round the corner."""
        ny, nx = (fft.next_fast_len(2 * n - 1, real=True) for n in self.there.shape)
        return ny, nx

    @cached_property
    def _mask(self) -> NDArray[np.complex128]:
        return self._transformed(self.there.astype(np.float64))

    @cached_property
    def pairs(self) -> Array:
        """Number of pairs of pixels at each shift, (lag row, lag column) as transforms have them, each pair in both senses."""
        return np.asarray(np.rint(self._back(np.abs(self._mask) ** 2)))

    def _rings(self, longer: float) -> NDArray[np.int64]:
        """Number of the class of distances that a shift belongs to, where likeness reaches so many times farther along y than along x."""
        lags = [np.minimum(np.arange(n), n - np.arange(n)) * abs(step) for n, step in zip(self._size, self.step, strict=True)]
        distance: Array = np.hypot(lags[0][:, None] / np.sqrt(longer), lags[1] * np.sqrt(longer))
        return np.rint(distance / self._pitch).astype(np.int64)

    @property
    def _pitch(self) -> float:
        return float(np.sqrt(abs(np.prod(self.step))))

    def _transformed(self, values: Array) -> NDArray[np.complex128]:
        return np.asarray(fft.rfft2(values, self._size))

    def _back(self, spectrum: NDArray[np.complex128] | Array) -> Array:
        return np.asarray(fft.irfft2(spectrum, self._size))

    def _longer(self, apart: Array, variance: float) -> float:
        """By how much farther likeness reaches along y than along x, from the mean square of differences at each shift."""
        far, reaches = max(int(NEAR * np.sqrt(self.count)), 1), []
        for line, step in ((apart[1 : far + 1, 0], self.step[0]), (apart[0, 1 : far + 1], self.step[1])):
            # Integral of the correlation along the line, by the trapezium rule: the 0.5 is half of the pixel itself.
            reaches.append((0.5 + np.maximum(1.0 - 0.5 * line / variance, 0.0).sum()) * abs(step))
        return float(np.clip(reaches[0] / reaches[1], 1.0 / LONGEST, LONGEST))

    def picture(self, values: Array) -> Array:
        """Values (n,) of the pixels as (ny, nx), 0 elsewhere."""
        picture = np.zeros(self.there.shape)
        picture[self.there] = values
        return picture

    def covariance(self, values: Array) -> Array:
        """Covariance of two pixels at each shift, (lag row, lag column), 0 beyond `REACH`.

        Parameters
        ----------
        values : (n,) of the pixels, without NaN

        Notes
        -----
        Products of deviations from the map's own mean come out too small, for the mean follows the map.  Differences of pixels do not know
        the mean: the covariance is the variance of the field less half their mean square, and that variance is the one with which the
        variance within the region comes out as it is.  Distances are elliptic: likeness may reach farther along y than along x.
        """
        z: Array = values - values.mean()
        if not z.any():
            return np.zeros(self._size)
        picture = self.picture(z)
        # Sum of (a - b)^2 over all pairs at a shift, by three correlations: of the squares with the mask, less that of the map with itself.
        squares = self._back((self._transformed(picture**2) * self._mask.conj()).real) - self._back(np.abs(self._transformed(picture)) ** 2)
        ring = self._rings(self._longer(2.0 * squares / np.maximum(self.pairs, 1.0), float(z @ z / len(z))))
        pairs, sums = (np.bincount(ring.ravel(), each.ravel().astype(np.float64)).astype(np.float64) for each in (self.pairs, squares))
        apart = sums / np.maximum(pairs, 1.0)
        near = (np.arange(len(pairs)) < max(1.0, REACH * np.sqrt(self.count))) & (pairs > 0)
        weights = np.where(near, pairs, 0.0) / self.count**2
        # Within the region the map has less variance than its field, by what neighbours share; near pairs weigh as they occur.
        variance = (z @ z / len(z) - weights @ apart) / (1.0 - weights.sum())
        return np.where(near, variance - apart, 0.0)[ring] * (self.pairs > 0)

    def joint(self, one: Array, other: Array) -> Array:
        """Covariances (lag row, lag column) of two maps as `variance_ratio` needs them: trace of the product of the centred matrices."""
        n = self.count
        sums = [self._back(self._transformed_lags(each) * self._mask)[tuple(map(slice, self.there.shape))] for each in (one, other)]
        whole = (self.pairs * one * other).sum() - 2 / n * (sums[0] * sums[1])[self.there].sum()
        return np.asarray(whole + (self.pairs * one).sum() * (self.pairs * other).sum() / n**2)

    def _transformed_lags(self, lags: Array) -> NDArray[np.complex128]:
        return np.asarray(fft.rfft2(lags, self._size))

    def variance_ratio(self, one: Array, other: Array) -> float:
        """Variance of the correlation coefficient of two maps that owe nothing to one another, from their covariances.

        Between 1 / (n - 1), where no pixel tells anything of its neighbours, and 1.
        """
        spread = [self.count * each[0, 0] - (self.pairs * each).sum() / self.count for each in (one, other)]
        least = 1.0 / (self.count - 1)
        if min(spread) <= 0:
            return 1.0
        return float(np.clip(self.joint(one, other) / (spread[0] * spread[1]), least, 1.0))

    def variance_of_mean(self, part: NDArray[np.bool_], covariance: Array) -> float:
        """Variance of the mean over some of the pixels (ny, nx)."""
        within = self._back(np.abs(self._transformed(part.astype(np.float64))) ** 2)
        return float(max((within * covariance).sum(), 0.0) / part.sum() ** 2)
