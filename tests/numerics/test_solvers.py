"""All solvers find the same minimum of the same objective, and scipy agrees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares as scipy_least_squares

from napari_wse2xai.errors import Cancelled
from napari_wse2xai.numerics import gradient_descent, least_squares, moments
from napari_wse2xai.numerics.elimination import FEW, Factor
from napari_wse2xai.numerics.empty import empty, heights_alone
from napari_wse2xai.numerics.learned_start import LearnedStart, enough
from napari_wse2xai.numerics.lineshapes import SHAPES as LINE_SHAPES
from napari_wse2xai.numerics.moment_descent import Descent
from napari_wse2xai.numerics.problem import Problem, Tie
from napari_wse2xai.numerics.uncertainty import assess, model
from napari_wse2xai.stages.solvers import AutomaticSolver

X = np.linspace(183.0, 300.0, 160)
TRUE = np.array([[220.0, 10.0, 300.0, 0.0], [249.8, 3.8, 2500.0, 0.0], [259.5, 8.0, 900.0, 0.0]])
SHAPES = ("lorentzian",) * 3


def problem(penalty: float = 1e-5, degree: int | None = None, shapes: tuple[str, ...] = SHAPES, **more: object) -> Problem:
    start = np.array([[220.6, 9.0, 200.0, 0.3], [250.1, 4.2, 2000.0, 0.3], [260.0, 9.0, 700.0, 0.3]])
    start[:, 3] = [0.3 if LINE_SHAPES[shape].form else 0.0 for shape in shapes]
    lower, upper = start * [1, 0.3, 0, 0] - [8, 0, 0, 0], start * [1, 3, np.inf, 0] + [8, 0, 0, 1]
    return Problem(X, shapes, start, start[:, 0].copy(), lower, upper, degree, penalty, **more)


def spectra(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    parameters = TRUE + rng.normal(0, [0.8, 0.3, 0, 0], (count, 3, 4))
    parameters[..., 2] *= rng.uniform(0.5, 1.5, (count, 3))
    clean = model(X, SHAPES, parameters)
    return (clean + rng.normal(0, np.sqrt(clean + 400))).astype(np.float32)


def objective(task: Problem, counts: np.ndarray, found: np.ndarray) -> np.ndarray:
    penalty = (task.pull(counts) * (found[..., 0] - task.anchor) ** 2).sum(axis=1)
    return (task.without_background((counts - model(X, task.shapes, found)) * task.root) ** 2).sum(axis=1) + penalty


def scipy_minimum(task: Problem, spectrum: np.ndarray) -> float:
    """Least squares of scipy over the fitted parameters and the background's coefficients."""
    root_pull, count = np.sqrt(task.pull(spectrum[None])[0]), len(task.leaders)

    def residual(flat: np.ndarray) -> np.ndarray:
        everything = task.complete(flat[None, :count])
        difference = (spectrum - model(X, task.shapes, everything)[0]) * task.root - task.background @ flat[count:]
        return np.concatenate([difference, root_pull * (everything[0, :, 0] - task.anchor)])

    extra = np.full(task.background.shape[1], 100.0)
    bounds = (np.append(task.fitted(task.lower), -np.inf * extra), np.append(task.fitted(task.upper), np.inf * extra))
    start, scale = np.append(task.fitted(task.start), 0 * extra), np.append(np.maximum(task.fitted(task.start), 0.1), extra)
    return 2 * scipy_least_squares(residual, start, bounds=bounds, x_scale=scale, xtol=1e-12, ftol=1e-12).cost


