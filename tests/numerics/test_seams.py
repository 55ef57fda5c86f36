"""A spectrum cut in pieces by its formula, each on channels of its own, comes out joined as the formula says."""

import numpy as np
import pytest

from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics import seams

NX, NY = 4, 3


def light(values, row=0, column=0):
    """Two lines on a slope, by formula; every pixel has heights of its own."""
    lines = (500 + 50 * row) / (1 + ((values - 210) / 6) ** 2) + (300 + 20 * column) / (1 + ((values - 262) / 5) ** 2)
    return 200 + 0.4 * values + lines


def scan(values):
    return np.array([[light(values, row, column) for column in range(NX)] for row in range(NY)])


def put_together(*pieces, factors=None, offsets=None):
    """Axis and counts as an instrument writes them: piece after piece."""
    factors, offsets = factors or [1] * len(pieces), offsets or [0] * len(pieces)
    counts = [scan(piece) / factor - offset for piece, factor, offset in zip(pieces, factors, offsets, strict=True)]
    return np.concatenate(pieces), np.concatenate(counts, axis=-1)


def joined(values, counts, how):
    first, joints = seams.planned(values, counts.mean(axis=(0, 1)), how)
    return joints[-1].values, seams.joined(counts, first, joints), joints


LOW, HIGH = 150 + 0.6 * np.arange(121), 204.3 + 0.55 * np.arange(160)
"""150 to 222 and 204.3 to 291.75 cm-1: they overlap on a line."""


@pytest.mark.parametrize("order", [1, -1], ids=["low first", "high first"])
@pytest.mark.parametrize("direction", [1, -1], ids=["rising", "falling"])
def test_two_pieces_as_measured(order, direction):
    values, counts = put_together(*[piece[::direction] for piece in (LOW, HIGH)[::order]])
    axis, found, _ = joined(values, counts, "blend")
    assert (np.diff(axis) > 0.5 * 0.55).all()
    assert (axis[0], axis[-1]) == (LOW[0], HIGH[-1])
    np.testing.assert_allclose(found, scan(axis), atol=1.5)  # of 700: what a straight line between channels cuts off a line
    outside = (axis < 204) | (axis > 223)
    np.testing.assert_allclose(found[..., outside], scan(axis[outside]), rtol=1e-6)


@pytest.mark.parametrize("factor", [1.3, 0.2])
def test_a_scale_comes_from_the_light_in_the_overlap(factor):
    values, counts = put_together(LOW, HIGH, factors=[1, factor])
    axis, found, (joint,) = joined(values, counts, "scale")
    assert joint.factor == pytest.approx(factor, rel=1e-3)
    np.testing.assert_allclose(found, scan(axis), rtol=3e-3)


def test_an_offset_comes_from_the_light_in_the_overlap():
    values, counts = put_together(LOW, HIGH, offsets=[0, 87.5])
    axis, found, (joint,) = joined(values, counts, "offset")
    assert joint.offset == pytest.approx(87.5, abs=0.3)
    np.testing.assert_allclose(found, scan(axis), atol=1.5)


def test_three_pieces_are_scaled_one_after_the_other():
    third = 283.2 + 0.5 * np.arange(90)
    values, counts = put_together(LOW, HIGH, third, factors=[1, 1.2, 0.9])
    axis, found, joints = joined(values, counts, "scale")
    assert [joint.factor for joint in joints] == pytest.approx([1.2, 0.9], rel=2e-3)
    np.testing.assert_allclose(found, scan(axis), rtol=4e-3)


def test_a_scale_is_as_sure_as_it_says():
    """Of 60 noisy measurements the factors scatter by what is given as their error; a cosmic ray moves none of them."""
    generator = np.random.default_rng(5)
    found, errors = [], []
    for _ in range(60):
        values = np.concatenate([LOW, HIGH])
        counts = generator.poisson(np.concatenate([light(LOW), light(HIGH) / 1.3])).astype(float)
        counts[np.searchsorted(LOW, 212)] += 20_000
        _, (joint,) = seams.planned(values, counts, "scale")
        found.append(joint.factor)
        errors.append(joint.error)
    assert np.mean(found) == pytest.approx(1.3, abs=0.004)
    assert 0.5 < np.std(found) / np.mean(errors) < 2


def test_what_was_not_measured_is_taken_from_the_other_piece():
    values, counts = put_together(LOW, HIGH)
    counts[0, 1, : len(LOW)] = np.nan
    counts[1, 2, len(LOW) + 3] = np.nan
    axis, found, _ = joined(values, counts, "blend")
    assert np.isnan(found[0, 1, axis < HIGH[0]]).all()
    assert not np.isnan(found[0, 1, axis >= HIGH[0]]).any()
    assert not np.isnan(found[1, 2]).any()
    np.testing.assert_allclose(found[1, 2], light(axis, 1, 2), atol=1.5)


def test_pieces_that_do_not_meet_stand_one_after_the_other():
    apart = HIGH + 30
    values, counts = put_together(apart, LOW)
    axis, found, _ = joined(values, counts, "blend")
    np.testing.assert_array_equal(axis, np.concatenate([LOW, apart]))
    np.testing.assert_allclose(found, scan(axis), rtol=1e-6)
    with pytest.raises(DataError, match="share 0 channels, too few to tell a scale"):
        joined(values, counts, "scale")


def test_one_doubled_channel_is_averaged():
    values = np.array([1.0, 2, 3, 4, 4, 5, 6])
    counts = np.array([[[1.0, 2, 3, 10, 20, 5, 6]]])
    axis, found, _ = joined(values, counts, "blend")
    assert axis.tolist() == [1, 2, 3, 4, 5, 6]
    assert found.ravel().tolist() == [1, 2, 3, 15, 5, 6]


@pytest.mark.parametrize(
    ("values", "counts", "how", "words"),
    [
        (np.array([1.0, 2, 3, 2.5, 2.7, 2.9]), np.ones(6), "blend", "two measurements of one range"),
        (np.tile([1.0, 2.0], 5), np.ones(10), "blend", "no pieces of a spectrum"),
        (np.concatenate([LOW, HIGH]), np.zeros(281), "scale", "not above zero"),
        (np.concatenate([LOW, HIGH]), np.random.default_rng(0).normal(0.3, 5, 281), "scale", "too weak to tell a scale|not above zero"),
    ],
)
def test_what_cannot_be_joined_says_so(values, counts, how, words):
    with pytest.raises(DataError, match=words):
        seams.planned(values, counts, how)


def test_one_piece_goes_over_into_the_other_without_a_step():
    values = np.concatenate([LOW, HIGH])
    counts = np.concatenate([np.full(len(LOW), 10.0), np.full(len(HIGH), 20.0)])[None, None]
    axis, found, _ = joined(values, counts, "blend")
    expected = np.interp(axis, [HIGH[0], LOW[-1]], [10.0, 20.0])
    np.testing.assert_allclose(found[0, 0], expected, rtol=1e-6)
