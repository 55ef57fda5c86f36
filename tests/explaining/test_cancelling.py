import numpy as np

from napari_wse2xai.explaining.cancelling import cancelling, cancelling_sentences

NAMES = ("E'.height", "A1'.height", "E'.position", "A1'.fwhm")


def table():
    rng = np.random.default_rng(0)
    brightness = rng.standard_normal(400)
    one, other = brightness + 0.1 * rng.standard_normal(400), brightness + 0.1 * rng.standard_normal(400)
    return np.column_stack([one, other, -brightness + 0.1 * rng.standard_normal(400), rng.standard_normal(400)])


def test_two_of_one_component_with_opposite_effects_are_a_pair():
    effect = np.array([-0.48, 0.50, 0.01, 0.4])
    assert [pair[:2] for pair in cancelling(table(), effect)] == [(0, 1)]
    (said,) = cancelling_sentences(NAMES, table(), effect, "counts")
    assert said.startswith("E'.height and A1'.height move together (r = 0.9")
    assert "(-0.48 and +0.5 counts per standard deviation): read them as a pair" in said


def test_the_sign_of_the_correlation_counts():
    assert [pair[:2] for pair in cancelling(table(), np.array([0.5, 0.01, 0.5, 0.0]))] == [(0, 2)]  # one falls as the other rises
    assert not list(cancelling(table(), np.array([0.5, 0.01, -0.5, 0.0])))


def test_effects_that_add_up_or_parameters_that_go_their_own_ways_are_none():
    assert not list(cancelling(table(), np.array([0.5, 0.5, 0.0, 0.0])))
    assert not list(cancelling(table(), np.array([0.5, 0.0, 0.0, -0.5])))
    assert not list(cancelling(table(), np.array([0.5, -0.1, 0.0, 0.0])))
