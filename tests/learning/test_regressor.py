import json

import numpy as np
import pytest
import torch

from napari_wse2xai.data import Line
from napari_wse2xai.errors import Cancelled, DataError, SettingsError
from napari_wse2xai.learning import SpectralCNNRegressor

pytestmark = pytest.mark.usefixtures("whole_lessons")
SMALL = {"channels": (8, 8), "pool_after": (1, 2), "length": 16, "max_epochs": 40, "batch_size": 32, "device": "cpu", "teacher": False}
LINES = (Line("E'", "lorentzian", (235.0, 265.0)), Line("2LA", "gaussian", (250.0, 275.0)))


SPREAD = np.array([0.1, 0.3, 150.0, 0.2, 0.6, 50.0])


def table(count: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Six parameters of two lines, and a law of one height, one position and one width."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(count, 6))
    features = [250.0, 4.0, 1000.0, 260.0, 8.0, 300.0] + z * SPREAD
    return features, 5000.0 + 800.0 * z[:, 2] + 400.0 * z[:, 3] - 300.0 * z[:, 4]


@pytest.fixture(scope="module")
def fitted() -> SpectralCNNRegressor:
    features, target = table()
    return SpectralCNNRegressor(LINES, **SMALL).fit(features, target, validation=table(100, seed=1))


def test_a_simple_law_is_learnt(fitted: SpectralCNNRegressor) -> None:
    assert fitted.score(*table(200, seed=2)) > 0.9
    assert fitted.history_["r2_validation"][-1] > 0.9
    assert len({len(values) for values in fitted.history_.values()}) == 1


def test_gradients_reach_every_number_and_are_those_of_the_law(fitted: SpectralCNNRegressor) -> None:
    inputs = torch.tensor(table(50, seed=3)[0], dtype=torch.float32, requires_grad=True)
    (slopes,) = torch.autograd.grad(fitted.module_(inputs).sum(), inputs)
    assert (slopes.abs().amax(0) > 0).all()
    assert slopes.mean(0)[2] * 150.0 == pytest.approx(800.0, rel=0.2)
    assert slopes.mean(0)[3] * 0.2 == pytest.approx(400.0, rel=0.3)


def test_prediction_is_in_eval_mode_whatever_was_left_on(fitted: SpectralCNNRegressor) -> None:
    features, _ = table(20, seed=4)
    before = fitted.predict(features)
    fitted.module_.train()
    np.testing.assert_array_equal(fitted.predict(features), before)
    assert not fitted.module_.training


def test_a_saved_network_predicts_the_same(fitted: SpectralCNNRegressor, tmp_path) -> None:
    features, _ = table(20, seed=5)
    fitted.save(tmp_path / "network.pt")
    np.testing.assert_array_equal(SpectralCNNRegressor.load(tmp_path / "network.pt").predict(features), fitted.predict(features))


def test_a_network_of_numbers_without_lines_is_loaded_as_it_was_saved(tmp_path) -> None:
    features, target = table(40)
    plain = SpectralCNNRegressor(None, **SMALL | {"max_epochs": 1}).fit(features, target)
    plain.save(tmp_path / "network.pt")
    np.testing.assert_array_equal(SpectralCNNRegressor.load(tmp_path / "network.pt").predict(features), plain.predict(features))


def test_a_few_odd_pixels_do_not_rule_the_rest() -> None:
    features, target = table()
    odd = target.copy()
    odd[:3] += 25_000.0  # 25 standard deviations
    r2 = {
        loss: SpectralCNNRegressor(LINES, **SMALL, loss=loss).fit(features, odd).score(*table(200, seed=2)) for loss in ("huber", "squared")
    }
    assert r2["huber"] > 0.85
    assert r2["huber"] > r2["squared"] + 0.1


@pytest.mark.parametrize("architecture", ["convolution", "residual"])
def test_both_architectures_learn_several_targets_at_once(architecture: str) -> None:
    features, target = table(200)
    network = SpectralCNNRegressor(LINES, architecture=architecture, **{**SMALL, "channels": (8,) * 7, "max_epochs": 30}).fit(
        features, np.stack([target, features[:, 5]], axis=1)
    )
    assert network.predict(features).shape == (200, 2)
    assert network.history_["r2_training"][-1] > 0.8


@pytest.mark.parametrize("paper", [{"normalisation": "instance-batch"}, {"activation": "leaky-relu"}])
def test_the_papers_layers_learn_too(paper: dict[str, str]) -> None:
    assert SpectralCNNRegressor(LINES, **SMALL, **paper).fit(*table()).score(*table(200, seed=2)) > 0.85


@pytest.mark.parametrize("wrong", [{"normalisation": "layer"}, {"activation": "tanh"}, {"loss": "hinge"}])
def test_unknown_words_are_refused_with_those_that_are_known(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=f"{next(iter(wrong.values()))}' is not known; use"):
        SpectralCNNRegressor(LINES, **SMALL | wrong).fit(*table(40))


def test_the_same_seed_gives_the_same_network_and_another_one_another() -> None:
    features, target = table(100)
    few = {**SMALL, "max_epochs": 3, "dropout": 0.3}
    first, second, other = (SpectralCNNRegressor(LINES, **few, random_state=seed).fit(features, target) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.predict(features), second.predict(features))
    assert not np.allclose(first.predict(features), other.predict(features))


def stop_after(epochs: int):
    def listen(done: float, message: str, history: dict) -> None:
        assert "left" in message
        if len(history["epoch"]) >= epochs:
            raise Cancelled

    return listen


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path) -> None:
    features, target = table(100)
    settings = {**SMALL, "max_epochs": 8, "dropout": 0.3}
    whole = SpectralCNNRegressor(LINES, **settings).fit(features, target)
    broken = SpectralCNNRegressor(LINES, **settings, on_epoch=stop_after(4), checkpoint=tmp_path / "run.pt")
    with pytest.raises(Cancelled):
        broken.fit(features, target)
    assert np.isfinite(broken.predict(features)).all()
    assert broken.best_["epoch"] <= 4
    resumed = SpectralCNNRegressor(LINES, **settings).fit(features, target, resume=tmp_path / "run.pt")
    np.testing.assert_array_equal(resumed.predict(features), whole.predict(features))
    assert resumed.history_["loss"] == whole.history_["loss"]
    with pytest.raises(DataError, match="random_state, data"):
        SpectralCNNRegressor(LINES, **settings, random_state=1).fit(features, target + 1.0 * features[:, 2], resume=tmp_path / "run.pt")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"lines": LINES[:1]}, "1 lines need 3 columns"),
        ({"architecture": "transformer"}, "'transformer' is not known"),
        ({"length": 8}, "too short for 2 poolings"),
        ({"optimizer": "sgd"}, "'sgd' is not known"),
        ({"device": "abacus"}, "'abacus' is not known"),
    ],
)
def test_wrong_settings_are_named(wrong: dict, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        SpectralCNNRegressor(**{**SMALL, "lines": LINES, **wrong}).fit(*table(20))


def test_a_file_that_is_no_network_is_refused(tmp_path) -> None:
    (tmp_path / "x.pt").write_bytes(b"not a network")
    with pytest.raises(DataError, match="was not saved from a network"):
        SpectralCNNRegressor.load(tmp_path / "x.pt")


def test_weights_of_another_network_are_refused(fitted: SpectralCNNRegressor) -> None:
    arrays = fitted.state()
    del arrays["rendering.scale"]
    with pytest.raises(DataError, match="train the network again"):
        SpectralCNNRegressor.from_state(fitted.settings(), arrays)


def test_a_taught_network_has_the_slopes_of_the_law_not_only_its_values() -> None:
    """The law's slopes are constants; with few noisy pixels a network alone misses them by more, and one odd pixel does no harm."""
    features, target = table(120)
    target = target + np.random.default_rng(1).normal(0, 150.0, 120)
    target[5] += 25_000.0
    truth = np.array([0, 0, 800.0, 400.0, -300.0, 0])
    missed = {}
    for teacher in (True, False):
        network = SpectralCNNRegressor(LINES, **SMALL | {"teacher": teacher, "max_epochs": 20, "batch_size": 64}).fit(features, target)
        inputs = torch.as_tensor(features, dtype=torch.float32).requires_grad_(True)
        (slopes,) = torch.autograd.grad(network.module_(inputs).sum(), inputs)
        missed[teacher] = np.abs(slopes.numpy() * features.std(axis=0) - truth * features.std(axis=0) / SPREAD).mean()
    assert missed[True] < min(150, 0.6 * missed[False])


def test_a_network_of_before_caricatures_is_read_as_it_was(fitted: SpectralCNNRegressor) -> None:
    plain = SpectralCNNRegressor(LINES, **SMALL | {"drawing": "true", "max_epochs": 2}).fit(*table(60))
    settings = {name: value for name, value in plain.settings().items() if name not in ("drawing", "teacher")}
    again = SpectralCNNRegressor.from_state(settings, plain.state())
    np.testing.assert_allclose(again.predict(table()[0]), plain.predict(table()[0]), rtol=1e-5)
    with pytest.raises(SettingsError, match="drawing 'loud' is not known; use exaggerated or true"):
        SpectralCNNRegressor(LINES, **SMALL, drawing="loud").fit(*table(60))


def test_two_pixels_are_a_table_and_one_is_none() -> None:
    features, target = table(40)
    network = SpectralCNNRegressor(LINES, **{**SMALL, "max_epochs": 1})
    assert network.fit(features[:2], target[:2]).predict(features).shape == (40,)
    with pytest.raises(ValueError, match="minimum of 2"):
        network.fit(features[:1], target[:1])


def test_the_paper_s_recipe_is_the_paper_s() -> None:
    """Yoo et al. 2023, as far as it is told there: half of the units dropped, Adam at 1e-3 for a thousand epochs of batches of 128."""
    params = SpectralCNNRegressor.paper(LINES).get_params()
    told = {"dropout": 0.5, "optimizer": "adam", "learning_rate": 1e-3, "max_epochs": 1000, "batch_size": 128, "loss": "squared"}
    assert {name: params[name] for name in told} == told and len(params["channels"]) == 10
    settings = SpectralCNNRegressor.paper(LINES).settings()
    assert json.loads(json.dumps(settings)) == settings and settings["channels"] == [32] * 7 + [64] * 3, "as they are kept in a file"
