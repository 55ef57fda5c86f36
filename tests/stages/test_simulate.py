"""Simulating a flake from its model and explanation: as noisy as it is, trained and explained as they were."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from learned import make_explanation, make_samples
from napari_wse2xai.data import Explanation, Record, Recovery, Samples, TrainedModel
from napari_wse2xai.errors import Cancelled, DataError, SettingsError
from napari_wse2xai.progress import silent
from napari_wse2xai.stages import Explain, Simulate
from napari_wse2xai.stages.simulate import USUAL_NOISE, _Explainer, shares

QUICK = {"recipe": {"kind": "one cycle", "epochs": 2}, "seed": 3}


@pytest.fixture(scope="module")
def model(trained: TrainedModel) -> TrainedModel:
    """One whose history says how to train another within a second."""
    return replace(trained, history=(Record("Train", QUICK, "0.1.0"),))


@pytest.fixture(scope="module")
def told(explanation: Explanation) -> Explanation:
    return replace(explanation, history=(Record("Explain", {"refits": 4}, "0.1.0"),))


@pytest.fixture(scope="module")
def recovery(model: TrainedModel, told: Explanation) -> Recovery:
    seen: list[float] = []
    found = Simulate(seed=5)(model, told, lambda fraction, message: seen.append(fraction))
    assert seen == sorted(seen)
    return found


def test_the_twin_is_as_noisy_as_the_flake(trained: TrainedModel, recovery: Recovery) -> None:
    random, blocks = (trained.score("height", validation=validation).r2 for validation in ("random", "blocks"))
    assert shares(trained, "height") == pytest.approx((1 - random, random - blocks))
    assert (recovery.noise, recovery.hidden) == pytest.approx((1 - random, random - blocks))
    assert shares(replace(trained, scores=()), "height") == (USUAL_NOISE, 0.0)


def test_it_says_what_was_planted_and_how_it_came_to_be(recovery: Recovery, told: Explanation) -> None:
    assert (recovery.target, recovery.seed, recovery.parameters) == ("height", 5, 9)
    assert set(recovery.law.values()) <= set(told.features)
    assert [(record.step, dict(record.settings)) for record in recovery.history] == [("Simulate", {"seed": 5})]
    assert not recovery.passed, "two epochs teach nothing"
    assert "with care" in recovery.sentences[0]


def test_the_same_seed_gives_the_same(model: TrainedModel, told: Explanation, recovery: Recovery) -> None:
    again = Simulate(seed=5)(model, told)
    assert replace(again, history=()) == replace(recovery, history=())


def test_bands_reach_to_the_rivals_of_the_explanation(samples: Samples) -> None:
    line = Ridge().fit(samples.features, samples.targets[:, 0])
    alone, beside = (_Explainer(names, Explain(refits=4), 0)(line, samples, silent).errors for names in ([], ["mean"]))
    assert (beside.low <= alone.low + 1e-9).all() and (beside.high >= alone.high - 1e-9).all()
    assert (beside.high - beside.low).mean() > (alone.high - alone.low).mean()
    assert len(beside.references) == 1


def test_an_explanation_of_something_else_is_refused(model: TrainedModel, told: Explanation, samples: Samples) -> None:
    copied = replace(samples, features=np.array(samples.features))
    seen: list[float] = []

    def cancel(fraction: float, message: str) -> None:
        seen.append(fraction)
        raise Cancelled

    with pytest.raises(Cancelled):  # read from another file, and yet the same
        Simulate()(model, replace(told, samples=copied), cancel)
    assert seen
    for other in (make_explanation(make_samples(seed=4)), replace(told, target="area")):
        with pytest.raises(DataError, match="is not of the model 'model'; give the model that was explained"):
            Simulate()(model, other)


def test_settings_of_another_version_are_told(model: TrainedModel, told: Explanation) -> None:
    strange = replace(model, history=(Record("Train", {"colour": "blue"}, "99.0"),))
    with pytest.raises(SettingsError, match=r"Train was made by version 99\.0"):
        Simulate()(strange, told)
