"""The whole chain on THE flake, against its truth: the numbers that the project promises."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.data import Status
from napari_wse2xai.io import read
from napari_wse2xai.stages import STAGES, Baseline, Deconvolve, Despike, FindFlake, _bands
from napari_wse2xai.stages.baseline import PiecewiseLinear
from napari_wse2xai.stages.solvers import RAdam
from napari_wse2xai.synthetic import make_flake
from napari_wse2xai.synthetic.instrument import SPIKE_PROFILES

A1 = 3


def test_the_flake_is_found(clean_raman, triangle):
    found, true = clean_raman.flake, triangle.truth.flake
    assert (found & true).sum() / (found | true).sum() > 0.97


def test_a1_position_and_height_are_right(raman_peaks, triangle):
    on = triangle.truth.flake & (raman_peaks.status == Status.OK)
    position = np.abs(raman_peaks.position[A1] - triangle.truth.raman.position[A1])[on]
    height = np.abs(raman_peaks.height[A1] / triangle.truth.raman.height[A1] - 1)[on]
    assert np.median(position) < 0.05
    assert np.median(height) < 0.02


def test_nearly_every_flake_pixel_is_ok(raman_peaks, triangle):
    assert (raman_peaks.status[triangle.truth.flake] == Status.OK).mean() > 0.97


def test_errors_of_a1_are_honest(raman_peaks, triangle):
    on = triangle.truth.flake & (raman_peaks.status == Status.OK)
    for name in ("position", "height"):
        pull = (getattr(raman_peaks, name)[A1] - getattr(triangle.truth.raman, name)[A1]) / getattr(raman_peaks, f"{name}_error")[A1]
        assert 0.85 < np.std(pull[on]) < 1.15


def test_outside_the_flake_there_is_no_value(raman_peaks, clean_raman):
    off = ~clean_raman.flake
    assert (raman_peaks.status[off] == Status.NOT_ON_FLAKE).all()
    for name in ("position", "fwhm", "height", "position_error", "fwhm_error", "height_error"):
        assert np.isnan(getattr(raman_peaks, name)[:, off]).all()
    assert np.isnan(raman_peaks.reduced_chi2[off]).all()


def test_the_papers_solver_gives_the_same_a1(clean_raman, deconvolve, raman_peaks):
    rows = clean_raman.flake.copy()
    rows[: np.flatnonzero(rows.any(axis=1))[len(np.flatnonzero(rows.any(axis=1))) // 2]] = False
    few = np.zeros_like(rows)
    few.ravel()[np.flatnonzero(rows)[:10]] = True
    paper = deconvolve.model_copy(update={"solver": RAdam(steps=1000)})(replace(clean_raman, flake=few))
    difference = (paper.position[A1] - raman_peaks.position[A1])[few] / raman_peaks.position_error[A1][few]
    assert np.abs(difference).max() < 0.3


def test_history_names_every_step_with_its_settings(raman_peaks):
    steps = [record.step for record in raman_peaks.history]
    assert steps[-4:] == ["FindFlake", "Despike", "Baseline", "Deconvolve"]
    last = raman_peaks.history[-1]
    assert Deconvolve(**last.settings).peaks[0].position == 195


@pytest.mark.parametrize("stage", STAGES)
def test_settings_survive_json(stage):
    settings = stage()
    assert stage.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize("stage", STAGES)
def test_every_setting_explains_itself(stage):
    for name, field in stage.model_fields.items():
        assert field.title, name
        assert field.description, name


def test_flake_finding_does_not_depend_on_orientation(triangle):
    mirrored = replace(triangle.raman, counts=triangle.raman.counts[::-1, ::-1])
    settings = FindFlake(window=(183, 300))
    assert (settings(mirrored).flake == settings(triangle.raman).flake[::-1, ::-1]).mean() > 0.995


def test_input_is_left_as_it_was(triangle):
    before = triangle.raman.counts.copy()
    Despike()(triangle.raman)
    assert np.array_equal(before, triangle.raman.counts, equal_nan=True)


@pytest.mark.parametrize("kind", ["triangle", "star"])
def test_planted_spikes_go_and_lines_stay(kind):
    flake = make_flake(kind, seed=5)
    spiky = flake.raman
    planted = flake.truth.raman.spikes
    repaired = Despike()(spiky)
    excess = np.abs(repaired.counts - (spiky.counts - flake.truth.raman.spikes.added(SPIKE_PROFILES)))
    noise = np.sqrt(flake.truth.gain * (flake.truth.raman.clean() - flake.truth.offset) + flake.truth.read_noise**2)
    worst = [
        (excess[row, column, first : first + width] / noise[row, column, first : first + width]).max()
        for row, column, first, width in zip(planted.row, planted.column, planted.channel, planted.width, strict=True)
    ]
    assert np.mean(np.array(worst) < 6) >= 0.99


@pytest.mark.parametrize("kind", ["triangle", "star"])
def test_a1_channels_without_a_spike_stay_as_they_were(kind):
    flake = make_flake(kind, seed=5)
    free = flake.truth.flake & (flake.truth.raman.spikes.per_pixel == 0)
    changed = Despike()(flake.raman).counts != flake.raman.counts
    assert changed[free][:, flake.raman.axis.between(243, 256)].sum(axis=-1).mean() < 0.01


def test_every_replaced_channel_is_listed(triangle, monkeypatch):
    monkeypatch.setattr(_bands, "BAND", 1)
    cube = triangle.raman.counts.copy()
    cube[3, 4, 100] = np.nan
    repaired = Despike()(replace(triangle.raman, counts=cube))
    listed = np.zeros(cube.shape, dtype=bool)
    listed[tuple(repaired.replaced.T)] = True
    assert not (repaired.counts != cube)[~listed].any()
    assert (listed.sum(axis=2) == repaired.repaired).all()
    row, column = np.unravel_index(repaired.repaired.argmax(), repaired.repaired.shape)
    assert repaired.replaced_at(row, column).tolist() == np.flatnonzero(listed[row, column]).tolist()
    assert 100 in repaired.replaced_at(3, 4)
    assert triangle.raman.replaced_at(3, 4).tolist() == []


def test_a_measured_line_scan_that_was_filtered_already_is_left_alone(shared_data):
    assert Despike()(read(shared_data / "labram" / "raman_linescan.txt.gz")).repaired.sum() == 0


def test_rows_taken_in_bands_give_what_the_whole_map_gives(triangle, monkeypatch):
    whole = Despike()(triangle.raman)
    monkeypatch.setattr(_bands, "BAND", 1)
    banded = Despike()(triangle.raman)
    assert np.array_equal(whole.counts, banded.counts)
    assert np.array_equal(whole.repaired, banded.repaired)


@pytest.mark.parametrize("kind", ["triangle", "star"])
def test_a1_height_of_spike_free_pixels_is_left_alone(kind, deconvolve):
    flake = make_flake(kind, seed=6)
    source = replace(flake.raman, flake=flake.truth.flake)
    subtract = Baseline(method=PiecewiseLinear(areas=((150, 330), (330, 440)), margin=10))
    free = flake.truth.flake & (flake.truth.raman.spikes.per_pixel == 0)
    free[np.arange(len(free)) % 3 > 0] = False  # every third row is fitted
    filtered, plain = (replace(subtract(one), flake=free) for one in (Despike()(source), source))
    with_filter, without = deconvolve(filtered), deconvolve(plain)
    change = (np.abs(with_filter.height[A1] - without.height[A1]) / without.height_error[A1])[free]
    assert change.mean() < 0.005
