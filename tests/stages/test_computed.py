"""Computed maps: values and errors against the scatter of many noisy copies of one spectrum, never against the code's own covariance."""

from functools import partial

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from napari_wse2xai import Computed, Deconvolve, Peak, SpectralMap, compute
from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataError, SettingsError

X = np.arange(200.0, 300.0, 0.7)
WINDOW = (205.0, 295.0)
PEAKS = (
    Peak(name="A1'", position=250, fwhm=5, window=WINDOW),
    Peak(name="2LA(M)", position=257, fwhm=8, window=WINDOW),
    Peak(name="E exciton", shape="gaussian", position=225, fwhm=6, window=(205.0, 240.0)),
)
SHAPE = (40, 52)
NOISE = 8.0


def lorentzian(position: float, fwhm: float, height: float) -> np.ndarray:
    return height / (1 + (2 * (X - position) / fwhm) ** 2)


def made(seed: int = 0, *, noise: float = NOISE) -> SpectralMap:
    truth = 30 + 0.2 * (X - 250) + lorentzian(250.3, 5.2, 900) + lorentzian(257.5, 8.5, 500)
    truth = truth + 400 * np.exp(-4 * np.log(2) * ((X - 224.6) / 6.3) ** 2)
    counts = truth + noise * np.random.default_rng(seed).normal(size=(*SHAPE, len(X)))
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT)


FORMULAS = {
    "distance": "2LA(M).position - A1'.position",
    "ratio": "2LA(M).height / A1'.height",
    "share": "2LA(M).area / (2LA(M).area + A1'.area)",
    "between windows": "E exciton.height / A1'.height",
    "light": "band(244, 263.3)",
    "light beside": "band(266.2, 292.9) - band(270, 280)",
    "light over line": "band(244.1, 256.2) / A1'.height",
    "root": "sqrt(A1'.fwhm^2 - 3**2)",
}


@pytest.fixture(scope="module")
def peaks():
    wanted = tuple(Computed(name=name, expression=text) for name, text in FORMULAS.items())
    return Deconvolve(peaks=PEAKS, computed=wanted, pixels="everywhere")(made())


@pytest.mark.parametrize("name", FORMULAS)
def test_the_error_is_the_scatter_of_noisy_copies(peaks, name: str) -> None:
    found = next(each for each in peaks.computed if each.name == name)
    scatter = float(np.std(found.value))
    assert np.isfinite(found.value).mean() > 0.99
    assert float(np.nanmedian(found.error)) == pytest.approx(scatter, rel=0.06)


def test_what_errs_together_is_not_added_as_if_it_did_not(peaks) -> None:
    share = peaks.computed[2]
    areas, errors = peaks.area[:2].astype(float), peaks.area_error[:2].astype(float)
    total = areas.sum(axis=0)
    apart = np.hypot(areas[0] * errors[1], areas[1] * errors[0]) / total**2
    assert float(np.median(share.error / apart)) > 1.15  # the two lines share one light: more for one is less for the other


def test_values_and_units(peaks) -> None:
    found = {each.name: each for each in peaks.computed}
    np.testing.assert_allclose(found["distance"].value, peaks.position[1] - peaks.position[0], atol=1e-4)
    np.testing.assert_allclose(found["ratio"].value, peaks.height[1] / peaks.height[0], rtol=1e-5)
    assert [each.unit for each in peaks.computed] == ["cm-1", "1", "1", "1", "counts cm-1", "counts cm-1", "cm-1", "cm-1"]


