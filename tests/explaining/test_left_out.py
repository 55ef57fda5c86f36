"""A peak that is left out: known laws, by scikit-learn's own numbers where there are some."""

import numpy as np
import pytest
import scipy.stats
from sklearn.linear_model import LinearRegression

from napari_wse2xai.explaining import Subject
from napari_wse2xai.explaining.further import QUESTIONS, Asking, answer, left_out
from napari_wse2xai.progress import silent

NY, NX = 12, 14


def asking(twin: bool) -> Asking:
    """Three peaks of two parameters; the light is the first parameter of the first; a twin of that is in the second."""
    rng = np.random.default_rng(0)
    y, x = (each.ravel().astype(float) for each in np.indices((NY, NX)))
    table = rng.normal(size=(NY * NX, 6))
    if twin:
        table[:, 2] = table[:, 0] + 0.01 * rng.normal(size=len(table))
    values = 3.0 * table[:, 0] + 0.5 * rng.normal(size=len(table))
    subject = Subject.of(LinearRegression().fit(table, values), table)
    names = [f"{line}.{parameter}" for line in ("A", "B.1", "C") for parameter in ("position", "height")]
    groups = [[0, 1], [2, 3], [4, 5]]
    return Asking(subject, names, values, np.column_stack([y, x]), np.zeros(len(table), dtype=np.int64), groups, 0)


def test_what_one_peak_alone_tells_is_lost_with_it():
    found = answer("left_out", asking(twin=False), silent)
    best = 9.0 / 9.25  # share of the light's variance that the law makes
    assert found.values[0] == found.values[1]
    assert found.values[0] == pytest.approx(best, abs=0.1)
    np.testing.assert_allclose(found.values[2:], 0.0, atol=0.02)
    assert (found.errors >= 0).all()
    assert (found.errors < 0.05).all()
    assert found.sentence.startswith("Without A a model predicts held-out pixels with R2")
    assert "Without B.1, C, one at a time, as well as with" in found.sentence


def test_folds_are_blocks_where_they_fit_and_else_at_random(monkeypatch):
    """Left out of the average over draws: that of another validation."""
    given, seen, told = asking(twin=False), [], []
    monkeypatch.setattr(left_out, "held_out_r2", lambda kept, target, splits, seed: seen.extend(splits) or {k: [0.5] for k in splits})
    for folds in ({"random": [], "blocks": []}, {"random": []}):
        monkeypatch.setattr(left_out, "folds_of", lambda *_, found=folds, **__: found)
        left_out.ask(given, lambda done, _: told.append(done))
    assert told == pytest.approx(2 * [k / 12 for k in range(12)])
    assert seen == 12 * ["blocks"] + 12 * ["random"], "three draws of all peaks and of all but one"


def test_of_two_that_tell_the_same_neither_is_missed():
    found = answer("left_out", asking(twin=True), silent)
    np.testing.assert_allclose(found.values[:4], 0.0, atol=0.03)


def test_pixels_without_light_are_left_out_and_every_question_says_what_it_is():
    given = asking(twin=False)
    gaps = np.array(given.values)
    gaps[::3] = np.nan
    found = answer("left_out", Asking(given.subject, given.names, gaps, given.places, given.flake, given.groups, 0), silent)
    assert found.values[0] > 0.7
    for key, question in QUESTIONS.items():
        assert question.title, key
        assert question.says, key


def test_what_is_lost_is_the_mean_of_the_draws_with_its_standard_error(monkeypatch):
    """Each draw with all peaks, then without each: numbers that are planted, scipy's standard error of their mean."""
    r2 = np.array([[0.9, 0.2, 0.6, 0.905], [0.7, 0.3, 0.5, 0.7], [0.8, 0.1, 0.7, 0.79]])
    planted = iter(r2.ravel())
    monkeypatch.setattr(left_out, "held_out_r2", lambda kept, target, splits, seed: {name: [next(planted)] for name in splits})
    found = left_out.ask(asking(twin=False), silent)
    lost = np.repeat(r2[:, :1] - r2[:, 1:], 2, axis=1)
    np.testing.assert_allclose(found[0], lost.mean(axis=0))
    np.testing.assert_allclose(found[1], scipy.stats.sem(lost))
    assert found[2] == (
        "Without A a model predicts held-out pixels with R2 0.20 instead of 0.80."
        " Without C, one at a time, as well as with: what they tell, others tell too."
    )


@pytest.mark.parametrize(("lost", "spared"), [(0.0100, True), (0.0101, False), (0.0399, True), (0.0401, False)])
def test_a_peak_can_be_spared_within_two_errors_or_a_hundredth(lost: float, spared: bool):
    doubt = 0.02 if lost > 0.02 else 0.001
    said = left_out._sentence(asking(twin=False), 0.9, np.array([0.5, lost, 0.5]), np.array([0.1, doubt, 0.1]))
    assert ("No peak can be done without." not in said) is spared
    assert ("Without B.1, one" in said) is spared
