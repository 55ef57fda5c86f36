"""Pairing: PL on the RS grid, by every method, with errors and a judgement."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai import recipe
from napari_wse2xai.data import PARAMETERS, Frame, Pairable, PairedMaps, PeakMaps, Status, Transform
from napari_wse2xai.data.transform import corners_um, pixel_coordinates, pixels_um
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.stages import Pair
from napari_wse2xai.stages._placing import flake_of
from napari_wse2xai.stages.pair import AutomaticPlacing, GivenTransform, Landmarks, Register, StageCoordinates
from napari_wse2xai.synthetic import Placement, SyntheticPair, make_pair
from napari_wse2xai.synthetic.growth import contains, outline_of

PLACEMENT = Placement(1.3, (0.08, -0.12), 9.0, mirrored=True)


@pytest.fixture(scope="module")
def scanned() -> SyntheticPair:
    return make_pair("triangle", PLACEMENT, seed=5)


@pytest.fixture(autouse=True)
def repeats() -> None:
    """As many as the user's: what is tested here is the error."""


@pytest.fixture(scope="module")
def pairable(scanned: SyntheticPair) -> Pairable:
    chains = recipe.preset().chains()
    raman, pl = (chains[name].run(getattr(scanned, name)).peaks for name in ("raman", "pl"))
    assert raman is not None
    assert pl is not None
    return Pairable(raman, pl)


@pytest.fixture(scope="module")
def paired(pairable: Pairable) -> PairedMaps:
    return Pair()(pairable)


def rms_off(paired: PairedMaps, truth: Transform) -> float:
    corners = corners_um(paired.pl_frame)
    return float(np.sqrt(((paired.transform.apply(corners) - truth.apply(corners)) ** 2).sum(axis=1).mean()))


def test_it_is_found_without_help(paired: PairedMaps, scanned: SyntheticPair) -> None:
    assert rms_off(paired, scanned.transform) < 0.5 * paired.step_um
    assert rms_off(paired, scanned.transform) < 4 * paired.misalignment_error_um
    assert paired.transform.mirrored
    assert paired.overlap > 0.93
    assert paired.found_by == "automatic"
    assert paired.candidates[0].transform.mirrored
    assert not paired.doubts
    assert "µm" in paired.misalignment_text


def test_pl_on_the_rs_grid_is_the_pl_of_that_place(paired: PairedMaps, scanned: SyntheticPair) -> None:
    outline, truth = outline_of("triangle"), scanned.truth
    well_inside = np.isfinite(truth.law_height)
    for shift in ((0.03, 0), (-0.03, 0), (0, 0.03), (0, -0.03)):
        row, column = np.indices(truth.flake.shape)
        well_inside &= contains(outline, (row + 0.5) / 48 + shift[0], (column + 0.5) / 56 + shift[1])
    here = well_inside & np.isfinite(paired.pl.height[0])
    assert here.sum() > 300
    relative = paired.pl.height[0][here] / truth.law_height[here] - 1
    assert abs(np.median(relative)) < 0.02
    assert np.percentile(np.abs(relative), 68) < 0.05
    off = paired.pl.position[0][here] - truth.pl.position[0][here]
    assert np.percentile(np.abs(off), 68) < 0.002


def test_nothing_is_made_up_beyond_the_pl_scan(paired: PairedMaps) -> None:
    pixels = pixel_coordinates(paired.pl_frame, paired.transform.inverse.apply(pixels_um(paired.frame)))
    beyond = ((pixels < -0.5) | (pixels > np.array(paired.pl_frame.shape) - 0.5)).any(axis=-1)
    assert beyond.any()
    for name in PARAMETERS:
        assert np.isnan(getattr(paired.pl, name)[:, beyond]).all()
        assert np.isnan(getattr(paired.pl, f"{name}_error")[:, beyond]).all()
    assert (paired.pl.status[beyond] == Status.NOT_MEASURED).all()
    assert not paired.paired[beyond].any()


def test_the_table_has_every_number_of_every_pair(paired: PairedMaps) -> None:
    table = paired.to_dataframe()
    assert list(table.columns[:6]) == ["row", "column", "y_um", "x_um", "P195.position", "P195.position_error"]
    assert len(table.columns) == 4 + 2 * (30 + 3)
    assert len(table) == paired.paired.sum()
    row, column = table.loc[10, "row"], table.loc[10, "column"]
    assert table.loc[10, "A1'.height"] == paired.raman.height[paired.raman.names.index("A1'"), row, column]
    assert table.loc[10, "A exciton.fwhm_error"] == paired.pl.fwhm_error[0, row, column]
    assert table.loc[10, "y_um"] == paired.frame.y_um[row]
    assert table.attrs["units"]["A exciton.position"] == "eV"


def test_equal_names_are_told_apart(pairable: Pairable) -> None:
    same = Pair(method=StageCoordinates())(Pairable(pairable.raman, pairable.raman))
    assert "PL A1'.height" in same.to_dataframe()
    assert same.misalignment_um < 0.25 * same.step_um
    np.testing.assert_allclose(same.pl.height, pairable.raman.height, rtol=1e-5)


