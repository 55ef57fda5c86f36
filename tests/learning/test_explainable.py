"""Which models are asked: by scores written down here."""

import math

from napari_wse2xai.data import NETWORK, Score
from napari_wse2xai.learning.explainable import as_good, evidence


def score(model: str, r2: float, validation: str = "blocks", target: str = "height", part: str = "validation") -> Score:
    return Score(model, target, validation, part, r2, 0.0, 0.0, 0.0)


def test_blocks_decide_where_any_was_tested_and_only_held_out_pixels_count() -> None:
    random = [score(NETWORK, 0.9, "random"), score("kernel ridge", 0.8, "random")]
    others = [score("ridge", 0.99), score(NETWORK, 0.98, part="training"), score(NETWORK, 0.97, target="position")]
    untested = [score(NETWORK, math.nan)]
    assert evidence([*random, *others, *untested], "height") == {NETWORK: 0.9, "kernel ridge": 0.8}
    assert evidence([*random, *others, *untested, score("kernel ridge", 0.4)], "height") == {"kernel ridge": 0.4}
    assert evidence(others, "height") == {}


def test_models_within_two_hundredths_of_the_best_are_as_good() -> None:
    assert as_good({"kernel ridge": 0.69, NETWORK: 0.7, "MLP ensemble": 0.6799, "Gaussian process": 0.681}) == [
        NETWORK,
        "kernel ridge",
        "Gaussian process",
    ]
    assert as_good({}) == []
