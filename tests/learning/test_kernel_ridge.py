"""Kernel ridge with its own search: scikit-learn's grid search is the oracle."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from napari_wse2xai.learning.kernel_ridge import FOLDS, MOST, PENALTIES, RATES, KernelRidgeRegressor, few_pixels


@pytest.mark.parametrize(("noise", "targets"), [(0.02, 1), (1.0, 2)])
def test_it_is_scikit_learns_grid_search_over_its_own(noise: float, targets: int) -> None:
    rng = np.random.default_rng(0)
    table = 5.0 + rng.standard_normal((240, 6)) * [1, 2, 3, 4, 5, 0]
    law = 100.0 * np.sin(table[:, :1]) + 20.0 * table[:, 1:2]
    y = (law + 80.0 * noise * rng.standard_normal((240, targets))).squeeze()
    chain = Pipeline([("scale", StandardScaler()), ("ridge", KernelRidge(kernel="rbf"))])
    search = GridSearchCV(chain, {"ridge__gamma": RATES, "ridge__alpha": PENALTIES}, cv=list(few_pixels(240)))
    theirs = TransformedTargetRegressor(search, transformer=StandardScaler()).fit(table, y)
    ours = KernelRidgeRegressor().fit(table, y)
    assert {"ridge__gamma": ours.rate_, "ridge__alpha": ours.penalty_} == theirs.regressor_.best_params_
    np.testing.assert_allclose(ours.predict(table[:50] + 0.1), theirs.predict(table[:50] + 0.1), rtol=1e-9)


@pytest.mark.parametrize("count", [40, 5000])
def test_width_and_penalty_are_looked_for_on_few_pixels_and_those_held_out_lie_aside(count: int) -> None:
    folds = list(few_pixels(count))
    held_out = np.concatenate([rows for _, rows in folds])
    assert len(folds) == FOLDS
    assert len(held_out) == len(np.unique(held_out)) == min(count, MOST)
    assert (np.diff(held_out) > 0).all(), "one stretch of the flake after the other"
    assert held_out[-1] == count - 1
    assert all(not set(training) & set(rows) for training, rows in folds)
