"""Permutation importance (Breiman 2001) of parameters, or of whole peaks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.model import Model, Numbers
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, silent

PER_PEAK = 3
"""Parameters of a peak, which are shuffled together: position, FWHM, height."""


def by_peak(columns: int) -> list[list[int]]:
    """Columns of each peak: position, FWHM, height."""
    return [list(range(start, start + PER_PEAK)) for start in range(0, columns, PER_PEAK)]


def permutation_importance(
    estimator: object,
    X: Numbers | None,  # noqa: N803 - scikit-learn's name
    y: Numbers,
    *,
    groups: Sequence[Sequence[int]] | None = None,
    n_repeats: int = 5,
    random_state: int = 0,
    progress: Progress = silent,
) -> Bunch:
    """Loss of R2 when columns are shuffled between pixels.

    Parameters
    ----------
    estimator : whatever `as_model` takes, or a `Subject`, which has a table of its own
    X, y : (n, column) and (n,)
    groups : columns that are shuffled together, e.g. `by_peak`; each column for itself where none are given
    n_repeats : shuffles
    random_state : seed
    progress : called per chunk

    Returns
    -------
    Bunch with ``importances_mean``, ``importances_std`` (group,) and ``importances`` (group, repeat); for single columns those of
    `sklearn.inspection.permutation_importance` with the same seed

    Notes
    -----
    Not to be read where columns go together: shuffling one leaves the cloud of the data, and its twin stands in for it.  Shuffling the
    three parameters of a peak together keeps at least the peak whole.
    """
    subject = Subject.of(estimator, X)
    known = np.isfinite(y)
    if known.sum() < 2:
        raise DataError("Permutation importance needs pixels with a value of the target.")
    table, target = subject.table[known], np.asarray(y, dtype=np.float64)[known]
    every = [list(group) for group in groups] if groups is not None else [[k] for k in range(table.shape[1])]
    predicted = _shuffled(subject.model, table, every, _shuffles(len(table), n_repeats, random_state), progress)
    importances = _r2(target, subject.predicted[known]) - _r2(target, predicted)
    return Bunch(importances_mean=importances.mean(axis=1), importances_std=importances.std(axis=1), importances=importances)


def _shuffled(model: Model, table: Numbers, groups: list[list[int]], order: NDArray[np.int64], progress: Progress) -> Numbers:
    """Predictions (group, repeat, n) with one group of columns at a time taken from other pixels."""
    shape = (len(groups), *order.shape)

    def rows(start: int, stop: int) -> Numbers:
        group, repeat, pixel = np.unravel_index(np.arange(start, stop), shape)
        changed, taken = table[pixel], order[repeat, pixel]
        for index, members in enumerate(groups):
            here = np.flatnonzero(group == index)
            for column in members:
                changed[here, column] = table[taken[here], column]
        return changed

    return model.rows(int(np.prod(shape)), rows, progress, "Shuffled columns").reshape(shape)


def _shuffles(count: int, repeats: int, seed: int) -> NDArray[np.int64]:
    """Where each pixel takes its value from, (repeat, n): scikit-learn's stream, which shuffles what is shuffled already."""
    state = np.random.RandomState(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))
    index, taken, order = np.arange(count), np.arange(count), []
    for _ in range(repeats):
        state.shuffle(index)
        taken = taken[index]
        order.append(taken)
    return np.stack(order)


def _r2(y: Numbers, predicted: Numbers) -> Numbers:
    """Coefficient of determination along the last axis."""
    return np.asarray(1 - ((y - predicted) ** 2).sum(axis=-1) / ((y - y.mean()) ** 2).sum())
