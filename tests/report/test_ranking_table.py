"""The table of a ranking over flakes: each parameter's effects on the flakes, to the least and the greatest."""

import pytest

from napari_wse2xai.data.effects import FlakeEffects
from napari_wse2xai.report._over_flakes import RankedOverFlakes


def test_a_row_has_the_least_and_the_greatest_effect_and_on_how_many_flakes_it_holds() -> None:
    names = ("A1'.height", "A1'.position", "LA.fwhm")
    told = {
        "a": FlakeEffects("height", "interpretable", "ridge", names, (0.8, -0.2, 0.01), (0.01, 0.01, 0.01)),
        "b": FlakeEffects("height", "local only", "ridge", names[::-1], (0.02, -0.3, 0.6), (0.01, 0.01, 0.01)),  # another order
        "c": FlakeEffects("height", "interpretable", "forest", (*names, "alone"), (0.7, 0.1, -0.03, 5.0), (0.01, 0.01, 0.01, 0.01)),
        "d": FlakeEffects("height", "do not interpret", "ridge", names, (-9.0, 9.0, 9.0), (0.1, 0.1, 0.1)),
    }
    ranked = RankedOverFlakes.of("grown", "height", told)
    first, second, third = ranked.rows()
    assert [row["parameter"] for row in (first, second, third)] == list(names)
    assert [(row["lowest"], row["highest"]) for row in (first, second, third)] == [(0.6, 0.8), (-0.3, 0.1), (-0.03, 0.02)]
    assert first["mean"] == pytest.approx(0.7, abs=0.01)  # equal errors: the plain mean
    assert first["scatter"] == pytest.approx(0.1, rel=0.05)
    assert [(row["holds"], row["flakes"], row["silent"]) for row in (first, second)] == [(3, 3, 1), (2, 3, 1)]
    assert {(row["condition"], row["target"]) for row in ranked.rows()} == {("grown", "height")}
    assert [row["rank"] for row in ranked.rows()] == [1, 2, 3]
    assert any("d" in words and "RS does not tell PL" in words for words in ranked.sentences)
    assert any("ridge or the forest" in words for words in ranked.sentences)
