"""scikit-learn's own checks of an estimator, those that say something about a regressor and take no time."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks as checks

from napari_wse2xai import learning, report
from napari_wse2xai.learning import MLPEnsembleRegressor, SpectralCNNRegressor

ESTIMATORS = {
    "CNN": SpectralCNNRegressor(channels=(4, 4), pool_after=(1, 2), length=16, max_epochs=2, device="cpu"),
    "ensemble": MLPEnsembleRegressor(2, hidden=8, max_epochs=2),
}
CHECKS = [
    checks.check_no_attributes_set_in_init,
    checks.check_parameters_default_constructible,
    checks.check_get_params_invariance,
    checks.check_set_params,
    checks.check_dict_unchanged,
    checks.check_fit2d_predict1d,
    checks.check_n_features_in,
    checks.check_n_features_in_after_fitting,
    checks.check_estimators_nan_inf,
    checks.check_estimators_dtypes,
    checks.check_estimators_unfitted,
    checks.check_estimators_pickle,
    checks.check_fit_idempotent,
    checks.check_supervised_y_no_nan,
    checks.check_regressors_int,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_scikit_learn_finds_nothing_wrong(name: str, check: Callable[[str, object], None]) -> None:
    check(name, ESTIMATORS[name])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_it_works_in_a_pipeline_and_in_cross_validation(name: str) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 3))
    scores = cross_val_score(make_pipeline(StandardScaler(), ESTIMATORS[name]), features, features[:, 0], cv=2)
    assert np.isfinite(scores).all()


def test_every_name_that_the_api_tells_can_be_had() -> None:
    """As the page of the site has them; the table of names loads each when it is first used."""
    page = (Path(__file__).parents[2] / "docs" / "api" / "learning.md").read_text(encoding="utf-8")
    told = re.findall(r"::: napari_wse2xai\.learning\.\w+\.(\w+)", page)
    assert len(told) > 8
    assert {getattr(learning, name).__name__ for name in told} == set(told) == set(learning.__all__)
    assert all(hasattr(report, name) for name in report.__all__)
