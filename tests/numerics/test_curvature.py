"""The mean residual of a right model that is no straight one, against second derivatives by finite differences and the noise as planted."""

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.numerics.curvature import expected_residual
from napari_wse2xai.stages import Deconvolve, Peak
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._refitted import judged_again, windows_of
from planted_maps import gaussian

X = np.linspace(690.0, 840.0, 240)
SHAPE = (8, 9)
SIZES = np.array([0.5, 1.0, 40.0, 0.5, 1.0, 40.0])
"""Steps of the differences: nm, nm, counts."""


def light(values):
    return gaussian(X, *values[:3]) + gaussian(X, *values[3:])


def by_differences(values, noise):
    """Half the trace of second derivatives times the covariance, without what the fit follows, over the noise."""
    steps = 0.1 * np.diag(SIZES)
    slopes = np.stack([(light(values + step) - light(values - step)) / (2 * step.sum()) for step in steps], axis=1)
    followed = np.column_stack([slopes, np.ones_like(X), X - X.mean()])
    covariance = noise**2 * np.linalg.inv(followed.T @ followed)[:6, :6]
    bent = np.zeros_like(X)
    for i, one in enumerate(steps):
        for j, other in enumerate(steps):
            ahead, beside = (
                light(values + one + other) + light(values - one - other),
                light(values + one - other) + light(values - one + other),
            )
            bent -= 0.5 * covariance[i, j] * (ahead - beside) / (4 * one.sum() * other.sum())
    return (bent - followed @ np.linalg.lstsq(followed, bent, rcond=None)[0]) / noise


def test_it_is_half_the_trace_of_second_derivatives_times_the_covariance():
    noise, dice = 6.0, np.random.default_rng(2)
    counts = (
        300
        + light([np.full(SHAPE, value) for value in (750.0, 24.0, 2400.0, 768.0, 30.0, 1500.0)])
        + noise * dice.normal(size=(*SHAPE, 240))
    )
    source = SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.WAVELENGTH)
    lines = (("exciton", 750, 24), ("trion", 768, 30))
    peaks = [Peak(name=name, shape="gaussian", position=place, fwhm=fwhm, window=(690, 840)) for name, place, fwhm in lines]
    stage = Deconvolve(peaks=peaks, pixels="everywhere", position_penalty=0.0, background="linear")
    found = stage(source)
    (window,) = windows_of(stage, found, source)
    spectra = Pixels(source, np.ones(SHAPE, dtype=bool), [window])
    problem, fit = judged_again(stage, window, found, spectra)
    parameters = fit.found.astype(np.float64)
    ours = expected_residual(problem, spectra.of(window, slice(None)), parameters, fit.free, fit.noise)
    for pixel in (0, 31, 70):
        theirs = by_differences(parameters[pixel, :, :3].ravel(), noise)
        assert ours[pixel] @ theirs / (theirs @ theirs) == pytest.approx(1.0, abs=0.3)  # the noise is read off 240 channels
        assert np.corrcoef(ours[pixel], theirs)[0, 1] > 0.97
