"""What each column does alone, for many targets at once, and only of columns that do more than noise would."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone

from napari_wse2xai.learning.ridge import RidgePerTarget

Numbers = NDArray[np.float64]
DEGREE = 3
"""Powers of a column: straight, bent, and bent twice."""
LEVELS_OFF = 2.0
"""Standard deviations from where on an effect is drawn to a level: powers would run away from the pixels there are."""
DOUBT = 2.0
"""A column takes part in a target where its square is so many times what noise alone would give it; what noise gives is taken off."""
SWEEPS = 20
"""Rounds over all columns, each given what the others leave."""
NEGLIGIBLE = 1e-9
"""Share of a column's largest power below which another is rounding."""
FOLDS = 4
"""What the columns alone leave is taken of rows that they were not fitted to."""


@dataclass(eq=False, repr=False)
class ColumnsAlone(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Sum of bent effects of single columns, with those set to zero that are no larger than noise would make them.

    Attributes
    ----------
    coef_, intercept_ : (column * power, target), (target,)

    Notes
    -----
    Backfitting (Hastie and Tibshirani 1990) with the positive-part shrinkage of James and Stein in the place of every column's least
    squares: a law of few among many columns that have nothing in common is found with all its size, where a kernel of all columns together
    sees neighbours only.  There is no penalty to choose, and all targets share the products, so that a hundred cost little more than one.
    """

    def fit(self, X: Numbers, y: Numbers) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn targets (n, target) from standardised columns (n, column)."""
        powers = _powers(X)
        middle: Numbers = powers.mean(axis=0)
        level: Numbers = y.mean(axis=0)
        centred, targets = powers - middle, y - level
        own = _orthonormal(centred)
        table: Numbers = np.einsum("ncp,cpq->ncq", centred, own).reshape(len(X), -1)
        found = _swept(table.T @ table, table.T @ targets, (targets**2).sum(axis=0), len(X))
        self.coef_: Numbers = np.einsum("cpq,cqt->cpt", own, found.reshape(*own.shape[:2], -1)).reshape(found.shape)
        self.intercept_: Numbers = level - middle.ravel() @ self.coef_
        return self

    def predict(self, X: Numbers) -> Numbers:  # noqa: N803 - scikit-learn's name
        """Predict (n, target)."""
        return np.asarray(_powers(X).reshape(len(X), -1) @ self.coef_ + self.intercept_)


@dataclass(eq=False, repr=False)
class TogetherAndAlone(BaseEstimator):  # type: ignore[misc]
    """Ridge on a kernel's columns, of each target and of what `ColumnsAlone` leave of it: two models side by side.

    Parameters
    ----------
    kernel : transformer of scikit-learn's kind
    penalties : to choose from, for each target and model
    random_state : seed of the rows that are left out together

    Attributes
    ----------
    missed_ : (model, target) mean square of what they miss of left-out rows
    """

    kernel: Any
    penalties: Sequence[float]
    random_state: int = 0

    def fit(self, X: Numbers, y: Numbers) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn targets (n, target) from standardised columns (n, column)."""
        fold = np.random.default_rng(self.random_state).permutation(np.arange(len(X)) % FOLDS)
        left = y.astype(np.float64)
        for one in range(FOLDS):
            left[fold == one] -= ColumnsAlone().fit(X[fold != one], y[fold != one]).predict(X[fold == one])
        self.columns_, self.kernel_ = ColumnsAlone().fit(X, y), clone(self.kernel).fit(X)
        self.ridge_ = RidgePerTarget(self.penalties).fit(self.kernel_.transform(X), np.hstack([y, left]))
        self.missed_ = self.ridge_.missed_.reshape(2, -1)
        return self

    def predict(self, X: Numbers) -> Numbers:  # noqa: N803 - scikit-learn's name
        """Predict (model, n, target): by the kernel, and by the columns alone with the kernel for the rest."""
        together, rest = np.split(self.ridge_.predict(self.kernel_.transform(X)), 2, axis=1)
        return np.stack([together, self.columns_.predict(X) + rest])


def _powers(table: Numbers) -> Numbers:
    """(n, column, power) of standardised columns (n, column)."""
    level = np.tanh(table / LEVELS_OFF)
    return np.stack([level**power for power in range(1, DEGREE + 1)], axis=2)


def _orthonormal(powers: Numbers) -> Numbers:
    """(column, power, power) by which the centred powers (n, column, power) of every column become orthonormal; zero where it has fewer."""
    squares, directions = np.linalg.eigh(np.einsum("ncp,ncq->cpq", powers, powers))
    kept = squares > NEGLIGIBLE * np.maximum(squares[:, -1:], np.finfo(np.float64).tiny)
    return np.asarray(directions * np.where(kept, 1.0 / np.sqrt(np.where(kept, squares, 1.0)), 0.0)[:, None])


def _swept(products: Numbers, told: Numbers, total: Numbers, count: int) -> Numbers:
    """Coefficients (column * power, target) from the products of the table with itself and with targets of squares `total`."""
    found, noise = np.zeros_like(told), total / count
    for _ in range(SWEEPS):
        for first in range(0, len(told), DEGREE):
            one = slice(first, first + DEGREE)
            alone = told[one] - products[one] @ found + found[one]
            size, by_noise = (alone**2).sum(axis=0), DOUBT * DEGREE * noise
            found[one] = np.divide(size - by_noise, size, out=np.zeros_like(size), where=size > by_noise) * alone
        left = total - (found * (2 * told - products @ found)).sum(axis=0)
        free = count - 1 - np.count_nonzero(found, axis=0)
        noise = np.maximum(left, NEGLIGIBLE * total) / np.maximum(free, count / 4)
    return found