WEIGHTS = 1 / (400 + model(X, SHAPES, TRUE[None])[0])
VARIANTS = {
    "plain": {},
    "weighted": {"weights": WEIGHTS / WEIGHTS.mean(), "degree": 1},
    "equal widths": {"ties": (Tie((2, 1), (0, 1)),), "degree": 1},
    "fixed distance": {"ties": (Tie((2, 0), (1, 0), 1.0, 9.7),)},
    "fixed width": {"fixed": frozenset({(1, 1)})},
    "height ratio": {"ties": (Tie((2, 2), (1, 2), 0.36),)},
    "voigt": {"shapes": ("lorentzian", "voigt", "lorentzian")},
    "pseudo-voigt": {"shapes": ("gaussian", "pseudo-voigt", "lorentzian"), "degree": 0},
    "fano": {"shapes": ("lorentzian", "fano", "lorentzian")},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_kind_of_problem_is_solved_as_scipy_solves_it(variant):
    counts, task = spectra(5), problem(**VARIANTS[variant])
    best = np.array([scipy_minimum(task, spectrum) for spectrum in counts])
    solvers = [least_squares.fit(task, counts, least_squares.Tolerance())]
    if moments.applies(task):
        solvers.append(moments.fit(task, counts, moments.MomentTolerance())[0])
    for found in solvers:
        assert (objective(task, counts, found) / best - 1).max() < 1e-3
        assert task.complete(task.fitted(found)) == pytest.approx(found, rel=1e-5, abs=1e-4)  # ties hold, what is fixed stays


@pytest.mark.parametrize("degree", [None, 1])
def test_a_peak_of_which_only_the_height_is_fitted_has_any_shape_at_no_cost(degree):
    """A Gaussian of known place and width is solved for with the background: as low as scipy, none negative."""
    task = problem(shapes=("lorentzian", "lorentzian", "gaussian"), degree=degree, fixed=frozenset({(2, 0), (2, 1)}))
    assert task.of_height_alone == [2]
    assert moments.applies(task.without_shapes([2]))
    counts = spectra(12)
    counts[6:] -= 1.2 * LINE_SHAPES["lorentzian"](X, 259.5, 8.0, 900.0).astype(np.float32)
    found = AutomaticSolver().solve(task, counts, lambda done: None)
    assert (found[:6, 2, 2] > 100).all()
    assert (found[..., 2] >= 0).all()
    best = np.array([scipy_minimum(task, spectrum) for spectrum in counts])
    assert (objective(task, counts, found) / best - 1).max() < 1e-3


def test_moments_know_what_they_can_do():
    can = {name for name, more in VARIANTS.items() if moments.applies(problem(**more))}
    assert can == {"plain", "weighted", "equal widths", "fixed distance", "fixed width"}


@pytest.mark.parametrize("variant", ["plain", "equal widths", "fano"])
def test_radam_solves_them_too(variant):
    counts, task = spectra(4), problem(**VARIANTS[variant])
    best = objective(task, counts, least_squares.fit(task, counts, least_squares.Tolerance()))
    reached = objective(task, counts, gradient_descent.fit(task, counts, gradient_descent.Schedule(1500, 0.03)))
    assert (reached / best - 1).max() < 5e-3


@pytest.mark.parametrize("variant", ["plain", "weighted", "equal widths", "fixed distance"])
def test_errors_are_what_the_noise_makes_of_repeated_fits(variant):
    """Pull of every parameter over 400 noises of the same spectrum: mean near 0, width near 1."""
    rng, truth = np.random.default_rng(7), TRUE.copy()
    truth[2, 1] = truth[0, 1] if variant == "equal widths" else truth[2, 1]
    clean = model(X, SHAPES, truth[None])[0]
    counts = (clean + rng.normal(0, np.sqrt(clean + 400), (400, len(X)))).astype(np.float32)
    task = problem(**VARIANTS[variant])
    found = least_squares.fit(task, counts, least_squares.Tolerance())
    quality = assess(task, counts, found, np.ones(found.shape, dtype=bool))
    pull = ((found - truth) / quality.error)[..., :3].reshape(400, -1)
    assert np.abs(pull.mean(axis=0)).max() < 0.25
    assert np.abs(pull.std(axis=0) - 1).max() < 0.15
    assert np.median(quality.chi2 / quality.freedom) == pytest.approx(1, abs=0.05)
    assert (quality.distance < 0.01).all()


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
    found, far = moments.fit(task, counts, moments.MomentTolerance())
    assert not far.any()
    assert (objective(task, counts, found) / objective(task, counts, channels) - 1).max() < 5e-4
    assert found[:, 1, 0] == pytest.approx(channels[:, 1, 0], abs=2e-3)


@pytest.mark.parametrize("variant", ["plain", "weighted", "fixed distance"])
def test_a_map_that_learns_its_starts_ends_where_each_spectrum_ends(variant):
    counts, task = spectra(4 * enough(9) + 7), problem(**VARIANTS[variant])
    counts[5], counts[100:110] = 0, np.random.default_rng(3).normal(0, 20, (10, len(X)))  # nothing there, or noise alone
    found, far = moments.fit(task, counts, moments.MomentTolerance())
    some = np.r_[0:5, 6:100, 110:300]
    best = objective(task, counts[some], least_squares.fit(task, counts[some], least_squares.Tolerance()))
    assert (objective(task, counts[some], found[some]) / best - 1).max() < 5e-4
    assert task.complete(task.fitted(found)) == pytest.approx(found, rel=1e-5, abs=1e-4)
    assert not far[some].any()
    assert np.isfinite(found).all()


@pytest.mark.parametrize("width", [None, np.array([0.0, 0.7, 1.5])], ids=["as they are", "averaged over channels"])
def test_moments_equal_sums_over_the_channels(width):
    """Every inner product of the normal matrix, against the sum that it stands for."""
    import torch

    task, counts = problem(degree=1, width=width), spectra(3)
    centre = X.mean()
    descent = Descent(task, task.start, "cpu")
    state = descent.begin(counts, np.arange(3))
    now = np.stack([TRUE[:, 2] * TRUE[:, 1] / 5000, TRUE[:, 0] - centre, TRUE[:, 1] / 2])
    state.now = torch.as_tensor(now, dtype=torch.float32)[..., None].expand(-1, -1, 3)
    slope = descent.look(state, state.now)
    normal = descent.normal(state, slope)[..., 0].numpy() / 2
    fine = (np.arange(-500, 501) / 1001)[:, None, None] * (np.zeros(3) if width is None else width)[:, None]
    fine = 1 / (X + fine - centre - (now[1] + 1j * now[2])[:, None])
    g, square = fine.mean(axis=0), (fine**2).mean(axis=0)
    columns = task.without_background(np.concatenate([g.imag, square.imag, square.real]))
    y = task.without_background(counts.astype(float)) / state.scale.numpy()[:, None]
    residual = y - task.without_background((now[0][:, None] * g.imag).sum(0))
    size = np.sqrt(np.diag(columns @ columns.T))
    pull = task.pull(counts)[0] / float(state.scale[0]) ** 2 / now[0] ** 2
    expected = columns @ columns.T + np.diag(np.r_[np.zeros(3), pull, np.zeros(3)])
    assert np.tril(normal / size[:, None] / size) == pytest.approx(
        np.tril(expected / size[:, None] / size), abs=2e-5 if width is None else 1e-4
    )
    away = task.pull(counts) / state.scale.numpy()[:, None] ** 2 * (TRUE[:, 0] - task.anchor)
    downhill = columns @ residual.T
    downhill[3:6] -= (away / now[0]).T
    assert slope.downhill.numpy().reshape(9, 3) / size[:, None] == pytest.approx(downhill / size[:, None], abs=2e-5)
    cost = (residual**2).sum(1) + (away * (TRUE[:, 0] - task.anchor)).sum(1)
    assert slope.cost.numpy() == pytest.approx(cost, abs=1e-4)


@pytest.mark.parametrize("count", [7, 2 * FEW])
def test_elimination_solves_every_system(count):
    import torch

    rng = np.random.default_rng(2)
    roots = rng.normal(size=(count, 5, 12))
    systems, right = roots @ roots.transpose(0, 2, 1), rng.normal(size=(count, 5))
    lower = np.tril(systems).transpose(1, 2, 0).copy()  # the upper triangle is never read
    found = Factor(torch.as_tensor(lower)).solve(torch.as_tensor(right.T.copy())).numpy()
    assert found == pytest.approx(np.linalg.solve(systems, right[..., None])[..., 0].T)


def test_starts_are_learned_from_what_is_quadratic():
    import torch

    rng = np.random.default_rng(4)
    features = torch.as_tensor(rng.normal(size=(3, 500)) * [[1.0], [5.0], [0.1]] + 2, dtype=torch.float32)
    truth = torch.stack([features[0] * features[1] + 7, features[2] - features[0] ** 2])
    learned = LearnedStart(features[:, :400], truth[:, :400])
    assert learned.predict(features[:, 400:]).numpy() == pytest.approx(truth[:, 400:].numpy(), abs=0.01)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_map_of_equal_spectra_is_fitted_like_one_of_them():
    task, counts = problem(degree=1), np.repeat(spectra(1), 2 * 4 * enough(9), axis=0)
    found, _ = moments.fit(task, counts, moments.MomentTolerance())
    alone = least_squares.fit(task, counts[:1], least_squares.Tolerance())
    assert np.ptp(found, axis=0).max() < 1e-3 * found[0].max()
    assert objective(task, counts[:1], found[:1]) == pytest.approx(objective(task, counts[:1], alone), rel=1e-4)


def test_a_leader_keeps_its_bound_where_a_width_that_follows_is_the_larger_one():
    """The last line may be no narrower than 8.8 (it is 8), and the first line is 1.4 times as wide as it."""
    task, counts = problem(ties=(Tie((0, 1), (2, 1), 1.4),), degree=1), spectra(70)
    task.lower[2, 1] = 8.8
    found, _ = moments.fit(task, counts, moments.MomentTolerance())
    assert (found[:, 2, 1] >= 8.8 - 1e-4).all()
    assert found[:, 0, 1] == pytest.approx(1.4 * found[:, 2, 1], rel=1e-5)
    best = np.array([scipy_minimum(task, spectrum) for spectrum in counts[:5]])
    assert (objective(task, counts[:5], found[:5]) / best - 1).max() < 1e-3


def test_a_line_far_from_its_start_is_recognised():
    task = problem(penalty=0.0)
    moved = np.repeat(TRUE[None], 2, 0)
    moved[1, 1, 0] += 6
    counts = model(X, SHAPES, moved) + np.random.default_rng(0).normal(0, 5, (2, len(X)))
    _, far = moments.fit(task, counts.astype(np.float32), moments.MomentTolerance())
    assert far.tolist() == [False, True]


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
            moments.fit(problem(), spectra(3), moments.MomentTolerance(), progress=cancel)
        else:
            least_squares.fit(problem(), spectra(3), least_squares.Tolerance(), progress=cancel)


def test_memory_that_was_never_written_does_not_matter(monkeypatch):
    import torch

    fresh = torch.Tensor.new_empty
    monkeypatch.setattr(torch.Tensor, "new_empty", lambda *size, **options: fresh(*size, **options).fill_(float("nan")))
    counts, task = spectra(5), problem(**VARIANTS["fixed distance"])
    found, _ = moments.fit(task, counts, moments.MomentTolerance())
    assert np.isfinite(found).all()


def test_spectra_that_show_nothing_are_told_in_one_pass_and_lines_are_not_among_them():
    rng = np.random.default_rng(4)
    task, level = problem(degree=1), 100 + 0.5 * (X - 240)
    nothing = (level + rng.normal(0, 20, (500, len(X)))).astype(np.float32)
    assert empty(task, nothing).mean() > 0.96
    places = rng.choice(task.start[:, 0], (500, 1)) + rng.uniform(-8, 8, (500, 1))  # wherever the peaks may be
    for width, height in ((3.0, 75.0), (10.0, 45.0)):  # seven errors high each, if width and place are known
        line = LINE_SHAPES["lorentzian"](X, places, width, height)
        assert empty(task, (nothing + line).astype(np.float32)).mean() < 0.05


def test_heights_alone_are_those_of_linear_least_squares_without_negative_ones():
    from scipy.optimize import nnls

    task, counts = problem(degree=1), np.random.default_rng(5).normal(50, 20, (30, len(X))).astype(np.float32)
    found = heights_alone(task, counts)
    assert (found[..., [0, 1]] == task.start[:, [0, 1]]).all()
    profiles = task.without_background(np.array([LINE_SHAPES["lorentzian"](X, *row[:2], 1.0) for row in task.start]))
    for spectrum, own in zip(task.without_background(counts.astype(float)), found, strict=True):
        assert own[:, 2] == pytest.approx(nnls(profiles.T, spectrum)[0], abs=0.05)
