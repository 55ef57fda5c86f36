"""What is explained: a fitted model, and the table of pixels at which it is asked; made once for all that is asked of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining.cloud import Cloud
from napari_wse2xai.explaining.model import Model, Numbers, as_model, moved, predict
from napari_wse2xai.explaining.sampling import representative
from napari_wse2xai.progress import Progress

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and a table, which every function of `explaining` takes in the place of both.

    What all questions need is then made once: the copy of the network, its predictions, the pixels that stand for all, the cloud.
    """

    model: Model
    table: Numbers
    """(n, column) raw units."""
    _chosen: dict[tuple[int | None, int], tuple[Rows, Numbers]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, estimator: object, X: Numbers | None = None, *, target: int = 0) -> Self:  # noqa: N803 - scikit-learn's name
        """Take whatever `as_model` takes, with a table; or a subject, with its own table where none is given."""
        if isinstance(estimator, cls):
            return estimator if X is None or X is estimator.table else cls(estimator.model, checked_table(X))
        if X is None:
            raise SettingsError("A model alone cannot be explained; give the table of pixels by parameters too.")
        return cls(as_model(estimator, target=target), checked_table(X))

    def columns(self, features: Sequence[int] | None) -> Rows:
        """Columns that are asked about; all where none are named."""
        return checked_columns(self.table, features)

    @cached_property
    def predicted(self) -> Numbers:
        """(n,) at the pixels themselves."""
        return predict(self.model, self.table)

    @cached_property
    def cloud(self) -> Cloud:
        """What region the data fill."""
        return Cloud.of(self.table)

    def pixels(self, samples: int | None, seed: int) -> tuple[Rows, Numbers]:
        """Rows of the table that stand for all, and their weights."""
        if samples is None or samples >= len(self.table):
            return np.arange(len(self.table)), np.full(len(self.table), 1.0 / len(self.table))
        if (samples, seed) not in self._chosen:
            self._chosen[samples, seed] = representative(self.table, self.predicted, samples, np.random.default_rng(seed))
        return self._chosen[samples, seed]

    def moved(self, columns: Rows, there: Numbers, progress: Progress, message: str) -> Numbers:
        """Predictions (side, feature, n) with one column at a time moved to values (side, feature, n)."""
        short = moved(self.model, self.table, columns, there.swapaxes(0, 1), progress, message)
        if short is not None:
            return short.swapaxes(0, 1)

        def rows(start: int, stop: int) -> Numbers:
            side, feature, pixel = np.unravel_index(np.arange(start, stop), there.shape)
            changed = self.table[pixel]
            changed[np.arange(stop - start), columns[feature]] = there[side, feature, pixel]
            return changed

        return self.model.rows(there.size, rows, progress, message).reshape(there.shape)


def checked_table(X: Numbers) -> Numbers:  # noqa: N803 - scikit-learn's name
    """Return a table as float64; refuse what is none."""
    table = np.ascontiguousarray(X, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2:
        raise SettingsError(f"A table of pixels by parameters is needed, not an array of shape {table.shape}.")
    if not np.isfinite(table).all():
        raise SettingsError("The table has gaps; fill them or leave those pixels out.")
    return table


def checked_columns(table: Numbers, features: Sequence[int] | None) -> Rows:
    """Return columns of a table, all where none are named; refuse those that are not there."""
    columns = np.arange(table.shape[1]) if features is None else np.atleast_1d(np.asarray(features))
    if not np.issubdtype(columns.dtype, np.integer) or columns.ndim != 1:
        raise SettingsError(f"Parameters are named by their columns (whole numbers), not {features!r}.")
    if columns.size and (columns.min() < 0 or columns.max() >= table.shape[1]):
        raise SettingsError(f"Columns run from 0 to {table.shape[1] - 1}; {int(columns.max())} was asked for.")
    return columns.astype(np.int64)
