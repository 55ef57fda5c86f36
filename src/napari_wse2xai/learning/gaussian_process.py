"""A fast, smooth model beside the network and for error bands: processes that tell what a parameter does alone from what all do together.

Once its kernel is found, many refits cost a Cholesky factorisation each, and their partial dependences and slopes are matrix products.
"""

from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.learning.kernel_search import JITTER, likeliest
from napari_wse2xai.numerics.noise import MAD_TO_SIGMA

if TYPE_CHECKING:
    from collections.abc import Callable

    from scipy.interpolate import CubicHermiteSpline
    from torch import Tensor

Numbers = NDArray[np.float64]
T = TypeVar("T", Numbers, "Tensor")

LIKELIHOOD_PIXELS = 350
"""Pixels on which the kernel is found."""
LENGTH = 1.0
"""Of what a parameter does alone, in its standard deviations."""
REACH, KNOTS = 8.0, 257
"""An effect of one parameter alone is a function of one number, kept at so many places up to so many standard deviations."""
BEYOND = 8.0
"""Lengths beyond which a Gaussian is none: 1e-14."""
LEAST = 1e-4
"""Share of the variance below which an effect is none."""
FARTHEST = 5.0
"""Standard deviations, told by the median deviation, to which odd values are drawn in while a kernel is looked for."""
MOST_PIXELS = 2000
"""Pixels on which a process is conditioned: the cost grows with the cube."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """What functions are likely: a straight and a bent part of each parameter alone, and one of all together; and noise.

    Notes
    -----
    The part of all together is a squared exponential with a length per parameter (Rasmussen and Williams 2006, chapters 2 and 5), which
    alone spends its lengths on every bend and so takes effects that simply add up for interactions: their slopes would change with
    parameters that have nothing to do with them (additive processes: Duvenaud, Nickisch and Rasmussen 2011).
    """

    rates: Numbers
    """(feature,) inverse lengths of the part together, in standard deviations of the parameter: near 0 where it does nothing."""
    variance: float
    """Of the part together."""
    linear: Numbers
    """(feature,) prior variance of a linear coefficient."""
    alone: Numbers
    """(feature,) prior variance of the bent effect of a parameter alone; 0 where there is none."""
    noise: float

    @classmethod
    def likeliest(cls, z: Numbers, y: Numbers, rng: np.random.Generator) -> Self:
        """Maximise the marginal likelihood on some pixels, z (n, feature) and y (n,) standardised."""
        few = np.sort(rng.permutation(len(z))[:LIKELIHOOD_PIXELS])
        rates, variance, linear, alone, noise = likeliest(z[few], _drawn_in(y)[few], LENGTH)
        return cls(rates, variance, linear, np.where(alone > LEAST * (variance + alone.sum()), alone, 0.0), noise)

    @property
    def acting(self) -> NDArray[np.int64]:
        """Features with a bent effect alone."""
        return np.flatnonzero(self.alone)

    def apart(self, a: Numbers, b: Numbers) -> Numbers:
        """Squared distance between rows of a and of b, in length scales."""
        scaled = a * self.rates
        return np.asarray(apart(scaled, scaled if b is a else b * self.rates))

    def smooth(self, a: Numbers, b: Numbers) -> Numbers:
        """Part of all together between rows of a and of b."""
        return np.asarray(self.variance * gaussian(self.apart(a, b)))

    def bell(self, feature: int, a: Numbers, b: Numbers) -> Numbers:
        """Bent part of one parameter alone, between values a and b."""
        return np.asarray(self.alone[feature] * gaussian(((a[:, None] - b) / LENGTH) ** 2))

    def between(self, a: Numbers, b: Numbers) -> Numbers:
        """Prior covariance of the function between rows of a and of b."""
        farthest = max(np.abs(each[:, self.acting]).max(initial=0.0) for each in (a, b))
        one = self._effects(a, farthest)
        return self.smooth(a, b) + one @ (one if b is a else self._effects(b, farthest)).T

    def _effects(self, z: Numbers, farthest: float) -> Numbers:
        """What the parameters of rows do alone, straight and bent, as numbers whose products are prior covariances."""
        waves = _waves(z[:, self.acting], farthest) * np.sqrt(self.alone[self.acting])[:, None]
        return np.hstack([z * np.sqrt(self.linear), waves.reshape(len(z), -1)])


def _drawn_in(y: Numbers) -> Numbers:
    """Values (n,) without the size of odd ones: a likelihood with Gaussian noise would call all the rest noise for them."""
    middle = np.median(y)
    far = FARTHEST * MAD_TO_SIGMA * np.median(np.abs(y - middle))
    return np.asarray(np.clip(y, middle - far, middle + far)) if far > 0 else y


def _waves(values: Numbers, farthest: float) -> Numbers:
    """Numbers (..., wave) of values (...) up to the farthest from 0; products of them are Gaussians of the distance, of length `LENGTH`.

    A Gaussian is the sum of cosines that its own spectrum weighs (Poisson's formula): one matrix product for all parameters in place of an
    exponential for every pair of pixels and every parameter.  What is left out is as small as a Gaussian at `BEYOND` lengths.
    """
    # Sums of cosines repeat: the next Gaussian must lie `BEYOND` lengths past the largest distance that there is.
    spacing = 2 * np.pi / (2 * farthest / LENGTH + BEYOND)
    rate: Numbers = spacing * np.arange(int(BEYOND / spacing) + 1.0)
    size = np.sqrt(spacing / np.sqrt(2 * np.pi) * np.where(rate > 0, 2.0, 1.0) * gaussian(rate**2))
    phase = values[..., None] / LENGTH * rate
    return np.concatenate([size * np.cos(phase), size[1:] * np.sin(phase[..., 1:])], axis=-1)


def apart(a: T, b: T) -> T:
    """Squared distances between rows of a and of b."""
    squares: T = (a**2).sum(1)
    found: T = squares[:, None] + (squares if b is a else (b**2).sum(1)) - 2 * a @ b.T
    return found


def gaussian(squared: T) -> T:
    """Squared exponential of squared distances, which rounding may have made negative."""
    halved: Any = -0.5 * squared.clip(0)
    return cast("T", np.exp(halved) if isinstance(halved, np.ndarray) else halved.exp())


@dataclass(frozen=True, eq=False)
class Processes:
    """Several processes of one kernel, each conditioned on its own weighting of the pixels."""

    kernel: Kernel
    z: Numbers
    """(n, feature) standardised parameters of the pixels they were conditioned on."""
    alpha: Numbers
    """(n, process) weights of the pixels in the prediction."""
    constant: Numbers
    """(process,) mean that is added."""

    @classmethod
    def conditioned(cls, kernel: Kernel, z: Numbers, y: Numbers, counts: NDArray[np.int64]) -> Self:
        """Condition on the pixels, the k-th process with each pixel taken ``counts[k]`` times, counts (process, n)."""
        from napari_wse2xai.numerics.threads import in_threads

        covariance = kernel.between(z, z)
        alpha, constant = np.zeros((len(z), len(counts))), np.zeros(len(counts))

        def solve(count: NDArray[np.int64]) -> tuple[NDArray[np.int64], float, Numbers]:
            here = np.flatnonzero(count)
            own, mean = covariance[np.ix_(here, here)], float(np.average(y, weights=count))
            # A pixel that was drawn twice stands once, with half the noise: the same as two equal rows, in a smaller matrix.
            own[np.diag_indices_from(own)] += (kernel.noise + JITTER) / count[here]
            return here, mean, _solved(_factor(own), y[here] - mean)

        with closing(in_threads(solve, list(counts))) as solutions:
            for k, (here, mean, weights) in enumerate(solutions):
                alpha[here, k], constant[k] = weights, mean
        return cls(kernel, z, alpha, constant)

    @classmethod
    def on_all(cls, kernel: Kernel, z: Numbers) -> "Callable[[Numbers], Processes]":
        """Condition on values (n,) of all pixels, as often as is asked: their covariance is factored once."""
        covariance = kernel.between(z, z)
        covariance[np.diag_indices_from(covariance)] += kernel.noise + JITTER
        factor = _factor(covariance)

        def conditioned(y: Numbers) -> Processes:
            mean = float(y.mean())
            return cls(kernel, z, _solved(factor, y - mean)[:, None], np.array([mean]))

        return conditioned

    def predict(self, z: Numbers) -> Numbers:
        """Predictions (process, row)."""
        return np.asarray(self.kernel.between(z, self.z) @ self.alpha).T + self.constant[:, None]

    @property
    def missed(self) -> Numbers:
        """(n, process) what is left of the values once predicted, of processes that took each pixel once."""
        # (K + noise) alpha = y - mean, so y - mean - K alpha is noise times alpha: no prediction is needed.
        return np.asarray((self.kernel.noise + JITTER) * self.alpha)

    @cached_property
    def straight(self) -> Numbers:
        """(process, feature) slopes of the linear part."""
        return np.asarray(self.kernel.linear * (self.alpha.T @ self.z))

    @cached_property
    def bent(self) -> "dict[int, CubicHermiteSpline]":
        """What each parameter does alone beside the linear part, by feature: a spline of one number that gives (..., process)."""
        from scipy.interpolate import CubicHermiteSpline

        knots, found = np.linspace(-REACH, REACH, KNOTS), {}
        for feature in self.kernel.acting:
            own = self.z[:, feature]
            bells = self.kernel.bell(feature, knots, own)
            # The Gaussian's own derivative: cubics through values and slopes need far fewer knots than cubics through values.
            slopes = bells * (own - knots[:, None]) / LENGTH**2
            found[int(feature)] = CubicHermiteSpline(knots, bells @ self.alpha, slopes @ self.alpha)
        return found

    def _alone(self, feature: int, values: Numbers) -> Numbers:
        """What a parameter does alone at values (...), (..., process)."""
        bent = self.bent.get(int(feature))
        straight = values[..., None] * self.straight[:, feature]
        return np.asarray(straight if bent is None else straight + bent(np.clip(values, -REACH, REACH)))

    def curves(self, z: Numbers, weights: Numbers, columns: NDArray[np.int64], grid: Numbers) -> Numbers:
        """Partial dependences (process, feature, point) over weighted pixels z (pixel, feature), at grid (feature, point)."""
        distances = self.kernel.apart(z, self.z)
        means = np.stack([weights @ self._alone(feature, z[:, feature]) for feature in range(z.shape[1])])
        curves = np.empty((self.alpha.shape[1], len(columns), grid.shape[1]))
        for index, (feature, points) in enumerate(zip(columns, grid, strict=True)):
            rate, own = self.kernel.rates[feature], self.z[:, feature]
            elsewhere = distances - (rate * (z[:, feature, None] - own)) ** 2  # no quotient of kernels: both may be 0
            without, factor = self.kernel.variance * gaussian(elsewhere), gaussian((rate * (points[:, None] - own)) ** 2)
            alone = self._alone(feature, points) + means.sum(axis=0) - means[feature]
            curves[:, index] = (factor @ ((weights @ without)[:, None] * self.alpha) + alone).T
        return curves + self.constant[:, None, None]

    def slopes(self, z: Numbers, columns: NDArray[np.int64], steps: Numbers) -> Numbers:
        """Central differences (process, feature, row) over one step to either side, in standardised units.

        A step multiplies the kernel by a factor of the row times a factor of the pixel, so that all parameters share one kernel matrix.
        """
        smooth = self.kernel.smooth(z, self.z)
        slopes = np.empty((self.alpha.shape[1], len(columns), len(z)))
        for index, (feature, step) in enumerate(zip(columns, steps, strict=True)):
            # exp(-r (z + s - p)^2 / 2) = exp(-r (z - p)^2 / 2) exp(r s p) exp(-r s z) exp(-r s^2 / 2): of pair, pixel, row and step.
            rate = self.kernel.rates[feature] ** 2 * step
            own = np.exp(np.outer(self.z[:, feature], [rate, -rate]))
            rise = smooth @ np.hstack([own[:, :1] * self.alpha, own[:, 1:] * self.alpha])
            up, down = np.hsplit(rise, 2)
            along = np.exp(-rate * z[:, feature, None])
            difference = np.exp(-0.5 * rate * step) * (along * up - down / along)
            alone = self._alone(feature, z[:, feature] + step) - self._alone(feature, z[:, feature] - step)
            slopes[:, index] = (difference + alone).T / (2 * step)
        return slopes


def _factor(covariance: Numbers) -> "Tensor":
    """Factor a positive definite matrix: torch's Cholesky keeps to the threads it is given, so that refits can run side by side."""
    import torch

    factor: Tensor = torch.linalg.cholesky(torch.as_tensor(covariance))
    return factor


def _solved(factor: "Tensor", y: Numbers) -> Numbers:
    """Solve for y (n,), given Cholesky's factor."""
    import torch

    return np.asarray(torch.cholesky_solve(torch.as_tensor(y)[:, None], factor)[:, 0].numpy())
