"""Ridge regression of many targets: scikit-learn's leave-one-out search is the oracle."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV

from napari_wse2xai.learning.ridge import RidgePerTarget, told_by_the_rest

PENALTIES = (1e-6, 1e-3, 1e-1, 1.0, 1e2)


@pytest.mark.parametrize("rows", [60, 12], ids=["long", "wide"])
def test_it_is_scikit_learns_search_for_a_penalty_of_each_target(rows: int) -> None:
    rng = np.random.default_rng(0)
    table = 3.0 + rng.standard_normal((rows, 20)) * np.geomspace(1, 1e-3, 20)
    law = table[:, :4] @ rng.standard_normal((4, 5))
    targets = 100.0 + law + np.array([0.01, 0.1, 1.0, 5.0, 50.0]) * rng.standard_normal((rows, 5))
    ours = RidgePerTarget(PENALTIES).fit(table, targets)
    theirs = RidgeCV(PENALTIES, alpha_per_target=True).fit(table, targets)
    assert len(set(ours.alpha_)) > 1, "the targets ask for different penalties"
    np.testing.assert_array_equal(ours.alpha_, theirs.alpha_)
    np.testing.assert_allclose(ours.predict(table), theirs.predict(table), rtol=1e-8)


@pytest.mark.parametrize("unit", [1e-25, 1e25])
@pytest.mark.filterwarnings("error")
def test_penalties_do_not_hang_on_the_unit(unit: float) -> None:
    """Squares of such values fit no single precision."""
    rng = np.random.default_rng(0)
    table, noise = rng.standard_normal((60, 20)), rng.standard_normal((60, 2)) * [0.01, 10.0]
    targets = table[:, :1] + noise
    plain, other = (RidgePerTarget(PENALTIES).fit(table, scale * targets) for scale in (1.0, unit))
    assert len(set(plain.alpha_)) == 2
    np.testing.assert_array_equal(other.alpha_, plain.alpha_)
    np.testing.assert_allclose(other.missed_, unit**2 * plain.missed_, rtol=1e-5)


def test_each_row_is_told_by_a_ridge_on_all_others() -> None:
    rng = np.random.default_rng(1)
    table = 3.0 + rng.standard_normal((30, 4))
    y = 50.0 + table @ [1.0, -2.0, 0.5, 0.0] + rng.standard_normal(30)
    found = {penalty: told_by_the_rest(table, y, [penalty]) for penalty in PENALTIES}
    for penalty, told in found.items():
        ones = [Ridge(penalty).fit(np.delete(table, row, 0), np.delete(y, row)).predict(table[[row]])[0] for row in range(30)]
        np.testing.assert_allclose(told, ones, rtol=1e-9)
    best = min(found.values(), key=lambda told: np.sum((told - y) ** 2))
    np.testing.assert_array_equal(told_by_the_rest(table, y, PENALTIES), best)
