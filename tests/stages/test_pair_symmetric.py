"""Flakes that look the same when turned: the stage is believed, a search tells its rivals, and nothing is ever wrong in silence."""

import re
from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.data import PARAMETERS, AxisKind, Direction, Frame, Pairable, PairedMaps, Record, Transform
from napari_wse2xai.data.transform import corners_um, pixels_um
from napari_wse2xai.errors import AmbiguousPairing, DataError, DataWarning, SettingsError
from napari_wse2xai.stages import Pair
from napari_wse2xai.stages.pair import AutomaticPlacing, GivenTransform, Register, StageCoordinates
from symmetric_flakes import SYMMETRIC, Dirt, Scanned, irregular, kite, peaks, scanned

pytestmark = pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
CLEAN = Dirt()


def steps_off(paired: PairedMaps, truth: Scanned) -> float:
    """Mean distance of the corners of the PL scan from where they belong, RS steps."""
    corners = corners_um(truth.pl.frame)
    return float(np.linalg.norm(paired.transform.apply(corners) - truth.truth.apply(corners), axis=1).mean()) / paired.step_um


def pairable(scans: Scanned) -> Pairable:
    return Pairable(scans.raman, scans.pl)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_true_coordinates_are_believed(name: str) -> None:
    scans = scanned(SYMMETRIC[name], 1, lost=False)
    paired = Pair()(pairable(scans))
    assert paired.found_by.startswith("stage coordinates")
    assert not paired.transform.mirrored
    assert steps_off(paired, scans) < 1.0
    assert paired.misalignment_um < 1.5 * paired.step_um


@pytest.mark.parametrize("name", ["triangle", "star of 5", "ellipse", "disc"])
def test_an_unknown_turn_of_a_symmetric_flake_is_ambiguous(name: str) -> None:
    scans = scanned(SYMMETRIC[name], 7, lost=True)
    with pytest.raises(AmbiguousPairing, match=r"PL fits in \d+ ways.*candidate: 1") as caught:
        Pair(method=Register())(pairable(scans))
    candidates = caught.value.candidates
    assert sum(candidate.as_good for candidate in candidates) >= 2
    if name != "disc":  # of which the true turn is one of infinitely many
        corners = corners_um(scans.pl.frame)
        off = [np.linalg.norm(one.transform.apply(corners) - scans.truth.apply(corners), axis=1).mean() for one in candidates]
        assert min(off) < 2.5 * abs(scans.raman.frame.step_um[0])
        chosen = Pair(method=Register(candidate=1 + int(np.argmin(off))))(pairable(scans))
        assert steps_off(chosen, scans) < 2.5
        assert f"candidate {1 + int(np.argmin(off))} of {len(candidates)}" in chosen.found_by


def test_a_candidate_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match="no candidate 50"):
        Pair(method=Register(candidate=50))(pairable(scanned(SYMMETRIC["triangle"], 7, lost=True)))


@pytest.mark.parametrize(("seed", "mirrored"), [(2, False), (5, True), (9, True)])
def test_an_irregular_flake_is_found_mirrored_or_not(seed: int, mirrored: bool) -> None:
    scans = scanned(irregular(seed), seed, lost=True, mirrored=mirrored)
    paired = Pair()(pairable(scans))
    assert steps_off(paired, scans) < 1.5
    assert paired.transform.mirrored is mirrored


def test_what_fits_mirrored_too_is_not_mirrored_but_said() -> None:
    scans = scanned(kite(), 3, lost=True, dirt=CLEAN)
    with pytest.warns(DataWarning, match="mirrored placing of PL fits as well"):
        paired = Pair(method=Register())(pairable(scans))
    assert not paired.transform.mirrored
    assert steps_off(paired, scans) < 1.5
    assert any("mirrored" in doubt for doubt in paired.doubts)


@pytest.mark.parametrize("kind", [AutomaticPlacing(), Register(mirror=False, max_rotation=20.0), StageCoordinates()])
def test_one_grid_is_not_resampled(kind: object) -> None:
    scans = scanned(irregular(4), 4, lost=False, ratio=1.0)
    pl = replace(scans.pl, frame=replace(scans.raman.frame))
    paired = Pair(method=kind)(Pairable(scans.raman, pl))
    if not isinstance(kind, Register):
        for name in PARAMETERS:
            np.testing.assert_array_equal(getattr(paired.pl, name), getattr(pl, name))
            np.testing.assert_array_equal(getattr(paired.pl, f"{name}_error"), getattr(pl, f"{name}_error"))
        np.testing.assert_array_equal(paired.pl.status, pl.status)


