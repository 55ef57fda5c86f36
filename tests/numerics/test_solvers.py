"""All solvers find the same minimum of the same objective, and scipy agrees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares as scipy_least_squares

from napari_wse2xai.errors import Cancelled
from napari_wse2xai.numerics import gradient_descent, least_squares, moments
from napari_wse2xai.numerics.problem import Problem, polynomials
from napari_wse2xai.numerics.uncertainty import model

X = np.linspace(183.0, 300.0, 160)
TRUE = np.array([[220.0, 10.0, 300.0], [249.8, 3.8, 2500.0], [259.5, 8.0, 900.0]])
SHAPES = ("lorentzian",) * 3


def problem(penalty: float = 1e-5, degree: int | None = None) -> Problem:
    start = np.array([[220.6, 9.0, 200.0], [250.1, 4.2, 2000.0], [260.0, 9.0, 700.0]])
    lower, upper = start * [1, 0.3, 0] - [8, 0, 0], start * [1, 3, np.inf] + [8, 0, 0]
    return Problem(X, SHAPES, start, start[:, 0].copy(), lower, upper, polynomials(X, degree), penalty)


def spectra(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    parameters = TRUE + rng.normal(0, [0.8, 0.3, 0], (count, 3, 3))
    parameters[..., 2] *= rng.uniform(0.5, 1.5, (count, 3))
    clean = model(X, SHAPES, parameters)
    return (clean + rng.normal(0, np.sqrt(clean + 400))).astype(np.float32)


def objective(task: Problem, counts: np.ndarray, found: np.ndarray) -> np.ndarray:
    penalty = (task.pull(counts) * (found[..., 0] - task.anchor) ** 2).sum(axis=1)
    return (task.without_background(counts - model(X, SHAPES, found)) ** 2).sum(axis=1) + penalty


def scipy_minimum(task: Problem, spectrum: np.ndarray) -> float:
    root_pull = np.sqrt(task.pull(spectrum[None])[0])

    def residual(flat: np.ndarray) -> np.ndarray:
        parameters = flat[: task.start.size].reshape(1, -1, 3)
        difference = spectrum - model(X, SHAPES, parameters)[0] - task.background @ flat[task.start.size :]
        return np.concatenate([difference, root_pull * (parameters[0, :, 0] - task.anchor)])

    extra = np.full(task.background.shape[1], 100.0)
    bounds = (np.append(task.lower, -np.inf * extra), np.append(task.upper, np.inf * extra))
    start, scale = np.append(task.start, 0 * extra), np.append(task.start, extra)
    return 2 * scipy_least_squares(residual, start, bounds=bounds, x_scale=scale, xtol=1e-12, ftol=1e-12).cost


@pytest.mark.parametrize("degree", [None, 0, 1])
def test_levenberg_marquardt_reaches_what_scipy_reaches(degree):
    counts, task = spectra(12) + (0 if degree is None else 60 + 0.3 * X.astype(np.float32)), problem(degree=degree)
    reached = objective(task, counts, least_squares.fit(task, counts, least_squares.Tolerance()))
    best = np.array([scipy_minimum(task, spectrum) for spectrum in counts])
    assert (reached / best - 1).max() < 1e-5


@pytest.mark.parametrize("degree", [None, 0, 1])
def test_moments_reach_the_same_minimum_without_the_channels(degree):
    counts, task = spectra(40), problem(degree=degree)
    assert moments.applies(task)
    channels = least_squares.fit(task, counts, least_squares.Tolerance())
    found = moments.fit(task, counts, moments.Tolerance())
    assert not moments.far(task, found).any()
    assert (objective(task, counts, found) / objective(task, counts, channels) - 1).max() < 5e-4
    assert found[:, 1, 0] == pytest.approx(channels[:, 1, 0], abs=2e-3)


def test_moments_equal_sums_over_the_channels():
    """Every inner product of the normal matrix, against the sum that it stands for."""
    import torch

    task, counts = problem(degree=1), spectra(3)
    centre = X.mean()
    series = moments.Series(X - centre, task.start[:, 0] - centre + 0.5j * task.start[:, 1], "cpu")
    descent = moments.Descent(task, series, "cpu")
    y = task.without_background(counts.astype(float)) / 2500
    now = np.stack([TRUE[:, 2] * TRUE[:, 1] / 5000, TRUE[:, 0] - centre, TRUE[:, 1] / 2], 1)
    empty = torch.empty(0)
    state = moments.State(
        rows=torch.arange(3), now=torch.as_tensor(now, dtype=torch.float32)[..., None].expand(-1, -1, 3),
        moments=series.of(torch.as_tensor(y, dtype=torch.float32)), power=torch.as_tensor((y**2).sum(1), dtype=torch.float32),
        pull=torch.zeros(3, 3), damping=torch.ones(3), normal=empty, downhill=empty, cost=empty,
    )  # fmt: skip
    normal, downhill, cost = (value.numpy() for value in descent.linearise(state, state.now))
    g = 1 / (X - centre - (now[:, 1] + 1j * now[:, 2])[:, None])
    columns = np.stack([g.imag, now[:, :1] * (g**2).imag, now[:, :1] * (g**2).real], 1).reshape(9, -1)
    columns = task.without_background(columns)
    residual = y - task.without_background((now[:, :1] * g.imag).sum(0))
    size = np.sqrt(np.diag(columns @ columns.T))
    assert normal[..., 0] / size[:, None] / size == pytest.approx(columns @ columns.T / size[:, None] / size, abs=2e-5)
    assert downhill / size[:, None] == pytest.approx(columns @ residual.T / size[:, None], abs=2e-5)
    assert cost == pytest.approx((residual**2).sum(1), abs=1e-4)


def test_a_line_far_from_its_start_is_recognised():
    task = problem()
    found = np.repeat(task.start[None], 2, 0)
    found[1, 1, 0] += 12
    assert moments.far(task, found).tolist() == [False, True]


@pytest.mark.parametrize("degree", [None, 1])
def test_radam_reaches_the_same_minimum(degree):
    counts, task = spectra(8), problem(degree=degree)
    best = objective(task, counts, least_squares.fit(task, counts, least_squares.Tolerance()))
    reached = objective(task, counts, gradient_descent.fit(task, counts, gradient_descent.Schedule(1000, 0.05)))
    assert (reached / best - 1).max() < 1e-3


def test_a_strong_penalty_keeps_positions_at_their_expected_places():
    counts = spectra(6)
    task = problem(penalty=10.0)
    for found in (
        least_squares.fit(task, counts, least_squares.Tolerance()),
        gradient_descent.fit(task, counts, gradient_descent.Schedule(600, 0.05)),
    ):
        assert np.abs(found[..., 0] - task.anchor).max() < 0.02


def test_bounds_and_positive_heights_hold_on_pure_noise():
    noise = np.random.default_rng(1).normal(0, 20, (20, len(X))).astype(np.float32)
    task = problem()
    for found in (
        least_squares.fit(task, noise, least_squares.Tolerance()),
        gradient_descent.fit(task, noise, gradient_descent.Schedule(100, 0.05)),
    ):
        assert np.isfinite(found).all()
        assert (found >= task.lower - 1e-9).all()
        assert (found <= task.upper + 1e-9).all()


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(9)))
def test_a_batch_gives_what_each_spectrum_gives_alone(order):
    counts, task = spectra(9), problem()
    whole = least_squares.fit(task, counts, least_squares.Tolerance())
    shuffled = least_squares.fit(task, counts[list(order)], least_squares.Tolerance())
    assert shuffled == pytest.approx(whole[list(order)], rel=1e-6)


@pytest.mark.parametrize("solve", ["radam", "moments", "levenberg"])
def test_cancel_reaches_through(solve):
    def cancel(done: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        if solve == "radam":
            gradient_descent.fit(problem(), spectra(3), gradient_descent.Schedule(100, 0.05), progress=cancel)
        elif solve == "moments":
            moments.fit(problem(), spectra(3), moments.Tolerance(), progress=cancel)
        else:
            least_squares.fit(problem(), spectra(3), least_squares.Tolerance(), progress=cancel)
