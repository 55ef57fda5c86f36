"""Values that scatter by more than their own errors, as flakes do: least squares with that scatter found from the values."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class RandomEffects:
    """Coefficients of some columns for many sets of values at once.

    Notes
    -----
    The scatter beyond the errors, the same for all values of a set, is by moments (DerSimonian and Laird 1986); added to the variances it
    keeps a value with a tiny error from ruling the rest.  Standard errors know that few values tell that scatter badly (Knapp and Hartung
    2003), and are never smaller than what the errors allow.
    """

    coefficients: Numbers
    """(column, set)"""
    errors: Numbers
    """(column, set) one standard error each."""
    between: Numbers
    """(set,) variance that the values' own errors do not account for."""

    @classmethod
    def of(cls, columns: Numbers, values: Numbers, errors: Numbers) -> Self:
        """Fit columns (n, column) to values (n, set) with their standard errors (n, set)."""
        weights, free = errors**-2.0, len(values) - columns.shape[1]
        fixed, inverse = weighted(columns, values, weights)
        excess = _misfit(columns, values, weights, fixed) - free
        # What a variance common to all adds to the misfit, on average: the trace of the weights beside the columns.
        squares = np.einsum("nk,ns,nl->skl", columns, weights**2, columns)
        share = weights.sum(axis=0) - np.einsum("skl,slk->s", inverse, squares)
        between = np.maximum(excess / share, 0.0)
        weights = 1.0 / (1.0 / weights + between)
        found, inverse = weighted(columns, values, weights)
        left = np.maximum(_misfit(columns, values, weights, found) / free, 1.0)
        return cls(found, np.sqrt(left * np.einsum("skk->ks", inverse)), between)


def weighted(columns: Numbers, values: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Coefficients (column, set), and (set, column, column) the inverse of the weighted products of the columns."""
    products = np.einsum("nk,ns,nl->skl", columns, weights, columns)
    products[~weights.any(axis=0)] = np.nan  # values of which nothing is known have no coefficients
    inverse = np.linalg.inv(products)
    return np.einsum("skl,nl,ns->ks", inverse, columns, weights * values), inverse


def _misfit(columns: Numbers, values: Numbers, weights: Numbers, found: Numbers) -> Numbers:
    return np.asarray((weights * (values - columns @ found) ** 2).sum(axis=0))
