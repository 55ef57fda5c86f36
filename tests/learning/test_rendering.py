import numpy as np
import pytest
import torch

from napari_wse2xai.data import Line
from napari_wse2xai.data.line import NUMBER
from napari_wse2xai.learning.rendering import Rendering
from napari_wse2xai.numerics.lineshapes import SHAPES, components

LINES = (Line("E'", "lorentzian", (230.0, 270.0)), Line("2LA", "voigt", (245.0, 290.0)), Line("A", "lorentzian", (380.0, 420.0)))
USUAL = np.array([250.0, 4.0, 1000.0, 260.0, 8.0, 300.0, 400.0, 5.0, 50.0])
SPREAD = np.array([0.1, 0.3, 150.0, 0.2, 0.6, 50.0, 0.1, 0.4, 10.0])


def table(count: int = 60) -> np.ndarray:
    return USUAL + SPREAD * np.random.default_rng(0).normal(size=(count, 9))


@pytest.mark.parametrize("axis", ["local", "window"])
def test_lines_are_those_of_the_line_shapes(axis: str) -> None:
    features = table()
    rendering = Rendering.of(features, LINES, length=40, axis=axis)
    drawn = rendering.draw(torch.as_tensor(features[:5], dtype=torch.float32)).numpy()
    for row, (line, x) in enumerate(zip(LINES, rendering.channels.numpy().astype(np.float64), strict=True)):
        expected = [components(x, (line.shape,), pixel[None, 3 * row : 3 * row + 3])[0] for pixel in features[:5]]
        np.testing.assert_allclose(drawn[:, row], expected, rtol=2e-4, atol=1e-3)
        if axis == "window":
            assert (x[0], x[-1]) == pytest.approx(line.window)
        else:
            assert (x[0] + x[-1]) / 2 == pytest.approx(np.median(features[:, 3 * row]), rel=1e-6)


def test_a_window_too_wide_for_its_line_is_cut() -> None:
    wide = [Line(line.name, line.shape, (100.0, 600.0)) for line in LINES]
    channels = Rendering.of(table(), wide, length=40).channels
    steps = (channels[:, 1] - channels[:, 0]).numpy()
    np.testing.assert_allclose(steps, [3.0, 6.0, 3.75], rtol=0.05)
    assert ((channels[:, 0].numpy() < USUAL[::3]) & (channels[:, -1].numpy() > USUAL[::3])).all()


def test_a_shift_far_below_the_grid_step_reaches_the_row() -> None:
    features = table()
    rendering = Rendering.of(features, LINES, length=40, axis="window")
    step = float(rendering.channels[0, 1] - rendering.channels[0, 0])
    pixels = torch.as_tensor(np.stack([USUAL, USUAL + 0.01 * step * np.eye(9)[0]]), dtype=torch.float32)
    moved = (rendering(pixels)[1] - rendering(pixels)[0])[0]
    slope = SHAPES["lorentzian"].derivatives(rendering.channels[0], 250.0, 4.0, 1000.0)[0] / rendering.scale[0]
    np.testing.assert_allclose(moved.numpy(), (0.01 * step * slope).numpy(), rtol=0.1, atol=2e-4)


def test_gradients_of_all_numbers_are_finite_even_where_a_line_has_no_width() -> None:
    features = torch.as_tensor(np.stack([USUAL, np.where(np.arange(9) % 3 == 1, 0.0, USUAL)]))
    rendering = Rendering.of(table(), LINES, length=40, axis="local")
    inputs = features.float().requires_grad_()
    (slopes,) = torch.autograd.grad(rendering(inputs).square().sum(), inputs)
    assert torch.isfinite(slopes).all()
    assert (slopes[0].abs() > 0).all()


def test_rows_are_of_one_size_and_an_absent_line_is_nothing() -> None:
    features = table()
    features[:, 6:] = 0.0
    rows = Rendering.of(features, LINES, length=40)(torch.as_tensor(features, dtype=torch.float32))
    np.testing.assert_allclose(rows.square().mean((0, 2)).numpy(), [1.0, 1.0, 0.0], atol=1e-4)


def test_any_table_is_drawn_without_lines() -> None:
    features = np.random.default_rng(0).normal(5.0, 2.0, size=(50, 4))
    rendering = Rendering.of(features, None, length=16)
    peak = rendering.channels[torch.arange(4), rendering(torch.as_tensor(features, dtype=torch.float32))[0].argmax(1)]
    np.testing.assert_allclose(peak.numpy(), features[0], atol=0.5)
    away = (rendering.channels.numpy() - features[:5, :, None]) / rendering.width.numpy()
    np.testing.assert_allclose(rendering.draw(torch.as_tensor(features[:5], dtype=torch.float32)), 1 / (1 + 4 * away**2), rtol=1e-4)


def test_a_column_that_is_no_line_s_moves_a_line_of_unit_height_as_wide_as_the_column_spreads() -> None:
    table_of_four = np.column_stack([table()[:, :3], np.random.default_rng(1).normal(7.0, 0.5, 60)])
    rendering = Rendering.of(table_of_four, (LINES[0], Line("strain", NUMBER, (5.0, 9.0))), length=32, axis="local")
    drawn = rendering.draw(torch.as_tensor(table_of_four[:5], dtype=torch.float32)).numpy()[:, 1]
    away = (rendering.channels.numpy()[1] - table_of_four[:5, 3:]) / table_of_four[:, 3].std()
    np.testing.assert_allclose(drawn, 1 / (1 + 4 * away**2), rtol=1e-3)
