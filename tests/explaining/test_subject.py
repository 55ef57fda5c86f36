"""One subject for all questions: what they share is made once, and the answers are those to estimator and table."""

import copy

import laws
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining import (
    Subject,
    accumulated_local_effects,
    derivatives,
    h_statistic,
    ice_clusters,
    ice_slope,
    partial_dependence,
    partial_dependence_pairs,
    permutation_importance,
    regional_effects,
    weight_randomisation,
)
from napari_wse2xai.explaining.cloud import _scale
from napari_wse2xai.explaining.subject import checked_table


@pytest.fixture(scope="module")
def flake() -> laws.Flake:
    return laws.flake()


QUESTIONS = {
    "curves": lambda model, table, flake: partial_dependence(model, table, samples=60).average,
    "slopes": lambda model, table, flake: ice_slope(model, table).slope,
    "derivatives": lambda model, table, flake: derivatives(model, table),
    "ale": lambda model, table, flake: accumulated_local_effects(model, table).average,
    "shuffled": lambda model, table, flake: permutation_importance(model, table, flake.y).importances,
    "pairs": lambda model, table, flake: partial_dependence_pairs(model, table, [(2, 5)], samples=40).average,
    "h": lambda model, table, flake: h_statistic(model, table, [(2, 5), (3, 7)], samples=30).h,
    "clusters": lambda model, table, flake: ice_clusters(model, table, 2).labels,
    "regions": lambda model, table, flake: regional_effects(model, table, 2).labels,
    "random weights": lambda model, table, flake: weight_randomisation(model, table, redraws=1).correlation,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_subject_gives_the_same_bits_as_model_and_table(flake: laws.Flake, name: str) -> None:
    module = laws.Convolution(flake)
    assert_array_equal(QUESTIONS[name](Subject.of(module, flake.X), None, flake), QUESTIONS[name](module, flake.X, flake))


def test_the_network_is_copied_once_for_all_questions_and_predicts_the_table_once(flake: laws.Flake, monkeypatch) -> None:
    copies, real = [], copy.deepcopy
    monkeypatch.setattr(copy, "deepcopy", lambda thing, memo=None: copies.append(thing) or real(thing, memo))
    subject = Subject.of(laws.Convolution(flake), flake.X)
    made = len(copies)
    predicted, cloud, pixels = subject.predicted, subject.cloud, subject.pixels(60, 0)
    for name, ask in QUESTIONS.items():
        if name != "random weights":  # these are drawn into a copy
            ask(subject, None, flake)
    assert len(copies) == made
    assert subject.predicted is predicted
    assert subject.cloud is cloud
    assert subject.pixels(60, 0) is pixels


def test_another_table_has_its_own_predictions_and_the_same_network(flake: laws.Flake) -> None:
    whole = Subject.of(laws.Convolution(flake), flake.X)
    assert Subject.of(whole) is Subject.of(whole, whole.table) is whole
    half = Subject.of(whole, flake.X[::2])
    assert half.model is whole.model
    np.testing.assert_allclose(half.predicted, whole.predicted[::2], rtol=1e-6)


def test_a_model_without_a_table_is_refused(flake: laws.Flake) -> None:
    with pytest.raises(SettingsError, match="give the table of pixels by parameters too"):
        partial_dependence(laws.Convolution(flake))


def test_every_redraw_begins_with_the_network_as_it_was(flake: laws.Flake) -> None:
    subject = Subject.of(laws.Convolution(flake), flake.X)
    alone = [weight_randomisation(subject, redraws=1, random_state=seed).correlation for seed in (4, 5)]
    np.testing.assert_allclose(weight_randomisation(subject, redraws=2, random_state=4).correlation, np.mean(alone, axis=0), atol=1e-12)


def test_two_pixels_are_a_table_and_one_or_one_with_gaps_is_none() -> None:
    np.testing.assert_array_equal(checked_table(np.eye(2)), np.eye(2))
    for wrong in (np.ones((1, 3)), np.ones(3), np.full((4, 2), np.nan)):
        with pytest.raises(SettingsError):
            checked_table(wrong)


def test_the_scale_of_a_column_is_deaf_to_its_offset_and_to_odd_values() -> None:
    table = np.random.default_rng(0).standard_normal((2000, 2)) * [1.0, 5.0]
    table[:20] = 1e6
    assert _scale(table) == pytest.approx([1.0, 5.0], rel=0.1)
    np.testing.assert_allclose(_scale(table + 300.0), _scale(table))
