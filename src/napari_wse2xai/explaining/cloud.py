"""Where a changed parameter leaves the cloud of the data, so that a model has to guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.standard import or_one, standardised

Numbers = NDArray[np.float64]

QUANTILE = 0.975
"""Share of the data within the cloud."""
CLIP = 4.0
"""Robust standard deviations beyond which a value does not widen the cloud."""
MAD_TO_SD = 1.4826
SEPARABLE = 0.95
"""Rank correlation above which two parameters cannot be told apart."""
TOLD = SEPARABLE**2
"""R2 above which all other parameters tell one."""
PENALTIES = tuple(10.0**power for power in range(-3, 4))
"""Of the ridge that tells it, columns standardised."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """An ellipsoid that holds 97.5 % of the pixels: Mahalanobis distance from winsorised, shrunk covariance.

    Notes
    -----
    Values beyond 4 robust standard deviations are drawn in before the covariance is taken (outliers would widen the cloud), and the
    covariance is shrunk (Ledoit and Wolf 2004), so that many parameters and few pixels, or parameters that are copies of each other, do
    no harm. The limit is the quantile of the data's own distances, not that of a chi-squared law that they need not follow.
    """

    table: Numbers
    """(n, feature) the data."""
    precision: Numbers
    """(feature, feature) inverse covariance."""
    offset: Numbers
    """(n, feature) precision times what each pixel is off the centre."""
    distance: Numbers
    """(n,) squared Mahalanobis distance of each pixel."""
    limit: float

    @classmethod
    def of(cls, table: Numbers) -> Self:
        """Measure the cloud of a table (n, feature)."""
        centre, scale = np.median(table, axis=0), _scale(table)
        # In robust standard deviations, so that one limit serves columns of any unit.
        drawn_in = np.clip((table - centre) / scale, -CLIP, CLIP)
        precision = _precision(drawn_in) / np.outer(scale, scale)
        off = table - (centre + scale * drawn_in.mean(axis=0))
        offset = off @ precision
        distance = np.einsum("ij,ij->i", off, offset)
        return cls(table, precision, offset, distance, float(np.quantile(distance, QUANTILE)))

    def shifted(self, feature: int, shift: Numbers | float, pixels: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.bool_]:
        """Say which pixels are outside once a feature is shifted, (pixel,) or, for a shift (pixel, k), (pixel, k)."""
        step = np.asarray(shift)
        along, distance = self.offset[pixels, feature], self.distance[pixels]
        if step.ndim == 2:
            along, distance = along[:, None], distance[:, None]
        # (d + s e_k)' P (d + s e_k), opened out: what no move changes is worked out once.
        return np.asarray(distance + 2 * step * along + step**2 * self.precision[feature, feature] > self.limit)

    def leaving(self, features: NDArray[np.int64], steps: Numbers) -> NDArray[np.bool_]:
        """(feature, n) True where one step up or down leaves the cloud."""
        pairs = zip(features, steps, strict=True)
        return np.stack([self.shifted(int(feature), step) | self.shifted(int(feature), -step) for feature, step in pairs])

    def leaving_at(self, feature: int, values: Numbers, pixels: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.bool_]:
        """(pixel, value) True where a pixel with the feature set to a value is outside."""
        return self.shifted(feature, values[None, :] - self.table[pixels, feature][:, None], pixels)


def off_cloud(table: Numbers, *, step: Numbers | None = None) -> NDArray[np.bool_]:
    """Say where a step up or down leaves the cloud of the data.

    Parameters
    ----------
    table : (n, feature)
    step : (feature,); one standard deviation each where none is given

    Returns
    -------
    (feature, n) True where x + step or x - step lies outside the ellipsoid that holds 97.5 % of the pixels
    """
    steps = table.std(axis=0) if step is None else step
    return Cloud.of(table).leaving(np.arange(table.shape[1]), steps)


def not_separable(table: Numbers) -> list[tuple[int, int, float]]:
    """Pairs of columns whose Spearman correlation is beyond `SEPARABLE`, the closest first.

    No method that looks at a model can tell which of the two acts: a flake where they differ can.
    """
    from scipy.stats import rankdata

    varied = np.flatnonzero(np.ptp(table, axis=0) > 0)
    ranks = rankdata(table[:, varied], axis=0)
    correlation = np.atleast_2d(np.corrcoef(ranks, rowvar=False))
    first, second = np.nonzero(np.triu(np.abs(correlation) > SEPARABLE, k=1))
    pairs = [(int(varied[a]), int(varied[b]), float(correlation[a, b])) for a, b in zip(first, second, strict=True)]
    return sorted(pairs, key=lambda pair: -abs(pair[2]))


def told_by_others(table: Numbers, columns: Sequence[int], *, limit: float = TOLD) -> list[tuple[int, float]]:
    """Those of some columns that all others tell, with the R2 of a ridge on rows that it has not seen.

    A map that is worked out of other columns is, whatever model is asked: which of them acts, a straight line through all cannot tell.
    """
    from napari_wse2xai.learning.ridge import told_by_the_rest

    standard = standardised(table)
    found = []
    for one in columns:
        values = standard[:, one]
        if values.any():
            missed = values - told_by_the_rest(np.delete(standard, one, axis=1), values, PENALTIES)
            found.append((int(one), float(1.0 - (missed**2).mean())))
    return [(one, r2) for one, r2 in found if r2 > limit]


def _scale(table: Numbers) -> Numbers:
    """Robust standard deviation of each column; the plain one where most values are equal, 1 where all are."""
    robust = MAD_TO_SD * np.median(np.abs(table - np.median(table, axis=0)), axis=0)
    return or_one(np.where(robust > 0, robust, table.std(axis=0)))


def _precision(table: Numbers) -> Numbers:
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(table)
    constant = np.diag(np.ptp(table, axis=0) == 0).astype(np.float64)
    return np.linalg.inv(covariance + constant)
