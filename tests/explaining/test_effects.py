"""ALE, pairs, H, permutation importance, clusters and regions: against the law and scikit-learn."""

from types import SimpleNamespace

import laws
import numpy as np
import pytest
from scipy.stats.mstats import mquantiles
from sklearn.inspection import partial_dependence as sklearn_partial_dependence
from sklearn.inspection import permutation_importance as sklearn_permutation_importance
from sklearn.linear_model import LinearRegression, Ridge

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining import (
    accumulated,
    accumulated_local_effects,
    by_peak,
    h_statistic,
    ice_clusters,
    partial_dependence_pairs,
    permutation_importance,
    regional_effects,
)
from napari_wse2xai.explaining.curves import NODES


@pytest.fixture(scope="module")
def flake() -> laws.Flake:
    return laws.flake(2)


@pytest.fixture(scope="module")
def oracle(flake) -> laws.Oracle:
    return laws.Oracle(flake)


def test_accumulated_effects_of_a_linear_model_rise_by_its_coefficients(flake) -> None:
    model = LinearRegression().fit(flake.X, flake.y)
    result = accumulated_local_effects(model, flake.X)
    assert np.allclose(np.diff(result.average) / np.diff(result.grid_values), model.coef_[:, None], rtol=1e-5)
    assert result.count.sum(axis=1).tolist() == [576] * 9


def test_accumulated_effects_are_those_of_the_law(flake, oracle) -> None:
    result = accumulated_local_effects(oracle, flake.X, [laws.LINEAR, laws.SQUARE])
    z = flake.standardised(np.resize(0.0, (21, 9)) + result.grid_values[1][:, None])[:, laws.SQUARE]
    expected = 0.245 * z**2
    assert np.corrcoef(result.average[1], expected)[0, 1] > 0.999
    assert np.isclose(np.ptp(result.average[0]), 0.5 * np.ptp(flake.z[:, laws.LINEAR]), rtol=1e-6)


def test_derivatives_give_the_same_accumulated_effects(flake) -> None:
    module = laws.LawModule(flake)
    steps, tangents = (accumulated_local_effects(module, flake.X, scheme=scheme) for scheme in ("steps", "autograd"))
    strong = laws.STRONG
    assert np.abs(steps.average[strong] - tangents.average[strong]).max() < 0.05 * np.ptp(steps.average[strong])


def test_repeated_values_are_no_trouble(flake, oracle) -> None:
    table = flake.X.copy()
    table[:, 0], table[100:, 1] = 250.0, 6.0
    result = accumulated_local_effects(oracle, table)
    assert np.isfinite(result.average).all() and np.allclose(result.average[0], 0)


def test_the_spread_of_a_bin_is_that_of_its_changes() -> None:
    changes, where = np.array([1.0, 3.0, 8.0, 5.0]), np.array([0, 0, 0, 2])
    curve, spread, _ = accumulated._accumulate(changes, where, 3)
    assert np.diff(curve) == pytest.approx([4.0, 0.0, 5.0]), "one pixel is its own mean, and an empty bin changes nothing"
    assert spread == pytest.approx([np.std(changes[:3]), 0.0, 0.0])


def test_an_unknown_scheme_is_refused(flake, oracle) -> None:
    with pytest.raises(SettingsError, match="scheme 'secant'"):
        accumulated_local_effects(oracle, flake.X, scheme="secant")


def test_surfaces_are_scikit_learns(flake) -> None:
    from sklearn.tree import DecisionTreeRegressor

    model = DecisionTreeRegressor(max_depth=4, random_state=0).fit(flake.X, flake.y)
    ours = partial_dependence_pairs(model, flake.X, [(2, 5)], grid_resolution=5, nodes=None, samples=None)
    theirs = sklearn_partial_dependence(model, flake.X, [(2, 5)], grid_resolution=5, percentiles=(0.025, 0.975), method="brute")
    assert np.allclose(ours.average[0], theirs.average[0])
    assert np.allclose(ours.grid_values[0], np.stack(theirs.grid_values))


def test_few_nodes_give_the_surface_too(flake, oracle) -> None:
    pairs = [(laws.STRONG, laws.PARTNER), (laws.LINEAR, laws.SQUARE)]
    exact = partial_dependence_pairs(oracle, flake.X, pairs, nodes=None, samples=None).average
    quick = partial_dependence_pairs(oracle, flake.X, pairs).average
    assert (np.abs(quick - exact).max(axis=(1, 2)) < 0.01 * np.ptp(exact, axis=(1, 2))).all()


