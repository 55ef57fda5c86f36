"""The flake against its truth: by the light of its lines, whatever substrate, fluorescence, instrument or detector add."""

import warnings

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.signal import savgol_filter

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.stages import FindFlake
from planted_maps import X, lorentzian, noisy

SHAPE = (20, 26)
ROW, COLUMN = np.mgrid[: SHAPE[0], : SHAPE[1]]
DISC = (ROW - 10) ** 2 + (COLUMN - 12) ** 2 < 60
STAGE = FindFlake(window=(230, 270))


def made(on, *, height=400.0, sigma=6.0, seed=0, under=100.0):
    """Counts of a line at 250 of some heights on some background."""
    rng = np.random.default_rng(seed)
    place = 250 + 0.2 * rng.normal(size=SHAPE)
    return noisy(rng, lorentzian(X, place, 4.0, height * np.asarray(on, dtype=float)) + under, sigma)


def map_of(counts):
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT)


def overlap(counts, truth, stage=STAGE):
    flake = stage(map_of(counts)).flake
    return (flake & truth).sum() / (flake | truth).sum()


def with_fluorescence(on, strength, seed=1):
    rng = np.random.default_rng(seed)
    curve = (COLUMN / SHAPE[1] * strength)[..., None] * np.exp(-(((X - 400) / 200) ** 2))
    counts = made(on) + curve
    return counts + rng.normal(0, 1, counts.shape) * np.sqrt(np.maximum(counts, 1))


def with_strip(on, factor):
    """A substrate with a bend and a strip, of the instrument, where all its light is stronger."""
    gain = np.where(COLUMN < 5, factor, 1.0)[..., None]
    bend = 300 + 200 * np.exp(-(((X - 230) / 25) ** 2))
    rng = np.random.default_rng(2)
    return noisy(rng, gain * (bend + lorentzian(X, 250.0 * np.ones(SHAPE), 4.0, 400.0 * on)), 5.0)


WITH_GAPS = made(DISC)
WITH_GAPS[:, :, 110:113] = np.nan
WITH_GAPS[3, 4:9] = np.nan
WITH_RAYS = made(DISC)
WITH_RAYS[np.arange(20), np.arange(20), np.arange(90, 130, 2)] += 20_000
PARTS = np.where(DISC & (COLUMN < 12), 1.0, np.where(DISC, 0.2, 0))
HOLE = ~((ROW - 9) ** 2 + (COLUMN - 11) ** 2 < 16)
CASES = {
    "a disc": (made(DISC), DISC),
    "dim": (made(DISC, height=35.0), DISC),
    "on a bright substrate": (made(DISC, under=5000.0, sigma=20.0), DISC),
    "below zero": (made(DISC, under=-60.0), DISC),
    "a part that is five times dimmer": (made(PARTS), DISC),
    "gaps": (WITH_GAPS, DISC & np.isfinite(WITH_GAPS[..., 0])),
    "cosmic rays": (WITH_RAYS, DISC),
    "all corners on the flake": (made(HOLE), HOLE),
    **{f"fluorescence {strength}": (with_fluorescence(DISC, strength), DISC) for strength in (1000, 4000, 12_000)},
    **{f"a strip {factor} times as bright": (with_strip(DISC, factor), DISC) for factor in (1.4, 2.0)},
}
for side in (4, 5, 8):
    for name, rows, columns in (("top left", side > ROW, side > COLUMN), ("bottom right", 19 - side < ROW, 25 - side < COLUMN)):
        CASES[f"bare corner, {name}, {side}"] = (made(~(rows & columns)), ~(rows & columns))


@pytest.mark.filterwarnings("ignore:.*nothing in any pixel")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("window", [(230.0, 270.0), None])
def test_the_flake_is_where_it_is(name, window):
    if window is None and name in {"fluorescence 12000", "a strip 1.4 times as bright"}:
        pytest.skip("a bend as wide as the whole axis, 140 cm-1, is told from lines only in their window")
    assert overlap(*CASES[name], FindFlake(window=window)) > 0.93


@pytest.mark.parametrize("window", [(450.0, 590.0), (485.0, 555.0), (510.0, 530.0)])
def test_a_line_where_silicon_has_one_is_asked_for_by_a_window_round_it(window):
    axis = X + 270.0
    source = SpectralMap.from_arrays(made(DISC).astype(np.float32), axis, AxisKind.RAMAN_SHIFT)
    flake = FindFlake(window=window)(source).flake
    assert (flake & DISC).sum() / (flake | DISC).sum() > 0.93


