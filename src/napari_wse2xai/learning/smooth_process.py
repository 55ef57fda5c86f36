"""Gaussian-process regression behind scikit-learn's interface: of all models the one that comes closest to known laws, in a second."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from napari_wse2xai.learning.gaussian_process import MOST_PIXELS, Kernel, Processes, apart, gaussian, or_one

Numbers = NDArray[np.float64]


@dataclass(eq=False, repr=False)
class GaussianProcess(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Gaussian process with one length scale per parameter, found by maximum likelihood, and a linear part.

    Parameters
    ----------
    most_pixels : pixels at most that it is conditioned on, drawn at random: the cost grows with the cube
    random_state : seed of that choice, and of the pixels on which the kernel is found

    Attributes
    ----------
    module_ : torch module (n, column) raw -> (n, target) raw; differentiable
    kernels_ : one per target
    n_features_in_

    Notes
    -----
    scikit-learn's `GaussianProcessRegressor` finds the same kernel, but needs minutes for 24 length scales.  Not for parameters with
    steps in their effect: it is smooth everywhere.  Length scales: Rasmussen and Williams 2006, section 5.1.
    """

    most_pixels: int = MOST_PIXELS
    random_state: int | None = 0

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Find a kernel for every target, and condition on the pixels; X (n, column), y (n,) or (n, target)."""
        table, values = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        rng = np.random.default_rng(self.random_state)
        self.flat_ = values.ndim == 1
        targets = np.asarray(values, dtype=np.float64).reshape(len(table), -1)
        centre, scale = table.mean(axis=0), or_one(table.std(axis=0))
        few = np.sort(rng.permutation(len(table))[: self.most_pixels])
        z, ones = (table - centre) / scale, np.ones((1, len(few)), dtype=np.int64)
        parts = []
        for column in targets.T:
            level, unit = column.mean(), float(or_one(column.std()))
            kernel = Kernel.likeliest(z, (column - level) / unit, rng)
            parts.append((Processes.conditioned(kernel, z[few], (column[few] - level) / unit, ones), float(level), unit))
        self.kernels_ = [process.kernel for process, _, _ in parts]
        self.module_ = _Module(centre, scale, parts).eval()
        return self

    def predict(self, X: ArrayLike) -> Numbers:  # noqa: N803 - scikit-learn's name
        """Predict (n,) or (n, target)."""
        check_is_fitted(self)
        table = torch.as_tensor(np.ascontiguousarray(validate_data(self, X, reset=False, dtype=np.float64)))
        with torch.inference_mode():
            predicted = torch.cat([self.module_(part) for part in torch.split(table, 4096)])
        return np.asarray(predicted.numpy()[:, 0] if self.flat_ else predicted.numpy())


class _Module(nn.Module):
    """Conditioned processes as a function of the raw table."""

    centre: Tensor
    scale: Tensor
    pixels: Tensor
    rates: Tensor
    alpha: Tensor
    linear: Tensor
    level: Tensor

    def __init__(self, centre: Numbers, scale: Numbers, parts: list[tuple[Processes, float, float]]) -> None:
        super().__init__()
        arrays: dict[str, Any] = {
            "centre": centre,
            "scale": scale,
            "pixels": parts[0][0].z,
            "rates": np.stack([process.kernel.rates for process, _, _ in parts]),
            "alpha": np.stack([process.kernel.variance * process.alpha[:, 0] for process, _, _ in parts]) * _units(parts),
            "linear": np.stack([process.kernel.linear * process.alpha[:, 0] @ process.z for process, _, _ in parts]) * _units(parts),
            "level": np.array([level + unit * process.constant[0] for process, level, unit in parts]),
        }
        for name, values in arrays.items():
            self.register_buffer(name, torch.as_tensor(values))

    def forward(self, features: Tensor) -> Tensor:
        """Predict in the targets' units."""
        z = (features.to(self.level) - self.centre) / self.scale
        smooth = [gaussian(apart(z * rate, self.pixels * rate)) @ alpha for rate, alpha in zip(self.rates, self.alpha, strict=True)]
        return self.level + z @ self.linear.T + torch.stack(smooth, dim=1)


def _units(parts: list[tuple[Processes, float, float]]) -> Numbers:
    return np.array([[unit] for _, _, unit in parts])
