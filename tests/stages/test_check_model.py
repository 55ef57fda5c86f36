"""The check of a list of peaks against a whole map: it names the line that is missing, and is silent where the model is right."""

import re
from dataclasses import replace

import numpy as np
import pytest

import napari_wse2xai as w
import planted_maps as planted
from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.numerics import remedies
from napari_wse2xai.numerics.problem import Problem


def proposals(made):
    return w.check_model(made.fitted(), made.map)


def test_the_missing_line_of_planted_maps_is_proposed():
    tried = [made for seed in range(24) if planted.worth(made := planted.random_missing(seed)) > 10]
    found = [
        any(each.peak is not None and abs(each.peak.position - made.missing[0]) < made.missing[1] for each in proposals(made))
        for made in tried
    ]
    assert len(tried) > 12
    assert np.mean(found) >= 0.9


def test_right_maps_are_left_alone():
    assert not [each.words for seed in range(20) for each in proposals(planted.random_right(seed))]


def test_the_line_that_is_proposed_mends_the_fit():
    made = planted.missing_line(7)
    (best, *_) = proposals(made)
    assert best.kind == "missing line"
    assert "is not in the list: add it" in best.words
    assert abs(best.peak.position - 257) < 1
    mended = planted.Planted(made.counts, (*made.peaks, best.peak), np.concatenate([made.truth, made.truth * np.nan]), right=True)
    peaks = mended.fitted()
    assert np.median(peaks.fwhm[0]) == pytest.approx(4, rel=0.03)
    assert (peaks.status == w.Status.OK).mean() > 0.9


@pytest.mark.parametrize(
    ("make", "kind", "word"),
    [
        (lambda: planted.wrong_shape(1, true="gaussian"), "shape", "nearer Gaussian"),
        (lambda: planted.wrong_shape(1, true="lorentzian"), "shape", "nearer Lorentzian"),
        (lambda: planted.filter_edge(1), "edge", "205"),
        (lambda: planted.bent_background(1), "background", "background: quadratic"),
    ],
)
def test_every_fault_is_named(make, kind, word):
    (best, *_) = proposals(make())
    assert best.kind == kind
    assert word in best.words


def test_a_list_that_has_no_light_where_it_looks_is_told_the_line_beside():
    """Nothing can be said of fringes on a broad line that is not there."""
    x, start = np.arange(200.0, 300.0, 0.6), np.array([[275.0, 14.0, 100.0, 0.0]])
    problem = Problem(x, ("lorentzian",), start, start[:, 0], start * [[0.95, 0.3, 0, 0]], start * [[1.05, 4, 1e9, 1]], 1, 0.0)
    stack = remedies.Stack(problem, start * [[1, 1, 0, 1]], 30 / (1 + ((x - 225) / 6) ** 2), np.full(len(x), 0.5))
    found = remedies.best(stack)
    assert found.kind == "line"
    assert found.position == pytest.approx(225, abs=0.5)


@pytest.mark.parametrize("wide", [1.08, 1.25, 1.45])
def test_a_width_that_its_bound_holds_is_told_with_what_the_spectra_show(wide):
    """Neither a bent background, nor another shape, nor a line more: with the room that all of these have nothing is missed."""
    made = planted.held_width(5, wide=wide)
    peaks = made.fitted()
    assert peaks.under[0].degree == 1
    (best,) = w.check_model(peaks, made.map)
    assert (best.kind, best.names) == ("bound", ("B",))
    assert best.fwhm[0] == pytest.approx(9 * wide, rel=0.02)
    mended = w.stages.accepted(w.Deconvolve(peaks=made.peaks, pixels="everywhere"), best)(made.map)
    assert (mended.status == w.Status.OK).mean() > 0.98
    assert np.nanmean(made.off(mended) < 1) == pytest.approx(0.68, abs=0.03)
    assert np.nanmax(made.off(peaks)[[0]]) < 6


def test_bounds_that_are_set_by_hand_are_left_to_the_hand():
    made = planted.held_width(6, by_hand=True)
    (best,) = proposals(made)
    assert best.kind == "bound"
    assert "move its bounds" in best.words
    assert not best.can_be_accepted


def test_what_is_proposed_can_be_accepted_and_mends_the_settings():
    made = planted.missing_line(7)
    settings = w.Deconvolve(peaks=made.peaks)
    (line, *_) = proposals(made)
    assert line.can_be_accepted
    assert w.stages.accepted(settings, line).peaks == (*made.peaks, line.peak)
    made = planted.wrong_shape(3, true="gaussian")
    shape = next(each for each in proposals(made) if each.kind == "shape")
    assert {peak.shape for peak in w.stages.accepted(w.Deconvolve(peaks=made.peaks), shape).peaks} == {"gaussian"}


def test_a_shifted_axis_is_told_with_what_silicon_says():
    made = [planted.random_shifted(seed) for seed in range(20)]
    told = [next((each for each in proposals(each_made) if each.kind == "calibrate"), None) for each_made in made]
    right = [each is not None and abs(each.moved - one.missing[0]) < 0.25 * one.missing[1] for each, one in zip(told, made, strict=True)]
    assert np.mean(right) >= 0.95
    for seed, (each, one) in enumerate(zip(told, made, strict=True)):
        said = "" if each is None else each.words.partition("silicon says ")[2].strip(" .")
        assert bool(said) == (seed % 2 == 1)
        assert not said or float(said) == pytest.approx(one.missing[0], abs=0.5)


def test_lines_within_reach_of_the_list_ask_for_no_calibration():
    assert not [each.words for seed in range(20) for each in proposals(planted.random_shifted(seed, shift=False))]


