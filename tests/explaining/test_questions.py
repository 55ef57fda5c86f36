"""Two parameters at once and regions, against the formula of a law: PL = 500 + 3 a + 40 (e - 250) + 0.002 a h."""

from types import SimpleNamespace

import numpy as np
import pytest

from learned import A_HEIGHT, E_POSITION, H_HEIGHT, law, make_samples
from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining import Subject, questions


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject.of(SimpleNamespace(predict=law), make_samples(shape=(20, 26)).features)


def test_the_surface_of_two_parameters_is_the_mean_of_the_law_with_both_set(subject: Subject) -> None:
    found = questions.two_parameters(subject, (H_HEIGHT, A_HEIGHT), points=12)
    h, a = found.grid
    level = 500 + 40 * (subject.table[:, E_POSITION].mean() - 250)
    np.testing.assert_allclose(found.surface, level + 3 * a[None, :] + 0.002 * a[None, :] * h[:, None], rtol=1e-3)
    for values, column in ((h, H_HEIGHT), (a, A_HEIGHT)):
        np.testing.assert_allclose(values[[0, -1]], np.percentile(subject.table[:, column], [2.5, 97.5]), rtol=0.01)


def test_the_interaction_is_the_product_about_the_means(subject: Subject) -> None:
    found = questions.two_parameters(subject, (H_HEIGHT, A_HEIGHT), points=5)
    away = (subject.table - subject.table.mean(axis=0)).T
    product = 0.002 * away[A_HEIGHT] * away[H_HEIGHT]
    assert found.strength == pytest.approx(product.std(), rel=0.25), "60 pixels stand for all"
    assert found.h == pytest.approx(product.std() / np.std(law(subject.table) - 40 * subject.table[:, E_POSITION]), rel=0.3)
    assert questions.two_parameters(subject, (E_POSITION, A_HEIGHT), points=5).h < 1e-6, "they add up"


def test_partners_come_by_the_size_of_their_interaction(subject: Subject) -> None:
    found = questions.interactions_with(subject, A_HEIGHT)
    assert found.partners[0] == H_HEIGHT
    assert sorted(found.partners) == [k for k in range(9) if k != A_HEIGHT]
    assert found.strength[0] > 0
    assert max(found.strength[1:]) < 1e-6 * found.strength[0]


@pytest.mark.parametrize("by_shape", [False, True])
def test_regions_part_the_flake_by_what_bends_the_slope(subject: Subject, by_shape: bool) -> None:
    labels, regions = questions.regions_of(subject, A_HEIGHT, names=[f"column {k}" for k in range(9)], by_shape=by_shape)
    assert [region.number for region in regions] == sorted(set(labels.tolist()))
    low, high = np.percentile(subject.table[:, A_HEIGHT], [2.5, 97.5])
    for region in regions:
        inside = subject.table[labels == region.number, H_HEIGHT]
        assert region.change == pytest.approx((3 + 0.002 * inside.mean()) * (high - low), rel=0.01)
        assert region.feature == A_HEIGHT
        assert by_shape or f"column {H_HEIGHT}" in region.rule
    rises = [region.change for region in regions]
    assert rises == sorted(rises)
    assert 0 < regions[0].kept < 0.6


def test_only_networks_look_at_wavenumbers(subject: Subject) -> None:
    with pytest.raises(DataError, match="need a network"):
        questions.wavenumbers_of(subject)
