"""Maps in which few photons are counted: most channels hold nothing, so that medians of noise are nought."""

import warnings

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.stages import Baseline, Calibrate, Deconvolve, Despike, FindFlake, Peak

pytestmark = pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")  # channels that count nothing are told
LINE = Deconvolve(peaks=(Peak(name="A", position=250, fwhm=5, window=(225, 280)),))


def photons(dark: float, height: float, shape: tuple[int, int] = (12, 14)) -> SpectralMap:
    """Counts of single photons: `dark` a channel in the mean, and a line."""
    x = np.linspace(200, 300, 200)
    mean = dark + np.broadcast_to(lorentzian(x, 250.3, 5.0, height), (*shape, 200))
    return SpectralMap.from_arrays(np.random.default_rng(5).poisson(mean), x, AxisKind.RAMAN_SHIFT, name="photons")


@pytest.mark.parametrize("dark", [0.0, 0.1, 0.3, 1.0])
def test_a_map_without_a_line_is_told_to_have_none(dark: float) -> None:
    source = photons(dark, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(DataError, match="No flake was found in 'photons'"):
            FindFlake(window=(225, 280))(source)
        with pytest.raises(DataError, match=r"cannot be calibrated|was measured from"):
            Calibrate()(source)
        fitted = LINE(Baseline()(Despike()(source)))
    assert (fitted.status != Status.OK).mean() > 0.99


@pytest.mark.parametrize("dark", [0.0, 0.02, 0.3])
def test_a_line_of_thirty_photons_is_fitted_within_its_errors(dark: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        fitted = LINE(photons(dark, 30.0))
    assert (fitted.status == Status.OK).mean() > 0.95
    assert 0.7 < np.std((fitted.position[0] - 250.3) / fitted.position_error[0]) < 1.3


def test_a_line_in_few_spectra_of_a_dark_map_is_no_division_by_nothing() -> None:
    source = photons(0.05, 0.0, (10, 12))
    source.counts[0, :2, 90:110] += 20
    fitted = LINE(source)
    assert (fitted.status[1:] != Status.OK).all()
