import numpy as np
import pytest
import torch
from scipy.special import voigt_profile, wofz

from napari_wse2xai.numerics import lineshapes
from napari_wse2xai.numerics.lineshapes import SHAPES

X = np.linspace(-30, 40, 141)
PARAMETERS = (3.2, 7.5, 11.0, 0.3)
SYMMETRIC = [name for name in SHAPES if SHAPES[name].form is None or "voigt" in name]


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
        assert column == pytest.approx(finite, abs=2e-6 if form < 0.5 else 2e-5)


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


def test_the_mean_over_a_channel_is_that_of_the_closed_forms():
    """A Lorentzian's integral is an arctangent, a Gaussian's an error function: lines of 1.5 to 4 channels, anywhere in a channel."""
    from scipy.special import erf

    x, width = 200 + 0.5 * np.arange(80), np.full(80, 0.5)
    for fwhm, off in ((0.75, 0.0), (1.0, 0.21), (1.36, 0.1), (2.0, 0.25)):
        position, low, high = 220 + off, x - 0.25, x + 0.25
        gamma = fwhm / 2
        lorentzian = gamma * (np.arctan((high - position) / gamma) - np.arctan((low - position) / gamma)) / width
        root = 2 * np.sqrt(np.log(2)) / fwhm
        gaussian = np.sqrt(np.pi) / 2 / root * (erf(root * (high - position)) - erf(root * (low - position))) / width
        for name, exact in (("lorentzian", lorentzian), ("gaussian", gaussian)):
            assert SHAPES[name](x, position, fwhm, 1.0, width=width) == pytest.approx(exact, abs=1.5e-3)


@pytest.mark.parametrize("name", list(SHAPES))
def test_slopes_of_means_over_channels_are_those_of_small_steps(name):
    x, width = 200 + 0.5 * np.arange(80), np.full(80, 0.5)
    at = np.array([220.1, 1.4, 50.0, 0.4])[: 4 if SHAPES[name].form else 3]
    for i, slope in enumerate(SHAPES[name].slopes(x, width, *at)):
        step = np.where(np.arange(len(at)) == i, 1e-5, 0.0)
        small = (SHAPES[name](x, *(at + step), width=width) - SHAPES[name](x, *(at - step), width=width)) / 2e-5
        assert slope == pytest.approx(small, abs=1e-4 * np.abs(small).max())
