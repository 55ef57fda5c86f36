"""What an explanation says of itself: which slopes are sure, in what order its parameters stand."""

from dataclasses import replace

import numpy as np
import pytest

from learned import make_explanation
from napari_wse2xai.data import Explanation, Level


@pytest.mark.parametrize(
    ("deviations", "sure"), [(0.0, False), (1.2, False), (1.9, False), (2.1, True), (-1.9, False), (-2.1, True), (40.0, True)]
)
def test_a_slope_is_sure_beyond_two_of_its_standard_deviations(explanation: Explanation, deviations: float, sure: bool) -> None:
    near = replace(explanation, slope=deviations * explanation.slope_error, off_cloud=np.zeros_like(explanation.off_cloud))
    for feature in range(len(near.features)):
        measured = near.slope_error[feature] > 0
        assert (near.sure(feature)[measured] == sure).all()


def test_no_slope_off_the_cloud_is_sure(explanation: Explanation) -> None:
    off = np.zeros_like(explanation.off_cloud)
    off[2, ::3] = True
    far = replace(explanation, slope=9 * explanation.slope_error, off_cloud=off)
    assert not far.sure(2)[::3].any()
    assert far.sure(2)[1::3].all()
    assert far.sure(1).all()


@pytest.mark.parametrize(
    ("level", "stamp"), [(Level.INTERPRETABLE, ""), (Level.LOCAL_ONLY, "LOCAL ONLY"), (Level.DO_NOT_INTERPRET, "DO NOT INTERPRET")]
)
def test_the_stamp_says_what_the_verdict_says(level: Level, stamp: str) -> None:
    assert make_explanation(level=level).stamp == stamp
