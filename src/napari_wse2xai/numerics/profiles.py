"""Values of a map by something that every pixel has: its distance from an edge, its place along a line; with errors."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.likeness import MaskedGrid

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profile:
    """Means of the pixels that lie in each step."""

    place: Array
    """(step,) mean place of the pixels, um."""
    mean: Array
    """(step,)."""
    error: Array
    """(step,) one standard error of the mean."""
    pixels: NDArray[np.int64]
    """(step,) how many."""


def profile(
    values: NDArray[np.floating], place: Array, width: float, step: tuple[float, float], errors: NDArray[np.floating] | None = None
) -> Profile:
    """Means of a map over pixels of like place.

    Parameters
    ----------
    values : (ny, nx), NaN where there is no value
    place : (ny, nx) um; NaN where a pixel does not count
    width : of a step, um
    step : distance of rows and of columns, um
    errors : (ny, nx) one standard error of each value, independent from pixel to pixel

    Notes
    -----
    The error of a mean is that of pixels as alike as what the profile leaves over is, or that of the fits where this is larger.
    """
    there = np.isfinite(values) & np.isfinite(place)
    if not there.any():
        return Profile(np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))
    value, at = values[there].astype(np.float64), place[there]
    number = np.floor(at / width).astype(np.int64)
    number -= number.min()
    pixels = np.bincount(number)
    kept = np.flatnonzero(pixels)
    with np.errstate(invalid="ignore"):
        mean, where = (np.bincount(number, each) / pixels for each in (value, at))
    rest = value - _between(at, where[kept], mean[kept])
    variance = _variances(there, step, rest, number, kept)
    if errors is not None:
        own = np.nan_to_num(errors[there].astype(np.float64)) ** 2
        variance = np.maximum(variance, (np.bincount(number, own) / np.maximum(pixels, 1) ** 2)[kept])
    return Profile(where[kept], mean[kept], np.sqrt(variance), pixels[kept])


def _between(at: Array, place: Array, mean: Array) -> Array:
    """The profile as a line from mean to mean, gone on with beyond its ends: steps would leave over a slope of their own."""
    if len(place) < 2:
        return np.full_like(at, mean[0])
    piece = np.clip(np.searchsorted(place, at) - 1, 0, len(place) - 2)
    slope = np.diff(mean) / np.diff(place)
    return np.asarray(mean[piece] + slope[piece] * (at - place[piece]))


def _variances(
    there: NDArray[np.bool_], step: tuple[float, float], rest: Array, number: NDArray[np.int64], kept: NDArray[np.int64]
) -> Array:
    """Variance of the mean of each step, from how alike what is left over is."""
    grid = MaskedGrid.of(there, step)
    covariance, numbers = grid.covariance(rest), grid.picture(number.astype(np.float64) + 1.0)
    return np.array([grid.variance_of_mean(numbers == each + 1, covariance) for each in kept])


def along_line(places: Array, corners: Array, half_width: float) -> Array:
    """How far along a line pixels lie.

    Parameters
    ----------
    places : (ny, nx, 2) of the pixels, um
    corners : (corner, 2) of the line, um
    half_width : pixels farther from the line than this do not count, um

    Returns
    -------
    (ny, nx) um from the first corner; NaN beside the line
    """
    best, found = np.full(places.shape[:2], half_width), np.full(places.shape[:2], np.nan)
    before = 0.0
    for start, end in pairwise(corners):
        way = end - start
        length = float(np.hypot(*way))
        if not length:
            continue
        share = ((places - start) @ way) / length**2
        off = np.hypot(*np.moveaxis(places - start - np.clip(share, 0.0, 1.0)[..., None] * way, -1, 0))
        nearer = (off <= best) & (share >= 0) & (share <= 1)
        best[nearer], found[nearer] = off[nearer], before + share[nearer] * length
        before += length
    return found
