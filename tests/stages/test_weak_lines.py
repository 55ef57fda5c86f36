"""Lines a few errors high: what is stated of them is as far off as their errors say."""

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.stages import Deconvolve, Peak
from planted_maps import averaged, gaussian, lorentzian

X = 200 + 0.6 * np.arange(120)
SIDE, NOISE = 44, 10.0


@pytest.mark.parametrize("heights", [(10, 45), (12, 20)], ids=["weak and strong", "all near the limit"])
@pytest.mark.parametrize("shape", [lorentzian, gaussian])
def test_pulls_of_weak_lines_have_the_width_that_errors_promise(shape, heights):
    rng = np.random.default_rng(11)
    position, fwhm, height = 236 + rng.uniform(-0.6, 0.6, (SIDE, SIDE)), np.full((SIDE, SIDE), 4.8), rng.uniform(*heights, (SIDE, SIDE))
    counts = 100 + averaged(shape, X, position, fwhm, height) + NOISE * rng.normal(size=(SIDE, SIDE, len(X)))
    peak = Peak(name="A", shape=shape.__name__, position=236, fwhm=5.5, window=(200, 272))
    found = Deconvolve(peaks=(peak,), pixels="everywhere")(SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT))
    weak = (found.status == Status.OK) & (found.height[0] < 7 * found.height_error[0])
    off = {
        name: ((getattr(found, name)[0] - truth) / getattr(found, f"{name}_error")[0])[weak]
        for name, truth in (("position", position), ("fwhm", fwhm))
    }
    assert weak.sum() > 250
    for each in off.values():
        assert 0.85 < each.std() < 1.18
        assert (np.abs(each) > 5).mean() < 0.001
