"""Lessons: values and slopes of the teacher, at pixels and beside them."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_wse2xai.learning.teaching import MOST_ROWS, SLOPES_EVERY, WEIGHT, Lessons, cloud_about


class Law(nn.Module):
    """``3 x + y^2`` and ``x y``, as a teacher's module."""

    def forward(self, table: torch.Tensor) -> torch.Tensor:
        x, y = table[:, 0], table[:, 1]
        return torch.stack([3 * x + y**2, x * y], 1)


class Teacher:
    module_ = Law()


def test_lessons_are_the_teachers_values_and_slopes_in_standard_deviations() -> None:
    pixels = np.random.default_rng(0).normal([10.0, 2.0, 5.0], [2.0, 0.5, 0.0], (40, 3))
    mean, scale = torch.tensor([30.0, 20.0]), torch.tensor([6.0, 4.0])
    lessons = Lessons.of(Teacher(), pixels, scale, mean, 1)
    x, y = lessons.features[:, 0], lessons.features[:, 1]
    torch.testing.assert_close(lessons.targets, torch.stack([(3 * x + y**2 - 30) / 6, (x * y - 20) / 4], 1), rtol=1e-4, atol=1e-4)
    step = torch.as_tensor(pixels.std(axis=0), dtype=torch.float32)
    torch.testing.assert_close(lessons.slopes[0, :, 1], 2 * y / 6 * step[1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(lessons.slopes[1, :, 0], y / 4 * step[0], rtol=1e-4, atol=1e-4)
    assert (lessons.slopes[:, :, 2] == 0).all(), "a parameter that is the same everywhere teaches nothing"


def test_a_batch_tells_values_and_one_of_some_slopes_too() -> None:
    class Straight(nn.Module):
        def standardised(self, features: torch.Tensor) -> torch.Tensor:
            return features @ torch.tensor([[0.3], [0.0]])

    lessons = Lessons(torch.ones(4, 2), torch.full((4, 1), 0.3), torch.tensor([[[1.0, 2.0]]]).expand(1, 4, 2), torch.tensor([2.0, 1.0]))
    told = [lessons.loss(Straight(), torch.arange(3), nn.functional.mse_loss, batch).item() for batch in range(2 * SLOPES_EVERY)]
    of_slopes = WEIGHT * ((0.3 * 2 - 1) ** 2 + 2.0**2)
    assert told == [pytest.approx(of_slopes if batch % 2 else 0.0, abs=1e-6) for batch in range(4)]


def test_the_cloud_holds_the_pixels_and_lies_about_them() -> None:
    pixels = np.random.default_rng(0).normal(size=(50, 4)) * [1, 10, 100, 0]
    cloud = cloud_about(pixels, np.random.default_rng(1))
    np.testing.assert_array_equal(cloud[:50], pixels)
    assert (cloud[50:].std(axis=0)[:3] > pixels.std(axis=0)[:3]).all() and cloud[:, 3].std() == 0
    many = np.random.default_rng(0).normal(size=(3 * MOST_ROWS, 2))
    cloud = cloud_about(many, np.random.default_rng(1))
    assert (len(cloud), np.isin(cloud[:, 0], many[:, 0]).sum()) == (MOST_ROWS, MOST_ROWS // 2), "half of them pixels"
