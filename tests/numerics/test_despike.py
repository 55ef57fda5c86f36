from functools import partial

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter

from napari_wse2xai.numerics import despike, noise
from narrow_lines import hit, narrow_flake, profile


def without_spikes(cube):
    guard = despike.with_bank(despike.guard_of(cube, threshold=5, neighbour_factor=1.1), lambda: [(cube, slice(0, len(cube)))])
    return despike.without_guarded_spikes(cube, guard, slice(0, len(cube)))


def lorentzian(channel, centre, fwhm):
    return 1 / (1 + (2 * (channel - centre) / fwhm) ** 2)


def test_the_sorting_network_gives_the_median_of_nine():
    values = np.random.default_rng(0).normal(size=(4, 50)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, [(0, 0), (4, 4)], mode="reflect"), 9, axis=-1)
    assert despike.spectral_median(values) == pytest.approx(np.median(windows, axis=-1))


def test_interpolation_bridges_holds_ends_and_leaves_the_rest():
    counts = np.array([[0.0, 10.0, 99.0, 99.0, 40.0], [99.0, 2.0, 3.0, 4.0, 99.0]], dtype=np.float32)
    marks = counts == 99
    assert despike.interpolate(counts, marks).tolist() == [[0, 10, 20, 30, 40], [2, 2, 3, 4, 4]]


def test_a_line_in_one_pixel_and_its_neighbour_is_no_spike_but_alone_it_is():
    rng = np.random.default_rng(0)
    cube = rng.normal(100, 3, (5, 5, 60)).astype(np.float32)
    cube[2:4, 2:4, 30] += 500  # a sharp real line on a corner of a crystal of four pixels
    cube[0, 0, 10:13] += 500  # a cosmic ray
    spikes = without_spikes(cube)[1]
    assert spikes[0, 0, 10:13].all()
    assert not spikes[:, :, 25:35].any()
    assert spikes.sum() <= 5


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_spikes_of_one_to_four_channels_are_found_by_both_methods(width):
    rng = np.random.default_rng(width)
    cube = rng.normal(100, 3, (4, 4, 80)).astype(np.float32)
    cube[1, 2, 40 : 40 + width] += 300
    guarded = without_spikes(cube)[1]
    paper = despike.first_difference_spikes(cube, np.full(80, 8.0))
    assert guarded[1, 2, 40 : 40 + width].all()
    assert paper[1, 2, 40 : 40 + width].all()
    assert paper.sum() == width
    assert width <= guarded.sum() <= width + 2  # the flanks may go with it


def test_a_single_spectrum_needs_no_neighbours():
    rng = np.random.default_rng(3)
    cube = rng.poisson(400, (1, 1, 200)).astype(np.float32)
    cube[0, 0, 77] += 900
    spikes = without_spikes(cube)[1]
    assert np.flatnonzero(spikes).tolist() == [77]


def test_a_spike_on_top_of_a_line_goes_and_the_line_stays():
    rng = np.random.default_rng(1)
    height = np.linspace(1500, 3000, 12)[:, None, None] * np.linspace(0.8, 1.2, 12)[:, None]
    clean = 100 + height * lorentzian(np.arange(120), 60, 8)
    cube = rng.poisson(clean).astype(np.float32)
    cube[5, 6, 59:62] += [250, 600, 300]
    repaired, spikes = without_spikes(cube)
    assert spikes[5, 6, 59:62].any()
    assert (np.abs(repaired - clean)[5, 6, 59:62] < 6 * np.sqrt(clean[5, 6, 59:62])).all()
    spikes[5, 6] = False
    assert not spikes.any()


@pytest.mark.parametrize("across", ["rows", "columns"])
def test_the_tip_of_a_flake_two_pixels_wide_keeps_its_sharp_line(across):
    rng = np.random.default_rng(2)
    on = np.zeros((12, 14), dtype=bool)
    on[5:7, 4:] = True
    clean = 100 + 2500 * on[..., None] * lorentzian(np.arange(150), 70, 2.5)
    cube = rng.poisson(clean if across == "rows" else clean.swapaxes(0, 1)).astype(np.float32)
    assert not without_spikes(cube)[1].any()


def test_two_spikes_close_together_and_in_neighbours_all_go():
    rng = np.random.default_rng(3)
    cube = rng.normal(400, 10, (6, 6, 90)).astype(np.float32)
    clean = cube.copy()
    cube[2, 2, 40:42] += [2000, 1200]
    cube[2, 2, 46:48] += [1600, 900]
    cube[3, 2, 41] += 20_000
    repaired = without_spikes(cube)[0]
    assert np.abs(repaired - clean).max() < 60


def test_a_pixel_without_values_is_no_neighbour():
    rng = np.random.default_rng(4)
    cube = rng.normal(400, 10, (5, 5, 90)).astype(np.float32)
    cube[2, 3] = np.nan
    cube[2, 2, 30] += 500
    repaired, spikes = without_spikes(cube)
    assert np.argwhere(spikes).tolist() == [[2, 2, 30]]
    assert np.isnan(repaired[2, 3]).all()


