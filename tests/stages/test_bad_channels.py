"""Channels that tell nothing, everywhere or in single pixels: left out of the fit and told; never believed, and no line taken for one."""

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.stages import Baseline, Calibrate, ConvertAxis, Deconvolve, Despike, Peak
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages.baseline import AsymmetricLeastSquares
from napari_wse2xai.synthetic import make_flake
from planted_maps import X, lorentzian, noisy

SHAPE = (13, 15)
ROW, COLUMN = np.mgrid[: SHAPE[0], : SHAPE[1]]
DISC = (ROW - 6) ** 2 + (COLUMN - 7) ** 2 < 30
FIT = Deconvolve(peaks=(Peak(name="A1'", position=250, fwhm=4, window=(230, 270)),), pixels="everywhere")
HOT = 125
CHAINS = {
    "raw": lambda source: source,
    "despiked, baseline": lambda source: Baseline()(Despike()(source)),
    "asls": Baseline(method=AsymmetricLeastSquares()),
}


def made(*, on=DISC, seed=0, width=4.0, height=400.0):
    """Counts (y, x, n) and the truth of the line."""
    rng = np.random.default_rng(seed)
    place = 250 + 0.2 * rng.normal(size=SHAPE)
    return noisy(rng, lorentzian(X, place, width, height * on) + 100, 6.0), (place, width, height)


def map_of(counts, **more):
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT, **more)


def pulls(peaks, truth, where):
    found = zip(("position", "fwhm", "height"), truth, strict=True)
    return np.array([((getattr(peaks, name)[0] - true) / getattr(peaks, f"{name}_error")[0])[where] for name, true in found])


FAULTS = {
    "hot": lambda counts: counts[..., HOT : HOT + 1].__iadd__(300),
    "dull": lambda counts: counts[..., HOT : HOT + 1].__imul__(0.4),
    "dead": lambda counts: counts[..., HOT : HOT + 1].__imul__(0),
    "hot, three": lambda counts: counts[..., HOT : HOT + 3].__iadd__(200),
    "no value": lambda counts: np.copyto(counts[..., HOT : HOT + 3], np.nan),
    "stuck": lambda counts: np.copyto(counts[..., HOT : HOT + 1], 103.0),
    "stuck at the top": lambda counts: np.copyto(counts[..., HOT : HOT + 1], 65535.0),
}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_channel_that_tells_nothing_anywhere_is_left_out_and_told(fault, chain):
    counts, truth = made()
    FAULTS[fault](counts)
    with pytest.warns(DataWarning, match=r"tells? nothing in any pixel .* at 255") as told:
        peaks = FIT(CHAINS[chain](map_of(counts)))
    assert len([each for each in told if "nothing in any pixel" in str(each.message)]) == 1
    assert (peaks.status[DISC] == Status.OK).mean() > 0.97
    off = pulls(peaks, truth, DISC)
    assert np.abs(np.nanmean(off, axis=1)).max() < (0.4 if chain == "raw" else 1.0)
    assert 0.8 < np.nanstd(off, axis=1).mean() < 1.2
    assert np.nanmedian(peaks.position_error[0]) < 0.025


@pytest.mark.parametrize("width", [0.7, 1.0, 1.5, 3.0])
@pytest.mark.parametrize("form", ["lorentzian", "gaussian"])
def test_no_line_is_taken_for_a_bad_channel(width, form):
    far = (X - 250.1) / width
    line = 1 / (1 + 4 * far**2) if form == "lorentzian" else np.exp(-4 * np.log(2) * far**2)
    counts = noisy(np.random.default_rng(1), DISC[..., None] * line * 5000 + 100, 6.0)
    assert not len(screened(map_of(counts)).bad_channels)


@pytest.mark.parametrize("lines", ["usual", "high resolution"])
def test_sample_flakes_have_no_bad_channel(lines):
    flake = make_flake("star", seed=3) if lines == "usual" else make_flake("star", seed=3, lines=lines)
    assert not len(screened(flake.raman).bad_channels)
    assert not len(screened(flake.pl).bad_channels)


def test_a_bad_channel_keeps_its_place_when_the_axis_turns_or_is_cut():
    counts, _ = made()
    counts[..., HOT] += 300
    source = map_of(counts, laser_nm=532.0)
    with pytest.warns(DataWarning, match="hot at 255"):
        known = screened(source)
    turned = ConvertAxis(to="eV")(known)
    assert turned.bad_channels.tolist() == [len(X) - 1 - HOT]
    assert (turned.counts[..., turned.bad_channels[0]] == known.counts[..., HOT]).all()


@pytest.mark.parametrize("chain", ["raw", "despiked, baseline"])
@pytest.mark.parametrize("length", [1, 3, 5])
def test_short_gaps_are_left_out_and_errors_stay_true(length, chain):
    counts, truth = made(on=np.ones(SHAPE), seed=5)
    rng = np.random.default_rng(7)
    gap = rng.random(SHAPE) < 0.5
    for row, column in np.argwhere(gap):
        first = rng.integers(112, 123)  # on the line, 116.7 is its middle
        counts[row, column, first : first + length] = np.nan
    peaks = FIT(CHAINS[chain](map_of(counts)))
    assert np.isin(peaks.status, [Status.OK, Status.TOO_FEW_CHANNELS]).mean() > 0.97
    assert (peaks.status[gap] == Status.OK).mean() > 0.5
    off = pulls(peaks, truth, gap)
    assert (np.abs(np.nanmean(off, axis=1)) < (0.35 if chain == "raw" else 0.8)).all()
    assert ((np.nanstd(off, axis=1) > 0.9) & (np.nanstd(off, axis=1) < 1.2)).all()
    assert np.nanmax(np.abs(off)) < 5


@pytest.mark.parametrize("chain", CHAINS)
def test_a_line_that_a_long_run_takes_away_is_not_believed(chain):
    counts, _ = made(on=np.ones(SHAPE))
    counts[3, 4, 108:124] = np.nan
    counts[5, 6, 100:140] = np.nan
    status = FIT(CHAINS[chain](map_of(counts))).status
    assert status[3, 4] == status[5, 6] == Status.TOO_FEW_CHANNELS
    assert (status == Status.OK).mean() > 0.97


@pytest.mark.parametrize("height", [100, 300, 10_000])
@pytest.mark.parametrize("window", [(238, 262), (225, 275), (190, 310)])
def test_a_spike_is_no_yardstick_of_itself(height, window):
    counts, _ = made(on=np.ones(SHAPE))
    counts[5, 6, np.abs(X - 256).argmin()] += height
    peaks = Deconvolve(peaks=(Peak(name="A1'", position=250, fwhm=4, window=window),), pixels="everywhere")(map_of(counts))
    assert peaks.status[5, 6] in (Status.SPIKE_LEFT, Status.ABNORMAL)
    assert (peaks.status == Status.OK).mean() > 0.97


def test_a_drift_correction_keeps_the_marks():
    flake = make_flake("triangle", seed=2)
    counts = flake.raman.counts.copy()
    counts[..., 700] += 2000
    source = SpectralMap.from_arrays(counts, flake.raman.axis.values, AxisKind.RAMAN_SHIFT, frame=flake.raman.frame)
    with pytest.warns(DataWarning, match="hot"):
        moved = Calibrate(drift="by rows")(source)
    assert np.abs(moved.axis.values[moved.bad_channels] - source.axis.values[700]).max() < 3
