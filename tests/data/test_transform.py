"""Transforms of the plane."""

import numpy as np
import pytest

from napari_wse2xai.data import Frame, Transform
from napari_wse2xai.data.transform import corners_um, pixel_coordinates, pixels_um
from napari_wse2xai.errors import SettingsError

TURNED = Transform.similarity(rotation_deg=12.0, scale=1.3, mirrored=True, shift_um=(2.0, -5.0), centre_um=(3.0, 4.0))


def test_the_way_back_leads_back() -> None:
    points = np.random.default_rng(0).normal(size=(5, 3, 2))
    np.testing.assert_allclose(TURNED.inverse.apply(TURNED.apply(points)), points, atol=1e-12)
    np.testing.assert_allclose(TURNED.after(TURNED.inverse).apply(points), points, atol=1e-12)
    np.testing.assert_array_equal(Transform.identity().apply(points), points)


def test_a_similarity_is_what_it_was_asked_to_be() -> None:
    assert (TURNED.mirrored, TURNED.scale, TURNED.rotation_deg) == (True, pytest.approx(1.3), pytest.approx(12.0))
    np.testing.assert_allclose(TURNED.apply([3.0, 4.0]), [5.0, -1.0])
    np.testing.assert_allclose(Transform.similarity(rotation_deg=90.0).apply([1.0, 0.0]), [0.0, 1.0], atol=1e-12)


@pytest.mark.parametrize("mirrored", [False, True])
def test_three_landmarks_tell_shift_turn_scale_and_mirror(mirrored: bool) -> None:
    truth = Transform.similarity(rotation_deg=-37.0, scale=0.8, mirrored=mirrored, shift_um=(4.0, 1.0))
    places = np.array([[0.0, 0.0], [3.0, 1.0], [1.0, 5.0]])
    found = Transform.from_landmarks(places, truth.apply(places))
    np.testing.assert_allclose(found.matrix, truth.matrix, atol=1e-12)
    np.testing.assert_allclose(found.offset, truth.offset, atol=1e-12)


def test_landmarks_that_are_a_little_off_are_met_in_the_mean() -> None:
    rng = np.random.default_rng(1)
    places = rng.uniform(0, 20, (40, 2))
    found = Transform.from_landmarks(places, TURNED.apply(places) + rng.normal(0, 0.1, places.shape))
    assert np.abs(found.apply(places) - TURNED.apply(places)).max() < 0.1


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ([[0, 0], [1, 1]], [[0, 0], [1, 1]], "at least three"),
        ([[0, 0], [1, 1], [2, 2]], [[0, 0], [1, 1], [2, 2]], "one line"),
        ([[0, 0], [1, 0], [2, 2]], [[0, 0], [1, 1]], "as many on both"),
    ],
)
def test_landmarks_that_tell_too_little_are_refused(source: list, target: list, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Transform.from_landmarks(source, target)


def test_a_transform_that_cannot_be_undone_is_refused() -> None:
    with pytest.raises(SettingsError, match="can be undone"):
        Transform(np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros(2))


def test_pixels_and_places_belong_together() -> None:
    frame = Frame((3, 4), (-0.5, 0.25), (10.0, -2.0))
    np.testing.assert_allclose(pixel_coordinates(frame, pixels_um(frame)), np.moveaxis(np.indices(frame.shape), 0, -1), atol=1e-12)
    np.testing.assert_array_equal(corners_um(frame), [[10.0, -2.0], [10.0, -1.25], [9.0, -2.0], [9.0, -1.25]])
