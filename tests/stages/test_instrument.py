"""A known resolution: the FWHM is the sample's, against lines that scipy convolves."""

import numpy as np
import pytest
from scipy.special import voigt_profile

from napari_wse2xai import Computed, Deconvolve, Peak, SpectralMap
from napari_wse2xai.data import AxisKind, Status
from napari_wse2xai.numerics.lineshapes import SHAPES

X = np.arange(220.0, 290.0, 0.6)
RESOLUTION, SIGMA = 3.0, 3.0 / np.sqrt(8 * np.log(2))
FWHM, AREA, PLACE = 4.0, 6000.0, 252.3


def made(shape: str, fwhm: float = FWHM, noise: float = 4.0) -> SpectralMap:
    if shape == "lorentzian":
        line = AREA * voigt_profile(X - PLACE, SIGMA, fwhm / 2)
    else:
        line = AREA * voigt_profile(X - PLACE, np.hypot(SIGMA, fwhm / np.sqrt(8 * np.log(2))), 0.0)
    counts = 15 + line + noise * np.random.default_rng(0).normal(size=(19, 27, len(X)))
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT)


def stage(shape: str, **more: object) -> Deconvolve:
    line = Peak(name="A", shape=shape, position=252, fwhm=5, window=(225, 285))
    return Deconvolve(peaks=(line,), pixels="everywhere", computed=(Computed(name="area", expression="A.area"),), **more)


@pytest.mark.parametrize("shape", ["lorentzian", "gaussian"])
def test_width_and_area_are_the_samples_with_errors_that_are_the_scatter(shape: str) -> None:
    peaks = stage(shape, instrument_fwhm=RESOLUTION)(made(shape))
    assert (peaks.status == Status.OK).mean() > 0.97
    for values, errors, truth in (
        (peaks.fwhm[0], peaks.fwhm_error[0], FWHM),
        (peaks.area[0], peaks.area_error[0], AREA),
        (peaks.computed[0].value, peaks.computed[0].error, AREA),
        (peaks.position[0], peaks.position_error[0], PLACE),
    ):
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(values.size) + 1e-3 * truth
        assert np.median(errors) == pytest.approx(values.std(), rel=0.1)
    assert peaks.shapes == (f"{shape} @ 3",)


def test_without_it_the_width_is_that_of_both() -> None:
    peaks = stage("lorentzian")(made("lorentzian"))
    assert np.median(peaks.fwhm) > FWHM + 1


@pytest.mark.parametrize("shape", ["lorentzian", "gaussian"])
def test_derivatives_are_those_of_the_values(shape: str) -> None:
    which, at = SHAPES[f"{shape} @ 3"], np.array([PLACE, FWHM, 90.0])
    for k, slope in enumerate(which.derivatives(X, *at)):
        step = np.eye(3)[k] * 1e-4
        np.testing.assert_allclose(slope, (which(X, *(at + step)) - which(X, *(at - step))) / 2e-4, atol=1e-5)


def test_a_line_that_is_not_resolved_says_so() -> None:
    """A width that is nothing beside the resolution is at its bound, or as uncertain as it is large."""
    peaks = stage("lorentzian", instrument_fwhm=RESOLUTION)(made("lorentzian", fwhm=0.05, noise=15.0))
    unsure = (peaks.status != Status.OK) | (peaks.fwhm[0] < 4 * np.nan_to_num(peaks.fwhm_error[0], nan=np.inf))
    assert unsure.mean() > 0.95


def test_shapes_that_it_is_not_known_for_are_refused() -> None:
    with pytest.raises(ValueError, match="peak A is fano; an instrument's FWHM can be given for lorentzian and gaussian"):
        stage("fano", instrument_fwhm=1.0)
