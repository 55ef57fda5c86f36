"""What the fit leaves is what the plot shows, and the pixel with a fault planted in it comes first."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Frame, SpectralMap, Status
from napari_wse2xai.plots.spectra import FittedCurves
from napari_wse2xai.stages import Deconvolve, Peak
from napari_wse2xai.stages.residual import MISFIT, ORDERS, misfit_of, residuals, worst_first

SHAPE, BAD = (5, 7), (3, 2)


@pytest.fixture(scope="module")
def both():
    axis = np.linspace(150.0, 450.0, 240)
    rows, columns = np.indices(SHAPE)
    counts = (500 + 2 * rows + columns)[..., None] / (1 + ((axis - 250) / 4) ** 2)
    counts = counts + 300 / (1 + ((axis - 400 - 0.1 * columns[..., None]) / 5) ** 2) + 0.1 * axis
    counts = counts + np.random.default_rng(0).normal(0, 3, counts.shape)
    counts[BAD] += 120 * np.exp(-(((axis - 235) / 5) ** 2))  # a line that the model has not
    source = SpectralMap.from_arrays(counts, axis, AxisKind.RAMAN_SHIFT, frame=Frame(SHAPE, (0.5, 0.25)))
    peaks = (Peak(name="A", position=250, fwhm=8, window=(200, 300)), Peak(name="B", position=400, fwhm=10, window=(360, 440)))
    return source, Deconvolve(peaks=peaks, background="linear")(source)


def test_the_residual_is_measured_minus_what_is_drawn(both):
    source, peaks = both
    cube = residuals(peaks, source)
    for row, column in np.ndindex(SHAPE):
        drawn = source.counts[row, column] - FittedCurves.of(peaks, row, column).total
        np.testing.assert_allclose(cube[row, column], drawn, atol=0.01)
    assert np.isnan(cube[..., source.axis.values < 199]).all()
    assert np.isfinite(cube[..., peaks.axis.between(200, 300)]).all()


def test_an_absent_peak_leaves_what_it_would_have_explained(both):
    source, peaks = both
    position = peaks.position.copy()
    position[1, 0, 1] = np.nan
    gone = residuals(replace(peaks, position=position), source)[0, 1]
    inside = peaks.axis.between(360, 440)
    line = residuals(peaks, source)[0, 1, inside] + 0
    assert gone[inside].max() > 250 > np.abs(line).max()
    height = peaks.height.copy()
    height[:, 0, 1] = np.nan
    assert np.isnan(residuals(replace(peaks, height=height), source)[0, 1]).all()


@pytest.mark.parametrize("order", [*ORDERS, MISFIT])
def test_the_bad_pixel_comes_first(both, order):
    source, peaks = both
    if order == "unlike its neighbours":
        fwhm = peaks.fwhm.copy()
        fwhm[0, *BAD] += 3.0
        peaks = replace(peaks, fwhm=fwhm)
    badness = misfit_of(residuals(peaks, source)) if order == MISFIT else ORDERS[order](peaks)
    first = worst_first(peaks, badness)
    assert tuple(first[0]) == BAD
    assert len(first) == SHAPE[0] * SHAPE[1]
    assert len(np.unique(first, axis=0)) == len(first)


def test_what_is_off_the_flake_is_not_looked_at_and_what_was_decided_comes_last(both):
    _, peaks = both
    status = peaks.status.copy()
    status[0], status[BAD] = Status.NOT_ON_FLAKE, Status.REJECTED
    decided = replace(peaks, status=status)
    first = worst_first(decided, ORDERS["what became of it"](decided))
    assert len(first) == (SHAPE[0] - 1) * SHAPE[1]
    assert tuple(first[-1]) == BAD