def test_gain_and_read_noise_are_read_off_the_data():
    rng = np.random.default_rng(0)
    level = np.geomspace(50, 8000, 300)[None, None, :].repeat(30, 0).repeat(30, 1)
    counts = (2.0 * rng.poisson(level / 2.0) + rng.normal(0, 6, level.shape)).astype(np.float32)
    constant, slope = despike.noise_model(counts, level.astype(np.float32))
    assert slope == pytest.approx(2.0, rel=0.1)
    assert constant == pytest.approx(36, rel=0.6)


def test_channel_sigma_of_white_noise():
    counts = np.random.default_rng(0).normal(0, 5, (3, 20_000))
    assert noise.channel_sigma(counts) == pytest.approx([5, 5, 5], rel=0.03)


@pytest.mark.parametrize(("seed", "spread"), [(11, 0.3), (12, 0.5)])
def test_no_top_of_a_line_is_cut_on_maps_without_spikes_whose_heights_jump_from_pixel_to_pixel(seed, spread):
    """Lines 2.7 channels wide, each pixel's of its own height, place and width, in 3,000 pixels each; not one channel may change."""
    flake = narrow_flake((52, 76), seed=seed, spread=spread)
    assert flake.flake.sum() > 2500
    assert not without_spikes(flake.counts)[1].any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_top_is_cut_where_a_bright_line_lies_a_channel_beside_its_neighbours(seed):
    """Lines 2.5 channels wide; every twentieth pixel's is brighter and up to a channel off: the neighbours' line, moved, explains it."""
    rng, shape, axis = np.random.default_rng(seed), (40, 56), np.arange(225.0, 275.0, 0.5)
    moved = np.zeros(shape, dtype=bool)
    moved[2::4, 2::5] = True
    at = 250.1 + rng.normal(0, 0.15, moved.size)
    at[moved.ravel()] += rng.choice([-1, 1], moved.sum()) * rng.uniform(0.3, 0.5, moved.sum())
    height = 9000 * rng.lognormal(0, 0.35, moved.size) * np.where(moved.ravel(), 1.4, 1.0)
    clean = 200 + height[:, None] * profile(axis, at, rng.uniform(0.85, 1.15, moved.size))
    counts = (rng.poisson(clean) + rng.normal(0, 6, clean.shape)).reshape(*shape, -1)
    assert not without_spikes(counts.astype(np.float32))[1].any()


def drawn_anew(counts):
    """Read off between the channels on an axis three times as fine."""
    n = counts.shape[-1]
    return interp1d(np.arange(n), counts)(np.linspace(0, n - 1, 3 * n))


@pytest.mark.parametrize(
    "smoothed", [drawn_anew, partial(gaussian_filter1d, sigma=1.5), partial(savgol_filter, window_length=9, polyorder=2)]
)
def test_noise_that_was_smoothed_before_is_no_spike_and_a_spike_that_came_after_goes(smoothed):
    rng = np.random.default_rng(5)
    clean = 200 + 300 * rng.uniform(0.5, 1, (20, 26, 1)) * lorentzian(np.arange(180), 90, 9)
    counts = smoothed(clean + rng.normal(0, 12, clean.shape)).astype(np.float32)
    assert not without_spikes(counts)[1].any()
    counts[4:16:3, 5:20:4, 77] += 400
    assert without_spikes(counts)[1][4:16:3, 5:20:4, 77].all()


@pytest.mark.parametrize("how", ["anywhere", "on top", "two neighbours"])
def test_spikes_on_maps_with_narrow_lines_go(how):
    flakes = [narrow_flake((40, 56), seed=seed, spread=spread) for seed, spread in ((3, 0.3), (4, 0.45))]
    gone = []
    for seed, flake in enumerate(flakes):
        counts, hits = hit(flake, np.random.default_rng(seed), how)
        repaired = without_spikes(counts)[0]
        for row, column, first, width in hits:
            at = (row, column, slice(first, first + width))
            left, added = (repaired - flake.counts)[at].max(), (counts - flake.counts)[at].max()
            gone.append(left < max(0.2 * added, 4 * flake.sigma[at].max()))
    assert len(gone) > 100
    assert np.mean(gone) >= 0.95


@pytest.mark.parametrize("fwhm", [4, 6, 8, 12])
def test_a_spectrum_without_neighbours_keeps_the_tops_of_its_lines_and_loses_its_spikes(fwhm):
    channel = np.arange(200)
    cut, left = 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        clean = rng.poisson(100 + 3000 * lorentzian(channel, 100 + rng.uniform(-0.5, 0.5), fwhm)) + rng.normal(0, 5, 200)
        hit = int(rng.integers(20, 80))
        struck = np.where(channel == hit, clean + 800, clean)
        cut += without_spikes(clean[None, None].astype(np.float32))[1][0, 0, 90:111].any()
        left += not without_spikes(struck[None, None].astype(np.float32))[1][0, 0, hit]
    assert cut <= 1
    assert left == 0
