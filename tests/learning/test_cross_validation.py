"""Models on folds: how long each took, and what a user who has seen enough makes of the networks to come."""

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin

from napari_wse2xai.errors import StopTraining
from napari_wse2xai.learning import cross_validation
from napari_wse2xai.learning.cross_validation import CrossValidation, Fold, pooled

ROWS = np.arange(6)
FEATURES, VALUES = ROWS[:, None] + 0.5, 10.0 * ROWS
FOLDS = [Fold("blocks", ROWS[k != ROWS % 3], ROWS[k == ROWS % 3]) for k in range(3)]


class Sum(RegressorMixin, BaseEstimator):
    """Predicts its feature and what it learnt the sum of."""

    def fit(self, features: np.ndarray, values: np.ndarray) -> "Sum":
        self.learnt_ = values.sum()
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        return features[:, 0] + self.learnt_


class Network(Sum):
    """Asks after every epoch whether to go on; it took ten seconds before it was interrupted."""

    def __init__(self, max_epochs: int = 9, on_epoch: Callable[..., None] | None = None, checkpoint: Path | None = None) -> None:
        self.max_epochs, self.on_epoch, self.checkpoint = max_epochs, on_epoch, checkpoint
        self.best_, self.seconds_, self.resumed_ = {"epoch": 0}, 10.0, 0

    def fit(self, features: np.ndarray, values: np.ndarray, held_out: Any = None) -> "Network":
        self.epochs_ = self.max_epochs
        super().fit(features, values)
        for epoch in range(1, self.max_epochs + 1):
            self.on_epoch(epoch / self.max_epochs, f"epoch {epoch}", {})
            self.best_ = {"epoch": epoch}
        return self


def run(models: Mapping[str, object], told: Callable[[float, str], None] = lambda done, message: None) -> list[cross_validation.FoldResult]:
    return list(CrossValidation(FEATURES, VALUES, told, lambda validation, history: None).run(models, FOLDS))


def test_a_model_learns_a_fold_s_pixels_and_takes_the_time_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(5.0, 0.25)
    monkeypatch.setattr(cross_validation, "perf_counter", lambda: next(clock))
    results = run({"network": Network(), "sum": Sum()})
    assert [result.seconds for result in results] == 3 * [10.0, 0.25]
    network, plain = pooled(results)
    assert (network.seconds, plain.seconds) == (30.0, 0.75)
    assert plain.rows.tolist() == [0, 3, 1, 4, 2, 5]
    assert plain.predicted == pytest.approx(np.array([120.5, 123.5, 101.5, 104.5, 82.5, 85.5])), "the sum of the other four"
    assert plain.predicted_training[:4] == pytest.approx(np.array([121.5, 122.5, 124.5, 125.5]))


def test_a_network_is_told_eight_times_the_share_of_a_reference_model() -> None:
    heard: list[float] = []
    run({"sum": Sum(), "network": Network(2)}, lambda done, message: heard.append(done))
    assert heard == pytest.approx([begun + share for begun in (0, 9 / 27, 18 / 27) for share in (0.0, 5 / 27, 9 / 27)])


@pytest.mark.parametrize(("order", "epochs"), [(("network", "sum"), [9, 4, 4]), (("sum", "network"), [1, 1, 1])])
def test_who_has_seen_enough_ends_this_network_and_shortens_those_to_come(order: tuple[str, ...], epochs: list[int]) -> None:
    """While a reference model is fitted there is no network to end: those to come get an epoch each."""

    def told(done: float, message: str) -> None:
        if (message in ("network, blocks: epoch 5", "sum, blocks")) and next(asked) == 0:
            raise StopTraining

    asked, both = count(), {"network": Network(), "sum": Sum()}
    results = run({name: both[name] for name in order}, told)
    assert [result.estimator.epochs_ for result in results if result.model == "network"] == epochs


@pytest.mark.parametrize("ended", [1, 2])
def test_a_network_that_is_ended_at_once_leaves_an_epoch_to_those_to_come(ended: int) -> None:
    """Its best epoch is none, or the first."""

    def told(done: float, message: str) -> None:
        if message == f"network, blocks: epoch {ended}" and next(asked) == 0:
            raise StopTraining

    asked = count()
    assert [result.estimator.epochs_ for result in run({"network": Network()}, told)] == [9, 1, 1]


def test_what_a_network_was_ended_at_outlasts_a_wish_to_end_reference_models() -> None:
    def told(done: float, message: str) -> None:
        if message in ("network, blocks: epoch 5", "sum, blocks"):
            raise StopTraining

    results = run({"network": Network(), "sum": Sum()}, told)
    assert [result.estimator.epochs_ for result in results if result.model == "network"] == [9, 4, 4]
