"""Estimators as functions: evaluation mode, exactness, cancelling."""

import laws
import numpy as np
import pytest
import torch

from napari_wse2xai.errors import Cancelled, DataError
from napari_wse2xai.explaining import (
    accumulated_local_effects,
    derivatives,
    h_statistic,
    ice_slope,
    integrated_gradients,
    partial_dependence,
    permutation_importance,
    regional_effects,
    weight_randomisation,
)
from napari_wse2xai.explaining.model import TorchModel, as_model, predict


def attributed(network, table, progress):
    return integrated_gradients(network, table, level="parameters", progress=progress)


def pairs(network, table, progress):
    return h_statistic(network, table, [(0, 1), (2, 3), (4, 5)], progress=progress)


def regions(network, table, progress):
    return regional_effects(network, table, 2, progress=progress)


def permuted(network, table, progress):
    return permutation_importance(network, table, table[:, 0], progress=progress)


EXPLAINERS = [
    partial_dependence, ice_slope, derivatives, accumulated_local_effects, attributed, pairs, permuted, regions, weight_randomisation,
]  # fmt: skip


@pytest.fixture(scope="module")
def flake() -> laws.Flake:
    return laws.flake()


@pytest.mark.parametrize("explainer", [partial_dependence, ice_slope, derivatives], ids=lambda explainer: explainer.__name__)
def test_a_module_in_training_mode_is_explained_in_evaluation_mode_and_left_in_training_mode(flake, explainer) -> None:
    module = laws.Convolution(flake)
    estimator = laws.Fitted(module)
    expected = explainer(laws.Fitted(module.eval()), flake.X)
    module.train()
    before = {name: values.clone() for name, values in module.state_dict().items()}

    results = [explainer(estimator, flake.X) for _ in range(2)]

    for result in results:
        for name, values in expected.items() if isinstance(expected, dict) else [("", expected)]:
            assert np.array_equal(result[name] if name else result, values), name
    assert all(part.training for part in module.modules())
    assert all(torch.equal(before[name], values) for name, values in module.state_dict().items())


def test_a_dense_module_is_evaluated_in_double_precision_and_a_convolution_in_its_own(flake) -> None:
    dense, convolution = as_model(laws.Fitted(laws.LawModule(flake))), as_model(laws.Convolution(flake))
    assert isinstance(dense, TorchModel) and dense.dtype == torch.float64
    assert isinstance(convolution, TorchModel) and convolution.dtype == torch.float32


def test_a_target_of_several_can_be_chosen(flake) -> None:
    torch.manual_seed(0)
    module = torch.nn.Linear(flake.X.shape[1], 3)
    for target in range(3):
        slopes = ice_slope(as_model(module, target=target), flake.X).slope
        assert np.allclose(slopes, module.weight[target].detach().numpy()[:, None], rtol=1e-6)


def test_chunks_do_not_change_what_is_predicted(flake) -> None:
    model = as_model(laws.Convolution(flake))
    assert np.array_equal(predict(model, flake.X)[:128], predict(model, flake.X[:128]))


def test_cancel_passes_through(flake) -> None:
    def cancel(fraction: float, message: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        partial_dependence(laws.Convolution(flake), flake.X, progress=cancel)


@pytest.mark.parametrize("explainer", EXPLAINERS, ids=lambda explainer: explainer.__name__)
def test_progress_rises_from_nothing_to_all_at_most(flake, explainer) -> None:
    told: list[float] = []
    explainer(laws.Convolution(flake), flake.X[:120], progress=lambda fraction, _: told.append(fraction))
    assert told == sorted(told) and 0 <= told[0] <= told[-1] <= 1
    assert told[0] < 0.5 < told[-1] or told == [1.0]


def test_what_cannot_predict_is_refused() -> None:
    with pytest.raises(DataError, match="cannot be explained"):
        as_model(object())


def test_a_model_without_derivatives_says_so(flake) -> None:
    with pytest.raises(DataError, match="no derivatives"):
        ice_slope(laws.Oracle(flake), flake.X, scheme="autograd")
