"""The reference map for speed and accuracy of a deconvolution: 100 x 100 spectra like those of WSe2, 1,600 channels, with their truth.

Seeded; Poisson and read noise; two windows with five and three Lorentzians; the same start values and bounds for every solver.  Not to be
edited: the numbers of all pages are of this map.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[np.float64]
X = 100.0 + 0.5 * np.arange(1600)
X = X + 4e-5 * (X - 500.0) ** 2  # spectrographs are not equidistant in cm-1
WINDOWS = ((183.0, 300.0), (314.0, 410.0))
PEAKS = (  # position, FWHM, height
    np.array([[195.0, 11.0, 130.0], [220.0, 10.0, 220.0], [240.5, 8.0, 450.0], [249.8, 3.6, 2500.0], [259.5, 8.0, 900.0]]),
    np.array([[359.0, 8.0, 220.0], [374.0, 8.5, 340.0], [395.0, 8.0, 290.0]]),
)
INIT = (  # what a user would read off the mean spectrum: slightly off
    np.array([[194.0, 10.0, 100.0], [220.5, 10.0, 150.0], [240.0, 9.0, 300.0], [250.0, 4.0, 1500.0], [260.0, 9.0, 500.0]]),
    np.array([[359.5, 9.0, 150.0], [374.0, 9.0, 200.0], [394.5, 9.0, 200.0]]),
)
SHIFT, NARROWEST, WIDEST = 5.0, 0.4, 2.5
"""Bounds: positions in cm-1 about the start, FWHM in times the start's."""
BACKGROUND, READ = 400.0, 10.0
"""Counts, taken off; standard deviation of the read noise."""


def bounds(window: int) -> tuple[Array, Array]:
    """(peak, 3) lowest and highest position, FWHM, height."""
    start = INIT[window]
    low = np.stack([start[:, 0] - SHIFT, NARROWEST * start[:, 1], 0 * start[:, 2]], 1)
    return low, np.stack([start[:, 0] + SHIFT, WIDEST * start[:, 1], np.full(len(start), 1e6)], 1)


def _smooth(rng: np.random.Generator, ny: int, nx: int, sigma: float) -> Array:
    field = gaussian_filter(rng.standard_normal((ny, nx)), sigma, mode="wrap")
    return np.asarray(field / np.abs(field).max()).ravel()


def _lines(x: Array, peaks: Array) -> Array:
    """(pixel, n) sum of Lorentzians, (pixel, peak, 3)."""
    total = np.zeros((len(peaks), x.size))
    for k in range(peaks.shape[1]):
        position, fwhm, height = (peaks[:, k, j][:, None] for j in range(3))
        total += height / (1 + (2 * (x - position) / fwhm) ** 2)
    return total


def make(ny: int = 100, nx: int = 100, seed: int = 20230, scale: float = 1.0) -> dict[str, Any]:
    """Axes `x`, counts `y` (pixel, n) and `truth` (pixel, peak, 3) of each window; `full` (pixel, 1600); `ny`, `nx`."""
    rng = np.random.default_rng(seed)
    gain, shift = 0.9 + 0.6 * _smooth(rng, ny, nx, 8), 2.0 * _smooth(rng, ny, nx, 10)
    truth = []
    for nominal in PEAKS:
        peaks = np.repeat(nominal[None], ny * nx, 0).copy()
        for k in range(len(nominal)):
            peaks[:, k, 0] += np.clip(shift + 0.5 * _smooth(rng, ny, nx, 6), -2, 2)
            peaks[:, k, 1] *= 1 + 0.2 * _smooth(rng, ny, nx, 6)
            peaks[:, k, 2] *= gain * (1 + 0.15 * _smooth(rng, ny, nx, 5)) * scale
        truth.append(peaks)
    clean = _lines(X, truth[0]) + _lines(X, truth[1])
    full = rng.poisson(clean + BACKGROUND).astype(float) - BACKGROUND + READ * rng.standard_normal(clean.shape)
    inside = [(low <= X) & (high >= X) for low, high in WINDOWS]
    y = [np.ascontiguousarray(full[:, each]) for each in inside]
    return {"x": [X[each] for each in inside], "y": y, "truth": truth, "full": full, "ny": ny, "nx": nx}
