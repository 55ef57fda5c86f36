"""Partial dependence and ICE against scikit-learn and against the law."""

import laws
import numpy as np
import pytest
from sklearn.inspection import partial_dependence as sklearn_partial_dependence
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining import Cloud, not_separable, off_cloud, partial_dependence, pdp_spread, ranking, slope_rms, told_by_others
from napari_wse2xai.explaining.sampling import representative
from napari_wse2xai.explaining.slopes import ice_slope


@pytest.fixture(scope="module")
def flake() -> laws.Flake:
    return laws.flake()


def test_all_points_and_pixels_give_scikit_learns_numbers(flake) -> None:
    model = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(8,), max_iter=20, random_state=0, tol=1.0)).fit(
        flake.X, flake.y
    )
    ours = partial_dependence(model, flake.X, [2, 5], grid_resolution=7, percentiles=(0.05, 0.95), kind="both", nodes=None, samples=None)
    for index, feature in enumerate([2, 5]):
        theirs = sklearn_partial_dependence(
            model, flake.X, [feature], grid_resolution=7, percentiles=(0.05, 0.95), kind="both", method="brute"
        )
        assert np.allclose(ours.grid_values[index], theirs.grid_values[0], rtol=1e-12)
        assert np.allclose(ours.average[index], theirs.average[0], rtol=1e-12)
        assert np.allclose(ours.individual[index], theirs.individual[0], rtol=1e-12)


def test_a_linear_model_gives_its_coefficients(flake) -> None:
    model = LinearRegression().fit(flake.X, flake.y)
    result = partial_dependence(model, flake.X, samples=60)
    slopes = np.diff(result.average, axis=1) / np.diff(result.grid_values, axis=1)
    assert np.allclose(slopes, model.coef_[:, None], rtol=1e-5, atol=1e-9)
    assert result.std.max() < 1e-9 * np.abs(result.average).max()


def test_few_nodes_and_few_pixels_stay_within_a_hundredth_of_the_range(flake) -> None:
    oracle = laws.Oracle(flake)
    columns = [laws.STRONG, laws.LINEAR, laws.SQUARE]
    exact = partial_dependence(oracle, flake.X, columns, nodes=None, samples=None)
    quick = partial_dependence(oracle, flake.X, columns, samples=160)
    error = np.abs(quick.average - exact.average).max(axis=1) / np.ptp(exact.average, axis=1)
    assert error.max() < 0.01
    assert np.isclose(quick.weights.sum(), 1)
    assert "individual" not in quick


def test_a_value_is_supported_where_at_most_half_of_the_pixels_leave_the_cloud(flake) -> None:
    found = partial_dependence(laws.Oracle(flake), flake.X, percentiles=(0.0, 1.0), kind="individual")
    assert "average" not in found and found.individual.shape[::2] == found.grid_values.shape
    assert ((found.off_cloud > 0.5) & (found.off_cloud < 0.75)).any(), "a value that tells half from three quarters"
    np.testing.assert_array_equal(found.supported, found.off_cloud <= 0.5)


def test_curves_can_start_at_zero(flake) -> None:
    result = partial_dependence(laws.Oracle(flake), flake.X, kind="both", centered=True)
    assert not result.individual[..., 0].any()
    assert np.allclose(result.average[:, 0], 0)


def test_a_parameter_without_spread_has_a_flat_curve_and_no_slope(flake) -> None:
    table = flake.X.copy()
    table[:, 1] = 6.0
    assert np.ptp(partial_dependence(laws.Oracle(flake), table).average[1]) < 1e-12
    assert not ice_slope(laws.Oracle(flake), table).slope[1].any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "mean"}, "kind 'mean'"),
        ({"features": [99]}, "Columns run from 0 to 8"),
        ({"features": ["A1'.height"]}, "whole numbers"),
    ],
)
def test_wrong_settings_are_refused_in_words(flake, changes, words) -> None:
    with pytest.raises(SettingsError, match=words):
        partial_dependence(laws.Oracle(flake), flake.X, **changes)


def test_gaps_are_refused(flake) -> None:
    table = flake.X.copy()
    table[3, 3] = np.nan
    with pytest.raises(SettingsError, match="gaps"):
        partial_dependence(laws.Oracle(flake), table)


def test_the_ranking_sees_what_acts_only_through_another(flake) -> None:
    partial, slopes = partial_dependence(laws.Oracle(flake), flake.X), ice_slope(laws.Oracle(flake), flake.X)
    spread, rms = pdp_spread(flake.X, partial.grid_values, partial.average), slope_rms(slopes.slope, slopes.step)
    assert spread[laws.PARTNER] < 0.15 * spread[laws.STRONG]
    assert set(ranking(spread, rms)[:4]) == {laws.STRONG, laws.LINEAR, laws.SQUARE, laws.PARTNER}
    assert ranking(spread, rms)[0] == laws.STRONG


