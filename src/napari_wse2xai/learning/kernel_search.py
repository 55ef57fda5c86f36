"""The kernel that pixels speak for: maximum marginal likelihood with its gradient in closed form, all of it matrix products."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Numbers = NDArray[np.float64]
Split = tuple[Any, Any, Any, Any, Any]
"""Rates, variance, linear, alone and noise."""

STEPS = 40
"""Of the search for the likeliest kernel, at most."""
LOG_BOUNDS = (-9.0, 3.0)
"""Natural logarithms of the smallest and the largest variance, both far beyond those of standardised values."""
LOG_RATE_BOUNDS = (-9.0, 1.0)
"""No length is shorter than a third of a standard deviation: such a process remembers its pixels, and its slopes' exponentials overflow."""
JITTER = 1e-5
"""Added to the variance of the noise, so that a covariance of pixels that are nearly the same still has a Cholesky factor."""
START = {"rates": 0.15, "variance": 0.3, "linear": 0.03, "alone": 0.03, "noise": 0.05}
"""Of all parameters alike: which of them act is for the pixels to say."""


def likeliest(z: Numbers, y: Numbers, length: float) -> Split:
    """Hyperparameters that maximise the marginal likelihood of y (n,) at z (n, feature), both standardised.

    Parameters
    ----------
    length : of the effects of each parameter alone, in standard deviations
    """
    from scipy.optimize import minimize

    from napari_wse2xai.numerics.threads import single_thread

    with single_thread():
        search = _Search.of(z, y, length)
        count = z.shape[1]
        sizes = [count, 1, count, count, 1]
        start = np.concatenate([np.full(size, np.log(value)) for size, value in zip(sizes, START.values(), strict=True)])
        bounds = [LOG_RATE_BOUNDS] * count + [LOG_BOUNDS] * (len(start) - count)
        best = minimize(search.deviance, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": STEPS})
    return split(np.exp(best.x))


def split(values: Numbers) -> Split:
    """Rates (feature,), variance, linear (feature,), alone (feature,) and noise, from all in a row."""
    count = (len(values) - 2) // 3
    rates, variance, linear, alone, noise = np.split(values, np.cumsum([count, 1, count, count]))
    return rates, float(variance[0]), linear, alone, float(noise[0])


@dataclass(frozen=True, eq=False)
class _Search:
    """What does not change while the hyperparameters do."""

    z: "torch.Tensor"
    """(n, feature)"""
    y: "torch.Tensor"
    bells: "torch.Tensor"
    """(feature, n * n) Gaussian of the distance along each parameter alone."""

    @classmethod
    def of(cls, z: Numbers, y: Numbers, length: float) -> "_Search":
        import torch

        table = torch.as_tensor(z)
        apart = (table.T[:, :, None] - table.T[:, None, :]) / length
        return cls(table, torch.as_tensor(y), (-0.5 * apart.square()).exp_().flatten(1))

    @cached_property
    def squared(self) -> "torch.Tensor":
        return self.z.square()

    def deviance(self, logs: Numbers) -> tuple[float, Numbers]:
        """Negative log marginal likelihood, but for a constant, and its derivatives by the logarithms."""
        import torch

        rates, variance, linear, alone, noise = split(np.exp(logs))
        # Squared exponential of all together, bells of each alone, straight lines: see `gaussian_process.Kernel`.
        product = self._product(torch.as_tensor(rates)).mul_(variance)
        covariance = product + (torch.as_tensor(alone) @ self.bells).view_as(product) + (self.z * torch.as_tensor(linear)) @ self.z.T
        covariance.diagonal().add_(noise + JITTER)
        factor = torch.linalg.cholesky(covariance)
        inverse = torch.cholesky_inverse(factor)
        weights = inverse @ self.y
        deviance = 0.5 * float(self.y @ weights) + float(factor.diagonal().log().sum())
        # Rasmussen and Williams 2006, equation 5.9: half the trace of this times a derivative of the covariance.
        by_covariance = 0.5 * (inverse - torch.outer(weights, weights))
        return deviance, self._slopes(by_covariance, by_covariance * product, (rates, variance, linear, alone, noise))

    def _product(self, rates: "torch.Tensor") -> "torch.Tensor":
        scaled = self.z * rates
        squares = scaled.square().sum(1)
        # A difference of squares that are nearly equal: rounding may leave it below nought.
        return (squares[:, None] + squares - 2 * scaled @ scaled.T).clamp_min_(0).mul_(-0.5).exp_()

    def _slopes(self, by_covariance: "torch.Tensor", by_product: "torch.Tensor", at: Split) -> Numbers:
        """Derivatives of the deviance by the logarithms, from those by the entries of the covariance, symmetric both."""
        rates, _, linear, alone, noise = at
        apart = (self.squared * by_product.sum(1)[:, None]).sum(0) - (self.z * (by_product @ self.z)).sum(0)
        parts = [
            -2 * rates**2 * apart.numpy(),
            [float(by_product.sum())],
            linear * (self.z * (by_covariance @ self.z)).sum(0).numpy(),
            alone * (self.bells @ by_covariance.flatten()).numpy(),
            [noise * float(by_covariance.trace())],
        ]
        return np.concatenate(parts)
