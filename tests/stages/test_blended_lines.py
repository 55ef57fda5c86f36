"""Two lines closer than their width: errors as large as the scatter about the truth, of the parameters and of what is computed of them."""

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.stages import Computed, Deconvolve, Peak, check_model
from planted_maps import gaussian

X = np.linspace(690.0, 840.0, 353)
SHAPE = (30, 34)
WINDOW = (690.0, 840.0)


@pytest.fixture(scope="module")
def fitted():
    """Exciton and trion 16 nm apart, 24 and 34 nm wide, of every brightness, over shot noise."""
    dice = np.random.default_rng(5)
    places, bright, share = 750 + dice.uniform(-2, 2, SHAPE), dice.uniform(800, 4000, SHAPE), dice.uniform(0.2, 0.4, SHAPE)
    truth = {"position": (places, places + 16), "fwhm": (np.full(SHAPE, 24.0), np.full(SHAPE, 34.0)), "height": (bright, bright * share)}
    light = 300 + sum(gaussian(X, *(truth[name][k] for name in ("position", "fwhm", "height"))) for k in (0, 1))
    counts = dice.poisson(light) + 5 * dice.normal(size=light.shape)
    peaks = [
        Peak(name="exciton", shape="gaussian", position=750, fwhm=24, window=WINDOW),
        Peak(name="trion", shape="gaussian", position=766, fwhm=34, window=WINDOW),
    ]
    wanted = (Computed(name="share", expression="trion.area / (trion.area + exciton.area)"),)
    source = SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.WAVELENGTH)
    return Deconvolve(peaks=peaks, computed=wanted, pixels="everywhere")(source), truth, source


def require_honest(off):
    assert 0.85 < np.nanstd(off) < 1.15  # to first order 1.1 to 1.6
    assert (np.abs(off) > 5).mean() < 0.002


@pytest.mark.parametrize("peak", [0, 1])
@pytest.mark.parametrize("name", ["position", "fwhm", "height"])
def test_pulls_are_as_wide_as_errors_promise(fitted, peak, name):
    found, truth, _ = fitted
    ok = found.status == Status.OK
    assert ok.mean() > 0.95
    require_honest(((getattr(found, name)[peak] - truth[name][peak]) / getattr(found, f"{name}_error")[peak])[ok])


def test_so_are_those_of_their_ratio(fitted):
    found, truth, _ = fitted
    areas = [fwhm * height for fwhm, height in zip(truth["fwhm"], truth["height"], strict=True)]
    (share,) = found.computed
    require_honest(((share.value - areas[1] / (areas[0] + areas[1])) / share.error)[found.status == Status.OK])


def test_what_a_right_model_leaves_of_a_thousand_spectra_is_no_misfit(fitted):
    """Some hundredths of the noise, since the model is no straight one: once a line that was missing, and no pixel of the map was ok."""
    found, _, source = fitted
    assert not (found.status == Status.MISFIT).any()
    assert check_model(found, source) == ()
