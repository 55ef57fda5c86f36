"""Ridge regression of many targets at once, each with the penalty that predicts left-out rows best."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from napari_wse2xai.numerics.standard import or_one

Numbers = NDArray[np.float64]
NEGLIGIBLE = 1e-12
"""Share of the largest eigenvalue below which a direction is rounding."""


@dataclass(eq=False, repr=False)
class RidgePerTarget(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What `RidgeCV(penalties, alpha_per_target=True)` finds, a tenth of its time: rows are left out by one product for each penalty.

    Attributes
    ----------
    alpha_ : (target,) chosen penalties
    missed_ : (target,) mean square of what they miss of left-out rows
    coef_, intercept_ : (column, target), (target,)

    Notes
    -----
    In the basis of the table's own directions a row's weight in its own prediction is a weighted sum of squares, the same for all targets,
    and a residual over one minus it is what is missed with the row left out (Allen 1974).
    """

    penalties: Sequence[float]

    def fit(self, X: Numbers, y: Numbers) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn targets (n, target) from a table (n, column)."""
        basis, level, unit = _Basis.of(X), y.mean(axis=0), or_one(y.std(axis=0))
        targets = (y - level) / unit  # squares of any target's unit need not fit single precision
        told = basis.rows.T @ targets
        # Single precision is enough to choose by, and takes half of the time.
        missed = np.stack([(basis.left_out(targets, told, penalty, np.float32) ** 2).mean(axis=0) for penalty in self.penalties])
        self.alpha_, self.missed_ = np.asarray(self.penalties)[missed.argmin(axis=0)], unit**2 * missed.min(axis=0)
        self.coef_ = unit * (basis.directions @ (np.sqrt(basis.squares)[:, None] / (basis.squares[:, None] + self.alpha_) * told))
        self.intercept_ = level - basis.middle @ self.coef_
        return self

    def predict(self, X: Numbers) -> Numbers:  # noqa: N803 - scikit-learn's name
        """Predict (n, target)."""
        return np.asarray(X @ self.coef_ + self.intercept_)


def told_by_the_rest(X: Numbers, y: Numbers, penalties: Sequence[float]) -> Numbers:  # noqa: N803 - scikit-learn's name
    """Values (n,) as a ridge on a table (n, column) tells them that has not seen their row, with the penalty that misses least."""
    basis, targets = _Basis.of(X), (y - y.mean())[:, None]
    told = basis.rows.T @ targets
    missed = (basis.left_out(targets, told, penalty)[:, 0] for penalty in penalties)
    return np.asarray(y - min(missed, key=lambda each: float((each**2).mean())))


@dataclass(frozen=True, eq=False)
class _Basis:
    """A table's own directions."""

    middle: Numbers
    """(column,)"""
    squares: Numbers
    """(direction,) eigenvalues of the products of columns."""
    directions: Numbers
    """(column, direction)"""
    rows: Numbers
    """(n, direction), orthonormal."""

    @classmethod
    def of(cls, table: Numbers) -> Self:
        middle = table.mean(axis=0)
        centred = table - middle
        squares, directions = np.linalg.eigh(centred.T @ centred)
        # Directions in which the table does not reach tell nothing, and dividing by their lengths would make noise of rounding.
        kept = squares > NEGLIGIBLE * max(squares[-1], np.finfo(np.float64).tiny)
        squares, directions = squares[kept], directions[:, kept]
        return cls(middle, squares, directions, centred @ directions / np.sqrt(squares))

    @cached_property
    def own(self) -> Numbers:
        """(n, direction) weight of a row in its own prediction, by direction."""
        return self.rows**2

    def left_out(self, targets: Numbers, told: Numbers, penalty: float, kind: type[np.floating[Any]] = np.float64) -> Any:
        """What is missed (n, target) of centred targets with each row left out in turn; told are their products with the rows."""
        share = self.squares / (self.squares + penalty)
        # The 1 / n is what the mean takes of each row: it, too, is fitted.
        weight = 1.0 / (1.0 - 1.0 / len(targets) - self.own @ share)
        values, rows, by = (each.astype(kind, copy=False) for each in (targets, self.rows, share[:, None] * told))
        return (values - rows @ by) * weight[:, None].astype(kind)
