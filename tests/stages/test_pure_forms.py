"""Voigt lines that noise makes all Gaussian or all Lorentzian: fitted as well as others, with errors that cover."""

import numpy as np
import pytest
from scipy.special import voigt_profile

from napari_wse2xai import Deconvolve, Peak, SpectralMap
from napari_wse2xai.data import AxisKind, Status

X = np.arange(200.0, 300.0, 0.6)
SHAPE = (21, 26)
SHARE, FWHM, POSITION, HEIGHT = 0.15, 9.0, 251.0, 400.0


def line(away: np.ndarray, shape: str) -> np.ndarray:
    """The line, of height one."""
    if shape == "pseudo-voigt":
        return SHARE / (1 + 4 * (away / FWHM) ** 2) + (1 - SHARE) * np.exp(-4 * np.log(2) * (away / FWHM) ** 2)
    lorentz = SHARE * FWHM  # Olivero and Longbothum's formula for the total, solved for the Gaussian's part
    gauss = np.sqrt((FWHM - 0.5346 * lorentz) ** 2 - 0.2166 * lorentz**2) / np.sqrt(8 * np.log(2))
    return voigt_profile(away, gauss, lorentz / 2) / voigt_profile(0, gauss, lorentz / 2)


def drawn(rng: np.random.Generator, shape: str) -> tuple[SpectralMap, np.ndarray, np.ndarray]:
    """A map whose noise hides how Lorentzian its line is, with the positions and heights."""
    position, height = POSITION + rng.uniform(-1, 1, SHAPE), HEIGHT * rng.uniform(0.8, 1.2, SHAPE)
    counts = 200 + height[..., None] * line(X - position[..., None], shape) + rng.normal(0, 40, (*SHAPE, len(X)))
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT), position, height


def fitted(source: SpectralMap, shape: str, **peak: object):
    return Deconvolve(peaks=(Peak(name="A", shape=shape, position=250, fwhm=8, window=(200, 300), **peak),), pixels="everywhere")(source)


@pytest.mark.parametrize("shape", ["voigt", "pseudo-voigt"])
def test_a_line_that_noise_makes_pure_is_as_good_as_another(shape: str) -> None:
    source, position, height = drawn(np.random.default_rng(5), shape)
    found = fitted(source, shape)
    assert (np.abs(found.form[0] - 0.5) > 0.499).mean() > 0.2  # as many would be at a bound
    assert (found.status == Status.OK).mean() > 0.99
    truths = {"position": position, "fwhm": FWHM, "height": height, "form": SHARE}
    for name, truth in truths.items():
        pulls = (getattr(found, name)[0] - truth) / getattr(found, f"{name}_error")[0]
        assert 0.7 < np.sqrt(np.mean(pulls**2)) < 1.2, name  # a form that cannot fall below 0 errs less than it might
        assert np.abs(pulls).max() < 5, name
    area, error = found.area[0], found.area_error[0]
    assert np.isfinite(error).all()
    far = np.sinh(np.linspace(-16, 16, 20001))  # a Lorentzian's tails reach far
    assert np.abs((area - height * np.trapezoid(line(far, shape), far)) / error).max() < 5


def test_a_bound_that_a_user_sets_is_still_told() -> None:
    source, *_ = drawn(np.random.default_rng(5), "voigt")
    found = fitted(source, "voigt", form_bounds=(0.4, 1.0))
    assert (found.status == Status.AT_BOUND).mean() > 0.3
