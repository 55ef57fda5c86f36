import numpy as np
import pytest
import torch

from napari_wse2xai.numerics.lineshapes import DERIVATIVES, SHAPES

X = np.linspace(-30, 40, 141)
PARAMETERS = (3.2, 7.5, 11.0)


@pytest.mark.parametrize("shape", SHAPES)
def test_height_at_the_centre_and_half_of_it_at_half_width(shape):
    position, fwhm, height = PARAMETERS
    values = SHAPES[shape](np.array([position, position + fwhm / 2, position - fwhm / 2]), *PARAMETERS)
    assert values == pytest.approx([height, height / 2, height / 2])


@pytest.mark.parametrize("shape", SHAPES)
def test_derivatives_agree_with_finite_differences(shape):
    for i, analytic in enumerate(DERIVATIVES[shape](X, *PARAMETERS)):
        step = np.zeros(3)
        step[i] = 1e-5
        finite = (SHAPES[shape](X, *(PARAMETERS + step)) - SHAPES[shape](X, *(PARAMETERS - step))) / 2e-5
        assert analytic == pytest.approx(finite, abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_numpy_and_torch_agree(shape):
    assert SHAPES[shape](torch.as_tensor(X), *PARAMETERS).numpy() == pytest.approx(SHAPES[shape](X, *PARAMETERS))


def test_every_shape_has_its_derivatives():
    assert SHAPES.keys() == DERIVATIVES.keys()
