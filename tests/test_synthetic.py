"""The synthetic flakes: what was put in is what the truth says, and what comes out looks like a measurement."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import label

from napari_wse2xai.data import AxisKind
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.numerics.lineshapes import components
from napari_wse2xai.recipe import preset, preset_names
from napari_wse2xai.session import of_one_measurement
from napari_wse2xai.synthetic import (
    A1_HEIGHT,
    FLAKE_SHAPES,
    LAWS,
    PL_HEIGHT,
    Instrument,
    Placement,
    SyntheticFlake,
    make_flake,
    make_pair,
    pl_law,
)

MODALITIES = ("raman", "pl")


@pytest.fixture(scope="module", params=FLAKE_SHAPES)
def flake(request: pytest.FixtureRequest) -> SyntheticFlake:
    return make_flake(request.param)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


def test_same_seed_gives_the_same_flake_and_another_seed_another() -> None:
    one, same, other = make_flake(seed=3), make_flake(seed=3), make_flake(seed=4)
    for modality in MODALITIES:
        np.testing.assert_array_equal(getattr(one, modality).counts, getattr(same, modality).counts)
        assert not np.array_equal(getattr(one, modality).counts, getattr(other, modality).counts)
    assert not np.array_equal(one.truth.vacancy, other.truth.vacancy, equal_nan=True)


def test_another_instrument_measures_the_same_crystal() -> None:
    plain, noisy = make_flake(), make_flake(instrument=Instrument(read_noise=40.0, spikes_per_pixel=1.0, gain=3.0))
    np.testing.assert_array_equal(plain.truth.raman.clean(), noisy.truth.raman.clean())
    assert len(noisy.truth.raman.spikes) > 3 * len(plain.truth.raman.spikes)


def test_maps_lie_in_one_frame_and_remember_their_making(flake: SyntheticFlake) -> None:
    assert flake.raman.frame == flake.pl.frame
    assert flake.raman.frame.sample.endswith("(synthetic)")
    assert flake.raman.frame.step_um == (0.5, 0.5)
    assert (flake.raman.axis.kind, flake.pl.axis.kind) == (AxisKind.RAMAN_SHIFT, AxisKind.ENERGY)
    assert flake.raman.axis.laser_nm == flake.pl.axis.laser_nm == 532.0
    (record,) = flake.raman.history
    assert record.step == "synthetic"
    settings = {key: value for key, value in record.settings.items() if key != "map"}
    again = make_flake(**{**settings, "shape_px": tuple(settings["shape_px"]), "instrument": Instrument(**settings["instrument"])})
    np.testing.assert_array_equal(again.raman.counts, flake.raman.counts)


def test_the_two_maps_of_a_flake_are_two_measurements(flake: SyntheticFlake) -> None:
    """With one root, RS was handed on where PL with a flake was asked for: the window asks by it."""
    assert not of_one_measurement(flake.raman, flake.pl)
    assert mark_of(flake.raman.history) != mark_of(flake.pl.history)


def test_axes_rise_but_not_in_even_steps(flake: SyntheticFlake) -> None:
    for axis, low, high in ((flake.raman.axis, 100.0, 560.0), (flake.pl.axis, 1.50, 1.80)):
        steps = np.diff(axis.values)
        assert axis.span == pytest.approx((low, high))
        assert steps.min() > 0
        assert steps.max() / steps.min() > 1.02


def test_outlines_are_lopsided_and_leave_the_corners_free(flake: SyntheticFlake) -> None:
    mask = flake.truth.flake
    assert 0.35 < mask.mean() < 0.50
    assert label(mask)[1] == 1
    for turned in (mask[::-1], mask[:, ::-1], mask[::-1, ::-1]):
        assert overlap(mask, turned) < 0.85
    for corner in (mask[:7, :7], mask[:7, -7:], mask[-7:, :7], mask[-7:, -7:]):
        assert not corner.any()


@pytest.mark.parametrize("modality", MODALITIES)
def test_clean_spectra_are_the_sum_of_components_and_background(flake: SyntheticFlake, modality: str) -> None:
    part = getattr(flake.truth, modality)
    clean = part.clean()
    for row, column in np.argwhere(flake.truth.flake)[::97]:
        parameters = np.stack([part.position, part.fwhm, part.height], axis=-1)[:, row, column].astype(float)
        curves = components(part.axis.values, part.shapes, parameters)
        np.testing.assert_allclose(clean[row, column], curves.sum(axis=0) + part.background[row, column], rtol=1e-4)
    np.testing.assert_array_equal(clean[~flake.truth.flake], part.background[~flake.truth.flake])


@pytest.mark.parametrize("modality", MODALITIES)
def test_truth_has_values_on_the_flake_only(flake: SyntheticFlake, modality: str) -> None:
    part, mask = getattr(flake.truth, modality), flake.truth.flake
    for maps in (part.position, part.fwhm, part.height):
        assert maps.shape == (len(part.names), *mask.shape)
        np.testing.assert_array_equal(np.isfinite(maps), np.broadcast_to(mask, maps.shape))
        assert maps[:, mask].min() > 0
    for field in (flake.truth.vacancy, flake.truth.oxygen, flake.truth.strain, flake.truth.law_height):
        np.testing.assert_array_equal(np.isfinite(field), mask)


def test_pl_height_follows_the_law() -> None:
    truth = make_flake(law_noise=0.0).truth
    mask = truth.flake
    a1 = truth.raman.height[truth.raman.names.index("A1'")][mask] / truth.focus[mask]
    law = pl_law(a1 / A1_HEIGHT, truth.vacancy[mask], truth.oxygen[mask])
    ratio = truth.pl.height[0][mask] / (law * truth.focus[mask])
    np.testing.assert_allclose(ratio, PL_HEIGHT, rtol=1e-5)
    np.testing.assert_allclose(truth.pl.height[0][mask], truth.law_height[mask], rtol=1e-6)


def test_law_grows_saturates_is_quenched_and_raised() -> None:
    a1 = np.linspace(0.2, 2.0, 19)
    slope = np.diff(pl_law(a1, 0.2, 0.2))
    assert (slope > 0).all()
    assert (np.diff(slope) < 0).all()
    assert pl_law(1.0, 0.0, 0.0) == pytest.approx(1.0)
    assert pl_law(1.0, 0.5, 0.0) < 1.0 < pl_law(1.0, 0.0, 0.5)


def test_a1_height_moves_the_law_more_than_the_defects_do(flake: SyntheticFlake) -> None:
    truth, mask = flake.truth, flake.truth.flake
    a1 = truth.raman.height[truth.raman.names.index("A1'")][mask] / truth.focus[mask] / A1_HEIGHT
    values = [a1, truth.vacancy[mask], truth.oxygen[mask]]
    spans = []
    for moved in range(3):
        low, high = (pl_law(*[np.percentile(v, q if k == moved else 50) for k, v in enumerate(values)]) for q in (16, 84))
        spans.append(abs(high - low))
    assert spans[0] > 1.5 * max(spans[1:])


def test_law_noise_is_the_asked_share_of_the_spread() -> None:
    truth = make_flake(shape_px=(96, 112), law_noise=0.2, instrument=Instrument(spikes_per_pixel=0.0)).truth
    scatter = (truth.pl.height[0] - truth.law_height)[truth.flake]
    assert scatter.std() == pytest.approx(0.2 * truth.law_height[truth.flake].std(), rel=0.05)


@pytest.mark.parametrize("law", LAWS)
def test_only_the_known_law_ties_pl_to_a1(law: str) -> None:
    shares = []
    for seed in range(4):
        truth = make_flake(seed=seed, law=law, shape_px=(32, 40)).truth
        a1 = truth.raman.height[truth.raman.names.index("A1'")][truth.flake]
        shares.append(np.corrcoef(a1, truth.pl.height[0][truth.flake])[0, 1] ** 2)
    low, high = {"known": (0.6, 1.0), "independent": (0.0, 0.4), "hidden": (0.0, 0.6)}[law]
    assert low < np.median(shares) < high


def test_defects_gather_at_the_edge_and_weaken_a1(flake: SyntheticFlake) -> None:
    truth = flake.truth
    inner = truth.flake.copy()
    for axis in (0, 1):
        for step in (-2, 2):
            inner &= np.roll(truth.flake, step, axis)
    rim = truth.flake & ~inner
    a1 = truth.raman.height[truth.raman.names.index("A1'")]
    assert truth.vacancy[rim].mean() > 1.5 * truth.vacancy[inner].mean()
    assert truth.oxygen[rim].mean() > 1.5 * truth.oxygen[inner].mean()
    assert a1[rim].mean() < 0.9 * a1[inner].mean()


def test_focus_is_shared_by_raman_and_pl() -> None:
    sharp = make_flake(law_noise=0.0, instrument=Instrument(focus_variation=0.0)).truth
    uneven = make_flake(law_noise=0.0, instrument=Instrument(focus_variation=0.3)).truth
    assert np.abs(uneven.focus - 1.0).max() == pytest.approx(0.3)
    for modality in MODALITIES:
        ratio = getattr(uneven, modality).height / getattr(sharp, modality).height
        expected = np.broadcast_to(uneven.focus, ratio.shape)
        np.testing.assert_allclose(ratio[:, uneven.flake], expected[:, uneven.flake], rtol=1e-5)


@pytest.mark.parametrize("modality", MODALITIES)
def test_spikes_stand_where_they_were_planted(flake: SyntheticFlake, modality: str) -> None:
    counts, part = getattr(flake, modality).counts, getattr(flake.truth, modality)
    excess = (counts - part.clean()) / np.sqrt(flake.truth.gain * (part.clean() - flake.truth.offset) + flake.truth.read_noise**2)
    mask = part.spikes.mask
    assert excess[~mask].max() < 7.0
    assert np.median(excess[mask]) > 10.0
    assert mask.sum() <= part.spikes.width.sum()
    assert set(part.spikes.width) == {1, 2, 3, 4}
    assert part.spikes.per_pixel.sum() == len(part.spikes) > 200
    np.testing.assert_array_equal(part.spikes.per_pixel > 0, mask.any(axis=-1))


@pytest.mark.parametrize("modality", MODALITIES)
def test_noise_has_the_variance_that_gain_and_read_noise_give(modality: str) -> None:
    device = Instrument(gain=2.0, read_noise=15.0, spikes_per_pixel=0.0)
    measured = make_flake(instrument=device)
    part = getattr(measured.truth, modality)
    clean = part.clean().astype(float)
    residual = getattr(measured, modality).counts - clean
    variance = 2.0 * (clean - device.offset) + 15.0**2
    for dim, bright in ((0, 100), (100, 400), (1000, 10000)):
        chosen = (clean - device.offset >= dim) & (clean - device.offset < bright)
        assert (residual[chosen] ** 2 / variance[chosen]).mean() == pytest.approx(1.0, abs=0.03)
        assert abs(residual[chosen].mean()) < 4 * np.sqrt(variance[chosen].mean() / chosen.sum())


def test_signal_is_as_strong_as_in_a_measurement(flake: SyntheticFlake) -> None:
    part = flake.truth.raman
    light = part.clean() - flake.truth.offset
    noise = np.sqrt(flake.truth.gain * light + flake.truth.read_noise**2)
    ratio = {}
    for name, position, height in zip(part.names, part.position, part.height, strict=True):
        channel = np.searchsorted(part.axis.values, np.nanmedian(position))
        ratio[name] = np.nanmedian(height / noise[:, :, channel])
    assert 33 < ratio["A1'"] < 45
    assert 4 < min(ratio.values()) < 8


def test_silicon_is_strong_beside_the_flake_and_weaker_under_it(flake: SyntheticFlake) -> None:
    window = flake.raman.axis.between(515, 526)
    silicon = np.median(flake.raman.counts[:, :, window].max(axis=-1)[~flake.truth.flake])
    under = np.median(flake.raman.counts[:, :, window].max(axis=-1)[flake.truth.flake])
    assert 0.4 < under / silicon < 0.75
    second_order = flake.truth.raman.background[~flake.truth.flake]
    at, beside = (second_order[:, flake.raman.axis.between(p - 1, p + 1)].mean() for p in (303, 330))
    assert 20 < at - beside < 100


def test_flake_stands_out_of_the_background_everywhere(flake: SyntheticFlake) -> None:
    window = flake.raman.axis.between(183, 300)
    mean = np.sort(flake.raman.counts[:, :, window], axis=-1)[:, :, :-8].mean(axis=-1)  # two cosmic rays may have hit one spectrum
    assert mean[flake.truth.flake].min() > mean[~flake.truth.flake].max()


def test_weaker_exposure_scales_the_light_and_not_the_offset() -> None:
    full, tenth = make_flake().truth, make_flake(instrument=Instrument(intensity=0.1)).truth
    np.testing.assert_allclose(tenth.raman.clean() - 300.0, 0.1 * (full.raman.clean() - 300.0), rtol=1e-3, atol=0.02)
    assert tenth.offset == full.offset == 300.0


def test_any_grid_can_be_asked_for() -> None:
    small = make_flake("star", shape_px=(20, 17), step_um=0.3, instrument=replace(Instrument(), spikes_per_pixel=0.0))
    assert small.raman.counts.shape == (20, 17, 1024)
    assert small.pl.counts.shape == (20, 17, 512)
    assert len(small.truth.pl.spikes) == 0
    assert not small.truth.pl.spikes.mask.any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shape": "circle"}, "flake shape 'circle' is not known; use triangle or star"),
        ({"law": "secret"}, "PL law 'secret' is not known"),
        ({"shape_px": (8, 40)}, "cannot hold a flake"),
        ({"seed": -1}, "seed -1 is negative"),
    ],
)
def test_what_cannot_be_grown_is_said_in_one_sentence(options: dict, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        make_flake(**options)


FINE = ("P257", "P278")
"""Peaks that only spectra of high resolution show."""


def test_preset_fits_the_lines_that_the_generator_draws(flake: SyntheticFlake) -> None:
    recipe = preset("wse2-532")
    for modality in MODALITIES:
        part, section = getattr(flake.truth, modality), getattr(recipe, modality)
        peaks = [peak for peak in section.deconvolve.peaks if peak.name not in FINE]
        assert tuple(peak.name for peak in peaks) == part.names
        assert tuple(peak.shape for peak in peaks) == part.shapes
        assert all(peak.source for peak in peaks)
        for peak, position, fwhm in zip(peaks, part.position, part.fwhm, strict=True):
            assert abs(np.nanmedian(position) - peak.position) < 0.5 * peak.fwhm
            assert 0.5 < np.nanmedian(fwhm) / peak.fwhm < 2.0


def test_a_pair_without_a_move_is_the_flake_itself() -> None:
    pair, same = make_pair(seed=2), make_flake(seed=2)
    np.testing.assert_array_equal(pair.raman.counts, same.raman.counts)
    np.testing.assert_array_equal(pair.pl_flake, same.truth.flake)
    np.testing.assert_allclose(pair.pl_truth.position, same.truth.pl.position, rtol=1e-6)
    assert not np.array_equal(pair.pl.counts, same.pl.counts)  # measured another day


def test_a_moved_pl_scan_shows_the_crystal_where_its_transform_says() -> None:
    pair = make_pair("star", Placement(0.8, (0.1, -0.15), 11.0, mirrored=True), seed=2)
    assert pair.pl.frame.shape == (60, 70)
    assert pair.transform.mirrored
    places = pair.transform.apply(np.argwhere(pair.pl_flake) * pair.pl.frame.step_um)
    row, column = np.round(places / pair.raman.frame.step_um).astype(int).T
    inside = (row >= 0) & (row < 48) & (column >= 0) & (column < 56)
    assert pair.truth.flake[row[inside], column[inside]].mean() > 0.95
    on_pl, on_raman = pair.pl_truth.position[0][pair.pl_flake][inside], pair.truth.pl.position[0][row[inside], column[inside]]
    both = np.isfinite(on_raman)
    assert np.corrcoef(on_pl[both], on_raman[both])[0, 1] > 0.97


def test_a_pl_scan_of_too_few_pixels_is_refused() -> None:
    with pytest.raises(SettingsError, match="lower step_ratio"):
        make_pair(placement=Placement(step_ratio=5.0))


MATERIALS = (
    ("bilayer WSe2", "wse2-bilayer-532", "A1'"),
    ("WS2", "ws2-532", "A1'"),
    ("MoS2", "mos2-532", "A1'"),
    ("bulk MoS2", "mos2-bulk-532", "A1g"),
    ("MoSe2", "mose2-532", "A1'"),
    ("MoTe2", "mote2-532", "A1'"),
    ("bilayer MoTe2", "mote2-bilayer-532", "P290"),
    ("graphene", "graphene-532", "2D"),
    ("hBN", "hbn-532", "E2g"),
)


def test_every_preset_for_532_nm_has_a_flake() -> None:
    """The paper's has that of the default."""
    assert {listed for _, listed, _ in MATERIALS} == {name for name in preset_names() if name.endswith("-532")} - {"wse2-532"}


@pytest.mark.parametrize(("lines", "listed", "strongest"), MATERIALS)
def test_flakes_of_other_materials_are_made_for_their_presets(lines: str, listed: str, strongest: str) -> None:
    """The preset finds the chief line and the exciton of its own material's flake where they were put, within what their errors say."""
    flake = make_flake(shape_px=(26, 30), lines=lines)
    for modality, name in (("raman", strongest), ("pl", "A exciton")):
        section = getattr(preset(listed), modality)
        if section is None:
            continue
        found, truth = section.chain().run(getattr(flake, modality)).peaks, getattr(flake.truth, modality)
        k, known = found.names.index(name), truth.names.index(name)
        pull = ((found.position[k] - truth.position[known]) / found.position_error[k])[flake.truth.flake]
        assert np.isfinite(pull).mean() > 0.9
        assert abs(np.nanmedian(pull)) < 0.4
        assert 0.8 < np.nanmedian(np.abs(pull)) / 0.6745 < 1.3
