"""Presets: each holds together, finds its own lines again, and stands in the documents."""

import importlib.util
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai import recipe
from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.recipe._read import _PRESETS
from napari_wse2xai.recipe._yaml import mapping_of, mapping_of_ours
from napari_wse2xai.stages import FindFlake, Peak
from napari_wse2xai.stages.despike import FirstDifference
from napari_wse2xai.stages.solvers import RAdam

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAMES = recipe.preset_names()
LASERS_EV = {"532": 2.331, "633": 1.959, "785": 1.579}
SECTIONS = [(name, kind) for name in NAMES for kind in recipe.preset(name).sections()]
STEP = {"raman": 1.0, "pl": 0.002}
"""A typical channel: 1 cm-1, and 2 meV behind a grating of 150 lines per mm."""
EVERYWHERE = ("graphene", "hbn", "mote2")
"""Materials whose lines are listed at 785 nm too."""
NO_LIGHT = {f"{name}-{laser}" for name in ("graphene", "hbn") for laser in LASERS_EV} | {
    "ws2-633",
    "wse2-bilayer-532",
    "mote2-bilayer-532",
    "mos2-bulk-532",
}
KIND = {"raman": AxisKind.RAMAN_SHIFT, "pl": AxisKind.ENERGY}
FLAKE = (slice(6, 10), slice(6, 10))


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_read_in_haste_is_what_care_reads_in_it(name: str) -> None:
    text = (_PRESETS / f"{name}.yaml").read_text(encoding="utf-8")
    assert repr(mapping_of_ours(text)) == repr(mapping_of(text, name))


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("make_presets", DOCS / "make_presets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def section(name, kind):
    return getattr(recipe.preset(name), kind)


def windows(peaks):
    return {window: [peak for peak in peaks if peak.window == window] for window in {peak.window for peak in peaks}}


def test_the_library_holds_each_material_at_both_lasers_with_the_default_first():
    materials = {f"{material}-{laser}" for material in ("wse2", "ws2", "mos2", "mose2", *EVERYWHERE) for laser in ("532", "633")}
    materials |= {f"{material}-785" for material in EVERYWHERE}
    assert set(NAMES) == materials | {"wse2-bilayer-532", "mote2-bilayer-532", "mos2-bulk-532", "paper-2023"}
    assert NAMES[:2] == ["wse2-532", "wse2-633"]
    assert NAMES[-1] == "paper-2023"


@pytest.mark.parametrize("name", NAMES)
def test_raman_is_in_every_preset_and_light_where_the_laser_can_excite_it(name):
    assert recipe.preset(name).raman is not None
    assert (recipe.preset(name).pl is None) == (name in NO_LIGHT)


@pytest.mark.parametrize(("name", "kind"), SECTIONS)
def test_every_peak_has_a_name_of_its_own_and_tells_of_position_and_width_where_they_come_from(name, kind, generator):
    peaks = section(name, kind).deconvolve.peaks
    assert len({peak.name for peak in peaks}) == len(peaks) > 0
    for peak in peaks:
        for told in generator.sources(peak):
            assert told.startswith(generator.WORDS)
            assert told.startswith("no source read") or any(sign.isdigit() for sign in told), peak.name


def test_a_source_that_keeps_silent_on_the_width_is_refused(generator):
    with pytest.raises(ValueError, match="FWHM"):
        generator.sources(Peak(name="G", position=1582, fwhm=13, window=(1500, 1670), source="Position: read, 1582."))


@pytest.mark.parametrize(("name", "kind"), SECTIONS)
def test_peaks_lie_well_inside_windows_that_can_carry_them(name, kind):
    for (low, high), peaks in windows(section(name, kind).deconvolve.peaks).items():
        assert all(low + peak.fwhm / 2 <= peak.position <= high - peak.fwhm / 2 for peak in peaks)
        parameters = sum(4 if SHAPES[peak.shape].form else 3 for peak in peaks) + 2  # and the line under them
        assert (high - low) / STEP[kind] > 2 * parameters


@pytest.mark.parametrize("name", NAMES)
def test_windows_do_not_overlap_and_keep_clear_of_silicon_and_of_the_baselines_anchors(name):
    raman = section(name, "raman")
    spans = sorted(windows(raman.deconvolve.peaks))
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert not any(low - 20 < 520 < high + 20 for low, high in spans)
    anchors = {edge for area in raman.baseline.method.areas for edge in area}
    near = [peak.name for peak in raman.deconvolve.peaks if min(abs(peak.position - anchor) for anchor in anchors) < 1.5 * peak.fwhm]
    assert near == ([] if name != "paper-2023" else ["P195"])  # the paper's own anchors; docs/presets.md says what they cost
    assert all(abs(anchor - 520) >= 20 for anchor in anchors)


@pytest.mark.parametrize("name", [name for name, kind in SECTIONS if kind == "pl"])
def test_light_is_looked_for_below_the_laser_and_beside_its_silicon_line(name):
    laser = LASERS_EV.get(name.split("-")[-1], LASERS_EV["532"])
    silicon = laser - 520 / 8065.54
    assert all(peak.window[1] < silicon for peak in section(name, "pl").deconvolve.peaks)


def measured(peaks: tuple[Peak, ...], kind: str, *, optional: bool) -> SpectralMap:
    """A small flake that shines in the peaks, each 500 counts high and off its expected place by 2 % of its width; noise 3 counts."""
    low, high = min(peak.window[0] for peak in peaks), max(peak.window[1] for peak in peaks)
    axis = np.arange(low - 75 * STEP[kind], high + 75 * STEP[kind], STEP[kind])
    light = sum(500 * shape(axis, peak) for peak in peaks if optional or not peak.optional)
    counts = np.random.default_rng(0).normal(100, 3, (16, 16, len(axis)))
    counts[FLAKE] += light
    return SpectralMap.from_arrays(counts.astype(np.float32), axis, KIND[kind])


def shape(axis, peak):
    from_centre = 2 * (axis - peak.position - 0.02 * peak.fwhm) / peak.fwhm
    return 1 / (1 + from_centre**2) if peak.shape == "lorentzian" else np.exp(-np.log(2) * from_centre**2)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kind in SECTIONS if name != "paper-2023"])
