"""Theory beside one flake: regions, means, shift, names, and what is said of an explanation."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from learned import make_explanation, make_samples
from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap
from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.stages import CompareTheory
from napari_wse2xai.theory.beside import REGIONS, TheoryBeside
from napari_wse2xai.theory.evaluation import evaluate


@pytest.fixture(scope="module")
def beside(clean_raman: SpectralMap, raman_peaks: PeakMaps) -> TheoryBeside:
    return CompareTheory(share=0.25)(clean_raman, raman_peaks)


def test_bright_and_dark_are_the_ends_of_the_flake(beside, raman_peaks):
    light = np.nansum(raman_peaks.height, axis=0)
    bright, dark, between = (light[beside.region == part] for part in (1, 2, 3))
    assert bright.min() >= between.max()
    assert dark.max() <= between.min()
    whole, high, low = beside.pixels
    assert whole == np.isfinite(raman_peaks.height).any(axis=0).sum()
    assert high == low == int(0.25 * whole)


def test_mean_spectra_are_those_of_the_counts(beside, clean_raman):
    assert clean_raman.frame.shape[0] != clean_raman.frame.shape[1]
    for part, name in enumerate(REGIONS):
        pixels = beside.region > 0 if name == "flake" else beside.region == part
        np.testing.assert_allclose(beside.spectra[part], np.nanmean(clean_raman.counts[pixels].astype(float), axis=0), rtol=1e-5)


def test_channels_that_no_pixel_has_and_pixels_that_lack_one(clean_raman, raman_peaks):
    counts = clean_raman.counts.copy()
    counts[..., 5] = np.nan
    counts[::2, :, 7] = np.nan
    holes = CompareTheory()(replace(clean_raman, counts=counts), raman_peaks)
    assert np.isnan(holes.spectra[:, 5]).all()
    np.testing.assert_allclose(holes.spectra[0, 7], np.nanmean(counts[holes.region > 0][:, 7].astype(float)), rtol=1e-5)


def test_the_first_principles_lines_lie_beside_the_measured_one(beside):
    """The flake's A1' lies at 250 and its E' nowhere: the shift is what brings 249.9 there, give or take its error."""
    found = beside.matches["LDA"]
    assert not found.problem
    assert found.shift == pytest.approx(250.0 - 249.9, abs=2 * found.shift_error)
    assert 0.1 < found.shift_error < 3
    assert found.scale > 3 * found.scale_error


def test_a_map_moved_along_its_axis_moves_the_shift_and_nothing_else(beside, clean_raman, raman_peaks):
    moved = replace(clean_raman, axis=replace(clean_raman.axis, values=clean_raman.axis.values + 3.7))
    found = CompareTheory(share=0.25)(moved, raman_peaks).matches["LDA"]
    assert found.shift == pytest.approx(beside.matches["LDA"].shift + 3.7, abs=0.35)


def test_calculated_lines_lie_over_the_measured_ones(beside):
    curve = beside.laid_over("LDA", "pristine", "bright")
    inside = np.isfinite(curve)
    assert beside.axis[inside].min() >= beside.matches["LDA"].window[0]
    assert beside.axis[np.nanargmax(curve)] == pytest.approx(beside.axis[inside][beside.spectra[1][inside].argmax()], abs=1.5)
    assert np.isnan(beside.laid_over("LDA", "V_Se", "bright")).all()


def test_names_are_proposed_from_first_principles(beside):
    by_name = {one.peak: one for one in beside.proposals}
    assert by_name["L250"].mode == "A1'"
    assert by_name["L250"].calculated == pytest.approx(249.9, abs=0.1)
    assert by_name["L359.5"].sentence == "none within 10 cm-1"
    assert beside.evidence == ()


def test_light_is_pls_where_there_is_a_pair(clean_raman, raman_peaks):
    """PL that shines where RS is weak: bright and dark change places."""
    pl = replace(raman_peaks, height=(np.nanmax(raman_peaks.height) - raman_peaks.height)[3:4])
    found = CompareTheory()(clean_raman, raman_peaks, paired=SimpleNamespace(pl=pl, history=()))
    assert found.light == "PL"
    light = pl.height[0]
    assert np.nanmin(light[found.region == 1]) >= np.nanmax(light[found.region == 2])


