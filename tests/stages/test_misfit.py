"""A status that is true: right models stay quiet at any signal-to-noise ratio, wrong ones are never both ok and wrong."""

from functools import partial

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

import planted_maps as planted
from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.stages import Deconvolve, Peak, check_model


@pytest.mark.parametrize("snr", [5, 30, 200, 1000])
@pytest.mark.parametrize("more", [{}, {"width": 1.5, "gain": 1.0, "window": 10}, {"smooth": 0.3}, {"form": "gaussian", "width": 8}])
def test_right_models_stay_quiet(snr, more):
    flagged = [planted.right(seed, snr=snr, **more).fitted().status == Status.MISFIT for seed in (10, 11)]
    assert np.mean(flagged) < 0.01


def test_errors_hold_where_lines_are_narrow_and_noise_is_shot_noise_or_shared():
    for more in ({"width": 1.5, "gain": 1.0, "window": 10}, {"smooth": 0.3}):
        made = planted.right(3, snr=300, **more)
        off = made.off(made.fitted())
        assert 0.58 < (off < 1).mean() < 0.76
        assert (off > 5).mean() < 0.001


WRONG = {
    "missing line": planted.missing_line,
    "missing line, dim": partial(planted.missing_line, snr=15),
    "missing line, close": partial(planted.missing_line, away=3.0),
    "missing line in a third": partial(planted.some_with_a_line, share=0.33),
    "Gaussian as Lorentzian": partial(planted.wrong_shape, true="gaussian"),
    "Lorentzian as Gaussian": partial(planted.wrong_shape, true="lorentzian"),
    "Gaussian as Lorentzian, dim": partial(planted.wrong_shape, true="gaussian", snr=10),
    "Lorentzian as Gaussian, dim": partial(planted.wrong_shape, true="lorentzian", snr=10),
    "tight window": partial(planted.wrong_shape, true="gaussian", window=(240, 262)),
    "filter edge": planted.filter_edge,
    "two as one": planted.two_as_one,
    "two as one, wandering": planted.uneven_blend,
    "bent background": planted.bent_background,
}


@pytest.mark.filterwarnings("ignore:The background under")
@pytest.mark.parametrize("name", WRONG)
def test_wrong_models_are_never_ok_and_wrong(name):
    made = WRONG[name](seed=20)
    peaks = made.fitted()
    wrong = np.nan_to_num(made.off(peaks)).max(axis=(0, 1)) > 5
    assert ((peaks.status == Status.OK) & wrong).mean() < 0.005
    assert np.isin(peaks.status, [Status.MISFIT, Status.ABNORMAL]).mean() > 0.25


def test_a_single_spectrum_says_that_its_model_misses_a_line():
    made = planted.missing_line(1)
    alone = planted.Planted(made.counts[:1, :1], made.peaks, made.truth[..., :1, :1], right=False)
    assert alone.fitted().status.item() == Status.MISFIT


def test_pixels_without_the_line_that_others_miss_stay_ok():
    rng = np.random.default_rng(2)
    there = rng.random(planted.SHAPE) < 0.4
    line = planted.lorentzian(planted.X, 250.0 * np.ones(planted.SHAPE), 4.0, 1000.0)
    counts = planted.noisy(rng, line + planted.lorentzian(planted.X, 258.0, 6.0, 300.0 * there) + 100, 6.0)
    status = planted.Planted(counts, planted.some_with_a_line(0).peaks, np.zeros((1, 3, *planted.SHAPE)), right=False).fitted().status
    assert (status[there] != Status.OK).all()
    assert (status[~there] == Status.OK).mean() > 0.9


def test_every_peak_has_its_status_and_the_pixel_the_gravest_of_those_that_are_there():
    made = planted.filter_edge(0)
    peaks = made.fitted()
    assert peaks.peak_status.shape == (2, *planted.SHAPE)
    assert (peaks.peak_status[0] == Status.MISFIT).all()
    assert (peaks.peak_status[1] == Status.OK).mean() > 0.99
    assert (peaks.status == Status.MISFIT).all()


@pytest.mark.parametrize("apart", [0.0, 0.1, 0.25, 0.33, 0.4])
@pytest.mark.parametrize("snr", [20, 100])
def test_lines_that_cannot_be_told_apart_are_never_ok_and_wrong(apart, snr):
    made = planted.merged(5, apart=apart, snr=snr)
    peaks = made.fitted()
    wrong = np.nan_to_num(made.off(peaks)).max(axis=(0, 1)) > 5
    assert ((peaks.status == Status.OK) & wrong).mean() < 0.005


def test_a_line_that_is_listed_twice_says_so():
    assert (planted.listed_twice(4).fitted().status == Status.PEAKS_MERGED).all()


