"""A few of many are taken evenly, or all where they are few."""

import numpy as np
import pytest

from napari_wse2xai.numerics.all_over import all_over


@pytest.mark.parametrize(("count", "most"), [(1000, 7), (7, 7), (5, 100), (1, 3), (0, 3)])
def test_places_go_evenly_from_the_first_to_the_last(count: int, most: int) -> None:
    found = all_over(count, most)
    assert len(found) == min(count, most)
    assert {0, count - 1} <= set(found.tolist()) or not count
    assert len(found) < 3 or np.ptp(np.diff(found)) <= 1
