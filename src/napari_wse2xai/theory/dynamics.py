"""Spectra of molecular dynamics: the velocities' autocorrelation by Wiener and Khinchin."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.theory.cell import Array

LIGHT_CM_PER_FS = 2.99792458e-5
_FAINT = 1e-6
"""Of the window, where it is as good as over."""
_COLUMNS = 48
"""Time series that are transformed at once: bounds the memory."""


def autocorrelation(series: Array, lags: int) -> Array:
    """(lags,) summed autocorrelation of time series (t, k) over k by Wiener and Khinchin; each lag divided by the number of all steps.

    Dividing so keeps the spectrum positive; it widens lines where the window is as long as the run.
    """
    steps = len(series)
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
    damped = correlation * np.exp(-np.pi * LIGHT_CM_PER_FS * fwhm_cm1 * times)
    damped[0] /= 2
    size = int(2 ** np.ceil(np.log2(max(16 * len(damped), 1 << 14))))
    lines = 4 * LIGHT_CM_PER_FS * step_fs * np.fft.rfft(damped, size).real
    return np.interp(wavenumbers, np.fft.rfftfreq(size, step_fs * LIGHT_CM_PER_FS), lines, right=0.0)


def mass_weighted(velocities: Array, masses: Array) -> Array:
    """(t, 3 n) velocities times the root of the mass, without the motion of the whole; A/ps u^(1/2).

    Parameters
    ----------
    velocities : (t, n, 3) A/ps
    masses : (n,) u
    """
    drift = np.einsum("tnk,n->tk", velocities, masses) / masses.sum()
    return np.asarray(((velocities - drift[:, None]) * np.sqrt(masses)[:, None]).reshape(len(velocities), -1))


def velocities_of(positions: Array, step_fs: float) -> NDArray[np.float64]:
    """(t - 2, n, 3) A/ps by central differences of positions (t, n, 3) in A that do not jump over the cell's border."""
    return np.asarray((positions[2:] - positions[:-2]) / (2 * step_fs * 1e-3))


def unwrapped(fractions: Array) -> Array:
    """(t, n, 3) fractional positions of which none moves by more than half a cell from step to step."""
    moves = np.diff(fractions, axis=0)
    return np.asarray(np.concatenate([fractions[:1], fractions[:1] + np.cumsum(moves - np.round(moves), axis=0)]))