def drawn_anew(counts):
    """Spectra read off between their channels on an axis three times as fine, as instruments do that bring spectra to one axis."""
    fine = np.linspace(X[0], X[-1], 3 * len(X))
    return SpectralMap.from_arrays(interp1d(X, counts)(fine).astype(np.float32), fine, AxisKind.RAMAN_SHIFT)


SMOOTHED = {
    "Savitzky and Golay": lambda counts: map_of(savgol_filter(counts, 11, 2)),
    "a Gaussian": lambda counts: map_of(gaussian_filter1d(counts, 1.5)),
    "an axis three times as fine": drawn_anew,
    "every channel twice": lambda counts: SpectralMap.from_arrays(
        np.repeat(counts, 2, axis=-1).astype(np.float32), np.linspace(X[0], X[-1], 2 * len(X)), AxisKind.RAMAN_SHIFT
    ),
}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", SMOOTHED)
def test_spectra_that_were_smoothed_before_show_less_of_their_noise_but_no_larger_flake(name, seed):
    flake = FindFlake()(SMOOTHED[name](made(DISC, height=35.0, seed=seed))).flake
    assert (flake & DISC).sum() / (flake | DISC).sum() > 0.85


WIDE = np.linspace(120.0, 430.0, 320)
"""Raman shifts of a whole spectrum, cm-1."""
UNEVEN = 0.9 + 0.6 * np.sin(ROW / 5 + 1) * np.cos(COLUMN / 4)
GLOW = np.exp(-(((WIDE - 380) / 160) ** 2))
TAIL = np.exp(-(WIDE - WIDE[0]) / 22)
OTHER_LIGHT = {
    "fluorescence everywhere": UNEVEN[..., None] * GLOW,
    "fluorescence of the flake": (DISC * UNEVEN)[..., None] * GLOW,
    "fluorescence beside the flake": (~DISC * UNEVEN)[..., None] * GLOW,
    "the laser's tail": UNEVEN[..., None] * TAIL,
    "both": UNEVEN[..., None] * (GLOW + TAIL),
}


@pytest.mark.parametrize("height", [300.0, 2000.0])
@pytest.mark.parametrize("name", OTHER_LIGHT)
def test_without_a_window_lines_are_told_from_uneven_fluorescence_and_the_lasers_tail(name, height):
    rng = np.random.default_rng(5)
    amount = height * DISC * (1 + 0.3 * np.cos(ROW / 3) * np.sin(COLUMN / 6))
    lines = sum(lorentzian(WIDE, place * np.ones(SHAPE), width, share * amount) for place, width, share in ((250, 4.5, 1), (374, 7, 0.25)))
    counts = rng.poisson(lines + 300 + 3000 * OTHER_LIGHT[name]) + rng.normal(0, 4, lines.shape)
    flake = FindFlake()(SpectralMap.from_arrays(counts.astype(np.float32), WIDE, AxisKind.RAMAN_SHIFT)).flake
    assert (flake & DISC).sum() / (flake | DISC).sum() > 0.93


@pytest.mark.parametrize("vary", [0.0, 0.02, 0.1, 0.3])
@pytest.mark.parametrize("height", [60.0, 400.0])
def test_a_film_that_covers_the_scan_is_all_flake_and_told(vary, height):
    film = 1 + vary * np.sin(ROW / 4) * np.cos(COLUMN / 5)
    with pytest.warns(DataWarning, match="find_flake: false"):
        found = STAGE(map_of(made(film, height=height)))
    assert found.flake.all()
    assert found.metadata["flake"].startswith("520 of 520 pixels are flake")


def test_a_bilayer_beside_a_monolayer_is_all_flake():
    with pytest.warns(DataWarning, match="find_flake: false"):
        assert STAGE(map_of(made(np.where(COLUMN < 12, 1.0, 0.5)))).flake.all()


@pytest.mark.parametrize("fluorescence", [0, 3000])
def test_where_nothing_shines_there_is_no_flake_and_the_sentence_says_what_to_do(fluorescence):
    counts = with_fluorescence(0 * DISC, fluorescence)
    with pytest.raises(DataError, match=r"No flake was found .*find_flake: false"):
        STAGE(map_of(counts))


def test_what_is_thrown_away_is_counted():
    on = DISC.copy()
    on[2, 2:5] = True  # too small a group
    on[10, 12] = False  # a hole
    assert STAGE(map_of(made(on))).metadata[
        "flake"
    ] == f"{DISC.sum()} of 520 pixels are flake, 3 bright pixels in small groups left out, " + ("1 pixel in small holes filled")


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_of_a_flake_near_the_threshold_all_is_found_and_nothing_beside_it(seed):
    counts = made(DISC, height=17.0, sigma=8.0, seed=seed)  # the line's light is some five times its own noise
    flake = STAGE(map_of(counts)).flake
    assert (flake & DISC).sum() > 0.9 * DISC.sum()
    assert (flake & ~DISC).sum() <= 3
    strictly = STAGE.model_copy(update={"k_edge": 5, "min_pixels": 1})(map_of(counts)).flake
    assert strictly.sum() < 0.5 * DISC.sum()