@pytest.mark.parametrize("high", [296, 266])
def test_windows_that_overlap_are_fitted_together_and_drawn_so(high):
    made = planted.window_typo(6, high=high)
    peaks = made.fitted()
    assert peaks.windows == ((225.0, max(295.0, high)),) * 2
    assert (peaks.status == Status.OK).mean() > 0.99
    off = made.off(peaks)
    assert 0.6 < (off < 1).mean() < 0.76
    drawn = planted.model_at(peaks, 3, 4)
    inside = np.isfinite(drawn)
    assert np.std((drawn - made.counts[3, 4])[inside]) == pytest.approx(6, rel=0.25)


def test_windows_that_touch_are_fitted_apart():
    first = planted.Peak(name="A", position=250, fwhm=6, window=(225, 260))
    second = planted.Peak(name="B", position=270, fwhm=6, window=(260, 290))
    made = planted.window_typo(6)
    assert planted.Planted(made.counts, (first, second), made.truth, right=True).fitted().windows == ((225, 260), (260, 290))


@pytest.mark.parametrize("wide", [3, 9])
@pytest.mark.parametrize("window", [(215, 285), (190, 310)])
def test_smoothed_spectra_have_errors_that_cover(wide, window):
    """A moving mean over channels, as instruments' software offers it: errors were a quarter of what they should be."""
    rng = np.random.default_rng(4)
    shape, x = (20, 25), planted.X
    noise = uniform_filter1d(rng.normal(size=(*shape, len(x) + 40)), wide)[..., 20:-20]
    lines = planted.lorentzian(x, 250 + 0.2 * rng.normal(size=shape), 8.0 * np.ones(shape), 300.0)
    source = SpectralMap.from_arrays((lines + 100 + 6 * noise / noise.std()).astype(np.float32), x, AxisKind.RAMAN_SHIFT)
    peaks = Deconvolve(peaks=(Peak(name="A", position=250, fwhm=8, window=window),), pixels="everywhere")(source)
    pulls = np.stack([(peaks.height[0] - 300) / peaks.height_error[0], (peaks.fwhm[0] - 8) / peaks.fwhm_error[0]])
    assert (peaks.status == Status.OK).mean() > 0.99
    assert (np.abs(pulls.std(axis=(1, 2)) - 1) < 0.12).all()
    assert 0.62 < (np.abs(pulls) < 1).mean() < 0.75
    assert not check_model(peaks, source)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_other_pixels_miss_is_no_fault_of_those_that_do_not(seed):
    made = planted.some_elsewhere(seed, share=0.8, away=8.0)
    peaks, here = made.fitted(), made.truth[0, 0] == 250
    assert (peaks.status[here] == Status.OK).mean() > 0.95
    assert np.nanmean(made.off(peaks)[:, :, here] < 1) == pytest.approx(0.68, abs=0.06)
    assert not (peaks.status[~here] == Status.OK).any()


@pytest.mark.parametrize("ratio", [0.4, 0.8])
def test_a_line_that_may_hide_in_another_is_merged_with_it_and_not_absent(ratio):
    made = planted.running_together(5, ratio=ratio)
    peaks, apart = made.fitted(), made.truth[1, 0] - made.truth[0, 0]
    wrong = np.nan_to_num(made.off(peaks)).max(axis=(0, 1)) > 5
    assert ((peaks.status == Status.OK) & wrong).mean() < 0.005
    assert (peaks.status[apart < 1] == Status.PEAKS_MERGED).mean() > 0.8
    assert (peaks.status[apart > 4] == Status.OK).mean() > 0.85


def test_a_line_that_is_absent_beside_another_is_told_from_one_that_hides():
    rng = np.random.default_rng(0)
    there = rng.random(planted.SHAPE) < 0.5
    lines = (250.0 * np.ones(planted.SHAPE), 4.0, 400.0), (258.0 * np.ones(planted.SHAPE), 5.0, 200.0 * there)
    counts = planted.noisy(rng, sum(planted.lorentzian(planted.X, *line) for line in lines) + 100, 9.0)
    peaks = tuple(Peak(name=name, position=x, fwhm=5, window=(225, 295)) for name, x in (("A", 250), ("B", 257)))
    found = planted.Planted(counts, peaks, planted.truth_of(*lines), True).fitted()
    assert (found.status[~there] == Status.OK).mean() > 0.95
    assert (np.abs(found.height[0] - 400) < 3 * found.height_error[0])[~there].mean() > 0.98


@pytest.mark.parametrize("counts", [400, 1500])
def test_a_background_that_bends_more_in_a_few_pixels_is_told_there_and_nowhere_else(counts):
    wrong, fine = [], []
    for seed in range(4):
        made = planted.particles(seed, counts=counts)
        peaks = made.fitted()
        fine.append((peaks.status == Status.OK).mean())
        wrong.append(((peaks.status == Status.OK) & (np.nan_to_num(made.off(peaks)).max(axis=(0, 1)) > 5)).mean())
    assert np.mean(wrong) < 0.005
    assert np.mean(fine) > 0.6
    assert (planted.particles(0, counts=0).fitted().status == Status.OK).mean() > 0.99
