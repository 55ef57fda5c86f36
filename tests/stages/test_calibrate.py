"""Calibration finds what was planted, says how sure it is, and says why where it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai import io
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.data.axis import Medium, convert_values, to_vacuum
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.lineshapes import gaussian, lorentzian
from napari_wse2xai.stages import Calibrate, ConvertAxis, Deconvolve, Peak
from napari_wse2xai.stages.references import LAMP_LINES_NM, KnownLine, Lamp, LaserLine, OwnLines, Silicon


def shown_lower(source, by):
    """The map as an instrument shows it whose axis reads too low."""
    return replace(source, axis=replace(source.axis, values=source.axis.values - by))


def silicon_map(offset=0.0, height=800.0, shape=(12, 10), seed=0):
    """Silicon alone; `offset` (ny, nx) or one number is what the axis reads too low."""
    x = np.linspace(480, 560, 180)
    offset = np.broadcast_to(offset, shape)[..., None]
    light = lorentzian(x + offset, 520.7, 4.0, height) + 100
    noise = np.random.default_rng(seed).normal(0, 1, light.shape) * np.sqrt(light)
    return SpectralMap.from_arrays(light + noise, x, AxisKind.RAMAN_SHIFT, name="wafer", laser_nm=532.0)


def lamp_map(reads_low, seed=0):
    """Neon lines on an axis in nm that reads too low by a function of the axis."""
    nm, rng = np.linspace(600, 760, 1400), np.random.default_rng(seed)
    light = sum(gaussian(nm + reads_low(nm), line, 0.35, rng.uniform(500, 5000)) for line in LAMP_LINES_NM["neon"]) + 100
    counts = light + rng.normal(0, 1, (3, 4, len(nm))) * np.sqrt(light)
    return SpectralMap.from_arrays(counts, nm, AxisKind.WAVELENGTH, name="lamp", laser_nm=532.0)


@pytest.mark.parametrize("flake_is_known", [True, False])
def test_a_planted_offset_is_found_to_a_fiftieth(triangle, flake_is_known):
    source = replace(shown_lower(triangle.raman, 1.7), flake=triangle.truth.flake if flake_is_known else None)
    corrected = Calibrate()(source)
    found = corrected.axis.values - source.axis.values
    assert found == pytest.approx(np.full(len(found), 1.7), abs=0.02)
    assert ("off the flake" in corrected.metadata["calibration"]) == flake_is_known
    assert corrected.counts is source.counts


def test_the_error_of_a_shift_is_honest():
    pulls = []
    for seed in range(40):
        corrected = Calibrate()(silicon_map(1.7, height=150, shape=(4, 5), seed=seed))
        pulls.append((corrected.axis.values[0] - 480 - 1.7) / corrected.axis.error[0])
    assert 0.7 < np.std(pulls) < 1.35
    assert abs(np.mean(pulls)) < 0.5


@pytest.mark.parametrize(("drift", "across"), [("by rows", 0), ("by columns", 1)])
@pytest.mark.parametrize("total", [1.0, -0.3])
def test_a_planted_drift_is_found_to_a_tenth_and_taken_out(drift, across, total):
    shape = (12, 10)
    time = np.linspace(-0.5, 0.5, shape[across])
    offset = 1.7 + total * (time[:, None] if across == 0 else time[None, :])
    source = silicon_map(offset, height=3000)
    corrected = Calibrate(drift=drift)(source)
    words = corrected.metadata["calibration"].partition("drift ")[2]
    assert float(words.split()[0]) == pytest.approx(total, rel=0.1)
    peaks = Deconvolve(peaks=(Peak(name="Si", position=520.7, fwhm=4, window=(500, 540)),), pixels="everywhere")(corrected)
    assert peaks.position[0] == pytest.approx(np.full(shape, 520.7), abs=0.15)
    assert np.median(peaks.position) == pytest.approx(520.7, abs=0.02)
    left = np.polyfit(np.linspace(-0.5, 0.5, shape[across]), peaks.position[0].mean(axis=1 - across), 1)[0]
    assert abs(left) < 0.1 * abs(total)
    assert len(corrected.axis) < len(source.axis)
    assert len(corrected.axis.error) == len(corrected.axis)


def test_a_drift_leaves_what_was_not_measured_without_value():
    source = silicon_map(np.linspace(-1, 1, 12)[:, None], height=3000)
    source.counts[3, 4] = np.nan
    source.counts[5, 6, 20] = np.nan
    corrected = Calibrate(drift="by rows")(source)
    assert np.isnan(corrected.counts[3, 4]).all()
    assert 1 <= np.isnan(corrected.counts[5, 6]).sum() <= 3
    assert np.isfinite(np.delete(corrected.counts.reshape(120, -1), [34, 56], axis=0)).all()


def test_a_line_too_weak_for_one_spectrum_is_seen_in_the_medians():
    corrected = Calibrate()(silicon_map(1.7, height=15, shape=(30, 30)))
    assert corrected.axis.values[0] - 480 == pytest.approx(1.7, abs=4 * corrected.axis.error[0])
    assert 0.005 < corrected.axis.error[0] < 0.3


def test_a_cosmic_ray_does_not_move_the_axis(triangle):
    assert triangle.truth.raman.spikes.per_pixel.sum() > 100
    assert Calibrate()(triangle.raman).axis.values == pytest.approx(triangle.raman.axis.values, abs=0.003)


def test_the_flake_is_used_where_there_is_nothing_else():
    source = silicon_map(1.7)
    flake = np.zeros(source.frame.shape, bool)
    flake[:, :5] = True
    source.counts[:, 5:] = 100 + np.random.default_rng(0).normal(0, 10, source.counts[:, 5:].shape)
    corrected = Calibrate()(replace(source, flake=flake))
    assert "everywhere" in corrected.metadata["calibration"]
    assert corrected.axis.values[0] - 480 == pytest.approx(1.7, abs=0.02)


@pytest.mark.parametrize("to", ["nm", "eV", "cm-1"])
def test_lamp_lines_give_a_quadratic_correction_on_any_axis(to):
    def reads_low(nm):
        return 0.3 + 0.004 * (nm - 680) + 2e-5 * (nm - 680) ** 2

    source = lamp_map(reads_low)
    corrected = Calibrate(reference=Lamp(element="neon"), correction="quadratic")(ConvertAxis(to=to)(source))
    true = source.axis.values + reads_low(source.axis.values)
    wanted = np.sort(convert_values(true, AxisKind.WAVELENGTH, AxisKind.from_unit(to), 532.0))
    step = np.median(np.diff(wanted))
    assert np.abs(corrected.axis.values - wanted).max() < 0.02 * step
    assert (np.abs(corrected.axis.values - wanted) < 5 * corrected.axis.error).all()


def test_lamp_lines_on_an_axis_in_vacuum_are_those_in_vacuum():
    source = lamp_map(lambda nm: 0 * nm)
    vacuum = replace(source, axis=replace(source.axis, medium=Medium.VACUUM))
    corrected = Calibrate(reference=Lamp(element="neon"), correction="linear")(vacuum)
    assert corrected.axis.values == pytest.approx(to_vacuum(source.axis.values), abs=3e-3)


def test_what_the_polynomial_misses_is_in_the_error():
    bent = lamp_map(lambda nm: 1e-4 * (nm - 680) ** 2)
    shift = Calibrate(reference=Lamp(element="neon"), correction="shift")(bent)
    square = Calibrate(reference=Lamp(element="neon"), correction="quadratic")(bent)
    assert shift.axis.error.max() > 20 * square.axis.error.max()


def test_the_laser_line_and_own_lines():
    x = np.linspace(-40, 300, 700)
    light = gaussian(x + 0.8, 0.0, 3.0, 4000.0) + lorentzian(x + 0.8, 250.0, 4.0, 900.0) + 50
    counts = light + np.random.default_rng(0).normal(0, 1, (4, 4, 700)) * np.sqrt(light)
    source = SpectralMap.from_arrays(counts, x, AxisKind.RAMAN_SHIFT, laser_nm=532.0)
    for reference in (LaserLine(), OwnLines(lines=(KnownLine(position=250.0),))):
        assert Calibrate(reference=reference)(source).axis.values == pytest.approx(x + 0.8, abs=0.03)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"reference": Silicon(position=700)}, r"measured from 480 to 560 cm-1, where 0 lines .*silicon: 700.*choose another reference"),
        ({"correction": "linear"}, r"1 lines of the reference .* linear needs 2"),
        ({"reference": OwnLines()}, r"none given"),
        ({"reference": OwnLines(lines=(KnownLine(position=500.0),)), "search": 8.0}, r"line at 500 cm-1 was found in 0 of .*ratio of"),
        ({"drift": "by rows", "pixels": "everywhere"}, r"too small a part of the scan to know its drift; leave the drift out"),
    ],
)
def test_what_cannot_be_calibrated_is_said_in_one_sentence(settings, words):
    source = silicon_map(shape=(12, 10))
    source.counts[4:, :, 60:120] = np.nan
    with pytest.raises(DataError, match=words) as caught:
        Calibrate(**settings)(source)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("'wafer'")


def test_one_pixel_and_one_row_go_through():
    for shape in ((1, 1), (1, 9), (9, 1)):
        assert Calibrate()(silicon_map(1.7, shape=shape)).axis.values[0] == pytest.approx(481.7, abs=0.2)


def test_a_map_without_values_is_refused():
    source = silicon_map()
    source.counts[:] = np.nan
    with pytest.raises(DataError, match="no spectrum has values there"):
        Calibrate()(source)


def test_a_correction_may_not_fold_the_axis():
    lines = tuple(KnownLine(position=position) for position in (505.0, 511.0, 540.0))
    x = np.linspace(480, 560, 400)
    light = sum(lorentzian(x, at, 2.0, 900.0) for at in (509.0, 507.5, 540.0)) + 20
    source = SpectralMap.from_arrays(np.broadcast_to(light, (2, 2, 400)), x, AxisKind.RAMAN_SHIFT, name="wafer")
    with pytest.raises(DataError, match=r"fold|cannot be calibrated"):
        Calibrate(reference=OwnLines(lines=lines), correction="quadratic", search=8)(source)


def test_a_conversion_carries_the_error_on():
    corrected = Calibrate()(silicon_map(1.7))
    energy = ConvertAxis(to="eV")(corrected)
    assert energy.axis.error == pytest.approx(np.full(180, corrected.axis.error[0] / 8065.544), rel=1e-3)
    assert ConvertAxis(to="cm-1")(energy).axis.error == pytest.approx(corrected.axis.error, rel=1e-3)


def test_calibration_is_written_and_read_again(tmp_path):
    source = silicon_map(1.7)
    corrected = Calibrate()(replace(source, axis=replace(source.axis, medium=Medium.AIR)))
    io.write_map(corrected, tmp_path / "map.nc")
    found = io.read(tmp_path / "map.nc")
    assert (found.axis.medium, found.metadata["calibration"]) == (Medium.AIR, corrected.metadata["calibration"])
    np.testing.assert_array_equal(found.axis.error, corrected.axis.error)


def test_real_silicon_lies_where_it_should_afterwards(shared_data):
    path = shared_data / "witec" / "Si-data.WIP"
    source = io.read(path, io.list_items(path)[0].name)
    corrected = Calibrate()(source)
    peaks = Deconvolve(peaks=(Peak(name="Si", position=520.7, fwhm=20, window=(480, 560)),), pixels="everywhere")(corrected)
    assert np.median(peaks.position) == pytest.approx(520.7, abs=1.0)
    # A broad, lopsided line: scipy puts it at 526.45 to 527.63, standard deviation 0.35, with other shapes, backgrounds and windows.
    assert 0.35 < corrected.axis.error[0] < 0.8


def with_line(source, position, fwhm, height):
    """The map with one more line in every spectrum."""
    return replace(source, counts=(source.counts + lorentzian(source.axis.values, position, fwhm, height)).astype(np.float32))


@pytest.mark.parametrize(("away", "height"), [(-9.0, 800.0), (8.0, 2500.0), (-7.0, 250.0)])
def test_silicon_is_not_guessed_where_two_lines_are_seen(away, height):
    source = with_line(silicon_map(0.4), 520.3 + away, 3.0, height)
    with pytest.raises(DataError, match=r"2 lines are seen near 520.7 cm-1, at \d+\.?\d* and \d+\.?\d*, and only one can be it; set the"):
        Calibrate()(source)
    corrected = Calibrate(search=4.0)(source)
    assert corrected.axis.values[0] - 480 == pytest.approx(0.4, abs=0.1)


def test_what_peeps_in_at_the_end_of_the_search_range_is_not_the_line():
    source = with_line(silicon_map(height=0), 532.0, 8.0, 800.0)
    with pytest.raises(DataError, match="lies at the end of the search range, at 53"):
        Calibrate()(source)


@pytest.mark.parametrize("seed", range(6))
def test_a_line_at_the_ceiling_does_not_claim_to_be_sure(seed):
    rng = np.random.default_rng(seed)
    offset, step = rng.uniform(-1, 1), rng.uniform(1.5, 2.2)
    x = np.arange(470, 570, step) + rng.uniform(0, step)
    light = lorentzian(x + offset, 520.7, np.hypot(3, 1.5 * step), 20_000.0) + rng.normal(100, 5, (8, 9, len(x)))
    everywhere = SpectralMap.from_arrays(np.minimum(light, 12_000), x, AxisKind.RAMAN_SHIFT, name="wafer")
    corrected = Calibrate()(everywhere)
    assert abs(corrected.axis.values[0] - x[0] - offset) < 3 * corrected.axis.error[0]
    light[4:] *= 0.5
    partly = Calibrate()(replace(everywhere, counts=np.minimum(light, 12_000).astype(np.float32)))
    assert partly.axis.values[0] - x[0] == pytest.approx(offset, abs=0.05)
    assert partly.axis.error[0] < 0.02