def test_a_grid_that_falls_on_pixels_of_the_other_keeps_its_values() -> None:
    scans = scanned(irregular(4), 4, lost=False, ratio=1.0)
    frame = scans.raman.frame
    cut = Frame((frame.shape[0] - 3, frame.shape[1]), frame.step_um, (frame.origin_um[0] + 3 * frame.step_um[0], frame.origin_um[1]))
    fields = {name: getattr(scans.pl, name)[:, 3:] for part in PARAMETERS for name in (part, f"{part}_error")}
    pl = replace(scans.pl, frame=cut, status=scans.pl.status[3:], reduced_chi2=scans.pl.reduced_chi2[3:], **fields)
    paired = Pair(method=StageCoordinates())(Pairable(scans.raman, pl))
    for name in PARAMETERS:
        np.testing.assert_array_equal(getattr(paired.pl, name)[:, 3:], getattr(pl, name))
        np.testing.assert_array_equal(getattr(paired.pl, f"{name}_error")[:, 3:], getattr(pl, f"{name}_error"))
        assert np.isnan(getattr(paired.pl, name)[:, :3]).all()


@pytest.mark.parametrize("method", [AutomaticPlacing(), Register(), StageCoordinates()])
def test_two_masks_of_one_scan_are_never_refused(method: object) -> None:
    scans = scanned(SYMMETRIC["triangle"], 5, lost=False, ratio=1.0)
    read = (Record("read", {"file": "both.wdf", "sha256": "ab" * 32}),)
    shifted = np.roll(scans.pl.status, 9, axis=1)
    pl = replace(scans.pl, frame=scans.raman.frame, status=shifted, history=read)
    paired = Pair(method=method)(Pairable(replace(scans.raman, history=read), pl))
    np.testing.assert_array_equal(paired.pl.height, pl.height)


def test_backlash_is_made_good_where_the_flake_allows() -> None:
    scans = scanned(irregular(9), 9, lost=False, ratio=1.2, dirt=CLEAN)
    off = np.array([1.0, -0.6]) * abs(scans.raman.frame.step_um[0])
    moved = replace(scans.pl, frame=replace(scans.pl.frame, origin_um=tuple((np.array(scans.pl.frame.origin_um) - off).tolist())))
    paired = Pair()(Pairable(scans.raman, moved))
    assert "shifted by" in paired.found_by
    np.testing.assert_allclose(paired.transform.offset, off, atol=0.35 * abs(scans.raman.frame.step_um[0]))
    np.testing.assert_array_equal(paired.transform.matrix, np.eye(2))


def laid_in_anew(scans: Scanned) -> Scanned:
    """The same scans where the stage knows how PL is shifted, not that the sample was turned."""
    corners = corners_um(scans.pl.frame)
    known = scans.truth.apply(corners).mean(axis=0) - corners.mean(axis=0)
    pl = replace(scans.pl, frame=replace(scans.pl.frame, origin_um=tuple((np.array(scans.pl.frame.origin_um) + known).tolist())))
    return replace(scans, pl=pl, truth=Transform(scans.truth.matrix, scans.truth.offset - scans.truth.matrix @ known))


@pytest.mark.parametrize("seed", [0, 1, 6, 11])
def test_a_sample_that_was_laid_in_anew_is_not_left_turned(seed: int) -> None:
    scans = laid_in_anew(scanned(irregular(seed), seed, lost=True, max_turn=9.0, dirt=CLEAN))
    paired = Pair()(pairable(scans))
    told = [float(found[1]) for words in paired.doubts if (found := re.search(r"agree better with PL turned by (.*?)°", words))]
    turn = told[0] if told else paired.transform.rotation_deg
    assert turn == pytest.approx(scans.truth.rotation_deg, abs=1.0)
    assert bool(told) == paired.found_by.startswith("stage")


def test_what_was_asked_holds_to_the_end() -> None:
    scans = scanned(irregular(2), 2, lost=True, max_turn=40.0)
    turn = abs(scans.truth.rotation_deg)
    assert turn > 7
    try:
        paired = Pair(method=Register(max_rotation=5.0, mirror=False))(pairable(scans))
    except DataError as refused:
        assert "find_flake" in str(refused) or "fits in" in str(refused)
        assert "register" not in str(refused).partition(";")[2]
    else:
        assert abs(paired.transform.rotation_deg) <= 5.0 + 1e-6
        assert paired.doubts


@pytest.mark.parametrize("shape", [(1, 40), (40, 1)])
def test_line_scans_take_the_coordinates_of_the_stage(shape: tuple[int, int]) -> None:
    scans = scanned(irregular(4), 4, lost=False, ratio=1.0)
    row, column = (slice(20, 21), slice(0, 38)) if shape[0] == 1 else (slice(0, 36), slice(20, 21))

    def cut(peaks):
        fields = {name: getattr(peaks, name)[:, row, column] for part in PARAMETERS for name in (part, f"{part}_error")}
        status = peaks.status[row, column]
        frame = replace(scans.raman.frame, shape=status.shape)
        return replace(peaks, frame=frame, status=status, reduced_chi2=peaks.reduced_chi2[row, column], **fields)

    pl = cut(scans.pl)
    paired = Pair()(Pairable(cut(scans.raman), pl))
    np.testing.assert_array_equal(paired.pl.height, pl.height)
    assert paired.found_by == "stage coordinates"


