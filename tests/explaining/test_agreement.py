"""Which model is trusted, and where models differ."""

import numpy as np
import pytest

from learned import make_explanation, with_others
from napari_wse2xai.data import MapLevel
from napari_wse2xai.explaining import concordance, disagreement, trusted

STEP = np.array([1.0, 2.0])


def maps(*, share: float = 0.0, seed: int = 0) -> np.ndarray:
    """Slopes (2, 500) of unit spread, a share of which is noise of its own."""
    common, own = np.random.default_rng(7).normal(size=(2, 500)), np.random.default_rng(seed).normal(size=(2, 500))
    return np.asarray(np.sqrt(1 - share) * common + np.sqrt(share) * own)


def test_concordance_is_that_of_effects() -> None:
    slopes = maps()
    assert concordance(slopes, slopes, STEP) == pytest.approx(1)
    assert concordance(slopes, -slopes, STEP) == pytest.approx(-1)
    assert concordance(slopes, maps(share=1.0, seed=3), STEP) == pytest.approx(0, abs=0.1)
    assert concordance(slopes, 2 * slopes, STEP) == pytest.approx(0.8), "too steep is not the same: 2 * 2 / (1 + 4)"
    constant = np.full((2, 500), 3.0)
    assert concordance(constant, constant + 0.1 * slopes, STEP) > 0.99, "a flat map has no pattern and yet is the same"


def test_the_best_is_trusted_unless_it_stands_alone() -> None:
    alike, odd = {"b": maps(share=0.02, seed=1), "c": maps(share=0.02, seed=2)}, maps(share=0.9, seed=4)
    assert trusted({"odd": odd, **alike}, STEP) == "b"
    assert trusted({"b": alike["b"], "odd": odd, "c": alike["c"]}, STEP) == "b"
    assert trusted({"odd": odd, "c": alike["c"]}, STEP) == "odd", "of two nobody can tell"
    assert trusted({"odd": odd}, STEP) == "odd"


@pytest.mark.parametrize("models", [2, 3, 5])
def test_models_of_one_error_each_seldom_differ_however_many_and_a_shifted_one_always(models: int) -> None:
    rng, error = np.random.default_rng(1), np.full((2, 500), 0.5)
    same = [0.5 * rng.normal(size=(2, 500)) for _ in range(models)]
    assert (disagreement(same, error) > 1.96).mean() == pytest.approx(0.05, abs=0.02)
    assert (disagreement([same[0], same[1] + 4.0], error) > 1.96).mean() > 0.99


@pytest.mark.parametrize(
    ("share", "same", "level", "words"),
    [
        (0.02, True, MapLevel.AGREED, "agree on which parameter matters most, A1' height, and on where"),
        (0.6, True, MapLevel.DISPUTED, "agree on which parameter matters most, A1' height, not on where"),
        (0.6, False, MapLevel.DISPUTED, "agree neither on which"),
    ],
)
def test_the_map_has_a_verdict_of_its_own(share: float, same: bool, level: MapLevel, words: str) -> None:
    alone = make_explanation()
    assert (alone.map_level, alone.sure(5).any()) == (MapLevel.ALONE, True)
    found = with_others(alone, disputed=share, same=same)
    assert found.map_level is level
    assert words in found.map_sentence
    assert found.map_sentence.startswith("Network and Gaussian process predict")
    assert found.disputed_share == pytest.approx(share, abs=0.1)
    assert not (found.sure(5) & found.disputed(5)).any()
    assert found.verdict is alone.verdict, "the ranking is judged by itself"