def given(scanned: SyntheticPair, off: float, *, refine: bool = False) -> GivenTransform:
    transform = Transform(scanned.transform.matrix, scanned.transform.offset + np.array([off, 0.0]))
    return GivenTransform.of(transform, refine=refine)


def test_a_transform_by_hand_is_taken_as_it_is_and_judged(pairable: Pairable, scanned: SyntheticPair) -> None:
    right = Pair(method=given(scanned, 0.0))(pairable)
    np.testing.assert_array_equal(right.transform.matrix, scanned.transform.matrix)
    assert right.misalignment_um < 0.5 * right.step_um
    with pytest.warns(DataWarning, match="may miss its place"):
        wrong = Pair(method=given(scanned, 0.8))(pairable)
    assert wrong.misalignment_um == pytest.approx(0.8, abs=0.25)
    assert len(wrong.doubts) == 1
    with pytest.raises(DataError, match=r"steps, where given transform puts it; correct the transform, or look whether .*find_flake"):
        Pair(method=given(scanned, 1.6))(pairable)


def test_a_transform_by_hand_can_be_refined(pairable: Pairable, scanned: SyntheticPair, paired: PairedMaps) -> None:
    refined = Pair(method=given(scanned, 0.8, refine=True))(pairable)
    assert rms_off(refined, paired.transform) < 0.05
    assert refined.found_by == "given transform, refined"


def test_three_landmarks_place_the_pl(pairable: Pairable, scanned: SyntheticPair) -> None:
    places = [(4.0, 5.0), (20.0, 7.0), (9.0, 22.0)]
    method = Landmarks(pl_um=tuple(places), raman_um=tuple(map(tuple, scanned.transform.apply(places).tolist())))
    found = Pair(method=method)(pairable)
    np.testing.assert_allclose(found.transform.matrix, scanned.transform.matrix, atol=1e-9)
    assert rms_off(found, scanned.transform) < 1e-6


def test_what_does_not_overlap_is_refused(pairable: Pairable) -> None:
    with pytest.raises(DataError, match="do not overlap"):
        Pair(method=GivenTransform(offset_um=(500.0, 0.0)))(pairable)


def test_different_flakes_are_refused(pairable: Pairable) -> None:
    other = replace(pairable.pl, frame=replace(pairable.pl.frame, sample="another"))
    with pytest.raises(DataError, match="different flakes"):
        Pair()(Pairable(pairable.raman, other))


def fitted_everywhere(peaks: PeakMaps) -> PeakMaps:
    return replace(peaks, status=np.zeros_like(peaks.status))


@pytest.mark.parametrize("method", [AutomaticPlacing(), Register(), StageCoordinates(), StageCoordinates(refine=True)])
def test_without_an_outline_the_stage_serves_and_is_not_judged(pairable: Pairable, method: object) -> None:
    filled = Pairable(fitted_everywhere(pairable.raman), fitted_everywhere(pairable.pl))
    with pytest.warns(DataWarning, match="cannot be judged"):
        paired = Pair(method=method)(filled)
    assert paired.found_by.startswith("stage coordinates")
    np.testing.assert_array_equal(paired.transform.matrix, np.eye(2))
    assert np.isnan(paired.misalignment_um)
    assert paired.misalignment_text == "misalignment unknown"


def test_holes_in_the_scan_are_no_outline(pairable: Pairable) -> None:
    whole = flake_of(pairable.raman)
    status = pairable.raman.status.copy()
    status[20:22] = Status.NOT_MEASURED
    assert (flake_of(replace(pairable.raman, status=status)) != whole).sum() < 6


def test_progress_rises_and_the_history_can_make_it_again(pairable: Pairable, paired: PairedMaps) -> None:
    told: list[float] = []
    again = Pair()(pairable, lambda fraction, words: told.append(fraction))
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1
    (record,) = again.history
    assert record.step == "Pair"
    rebuilt = Pair.model_validate(dict(record.settings))
    assert rebuilt == Pair()
    np.testing.assert_array_equal(rebuilt(pairable).transform.matrix, paired.transform.matrix)


@pytest.mark.parametrize(
    "method",
    [
        AutomaticPlacing(candidate=2),
        Register(mirror=False, max_rotation=5.0, max_shift=3.0, scale=True),
        StageCoordinates(refine=True),
        Landmarks(pl_um=((0, 0), (1, 0), (0, 1)), raman_um=((0, 0), (1, 0), (0, 1))),
        GivenTransform.of(Transform.similarity(rotation_deg=3.0, shift_um=(1.0, 2.0))),
    ],
    ids=lambda method: method.kind,
)
def test_settings_survive_json(method: object) -> None:
    stage = Pair(method=method)
    assert Pair.model_validate_json(stage.model_dump_json()) == stage


def test_frames_of_one_stay_need_no_transform() -> None:
    frame = Frame((3, 4))
    assert np.allclose(StageCoordinates().start().apply(pixels_um(frame)), pixels_um(frame))
