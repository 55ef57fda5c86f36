"""The network and the reference models on the same folds."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import DataWarning, StopTraining
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.progress import Progress, part

Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]
Watch = Callable[[str, Mapping[str, list[float]]], None]
"""Called with the name of the validation and the curves so far of the network that is being trained."""
EFFORT = 8.0
"""Time that a network takes, against one for any reference model."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Pixels to learn from and pixels to predict."""

    validation: str
    """One of `data.VALIDATIONS`."""
    training: Rows
    held_out: Rows


@dataclass(frozen=True, eq=False)
class FoldResult:
    """One model on one fold."""

    model: str
    fold: Fold
    on_training: Numbers
    """(training pixel,) prediction."""
    on_held_out: Numbers
    """(held-out pixel,) prediction."""
    seconds: float
    estimator: Any
    """As fitted."""


@dataclass(frozen=True, eq=False)
class PooledResult:
    """Predictions of one model for one kind of validation, all its folds together."""

    model: str
    validation: str
    rows: Rows
    """Held-out pixels, each once."""
    predicted: Numbers
    training_rows: Rows
    """Training pixels, once for every fold that trained on them."""
    predicted_training: Numbers
    seconds: float


@dataclass
class CrossValidation:
    """Fits models on folds; a network whose training the user cut short sets the number of epochs of those after it."""

    features: Numbers
    """(n, feature)"""
    values: Numbers
    """(n,) what is to be predicted."""
    told: Progress
    """May also raise `StopTraining`, which ends the training of networks early."""
    watch: Watch
    checkpoints: Path | None = None
    """Folder that every network is kept in, from where an interrupted cross-validation goes on; nothing is kept without."""
    epochs: int | None = field(default=None, init=False)
    """Epochs after which the user had seen enough."""
    networks: int = field(default=0, init=False)
    """How many were begun."""

    def run(self, models: Mapping[str, object], folds: Sequence[Fold]) -> Iterator[FoldResult]:
        """Fit a fresh copy of every model on every fold.

        Parameters
        ----------
        models : unfitted scikit-learn estimators by name; one with a parameter ``on_epoch`` is a network
        """
        jobs = [(name, fold) for fold in folds for name in models]
        efforts = np.array([EFFORT if _is_network(models[name]) else 1.0 for name, _ in jobs])
        ends = np.cumsum(efforts) / efforts.sum()
        for (name, fold), end, effort in zip(jobs, ends, efforts / efforts.sum(), strict=True):
            told = part(self.told, end - effort, end)
            started = perf_counter()
            fitted = self.fit(models[name], fold, told, name)
            on_training, on_held_out = (fitted.predict(self.features[rows]) for rows in (fold.training, fold.held_out))
            seconds = max(perf_counter() - started, getattr(fitted, "seconds_", 0.0))  # of a network with those before an interruption
            yield FoldResult(name, fold, on_training, on_held_out, seconds, fitted)

    def fit(self, model: object, fold: Fold, told: Progress, name: str) -> Any:
        """Fit a copy of one model on the training pixels of one fold."""
        from sklearn.base import clone

        fresh, where = clone(model), f"{name}, {fold.validation}"
        if not _is_network(fresh):
            self._tell(told, where)
            with single_threaded():
                return fresh.fit(self.features[fold.training], self.values[fold.training])
        return self._fit_network(fresh, fold, told, where)

    def _tell(self, told: Progress, where: str) -> None:
        try:
            told(0.0, where)
        except StopTraining:  # meant for the networks, those to come
            self.epochs = self.epochs or 1

    def _fit_network(self, network: Any, fold: Fold, told: Progress, where: str) -> Any:
        def on_epoch(done: float, message: str, history: Mapping[str, list[float]]) -> None:
            self.watch(fold.validation, history)
            resumed = f", resumed at epoch {network.resumed_} of {network.max_epochs}" if network.resumed_ else ""
            told(done, f"{where}{resumed}: {message}")

        network.set_params(on_epoch=on_epoch, **({} if self.epochs is None else {"max_epochs": self.epochs}))
        try:
            self._begin_or_resume(network, fold)
        except StopTraining:
            self.epochs = max(1, int(network.best_["epoch"]))
        return network.set_params(on_epoch=None, checkpoint=None)

    def _begin_or_resume(self, network: Any, fold: Fold) -> None:
        """Train; where this network was interrupted before, go on from there."""
        from napari_wse2xai.learning.checkpoint import UnusableError

        held_out = (self.features[fold.held_out], self.values[fold.held_out]) if len(fold.held_out) else None
        table, self.networks = (self.features[fold.training], self.values[fold.training], held_out), self.networks + 1
        if self.checkpoints is None:
            network.fit(*table)
            return
        place = self.checkpoints / f"{self.networks}.pt"
        network.set_params(checkpoint=place)
        try:
            network.fit(*table, resume=place if place.exists() else None)
        except UnusableError as unusable:
            warnings.warn(f"{unusable} This network is trained from its first epoch.", DataWarning, stacklevel=2)
            network.fit(*table)


def pooled(results: Sequence[FoldResult]) -> list[PooledResult]:
    """Put the folds of each model and validation together."""
    groups: dict[tuple[str, str], list[FoldResult]] = {}
    for result in results:
        groups.setdefault((result.fold.validation, result.model), []).append(result)
    return [_pool(group) for group in groups.values()]


def _pool(results: Sequence[FoldResult]) -> PooledResult:
    return PooledResult(
        results[0].model,
        results[0].fold.validation,
        np.concatenate([result.fold.held_out for result in results]),
        np.concatenate([result.on_held_out for result in results]),
        np.concatenate([result.fold.training for result in results]),
        np.concatenate([result.on_training for result in results]),
        sum(result.seconds for result in results),
    )


def _is_network(model: Any) -> bool:
    return "on_epoch" in model.get_params(deep=False)
