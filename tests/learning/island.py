"""A flake without spectra: smooth features on an irregular outline, and PL maps that follow them, or do not."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

SMOOTH = 3.5
"""Width of the fields in pixels."""


class Island:
    """About 800 pixels of a disc with a bay, 24 features mixed of 24 smooth fields and a little noise."""

    def __init__(self, seed: int, side: int = 36) -> None:
        self.rng = np.random.default_rng(seed)
        self.side = side
        y, x = np.mgrid[:side, :side] / (side - 1.0) - 0.5
        self.mask = (np.hypot(y, x) < 0.5) & ~((x > 0.2) & (np.abs(y) < 0.12))
        fields = np.stack([self.field() for _ in range(24)], axis=1)
        common = np.stack([self.field() for _ in range(3)], axis=1) @ self.rng.standard_normal((3, 24))
        self.features = fields + common + 0.3 * self.rng.standard_normal(fields.shape)
        self.coordinates = 0.5 * np.argwhere(self.mask).astype(float) + (3.0, -20.0)

    def field(self) -> NDArray[np.float64]:
        """A smooth map of unit spread, one value per pixel."""
        values = gaussian_filter(self.rng.standard_normal((self.side, self.side)), SMOOTH, mode="reflect")[self.mask]
        return (values - values.mean()) / values.std()

    def law(self) -> NDArray[np.float64]:
        """PL that the features settle."""
        x = (self.features - self.features.mean(axis=0)) / self.features.std(axis=0)
        signal = 1.6 * np.tanh(0.9 * x[:, 11]) + 0.6 * x[:, 3] - 0.4 * x[:, 20]
        return 20.0 + signal + 0.05 * self.rng.standard_normal(len(signal))
