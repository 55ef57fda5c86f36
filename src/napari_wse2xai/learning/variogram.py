"""How alike the values of a map are at a distance: empirical variogram on an irregular flake, and a smooth model of it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.standard import or_one

Numbers = NDArray[np.float64]
LENGTH_LEVEL = 1.0 - np.exp(-1.0)
"""The correlation length is the distance at which the variogram reaches this share of the variance."""
FEWEST_PAIRS = 30
"""A distance with fewer pairs of pixels is left out."""
CHUNK = 64
"""Maps that are transformed at once."""


@dataclass(frozen=True, eq=False)
class Raster:
    """Places of pixels on a regular grid."""

    index: NDArray[np.int64]
    """(n, 2) row and column, from 0."""
    step: tuple[float, float]
    """Distance between rows and between columns, in the unit of the coordinates."""

    @classmethod
    def of(cls, coordinates: ArrayLike) -> Self:
        """Find the grid on which places (n, 2) lie.

        Raises
        ------
        DataError
            The places do not lie on a grid along the axes, or two share one place.
        """
        places = _places(coordinates)
        steps = tuple(_step(places[:, axis]) for axis in range(2))
        # In steps from the corner, so that a stage whose coordinates are rounded still gives whole numbers, to a fifth of a step.
        exact = (places - places.min(axis=0)) / np.where(np.array(steps) > 0, steps, 1.0)
        index = np.rint(exact).astype(np.int64)
        if np.abs(exact - index).max() > 0.2 or len(np.unique(index, axis=0)) < len(index):
            raise DataError("The pixels do not lie on a regular grid, one at each place; give the coordinates of a map's pixels.")
        return cls(index, (steps[0] or steps[1] or 1.0, steps[1] or steps[0] or 1.0))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the smallest rectangle around the pixels."""
        rows, columns = self.index.max(axis=0) + 1
        return int(rows), int(columns)

    @property
    def extent(self) -> float:
        """Longest side of that rectangle, in the unit of the coordinates."""
        return max(self.shape[0] * self.step[0], self.shape[1] * self.step[1])

    @property
    def area(self) -> float:
        """Area of all pixels, in the unit of the coordinates, squared."""
        return len(self.index) * self.step[0] * self.step[1]

    def picture(self, values: Numbers) -> Numbers:
        """Spread values (..., n) over the rectangle: (..., row, column), 0 where there is no pixel."""
        picture = np.zeros((*values.shape[:-1], *self.shape))
        picture[..., self.index[:, 0], self.index[:, 1]] = values
        return picture


@dataclass(frozen=True, eq=False)
class Variogram:
    """Half the mean squared difference of values at a distance, as a share of the variance."""

    distance: Numbers
    """(lag,) mean distance of the pairs."""
    share: Numbers
    """(..., lag) of the variance: 0 for equal values, about 1 where values know nothing of each other."""
    pairs: Numbers
    """(lag,) how many."""

    def length(self) -> float:
        """Give the distance at which `share` (one map) first reaches `LENGTH_LEVEL`; 0 for a map without any likeness."""
        reached = np.flatnonzero(self.share >= LENGTH_LEVEL)
        if not reached.size:
            return float(self.distance[-1])
        last = int(reached[0])
        before, at = ((0.0, 0.0), (self.distance[0], self.share[0])) if last == 0 else _two(self, last)
        return float(before[0] + (at[0] - before[0]) * (LENGTH_LEVEL - before[1]) / max(at[1] - before[1], 1e-12))


def variogram(values: Numbers, raster: Raster, *, reach: float | None = None) -> Variogram:
    """Empirical variogram of maps (..., n) without NaN: see `Lags`, which saves work where many are wanted one after the other."""
    return Lags(raster, reach).variogram(values)


