"""Asymmetric shapes and shapes that a user writes: against formulas written out here, finite differences and numerical integrals."""

import numpy as np
import pytest
import torch

from napari_wse2xai import Computed, Deconvolve, Peak, SpectralMap, compute
from napari_wse2xai.data import AxisKind, Line
from napari_wse2xai.learning.rendering import Rendering
from napari_wse2xai.numerics.lineshapes import SHAPES

X = np.linspace(-80.0, 120.0, 40001)
LN2 = np.log(2.0)
POSITION, FWHM, HEIGHT, FORM = 20.0, 6.0, 50.0, 0.35
MIXTURE = "= form/(1 + 4*u^2) + (1 - form)*exp(-4*log(2)*u**2)"


def halves(kind: str) -> np.ndarray:
    width = np.where(X > POSITION, FWHM * (1 + FORM), FWHM * (1 - FORM))
    u = (X - POSITION) / width
    return HEIGHT * (np.exp(-4 * LN2 * u**2) if kind == "gaussian" else 1 / (1 + 4 * u**2))


ORACLES = {
    "asymmetric gaussian": halves("gaussian"),
    "asymmetric lorentzian": halves("lorentzian"),
    "= 1/cosh(u)": HEIGHT / np.cosh(2 * np.arccosh(2.0) * (X - POSITION) / FWHM),
    "= 7/cosh(3*u - 2)**2": HEIGHT / np.cosh(2 * np.arccosh(np.sqrt(2.0)) * (X - POSITION) / FWHM) ** 2,
    MIXTURE: SHAPES["pseudo-voigt"].value(X, POSITION, FWHM, HEIGHT, FORM),
}


@pytest.mark.parametrize("shape", [*ORACLES, "= exp(-u**2) * (1 + erf(0.7*u))"])
def test_value_derivatives_and_area(shape: str) -> None:
    which = SHAPES[shape]
    form = (FORM,) if which.form else ()
    parameters = np.array([POSITION, FWHM, HEIGHT, *form])
    values = which(X, *parameters)
    if shape in ORACLES:
        np.testing.assert_allclose(values, ORACLES[shape], atol=2e-3 * HEIGHT if shape.startswith("=") else 1e-9)
    if not form or not shape.startswith("="):  # one's own with a form has the FWHM at the usual form
        above = X[values > 0.5 * values.max()]
        assert above[-1] - above[0] == pytest.approx(FWHM, abs=0.02)
    assert values.max() == pytest.approx(HEIGHT, rel=2e-3)
    for k, slope in enumerate(which.derivatives(X, *parameters)):
        step = np.eye(len(parameters))[k] * 1e-5 * max(abs(parameters[k]), 1)
        difference = (which(X, *(parameters + step)) - which(X, *(parameters - step))) / (2 * step[k])
        there = np.abs(X - POSITION) > 0.02
        np.testing.assert_allclose(np.broadcast_to(slope, X.shape)[there], difference[there], atol=2e-4 * np.abs(difference).max())
    tail = 2 * HEIGHT * FWHM**2 / 4 / 100 if "lorentzian" in shape else 0.0
    tail *= (1 + FORM**2) if tail else 1.0
    if "1 + 4*u^2" not in shape:
        assert which.area(*(form or (0.0,))) * HEIGHT * FWHM == pytest.approx(np.trapezoid(values, X) + tail, rel=2e-3)


@pytest.mark.parametrize("formula", ["1/cosh(u)", "exp(u)/(1 + exp(u))^2", "1/(1 + exp(abs(u)))", "1/cosh(u)^form"])
def test_a_formula_that_overflows_far_out_is_nought_there(formula: str) -> None:
    x = torch.linspace(0, 2000, 801)  # as narrow a line in so wide a window: float32 holds no cosh(90)
    position = torch.tensor(100.0, requires_grad=True)
    shape = SHAPES[f"= {formula}"]
    drawn = shape.value(x, position, 5.0, 1.0, 0.8)
    drawn.sum().backward()
    assert float(drawn[x > 1500].detach().abs().max()) < 1e-9
    for slope in (position.grad, *shape.derivatives(x, position.detach(), 5.0, 1.0, 0.8)):
        assert torch.isfinite(slope).all()
    near = np.abs(x.numpy() - 100) < 50
    expected = shape.value(x.double().numpy(), 100.0, 5.0, 1.0, 0.8)
    np.testing.assert_allclose(drawn.detach().numpy()[near], expected[near], atol=1e-5)


def test_a_mixture_has_the_area_of_a_pseudo_voigt() -> None:
    forms = np.array([0.0, 0.3, 1.0])
    np.testing.assert_allclose(SHAPES[MIXTURE].area(forms), SHAPES["pseudo-voigt"].area(forms), rtol=1e-3)


