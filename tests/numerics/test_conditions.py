"""Conditions against NumPy's own, written out by hand."""

import numpy as np
import pytest

from napari_wse2xai.numerics.conditions import Condition
from napari_wse2xai.numerics.expressions import ExpressionError

A = np.array([[10.0, 50.0, 90.0], [np.nan, 45.0, 30.0]])
B = np.array([[1.0, 2.0, np.nan], [4.0, 5.0, 6.0]])
OK = np.array([[True, False, True], [True, True, False]])
KNOWN, FLAGS = ("A1'.height", "A1'.fwhm", "E' 2.fwhm", "strain"), ("ok", "flake")
VALUES = {"A1'.height": A, "A1'.fwhm": B, "E' 2.fwhm": B, "strain": B - 3}


def holds(text: str) -> np.ndarray:
    return Condition.of(text, KNOWN, FLAGS).holds(VALUES, {"ok": OK, "flake": ~OK})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A1'.height > 40 and ok", (A > 40) & OK),
        ("A1' height > 40 AND ok", (A > 40) & OK),
        ("A1′ height ≥ 45 & ok", (A >= 45) & OK),
        ("20 < A1'.height <= 50", (A > 20) & (A <= 50)),
        ("not A1'.height > 40", A <= 40),
        ("A1'.height > 40 or A1' FWHM > 3", (A > 40) | (B > 3)),
        ("A1'.height / A1'.fwhm > 20 | flake", (A / B > 20) | ~OK),
        ("abs(strain) < 1.5 and not ok", (np.abs(B - 3) < 1.5) & ~OK),
        ('"E\' 2".fwhm^2 > 20', B**2 > 20),
        ("E' 2 FWHM > 4.5", B > 4.5),
        ("ok", OK),
        ("3 > 2", np.ones_like(OK)),
    ],
)
def test_a_condition_holds_where_numpy_says_so(text: str, expected: np.ndarray) -> None:
    assert np.array_equal(holds(text), expected)


def test_where_a_value_is_missing_neither_a_condition_nor_its_contrary_holds() -> None:
    assert not (holds("A1'.height > 40") | holds("not A1'.height > 40"))[1, 0]
    assert holds("A1'.height > 40 or A1'.fwhm > 3")[1, 0], "the other decides"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "between 1 and"),
        ("A1'.height", "is a number, not a condition"),
        ("A1'.height > ", "is no condition"),
        ("A1'.heigth > 4", "not known here"),
        ("A2'.height > 4", "not known here"),
        ("ok > 3", "true or false"),
        ("__import__('os').system('x') > 0", "known|cannot be called"),
        ("A1'.height > 40 if ok else flake", "known"),
        ("(lambda: 1)() > 0", "cannot be called"),
        ("[A1'.height > 1]", "known"),
        ("A1'.height in (1, 2)", "known"),
        ("A1'.height = 40", "is no condition"),
        ("nothing and ok", "not known"),
        ("1 > " * 199 + "1", "too long|letters"),
    ],
)
def test_what_is_no_condition_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        holds(text)
