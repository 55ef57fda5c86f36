"""Registration of two scans by their outlines: found without help, as sure as it says."""

import numpy as np
import pytest

from napari_wse2xai.data import Frame
from napari_wse2xai.data.transform import corners_um, pixel_coordinates, pixels_um
from napari_wse2xai.numerics import registration
from napari_wse2xai.numerics.coarse_search import Freedom
from napari_wse2xai.numerics.outline import Placing, Scan
from napari_wse2xai.synthetic import FLAKE_SHAPES, Placement
from napari_wse2xai.synthetic.growth import contains, outline_of

RS = Frame((48, 56), (0.5, 0.5))
SEEDS = range(6)


def scan(shape: str, frame: Frame, to_rs: Placing) -> Scan:
    fractions = (pixel_coordinates(RS, to_rs(pixels_um(frame))) + 0.5) / RS.shape
    flake = contains(outline_of(shape), fractions[..., 0], fractions[..., 1])
    light = np.where(flake, 1.0 + fractions[..., 0], np.nan)
    return Scan(flake, light, np.array(frame.step_um), np.array(frame.origin_um))


def pair(shape: str, placement: Placement) -> tuple[Scan, Scan, Placing, np.ndarray]:
    transform, frame = placement.transform(RS), placement.frame(RS)
    truth = Placing(transform.matrix, transform.offset)
    return scan(shape, RS, Placing(np.eye(2), np.zeros(2))), scan(shape, frame, truth), truth, corners_um(frame)


def silent(done: float) -> None:
    assert 0 <= done <= 1


@pytest.fixture(scope="module", params=FLAKE_SHAPES)
def outcomes(request: pytest.FixtureRequest) -> list[tuple[np.ndarray, np.ndarray]]:
    """Error of each corner in RS steps, and in standard errors, for some pairs of another step, shifted, turned, half of them mirrored."""
    found = []
    for seed in SEEDS:
        fixed, moving, truth, corners = pair(request.param, Placement.at_random(seed))
        result = registration.register(fixed, moving, Freedom(), silent)
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
    stretched = Scan(moving.flake, moving.intensity, moving.step * 1.02, moving.origin * 1.02)
    free = registration.register(fixed, stretched, Freedom(scale=True), silent)
    bound = registration.register(fixed, stretched, Freedom(), silent)
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
    same = Scan(fixed.flake[tuple(backwards)], fixed.intensity[tuple(backwards)], np.array(steps), np.array(origin))
    found = registration.register(fixed, same, Freedom(), silent)
    assert found is not None
    np.testing.assert_allclose(found.placing.matrix, np.eye(2), atol=0.01)
    np.testing.assert_allclose(found.placing(corners_um(RS)), corners_um(RS), atol=0.05)
    assert found.overlap > 0.99


def test_light_decides_where_the_outlines_fit_twice() -> None:
    y, x = np.meshgrid(np.arange(40) - 19.5, np.arange(40) - 19.5, indexing="ij")
    disc = np.maximum(abs(y), abs(x)) < 12.3
    light = np.where(disc, 5.0 + np.sin(0.23 * x + 0.6) + 0.1 * y, np.nan)
    fixed = Scan(disc, light, np.ones(2), np.zeros(2))
    mirrored = Scan(disc[:, ::-1], light[:, ::-1], np.ones(2), np.zeros(2))
    found = registration.register(fixed, mirrored, Freedom(max_rotation_deg=10.0), silent)
    assert found is not None
    np.testing.assert_allclose(found.placing.matrix, np.diag([1.0, -1.0]), atol=0.02)


def test_limits_of_shift_and_mirror_are_kept() -> None:
    fixed, moving, truth, _ = pair("star", Placement(1.0, (0.15, 0.15), 0.0, True))
    within = registration.register(fixed, moving, Freedom(max_shift_um=1.0), silent)
    middle = moving.corners.mean(axis=0)
    assert within is None or np.linalg.norm(within.placing(middle) - truth(middle)) > 2.0
    unmirrored = registration.register(fixed, moving, Freedom(mirror=False), silent)
    assert unmirrored is None or np.linalg.det(unmirrored.placing.matrix) > 0


def test_without_an_outline_there_is_no_answer() -> None:
    everywhere = Scan(np.ones((20, 20), dtype=bool), np.ones((20, 20)), np.ones(2), np.zeros(2))
    fixed = scan("star", RS, Placing(np.eye(2), np.zeros(2)))
    assert registration.register(fixed, everywhere, Freedom(), silent) is None
    assert registration.settle(everywhere, fixed, Placing(np.eye(2), np.zeros(2)), scale=False, progress=silent) is None
