"""Parameters that are fixed, tied or shared by all pixels: found from all of them, and told where the map says otherwise."""

import re
from dataclasses import replace

import numpy as np
import pytest

import planted_maps as planted
from napari_wse2xai import Deconvolve, Peak, Status, check_model
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.stages import accepted


def believed_and_wrong(made, peaks):
    """Share of all pixels that are ok with a number more than five errors off."""
    off = np.nan_to_num(made.off(peaks)).max(axis=(0, 1))
    return float(((peaks.status == Status.OK) & (off > 5)).mean())


def ok(peaks):
    return float((peaks.status == Status.OK).mean())


def mended(made, peaks):
    """The same with the first of the remedies that are proposed, and its words."""
    best = next(each for each in check_model(peaks, made.map) if each.kind == "held")
    assert best.can_be_accepted
    settings = accepted(Deconvolve(peaks=made.peaks, pixels="everywhere"), best)
    return best.words, replace(made, peaks=settings.peaks)


@pytest.mark.parametrize("high", [300, 3000])
def test_a_width_that_all_pixels_share_is_that_of_the_line_not_of_a_mean_over_places(high):
    made = planted.held_pair(1, high=high, shared="fwhm")
    peaks = made.fitted()
    (shown,) = np.unique(peaks.fwhm[1])
    assert shown == pytest.approx(6.0, rel=0.02)
    assert np.isfinite(peaks.fwhm_error[1]).all()
    assert abs(shown - 6.0) < 4 * peaks.fwhm_error[1].max()
    assert ok(peaks) > 0.97
    assert believed_and_wrong(made, peaks) < 0.005
    assert not check_model(peaks, made.map)


@pytest.mark.parametrize(
    ("how", "differs", "words"),
    [
        ({"shared": "fwhm"}, {"widths": 0.15}, "FWHM of B is the same in all pixels, but differs"),
        ({"width_of": "A"}, {"widths": 0.15}, "FWHM of B follows another peak, but differs"),
        ({"ties": "fwhm = 0.75*A.fwhm"}, {"widths": 0.15}, "FWHM of B follows another peak, but differs"),
        ({"distance_from": "A"}, {"wander": 0.4}, "position of B follows another peak, but differs"),
        ({"fixed": "fwhm"}, {"widths": 0.15}, "FWHM of B is fixed, but differs"),
    ],
)
def test_what_is_held_but_differs_over_the_map_is_told_and_its_errors_hold_that(how, differs, words):
    made = planted.held_pair(2, high=6000, **differs, **how)
    peaks = made.fitted()
    assert believed_and_wrong(made, peaks) < 0.005
    told, free = mended(made, peaks)
    assert words in told
    again = free.fitted()
    assert ok(again) > 0.97
    assert believed_and_wrong(free, again) < 0.005


@pytest.mark.parametrize(
    ("how", "true"),
    [
        ({"fixed": "fwhm", "fwhm": 5.2}, 6.0),
        ({"fixed": "position", "position": 246.5}, 246.0),
        ({"shared": "", "fixed": "fwhm", "fwhm": 7}, 6.0),
    ],
)
def test_what_is_fixed_beside_the_truth_is_told_with_what_the_spectra_show(how, true):
    made = planted.held_pair(3, **how)
    peaks = made.fitted()
    assert believed_and_wrong(made, peaks) < 0.005
    told, _ = mended(made, peaks)
    assert float(re.search(r"is at ([\d.]+) cm-1 by the spectra", told)[1]) == pytest.approx(true, rel=0.05)


@pytest.mark.parametrize(
    "how", [{}, {"fixed": "fwhm"}, {"shared": "fwhm"}, {"width_of": "A"}, {"distance_from": "A"}, {"ties": "fwhm = 0.75*A.fwhm"}]
)
@pytest.mark.parametrize("high", [100, 400])
def test_lines_too_near_to_be_told_apart_are_not_believed_because_one_thing_of_them_is_held(how, high):
    made = planted.held_pair(4, apart=2.0, high=high, **how)
    peaks = made.fitted()
    assert believed_and_wrong(made, peaks) < 0.005
    assert (peaks.status == Status.PEAKS_MERGED).mean() > 0.9


def test_heights_alone_are_told_apart_however_near_the_lines():
    """Places and widths fixed, a fit is linear: its errors are right, and no one line is asked to stand for two."""
    dice = np.random.default_rng(5)
    heights, x = dice.uniform(200, 600, (2, 15, 17)), np.arange(310.0, 390.0, 0.8)
    counts = dice.poisson(300 + planted.lorentzian(x, 350.0, 8.0, heights[0]) + planted.lorentzian(x, 352.0, 6.0, heights[1]))
    peaks = [Peak(name=n, position=p, fwhm=w, window=(310, 389), fixed="position, fwhm") for n, p, w in (("A", 350, 8), ("B", 352, 6))]
    source = SpectralMap.from_arrays(counts.astype(np.float32), x, AxisKind.RAMAN_SHIFT)
    fitted = Deconvolve(peaks=peaks, pixels="everywhere", detection=0)(source)
    pulls = (fitted.height - heights) / fitted.height_error
    assert 0.85 < np.nanstd(pulls) < 1.15
    assert not (fitted.status == Status.PEAKS_MERGED).any()


def test_lines_that_pixels_cannot_tell_apart_but_the_map_can_are_offered_one_width():
    """Lines 4 cm-1 apart, 8 and 6 wide, 20 noise deviations high: widths take each other's light, one width for all pixels does not."""
    made = planted.held_pair(7, apart=4.0, high=400)
    peaks = made.fitted()
    (best, *_) = check_model(peaks, made.map)
    assert best.kind == "merged"
    assert "A and B cannot be told apart" in best.words
    better = replace(made, peaks=accepted(Deconvolve(peaks=made.peaks, pixels="everywhere"), best).peaks)
    assert [peak.shared for peak in better.peaks] == ["fwhm", "fwhm"]
    again = better.fitted()
    assert ok(again) > ok(peaks) + 0.4
    assert believed_and_wrong(better, again) < 0.005


def test_lines_that_no_shared_width_tells_apart_are_told_to_be_too_many():
    made = planted.held_pair(7, apart=1.5, high=200)
    (best, *_) = check_model(made.fitted(), made.map)
    assert best.kind == "merged"
    assert "fit fewer lines" in best.words
    assert not best.can_be_accepted


def test_what_follows_a_shared_width_goes_with_it_and_has_its_error_in_proportion():
    made = planted.held_pair(9, width_of="A")
    first, second = made.peaks
    made = replace(made, peaks=(first.model_copy(update={"shared": "fwhm"}), second))
    peaks = made.fitted()
    assert np.isfinite(peaks.fwhm_error).all()
    np.testing.assert_allclose(peaks.fwhm[1], 0.75 * peaks.fwhm[0], rtol=1e-5)
    np.testing.assert_allclose(peaks.fwhm_error[1], 0.75 * peaks.fwhm_error[0], rtol=1e-5)
    assert ok(peaks) > 0.97
    assert believed_and_wrong(made, peaks) < 0.005
