"""Where a fit should start, learned from some spectra that have been fitted."""

import numpy as np
import torch
from numpy.typing import NDArray

FEWEST = 400
"""Spectra to learn from."""
RIDGE = 0.01
"""Prior against large coefficients, in spectra."""


class LearnedStart:
    """Quadratic regression of the fitted parameters on the spectra's moments at the common start.

    To first order in how far the peaks are from the start these moments fix a Gauss-Newton step; the squares take up its curvature.
    A fit that starts here has one or two iterations to go where one from the common start has six, and ends in the same minimum.
    """

    def __init__(self, features: torch.Tensor, found: torch.Tensor) -> None:
        """Learn from features (q, pixel) and parameters (..., pixel)."""
        values = features.double().cpu().numpy()
        self.mean = values.mean(axis=1, keepdims=True)
        spread, axes = np.linalg.eigh(np.cov(values))
        rounding = float(np.finfo(np.float32).eps) * max(float(np.abs(values).max()), 1e-30)  # spectra may all be equal
        # A direction in which spectra differ by rounding alone would otherwise be blown up to the size of the others.
        whiten = axes / np.sqrt(np.maximum(spread, max(1e-10 * spread.max(), rounding**2)))
        self.shape, self.device = found.shape[:-1], features.device
        self.whiten, self.mean = self._tensor(whiten.T), self._tensor(self.mean)
        self.one, self.other = torch.triu_indices(len(values), len(values), device=self.device)
        terms = self._terms(features).double().cpu().numpy()
        targets = found.flatten(0, -2).double().cpu().numpy()
        # The constant is not held back: it is where fits of a usual spectrum end, and nought is no better guess of that.
        penalty = np.diag([0.0] + [RIDGE] * (len(terms) - 1))
        self.weights = self._tensor(np.linalg.solve(terms @ terms.T + penalty, terms @ targets.T).T)

    def _tensor(self, values: NDArray[np.float64]) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)

    def _terms(self, features: torch.Tensor) -> torch.Tensor:
        """(1 + q + q (q + 1) / 2, pixel) constant, linear and square terms."""
        linear = self.whiten @ (features - self.mean)
        return torch.cat([torch.ones_like(linear[:1]), linear, linear[self.one] * linear[self.other]])

    def predict(self, features: torch.Tensor) -> torch.Tensor:
        """(..., pixel) parameters to start from."""
        return (self.weights @ self._terms(features)).view(*self.shape, -1)


def enough(features: int) -> int:
    """How many spectra to learn from: a good deal more than there are coefficients."""
    return max(FEWEST, 3 * (1 + features + features * (features + 1) // 2))
