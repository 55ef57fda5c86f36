"""A fast, smooth model beside the network for its error bands: Gaussian-process regression with one length scale per parameter.

Once its kernel is found, many refits cost a Cholesky factorisation each, and their partial dependences and slopes are matrix products.
"""

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Numbers = NDArray[np.float64]

LIKELIHOOD_PIXELS = 400
"""Pixels on which the kernel is found."""
LIKELIHOOD_STEPS = 30
LOG_BOUNDS = (-9.0, 3.0)
MOST_PIXELS = 2000
"""Pixels on which a process is conditioned: the cost grows with the cube."""
JITTER = 1e-5


@dataclass(frozen=True, eq=False)
class Kernel:
    """Squared exponential with a length per parameter, plus a linear part and noise (Rasmussen and Williams 2006, chapters 2 and 5)."""

    rates: Numbers
    """(feature,) inverse lengths, in standard deviations of the parameter: near 0 where it does nothing."""
    variance: float
    linear: float
    """Prior variance of a linear coefficient."""
    noise: float

    @classmethod
    def likeliest(cls, z: Numbers, y: Numbers, rng: np.random.Generator) -> Self:
        """Maximise the marginal likelihood on some pixels, z (n, feature) and y (n,) standardised."""
        import torch
        from scipy.optimize import minimize

        from napari_wse2xai.numerics.threads import single_thread

        few = rng.permutation(len(z))[:LIKELIHOOD_PIXELS]
        table, target = torch.as_tensor(z[few]), torch.as_tensor(y[few])

        def deviance(logs: Numbers) -> tuple[float, Numbers]:
            variables = torch.tensor(logs, requires_grad=True)
            value = _deviance(table, target, variables)
            (slope,) = torch.autograd.grad(value, variables)
            return float(value.detach()), slope.numpy()

        start = np.array([*np.full(z.shape[1], np.log(0.15)), 0.0, np.log(0.1), np.log(0.05)])
        with single_thread():
            options = {"maxiter": LIKELIHOOD_STEPS}
            best = minimize(deviance, start, jac=True, method="L-BFGS-B", bounds=[LOG_BOUNDS] * len(start), options=options)
        *rates, variance, linear, noise = np.exp(best.x)
        return cls(np.array(rates), float(variance), float(linear), float(noise))

    def apart(self, a: Any, b: Any) -> Any:
        """Squared distance between rows of a and of b, in length scales; here and below arrays of numpy, or tensors all of them."""
        scaled = a * self.rates
        return apart(scaled, scaled if b is a else b * self.rates)

    def smooth(self, a: Any, b: Any) -> Any:
        """Squared-exponential part between rows of a and of b."""
        return self.variance * gaussian(self.apart(a, b))

    def between(self, a: Any, b: Any) -> Any:
        """Prior covariance of the function between rows of a and of b."""
        return self.smooth(a, b) + self.linear * a @ b.T


def apart(a: Any, b: Any) -> Any:
    """Squared distances between rows of a and of b."""
    squares = (a**2).sum(1)
    return squares[:, None] + (squares if b is a else (b**2).sum(1)) - 2 * a @ b.T


def gaussian(squared: Any) -> Any:
    """Squared exponential of squared distances, which rounding may have made negative."""
    halved = -0.5 * squared.clip(0)
    return np.exp(halved) if isinstance(halved, np.ndarray) else halved.exp()


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
            own[np.diag_indices_from(own)] += (kernel.noise + JITTER) / count[here]
            return here, mean, _solved(own, y[here] - mean)

        with closing(in_threads(solve, list(counts))) as solutions:
            for k, (here, mean, weights) in enumerate(solutions):
                alpha[here, k], constant[k] = weights, mean
        return cls(kernel, z, alpha, constant)

    def predict(self, z: Numbers) -> Numbers:
        """Predictions (process, row)."""
        return np.asarray(self.kernel.between(z, self.z) @ self.alpha).T + self.constant[:, None]

    def curves(self, z: Numbers, weights: Numbers, columns: NDArray[np.int64], grid: Numbers) -> Numbers:
        """Partial dependences (process, feature, point) over weighted pixels z (pixel, feature), at grid (feature, point)."""
        distances = self.kernel.apart(z, self.z)
        mean = weights @ z
        slopes = self.kernel.linear * self.alpha.T @ self.z
        curves = np.empty((self.alpha.shape[1], len(columns), grid.shape[1]))
        for index, (feature, points) in enumerate(zip(columns, grid, strict=True)):
            rate, own = self.kernel.rates[feature], self.z[:, feature]
            elsewhere = distances - (rate * (z[:, feature, None] - own)) ** 2  # no quotient of kernels: both may be 0
            without, factor = self.kernel.variance * gaussian(elsewhere), gaussian((rate * (points[:, None] - own)) ** 2)
            linear = (slopes @ mean)[:, None] + slopes[:, feature, None] * (points - mean[feature])
            curves[:, index] = (factor @ ((weights @ without)[:, None] * self.alpha)).T + linear
        return curves + self.constant[:, None, None]

    def slopes(self, z: Numbers, columns: NDArray[np.int64], steps: Numbers) -> Numbers:
        """Central differences (process, feature, row) over one step to either side, in standardised units.

        A step multiplies the kernel by a factor of the row times a factor of the pixel, so that all parameters share one kernel matrix.
        """
        smooth = self.kernel.smooth(z, self.z)
        linear = self.kernel.linear * self.alpha.T @ self.z
        slopes = np.empty((self.alpha.shape[1], len(columns), len(z)))
        for index, (feature, step) in enumerate(zip(columns, steps, strict=True)):
            rate = self.kernel.rates[feature] ** 2 * step
            own = np.exp(np.outer(self.z[:, feature], [rate, -rate]))
            rise = smooth @ np.hstack([own[:, :1] * self.alpha, own[:, 1:] * self.alpha])
            up, down = np.hsplit(rise, 2)
            along = np.exp(-rate * z[:, feature, None])
            difference = np.exp(-0.5 * rate * step) * (along * up - down / along)
            slopes[:, index] = difference.T / (2 * step) + linear[:, feature, None]
        return slopes


def or_one(spread: Any) -> Any:
    """Return a spread to divide by: 1 where it is 0."""
    return np.where(spread > 0, spread, 1.0)


def _solved(covariance: Numbers, y: Numbers) -> Numbers:
    """Solve a positive definite system: torch's Cholesky keeps to the threads it is given, so that refits can run side by side."""
    import torch

    factor = torch.linalg.cholesky(torch.as_tensor(covariance))
    return np.asarray(torch.cholesky_solve(torch.as_tensor(y)[:, None], factor)[:, 0].numpy())


def _deviance(z: "torch.Tensor", y: "torch.Tensor", logs: "torch.Tensor") -> "torch.Tensor":
    """Negative log marginal likelihood, but for a constant."""
    import torch

    values = logs.exp()
    kernel: Any = Kernel(values[:-3], *values[-3:].unbind())  # type: ignore[arg-type]  # tensors, to be differentiated
    covariance = kernel.between(z, z) + (kernel.noise + JITTER) * torch.eye(len(z), dtype=z.dtype)
    factor = torch.linalg.cholesky(covariance)
    weights = torch.cholesky_solve(y[:, None], factor)[:, 0]
    deviance: torch.Tensor = 0.5 * y @ weights + factor.diagonal().log().sum()
    return deviance
