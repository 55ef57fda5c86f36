"""What shapes RS and PL alike without one being a law of the other: distances from edge and middle, the order of the scan, layers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.learning.variogram import Numbers, Raster
from napari_wse2xai.numerics.standard import standardised

FEWEST_AT_DISTANCE = 10
"""Pixels at least that share a distance from the edge."""
WAVES = 4
"""Half waves at most from the middle of a flake to its farthest pixel, in what its growth may have made of a map."""
FEWEST_IN_LINE = 6
"""A scan line with fewer pixels is levelled, but not tilted."""
LEAST_LAYER = 0.08
"""Share of the pixels that the smaller of two layers has at least."""
APART = 5.5
"""Layers differ by at least so many of their own standard deviations; halves of one normal distribution do by 2.6."""
TOGETHER = 0.6
"""Neighbours are of one layer in this share of the pairs beyond chance, else the groups are no regions: small flakes are mostly border."""


@dataclass(frozen=True, eq=False)
class Confounder:
    """Something that may have shaped both maps."""

    name: str
    """``edge``, ``scan``, ``layers``."""
    design: Numbers
    """(n, column) what it could do to a map: a level for every group, and for scan lines a slope."""

    def profile(self, values: Numbers) -> Numbers:
        """The part of a map (n,) that it could have made, by least squares."""
        return np.asarray(self.design @ np.linalg.lstsq(self.design, values, rcond=None)[0])

    def alone(self, values: Numbers) -> float:
        """Share of the variance of a map (n,) that it settles by itself: R2 of the profile, less what as many columns give by chance."""
        left, count = values - self.profile(values), len(values)
        free = max(count - self.design.shape[1], 1)
        return float(1.0 - (left**2).sum() / free / (((values - values.mean()) ** 2).sum() / max(count - 1, 1)))


def confounders(features: Numbers, places: Numbers, flake: NDArray[np.int64], values: Numbers) -> list[Confounder]:
    """Find what may have shaped a map (n,) and RS (n, feature) alike; several flakes have levels of their own in each."""
    rasters = {one: Raster.of(places[flake == one]) for one in np.unique(flake)}
    edge, line, along = np.zeros(len(flake), dtype=np.int64), np.zeros(len(flake), dtype=np.int64), np.zeros(len(flake))
    middle = np.zeros((len(flake), WAVES * len(rasters)))
    axis = _slow_axis(values, rasters, flake)
    for index, (one, raster) in enumerate(rasters.items()):
        here = flake == one
        middle[here, WAVES * index : WAVES * (index + 1)] = _from_the_middle(raster)
        edge[here] = grouped(edge_distance(raster))
        line[here], along[here] = raster.index[:, axis], raster.index[:, 1 - axis]
    found = [Confounder("edge", np.hstack([levels(flake, edge), middle])), Confounder("scan", _lines(levels(flake, line), along))]
    layer = layers(features, rasters, flake)
    return found if layer is None else [*found, Confounder("layers", levels(flake, layer))]


def edge_distance(raster: Raster) -> Numbers:
    """Distance of each pixel (n,) from the nearest place off the flake, in pixels; the border of the scan counts as off."""
    from scipy.ndimage import distance_transform_edt

    flake = np.pad(raster.picture(np.ones(len(raster.index))) > 0, 1)
    return np.asarray(distance_transform_edt(flake)[1:-1, 1:-1][raster.index[:, 0], raster.index[:, 1]])


def _from_the_middle(raster: Raster) -> Numbers:
    """Smooth functions (n, wave) of each pixel's distance from the middle of the flake, where it began to grow.

    On a star or a strip that is no function of the distance from the edge: RS that follows the one told PL that follows the other.
    """
    distance: Numbers = np.linalg.norm(raster.index - raster.index.mean(axis=0), axis=1)
    return np.asarray(np.cos(np.pi * np.arange(1, WAVES + 1) * (distance / max(distance.max(), 1.0))[:, None]))


def grouped(distance: Numbers) -> NDArray[np.int64]:
    """Number equal distances (n,) from 0; such as few pixels share are put together with the next."""
    _, inverse, count = np.unique(np.round(distance, 2), return_inverse=True, return_counts=True)
    group, size, groups = 0, 0, np.zeros(len(count), dtype=np.int64)
    for index, pixels in enumerate(count):
        if size >= FEWEST_AT_DISTANCE and count[index:].sum() >= FEWEST_AT_DISTANCE:
            group, size = group + 1, 0
        groups[index], size = group, size + pixels
    return groups[inverse.ravel()]


def levels(flake: NDArray[np.int64], group: NDArray[np.int64]) -> Numbers:
    """A column (n,) of zeros and ones for every group of every flake."""
    _, number = np.unique(np.column_stack([flake, group]), axis=0, return_inverse=True)
    return np.eye(number.max() + 1)[number.ravel()]


def layers(features: Numbers, rasters: Mapping[int, Raster], flake: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Tell two kinds of crystal (mono- and bilayer) apart by their RS: 0 or 1 (n,), or None where there are not two with a border between.

    Notes
    -----
    Two groups along the first principal component of the standardised columns; they count as layers where they are `APART`, none is tiny,
    and neighbours are of one.
    """
    from sklearn.cluster import KMeans

    standard = standardised(features)
    _, _, directions = np.linalg.svd(standard, full_matrices=False)
    along: Numbers = standard @ directions[0]
    if np.ptp(along) == 0:
        return None
    group: NDArray[np.int64] = KMeans(2, n_init=3, random_state=0).fit_predict(along[:, None]).astype(np.int64)
    one, other = along[group == 0], along[group == 1]
    # Ashman's D (1994): distance of two groups over their own spread.
    apart = abs(one.mean() - other.mean()) / max(np.sqrt((one.var() + other.var()) / 2), 1e-9)
    is_two = min(group.mean(), 1 - group.mean()) >= LEAST_LAYER and apart >= APART
    return group if is_two and _contiguous(group, rasters, flake) >= TOGETHER else None


