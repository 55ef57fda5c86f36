"""Error bands: they hold the truth, and widen where the model is off."""

import laws
import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.utils import Bunch

from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining import bands, ice_slope, partial_dependence
from napari_wse2xai.explaining.bands import bootstraps, spatial_blocks
from napari_wse2xai.learning.gaussian_process import Kernel, Processes
from napari_wse2xai.learning.posterior import Posterior


@pytest.fixture(scope="module")
def flake() -> laws.Flake:
    return laws.flake(2, side=16)


@pytest.fixture(scope="module")
def explained(flake) -> tuple[Bunch, Bunch]:
    model = laws.Oracle(flake)
    return partial_dependence(model, flake.X, samples=120), ice_slope(model, flake.X)


def test_bands_hold_the_truth_and_repeat(flake, explained) -> None:
    first, again = (bands(*explained, flake.X, flake.y, flake.coordinates, refits=4) for _ in range(2))
    partial, slopes = explained
    assert np.array_equal(first.low, again.low) and np.array_equal(first.slope_error, again.slope_error)
    assert (np.abs(slopes.slope) > 2 * first.slope_error)[laws.LINEAR].mean() > 0.9
    off = [column for column in range(9) if column not in (laws.STRONG, laws.LINEAR, laws.SQUARE, laws.PARTNER)]
    assert (np.abs(slopes.slope) > 2 * first.slope_error)[off].mean() < 0.05
    width = (first.high - first.low)[laws.STRONG].mean()
    assert 0.002 < width / np.ptp(partial.average[laws.STRONG]) < 0.2
    assert first.importance_error[laws.STRONG] < 0.1


def test_a_model_that_is_off_gets_a_band_that_says_so(flake) -> None:
    ridge = Ridge().fit(flake.X, flake.y)
    partial, slopes = partial_dependence(ridge, flake.X, samples=None), ice_slope(ridge, flake.X)
    found = bands(partial, slopes, flake.X, flake.y, flake.coordinates, refits=8)
    truth = partial_dependence(laws.Oracle(flake), flake.X, samples=None)
    held = (found.low <= truth.average) & (truth.average <= found.high)
    assert held[[laws.STRONG, laws.SQUARE]].mean() > 0.7
    assert (found.low <= partial.average).all() and (partial.average <= found.high).all()
    grid, column = partial.grid_values[laws.STRONG], flake.X[:, laws.STRONG]
    own, *refitted = (np.interp(column, grid, curve[laws.STRONG]).std() for curve in (partial.average, *found.refits))
    error = np.std(refitted, ddof=1) + abs(own - np.mean(refitted)) / 1.96
    assert found.importance_error[laws.STRONG] == pytest.approx(error, rel=1e-6), "its own spread, and how far off it is"


def test_what_the_process_does_not_know_is_added_in_squares(flake, monkeypatch) -> None:
    """A posterior error of half a standard deviation of PL, far beyond what refits differ by."""
    model = laws.Oracle(flake)
    partial, slopes = partial_dependence(model, flake.X, samples=None), ice_slope(model, flake.X)
    found = {}
    for size in (0.0, 0.5):
        unknown = Bunch(slopes=lambda rows, *_, s=size: np.full((9, len(rows)), s), curves=lambda *_, s=size: np.full((9, 50), s))
        monkeypatch.setattr(Posterior, "of", lambda *_, u=unknown: u)
        found[size] = bands(partial, slopes, flake.X, flake.y, flake.coordinates, refits=4)
    few, unit = student.ppf(0.975, 3) / 1.96, 0.5 * flake.y.std()
    added = found[0.5].slope_spread ** 2 - found[0.0].slope_spread ** 2
    assert added == pytest.approx(np.broadcast_to((unit / flake.X.std(axis=0)[:, None]) ** 2, added.shape), rel=1e-6)
    refits = found[0.5].refits
    half = 1.96 * np.hypot(few * refits.std(axis=0, ddof=1), unit)
    assert found[0.5].high - refits.mean(axis=0) == pytest.approx(half, rel=1e-6)
    assert refits.mean(axis=0) - found[0.5].low == pytest.approx(half, rel=1e-6)


def test_rivals_and_other_refits_take_part(flake, explained) -> None:
    flat = Ridge(alpha=1e9).fit(flake.X, flake.y)
    found = bands(*explained, flake.X, flake.y, references=[flat], refits=3, factory=lambda: Ridge(alpha=1e-3))
    assert found.refits.shape == (3, 9, 50) and found.references.shape == (1, 9, 50)
    assert (found.low[laws.STRONG] <= found.references[0, laws.STRONG]).all()
    assert (found.high[laws.STRONG] >= found.references[0, laws.STRONG]).all()


