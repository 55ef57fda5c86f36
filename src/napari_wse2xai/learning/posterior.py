"""How unsure a Gaussian process is of its curves and slopes, given its pixels: what no refit shows where all of them know as little."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.learning.gaussian_process import LENGTH, Kernel, gaussian
from napari_wse2xai.learning.kernel_search import JITTER
from napari_wse2xai.numerics.all_over import all_over

Numbers = NDArray[np.float64]
MOST_PIXELS = 500
"""That a posterior is asked of: each then stands for several, with a share of the noise. The cost grows with the square."""
NONE = 1e-4
"""Prior variance of a change, in that of the target, below which a parameter does nothing."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior of one kernel, pixels standardised."""

    kernel: Kernel
    """In which every parameter may do as much as parameters do on average."""
    z: Numbers
    """(n, feature) pixels."""
    factor: Numbers
    """(n, n) Cholesky's, of their covariance with noise."""

    @classmethod
    def of(cls, kernel: Kernel, z: Numbers) -> Self:
        """Condition on pixels z (n, feature), of many on some from all over them."""
        few = z[all_over(len(z), MOST_PIXELS)]
        # The likeliest kernel says of a weak effect that there is none, without an error: that it was not seen is not that it is not there.
        kernel = replace(kernel, linear=np.maximum(kernel.linear, (kernel.linear + kernel.alone).mean()))
        covariance = kernel.between(few, few)
        # A pixel that stands for k has the noise of the mean of k: what the others would tell is not lost.
        covariance[np.diag_indices_from(covariance)] += kernel.noise * len(few) / len(z) + JITTER
        return cls(kernel, few, np.asarray(np.linalg.cholesky(covariance), dtype=np.float64))

    def slopes(self, rows: Numbers, columns: NDArray[np.int64], steps: Numbers) -> Numbers:
        """Standard deviations (feature, row) of central differences over one step to either side, in standardised units."""
        found, distances = np.zeros((len(columns), len(rows))), self.kernel.apart(rows, self.z)
        for index, (feature, step) in enumerate(zip(columns, steps, strict=True)):
            straight, bent = self._prior_of_change(int(feature), 2 * step)
            if straight + bent > NONE:
                some = slice(None) if bent > NONE else slice(1)  # a straight effect is as unsure at every row
                change = self._change(int(feature), rows[some, feature], step, distances[some])
                found[index] = self._left(straight + bent, change) / (2 * step)
        return found

    def curves(self, rows: Numbers, weights: Numbers, columns: NDArray[np.int64], grid: Numbers) -> Numbers:
        """Standard deviations (feature, point) of partial dependences over weighted rows, less the mean prediction, at grid values."""
        kernel, found = self.kernel, np.zeros(grid.shape)
        distances, among = kernel.apart(rows, self.z), kernel.apart(rows, rows)
        smooth = weights @ (kernel.variance * gaussian(distances))
        for index, (feature, points) in enumerate(zip(columns, grid, strict=True)):
            if sum(self._prior_of_change(int(feature), float(np.ptp(points)))) <= NONE:
                continue
            rate, own, there = kernel.rates[feature], self.z[:, feature], rows[:, feature]
            # Rows moved to one value share that parameter: what they do not share counts by how alike they are.
            others = weights @ (kernel.variance * gaussian(among - (rate * (there[:, None] - there)) ** 2))
            others_here = weights @ (kernel.variance * gaussian(distances - (rate * (there[:, None] - own)) ** 2))
            moved, moved_here = (gaussian((rate * (points[:, None] - values)) ** 2) for values in (there, own))
            prior = others @ weights - 2 * moved @ (others * weights) + kernel.variance * float(weights @ gaussian(among) @ weights)
            alone = self._alone(int(feature), points, there)
            prior += np.diag(self._alone(int(feature), points, points)) - 2 * alone @ weights
            prior += weights @ self._alone(int(feature), there, there) @ weights
            across = others_here * moved_here - smooth
            across += self._alone(int(feature), points, own) - weights @ self._alone(int(feature), there, own)
            found[index] = self._left(prior, across)
        return found

    def _alone(self, feature: int, a: Numbers, b: Numbers) -> Numbers:
        """Prior covariance (a, b) of what a parameter does alone, straight and bent."""
        return np.asarray(self.kernel.linear[feature] * np.outer(a, b) + self.kernel.bell(feature, a, b))

    def _prior_of_change(self, feature: int, width: float) -> tuple[float, float]:
        """Prior variance of the change of the function over a width of one parameter: of its straight part, and of the rest."""
        kernel = self.kernel
        together, bent = (1 - np.exp(-0.5 * (width * rate) ** 2) for rate in (kernel.rates[feature], 1 / LENGTH))
        return float(kernel.linear[feature] * width**2), float(2 * (kernel.variance * together + kernel.alone[feature] * bent))

    def _change(self, feature: int, here: Numbers, step: float, distances: Numbers) -> Numbers:
        """Prior covariance (row, n) of the change over two steps of a parameter with the function at the pixels."""
        own, rate = self.z[:, feature], self.kernel.rates[feature]
        elsewhere = distances - (rate * (here[:, None] - own)) ** 2
        up, down = (
            self.kernel.variance * gaussian(elsewhere + (rate * (there[:, None] - own)) ** 2) + self._alone(feature, there, own)
            for there in (here + step, here - step)
        )
        return np.asarray(up - down)

    def _left(self, prior: float | Numbers, across: Numbers) -> Numbers:
        """Standard deviation (row,) of what has a prior variance, once the pixels are known that it goes with by `across` (row, n)."""
        from scipy.linalg import solve_triangular

        told = solve_triangular(self.factor, across.T, lower=True, check_finite=False)
        return np.asarray(np.sqrt(np.maximum(prior - (told**2).sum(axis=0), 0.0)))
