"""Tops that the detector's ceiling cuts off: marked, counted and not learnt from, whatever was done to the counts since."""

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.stages import Baseline, ConvertAxis, Deconvolve, Despike, Normalise, Peak
from napari_wse2xai.stages._saturation import with_ceiling
from planted_maps import X, lorentzian, noisy

SHAPE = (11, 14)
pytestmark = pytest.mark.filterwarnings("ignore:.*saturated:napari_wse2xai.errors.DataWarning")
PEAKS = (Peak(name="A1'", position=250, fwhm=4, window=(230, 270)),)
FIT = Deconvolve(peaks=PEAKS, pixels="everywhere")


def counts_of(*, seed=0, height=800.0, quantum=0.0):
    rng = np.random.default_rng(seed)
    counts = noisy(rng, lorentzian(X, 250 + 0.2 * rng.normal(size=SHAPE), 4.0, height * rng.uniform(0.5, 1.5, SHAPE)) + 100, 6.0)
    return np.round(counts / quantum) * quantum if quantum else counts


def map_of(counts, **more):
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT, **more)


@pytest.mark.parametrize("quantum", [0.0, 1.0])
@pytest.mark.parametrize("share", [0.04, 0.3, 1.0])
def test_the_pixels_at_the_ceiling_are_found_and_no_others(share, quantum):
    counts = counts_of(quantum=quantum)
    level = float(np.quantile(counts.max(axis=-1), 1 - share)) if share < 1 else 300.0
    clipped = (counts >= level).any(axis=-1)
    with pytest.warns(DataWarning, match=rf"{clipped.sum()} pixels? of 'map' (is|are) saturated"):
        peaks = FIT(map_of(np.minimum(counts, level)))
    assert np.array_equal(peaks.status == Status.SATURATED, clipped)


@pytest.mark.parametrize("stage", [Despike(), Baseline(), Normalise(exposure_s=2, power_mw=3), ConvertAxis(to="nm")])
def test_the_mark_outlives_what_changes_the_counts(stage):
    source = map_of(np.minimum(counts_of(), 700.0), laser_nm=532.0)
    where = np.unique(with_ceiling(source).saturated[:, :2], axis=0)
    after = stage(source)
    assert np.array_equal(np.unique(after.saturated[:, :2], axis=0), where)
    row, column, channel = after.saturated.T
    assert (after.counts[row, column, channel] > 0.9 * after.counts[row, column].max(axis=1)).all()


def test_a_pixel_that_is_at_the_ceiling_throughout_is_saturated_and_not_below_noise():
    counts = np.minimum(counts_of() * 10, 64560.0)
    counts[3, 4] = counts[7, 2] = 64560.0
    status = FIT(map_of(counts)).status
    assert status[3, 4] == status[7, 2] == Status.SATURATED


def test_one_channel_at_the_last_number_of_a_converter_is_enough():
    counts = np.round(counts_of() * 40)
    counts[5, 6, np.abs(X - 250).argmin()] = 65535
    assert FIT(map_of(np.minimum(counts, 65535))).status[5, 6] == Status.SATURATED


def test_a_ceiling_that_each_spectrum_has_for_itself_is_seen():
    rng = np.random.default_rng(4)
    counts = np.minimum(counts_of(), 400.0) - rng.uniform(0, 50, SHAPE)[..., None]  # a dark level taken off each
    assert (FIT(map_of(counts)).status == Status.SATURATED).mean() > 0.95


def test_only_the_window_that_is_cut_says_so():
    counts = counts_of(height=200.0) + lorentzian(X, 300.0, 6.0, 3000.0)
    peaks = (*PEAKS, Peak(name="B", position=300, fwhm=6, window=(280, 318)))
    found = Deconvolve(peaks=peaks, pixels="everywhere")(map_of(np.minimum(counts, 2000.0)))
    assert not (found.peak_status[0] == Status.SATURATED).any()
    assert (found.peak_status[1] == Status.SATURATED).all()
    assert (found.status == Status.SATURATED).all()


def test_a_cosmic_ray_at_the_ceiling_that_was_removed_is_no_saturation():
    counts = counts_of()
    for row, column in ((2, 3), (4, 9), (6, 6), (8, 11), (9, 1), (1, 12)):
        counts[row, column, 110] = 5000.0
    assert (FIT(Despike()(map_of(counts))).status == Status.OK).mean() > 0.97


@pytest.mark.parametrize("level", [0.05, 1, 8, 300])
def test_few_photons_have_no_ceiling(level):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        bright = rng.uniform(1, 10, SHAPE)[..., None] * (0.2 + lorentzian(X, 250.0 * np.ones(SHAPE), 4.0, 1.0))
        assert not len(with_ceiling(map_of(rng.poisson(level * bright).astype(np.float32))).saturated)


def test_a_channel_that_is_stuck_is_no_ceiling_and_hides_none():
    counts = np.minimum(counts_of(), 700.0)
    there = len(with_ceiling(map_of(counts)).saturated)
    counts[..., 12] = 9000.0
    assert there > 100
    assert len(with_ceiling(map_of(counts)).saturated) == there


def test_without_noise_and_without_light_nothing_is_saturated():
    line = lorentzian(X, 250.0 * np.ones(SHAPE), 4.0, 400.0) + 100
    for counts in (line, np.round(line), np.zeros_like(line)):
        assert not len(with_ceiling(map_of(counts)).saturated)


def test_the_real_map_with_45_pixels_at_its_ceiling(shared_data):
    from napari_wse2xai import read

    with pytest.warns(DataWarning):
        source = read(shared_data / "other" / "fzu_carbon_map.txt.gz", unit="cm-1")
    places = with_ceiling(source).saturated
    assert len(np.unique(places[:, :2], axis=0)) == 45
    whole = np.argwhere((source.counts == source.counts.max()).all(axis=-1))
    peak = Peak(name="G", position=1585, fwhm=60, window=(1450, 1750))
    with pytest.warns(DataWarning, match="saturated"):
        status = Deconvolve(peaks=(peak,), pixels="everywhere")(source).status
    assert len(whole) == 3
    assert (status[tuple(whole.T)] == Status.SATURATED).all()


@pytest.mark.parametrize("top", [1.0, 100.0])
def test_spectra_that_were_divided_by_their_own_maximum_are_no_saturated_ones_and_it_is_said(top):
    counts = counts_of() * (np.arange(14) < 9)[None, :, None] + noisy(np.random.default_rng(1), np.full((*SHAPE, len(X)), 100.0), 6.0)
    with pytest.warns(DataWarning, match=rf"All spectra of 'map' have the same highest value, {top:g}: each was divided by its own"):
        peaks = FIT(map_of(top * counts / counts.max(axis=-1, keepdims=True)))
    assert not (peaks.status == Status.SATURATED).any()
    assert (peaks.status[:, :9] == Status.OK).mean() > 0.95


def test_a_channel_that_is_stuck_above_all_light_is_no_such_division():
    counts = counts_of()
    counts[..., 20] = 5000.0
    with pytest.warns(DataWarning) as told:
        assert (FIT(map_of(counts)).status == Status.OK).mean() > 0.95
    assert not any("divided by its own" in str(each.message) for each in told)
