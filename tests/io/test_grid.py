"""Placing spectra on the grid of their coordinates."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_wse2xai.errors import DataWarning
from napari_wse2xai.io import grid
from napari_wse2xai.io.grid import find_lines, place


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 15),
    st.integers(1, 15),
    st.floats(0.01, 100),
    st.floats(0.01, 100),
    st.floats(-1e4, 1e4),
    st.integers(0, 2**32 - 1),
)
def test_any_order_of_the_pixels_gives_the_same_map(ny, nx, dy, dx, origin, seed):
    rows, columns = (index.ravel() for index in np.indices((ny, nx)))
    spectra = np.arange(ny * nx, dtype=np.float32)[:, None]
    order = np.random.default_rng(seed).permutation(ny * nx)
    y, x = origin + dy * rows, origin + dx * columns
    cube, frame = place(spectra[order], y[order], x[order], "map")
    np.testing.assert_array_equal(cube[:, :, 0], spectra.reshape(ny, nx))
    np.testing.assert_allclose(frame.y_um, origin + dy * np.arange(ny), rtol=1e-6, atol=1e-4 * dy)
    np.testing.assert_allclose(frame.x_um, origin + dx * np.arange(nx), rtol=1e-6, atol=1e-4 * dx)


@pytest.mark.parametrize("jitter", [0.0, 1e-5, 0.01, 0.1])
def test_a_long_axis_with_jitter_and_holes(jitter):
    rng = np.random.default_rng(0)
    line = np.repeat(np.arange(200), 30)
    kept = rng.random(len(line)) > 0.2
    kept &= (line < 50) | (line > 53)
    lines = find_lines(0.7 * line[kept] + rng.uniform(-jitter, jitter, kept.sum()) * 0.7)
    assert lines is not None
    np.testing.assert_array_equal(lines.index, line[kept])
    assert lines.step == pytest.approx(0.7, rel=1e-3)


def test_a_pixel_measured_twice_keeps_the_last(recwarn):
    y, x = np.array([0.0, 0, 1, 1, 0]), np.array([0.0, 1, 0, 1, 0])
    cube, _ = place(np.arange(5, dtype=np.float32)[:, None], y, x, "map")
    np.testing.assert_array_equal(cube[:, :, 0], [[4, 1], [2, 3]])
    assert "measured twice" in str(recwarn.pop(DataWarning).message)


def test_scattered_points_are_given_up_fast_and_take_no_grid():
    points = np.random.default_rng(0).uniform(0, 1000, (2, 50_000))
    started = time.perf_counter()
    with pytest.warns(DataWarning, match="no rectangular grid"):
        cube, frame = place(np.zeros((50_000, 1), np.float32), *points, "map")
    assert time.perf_counter() - started < 5
    assert cube.shape == (50_000, 1, 1)
    assert frame.shape == (50_000, 1)


def far_off(index, count, share):
    """One damaged coordinate that widens an axis of `count` lines by a share."""
    damaged = index.astype(float)
    damaged[-1] = share * count
    return damaged


@pytest.mark.parametrize(("large", "share", "is_map"), [(2**26, 7.0, True), (1, 7.0, False), (1, 2.5, True), (2**26, 9.0, False)])
def test_a_damaged_coordinate_widens_no_large_map_by_much(monkeypatch, large, share, is_map):
    monkeypatch.setattr(grid, "_LARGE", large)
    rows, columns = (index.ravel() for index in np.indices((30, 40)))
    with pytest.warns(DataWarning, match="missing" if is_map else "no rectangular grid"):
        cube, frame = place(np.ones((1200, 5), np.float32), far_off(rows, 30, share), columns.astype(float), "map")
    assert (frame.shape[1] == 40) is is_map
    assert cube.size <= max(3 if large == 1 else 8, 1) * 1200 * 5


def test_a_large_scan_of_a_triangle_stays_a_map(monkeypatch):
    monkeypatch.setattr(grid, "_LARGE", 1)
    rows, columns = np.tril_indices(40)
    with pytest.warns(DataWarning, match="780 of 1600 pixels"):
        cube, _ = place(np.ones((len(rows), 5), np.float32), 1.0 * rows, 1.0 * columns, "map")
    assert np.array_equal(np.isfinite(cube[:, :, 0]), np.tri(40, dtype=bool))