@pytest.mark.parametrize("shape", ORACLES)
def test_torch_draws_the_same_with_gradients(shape: str) -> None:
    own = SHAPES[shape].form is not None
    row = np.array([[POSITION, FWHM, HEIGHT, *([FORM] if own else [])]])
    rendering = Rendering.of(np.repeat(row, 4, axis=0), [Line("A", shape, (0.0, 40.0), own_form=own)], length=64)
    inputs = torch.as_tensor(row, dtype=torch.float32).requires_grad_()
    drawn = rendering.draw(inputs)
    x = rendering.channels[0].double().numpy()
    np.testing.assert_allclose(drawn[0, 0].detach().numpy(), np.interp(x, X, ORACLES[shape]), atol=3e-3 * HEIGHT)
    (slopes,) = torch.autograd.grad((drawn * torch.linspace(0, 1, 64)).sum(), inputs)
    assert torch.isfinite(slopes).all()
    assert (slopes != 0).all()


def made(truth: np.ndarray, noise: float) -> SpectralMap:
    x = np.arange(200.0, 300.0, 0.7)
    counts = truth + 10 + noise * np.random.default_rng(0).normal(size=(17, 25, len(x)))
    return SpectralMap.from_arrays(counts.astype(np.float32), x, AxisKind.RAMAN_SHIFT)


@pytest.mark.parametrize("shape", ["asymmetric gaussian", "asymmetric lorentzian", "own"])
def test_a_fit_finds_the_truth_with_errors_that_are_the_scatter(shape: str) -> None:
    x = np.arange(200.0, 300.0, 0.7)
    if shape == "own":
        truth = 700 / np.cosh(2 * np.arccosh(2.0) * (x - 250.4) / 8.5)
    else:
        u = (x - 250.4) / np.where(x > 250.4, 8.5 * 1.3, 8.5 * 0.7)
        truth = 700 * (np.exp(-4 * LN2 * u**2) if "gaussian" in shape else 1 / (1 + 4 * u**2))
    line = Peak(name="A", shape=shape, formula="1/cosh(u)" if shape == "own" else "", position=250, fwhm=9, window=(205, 295))
    source = made(truth, 5.0)
    peaks = Deconvolve(peaks=(line,), pixels="everywhere")(source)
    expected = {"position": 250.4, "fwhm": 8.5, "height": 700.0} | ({} if shape == "own" else {"form": 0.3})
    for name, value in expected.items():
        found, error = getattr(peaks, name)[0], getattr(peaks, f"{name}_error")[0]
        assert abs(float(found.mean()) - value) < 5 * float(found.std()) / np.sqrt(found.size) + 2e-4 * value
        assert float(np.median(error)) == pytest.approx(float(found.std()), rel=0.12)
    more = compute(peaks, source, Computed(name="a", expression="A.area"))
    np.testing.assert_allclose(more.computed[0].value, peaks.area[0], rtol=1e-5)
    assert peaks.shapes == (("= 1/cosh(u)",) if shape == "own" else (shape,))


def test_a_shape_of_ones_own_is_kept_in_files(tmp_path) -> None:
    from napari_wse2xai import Results, read_results, write_results
    from napari_wse2xai.plots.spectra import draw_spectrum

    line = Peak(name="A", shape="own", formula="1/cosh(u)", position=250, fwhm=9, window=(205, 295))
    source = made(700 / np.cosh(2 * np.arccosh(2.0) * (np.arange(200.0, 300.0, 0.7) - 250.4) / 8.5), 5.0)
    peaks = Deconvolve(peaks=(line,), pixels="everywhere")(source)
    write_results(Results({"raman": source}, {"raman": peaks}), tmp_path / "results.nc")
    read = read_results(tmp_path / "results.nc")
    assert read.peaks["raman"].shapes == ("= 1/cosh(u)",)
    from matplotlib.figure import Figure

    draw_spectrum(Figure().add_subplot(), read.maps["raman"], 3, 4, peaks=read.peaks["raman"], residual_axes=None)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("", "needs a formula"),
        ("x", "there are u"),
        ("u", "is no line"),
        ("exp(u)", "is no line"),
        ("log(u)", "is no line"),
        ("1/u", "is no line"),
        ("-exp(-u**2)", "is no line"),
        ("3", "does not contain u"),
        ("open('x')", "cannot be called so"),
    ],
)
def test_a_formula_that_is_no_line_is_one_sentence(formula: str, says: str) -> None:
    with pytest.raises(ValueError, match="peak A") as told:
        Peak(name="A", shape="own", formula=formula, position=250, fwhm=9, window=(205, 295))
    assert says in str(told.value)
    with pytest.raises(ValueError, match="needs a formula and the shape own together"):
        Peak(name="A", formula="1/cosh(u)", position=250, fwhm=9, window=(205, 295))
