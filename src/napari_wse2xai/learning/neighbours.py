"""What the neighbours of a pixel do not tell of it: a map less what its own smoothness predicts, and likeness of two maps in that."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.learning.variogram import Lags, Numbers, Raster
from napari_wse2xai.numerics.standard import or_one

NEAREST = 20
"""Neighbours from which a pixel is predicted."""
SEARCHED = 48
"""Nearest pixels among which those are looked for: about half of them come earlier in the scan."""
LENGTHS = 9
"""Of the covariances that are mixed, from two pixels to twice the flake's extent."""
TABULATED = 2000
"""Distances at which the covariance is worked out."""
FEWEST_NOISE = 0.02
"""Share of the variance that is taken for noise at least, so that a very smooth map is not judged by its traces of roughness alone."""


class Neighbours:
    """Whitens maps on an irregular flake: every pixel less what earlier neighbours predict, over the error of that prediction.

    Parameters
    ----------
    values : (n,) the map whose smoothness is meant, without NaN
    places : (n, 2) on a regular grid

    Notes
    -----
    Kriging from the nearest of the pixels that come earlier (Vecchia 1988), with a covariance that is a mixture of exponentials,
    Gaussians and noise, fitted to the variogram by non-negative least squares.  Of two maps that owe nothing to each other, the whitened
    ones are correlated by chance alone, as n independent pairs are, however smooth the maps.
    """

    def __init__(self, values: Numbers, places: ArrayLike) -> None:
        raster = Raster.of(places)
        covariance = _Covariance(values, raster)
        around = np.asarray(places, dtype=np.float64)
        order = np.lexsort(raster.index.T[::-1])
        self._order, ordered = order, around[order]
        self.noise = covariance.noise
        """Share of the variance that neighbours know nothing of: noise, or what changes from pixel to pixel."""
        self._near, self._weight, self._scale = _kriging(ordered, covariance)

    def whitened(self, maps: Numbers) -> Numbers:
        """Maps (n, map) as (n, map) of what neighbours do not tell, in some order of the pixels that is the same for all."""
        ordered = maps[self._order]
        told = np.zeros_like(ordered)
        for place in range(self._near.shape[1]):
            told += self._weight[:, place, None] * ordered[self._near[:, place]]
        return np.asarray((ordered - told) * self._scale[:, None])


class Likeness:
    """Correlation of maps in what neither neighbours nor a confounder tell, for one or several flakes.

    Parameters
    ----------
    values : (n,) the map whose smoothness is meant
    places : (n, 2); flake : (n,)
    """

    def __init__(self, values: Numbers, places: Numbers, flake: NDArray[np.int64]) -> None:
        self._parts = [(flake == one, Neighbours(values[flake == one], places[flake == one])) for one in np.unique(flake)]
        self.noise = float(np.average([part.noise for _, part in self._parts], weights=[here.sum() for here, _ in self._parts]))

    def whitened(self, maps: Numbers) -> Numbers:
        """Maps (n, map) whitened, flake after flake."""
        return np.concatenate([part.whitened(maps[here]) for here, part in self._parts])

    def between(self, maps: Numbers, predictions: Numbers, confounder: Numbers) -> Numbers:
        """(map,) correlation of maps (n, map) with their predictions (n, map), both freed of a confounder's columns (n, k)."""
        return freed_correlation(self.whitened(maps), self.whitened(predictions), self.whitened(confounder))


def freed_correlation(maps: Numbers, others: Numbers, confounder: Numbers) -> Numbers:
    """(map,) correlation of maps (n, map) with others (n, map), both freed by least squares of a confounder's columns (n, k)."""
    known, _ = np.linalg.qr(confounder)
    own, other = (each - known @ (known.T @ each) for each in (maps, others))
    size = np.sqrt((own**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.asarray((own * other).sum(axis=0) / or_one(size))


class _Covariance:
    """Shares of the variance by distance, as the variogram of a map has them."""

    def __init__(self, values: Numbers, raster: Raster) -> None:
        from scipy.optimize import nnls

        curve = Lags(raster).variogram(values)
        # From two pixels, below which all is noise to the raster, to twice the flake, beyond which all is a slope.
        self._lengths = np.geomspace(2.0 * min(raster.step), 2.0 * raster.extent, LENGTHS)
        # A variogram is known to a share of itself, by the root of the pairs; the 0.05 keeps the shortest lags from ruling the fit.
        weight = np.sqrt(curve.pairs) / (curve.share + 0.05)
        design = np.hstack([1.0 - self._shapes(curve.distance), np.ones((len(curve.distance), 1))])
        shares = nnls(design * weight[:, None], curve.share * weight)[0]
        self.noise = float(shares[-1] / max(shares.sum(), 1e-9))
        self._distance = np.linspace(0.0, 2.0 * raster.extent, TABULATED)
        self._covariance = self._shapes(self._distance) @ shares[:-1] / max(shares.sum(), 1e-9)

    def at(self, distance: Numbers) -> Numbers:
        """Covariance without noise at distances (...)."""
        return np.asarray(np.interp(distance, self._distance, self._covariance))

    def _shapes(self, distance: Numbers) -> Numbers:
        over = distance[..., None] / self._lengths
        return np.concatenate([np.exp(-over), np.exp(-(over**2))], axis=-1)


def _kriging(places: Numbers, covariance: _Covariance) -> tuple[NDArray[np.int64], Numbers, Numbers]:
    """Nearest earlier pixels (n, k) of each, their weights (n, k), 0 where there are too few, and one over the error (n,)."""
    near, there = _earlier(places)
    around = places[near]
    noise = max(covariance.noise, FEWEST_NOISE)
    apart = np.linalg.norm(around[:, :, None] - around[:, None], axis=-1)
    among = np.where(there[:, :, None] & there[:, None], covariance.at(apart), 0.0)
    own = float(covariance.at(np.zeros(1))[0]) + noise
    diagonal = np.arange(near.shape[1])
    among[:, diagonal, diagonal] = own
    to_pixel = np.where(there, covariance.at(np.linalg.norm(around - places[:, None], axis=-1)), 0.0)
    weight = np.linalg.solve(among, to_pixel[..., None])[..., 0]
    left = own - (weight * to_pixel).sum(axis=1)
    # What neighbours seem to tell without any error is told to a thousandth of the variance at most.
    return near, weight, 1.0 / np.sqrt(np.maximum(left, 1e-3 * own))


def _earlier(places: Numbers) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Nearest pixels (n, k) that come before each in the order given, and which of them are some."""
    from scipy.spatial import cKDTree

    _, found = cKDTree(places).query(places, k=min(SEARCHED, len(places)))
    before = found < np.arange(len(places))[:, None]
    first = np.argsort(~before, axis=1, kind="stable")[:, :NEAREST]
    there = np.take_along_axis(before, first, axis=1)
    return np.where(there, np.take_along_axis(found, first, axis=1), 0).astype(np.int64), there