def test_the_h_statistic_finds_the_interaction_alone(flake, oracle) -> None:
    found = h_statistic(oracle, flake.X, [(laws.STRONG, laws.PARTNER), (laws.STRONG, laws.LINEAR), (laws.SQUARE, laws.PARTNER)])
    assert 0.2 < found.h[0] < 0.7
    assert found.h[1:].max() < 1e-6
    assert np.isclose(found.strength[0], 0.4, atol=0.15)
    every = h_statistic(oracle, flake.X, features=[0, 2, 3, 5], samples=25)
    assert every.pairs.tolist() == [[0, 2], [0, 3], [0, 5], [2, 3], [2, 5], [3, 5]]
    assert every.strength.argmax() == 4


def test_permutation_importance_is_scikit_learns(flake) -> None:
    model = Ridge().fit(flake.X, flake.y)
    ours = permutation_importance(model, flake.X, flake.y, n_repeats=3, random_state=5)
    theirs = sklearn_permutation_importance(model, flake.X, flake.y, n_repeats=3, random_state=5)
    assert np.allclose(ours.importances, theirs.importances, atol=1e-12)
    assert np.allclose(ours.importances_std, theirs.importances_std, atol=1e-12)


def test_a_peak_is_shuffled_whole(flake, oracle) -> None:
    y = np.where(np.arange(len(flake.y)) < 9, np.nan, flake.y)
    found = permutation_importance(oracle, flake.X, y, groups=by_peak(9))
    assert found.importances.shape == (3, 5)
    assert found.importances_mean.argmax() == 0
    assert by_peak(9) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_clusters_and_regions_follow_what_turns_the_slope_round(flake, oracle) -> None:
    partner = flake.z[:, laws.STRONG]
    clusters = ice_clusters(oracle, flake.X, laws.PARTNER, clusters=2)
    assert set(np.unique(clusters.labels)) == {1, 2}
    assert partner[clusters.labels == 2].mean() - partner[clusters.labels == 1].mean() > 1
    assert clusters.remaining < 0.7 * clusters.heterogeneity

    names = [f"p{k}" for k in range(9)]
    regions = regional_effects(oracle, flake.X, laws.PARTNER, names=names)
    assert all(f"p{laws.STRONG}" in rule for rule in regions.rules) and len(regions.rules) == 4
    assert regions.remaining < 0.5 * regions.heterogeneity
    rise = regions.average[:, -1] - regions.average[:, 0]
    assert (np.diff(rise) > 0).all() and rise[0] < 0 < rise[-1]


@pytest.mark.parametrize("points", [50, 7])
def test_spread_before_and_after_is_that_of_a_product_of_two_parameters(points: int) -> None:
    """PL = 3 a h: the curve of a pixel is a line of slope 3 h, so all is known of the spread of h and of the places of a."""
    rng = np.random.default_rng(3)
    a, h = rng.normal(5.0, 1.0, 400), np.repeat([-2.0, 0.0, 2.5], [100, 180, 120]) + rng.normal(0.0, 0.1, 400)
    table = np.column_stack([a, h])
    clusters = ice_clusters(SimpleNamespace(predict=lambda asked: 3 * asked.prod(axis=1)), table, 0, clusters=3, grid_resolution=points)
    grid = np.linspace(*mquantiles(a, (0.025, 0.975)), points)
    np.testing.assert_allclose(clusters.grid_values, grid)
    assert clusters.labels.tolist() == np.repeat([1, 2, 3], [100, 180, 120]).tolist(), "by rising slope"
    means = np.array([h[clusters.labels == label].mean() for label in (1, 2, 3)])
    np.testing.assert_allclose(clusters.average, 3 * means[:, None] * grid, atol=1e-9)
    nodes = np.linspace(grid[0], grid[-1], NODES)
    far = np.abs(nodes - nodes.mean()).mean()
    assert clusters.heterogeneity == pytest.approx(3 * h.std() * far)
    assert clusters.remaining == pytest.approx(3 * np.sqrt(((h - means[clusters.labels - 1]) ** 2).mean()) * far)


def test_where_all_curves_are_alike_there_is_one_region(flake, oracle) -> None:
    regions = regional_effects(oracle, flake.X, laws.LINEAR)
    assert regions.rules == ["everywhere"]
    assert (regions.labels == 1).all()
