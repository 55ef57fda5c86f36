"""By hand: a pixel in a wrong minimum finds its own again, others stay to the bit, and the numbers do not depend on what else is done."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.optimize import curve_fit

from napari_wse2xai import io, recipe
from napari_wse2xai.data import AxisKind, Frame, PeakMaps, SpectralMap, Status
from napari_wse2xai.errors import DataWarning, SettingsError
from napari_wse2xai.session import Session, State
from napari_wse2xai.stages import Baseline, ByHand, Deconvolve, Peak, Review

SHAPE = (6, 9)
AXIS = np.linspace(200, 300, 101)
FIT = Deconvolve(
    peaks=(
        Peak(name="E'", position=240, fwhm=6, window=(205, 295)),
        Peak(name="A1'", position=262, fwhm=6, window=(205, 295)),
    )
)
LOST = (2, 3)
"""Pixel whose fit is planted wrong."""


def line(x, position, fwhm, height):
    return height / (1 + ((x - position) / (fwhm / 2)) ** 2)


def two_lines(x, p1, w1, h1, p2, w2, h2, offset, slope):
    return line(x, p1, w1, h1) + line(x, p2, w2, h2) + offset + slope * (x - 250)


@pytest.fixture(scope="module")
def source() -> SpectralMap:
    rows, columns = np.indices(SHAPE)
    first = line(AXIS, 240 + 0.2 * rows[..., None], 6, 400 + 10 * columns[..., None])
    second = line(AXIS, 262 - 0.1 * columns[..., None], 7, 600 - 20 * rows[..., None])
    counts = first + second + 20 + np.random.default_rng(3).normal(0, 4, (*SHAPE, len(AXIS)))
    return SpectralMap.from_arrays(counts, AXIS, frame=Frame(SHAPE, (0.5, 0.25)), name="flake", kind=AxisKind.RAMAN_SHIFT)


@pytest.fixture(scope="module")
def fitted(source) -> PeakMaps:
    return FIT(source)


@pytest.fixture(scope="module")
def lost(fitted) -> PeakMaps:
    """The same with one pixel in a wrong minimum: both lines on the stronger one."""
    position, fwhm = fitted.position.copy(), fitted.fwhm.copy()
    position[:, *LOST], fwhm[:, *LOST] = (258.0, 263.0), (14.0, 4.0)
    status = fitted.status.copy()
    status[LOST] = Status.ABNORMAL
    return replace(fitted, position=position, fwhm=fwhm, status=status)


def differing(one, other, *, at=None) -> list[str]:
    """Fields of two deconvolutions that differ, to the bit; at some pixels, else everywhere but there."""
    where = np.ones(SHAPE, bool)
    where[LOST] = False
    where = where if at is None else at
    maps = [field.name for field in fields(one) if isinstance(getattr(one, field.name), np.ndarray)]
    both = {name: (getattr(one, name), getattr(other, name)) for name in maps if getattr(one, name).shape[-2:] == SHAPE}
    return [name for name, (ours, theirs) in both.items() if ours[..., where].tobytes() != theirs[..., where].tobytes()]


@pytest.mark.parametrize("do", ["refit", "refit from neighbours"])
def test_a_pixel_in_a_wrong_minimum_finds_what_scipy_finds(source, lost, do):
    made = Review(deeds=(ByHand(do=do, pixels=[LOST]),))(source, lost)
    counts = source.counts[LOST].astype(float)
    start = (240, 6, 400, 262, 6, 500, 0, 0)
    found, covariance = curve_fit(two_lines, AXIS[5:96], counts[5:96], start)
    got = np.stack([made.position, made.fwhm, made.height])[..., *LOST].T.ravel()
    errors = np.sqrt(np.diag(covariance))[:6]
    assert np.abs(got - found[:6]).max() < 0.05 * errors.min()
    own = np.stack([made.position_error, made.fwhm_error, made.height_error])[..., *LOST].T.ravel()
    np.testing.assert_allclose(own, errors, rtol=0.3)  # the noise is that of the map, scipy's that of one spectrum
    assert made.status[LOST] == Status.OK
    assert differing(made, lost) == []


def test_what_was_right_stays_right(source, fitted):
    """Refitting everything gives the same minima."""
    every = [(row, column) for row in range(SHAPE[0]) for column in range(SHAPE[1])]
    made = Review(deeds=(ByHand(do="refit", pixels=every),))(source, fitted)
    np.testing.assert_allclose(made.position, fitted.position, atol=float(0.05 * fitted.position_error.min()))
    np.testing.assert_allclose(made.height_error, fitted.height_error, rtol=0.02)


def test_a_refit_does_not_depend_on_what_else_is_done(source, lost):
    one = Review(deeds=(ByHand(do="refit", pixels=[LOST]),))(source, lost)
    deeds = (ByHand(do="reject", pixels=[(0, 0)]), ByHand(do="refit", pixels=[(5, 8), (4, 8)]), ByHand(do="refit", pixels=[LOST]))
    fresh = Review(deeds=deeds)(source, replace(lost))
    step_by_step = lost
    for number in range(1, 4):
        step_by_step = Review(deeds=deeds[:number])(source, lost)
    there = np.zeros(SHAPE, bool)
    there[LOST] = True
    assert differing(one, fresh, at=there) == []
    assert differing(step_by_step, fresh, at=np.ones(SHAPE, bool)) == []


def test_accepted_and_rejected_pixels_say_so(source, lost):
    deeds = (ByHand(do="accept", pixels=[LOST]), ByHand(do="reject", pixels=[(0, 1), (5, 8)]), ByHand(do="accept", pixels=[(5, 8)]))
    made = Review(deeds=deeds)(source, lost)
    assert (made.status[LOST], made.status[0, 1], made.status[5, 8]) == (Status.ACCEPTED, Status.REJECTED, Status.ACCEPTED)
    assert made.position[0, *LOST] == 258.0, "the values stay"
    assert np.isnan(made.height[:, 0, 1]).all()
    assert np.isnan(made.reduced_chi2[0, 1])
    assert np.array_equal(made.height[:, 5, 8], lost.height[:, 5, 8]), "what is accepted after it was rejected is back"
    rest = np.ones(SHAPE, bool)
    rest[[LOST[0], 0, 5], [LOST[1], 1, 8]] = False
    assert differing(made, lost, at=rest) == []
    assert Review.summary(made) == "2 pixels accepted; 2 pixels rejected."


def test_pixels_are_written_as_rows_and_columns():
    deed = ByHand(do="reject", pixels="12,4 12,5 12,4")
    assert deed.places.tolist() == [[12, 4], [12, 5]]
    assert ByHand(do="reject", pixels=[(12, 4), (12, 5)]) == deed
    for wrong in ("", "12", "12,4;3,4", "-1,3"):
        with pytest.raises(ValidationError, match="is no pixel"):
            ByHand(do="reject", pixels=wrong)


def test_a_pixel_that_is_not_there_is_told(source, fitted):
    with pytest.raises(SettingsError, match="has 6 rows and 9 columns, so no pixel 6,0"):
        Review(deeds=(ByHand(do="reject", pixels="6,0"),))(source, fitted)
    off = replace(fitted, status=np.where(np.indices(SHAPE)[0] == 0, np.uint8(Status.NOT_ON_FLAKE), fitted.status))
    with pytest.warns(DataWarning, match=r"1 pixel of 'flake' to refit by hand, such as row 0, column 2, has no fit \(not on flake\)"):
        Review(deeds=(ByHand(do="refit", pixels="0,2"),))(source, off)


DEEDS = (ByHand(do="refit", pixels="2,3 4,4"), ByHand(do="reject", pixels="0,0"), ByHand(do="accept", pixels="1,1"))


def test_session_recipe_and_command_line_give_the_same_to_the_bit(source, tmp_path: Path):
    io.write_map(source, tmp_path / "flake.nc")
    read = io.read(tmp_path / "flake.nc")
    above = Baseline()(read)
    peaks = FIT(above)
    reviewed = Review(deeds=DEEDS)(above, peaks)
    session = Session([read, above, peaks, reviewed])
    (tmp_path / "recipe.yaml").write_text(session.recipe_of(reviewed), encoding="utf-8")
    wanted = recipe.load(tmp_path / "recipe.yaml")
    assert wanted.stop_after == "review"
    assert wanted.raman is not None
    outcome = wanted.raman.chain(wanted.stop_after).run(io.read(wanted.raman.file))
    assert differing(outcome.peaks, reviewed, at=np.ones(SHAPE, bool)) == []
    session.save(tmp_path / "session.nc")
    back = Session.open(tmp_path / "session.nc")
    assert [node.state for node in back.nodes] == [State.CURRENT] * 4
    assert back.node(back.of_kind(PeakMaps)[-1]).parents == (back.node(back.of_kind(PeakMaps)[0]).id,)
    assert differing(back.of_kind(PeakMaps)[-1], reviewed, at=np.ones(SHAPE, bool)) == []


def test_work_by_hand_is_done_again_where_a_step_before_it_is(source, tmp_path: Path):
    above = Baseline()(source)
    peaks = FIT(above)
    session = Session([source, above, peaks, Review(deeds=DEEDS)(above, peaks)])
    made = session.rerun(above)
    assert [each.history[-1].step for each in made.artefacts] == ["Baseline", "Deconvolve", "Review"]
    harder = session.rerun(peaks, {"detection": 6})
    fresh = Review(deeds=DEEDS)(made.artefacts[0], FIT.model_copy(update={"detection": 6.0})(made.artefacts[0]))
    assert differing(harder.artefacts[-1], fresh, at=np.ones(SHAPE, bool)) == []
    alone = session.rerun(session.of_kind(PeakMaps)[-1], {"deeds": [{"do": "reject", "pixels": "3,3"}]})
    assert [each.history[-1].step for each in alone.artefacts] == ["Review"]
    assert session.of_kind(PeakMaps)[-1].status[3, 3] == Status.REJECTED