def test_a_preset_finds_its_own_lines_and_leaves_out_those_that_are_not_there(name, kind):
    ours = section(name, kind)
    full = ours.chain().run(measured(ours.deconvolve.peaks, kind, optional=True)).peaks
    on_flake = np.zeros((16, 16), dtype=bool)
    on_flake[FLAKE] = True
    assert np.array_equal(full.status != Status.NOT_ON_FLAKE, on_flake)
    for k, peak in enumerate(ours.deconvolve.peaks):
        off = full.position[k][FLAKE] - peak.position
        assert np.median(np.abs(off)) < 0.1 * peak.fwhm, peak.name
        assert np.median(full.height[k][FLAKE]) == pytest.approx(500, rel=0.2), peak.name
    bare = ours.chain().run(measured(ours.deconvolve.peaks, kind, optional=False)).peaks
    for k, peak in enumerate(ours.deconvolve.peaks):
        assert abs(np.isnan(bare.position[k][FLAKE]).mean() - peak.optional) <= 0.2, peak.name


def test_the_papers_preset_departs_from_the_default_where_the_paper_does():
    for kind in recipe.MODALITIES:
        paper, ours = section("paper-2023", kind), section("wse2-532", kind)
        assert kind == "raman" or paper.deconvolve.peaks == ours.deconvolve.peaks
        assert isinstance(paper.deconvolve.solver, RAdam)
        assert isinstance(paper.despike.method, FirstDifference)
        assert (paper.deconvolve.background, paper.deconvolve.refit, paper.deconvolve.detection) == ("none", False, 0)
        assert paper.find_flake == FindFlake(signal="mean", k_edge=5, edge_fraction=0, min_pixels=1, fill_holes=False, window=None)
    assert set(section("paper-2023", "raman").baseline.method.areas) == {(183, 300), (314, 410)}


def test_the_default_has_the_papers_lines_first_and_two_that_high_resolution_shows_after_them():
    paper, ours = section("paper-2023", "raman").deconvolve.peaks, section("wse2-532", "raman").deconvolve.peaks
    assert len(paper) == 8
    for theirs, mine in zip(paper, ours, strict=False):
        assert (theirs.name, theirs.shape, theirs.position, theirs.fwhm) == (mine.name, mine.shape, mine.position, mine.fwhm)
    assert [(peak.name, peak.optional) for peak in ours[8:]] == [("P257", True), ("P278", True)]


def test_the_papers_preset_finds_a1_on_the_sample_flake(triangle):
    paper = section("paper-2023", "raman")
    found = paper.chain("baseline").run(triangle.raman).map
    few = np.zeros(found.frame.shape, dtype=bool)
    few.flat[np.flatnonzero(found.flake & triangle.truth.flake)[::150]] = True
    peaks = paper.deconvolve(replace(found, flake=few))
    a1 = peaks.names.index("A1'")
    assert few.sum() > 6
    assert np.abs(peaks.position[a1] - triangle.truth.raman.position[a1])[few].max() < 0.1
    assert (peaks.status[few] != Status.NOT_CONVERGED).mean() > 0.8


def test_the_line_that_tells_two_layers_is_on_no_pixel_of_a_monolayer(triangle):
    """And noise under so narrow a line breaks no fit: two of these pixels came out of the moments without a value, and ended the run."""
    raman = section("wse2-bilayer-532", "raman")
    pair = tuple(peak for peak in raman.deconvolve.peaks if peak.name in ("silicon 303", "P309"))
    found = raman.deconvolve.model_copy(update={"peaks": pair})(raman.chain("baseline").run(triangle.raman).map)
    assert np.isfinite(found.height[:, triangle.truth.flake]).all()
    assert np.isnan(found.position[found.names.index("P309")]).all()


def test_the_papers_despike_spares_the_lines_of_the_sample_flake(triangle):
    repaired = section("paper-2023", "raman").despike(triangle.raman).counts != triangle.raman.counts
    assert (repaired & ~triangle.truth.raman.spikes.mask)[triangle.truth.flake].sum(axis=-1).mean() < 0.01


def test_the_tables_of_presets_are_up_to_date(generator):
    committed = (DOCS / "presets.md").read_text(encoding="utf-8")
    assert generator.filled(committed) == committed, "run python docs/make_presets.py"


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_presets_has_a_section_for_each(name):
    assert f"\n## `{name}`" in (DOCS / "presets.md").read_text(encoding="utf-8")