class Lags:
    """All pairs of pixels of an irregular flake, sorted by distance, for the variograms of many maps.

    Parameters
    ----------
    reach : longest distance, in the unit of the coordinates; half the flake's extent where not given

    Notes
    -----
    ``sum (z(x) - z(x + h))^2 = 2 sum z(x)^2 m(x + h) - 2 corr(z, z)(h)`` with m the mask, summed over all displacements h of a distance.
    Both terms are linear in z^2 and in the power spectrum of z, so a map costs one Fourier transform; after Marcotte 1996 (Computers &
    Geosciences).
    """

    def __init__(self, raster: Raster, reach: float | None = None) -> None:
        from scipy.fft import next_fast_len, rfft2

        self.raster = raster
        self._padded = tuple(next_fast_len(2 * side - 1, real=True) for side in raster.shape)
        mask = rfft2(raster.picture(np.ones(len(raster.index))), self._padded)
        pairs, distance = np.rint(_back(mask * mask.conj(), self._padded)), _distances(self._padded, raster.step)
        number = np.rint(distance / min(raster.step)).astype(np.int64)
        # Beyond half of the flake pairs are few, and all of them lie across its border.
        lags = np.arange(1, max(1, int((reach or raster.extent / 2) / min(raster.step))) + 1)
        counts = np.array([pairs[number == lag].sum() for lag in lags])
        inside = np.stack([number == lag for lag in lags[counts >= FEWEST_PAIRS]]).astype(np.float64)
        self.pairs = counts[counts >= FEWEST_PAIRS]
        self.distance = (inside * (pairs * distance)).sum(axis=(1, 2)) / self.pairs
        rings = rfft2(inside)
        neighbours = _back(rings * mask, self._padded)[:, raster.index[:, 0], raster.index[:, 1]]
        self._of_squares = (neighbours / self.pairs[:, None]).T
        self._of_power = (rings.real * _twice(self._padded) / self.pairs[:, None, None]).reshape(len(self.pairs), -1).T

    def variogram(self, values: Numbers) -> Variogram:
        """Variogram of maps (..., n)."""
        variance = values.var(axis=-1, keepdims=True)
        z = (values - values.mean(axis=-1, keepdims=True)) / np.sqrt(or_one(variance))
        flat = z.reshape(-1, z.shape[-1])
        share = np.concatenate([self._semivariance(flat[start : start + CHUNK]) for start in range(0, len(flat), CHUNK)])
        return Variogram(self.distance, share.reshape(*values.shape[:-1], -1), self.pairs)

    def _semivariance(self, z: Numbers) -> Numbers:
        from scipy.fft import rfft2

        spectrum = rfft2(self.raster.picture(z), self._padded).reshape(len(z), -1)
        power = spectrum.real**2 + spectrum.imag**2
        return np.asarray(np.maximum(z**2 @ self._of_squares - power @ self._of_power, 0.0))


def correlation_length(values: ArrayLike, coordinates: ArrayLike) -> float:
    """Distance over which the values of a map are alike, in the unit of the coordinates.

    Where the variogram reaches ``1 - 1/e`` of the variance on the flake; a flake cannot show a length beyond a third of its own.

    Parameters
    ----------
    values : (n,); pixels that are NaN are left out
    coordinates : (n, 2) y and x
    """
    z, places = np.asarray(values, dtype=np.float64), np.asarray(coordinates, dtype=np.float64)
    known = np.isfinite(z)
    if known.sum() < FEWEST_PAIRS or np.ptp(z[known]) == 0:
        raise DataError(f"{known.sum()} pixels with different values are needed to tell how smooth a map is; give at least {FEWEST_PAIRS}.")
    return variogram(z[known], Raster.of(places[known])).length()


def _places(coordinates: ArrayLike) -> Numbers:
    places = np.asarray(coordinates, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 2 or not len(places) or not np.isfinite(places).all():
        raise DataError(f"Coordinates of shape {places.shape} are not places of pixels; give (n, 2), y and x, without gaps.")
    return places


def _step(along: Numbers) -> float:
    """Smallest distance between different values; 0 where all are equal."""
    gaps = np.diff(np.unique(along))
    # Coordinates of one column may differ by rounding: such gaps are no steps; and the median of the smallest is deaf to missing columns.
    gaps = gaps[gaps > 1e-3 * gaps.max()] if gaps.size else gaps
    return float(np.median(gaps[gaps < 1.5 * gaps.min()])) if gaps.size else 0.0


def _two(curve: Variogram, at: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two neighbouring points of a variogram, the second at an index."""
    return (curve.distance[at - 1], curve.share[at - 1]), (curve.distance[at], curve.share[at])


def _distances(padded: tuple[int, ...], step: tuple[float, float]) -> Numbers:
    """Length of every displacement on a periodic rectangle (ny, nx)."""
    rows, columns = (size * np.fft.fftfreq(side, 1.0 / side) for side, size in zip(padded, step, strict=True))
    return np.asarray(np.hypot(rows[:, None], columns[None, :]))


def _twice(padded: tuple[int, ...]) -> Numbers:
    """Weights (column,) that make a sum over half a spectrum one over all of it, as the inverse Fourier transform has it."""
    weights = np.full(padded[1] // 2 + 1, 2.0)
    weights[0] = 1.0
    if padded[1] % 2 == 0:
        weights[-1] = 1.0
    return weights / (padded[0] * padded[1])


def _back(spectrum: NDArray[np.complex128], shape: tuple[int, ...]) -> Numbers:
    from scipy.fft import irfft2

    return np.asarray(irfft2(spectrum, shape))