def test_the_papers_rule_stays_as_printed():
    counts = made(DISC, sigma=1.0)
    found = FindFlake(window=(230, 270), signal="mean", k_edge=5, edge_fraction=0, min_pixels=1, fill_holes=False)(map_of(counts)).flake
    inside = np.sort(counts[..., (X >= 230) & (X <= 270)], axis=-1)
    signal = inside[..., : -(inside.shape[-1] // 50)].mean(axis=-1)
    corners = [signal[rows, columns][:5, :6] for rows in (slice(5), slice(-5, None)) for columns in (slice(6), slice(-6, None))]
    corner = min(corners, key=np.mean)
    robust = 1.4826 * np.median(np.abs(corner - np.median(corner)))
    expected = signal - corner.mean() >= 5 * max(corner.std(ddof=1), robust)
    assert np.array_equal(found, expected)


def test_the_real_triangle_beside_the_instruments_bright_strip(shared_data):
    from napari_wse2xai import read

    with pytest.warns(DataWarning):
        source = read(shared_data / "other" / "mos2_triangle_on_silicon.txt.gz", unit="cm-1")
    x, counts = source.axis.values, np.asarray(source.counts)
    lines = counts[..., (x > 378) & (x < 409)].mean(axis=-1) - counts[..., ((x > 363) & (x < 378)) | ((x > 409) & (x < 424))].mean(axis=-1)
    binned = SpectralMap.from_arrays(counts.reshape(19, 2, 20, 2, -1).mean(axis=(1, 3)), x, AxisKind.RAMAN_SHIFT)
    light = lines.reshape(19, 2, 20, 2).mean(axis=(1, 3))
    for flake, shining in ((FindFlake(window=(355, 490))(source).flake, lines), (FindFlake(window=(355, 490))(binned).flake, light)):
        assert flake[shining > 50].mean() > 0.97
        assert flake[shining < 5].mean() < 0.01


def carbon(seed, on, *, height, fluorescence, thickness):
    """A carbon's D and G, on light that bends and varies a hundredfold over the scan, with shot noise."""
    rng = np.random.default_rng(seed)
    axis = np.arange(1000.0, 1900.0, 3.0)
    one, other = (gaussian_filter(rng.normal(size=SHAPE), wide, mode="nearest") for wide in (2.5, 3))
    amount = height * np.exp(thickness * one / one.std()) * on
    lines = 0.8 * np.exp(-2.77 * ((axis - 1360) / 200) ** 2) + 1 / (1 + ((axis - 1585) / 45) ** 2)
    glow = height * fluorescence * np.exp(1.2 * other / other.std() - 2)
    counts = 100 + amount[..., None] * lines + glow[..., None] * np.exp(-(((axis - 2700) / 1200) ** 2))
    counts += rng.normal(size=counts.shape) * np.sqrt(counts)
    return SpectralMap.from_arrays(counts.astype(np.float32), axis, AxisKind.RAMAN_SHIFT)


@pytest.mark.parametrize("fluorescence", [0.1, 3.0, 30.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_broad_bands_of_a_film_on_fluorescence_cover_the_scan(seed, fluorescence):
    film = carbon(seed, np.ones(SHAPE), height=800.0, fluorescence=fluorescence, thickness=0.3)
    with pytest.warns(DataWarning, match="find_flake: false"):
        assert FindFlake(window=(1100, 1800))(film).flake.all()


@pytest.mark.parametrize("fluorescence", [0.1, 3.0, 30.0])
@pytest.mark.parametrize("on", [DISC, HOLE], ids=["a disc", "a hole"])
def test_broad_bands_of_a_flake_on_fluorescence_are_where_they_are(on, fluorescence):
    found = FindFlake(window=(1100, 1800))(carbon(3, on, height=800.0, fluorescence=fluorescence, thickness=0.3)).flake
    assert (found & on).sum() / (found | on).sum() > 0.93


@pytest.mark.parametrize("window", [(1150, 1750), (1450, 1750), (1200, 1480)])
def test_the_real_carbon_film_covers_its_scan_saturated_pixels_too(shared_data, window):
    from napari_wse2xai import read

    with pytest.warns(DataWarning, match="does not name its coordinates"):
        source = read(shared_data / "other" / "fzu_carbon_map.txt.gz", unit="cm-1")
    with pytest.warns(DataWarning, match="find_flake: false"):
        assert FindFlake(window=window)(source).flake.all()


def test_a_flake_of_fewer_pixels_than_a_group_is_not_called_dark():
    on = np.zeros(SHAPE, dtype=bool)
    on[4, 4:8] = True
    with pytest.raises(DataError, match=r"4 pixels are 5 sigma above .* lower min_pixels"):
        STAGE(map_of(made(on)))


def narrow_line(seed: int) -> tuple[SpectralMap, np.ndarray]:
    """One line of three channels over a dark level, on a rectangle; a cosmic ray beside it, on the line's channel."""
    rng, x = np.random.default_rng(seed), np.arange(330.0, 460.0, 1.5)
    flake = np.zeros((26, 21), dtype=bool)
    flake[3:20, 6:18] = True
    height = 100 * flake * (1 + 0.25 * np.sin(np.arange(21) / 3))
    mean = 550 + 40 * flake[..., None] + height[..., None] * np.exp(-4 * np.log(2) * ((x - 396) / 4.2) ** 2)
    counts = rng.poisson(mean) + rng.normal(0, 5, mean.shape)
    counts[23, 17, np.argmin(abs(x - 398))] += 900
    return SpectralMap.from_arrays(counts, x, AxisKind.RAMAN_SHIFT), flake


@pytest.mark.parametrize("reach", [8, 13, 20, 42, 62])
def test_a_window_just_round_a_weak_line_finds_what_a_wide_one_does(reach):
    for seed in (1, 2):
        source, flake = narrow_line(seed)
        found = FindFlake(window=(396 - reach, 396 + reach))(source).flake
        assert found[flake].mean() > 0.94
        assert (found & ~flake).sum() <= 3


def test_fluorescence_without_a_line_is_told():
    rng, x = np.random.default_rng(5), np.linspace(200, 300, 90)
    slope = np.linspace(0, 400, 30)[None, :, None] * np.exp(-(((x - 150) / 90) ** 2))
    source = SpectralMap.from_arrays(rng.poisson(150 + slope + np.zeros((22, 1, 1))), x, AxisKind.RAMAN_SHIFT)
    with pytest.warns(DataWarning, match="as smooth as fluorescence"):
        FindFlake()(source)


def test_of_a_flake_with_lines_no_fluorescence_is_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        FindFlake(window=(370, 420))(narrow_line(1)[0])


def test_an_unmeasured_half_of_noughts_is_no_yardstick_of_noise():
    rng, x = np.random.default_rng(7), np.arange(200, 300, 0.8)
    flake = np.hypot(*np.meshgrid(np.arange(31) - 24, np.arange(24) - 12)) < 4
    noise = rng.uniform(3, 30, (24, 31, 1))  # of every pixel its own, as a scan that is lit unevenly has it
    counts = 100 + noise * rng.normal(size=(24, 31, len(x))) + lorentzian(x, 250 * np.ones(flake.shape), 4.0, 600.0 * flake)
    counts[:, :17] = 0.0
    found = FindFlake()(SpectralMap.from_arrays(counts.astype(np.float32), x, AxisKind.RAMAN_SHIFT)).flake
    assert (found & ~flake).sum() <= 3
    assert (found & flake).sum() > 0.8 * flake.sum()


@pytest.mark.parametrize("unit", [AxisKind.ENERGY, AxisKind.WAVELENGTH])
@pytest.mark.parametrize("over", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_luminescence_that_the_window_cuts_off_is_light_all_the_same(seed, over, unit):
    """A line through both ends of the window would take more off the flake than it leaves, and the scan beside it was the flake."""
    dice, end = np.random.default_rng(seed), {AxisKind.ENERGY: 1.89, AxisKind.WAVELENGTH: 690.0}[unit]
    wide = {AxisKind.ENERGY: 0.055, AxisKind.WAVELENGTH: 20.0}[unit]
    x = np.linspace(end - 4 * wide, end + wide, 200)
    rows, columns = np.mgrid[:26, :33]
    flake = (rows - 14) ** 2 / 60 + (columns - 20 + 0.4 * rows) ** 2 / 90 < 1 + 0.3 * np.sin(3 * np.arctan2(rows - 14, columns - 15))
    # At the end of the window the emission is still `over` of its top.
    top = end - 0.5 * wide * np.sqrt(-np.log2(over)) + dice.uniform(-0.05, 0.05, flake.shape) * wide
    line = 900 * flake[..., None] * np.exp(-4 * np.log(2) * ((x - top[..., None]) / wide) ** 2)
    source = SpectralMap.from_arrays(dice.poisson(300 + line).astype(np.float32), x, unit)
    found = FindFlake(window=(end - 4 * wide, end))(source).flake
    assert (found & flake).sum() / (found | flake).sum() > 0.95
