"""What RS does not explain of PL: how much of its variance, with an error, and where on the flake."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.learning.variogram import Numbers, Raster

Labels = NDArray[np.int64]
LIMIT = 3.0
"""A pixel belongs to a region that RS does not explain where it and its neighbours together are off by so many standard errors."""
FEWEST = 6
"""Pixels of such a region at least."""
PATCHES = 12
"""Parts of the flake that are left out one by one for the error of a share."""
WHOLE = 0.01
"""Shares with at least this error are told in whole percents, others with a tenth: "± 0%" is no error."""
NEIGHBOURHOOD = np.ones((3, 3))


@dataclass(frozen=True)
class Shares:
    """Where the variance of PL goes."""

    settled: float
    """Share that RS settles: R2 of predictions of pixels whose surroundings the model never saw."""
    error: float
    """One standard error of it, from leaving out parts of the flake."""
    noise: float
    """Share that changes from pixel to pixel, as noise does, or that the errors of PL make."""
    model: str = ""
    """Which model predicted."""
    regions: int = 0
    """Regions that RS does not explain."""

    @property
    def hidden(self) -> float:
        """What is left to something that RS does not show, and that is alike over several pixels."""
        return max(0.0, self._rest - self.noise)

    @property
    def _rest(self) -> float:
        """What RS does not settle: no more than that is noise, however rough PL is from pixel to pixel."""
        return 1.0 - max(self.settled, 0.0)

    @property
    def text(self) -> str:
        """The shares as a sentence."""
        found = {0: "it gathers nowhere", 1: "it gathers in one region"}.get(self.regions, f"it gathers in {self.regions} regions")
        digits = 0 if self.error >= WHOLE else 1
        settled, noise, hidden, error = (
            f"{share:.{digits}%}" for share in (max(self.settled, 0.0), min(self.noise, self._rest), self.hidden, self.error)
        )
        return (
            f"Of the variance of PL, RS settles {settled} ± {error} ({self.model}, in blocks), {noise} is noise (the errors of PL, or what "
            f"changes from pixel to pixel), {hidden} ± {error} is left to what RS does not show; {found}."
        )


def settled(values: Numbers, predicted: Numbers, places: Numbers) -> tuple[float, float]:
    """R2 of held-out predictions (n,) and its standard error, a jackknife over compact parts of the flake: neighbours err together."""
    part = _patches(places)
    everything = _r2(values, predicted)
    without = np.array([_r2(values[part != one], predicted[part != one]) for one in np.unique(part)])
    count = len(without)
    # The jackknife's factor: leaving out one part of many moves a share by little.
    return everything, float(np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum()))


@dataclass(frozen=True, eq=False)
class Unexplained:
    """Residuals against their errors, and the regions where they gather."""

    score: Numbers
    """(n,) measured less predicted, in standard errors."""
    region: Labels
    """(n,) number of the region from 1, the largest first; 0 for none."""

    @classmethod
    def of(cls, values: Numbers, errors: Numbers, predicted: Numbers, places: Numbers, flake: Labels) -> Self:
        """Find where PL (n,) with errors (n,) differs from its held-out prediction by more than noise.

        Notes
        -----
        The error of a residual is that of PL, or what neighbouring residuals differ by, where that is more: the model's own scatter is in
        the latter.  Residuals of a pixel and its eight neighbours are added up: what is alike over several pixels stands out.
        """
        rest = values - predicted
        score, region = np.zeros(len(rest)), np.zeros(len(rest), dtype=np.int64)
        for one in np.unique(flake):
            here = flake == one
            raster = Raster.of(places[here])
            own = np.nan_to_num(errors[here], nan=0.0)
            score[here] = rest[here] / np.maximum(np.maximum(own, _rough(rest[here], raster)), 1e-12)
            found = _regions(score[here], raster)
            region[here] = np.where(found > 0, found + region.max(), 0)
        return cls(score, _largest_first(region))


def _r2(values: Numbers, predicted: Numbers) -> float:
    return float(1.0 - ((values - predicted) ** 2).sum() / ((values - values.mean()) ** 2).sum())


def _patches(places: Numbers) -> Labels:
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(min(PATCHES, len(places)), n_init=2, random_state=0).fit_predict(places), dtype=np.int64)


def _rough(rest: Numbers, raster: Raster) -> float:
    """Standard deviation of a residual (n,) from the differences between neighbours in rows and columns, deaf to outliers."""
    picture = np.full(raster.shape, np.nan)
    picture[raster.index[:, 0], raster.index[:, 1]] = rest
    differences = np.concatenate([np.diff(picture, axis=axis).ravel() for axis in range(2)])
    differences = differences[np.isfinite(differences)]
    # 1.4826 makes the median of absolute values a standard deviation; a difference has the noise of two pixels.
    return 1.4826 * float(np.median(np.abs(differences))) / np.sqrt(2.0) if differences.size else float(rest.std())


def _regions(score: Numbers, raster: Raster) -> Labels:
    """Connected pixels (n,) of one sign whose neighbourhoods are off, numbered from 1."""
    from scipy.ndimage import convolve, label

    picture, there = raster.picture(score), raster.picture(np.ones(len(score)))
    # A sum of k independent scores has the standard deviation sqrt(k): at the flake's edge k is less than nine.
    together = convolve(picture, NEIGHBOURHOOD, mode="constant") / np.sqrt(np.maximum(convolve(there, NEIGHBOURHOOD, mode="constant"), 1.0))
    found = np.zeros(raster.shape, dtype=np.int64)
    for sign in (1, -1):
        numbered, _ = label((sign * together >= LIMIT) & (there > 0))
        sizes = np.bincount(numbered.ravel())
        for one in np.flatnonzero(sizes >= FEWEST):
            if one:
                found[numbered == one] = found.max() + 1
    return found[raster.index[:, 0], raster.index[:, 1]]


def _largest_first(region: Labels) -> Labels:
    sizes = np.bincount(region)[1:]
    order = np.zeros(len(sizes) + 1, dtype=np.int64)
    order[np.argsort(-sizes, kind="stable") + 1] = np.arange(1, len(sizes) + 1)
    return order[region]
