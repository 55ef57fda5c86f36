"""Lines as narrow as those of real WSe2: averaged over channels, with starts and bounds that the map tells, whatever the preset says."""

import numpy as np
import pytest

import planted_maps as planted
from napari_wse2xai import recipe
from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.plots.spectra import FittedCurves
from napari_wse2xai.stages import Deconvolve, Peak, check_model
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._refitted import judged_again, settings_of, windows_of
from napari_wse2xai.synthetic import make_flake


@pytest.fixture(scope="module")
def usual():
    """The flake of before, and what the preset alone makes of it."""
    flake = make_flake("triangle", seed=0, shape_px=(30, 34))
    return flake, recipe.preset("wse2-532").raman.chain().run(flake.raman).peaks


@pytest.fixture(scope="module")
def fitted():
    """The flake with real widths, and what the preset alone makes of it."""
    flake = make_flake("triangle", seed=0, shape_px=(30, 34), lines="high resolution")
    return flake, recipe.preset("wse2-532").raman.chain().run(flake.raman).peaks


def pulls(flake, peaks, name, parameter):
    ours, theirs = peaks.names.index(name), flake.truth.raman.names.index(name)
    on = flake.truth.flake & np.isfinite(peaks.position[ours])
    difference = getattr(peaks, parameter)[ours] - getattr(flake.truth.raman, parameter)[theirs]
    return (difference / getattr(peaks, f"{parameter}_error")[ours])[on]


def test_the_preset_alone_gives_the_top_of_a_real_a1_its_height_to_a_percent_and_hits_no_bound(fitted):
    flake, peaks = fitted
    a1, true = peaks.names.index("A1'"), flake.truth.raman.names.index("A1'")
    on = flake.truth.flake & np.isfinite(peaks.height[a1])
    assert on.sum() > 400
    assert np.median(peaks.height[a1][on] / flake.truth.raman.height[true][on]) == pytest.approx(1, abs=0.01)
    assert (peaks.at_bound[:, on] > 0).mean() < 0.01
    assert np.isnan(peaks.position[peaks.names.index("P195")][on]).mean() > 0.95  # no such band there
    assert (peaks.status == Status.OK)[flake.truth.flake].mean() > 0.95  # shoulder and plateau have their names


def test_the_peaks_that_only_high_resolution_shows_do_nothing_to_the_usual_flake(usual):
    flake, peaks = usual
    assert (peaks.status == Status.OK)[flake.truth.flake].mean() > 0.97
    assert np.isnan(peaks.position[peaks.names.index("P257")]).mean() > 0.97
    for name in flake.truth.raman.names:
        for parameter in ("position", "fwhm", "height"):
            pull = pulls(flake, peaks, name, parameter)
            assert 0.8 < 1.4826 * np.median(np.abs(pull - np.median(pull))) < 1.2


def test_a_narrow_line_is_drawn_as_it_was_fitted(fitted):
    """What the picture leaves of A1' is noise: drawn at the middle of its channels it would be 4 % too high."""
    flake, peaks = fitted
    row, column = np.argwhere((peaks.status == Status.OK) & flake.truth.flake)[200]
    a1 = peaks.names.index("A1'")
    assert peaks.averaged[a1] == pytest.approx(0.5, abs=0.02)
    drawn = FittedCurves.of(peaks, row, column)
    near = np.abs(peaks.axis.values - peaks.position[a1, row, column]) < 1.5
    clean = flake.truth.raman.clean()[row, column][near]
    away = drawn.total[near] - clean
    assert np.abs(away - away.mean()).max() < 0.015 * clean.max()


def test_what_asks_a_fit_again_draws_narrow_lines_as_they_were_fitted(fitted):
    """Chi2 of the first window is the fit's own, as the noise has it; drawn at the middle of its channels A1' alone would add to it."""
    flake, peaks = fitted
    source = recipe.preset("wse2-532").raman.chain().run(flake.raman).map
    stage = settings_of(peaks)
    window = windows_of(stage, peaks, source)[0]
    spectra = Pixels(source, peaks.status == Status.OK, [window])
    problem, fit = judged_again(stage, window, peaks, spectra)
    assert problem.width is not None
    assert np.median(fit.quality.chi2) / fit.quality.freedom == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("name", ["P359", "P374"])
def test_narrow_lines_whose_preset_is_three_times_as_wide_have_honest_errors(fitted, name):
    for parameter in ("position", "fwhm", "height"):
        pull = pulls(*fitted, name, parameter)
        assert 0.8 < 1.4826 * np.median(np.abs(pull - np.median(pull))) < 1.2


def test_lines_of_one_and_a_half_to_three_channels_come_out_right_whatever_width_is_expected():
    """Closed form of the integral over a channel; 400 noises of one spectrum."""
    rng, x, gamma = np.random.default_rng(1), np.arange(220, 281, 0.5), 0.45
    area = np.arctan((x + 0.25 - 250.11) / gamma) - np.arctan((x - 0.25 - 250.11) / gamma)
    clean = 200 + 6000 * gamma * area / 0.5
    source = SpectralMap.from_arrays(rng.poisson(clean, (16, 25, len(x))).astype(np.float32), x, AxisKind.RAMAN_SHIFT)
    for expected in (0.9, 4.0):
        found = Deconvolve(peaks=(Peak(name="A", position=250, fwhm=expected, window=(225, 275)),))(source)
        assert (found.status == Status.OK).mean() > 0.95
        for parameter, true in (("position", 250.11), ("fwhm", 0.9), ("height", 6000.0)):
            pull = (getattr(found, parameter)[0] - true) / getattr(found, f"{parameter}_error")[0]
            assert abs(pull.mean()) < 0.3
            assert 0.85 < pull.std() < 1.15


@pytest.mark.parametrize("seen", ["averaged", "middle"])
@pytest.mark.parametrize(("wide", "snr"), [(2.5, 100), (4.2, 100), (4.2, 300), (6.0, 600), (9.0, 1000)])
def test_what_channels_show_of_a_line_is_told_by_the_data(seen, wide, snr):
    """Detectors count means over channels, made-up and interpolated spectra hold the middle: in much light the other way is a misfit."""
    rng = np.random.default_rng([5, int(10 * wide)])
    fwhm = wide * (planted.X[1] - planted.X[0])
    line = (250 + 0.2 * rng.normal(size=planted.SHAPE), fwhm * np.ones(planted.SHAPE), 6.0 * snr * rng.uniform(0.7, 1.3, planted.SHAPE))
    light = planted.averaged(planted.lorentzian, planted.X, *line) if seen == "averaged" else planted.lorentzian(planted.X, *line)
    peaks = (Peak(name="A", position=250, fwhm=fwhm, window=(250 - max(10, 5 * fwhm), 250 + max(10, 5 * fwhm))),)
    made = planted.Planted(planted.noisy(rng, light + 100, 6.0), peaks, planted.truth_of(line), right=True)
    found = made.fitted()
    assert (found.status == Status.OK).mean() > 0.99
    assert 0.62 < (made.off(found) < 1).mean() < 0.75
    assert not check_model(found, made.map)
