"""Numbers are written with the digits that they deserve."""

import numpy as np
import pytest

from napari_wse2xai.report._numbers import MISSING, median, setting_text, to_digits_of, with_spread


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [(249.6612, 0.0931, "249.661"), (1988.4, 290.0, "1988"), (0.1, 0.1, "0.10"), (3.14159, 0.0, "3.1416"), (np.nan, 1.0, MISSING)],
)
def test_decimals_follow_the_uncertainty(value, uncertainty, text):
    assert to_digits_of(value, uncertainty) == text


def test_spread_is_half_of_the_central_68_percent():
    values = np.random.default_rng(1).normal(100.0, 2.0, 20_000)
    middle, spread = (float(part) for part in with_spread(np.append(values, [np.nan, 1e9])).split(" ± "))
    assert middle == pytest.approx(100.0, abs=0.1)
    assert spread == pytest.approx(2.0, abs=0.1)


def test_nothing_is_a_dash():
    assert with_spread(np.array([np.nan])) == median(np.array([np.nan])) == MISSING


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"kind": "asls", "smoothness": 1e6}, "kind: asls; smoothness: 1e+06"),
        ([183.0, 300.0], "183, 300"),
        ([[183.0, 300.0], [314.0, 410.0]], "183, 300; 314, 410"),
        ([183.0, [314.0, 410.0]], "183; 314, 410"),
        ([], "none"),
        (None, "not set"),
        (True, "yes"),
    ],
)
def test_settings_read_as_in_a_recipe(value, text):
    assert setting_text(value) == text
