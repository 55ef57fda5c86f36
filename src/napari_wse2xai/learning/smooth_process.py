"""Gaussian-process regression behind scikit-learn's interface: of all models the one that comes closest to known laws, in a second."""

from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import sha256
from threading import Lock
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from napari_wse2xai.learning.gaussian_process import KNOTS, MOST_PIXELS, REACH, Kernel, Processes, apart, gaussian
from napari_wse2xai.numerics.noise import MAD_TO_SIGMA
from napari_wse2xai.numerics.standard import or_one
from napari_wse2xai.numerics.threads import in_threads

Numbers = NDArray[np.float64]
SPACING = 2 * REACH / (KNOTS - 1)
"""Of the knots."""
NEGLIGIBLE = 1e-3
"""Inverse length below which a parameter takes no part in what all do together: over 16 standard deviations it changes 1e-4 of that."""
SAME = 1e-9
"""Length scales below which two moves are one."""
LARGEST_EXPONENT = 200.0
"""Beyond it the product of two factors may overflow: exp(709) is about the largest double."""
ODD = 4.0
"""Standard deviations of what a process misses beyond which a pixel is odd."""
ROWS = 4096
"""Predicted at once: each is compared with every pixel."""
MOST_RECENT = 12
"""Processes that are remembered: those of all folds of a training."""


@dataclass(eq=False)
class _Once:
    """Processes that are found once, by whoever asks first; who asks meanwhile waits for these alone."""

    lock: Any = field(default_factory=Lock)
    found: "tuple[list[list[Kernel]], ProcessModule] | None" = None


_LOOKING = Lock()
_RECENT: dict[str, _Once] = {}


