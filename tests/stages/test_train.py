"""Training: from pairs to a network, the reference models and a verdict."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.data import NETWORK, Level, PairedMaps, TrainedModel
from napari_wse2xai.errors import Cancelled, DataError, StopTraining
from napari_wse2xai.learning import references
from napari_wse2xai.stages import Train
from napari_wse2xai.stages.train import OneCycle
from napari_wse2xai.synthetic import make_flake

sys.path.append(str(Path(__file__).parents[1]))

from truth_pairs import truth_pair

QUICK = {"recipe": OneCycle(epochs=3), "network_on_blocks": False, "surrogates": 39, "block_folds": 2}


@pytest.fixture(scope="module")
def pair() -> PairedMaps:
    return truth_pair(make_flake("triangle", shape_px=(26, 30), seed=1))


@pytest.fixture(scope="module")
def model(pair: PairedMaps) -> TrainedModel:
    return Train(target=("height", "position"), **QUICK)([pair])


def test_every_model_is_scored_on_every_fold(model: TrainedModel) -> None:
    for target in ("height", "position"):
        here = [score for score in model.scores if score.target == target]
        references = {score.model for score in here} - {NETWORK}
        assert references == {"mean", "ridge", "gradient boosting", "kernel ridge", "MLP ensemble", "Gaussian process"}
        assert {(score.model, score.validation, score.part) for score in here} == {
            (name, validation, part)
            for name in {*references, NETWORK}
            for validation in ("random", "blocks")
            for part in ("training", "validation")
            if (name, validation) != (NETWORK, "blocks")
        }
    ridge = model.score("height", model="ridge")
    assert ridge is not None
    assert ridge.r2 > 0.8
    assert ridge.mape < 5


def test_the_split_is_seven_to_three_and_the_blocks_cover_the_flake(model: TrainedModel) -> None:
    assert model.split.mean() == pytest.approx(0.3, abs=0.01)
    assert set(model.block) == {0, 1}
    assert np.isfinite(model.predicted).all()
    assert np.isnan(model.held_out).all()  # the network was not asked to learn on blocks


def test_the_verdict_rests_on_the_null_test(model: TrainedModel) -> None:
    test = model.null_test("height")
    assert test is not None
    assert len(test.surrogate_r2["blocks"]) == 39
    assert test.p_value["random"] <= 0.05
    verdict = model.verdict("height")
    assert verdict.reasons
    assert verdict.numbers["p_random"] == test.p_value["random"]


def test_the_network_can_be_loaded_from_what_is_kept(model: TrainedModel) -> None:
    from napari_wse2xai.learning import SpectralCNNRegressor

    again = SpectralCNNRegressor.from_state(model.settings, model.weights["height"])
    assert again.predict(model.samples.features).shape == (len(model.samples),)


def test_its_history_makes_it_again(model: TrainedModel, pair: PairedMaps) -> None:
    settings = model.history[-1].settings
    again = Train(**settings)
    assert again == Train(target=("height", "position"), **QUICK)
    assert model.history[-1].step == "Train"


class Asking:
    """Progress that watches the curves, and asks for something once the network has trained for some epochs."""

    def __init__(self, wish: type[Exception], epochs: int) -> None:
        self.wish, self.epochs, self.seen = wish, epochs, 0

    def __call__(self, fraction: float, message: str) -> None:
        assert 0 <= fraction <= 1
        if self.seen == self.epochs:
            self.seen += 1
            raise self.wish

    def watch(self, validation: str, history: dict[str, list[float]]) -> None:
        if self.seen < self.epochs and history["loss"]:
            self.seen = min(self.epochs, len(history["loss"]))


def test_several_flakes_test_one_another_and_enough_keeps_what_was_learnt(pair: PairedMaps, monkeypatch) -> None:
    every = references.reference_models
    monkeypatch.setattr(references, "reference_models", lambda seed: {name: every(seed)[name] for name in ("mean", "ridge")})
    other = truth_pair(make_flake("star", shape_px=(26, 30), seed=2))
    model = Train(**QUICK | {"recipe": OneCycle(epochs=50)})([pair, other], Asking(StopTraining, 1))
    assert len(model.curves["height loss"]) < 10
    assert model.verdict("height").level in set(Level)
    score = model.score("height", model="ridge", validation="other flake")
    assert score is not None
    assert score.r2 > 0.5
    assert len(model.samples.frames) == 2


def test_cancel_leaves_nothing(pair: PairedMaps) -> None:
    with pytest.raises(Cancelled):
        Train(recipe=OneCycle(epochs=50), surrogates=39)([pair], Asking(Cancelled, 1))


def test_too_few_pixels_and_flat_targets_are_refused(pair: PairedMaps) -> None:
    few = pair.pl.height.copy()
    few[:, 5:] = np.nan
    with pytest.raises(DataError, match="too few to train on"):
        Train()([replace(pair, pl=replace(pair.pl, height=few))])
    flat = np.where(np.isfinite(pair.pl.position), np.float32(1.65), np.float32(np.nan))
    with pytest.raises(DataError, match="PL position"):
        Train(target="position")([replace(pair, pl=replace(pair.pl, position=flat))])


@pytest.mark.parametrize("target", [(), ("height", "height")])
def test_targets_are_checked(target: object) -> None:
    with pytest.raises(ValueError, match=r"target|Input should be"):
        Train(target=target)
