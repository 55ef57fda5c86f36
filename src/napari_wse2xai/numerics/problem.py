"""What every solver is asked: a sum of peaks on one window, with where it starts and how far it may go."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Problem:
    """Peaks that are fitted together.

    The objective of a spectrum y is ``mean((y - model)^2) / s^2 + penalty * sum(((p - anchor) / w)^2)`` with s the spectrum's highest count
    and w the FWHM of the start: the paper's mean squared error with its pull of the positions towards the initial ones.
    The model may contain a polynomial background; being linear it is solved for exactly, by projecting it out of residual and derivatives
    (variable projection: Golub and Pereyra 1973).
    """

    x: NDArray[np.float64]
    """(n,) axis values."""
    shapes: tuple[str, ...]
    start: NDArray[np.float64]
    """(peak, 3) position, FWHM (axis unit) and height (counts) to start from."""
    anchor: NDArray[np.float64]
    """(peak,) positions towards which the penalty pulls: the initial ones."""
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    """(peak, 3) bounds of each parameter."""
    background: NDArray[np.float64]
    """(n, d) orthonormal polynomials whose best combination lies under the peaks of every spectrum; d = 0 for none."""
    penalty: float
    """Weight of a squared shift of one FWHM from `anchor`, against a mean squared error of the spectrum's highest count squared."""

    def without_background(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., n) residuals after the best background is taken off."""
        return np.asarray(residual - (residual @ self.background) @ self.background.T)

    def restarted(self, found: NDArray[np.float64]) -> "Problem":
        """Start from parameters found before, (peak, 3); a peak that was not seen starts at 2 % of the highest."""
        start = np.clip(found, self.lower, self.upper)
        start[:, 2] = np.maximum(start[:, 2], 0.02 * max(float(start[:, 2].max()), 1e-12))
        return replace(self, start=start)

    def pull(self, counts: NDArray[np.floating]) -> NDArray[np.float64]:
        """Weight of a squared shift from `anchor` in the sum of squares of each spectrum.

        Parameters
        ----------
        counts : (pixel, n) counts

        Returns
        -------
        (pixel, peak) counts^2 per squared axis unit
        """
        highest = np.maximum(counts.max(axis=1), 0.0)[:, None]
        return np.asarray(self.penalty * len(self.x) * (highest / self.start[:, 1]) ** 2)


def polynomials(x: NDArray[np.float64], degree: int | None) -> NDArray[np.float64]:
    """Orthonormal polynomials up to a degree on the given channels, (n, degree + 1); (n, 0) for None."""
    if degree is None:
        return np.empty((len(x), 0))
    span = max(float(np.ptp(x)), 1e-300)
    return np.linalg.qr(np.vander(2 * (x - x.mean()) / span, degree + 1))[0]
