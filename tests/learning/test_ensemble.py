import numpy as np
import pytest
import torch
from sklearn.base import clone

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.learning import MLPEnsembleRegressor, SpectralCNNRegressor, reference_models
from napari_wse2xai.learning.ensemble import NetworkEnsemble, StackedLinear


def table(count: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    z = np.random.default_rng(seed).normal(size=(count, 4))
    return [250.0, 4.0, 1000.0, 260.0] + z * [0.1, 0.3, 150.0, 0.2], 5000.0 + 800.0 * np.tanh(z[:, 2]) + 300.0 * z[:, 0] * z[:, 3]


FEW = {"n_estimators": 3, "hidden": 32, "max_epochs": 60, "batch_size": 32}


def test_the_spread_of_two_members_is_that_of_two_numbers() -> None:
    features, _ = table(20)
    ensemble = MLPEnsembleRegressor(2, hidden=4, max_epochs=1).fit(*table(40))
    first, second = ensemble.members(features)
    np.testing.assert_allclose(ensemble.predict(features, return_std=True)[1], np.abs(first - second) / np.sqrt(2), rtol=1e-6)


def test_the_ensemble_learns_a_bent_law_and_its_module_is_the_mean_of_its_members() -> None:
    ensemble = MLPEnsembleRegressor(**FEW).fit(*table())
    features, target = table(100, seed=1)
    mean, spread = ensemble.predict(features, return_std=True)
    assert ensemble.score(features, target) > 0.9
    assert ensemble.members(features).shape == (3, 100)
    np.testing.assert_allclose(ensemble.members(features).std(axis=0, ddof=1), spread)
    assert spread.min() > 0
    inputs = torch.as_tensor(features, dtype=torch.float32).requires_grad_()
    drawn = ensemble.module_(inputs)
    np.testing.assert_allclose(drawn.detach().numpy()[:, 0], mean, rtol=1e-5)
    assert (torch.autograd.grad(drawn.sum(), inputs)[0].abs().amax(0) > 0).all()


def test_written_gradients_are_those_of_torch() -> None:
    torch.manual_seed(0)
    ensemble = NetworkEnsemble(3, 5, 7, 2).double()
    rows, targets = torch.randn(3, 11, 5, dtype=torch.float64), torch.randn(3, 11, 2, dtype=torch.float64)
    ensemble.learn(rows, targets)
    weights = list(ensemble.parameters())
    wanted = torch.autograd.grad((ensemble.layers(rows) - targets).square().mean((1, 2)).sum(), weights)
    torch.testing.assert_close([weight.grad for weight in weights], list(wanted))


def test_an_ensemble_repeats_and_a_bootstrap_spreads_it_more() -> None:
    features, target = table()
    twice = [MLPEnsembleRegressor(**FEW).fit(features, target).members(features) for _ in range(2)]
    np.testing.assert_array_equal(*twice)
    resampled = MLPEnsembleRegressor(**FEW, bootstrap=True).fit(features, target).members(features)
    assert resampled.std(axis=0).mean() > 1.2 * twice[0].std(axis=0).mean()


def test_several_targets_at_once_and_no_network_at_all() -> None:
    features, target = table(60)
    both = MLPEnsembleRegressor(**FEW).fit(features, np.stack([target, features[:, 0]], axis=1))
    assert both.predict(features).shape == (60, 2)
    with pytest.raises(SettingsError, match="at least one network"):
        MLPEnsembleRegressor(0).fit(features, target)


def test_every_reference_model_fits_any_units_and_the_better_ones_see_the_bend() -> None:
    features, target = table()
    references = {name: model.fit(features, target).score(*table(200, seed=1)) for name, model in reference_models().items()}
    assert list(references) == ["mean", "ridge", "gradient boosting", "kernel ridge", "MLP ensemble", "Gaussian process"]
    assert abs(references["mean"]) < 0.1
    assert references["ridge"] > 0.6
    better = ("kernel ridge", "MLP ensemble", "Gaussian process")
    assert min(references[name] for name in better) > references["ridge"] + 0.03


@pytest.mark.parametrize("estimator", [MLPEnsembleRegressor(3, hidden=16), SpectralCNNRegressor(on_epoch=print, channels=(4, 4))])
def test_parameters_survive_a_clone(estimator) -> None:
    assert clone(estimator).get_params() == estimator.get_params()


def test_weights_begin_as_torch_draws_those_of_a_layer() -> None:
    torch.manual_seed(0)
    layer, usual = StackedLinear(50, 16, 40), torch.nn.Linear(16, 40)
    for drawn, one in ((layer.weight, usual.weight), (layer.bias, usual.bias)):
        assert drawn.abs().max() <= 16**-0.5
        assert drawn.std().item() == pytest.approx(one.std().item(), rel=0.2)
