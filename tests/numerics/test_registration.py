"""Registration of two scans by their outlines: found without help, as sure as it says."""

import numpy as np
import pytest

from napari_wse2xai.data import Frame
from napari_wse2xai.data.transform import corners_um, pixel_coordinates, pixels_um
from napari_wse2xai.numerics import registration, rivals
from napari_wse2xai.numerics.coarse_search import Freedom
from napari_wse2xai.numerics.outline import Placing, Scan
from napari_wse2xai.synthetic import FLAKE_SHAPES, Placement
from napari_wse2xai.synthetic.growth import contains, outline_of

RS = Frame((48, 56), (0.5, 0.5))
SEEDS = range(4)


def scan(shape: str, frame: Frame, to_rs: Placing) -> Scan:
    fractions = (pixel_coordinates(RS, to_rs(pixels_um(frame))) + 0.5) / RS.shape
    flake = contains(outline_of(shape), fractions[..., 0], fractions[..., 1])
    return Scan(flake, np.array(frame.step_um), np.array(frame.origin_um))


def pair(shape: str, placement: Placement) -> tuple[Scan, Scan, Placing, np.ndarray]:
    transform, frame = placement.transform(RS), placement.frame(RS)
    truth = Placing(transform.matrix, transform.offset)
    return scan(shape, RS, Placing(np.eye(2), np.zeros(2))), scan(shape, frame, truth), truth, corners_um(frame)


def silent(done: float) -> None:
    assert 0 <= done <= 1


def register(fixed: Scan, moving: Scan, freedom: Freedom) -> registration.Found | None:
    """The best placing, settled: what the Pair stage does."""
    fits = rivals.search(fixed, moving, freedom, silent)
    free = registration.SCALE if freedom.scale else registration.TURN
    return registration.settle(fixed, moving, fits[0].placing, free=free, progress=silent) if fits else None


@pytest.fixture(autouse=True)
def repeats() -> None:
    """As many as the user's: what is tested here is the error."""


@pytest.fixture(scope="module", params=FLAKE_SHAPES)
def outcomes(request: pytest.FixtureRequest) -> list[tuple[np.ndarray, np.ndarray]]:
    """Error of each corner in RS steps, and in standard errors, for some pairs of another step, shifted, turned, half of them mirrored."""
    found = []
    for seed in SEEDS:
        fixed, moving, truth, corners = pair(request.param, Placement.at_random(seed))
        result = register(fixed, moving, Freedom())
        assert result is not None
        off = result.placing(corners) - truth(corners)
        found.append((np.linalg.norm(off, axis=1) / 0.5, off / result.error_um(corners)))
    return found


def test_scans_are_placed_without_help(outcomes) -> None:
    steps = np.array([np.mean(steps) for steps, _ in outcomes])
    assert np.median(steps) < 0.15
    assert steps.max() < 0.7


def test_the_error_is_neither_boast_nor_excuse(outcomes) -> None:
    in_errors = np.array([errors for _, errors in outcomes])
    assert 0.45 < np.mean(np.abs(in_errors) < 1) < 0.95  # few pairs here; benchmarks/pairing.py counts two hundred
    assert 0.5 < np.sqrt(np.mean(in_errors**2)) < 1.7


def test_a_wrong_scale_is_found_where_it_is_looked_for() -> None:
    fixed, moving, truth, corners = pair("star", Placement(1.1, (0.05, -0.1), 8.0, True))
    stretched = Scan(moving.flake, moving.step * 1.02, moving.origin * 1.02)
    free = register(fixed, stretched, Freedom(scale=True))
    bound = register(fixed, stretched, Freedom())
    assert free is not None
    assert bound is not None
    assert np.sqrt(abs(np.linalg.det(free.placing.matrix))) == pytest.approx(1 / 1.02, abs=0.006)
    assert free.residual_um < 0.8 * bound.residual_um
    assert np.abs(free.placing(corners * 1.02) - truth(corners)).max() < 0.3


@pytest.mark.parametrize("steps", [(-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)])
def test_a_stage_that_runs_backwards_is_no_mirror(steps: tuple[float, float]) -> None:
    fixed = scan("triangle", RS, Placing(np.eye(2), np.zeros(2)))
    backwards = [slice(None, None, int(np.sign(step))) for step in steps]
    origin = [0.0 if step > 0 else 0.5 * (n - 1) for step, n in zip(steps, RS.shape, strict=True)]
    same = Scan(fixed.flake[tuple(backwards)], np.array(steps), np.array(origin))
    found = register(fixed, same, Freedom())
    assert found is not None
    np.testing.assert_allclose(found.placing.matrix, np.eye(2), atol=0.01)
    np.testing.assert_allclose(found.placing(corners_um(RS)), corners_um(RS), atol=0.05)
    assert found.overlap > 0.99


@pytest.mark.parametrize("limit", [5.0, 12.0])
def test_the_refined_placing_keeps_to_the_largest_turn(limit: float) -> None:
    fixed, moving, _, _ = pair("star", Placement(1.1, (0.05, -0.1), 17.3))
    for fit in rivals.search(fixed, moving, Freedom(mirror=False, max_rotation_deg=limit), silent):
        matrix = fit.placing.matrix
        assert abs(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))) <= limit + 1e-9


def test_a_square_fits_in_eight_ways_and_none_is_the_best() -> None:
    y, x = np.meshgrid(np.arange(38) - 18.5, np.arange(40) - 19.5, indexing="ij")
    square = Scan(np.maximum(abs(y), abs(x)) < 12.3, np.ones(2), np.zeros(2))
    fits = rivals.as_good(rivals.search(square, square, Freedom(), silent))
    turns = sorted(
        {(fit.mirrored, round(np.degrees(np.arctan2(fit.placing.matrix[1, 0], fit.placing.matrix[0, 0]))) % 360) for fit in fits}
    )
    assert turns == [(mirrored, turn) for mirrored in (False, True) for turn in (0, 90, 180, 270)]


def test_one_straight_edge_leaves_open_where_along_it() -> None:
    y, x = np.meshgrid(np.arange(40.0), np.arange(52.0), indexing="ij")
    edge = Scan(y + 0.3 * x > 24.2, np.ones(2), np.zeros(2))
    best, *others = rivals.as_good(rivals.search(edge, edge, Freedom(mirror=False, max_rotation_deg=10.0), silent))
    shifts = [fit.placing(edge.middle) - best.placing(edge.middle) for fit in others]
    along = np.array([-0.3, 1.0]) / np.hypot(0.3, 1.0)
    assert any(abs(shift @ along) > 3 for shift in shifts)


def test_limits_of_shift_and_mirror_are_kept() -> None:
    fixed, moving, truth, _ = pair("star", Placement(1.0, (0.15, 0.15), 0.0, True))
    within = register(fixed, moving, Freedom(max_shift_um=1.0))
    middle = moving.corners.mean(axis=0)
    assert within is None or np.linalg.norm(within.placing(middle) - truth(middle)) > 2.0
    unmirrored = register(fixed, moving, Freedom(mirror=False))
    assert unmirrored is None or np.linalg.det(unmirrored.placing.matrix) > 0


def test_without_an_outline_there_is_no_answer() -> None:
    everywhere = Scan(np.ones((20, 20), dtype=bool), np.ones(2), np.zeros(2))
    fixed = scan("star", RS, Placing(np.eye(2), np.zeros(2)))
    assert register(fixed, everywhere, Freedom()) is None
    assert registration.settle(everywhere, fixed, Placing(np.eye(2), np.zeros(2)), free=registration.TURN, progress=silent) is None
