import numpy as np
import pytest
import torch
from scipy.special import voigt_profile, wofz

from napari_wse2xai.numerics import lineshapes
from napari_wse2xai.numerics.lineshapes import SHAPES

X = np.linspace(-30, 40, 141)
PARAMETERS = (3.2, 7.5, 11.0, 0.3)
SYMMETRIC = [name for name in SHAPES if name != "fano"]


@pytest.mark.parametrize("shape", SYMMETRIC)
def test_height_at_the_centre_and_half_of_it_at_half_width(shape):
    position, fwhm, height, _ = PARAMETERS
    values = SHAPES[shape](np.array([position, position + fwhm / 2, position - fwhm / 2]), *PARAMETERS)
    assert values == pytest.approx([height, height / 2, height / 2], rel=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", [0.02, 0.3, 0.8])
def test_derivatives_agree_with_finite_differences(shape, form):
    parameters = np.array([*PARAMETERS[:3], form])
    analytic = SHAPES[shape].derivatives(X, *parameters)
    assert len(analytic) == (3 if SHAPES[shape].form is None else 4)
    for i, column in enumerate(analytic):
        step = np.zeros(4)
        step[i] = 1e-5
        finite = (SHAPES[shape](X, *(parameters + step)) - SHAPES[shape](X, *(parameters - step))) / 2e-5
        assert column == pytest.approx(finite, abs=2e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_numpy_and_torch_agree(shape):
    numbers = [torch.tensor(v, dtype=torch.float64) for v in PARAMETERS]
    assert SHAPES[shape](torch.as_tensor(X), *numbers).numpy() == pytest.approx(SHAPES[shape](X, *PARAMETERS))


@pytest.mark.parametrize("form", [0.0, 0.2, 0.7, 0.99])
def test_voigt_is_scipys(form):
    fwhm = 6.0
    gauss = fwhm * np.sqrt((1 - 0.5346 * form) ** 2 - 0.2166 * form**2 + 1e-5)
    expected = voigt_profile(X, gauss / np.sqrt(8 * np.log(2)), form * fwhm / 2)
    expected /= voigt_profile(0.0, gauss / np.sqrt(8 * np.log(2)), form * fwhm / 2)
    assert SHAPES["voigt"](X, 0.0, fwhm, 1.0, form) == pytest.approx(expected, abs=1e-9)


def test_faddeeva_is_scipys():
    z = np.linspace(-8, 8, 65)[:, None] + 1j * np.array([0.0, 0.01, 0.5, 3.0])
    assert lineshapes._faddeeva(z) == pytest.approx(wofz(z), abs=1e-11)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", [0.0, 0.4])
def test_area_is_the_integral(shape, form):
    x = np.linspace(-40_000, 40_000, 2_000_001)
    _, fwhm, height, _ = PARAMETERS
    curve = SHAPES[shape](x, 0.0, fwhm, height, form)
    if shape == "fano":
        curve = curve - height * form**2
    assert np.trapezoid(curve, x) == pytest.approx(float(SHAPES[shape].area(form)) * fwhm * height, rel=2e-3)


def test_a_fano_line_without_interference_is_a_lorentzian():
    assert SHAPES["fano"](X, *PARAMETERS[:3], 0.0) == pytest.approx(SHAPES["lorentzian"](X, *PARAMETERS[:3]))