def test_errors_are_those_of_weighted_refits_worked_out_by_hand(flake) -> None:
    """Of straight models every slope is a coefficient, and a pixel that is taken twice has twice the weight."""
    columns, heard = [2, 7], []
    partial = partial_dependence(laws.Oracle(flake), flake.X, columns, samples=None)
    slopes = ice_slope(laws.Oracle(flake), flake.X, columns)
    found = bands(
        partial, slopes, flake.X, flake.y, flake.coordinates, features=columns, refits=4, block_size=2.0, factory=LinearRegression,
        random_state=5, progress=lambda done, message: heard.append((done, message)),
    )  # fmt: skip
    times = bootstraps(spatial_blocks(flake.coordinates, 256, 2.0)[0], 4, np.random.default_rng(5))
    models = [LinearRegression().fit(flake.X, flake.y, weight) for weight in times]
    slope = np.array([model.coef_[columns] for model in models])
    factor = 1.4 * student.ppf(0.975, 3) / 1.96
    spread = factor * slope.std(axis=0, ddof=1)[:, None]
    assert found.slope_spread == pytest.approx(np.broadcast_to(spread, (2, 256)), rel=1e-4)
    assert found.slope_error == pytest.approx(spread + np.abs(slopes.slope - slope.mean(axis=0)[:, None]) / 1.96, rel=1e-4)
    off = np.abs(slopes.slope.mean(axis=1) - slope.mean(axis=0)) / 1.96
    assert found.mean_slope_error == pytest.approx(spread[:, 0] + off, rel=1e-4)
    lines = np.array([[model.predict(flake.X).mean() + model.coef_[k] * (partial.grid_values[i] - flake.X[:, k].mean())
                       for i, k in enumerate(columns)] for model in models])  # fmt: skip
    assert found.refits == pytest.approx(lines, rel=1e-5)
    half = student.ppf(0.975, 3) * lines.std(axis=0, ddof=1)
    assert found.low == pytest.approx(np.minimum(lines.mean(axis=0) - half, partial.average), rel=1e-5)
    assert found.high == pytest.approx(np.maximum(lines.mean(axis=0) + half, partial.average), rel=1e-5)
    assert heard == [(k / 4, f"Refits: {k} of 4") for k in range(4)]


def test_blocks_without_places_are_runs_of_neighbouring_rows_fifty_of_them() -> None:
    blocks, side = spatial_blocks(None, 150)
    assert blocks.tolist() == [k for k in range(50) for _ in range(3)] and side == 3.0


def test_too_few_pixels_are_refused(flake, explained) -> None:
    with pytest.raises(DataError, match="at least 30 pixels"):
        bands(*explained, flake.X, np.where(np.arange(len(flake.y)) < 20, flake.y, np.nan))


def test_blocks_are_squares_and_are_drawn_whole() -> None:
    row, column = np.divmod(np.arange(400), 20)
    blocks, side = spatial_blocks(np.stack([row, column], axis=1) * 0.5, 400, 2.0)
    assert side == 2.0 and len(np.unique(blocks)) == 25
    assert np.unique(blocks.reshape(20, 20)[:4, :4]).size == 1
    counts = bootstraps(blocks, 5, np.random.default_rng(0))
    assert counts.sum(axis=1).tolist() == [400] * 5
    assert all(np.unique(count[blocks == block]).size == 1 for count in counts for block in range(25))
    apart, _ = spatial_blocks(np.stack([row, column, row >= 10], axis=1), 400, 40.0)
    assert np.unique(apart).size == 2


def test_curves_and_slopes_of_processes_are_those_of_their_predictions(flake) -> None:
    rng = np.random.default_rng(0)
    y = (flake.y - flake.y.mean()) / flake.y.std()
    kernel = Kernel.likeliest(flake.z, y, rng)
    processes = Processes.conditioned(kernel, flake.z, y, np.stack([np.ones(256), rng.integers(0, 3, 256)]).astype(int))
    columns, grid, pixels = np.array([2, 7]), np.array([[-1.0, 0.5], [0.0, 2.0]]), flake.z[:50]
    curves = processes.curves(pixels, np.full(50, 0.02), columns, grid)
    slopes = processes.slopes(pixels, columns, np.array([1.0, 0.5]))
    for index, (column, step) in enumerate([(2, 1.0), (7, 0.5)]):
        up, down, at = pixels.copy(), pixels.copy(), pixels.copy()
        up[:, column] += step
        down[:, column] -= step
        at[:, column] = grid[index, 1]
        assert np.allclose(slopes[:, index], (processes.predict(up) - processes.predict(down)) / (2 * step), atol=1e-6)
        assert np.allclose(curves[:, index, 1], processes.predict(at).mean(axis=1), atol=1e-6)
    acts = kernel.variance * kernel.rates**2 + kernel.linear + kernel.alone
    assert acts[[2, 5, 7]].min() > 10 * acts[[0, 1, 6, 8]].max()