def test_the_cloud_holds_its_share_and_a_step_across_it_leaves() -> None:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal(2000)
    table = np.stack([shared, shared + 0.1 * rng.standard_normal(2000), rng.standard_normal(2000)], axis=1)
    assert np.isclose((Cloud.of(table).distance > Cloud.of(table).limit).mean(), 0.025, atol=0.002)
    leaving = off_cloud(table).mean(axis=1)
    assert leaving[0] > 0.95 and leaving[1] > 0.95
    assert leaving[2] < 0.3
    far = partial_dependence(LinearRegression().fit(table, shared), table, percentiles=(0.0, 1.0))
    assert not far.supported[0, 0] and far.supported[2, 25]


def test_the_cloud_is_that_of_plain_distances() -> None:
    rng = np.random.default_rng(1)
    table = rng.exponential(size=(300, 3)) * [1.0, 20.0, 0.01] + [5.0, 300.0, 0.0]
    cloud = Cloud.of(table)
    moved = table.copy()
    moved[:, 1] += 35.0
    median = np.median(table, axis=0)
    reach = 4 * 1.4826 * np.median(np.abs(table - median), axis=0)
    centre = np.clip(table, median - reach, median + reach).mean(axis=0)
    assert cloud.distance == pytest.approx(np.einsum("ij,jk,ik->i", table - centre, cloud.precision, table - centre))
    plain = np.einsum("ij,jk,ik->i", moved - centre, cloud.precision, moved - centre) > cloud.limit
    assert np.array_equal(cloud.shifted(1, 35.0), plain)


def test_a_step_of_what_no_pixel_differs_in_leaves_the_cloud() -> None:
    rng = np.random.default_rng(2)
    table = rng.standard_normal((300, 2))
    cloud = Cloud.of(np.column_stack([table, np.full(300, 7.0)]))
    assert cloud.shifted(2, 100.0).all() and cloud.shifted(2, -100.0).all()
    assert not cloud.shifted(2, 0.0)[cloud.distance <= cloud.limit].any()


def test_parameters_that_go_together_are_named() -> None:
    rng = np.random.default_rng(0)
    table = rng.standard_normal((500, 4))
    table[:, 3] = -np.exp(table[:, 1]) + 0.01 * table[:, 0]
    (pair,) = not_separable(np.column_stack([np.full(500, 7.0), table]))
    assert pair[:2] == (2, 4)
    assert pair[2] < -0.98


def test_a_column_that_is_worked_out_of_others_is_told_by_them():
    rng = np.random.default_rng(0)
    first, second, free = 1 + 0.15 * rng.standard_normal((3, 400)).clip(-3, 3)
    table = np.column_stack([first, second, first / second, free, np.ones(400)])
    ((column, r2),) = told_by_others(table, [2, 3, 4])
    assert column == 2
    assert 0.95 < r2 < 1
    assert told_by_others(np.column_stack([first + free, second, first]), [0]) == []  # half of it is its own


@pytest.mark.parametrize(("many", "count"), [(10, 4), (7, 6), (100, 10)])
def test_of_pixels_sorted_by_what_is_predicted_each_of_equal_shares_gives_one(many: int, count: int) -> None:
    rng = np.random.default_rng(2)
    drawn = [representative(np.arange(many)[:, None] * 1.0, np.arange(many) * 1.0, count, rng)[0] for _ in range(200)]
    share = many / count
    assert all((np.floor(np.arange(count) * share) <= rows).all() and (rows < np.arange(1, count + 1) * share).all() for rows in drawn)
    assert set(np.concatenate(drawn)) == set(range(many)), "and any pixel may be the one"


def test_the_cloud_does_not_know_in_which_units_parameters_are() -> None:
    table = np.random.default_rng(5).standard_t(2, size=(400, 3))  # heavy tails: its robust spread is far from the plain one
    units = np.array([1e-4, 1.0, 1e4])
    one, other = Cloud.of(table), Cloud.of(table * units)
    np.testing.assert_allclose(other.distance / other.limit, one.distance / one.limit, rtol=1e-6)
    np.testing.assert_array_equal(off_cloud(table * units), off_cloud(table))


def test_what_a_parameter_does_everywhere_alike_counts_in_full() -> None:
    np.testing.assert_allclose(slope_rms(np.array([[3.0, 3.0], [1.0, -1.0], [0.0, 2.0]]), np.array([2.0, 5.0, 1.0])), [6, 5, np.sqrt(2)])
