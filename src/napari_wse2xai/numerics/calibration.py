"""The correction of a spectral axis from where known lines were seen, and what it takes to apply it."""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.noise import MAD_TO_SIGMA

Values = NDArray[np.float64]
OUTLIER = 4.0
"""A sighting farther off than this many standard deviations of all sightings does not count."""
ROUNDS = 10
"""Fits at most, each without what the one before showed to be far off."""
ALIKE = 0.1
"""Lines of this share of the highest one's height leave open which of them is the known one."""
SURE = 6.0
"""How many standard deviations of the noise such a line must rise above what lies between."""


@dataclass(frozen=True)
class Sightings:
    """Where known lines were seen: one entry per line and spectrum, (m,) each."""

    known: Values
    """True positions, axis unit."""
    seen: Values
    """Fitted positions, axis unit."""
    error: Values
    """One standard error of each fitted position."""
    time: Values
    """When in the scan: -0.5 at its beginning, 0.5 at its end."""


@dataclass(frozen=True)
class Scale:
    """Maps an axis to -1 .. 1, so that powers of it stay comparable."""

    middle: float
    half: float

    def powers(self, x: Values, degree: int) -> Values:
        """(n, degree + 1), from the constant upwards."""
        return np.vander((x - self.middle) / self.half, degree + 1, increasing=True)


@dataclass(frozen=True)
class Correction:
    """What to add to an axis: a polynomial, and a drift in time."""

    scale: Scale
    coefficients: Values
    """(degree + 1,) axis unit."""
    covariance: Values
    """(degree + 1, degree + 1)"""
    drift: float
    """Change of the shift from the beginning to the end of the scan, axis unit."""
    drift_error: float
    used: int
    """Sightings that count, without outliers."""

    def at(self, x: Values) -> Values:
        """(n,) correction in the middle of the scan."""
        return np.asarray(self.scale.powers(x, len(self.coefficients) - 1) @ self.coefficients)

    def error_at(self, x: Values) -> Values:
        """(n,) one standard error of the correction."""
        powers = self.scale.powers(x, len(self.coefficients) - 1)
        return np.asarray(np.sqrt(np.einsum("ni,ij,nj->n", powers, self.covariance, powers)))

    def with_common_error(self, error: float) -> Self:
        """The same with an error more that all sightings share."""
        covariance = self.covariance.copy()
        covariance[0, 0] += error**2
        return replace(self, covariance=covariance)


def correction(sightings: Sightings, scale: Scale, degree: int, *, drifting: bool) -> Correction:
    """Fit the correction by weighted least squares, leaving outliers out.

    Parameters
    ----------
    sightings : at least ``degree + 1`` different lines, and different times where `drifting`
    degree : of the polynomial: 0 shift, 1 linear, 2 quadratic
    drifting : whether the shift changes evenly from the beginning to the end of the scan

    Notes
    -----
    Errors come from the scatter of the sightings where that exceeds their own errors.  By how much the polynomial misses whole lines does
    not average out over pixels: it is added where there are more lines than coefficients.
    """
    powers = scale.powers(sightings.seen, degree)
    design = np.column_stack([powers, sightings.time]) if drifting else powers
    offset = sightings.known - sightings.seen
    keep = np.ones(len(offset), dtype=bool)
    for _ in range(ROUNDS):
        found, covariance, pulls = _weighted(design, offset, sightings.error, keep)
        # By their own scatter, for errors of fits may be stated too small; but not by less than the errors, or good ones would go.
        spread = max(1.0, MAD_TO_SIGMA * float(np.median(np.abs(pulls[keep]))))
        inside = np.abs(pulls) < OUTLIER * spread
        if (inside == keep).all() or np.linalg.matrix_rank(design[inside]) < design.shape[1]:
            break
        keep = inside
    free = max(int(keep.sum()) - design.shape[1], 1)
    # Birge's ratio: errors that were stated too small are raised by what the sightings scatter, never lowered.
    covariance = covariance * max(1.0, float(np.sum(pulls[keep] ** 2)) / free)
    misfit = _missed_lines(sightings, scale, degree, offset - design @ found, keep)
    return Correction(
        scale,
        found[: degree + 1],
        covariance[: degree + 1, : degree + 1] + misfit,
        float(found[-1]) if drifting else 0.0,
        float(np.sqrt(covariance[-1, -1])) if drifting else 0.0,
        int(keep.sum()),
    )