def explained(sign: float, flakes: int = 1):
    """An explanation whose slope image of A1' height rises or falls with that height, beside the fitting peaks."""
    samples = make_samples(flakes=flakes)
    explanation = make_explanation(samples)
    first = explanation.features.index("A1'.height")
    height = samples.features[:, first]
    slope = explanation.slope.copy()
    slope[first] = sign * height + np.random.default_rng(2).normal(0, height.std(), len(height))
    order = (first, *(index for index in explanation.ranking if index != first))
    return replace(explanation, slope=slope, ranking=order, off_cloud=np.zeros_like(explanation.off_cloud))


@pytest.fixture
def named(raman_peaks):
    """The peaks, called as those of the samples."""
    names = tuple({"L250": "A1'"}.get(name, name) for name in raman_peaks.names)
    return replace(raman_peaks, names=names)


@pytest.mark.parametrize(("sign", "word"), [(1, "agrees"), (-1, "disagrees")])
@pytest.mark.parametrize("flakes", [1, 2])
def test_the_slope_image_is_held_against_the_measured_line(clean_raman, named, sign, word, flakes):
    found = CompareTheory()(clean_raman, named, explanation=explained(sign, flakes))
    assert np.sign(found.agreement.correlation) == sign
    exists, *_, falls, slopes = found.evidence
    assert "theory has A1' at 249.9 cm-1 (LDA)" in exists
    assert "falls, by 28 to 62 %" in falls
    assert f" {word}: the slope is {'high' if sign > 0 else 'low'} where the measured height of A1'" in slopes
    assert found.explained == "height: A1'.height"


def test_a_made_up_reference_whose_line_does_not_fall_is_silent(clean_raman, named):
    result = evaluate("WSe2")
    heights = np.where(np.arange(3)[None, :, None] > 0, 0.93, result.relative_height)
    found = CompareTheory()(clean_raman, named, explanation=explained(1), reference=replace(result, relative_height=heights))
    assert found.agreement is None
    assert sum("theory says nothing here" in sentence for sentence in found.evidence) == 2
    assert not any("agrees" in sentence for sentence in found.evidence)


def test_a_ratio_that_is_measured_in_resonance_is_scored_by_nothing(clean_raman, named):
    """An E' as high as A1' in the measured spectrum changes the means and where the lines are laid, and not a word of what is found."""
    axis = clean_raman.axis.values
    more = 2000 / (1 + ((axis - 245) / 2.5) ** 2) * (clean_raman.flake[..., None] > 0)
    other = replace(clean_raman, counts=(clean_raman.counts + more).astype(np.float32))
    one, two = (CompareTheory()(source, named, explanation=explained(1)) for source in (clean_raman, other))
    assert one.evidence == two.evidence
    assert one.proposals == two.proposals
    assert one.told == two.told
    assert any("must not be compared" in sentence for sentence in one.told)
    assert one.matches["LDA"].shift != two.matches["LDA"].shift


def test_settings_and_version_are_in_the_history(beside):
    assert beside.history[-1].step == "CompareTheory"
    assert beside.history[-1].settings["share"] == 0.25
    assert beside.history[-2].step == "Deconvolve"


def test_the_laser_is_the_maps_where_none_is_given(clean_raman, raman_peaks):
    red = replace(clean_raman, axis=replace(clean_raman.axis, laser_nm=632.8))
    assert CompareTheory()(red, raman_peaks).result.conditions.laser_ev == pytest.approx(1.9593, abs=1e-3)
    assert CompareTheory(laser_ev=2.41)(red, raman_peaks).result.conditions.laser_ev == 2.41


def test_what_cannot_be_compared_is_one_sentence(clean_raman, raman_peaks, triangle):
    with pytest.raises(DataError, match="convert the axis to cm-1"):
        CompareTheory()(triangle.pl, raman_peaks)
    assert triangle.pl.axis.kind is not AxisKind.RAMAN_SHIFT
    nowhere = replace(raman_peaks, height=np.full_like(raman_peaks.height, np.nan))
    with pytest.raises(DataError, match="No peak was found anywhere"):
        CompareTheory()(clean_raman, nowhere)


def test_a_material_without_a_reference_is_refused_before_work(monkeypatch):
    from napari_wse2xai.theory import reference

    monkeypatch.setattr(reference, "materials", lambda: ("WSe2",))
    with pytest.raises(SettingsError, match=r"no 'MoS2'; it knows WSe2"):
        CompareTheory(material="MoS2").check()
