"""What a user may do wrong: one clear sentence each, never a traceback of ours."""

import numpy as np
import pytest
from pydantic import ValidationError

from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.errors import Cancelled, DataError, DataWarning
from napari_wse2xai.stages import STAGES, Baseline, ConvertAxis, Deconvolve, Despike, FindFlake, Normalise, Peak
from napari_wse2xai.stages.baseline import PiecewiseLinear


def noise_map(ny=12, nx=10, n=200, seed=0):
    counts = np.random.default_rng(seed).normal(100, 5, (ny, nx, n))
    return SpectralMap.from_arrays(counts, np.linspace(100, 300, n), AxisKind.RAMAN_SHIFT, name="noise")


def one_peak(**fields):
    return Deconvolve(peaks=(Peak(**{"name": "A1'", "position": 250, "fwhm": 4, "window": (200, 290)} | fields),))


def test_no_flake():
    with pytest.raises(DataError, match=r"No flake was found in 'noise'.*lower k"):
        FindFlake(k=8)(noise_map())


def test_peak_outside_the_measured_range():
    with pytest.raises(DataError, match=r"A1' is expected at 520 cm-1.*100 to 300"):
        one_peak(position=520, window=(500, 540))(noise_map())


def test_window_with_fewer_channels_than_parameters():
    with pytest.raises(DataError, match=r"holds 2 channels, not more than the 3 parameters"):
        one_peak(window=(249, 251))(noise_map())


def test_no_peaks():
    with pytest.raises(DataError, match="no peak"):
        Deconvolve()(noise_map())


def test_peak_outside_its_window_and_doubled_names_are_refused_at_once():
    with pytest.raises(ValidationError, match="outside its window"):
        one_peak(position=120)
    peak = one_peak().peaks[0]
    with pytest.raises(ValidationError, match="two peaks are called A1'"):
        Deconvolve(peaks=(peak, peak))


def test_window_the_wrong_way_round():
    with pytest.raises(ValidationError, match="from low to high"):
        one_peak(window=(290, 200))


def test_one_pixel_map_goes_through():
    x = np.linspace(200, 300, 200)
    counts = 50 + 900 / (1 + ((x - 250) / 2) ** 2) + np.random.default_rng(0).normal(0, 5, 200)
    source = SpectralMap.from_arrays(counts[None, None], x, AxisKind.RAMAN_SHIFT)
    clean = Baseline(method=PiecewiseLinear(areas=((210, 290),)))(Despike()(source))
    peaks = one_peak(window=(210, 290))(clean)
    assert peaks.status[0, 0] == Status.OK
    assert peaks.position[0, 0, 0] == pytest.approx(250, abs=0.1)
    assert peaks.height[0, 0, 0] == pytest.approx(900, rel=0.02)  # there are no neighbours to say that the top is no cosmic ray


def test_missing_pixels_and_channels():
    source = noise_map()
    counts = source.counts.copy()
    counts[:, :, 140:160] += 2000
    counts[3, 4] = np.nan
    counts[5, 6, 20] = np.nan
    holey = SpectralMap.from_arrays(counts, source.axis.values, AxisKind.RAMAN_SHIFT)
    peaks = one_peak()(Baseline()(Despike()(holey)))
    assert peaks.status[3, 4] == Status.NOT_MEASURED
    assert np.isnan(peaks.height[0, 3, 4])
    assert peaks.status[5, 6] != Status.NOT_MEASURED


def test_an_absent_peak_has_a_height_with_error_but_no_position():
    source = noise_map()
    peaks = one_peak()(Baseline()(source))
    absent = peaks.status == Status.BELOW_NOISE
    assert absent.mean() > 0.9
    assert np.isnan(peaks.position[0][absent]).all()
    assert np.isfinite(peaks.height[0][absent]).all()
    assert (peaks.height_error[0][absent] > 0).mean() > 0.9


def test_a_bright_corner_is_reported():
    source = noise_map(20, 20)
    counts = source.counts.copy()
    line = np.exp(-(((source.axis.values - np.median(source.axis.values)) / (0.05 * np.ptp(source.axis.values))) ** 2))
    counts[:8, :8] += 500 * line
    bright = SpectralMap.from_arrays(counts, source.axis.values, AxisKind.RAMAN_SHIFT, name="filled")
    counts[12:, 12:] += 900 * line
    with pytest.warns(DataWarning, match=r"top left corner of 'filled'"):
        FindFlake(corner="top left", corner_size=4, k=3)(
            SpectralMap.from_arrays(counts, bright.axis.values, AxisKind.RAMAN_SHIFT, name="filled")
        )


def test_replaced_channels_turn_over_with_the_axis():
    counts = np.random.default_rng(0).normal(100, 3, (5, 5, 80))
    counts[2, 3, 11] += 500
    source = Despike()(SpectralMap.from_arrays(counts, np.linspace(700, 800, 80), AxisKind.WAVELENGTH))
    turned = ConvertAxis(to="eV")(source)
    assert source.replaced_at(2, 3).tolist() == [11]
    assert turned.replaced_at(2, 3).tolist() == [68]


@pytest.mark.parametrize("medium", ["as read", "air", "vacuum"])
def test_conversion_keeps_the_light(medium):
    wavelength = np.linspace(700, 800, 400)
    counts = np.exp(-(((wavelength - 750) / 10) ** 2))[None, None] * 1e4
    source = SpectralMap.from_arrays(counts, wavelength, AxisKind.WAVELENGTH)
    energy = ConvertAxis(to="eV", medium=medium)(source)
    assert np.trapezoid(energy.counts[0, 0], energy.axis.values) == pytest.approx(np.trapezoid(counts[0, 0], wavelength), rel=1e-4)
    back = ConvertAxis(to="nm")(energy)
    assert back.counts == pytest.approx(source.counts, rel=1e-5)
    assert energy.intensity_unit == "counts nm/eV"


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage is not ConvertAxis])
def test_every_stage_can_be_cancelled(stage, triangle):
    def cancel(fraction, message):
        raise Cancelled

    asked = {Deconvolve: lambda: one_peak(window=(200, 299)), Normalise: lambda: Normalise(exposure_s=1.0, power_mw=1.0)}
    settings = asked.get(stage, stage)()
    with pytest.raises(Cancelled):
        settings(triangle.raman, cancel)
