"""How much of an effect differs from place to place, for laws whose share is known in closed form."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_wse2xai.explaining import Subject
from napari_wse2xai.explaining.further import Asking, answer, uneven
from napari_wse2xai.progress import silent

NY, NX = 24, 30


class Law:
    """A function with scikit-learn's word for it."""

    def __init__(self, law):
        self.law = law

    def predict(self, table):
        return self.law(np.asarray(table))


def answered(law, *, seed=3, level=True):
    """Two unrelated parameters, without mean and of variance 1 to the last digit where they are levelled; the answer for a law of both."""
    table = np.random.default_rng(seed).normal(size=(NY * NX, 2))
    table = (table - table.mean(axis=0)) / table.std(axis=0) if level else table
    y, x = (each.ravel().astype(float) for each in np.indices((NY, NX)))
    subject = Subject.of(Law(law), table)
    places = np.column_stack([y, x])
    names = ["A1'.position", "E'.height"]
    return answer("uneven", Asking(subject, names, law(table), places, np.zeros(len(places), np.int64), [[0], [1]], 0), silent)


@pytest.mark.parametrize(
    ("law", "share"),
    [
        (lambda t: 3 * t[:, 0] - t[:, 1], (0.0, 0.0)),
        (lambda t: t[:, 0] * (1 + t[:, 1]), (0.5, 1.0)),  # slopes 1 + b, of mean 1 and mean square 2; and a, of mean 0
        (lambda t: t[:, 0] * (2 + t[:, 1]), (0.2, 1.0)),
    ],
)
def test_the_share_is_that_of_the_law(law, share):
    found = answered(law)
    np.testing.assert_allclose(found.values, share, atol=1e-6)
    assert (found.errors <= 0.1).all()


def test_the_error_is_how_far_the_share_differs_from_flake_to_flake():
    flakes = [answered(lambda t: t[:, 0] * (1 + t[:, 1]), seed=seed, level=False) for seed in range(40)]
    spread = np.std([each.values[0] for each in flakes], ddof=1)
    assert np.mean([each.errors[0] for each in flakes]) == pytest.approx(spread, rel=0.3)


def test_the_sentence_names_what_one_number_cannot_stand_for():
    assert "of E' height:" in answered(lambda t: t[:, 0] * (2 + t[:, 1])).sentence
    assert answered(lambda t: t[:, 0]).sentence == "Of every parameter the mean slope stands for most of the flake."


def test_what_is_not_surely_uneven_is_not_named():
    asking = SimpleNamespace(names=["A.height", "B.height"])
    said = uneven._sentence(asking, np.array([0.7, 0.9]), np.array([0.3, np.nan]))
    assert "of B height:" in said
    several = SimpleNamespace(names=[f"{line}.height" for line in "ABCDE"])
    assert "of A height, B height, C height, D height and 1 more:" in uneven._sentence(several, np.full(5, 0.9), np.zeros(5))
    assert uneven._sentence(asking, np.array([0.7, 0.4]), np.array([0.3, 0.2])).startswith("Of every parameter")


def test_the_error_leaves_out_each_sixteenth_of_a_flake(monkeypatch):
    shares = []
    monkeypatch.setattr(uneven, "_share", lambda slope: shares.append(slope.shape[1]) or np.zeros(len(slope)))
    answered(lambda t: t[:, 0])
    *kept, whole = shares
    assert whole == NY * NX and kept == pytest.approx([whole * 15 / 16] * 16, rel=0.01), "the last row and column with their neighbours"