def test_a_list_that_is_moved_as_proposed_fits():
    made = planted.random_shifted(3)
    settings = w.Deconvolve(peaks=made.peaks, pixels="everywhere")
    (best, *rest) = proposals(made)
    assert best.can_be_accepted
    assert not [each for each in rest if each.kind == "missing line"]
    peaks = w.stages.accepted(settings, best)(made.map)
    assert (peaks.status == w.Status.OK).mean() > 0.97


def test_a_line_that_the_window_cuts_is_told_where_it_does_harm():
    made = [planted.random_cut(seed) for seed in range(20)]
    fits = [(one, one.fitted()) for one in made if planted.worth(one) > 10]
    harmed = [(one, peaks) for one, peaks in fits if (peaks.status != w.Status.OK).mean() > 0.02]
    assert len(harmed) >= 18
    assert all((np.nan_to_num(one.off(peaks)).max(axis=(0, 1))[peaks.status == w.Status.OK] < 5).all() for one, peaks in fits)
    assert np.mean([any(each.kind == "window" for each in w.check_model(peaks, one.map)) for one, peaks in harmed]) >= 0.9


def test_a_band_as_wide_as_the_window_is_told_with_its_width_and_is_no_line_that_is_cut():
    rng = np.random.default_rng(4)
    lines = (250.0 * np.ones(planted.SHAPE), 4.0, 400.0), (262.0 * np.ones(planted.SHAPE), 6.0, 200.0)
    bump = 160 * np.exp(-4 * np.log(2) * ((planted.X - 247.0) / 30.0) ** 2)
    counts = planted.noisy(rng, sum(planted.lorentzian(planted.X, *line) for line in lines) + bump + 100, 6.0)
    peaks = tuple(w.Peak(name=name, position=x, fwhm=wide, window=(225, 295)) for name, x, wide in (("A", 250, 4), ("B", 262, 6)))
    made = planted.Planted(counts, peaks, planted.truth_of(*lines), False)
    (told,) = w.check_model(made.fitted(), made.map)
    assert told.kind == "window" and "too narrow for a band near 24" in told.words and "background" in told.words


@pytest.mark.parametrize("seed", range(4))
def test_fringes_of_a_detector_are_named_with_their_period(seed):
    """Etaloning: the light of the line, not the dark level, rises and falls along the axis, in every pixel alike."""
    dice, x = np.random.default_rng(seed), np.linspace(680.0, 840.0, 380)
    period, depth = dice.uniform(3, 9), dice.uniform(0.01, 0.06)
    places, heights = 752 + dice.uniform(-2, 2, (12, 17)), dice.uniform(1000, 5000, (12, 17))
    fringes = 1 + depth * np.sin(2 * np.pi * x / period + dice.uniform(0, 6))
    counts = 400 + dice.poisson(planted.gaussian(x, places, 26, heights) * fringes) + 6 * dice.normal(size=(12, 17, 380))
    source = w.SpectralMap.from_arrays(counts.astype(np.float32), x, AxisKind.WAVELENGTH)
    peak = w.Peak(name="exciton", shape="gaussian", position=750, fwhm=24, window=(690, 815))
    (best, *_) = w.check_model(w.Deconvolve(peaks=[peak], pixels="everywhere")(source), source)
    assert best.kind == "fringes"
    told = re.search(r"every ([\d.]+) nm, by ([\d.]+) % of the light", best.words)
    assert [float(each) for each in told.groups()] == [pytest.approx(period, rel=0.03), pytest.approx(100 * depth, rel=0.15)]


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (4, 5)])
def test_a_few_spectra_and_one_alone_show_what_they_show(shape):
    """A point of a map is often measured alone; noise there is no line, and a line is one."""

    def some(made):
        few = (slice(shape[0]), slice(shape[1]))
        return proposals(replace(made, counts=made.counts[few], truth=made.truth[:, :, *few]))

    strong = [made for seed in range(12) if planted.worth(made := planted.random_missing(seed)) * (shape[0] * shape[1] / 210) ** 0.5 > 20]
    assert len(strong) >= 4
    assert all(some(made) for made in strong)
    assert not [each.words for seed in range(24) for each in some(planted.random_right(seed))]


def test_no_filter_is_blamed_where_a_raman_spectrum_steps_down(shared_data):
    """Filters only let more through with growing shift; below MoS2's E' lies a band that ends there, and the fit had two lines alone."""
    with pytest.warns(DataWarning):
        source = w.FindFlake()(w.read(shared_data / "other" / "mos2_triangle_on_silicon.txt.gz", unit="cm-1"))
    peaks = w.Deconvolve(peaks=[w.Peak(name=name, position=at, fwhm=5, window=(355, 440)) for name, at in (("E'", 384), ("A1'", 403))])(
        source
    )
    assert w.check_model(peaks, source)[0].kind in ("window", "missing line")


@pytest.mark.parametrize(("ends", "kind"), [(235, "window"), (262, "edge")])
def test_a_band_that_ends_beside_a_line_is_no_filter(ends, kind):
    line = tuple(each * np.ones(planted.SHAPE) for each in (250, 4, 400))
    counts = planted.noisy(
        np.random.default_rng(0), planted.lorentzian(planted.X, *line) + 100 + 50 / (1 + np.exp((planted.X - ends) / 2)), 6.0
    )
    (best, *_) = proposals(
        planted.Planted(counts, (w.Peak(name="A", position=250, fwhm=4, window=(215, 285)),), planted.truth_of(line), False)
    )
    assert best.kind == kind
    assert "filter begins" not in best.words
