"""Learn from a sample: where the first of a kind are not helped, the rest are not tried."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SAMPLE = 100
"""Spectra of a kind that are tried first."""


def by_sample(kinds: NDArray[np.bool_], attempt: Callable[[NDArray[np.intp]], NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Try some of every kind, and the rest of a kind only where that helped any.

    Parameters
    ----------
    kinds : (row, flag) what is the matter with each row
    attempt : tries some rows (m,), and tells which it helped

    Returns
    -------
    (row,) which were tried
    """
    if not len(kinds):
        return np.zeros(0, dtype=bool)
    kind = _numbered(kinds)
    first = np.zeros(len(kind), dtype=bool)
    for each in range(kind.max() + 1):
        rows = np.flatnonzero(kind == each)
        first[rows[np.unique(np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(np.intp))]] = True
    sample = np.flatnonzero(first)
    worth = np.zeros(kind.max() + 1, dtype=bool)
    worth[kind[sample[attempt(sample)]]] = True
    rest = np.flatnonzero(worth[kind] & ~first)
    if len(rest):
        attempt(rest)
    return np.asarray(first | worth[kind])


def _numbered(kinds: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(row,) number of each row's kind; flags are packed first, for rows of bytes are sorted a hundred times as slowly as numbers."""
    kind = np.zeros(len(kinds), dtype=np.intp)
    for column in np.packbits(kinds, axis=1).T:
        kind = np.unique(256 * kind + column, return_inverse=True)[1]
    return kind
