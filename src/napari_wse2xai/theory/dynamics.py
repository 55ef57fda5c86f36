"""Spectra of molecular dynamics: the velocities' autocorrelation by Wiener and Khinchin, and how sure it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.theory.cell import Array

LIGHT_CM_PER_FS = 2.99792458e-5
MEV_PER_U_A2_PS2 = 0.1036426966
"""meV of 1 u (A / ps)^2."""
_FAINT = 1e-6
"""Of the window, where it is as good as over."""
_COLUMNS = 48
"""Time series that are transformed at once: bounds the memory."""


def autocorrelation(series: Array, lags: int) -> Array:
    """(lags,) summed autocorrelation of time series (t, k) over k by Wiener and Khinchin; each lag divided by the number of all steps.

    Dividing so keeps the spectrum positive; it widens lines where the window is as long as the run.
    """
    steps = len(series)
    # Padded by as many zeros as there are lags: the end of the run must not meet its beginning.
    size = int(2 ** np.ceil(np.log2(steps + lags)))
    power = np.zeros(size // 2 + 1)
    for first in range(0, series.shape[1], _COLUMNS):
        amplitudes = np.fft.rfft(series[:, first : first + _COLUMNS], size, axis=0)
        power += (amplitudes.real**2 + amplitudes.imag**2).sum(axis=1)
    return np.asarray(np.fft.irfft(power, size)[:lags] / steps)


def lags_of(steps: int, step_fs: float, fwhm_cm1: float) -> int:
    """How far an autocorrelation is worth following, where lines are drawn so wide."""
    end_fs = -np.log(_FAINT) / (np.pi * LIGHT_CM_PER_FS * fwhm_cm1)
    return int(min(steps, np.ceil(end_fs / step_fs) + 1))


def spectrum(correlation: Array, step_fs: float, wavenumbers: Array, fwhm_cm1: float) -> Array:
    """(n,) cosine transform of an autocorrelation (lags,), with Lorentzians of a width; its area, per cm-1, is the first value."""
    times = np.arange(len(correlation)) * step_fs
    # Damping by exp(-pi c FWHM t) is what convolves every line with a Lorentzian of that width.
    damped = correlation * np.exp(-np.pi * LIGHT_CM_PER_FS * fwhm_cm1 * times)
    # Trapezium rule: of the transform from minus to plus infinity lag nought is counted once, all others twice.
    damped[0] /= 2
    # Sixteen times as many points as lags: fine enough to be interpolated by straight lines.
    size = int(2 ** np.ceil(np.log2(max(16 * len(damped), 1 << 14))))
    lines = 4 * LIGHT_CM_PER_FS * step_fs * np.fft.rfft(damped, size).real
    return np.interp(wavenumbers, np.fft.rfftfreq(size, step_fs * LIGHT_CM_PER_FS), lines, right=0.0)


def as_stepped(wavenumbers: Array, step_fs: float) -> tuple[Array, Array]:
    """Where velocity Verlet puts vibrations of given wavenumbers (n,), cm-1, and how much it stretches the axis there (n,).

    A harmonic vibration comes out at sin(w' dt / 2) = w dt / 2: at 250 cm-1 by 0.6 cm-1 too high with 5 fs, by 2.4 with 10 fs.  What no
    such step can follow is NaN.
    """
    phase = np.pi * LIGHT_CM_PER_FS * wavenumbers * step_fs
    sine = np.where(phase < 1, phase, np.nan)
    return np.arcsin(sine) / (np.pi * LIGHT_CM_PER_FS * step_fs), 1 / np.sqrt(1 - sine**2)


def mass_weighted(velocities: Array, masses: Array) -> Array:
    """(t, 3 n) velocities times the root of the mass, without the motion of the whole; A/ps u^(1/2).

    Parameters
    ----------
    velocities : (t, n, 3) A/ps
    masses : (n,) u
    """
    drift = np.einsum("tnk,n->tk", velocities, masses) / masses.sum()
    return np.asarray(((velocities - drift[:, None]) * np.sqrt(masses)[:, None]).reshape(len(velocities), 3 * len(masses)))


@dataclass(frozen=True, eq=False)
class Averaged:
    """A spectrum over seeds with its error.

    Attributes
    ----------
    mean : (n,)
    error : (n,) standard deviation of the mean over bootstraps of the seeds; NaN for one seed
    """

    mean: Array
    error: Array


def over_seeds(spectra: Array, *, resampled: int = 500, seed: int = 0) -> Averaged:
    """Mean of spectra (seed, n) with a bootstrap error: seeds are independent, the steps of one are not."""
    number = len(spectra)
    if number < 2:
        return Averaged(spectra.mean(axis=0), np.full(spectra.shape[1], np.nan))
    weights = np.random.default_rng(seed).multinomial(number, np.full(number, 1 / number), resampled) / number
    # A bootstrap of few seeds scatters by sqrt((n - 1) / n) too little: the second factor gives that back.
    spread = (weights @ spectra).std(axis=0, ddof=1) * np.sqrt(number / (number - 1))
    return Averaged(spectra.mean(axis=0), spread)


def block_error(values: Array, blocks: int = 10) -> float:
    """Standard error of the mean of a time series (t,), from the means of blocks: neighbouring steps are alike."""
    kept = len(values) // blocks * blocks
    if kept < 2 * blocks:
        return float("nan")
    means = values[:kept].reshape(blocks, -1).mean(axis=1)
    return float(means.std(ddof=1) / np.sqrt(blocks))


def slope_with_error(values: Array, step: float, blocks: int = 20) -> tuple[float, float]:
    """Slope of a time series (t,) and its standard error, from blocks; NaN where there are too few values."""
    if len(values) < 2:
        return float("nan"), float("nan")
    times = (np.arange(len(values)) - (len(values) - 1) / 2) * step
    spread = float((times**2).sum())
    slope = float((times * values).sum() / spread)
    if len(values) < 2 * blocks:
        return slope, float("nan")
    left = times * (values - values.mean() - slope * times)
    sums = np.array([block.sum() for block in np.array_split(left, blocks)])
    telling = 5 / 9 * blocks  # those in the middle tell little of a slope
    return slope, float(np.sqrt((sums**2).sum() * telling / (telling - 2)) / spread)


def temperatures(velocities: Array, masses: Array) -> Array:
    """(t,) K of the motion without that of the whole, by equipartition over 3 n - 3 motions."""
    energy_mev = (mass_weighted(velocities, masses) ** 2).sum(axis=1) * MEV_PER_U_A2_PS2
    return np.asarray(energy_mev / (3 * len(masses) - 3) / 8.617333262e-2)


def velocities_of(positions: Array, step_fs: float) -> NDArray[np.float64]:
    """(t - 2, n, 3) A/ps by central differences of positions (t, n, 3) in A that do not jump over the cell's border."""
    return np.asarray((positions[2:] - positions[:-2]) / (2 * step_fs * 1e-3))


def unwrapped(fractions: Array) -> Array:
    """(t, n, 3) fractional positions of which none moves by more than half a cell from step to step."""
    moves = np.diff(fractions, axis=0)
    return np.asarray(np.concatenate([fractions[:1], fractions[:1] + np.cumsum(moves - np.round(moves), axis=0)]))