def _contiguous(group: NDArray[np.int64], rasters: Mapping[int, Raster], flake: NDArray[np.int64]) -> float:
    """Share of the pairs of neighbours that are of one group, less what chance gives, as a share of what it leaves."""
    same, pairs = 0, 0
    for one, raster in rasters.items():
        picture = np.full(raster.shape, np.nan)
        picture[raster.index[:, 0], raster.index[:, 1]] = group[flake == one]
        for left, right in ((picture[1:], picture[:-1]), (picture[:, 1:], picture[:, :-1])):
            same, pairs = same + int((left == right).sum()), pairs + int((np.isfinite(left) & np.isfinite(right)).sum())
    share = float(group.mean())
    # Cohen's kappa of neighbours: a large group lies together by chance already.
    chance = share**2 + (1 - share) ** 2
    return float((same / max(pairs, 1) - chance) / (1 - chance))


def _slow_axis(values: Numbers, rasters: Mapping[int, Raster], flake: NDArray[np.int64]) -> int:
    """The axis whose lines differ more from their neighbours, 0 for rows: drift shows between lines, and which was slow is not kept."""
    rough = np.zeros(2)
    for one, raster in rasters.items():
        for axis in range(2):
            line = raster.index[:, axis]
            count = np.bincount(line)
            if count[count > 0].mean() < FEWEST_IN_LINE:  # across a scan of few lines, or of one: its columns would take all there is
                rough[axis] -= np.inf
                continue
            mean = np.bincount(line, values[flake == one])[count > 0] / count[count > 0]
            # The mean of a long line is known better: its step to the next counts by the pixels of the shorter of both.
            rough[axis] += np.mean(np.diff(mean) ** 2 * np.minimum(count[count > 0][1:], count[count > 0][:-1])) if len(mean) > 1 else 0.0
    return int(rough[1] > rough[0])


def _lines(level: Numbers, along: Numbers) -> Numbers:
    """Scan lines (n, line) with a slope for each that is long enough, there and back alike."""
    count: Numbers = level.sum(axis=0)
    middle: Numbers = level @ (level.T @ along / count)
    slopes: Numbers = level[:, count >= FEWEST_IN_LINE] * (along - middle)[:, None]
    return np.hstack([level, slopes])
