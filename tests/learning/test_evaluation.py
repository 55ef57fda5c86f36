"""Evaluation of one target by anything that has the settings, without a stage."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from learned import make_samples
from napari_wse2xai.data import NETWORK, Level, NullTest, Samples
from napari_wse2xai.learning import evaluation, references
from napari_wse2xai.learning.common_mode import common_mode
from napari_wse2xai.learning.cross_validation import PooledResult
from napari_wse2xai.learning.evaluation import Evaluation, TargetData
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.verdict import Evidence
from napari_wse2xai.progress import silent


class Line(LinearRegression):
    """A straight line with the words that are asked of a network."""

    device_, history_ = "cpu", {"loss": [1.0]}

    def settings(self) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, np.ndarray]:
        return {"coef": self.coef_}


@dataclass(frozen=True)
class Plain:
    """The least that an evaluation asks for."""

    seed: int = 3
    block_folds: int = 2
    network_on_blocks: bool = True
    surrogates: int = 39
    resamples: int = 2

    def network(self, lines: Any) -> Any:
        return Line()


@pytest.fixture(scope="module")
def samples() -> Samples:
    """One pixel has no value of the first target."""
    made = make_samples(targets=("height", "position"), shape=(18, 22))
    made.targets[7, 0] = np.nan
    return made


@pytest.fixture(scope="module")
def asked() -> list[np.ndarray]:
    """What chance was compared on."""
    return []


@pytest.fixture(scope="module")
def evaluated(samples: Samples, asked: list[np.ndarray]) -> Evaluation:
    """Learnt from the samples; as measured they are in other units, which changes no result."""

    def noted(table: np.ndarray, *data: Any, **how: Any) -> Any:
        asked.append(table)
        return null_test(table, *data, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(references, "reference_models", lambda seed: {"mean": DummyRegressor()})
        patch.setattr(evaluation, "null_test", noted)
        return Evaluation.learn(Plain(), samples, "height", silent, measured=replace(samples, features=2 * samples.features))


def test_chance_is_compared_on_rs_as_measured_and_models_learn_the_samples(
    evaluated: Evaluation, asked: list[np.ndarray], samples: Samples
) -> None:
    np.testing.assert_array_equal(asked[0], 2 * samples.features[evaluated.data.rows])
    np.testing.assert_array_equal(evaluated.data.features, samples.features[evaluated.data.rows])


def test_each_score_is_that_of_the_predictions_on_the_pixels_held_out(evaluated: Evaluation, samples: Samples) -> None:
    truth = samples.targets[:, 0]
    held_out = np.zeros(len(samples), dtype=bool)
    held_out[evaluated.data.rows[evaluated.on_random.fold.held_out]] = True
    for validation, there in (("random", held_out), ("blocks", np.isfinite(truth))):
        predicted = evaluated.spread(len(samples), validation)
        known = there & np.isfinite(predicted)
        (score,) = (s for s in evaluated.scores if (s.model, s.validation, s.part) == (NETWORK, validation, "validation"))
        assert score.r2 == pytest.approx(r2_score(truth[known], predicted[known]), abs=1e-9)
    assert 0.25 < held_out.mean() < 0.35


def test_a_model_of_no_use_is_the_zero_of_r2_and_the_law_is_found(evaluated: Evaluation) -> None:
    scores = {(s.model, s.validation): s.r2 for s in evaluated.scores if s.part == "validation"}
    assert scores[NETWORK, "random"] > 0.9
    assert scores["mean", "random"] == pytest.approx(0, abs=0.05)
    assert evaluated.verdict.target == "height"
    assert evaluated.null_test.p_value["random"] < 0.05
    assert any("drawn anew 2 times" in remark for remark in evaluated.remarks)


def test_a_model_keeps_what_each_pixel_was_predicted_to_be_by_networks_that_never_saw_it(evaluated: Evaluation, samples: Samples) -> None:
    model, truth = evaluation.assembled(samples, [evaluated]), samples.targets[:, 0]
    assert model.block[7] == -1
    asked = {"random": (model.predicted[0], model.split == 1), "blocks": (model.held_out[0], model.block >= 0)}
    for validation, (predicted, there) in asked.items():
        assert there.sum() > 50 and np.isfinite(predicted[there]).all()
        (score,) = (s for s in model.scores if (s.model, s.validation, s.part) == (NETWORK, validation, "validation"))
        assert score.r2 == pytest.approx(r2_score(truth[there], predicted[there]), abs=1e-9)
    assert not np.allclose(model.held_out[0], model.predicted[0])


def test_a_target_without_blocks_has_blank_rows_beside_one_that_has_them(evaluated: Evaluation, samples: Samples) -> None:
    assert evaluated.unexplained is not None
    both = evaluation.assembled(samples, [evaluated, replace(evaluated, unexplained=None)])
    alone = evaluation.assembled(samples, [evaluated])
    for name, found in (("unexplained", evaluated.unexplained.score), ("region", evaluated.unexplained.region)):
        np.testing.assert_array_equal(getattr(both, name)[0], getattr(alone, name)[0])
        np.testing.assert_array_equal(getattr(alone, name)[0, evaluated.data.rows], found)
    assert np.isnan(both.unexplained[1]).all() and np.isnan(alone.unexplained[0, 7])
    assert (both.region[1] == 0).all() and alone.region[0, 7] == 0
    assert evaluation.assembled(samples, [replace(evaluated, unexplained=None)]).unexplained is None


@pytest.mark.parametrize("level", [Level.INTERPRETABLE, Level.LOCAL_ONLY, Level.DO_NOT_INTERPRET])
@pytest.mark.parametrize("tested", ["yes", "refused", "no"])
def test_what_could_have_been_found_is_asked_where_less_was_and_chance_could_be_asked(
    evaluated: Evaluation, monkeypatch: pytest.MonkeyPatch, level: Level, tested: str
) -> None:
    null = None if tested == "no" else replace(evaluated.null_test, refused="too few pixels" if tested == "refused" else "")
    asked, data = [], evaluated.data
    monkeypatch.setattr(evaluation, "judge", lambda evidence: replace(evaluated.verdict, level=level, reasons=(str(evidence.power),)))
    monkeypatch.setattr(evaluation.Power, "of", lambda *table, seed: asked.append((table, seed)) or "told")
    evidence = Evidence(target="height", pixels=len(data.rows), scores=(), null_test=null)
    told = evaluation._judged(evidence, data, 7)
    wanted = tested == "yes" and level is not Level.INTERPRETABLE
    assert told.reasons == (("told",) if wanted else ("None",))
    assert [(len(table), table[-1] is null, seed) for table, seed in asked] == ([(5, True, 7)] if wanted else [])


def test_what_has_no_value_of_the_target_is_left_out(samples: Samples) -> None:
    samples.targets[::5, 1] = np.nan
    data = TargetData.of(samples, "position")
    assert len(data.values) == len(samples) - len(range(0, len(samples), 5))
    np.testing.assert_array_equal(samples.features[data.rows], data.features)


def test_noise_is_no_less_than_the_errors_of_pl_make(evaluated: Evaluation, samples: Samples) -> None:
    spread = np.nanstd(samples.targets[:, 0])
    data = TargetData.of(replace(samples, target_errors=np.full(samples.targets.shape, 0.5 * spread)), "height")
    assert evaluation._noise(data, replace(evaluated.null_test, noise=0.1)) == pytest.approx(0.25)
    assert evaluation._noise(data, replace(evaluated.null_test, noise=0.4)) == 0.4
    unknown = TargetData.of(replace(samples, target_errors=np.full(samples.targets.shape, np.nan)), "height")
    assert evaluation._noise(unknown, replace(evaluated.null_test, noise=0.1)) == 0.1


def test_what_rs_settles_is_told_by_the_best_model_in_blocks_and_by_no_other():
    rng = np.random.default_rng(0)
    places = np.argwhere(np.ones((12, 12))).astype(float)
    rows, law = np.arange(144), rng.standard_normal(144)
    values = law + 0.3 * rng.standard_normal(144)
    data = TargetData("height", rows, law[:, None], values, places, 0 * rows, np.full(144, np.nan), law[:, None])
    kinds = {
        "near": ("random", rows, values),
        "good": ("blocks", rows, law),
        "poor": ("blocks", rows, 0.5 * law),
        "few": ("blocks", rows[:9], values[:9]),
    }
    results = [PooledResult(name, kind, where, told, where, told, 1.0) for name, (kind, where, told) in kinds.items()]
    null = NullTest("height", "fast model", {"blocks": 0.9}, {"blocks": np.zeros(3)}, {"blocks": 0.25}, "", noise=0.1)
    shares, _ = evaluation._unexplained(data, results, null)
    assert shares.model == "good" and shares.settled == pytest.approx(r2_score(values, law))
    assert evaluation._unexplained(data, results[:1], null) == (None, None)


def test_what_goes_on_beside_the_networks_tells_rising_shares_of_its_work(samples: Samples) -> None:
    told, data = list[float](), TargetData.of(samples, "height", None)
    evaluation._Chance.of(Plain(), samples, data, lambda share, _: told.append(share))
    assert told == sorted(told)
    assert told[0] < 0.2 and told[-1] > 0.9


def test_both_tests_against_chance_take_the_same_surrogates_which_are_those_they_draw_alone(samples: Samples) -> None:
    data, settings = TargetData.of(samples, "height", None), Plain()
    both = evaluation._Chance.of(settings, samples, data, silent)
    table = data.measured, data.values, data.places
    alone = null_test(*table, target="height", flake=data.flake, count=39, quiet=True, seed=settings.seed)
    shared = common_mode(*table, alone, heights=samples.columns("height"), flake=data.flake, seed=settings.seed)
    np.testing.assert_allclose(both.null.surrogate_r2["random"], alone.surrogate_r2["random"])
    for name in ("r2_normalised", "p_normalised", "r2_divided"):
        assert getattr(both.shared, name) == pytest.approx(getattr(shared, name), nan_ok=True)
