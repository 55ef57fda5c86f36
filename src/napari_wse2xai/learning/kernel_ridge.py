"""Kernel ridge regression that finds its width and penalty: distances are asked once, and other threads go on while it solves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from napari_wse2xai.learning.gaussian_process import Kernel, Processes, apart, gaussian
from napari_wse2xai.learning.smooth_process import ProcessModule
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.standard import or_one

Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]
RATES, PENALTIES = (0.003, 0.01, 0.03), (0.03, 0.1, 0.3)
"""Pixels lie some 7 apart in 24 standardised columns, where a rate of 0.01 calls them alike by 0.6."""
FOLDS, MOST = 3, 1500
"""Width and penalty of a kernel are those of a process with noise, whatever the number of pixels; to look for them among all takes ten
times as long."""


@dataclass(eq=False, repr=False)
class KernelRidgeRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What scikit-learn's grid search over its `KernelRidge` with a Gaussian kernel finds, in half of its time.

    Parameters
    ----------
    rates, penalties : to choose from, on standardised columns and targets

    Attributes
    ----------
    rate_, penalty_ : those chosen
    module_ : torch module (n, column) raw -> (n, target) raw, with the short ways to an explanation that a Gaussian process has
    n_features_in_

    Notes
    -----
    scikit-learn solves by SciPy, which holds Python's lock while it does: networks beside it, and a window, would wait.
    """

    rates: Sequence[float] = RATES
    penalties: Sequence[float] = PENALTIES

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn y (n,) or (n, target) from X (n, column)."""
        table, values = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64)
        self.flat_, targets = values.ndim == 1, np.asarray(values, dtype=np.float64).reshape(len(table), -1)
        level, unit = targets.mean(axis=0), or_one(targets.std(axis=0))
        standard = (targets - level) / unit
        missed = np.mean([self._missed(table, standard, *fold) for fold in few_pixels(len(table))], axis=0)
        best, least = np.unravel_index(missed.argmin(), missed.shape)
        self.rate_, self.penalty_ = self.rates[best], self.penalties[least]
        centre, scale = table.mean(axis=0), or_one(table.std(axis=0))
        pixels = (table - centre) / scale
        kernel = torch.as_tensor(gaussian(2 * self.rate_ * apart(pixels, pixels)))
        weights = _solved(kernel, torch.as_tensor(standard), self.penalty_).numpy()
        found = [[_as_process(self.rate_, pixels, each)] for each in weights.T]
        self.module_ = ProcessModule(centre, scale, found, level, unit).eval()
        return self

    def predict(self, X: ArrayLike) -> Numbers:  # noqa: N803 - scikit-learn's name
        """Predict (n,) or (n, target)."""
        check_is_fitted(self)
        predicted = self.module_.predicted(validate_data(self, X, reset=False, dtype=np.float64))
        return np.asarray(predicted[:, 0] if self.flat_ else predicted)

    def _missed(self, table: Numbers, targets: Numbers, training: Rows, held_out: Rows) -> Numbers:
        """Share of the held-out variance that each rate and penalty misses, (rate, penalty)."""
        centre, scale = table[training].mean(axis=0), or_one(table[training].std(axis=0))
        near, far = ((table[rows] - centre) / scale for rows in (training, held_out))
        among, between = apart(near, near), apart(far, near)
        learnt, wanted = (torch.as_tensor(targets[rows]) for rows in (training, held_out))
        spread = or_one(targets[held_out].var(axis=0))
        found = np.empty((len(self.rates), len(self.penalties)))
        for row, rate in zip(found, self.rates, strict=True):
            kernel, across = (torch.as_tensor(gaussian(2 * rate * each)) for each in (among, between))
            for column, penalty in enumerate(self.penalties):
                off = wanted - across @ _solved(kernel, learnt, penalty)
                row[column] = np.mean(off.square().mean(0).numpy() / spread)
        return found


def few_pixels(count: int) -> Iterator[tuple[Rows, Rows]]:
    """Rows to train on and rows to test on, fold by fold: some of all, in the order they come in, so that what is held out lies aside."""
    rows = all_over(count, MOST)
    for training, held_out in KFold(FOLDS).split(rows):
        yield rows[training], rows[held_out]


def _as_process(rate: float, pixels: Numbers, weights: Numbers) -> Processes:
    """The same prediction as that of a process in which all parameters act together, and alike."""
    count = pixels.shape[1]
    kernel = Kernel(np.full(count, np.sqrt(2 * rate)), 1.0, np.zeros(count), np.zeros(count), 0.0)
    return Processes(kernel, pixels, weights[:, None], np.zeros(1))


def _solved(kernel: Tensor, targets: Tensor, penalty: float) -> Tensor:
    """Weights of the pixels; the diagonal of the kernel is set on the way."""
    kernel.diagonal().fill_(1.0 + penalty)
    return torch.cholesky_solve(targets, torch.linalg.cholesky(kernel))