@dataclass(eq=False, repr=False)
class GaussianProcess(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Gaussian process: what each parameter does alone, straight and bent, and what all do together, found by maximum likelihood.

    Parameters
    ----------
    most_pixels : pixels at most that it is conditioned on, drawn at random: the cost grows with the cube
    kernels : so many kernels are found, each on other pixels; the mean of their processes depends less on which pixels spoke
    random_state : seed of that choice, and of the pixels on which the kernel is found

    Attributes
    ----------
    module_ : torch module (n, column) raw -> (n, target) raw; differentiable
    kernels_ : of each target, as many as were asked for
    n_features_in_

    Notes
    -----
    scikit-learn's `GaussianProcessRegressor` could find the same kernel, but needs minutes for 24 parameters.  Not for parameters with
    steps in their effect: it is smooth everywhere.  Length scales: Rasmussen and Williams 2006, section 5.1.
    """

    most_pixels: int = MOST_PIXELS
    kernels: int = 3
    random_state: int | None = 0

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Find a kernel for every target, and condition on the pixels; X (n, column), y (n,) or (n, target)."""
        table, values = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        self.flat_ = values.ndim == 1
        targets = np.asarray(values, dtype=np.float64).reshape(len(table), -1)
        key = self._key(table, targets)
        with _LOOKING:
            once = _RECENT.setdefault(key, _Once())
            while len(_RECENT) > MOST_RECENT:
                _RECENT.pop(next(iter(_RECENT)))
        with once.lock:  # whoever asks second, from another thread, finds it done
            once.found = once.found or self._fitted(table, targets)
        self.kernels_, self.module_ = once.found
        return self

    def _key(self, table: Numbers, targets: Numbers) -> str:
        """Digest of settings and data: the network's teacher and the reference model are one process, which is found once."""
        settings = repr(sorted(self.get_params().items())).encode()
        return sha256(settings + repr(table.shape).encode() + table.tobytes() + targets.tobytes()).hexdigest()

    def _fitted(self, table: Numbers, targets: Numbers) -> "tuple[list[list[Kernel]], ProcessModule]":
        rng = np.random.default_rng(self.random_state)
        centre, scale = table.mean(axis=0), or_one(table.std(axis=0))
        few = np.sort(rng.permutation(len(table))[: self.most_pixels])
        z, level, unit = (table - centre) / scale, targets.mean(axis=0), or_one(targets.std(axis=0))
        # Kernels start, and end, on numbers near one: no target's unit rules the search.
        standard = (targets - level) / unit
        found = [self._processes(z, column, few, rng) for column in standard.T]
        return [[process.kernel for process in own] for own in found], ProcessModule(centre, scale, found, level, unit).eval()

    def _processes(self, z: Numbers, y: Numbers, few: NDArray[np.int64], rng: np.random.Generator) -> list[Processes]:
        """One process for each kernel, all conditioned on the same pixels."""

        def find(own: np.random.Generator) -> Processes:
            return _deaf_to_odd_pixels(Kernel.likeliest(z, y, own), z[few], y[few])

        with closing(in_threads(find, rng.spawn(self.kernels))) as found:
            return list(found)

    def predict(self, X: ArrayLike) -> Numbers:  # noqa: N803 - scikit-learn's name
        """Predict (n,) or (n, target)."""
        check_is_fitted(self)
        predicted = self.module_.predicted(validate_data(self, X, reset=False, dtype=np.float64))
        return np.asarray(predicted[:, 0] if self.flat_ else predicted)


class ProcessModule(nn.Module):
    """Conditioned processes as a function of the raw table."""

    centre: Tensor
    scale: Tensor
    pixels: Tensor
    rates: Tensor
    alpha: Tensor
    linear: Tensor
    level: Tensor
    bent: Tensor

    def __init__(self, centre: Numbers, scale: Numbers, found: list[list[Processes]], level: Numbers, unit: Numbers) -> None:
        super().__init__()
        means = [[_mean(process, len(own)) for process in own] for own in found]
        arrays: dict[str, Any] = {
            "centre": centre,
            "scale": scale,
            "pixels": found[0][0].z,
            "rates": np.stack([[process.kernel.rates for process in own] for own in found]),
            "alpha": unit[:, None, None] * np.stack([[process.kernel.variance * process.alpha[:, 0] for process in own] for own in means]),
            "linear": unit[:, None] * np.stack([sum(process.straight[0] for process in own) for own in means]),
            "level": level + unit * np.array([sum(process.constant[0] for process in own) for own in means]),
            "bent": unit[:, None, None, None] * np.stack([sum(_at_knots(process) for process in own) for own in means]),
        }
        for name, values in arrays.items():
            self.register_buffer(name, torch.as_tensor(values))

    def forward(self, features: Tensor) -> Tensor:
        """Predict in the targets' units."""
        z = (features.to(self.level) - self.centre) / self.scale
        smooth = [
            torch.stack([self._together(z, *one) for one in zip(*own, strict=True)]).sum(0)
            for own in zip(self.rates, self.alpha, strict=True)
        ]
        return self.level + z @ self.linear.T + torch.stack(smooth, dim=1) + self._alone(z, slice(None)).sum(-1).T

    def predicted(self, table: Numbers) -> Numbers:
        """Predictions (n, target) of a table (n, column), some rows at a time."""
        with torch.inference_mode():
            parts = torch.split(torch.as_tensor(np.ascontiguousarray(table)), ROWS)
            return np.asarray(torch.cat([self(part) for part in parts]).numpy())

    def moved(self, features: Tensor, columns: list[int], there: Tensor) -> Tensor:
        """Predictions (feature, k, n, target) with one column at a time moved to values (feature, k, n), the others kept (n, column)."""
        z = (features.to(self.level) - self.centre) / self.scale
        to = (there.to(self.level) - self.centre[columns, None, None]) / self.scale[columns, None, None]
        alone = torch.stack([self._moved_alone(z, *one) for one in zip(columns, to, strict=True)])
        together = [self._moved_together(z, columns, to, *own) for own in zip(self.rates, self.alpha, strict=True)]
        moved: Tensor = self(features) + alone + torch.stack(together, dim=-1)
        return moved

    def _moved_alone(self, z: Tensor, column: int, to: Tensor) -> Tensor:
        """Change (k, n, target) of what one parameter does alone, moved to values (k, n)."""
        own = slice(column, column + 1)
        here = self._alone(z[:, own], own)[..., 0].T + z[:, own] * self.linear[:, column]
        there = self._alone(to.reshape(-1, 1), own)[..., 0].T.reshape(*to.shape, -1) + to[..., None] * self.linear[:, column]
        return there - here

    def _moved_together(self, z: Tensor, columns: list[int], to: Tensor, rates: Tensor, alpha: Tensor) -> Tensor:
        """Change (feature, k, n) of what all do together, by all kernels of a target; most parameters take no part in it."""
        change = torch.zeros_like(to)
        for rate, weights in zip(rates, alpha, strict=True):
            squared = apart(z * rate, self.pixels * rate)
            kernel = gaussian(squared)
            here = kernel @ weights
            for index, column in enumerate(columns):
                if rate[column] >= NEGLIGIBLE:
                    along = rate[column] * z[:, column], rate[column] * self.pixels[:, column], rate[column] * to[index]
                    change[index] += _moved_along(squared, kernel, weights, *along) - here
        return change

    def _together(self, z: Tensor, rates: Tensor, alpha: Tensor) -> Tensor:
        """What all parameters do together by one kernel, (n,)."""
        smooth: Tensor = _Together.apply(z * rates, self.pixels * rates, alpha)  # type: ignore[no-untyped-call]
        return smooth

    def _alone(self, z: Tensor, columns: slice) -> Tensor:
        """Bent effects of some parameters alone (target, n, column): cubic between knots (target, value or slope, knot, feature)."""
        place = (z.clamp(-REACH, REACH) + REACH) / SPACING
        left = place.detach().floor().clamp_max(KNOTS - 2).long()
        values, slopes = self.bent[..., columns].unbind(1)
        # Hermite's cubic: values and slopes at both knots, so that slopes are smooth where pieces meet.
        u, own = place - left, torch.arange(z.shape[1])
        low, high = values[:, left, own], values[:, left + 1, own]
        rise, run_in, run_out = high - low, SPACING * slopes[:, left, own], SPACING * slopes[:, left + 1, own]
        cubic: Tensor = low + u * (run_in + u * (3 * rise - 2 * run_in - run_out + u * (run_in + run_out - 2 * rise)))
        return cubic


class _Together(torch.autograd.Function):
    """Weighted Gaussians of the distances between rows (n, column) and pixels; their slopes need no second look at every pair."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, pixels: Tensor, weights: Tensor) -> Tensor:
        kernel = gaussian(apart(rows, pixels))
        together = kernel @ weights
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(kernel @ (weights[:, None] * pixels) - together[:, None] * rows)
        return together

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by: Tensor) -> Any:
        return by[:, None] * ctx.saved_tensors[0], None, None


def _moved_along(squared: Tensor, kernel: Tensor, weights: Tensor, here: Tensor, pixels: Tensor, to: Tensor) -> Tensor:
    """Weighted kernels (k, n) of rows of which one parameter is moved.

    Parameters
    ----------
    squared, kernel : (n, pixel) distance before, in length scales as all values here, and its Gaussian
    weights, pixels : (pixel,) weights, and values of the parameter
    here, to : (n,) and (k, n) values before and after

    Notes
    -----
    A step that is the same for all rows multiplies the kernel by a factor of the row times one of the pixel: nothing is worked out for
    every pair.  Where these would overflow, and for other moves, the parameter is taken out of the distance.
    """
    steps = to - here
    step = steps.mean(1, keepdim=True)
    if (steps - step).abs().max() < SAME and step.abs().max() * pixels.abs().max() < LARGEST_EXPONENT:
        along: Tensor = torch.exp(-step * (here + step / 2)) * ((weights * torch.exp(step * pixels)) @ kernel.T)
        return along
    elsewhere = gaussian(squared - (here[:, None] - pixels).square())  # no quotient of kernels: both may be 0
    places = to[:, :1] if (to - to[:, :1]).abs().max() < SAME else to
    return torch.stack([(elsewhere * gaussian((place[:, None] - pixels).square())) @ weights for place in places])


def _deaf_to_odd_pixels(kernel: Kernel, z: Numbers, y: Numbers) -> Processes:
    """A process for which values far from what their neighbours say are drawn in: a few odd pixels must not rule the rest (Huber 1964)."""
    conditioned = Processes.on_all(kernel, z)
    process = conditioned(y)
    off = process.missed[:, 0]
    far = ODD * MAD_TO_SIGMA * float(np.median(np.abs(off)))
    if far == 0 or not (np.abs(off) > far).any():
        return process
    return conditioned(y - off + np.clip(off, -far, far))


def _mean(process: Processes, count: int) -> Processes:
    """Share of one of several processes in their mean."""
    return replace(process, alpha=process.alpha / count, constant=process.constant / count)


def _at_knots(process: Processes) -> Numbers:
    """Values and slopes (2, knot, feature) of what each parameter does alone beside the linear part."""
    knots, found = np.linspace(-REACH, REACH, KNOTS), np.zeros((2, KNOTS, process.z.shape[1]))
    for feature, spline in process.bent.items():
        found[0, :, feature], found[1, :, feature] = spline(knots)[:, 0], spline(knots, 1)[:, 0]
    return found