def test_bands_are_integrals() -> None:
    source = made(noise=1e-3)
    stage = Deconvolve(peaks=PEAKS[:1], computed=(Computed(name="b", expression="band(245.1, 255.3)"),), pixels="everywhere")
    (found,) = stage(source).computed
    inside = np.linspace(245.1, 255.3, 20001)
    expected = np.trapezoid(np.interp(inside, X, source.counts[0, 0]), inside)
    assert float(found.value[3, 7]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smooth", [partial(uniform_filter1d, size=3), partial(gaussian_filter1d, sigma=1.2)])
def test_the_error_of_a_band_beside_all_windows_is_the_scatter_of_smoothed_copies_too(smooth) -> None:
    source = made()
    counts = smooth(source.counts.astype(np.float64)).astype(np.float32)
    peak = Peak(name="E exciton", shape="gaussian", position=225, fwhm=6, window=(205.0, 240.0))
    stage = Deconvolve(peaks=(peak,), computed=(Computed(name="b", expression="band(268, 292)"),), pixels="everywhere")
    (found,) = stage(SpectralMap.from_arrays(counts, X, AxisKind.RAMAN_SHIFT)).computed
    assert float(np.nanmedian(found.error)) == pytest.approx(float(np.std(found.value)), rel=0.2)
    white = NOISE * 0.7 * np.sqrt(24 / 0.7)
    assert float(np.std(found.value)) == pytest.approx(white, rel=0.1)  # smoothing moves light, and leaves what there is of it


def test_added_afterwards_it_is_the_same(peaks) -> None:
    source = made()
    bare = Deconvolve(peaks=PEAKS, pixels="everywhere")(source)
    more = compute(bare, source, *(Computed(name=name, expression=text) for name, text in FORMULAS.items()))
    for one, other in zip(more.computed, peaks.computed, strict=True):
        assert one.unit == other.unit
        np.testing.assert_allclose(one.value, other.value, rtol=1e-4)
        np.testing.assert_allclose(one.error, other.error, rtol=0.02)
    assert len(more.history[-1].settings["computed"]) == len(FORMULAS)
    again = compute(more, source, Computed(name="ratio", expression="A1'.height / 2LA(M).height"))
    assert [each.name for each in again.computed] == [*[name for name in FORMULAS if name != "ratio"], "ratio"]


def test_a_single_parameter_has_its_own_error(peaks) -> None:
    more = compute(peaks, made(), Computed(name="place", expression='"A1\'".position'))
    np.testing.assert_allclose(more.computed[-1].error, peaks.position_error[0], rtol=0.01)


def test_a_quotient_by_what_is_not_there_has_no_value() -> None:
    peaks = (PEAKS[0], PEAKS[1], Peak(name="P285", position=285, fwhm=5, window=WINDOW))
    stage = Deconvolve(peaks=peaks, computed=(Computed(name="q", expression="A1'.height / P285.height"),), pixels="everywhere")
    (found,) = stage(made()).computed
    assert np.isnan(found.value).mean() > 0.9


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A2'.height", "A1', 2LA(M), E exciton"),
        ("A1'.hight", "A1', 2LA(M), E exciton"),
        ("2LA.height", "A1', 2LA(M), E exciton"),
        ("A1'.height + A1'.position", "adds or subtracts"),
        ("__import__('os').system('true')", "is not known here"),
        ("A1'.height.__class__", "is not known here"),
        ("(1).real", "not known here"),
        ("exp", "not known here"),
        ("[A1'.height for x in 'ab']", "not known here"),
        ("A1'.height if 1 else 2", "not known here"),
        ("A1'.height +", "is no formula"),
        ("band(260, 240)", "the lower one first"),
        ("band(A1'.position, 260)", "two numbers"),
        ("+".join(["1"] * 240), "too long"),
        ("((((" * 100, "is no formula"),
    ],
)
def test_a_wrong_formula_is_one_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="computed map x") as told:
        Deconvolve(peaks=PEAKS, computed=(Computed(name="x", expression=text),))
    assert says in str(told.value)


def test_names_are_told_apart_and_maps_too(peaks) -> None:
    with pytest.raises(ValueError, match="is called A1' already"):
        Deconvolve(peaks=PEAKS, computed=(Computed(name="A1'", expression="1*A1'.height"),))
    with pytest.raises(SettingsError, match="there are the peaks A1', 2LA"):
        compute(peaks, made(), Computed(name="x", expression="B.height"))
    small = SpectralMap.from_arrays(np.ones((3, 4, 20), dtype=np.float32), np.arange(20.0), AxisKind.RAMAN_SHIFT)
    with pytest.raises(DataError, match="is not the map"):
        compute(peaks, small, Computed(name="x", expression="A1'.height"))
    with pytest.raises(DataError, match="leaves what"):
        compute(peaks, made(), Computed(name="x", expression="band(100, 260)"))