def _weighted(design: Values, offset: Values, error: Values, keep: NDArray[np.bool_]) -> tuple[Values, Values, Values]:
    """Solution, its covariance for the given errors, and all residuals over their errors."""
    scaled = design[keep] / error[keep, None]
    covariance: Values = np.asarray(np.linalg.pinv(scaled.T @ scaled), dtype=np.float64)
    found = covariance @ (scaled.T @ (offset[keep] / error[keep]))
    return found, covariance, (offset - design @ found) / error


def _missed_lines(sightings: Sightings, scale: Scale, degree: int, residual: Values, keep: NDArray[np.bool_]) -> Values:
    """Covariance from what the polynomial leaves of each line's mean offset; zero where every line is met exactly by construction."""
    lines = np.unique(sightings.known[keep])
    free = len(lines) - degree - 1
    if free < 1:
        return np.zeros((degree + 1, degree + 1))
    means = np.array([residual[keep & (sightings.known == line)].mean() for line in lines])
    powers = scale.powers(lines, degree)
    return np.asarray(float(np.sum(means**2)) / free * np.linalg.pinv(powers.T @ powers))


def line_guess(x: Values, spectrum: Values) -> tuple[float, float]:
    """Position and FWHM of the highest line of one window, to start a fit from.

    Parameters
    ----------
    x : (n,) axis values
    spectrum : (n,) counts
    """
    edge = max(2, len(x) // 10)
    ends = np.median(spectrum[:edge]), np.median(spectrum[-edge:])
    above = spectrum - np.interp(x, (x[:edge].mean(), x[-edge:].mean()), ends)
    # Over three channels, so that noise alone does not make the top.
    smooth = np.convolve(above, (0.25, 0.5, 0.25), mode="same")
    top = int(np.argmax(smooth[1:-1])) + 1
    low = np.flatnonzero(smooth < 0.5 * smooth[top])
    left, right = low[low < top], low[low > top]
    width = x[right[0] if len(right) else -1] - x[left[-1] if len(left) else 0]
    step = float(np.median(np.diff(x)))
    return float(x[top]), float(np.clip(width, 2.0 * step, 0.5 * np.ptp(x)))


def lines_alike(x: Values, typical: Values, spectra: NDArray[np.floating]) -> Values:
    """Positions of the lines of one window that are about as high as the highest, each above what lies between it and higher ones.

    Parameters
    ----------
    x : (n,) axis values
    typical : (n,) counts, median of the spectra
    spectra : (pixel, n) counts
    """
    from scipy.signal import find_peaks

    smooth = np.convolve(typical, (0.25, 0.5, 0.25), mode="valid")
    tops, shown = find_peaks(smooth, prominence=SURE * _noise_of_median(spectra, typical))
    rises = shown["prominences"]
    return np.asarray(x[1:-1][tops[rises >= ALIKE * rises.max(initial=0.0)]])


def _noise_of_median(spectra: NDArray[np.floating], typical: Values) -> float:
    """Noise of the median of spectra: of neighbouring channels against it, for lines are in all of them."""
    left = np.diff(spectra - typical, axis=1) if len(spectra) > 2 else np.diff(spectra, axis=1)
    deviation = MAD_TO_SIGMA * float(np.median(np.abs(left))) / math.sqrt(2.0)
    # A median of normal values errs by sqrt(pi / 2) times as much as their mean.
    return max(deviation * math.sqrt(0.5 * math.pi / len(spectra)), 1e-30)


def undrifted(x: Values, counts: NDArray[np.float32], shift: float, targets: Values) -> NDArray[np.float32]:
    """Spectra measured on ``x + shift``, read at `targets` by cubic splines.

    Parameters
    ----------
    x : (n,) axis values
    counts : (pixel, n); a channel without a value leaves those beside it without one
    shift : axis unit
    targets : (m,) inside ``x + shift``
    """
    from scipy.interpolate import CubicSpline

    missing = np.isnan(counts)
    whole = ~missing.any(axis=1)
    result = np.full((len(counts), len(targets)), np.nan, dtype=np.float32)
    if whole.any():
        result[whole] = CubicSpline(x, counts[whole], axis=1)(targets - shift)
    for pixel in np.flatnonzero(~whole & ~missing.all(axis=1)):
        good = ~missing[pixel]
        filled = np.interp(x, x[good], counts[pixel][good])
        beside = np.interp(targets - shift, x, missing[pixel].astype(np.float64)) > 0
        result[pixel] = np.where(beside, np.nan, CubicSpline(x, filled)(targets - shift))
    return result
