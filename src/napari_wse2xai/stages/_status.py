"""What became of every peak of every pixel, and of the pixel: the gravest of it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Status
from napari_wse2xai.stages._fitting import CONVERGED, Fit

BAD_CHI2 = 8.0
"""Reduced chi2, over the map's median, from which a spectrum counts as badly described."""
SPIKE = 8.0
"""Noise standard deviations of a lone residual channel that is taken for a spike."""
CLOSE = 0.2
"""Distance of two peaks, in their mean FWHM, under which they are one."""
WORD = 1.5
"""Errors by which a misfit that the map shares moves a parameter, from which the peak says so; below, its error holds it."""
GRAVITY = (
    Status.OK,
    Status.MISFIT,
    Status.AT_BOUND,
    Status.PEAKS_MERGED,
    Status.ABNORMAL,
    Status.SPIKE_LEFT,
    Status.NOT_CONVERGED,
    Status.BELOW_NOISE,
    Status.SATURATED,
)
"""What can become of a fitted peak, the gravest last."""
UNDER_MERGED = (Status.OK, Status.MISFIT, Status.AT_BOUND, Status.BELOW_NOISE, Status.NOT_CONVERGED)
"""What is said of peaks that share one line's light is that: no other fit finds an end in such a valley either."""


def pixel_status(fits: Sequence[Fit], detection: float) -> NDArray[np.uint8]:
    """(pixel,) a `Status` each: the gravest of the peaks that are there, `BELOW_NOISE` where none is."""
    return gravest(np.concatenate([peak_status(fit, detection) for fit in fits], axis=1))


def gravest(each: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(pixel,) of (pixel, peak)."""
    rank = np.zeros(max(GRAVITY) + 1, dtype=np.int8)
    rank[list(GRAVITY)] = np.arange(len(GRAVITY))
    absent = rank[Status.BELOW_NOISE]
    ranks = rank[each]
    worst = np.where(ranks == absent, -1, ranks).max(axis=1)
    return np.asarray(np.array(GRAVITY, dtype=np.uint8)[np.where(worst < 0, absent, worst)])


def peak_status(fit: Fit, detection: float) -> NDArray[np.uint8]:
    """(pixel, peak) a `Status` each; what is wrong with a window is wrong with all its peaks."""
    absent = fit.absent(detection)
    chi2 = fit.quality.chi2 / fit.quality.freedom
    status = np.full(absent.shape, Status.OK, dtype=np.uint8)
    status[missing(fit)] = Status.MISFIT
    status[(~fit.free).any(axis=2)] = Status.AT_BOUND
    status[_merged(fit, absent)] = Status.PEAKS_MERGED
    status[chi2 > BAD_CHI2 * max(float(np.median(chi2)), 1.0)] = Status.ABNORMAL
    status[_spiky(fit, chi2)] = Status.SPIKE_LEFT
    status[fit.quality.distance > CONVERGED] = Status.NOT_CONVERGED
    status[absent & ~_spiky(fit, chi2)[:, None]] = Status.BELOW_NOISE
    if fit.misfit is not None:  # two that share one line's light are each lost in their errors, but the line is not
        status[fit.misfit.unresolved & np.isin(status, UNDER_MERGED)] = Status.PEAKS_MERGED
    return status


def missing(fit: Fit) -> NDArray[np.bool_]:
    """(pixel, peak) True where the model misses something, by what the pixel's residual shows or by what that does to the peak."""
    if fit.misfit is None:
        return np.zeros(fit.found.shape[:2], dtype=bool)
    moved = (fit.misfit.bias > WORD * fit.quality.error)[..., :3].any(axis=2)
    return np.asarray(moved | (fit.misfit.own > 0)[:, None])


def _spiky(fit: Fit, chi2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(pixel,) True where a lone channel stands out of what the fit leaves everywhere else, the channel itself left out."""
    lone, freedom = fit.quality.lone, fit.quality.freedom
    rest = (chi2 * freedom - lone**2) / max(freedom - 1, 1)
    return np.asarray(lone > SPIKE * np.sqrt(np.maximum(rest, 1.0)))


def _merged(fit: Fit, absent: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(pixel, peak) True where a peak that is there lies on top of another."""
    position, fwhm = fit.found[..., 0], fit.found[..., 1]
    merged = np.zeros(absent.shape, dtype=bool)
    for j in range(absent.shape[1]):
        for k in range(j):
            near = np.abs(position[:, j] - position[:, k]) < CLOSE * 0.5 * (fwhm[:, j] + fwhm[:, k])
            near &= ~absent[:, j] & ~absent[:, k]
            merged[:, j] |= near
            merged[:, k] |= near
    return merged