def test_scans_that_do_not_meet_and_have_no_outline_are_refused_in_one_sentence() -> None:
    scans = scanned(irregular(4), 4, lost=False)
    everywhere = [replace(peaks, status=np.zeros_like(peaks.status)) for peaks in (scans.raman, scans.pl)]
    away = replace(everywhere[1], frame=replace(everywhere[1].frame, origin_um=(5000.0, 0.0)))
    with pytest.raises(DataError, match="do not overlap where the stage has them") as caught:
        Pair()(Pairable(everywhere[0], away))
    assert "\n" not in str(caught.value)


def test_a_transform_by_hand_is_nobodys_candidate() -> None:
    scans = scanned(SYMMETRIC["hexagon"], 6, lost=True)
    paired = Pair(method=GivenTransform.of(scans.truth))(pairable(scans))
    assert paired.candidates == ()
    np.testing.assert_array_equal(paired.transform.matrix, scans.truth.matrix)


@pytest.mark.parametrize(("name", "seed"), [("disc", 336), ("hexagon", 354)])
def test_masks_that_lost_different_sides_are_never_wrong_in_silence(name: str, seed: int) -> None:
    rng = np.random.default_rng(77_000 + seed)
    dirt = Dirt(rng.uniform(0, 0.5), int(rng.integers(3)), rng.uniform(0, 0.2), rng.uniform(0.15, 0.35))
    with pytest.raises(AmbiguousPairing, match=r"PL fits in \d+ ways"):
        Pair(method=Register())(pairable(scanned(SYMMETRIC[name], seed, lost=True, dirt=dirt)))


def edge_of_a_half_plane(angle_deg: float, *, corner: bool = False) -> Pairable:
    """Both scans see one straight edge, or two that meet at a right angle."""
    angle = np.deg2rad(angle_deg)
    rng = np.random.default_rng(3)
    maps = []
    for kind, shape, step, origin in (
        (AxisKind.RAMAN_SHIFT, (38, 47), 0.5, (3.0, -7.0)),
        (AxisKind.ENERGY, (33, 40), 0.6, (2.7, -7.3)),
    ):
        frame = Frame(shape, (step, step), origin)
        y, x = np.moveaxis(pixels_um(frame) - np.array([12.2, 4.6]), -1, 0)
        on = y * np.sin(angle) + x * np.cos(angle) > 0
        if corner:
            on &= y * np.cos(angle) - x * np.sin(angle) > 0
        maps.append(peaks(on, frame, kind, rng))
    return Pairable(*maps)


@pytest.mark.parametrize("angle", [0.0, 17.0, 73.0, 135.0])
def test_along_a_lone_edge_nothing_is_claimed(angle: float) -> None:
    with pytest.warns(DataWarning, match="see but one edge of the flake"):
        paired = Pair()(edge_of_a_half_plane(angle))
    assert paired.found_by.startswith("stage coordinates")
    (said,) = re.findall(r"at (\d+)° from y", " ".join(paired.doubts))
    assert (
        abs((float(said) + angle + 90) % 180 - 90) < 6
    )  # an edge whose normal lies at this angle from x lies as far from y, the other way


def test_a_corner_tells_both_directions() -> None:
    assert not Pair()(edge_of_a_half_plane(30.0, corner=True)).doubts


def along(scans: Scanned, *, raman: tuple[str, str] = ("y", "x"), pl: tuple[str, str]) -> Pairable:
    """Both scans with other names of what their rows and columns run along."""
    maps = []
    for one, names in ((scans.raman, raman), (scans.pl, pl)):
        first, second = (Direction(name) for name in names)
        maps.append(replace(one, frame=replace(one.frame, directions=(first, second))))
    return Pairable(*maps)


@pytest.mark.parametrize("names", [("YA", "XA"), ("z", "x")])
def test_scans_along_other_directions_share_no_coordinates(names: tuple[str, str]) -> None:
    source = along(scanned(irregular(9), 9, lost=False, ratio=1.2, dirt=CLEAN), pl=names)
    with pytest.raises(DataError, match=rf"RS runs along y and x and PL along {names[0]} and {names[1]}.*use the method 'automatic'"):
        Pair(method=StageCoordinates())(source)
    everywhere = Pairable(*(replace(peaks, status=np.zeros_like(peaks.status)) for peaks in (source.raman, source.pl)))
    with pytest.raises(DataError, match=r"RS runs along y and x .* no outline of a flake to go by; place PL by landmarks"):
        Pair()(everywhere)


def test_two_scans_at_unknown_angles_are_searched_but_for_one_grid() -> None:
    turned = ("YA", "XA")
    other = along(scanned(irregular(9), 9, lost=False, ratio=1.2, dirt=CLEAN), raman=turned, pl=turned)
    assert Pair()(other).found_by == "automatic"
    same = along(scanned(irregular(4), 4, lost=False, ratio=1.0), raman=turned, pl=turned)
    one_grid = Pairable(same.raman, replace(same.pl, frame=same.raman.frame))
    paired = Pair()(one_grid)
    assert paired.found_by == "stage coordinates"
    np.testing.assert_array_equal(paired.pl.height, same.pl.height)
