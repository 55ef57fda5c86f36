"""A map may be in any unit: PL per eV has numbers of a million, counts per second and milliwatt are small."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from napari_wse2xai import Baseline, ConvertAxis, Deconvolve, Despike, Peak
from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap, Status
from napari_wse2xai.stages.baseline import AsymmetricLeastSquares, PiecewiseLinear, Snip

AXIS = np.linspace(1.45, 2.0, 260)
LINES = ((1.69, 0.052), (1.63, 0.075))
"""Position and FWHM of an exciton and of what is bound to it, eV: 0.9 FWHM apart."""
WINDOW = (1.47, 1.90)


def gaussian(x: np.ndarray, position: float, fwhm: float, height: np.ndarray) -> np.ndarray:
    return height * np.exp(-4 * np.log(2) * ((x - position) / fwhm) ** 2)


def light(shape: tuple[int, int] = (9, 12)) -> tuple[np.ndarray, np.ndarray]:
    """Counts of a blend whose two heights vary over the map, and the heights (line, y, x)."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[: shape[0], : shape[1]]
    heights = np.stack([900 + 300 * np.sin(x / 4), 400 + 120 * np.cos(y / 3)])
    mean = 200 + sum(gaussian(AXIS, *line, height[..., None]) for line, height in zip(LINES, heights, strict=True))
    return rng.normal(mean, 12.0), heights


def fitted(counts: np.ndarray, *, unit: float = 1.0, along: float = 1.0, **settings: object) -> PeakMaps:
    """The blend, fitted from starts that are a little off; axis and counts in some unit."""
    source = SpectralMap.from_arrays((counts * unit).astype(np.float32), AXIS * along, AxisKind.ENERGY)
    window = (WINDOW[0] * along, WINDOW[1] * along)
    peaks = [
        Peak(name=name, shape="gaussian", position=(p + 0.004) * along, fwhm=w * 1.1 * along, window=window)
        for name, (p, w) in zip("XT", LINES, strict=True)
    ]
    return Deconvolve(peaks=tuple(peaks), **settings)(source)


@pytest.mark.parametrize(("unit", "along"), [(2.0**-30, 1.0), (2.0**20, 1.0), (1.0, 2.0**-9), (2.0**20, 2.0**-9), (2.0**-20, 2.0**10)])
def test_a_fit_is_the_same_in_every_unit(unit: float, along: float) -> None:
    counts, _ = light()
    plain, other = fitted(counts), fitted(counts, unit=unit, along=along)
    np.testing.assert_array_equal(other.peak_status, plain.peak_status)
    for name, by in (("position", along), ("fwhm", along), ("height", unit)):
        value, error = (getattr(plain, each).astype(float) for each in (name, f"{name}_error"))
        assert np.isfinite(error[np.isfinite(value)]).all()
        np.testing.assert_allclose(getattr(other, f"{name}_error") / by, error, rtol=0.03)
        assert np.nanmax(np.abs(getattr(other, name) / by - value) / error) < 0.1


@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_errors_of_a_blend_are_those_of_scipy_or_more(unit: float) -> None:
    counts, heights = light()
    found = fitted(counts, unit=unit, background="constant", position_penalty=0.0)
    inside = np.abs(AXIS - np.mean(WINDOW)) <= 0.5 * np.ptp(WINDOW)

    def model(x: np.ndarray, *p: float) -> np.ndarray:
        return gaussian(x, *p[:3]) + gaussian(x, *p[3:6]) + p[6]

    for pixel in ((2, 3), (7, 10)):
        start = [*LINES[0], heights[0][pixel], *LINES[1], heights[1][pixel], 200.0]
        _, covariance = curve_fit(model, AXIS[inside], counts[pixel][inside], p0=start)
        expected = np.sqrt(np.diag(covariance))[:6].reshape(2, 3) * [1, 1, unit]
        told = [getattr(found, f"{name}_error")[:, *pixel] for name in ("position", "fwhm", "height")]
        ratio = np.stack(told, 1) / expected
        assert 0.8 < ratio.min() <= ratio.max() < 1.6  # SciPy's are to first order, and too small where lines lie on one another


@pytest.mark.parametrize("unit", [2.0**-30, 2.0**9, 2.0**20])
def test_spikes_are_the_same_in_every_unit(unit: float) -> None:
    counts, _ = light((16, 21))
    rng = np.random.default_rng(4)
    for row, column, channel in zip(rng.integers(16, size=9), rng.integers(21, size=9), rng.integers(5, 250, size=9), strict=True):
        counts[row, column, channel : channel + 2] += [600, 250]
    marks = [Despike()(SpectralMap.from_arrays((counts * each).astype(np.float32), AXIS, AxisKind.ENERGY)).replaced for each in (1.0, unit)]
    assert len(marks[0]) >= 9
    np.testing.assert_array_equal(*marks)


def test_a_background_that_bends_under_a_blend_is_bent_although_errors_grow() -> None:
    rng, y, lines = np.random.default_rng(3), np.arange(9)[:, None], ((1.839, 0.0565), (1.752, 0.09))
    heights = 30_000 * np.stack([1 + 0.3 * np.sin(np.arange(12) / 4) + 0 * y, 0.2 + 0.05 * np.cos(y / 3) + np.zeros(12)])
    axis = np.linspace(1.5, 2.05, 400)
    mean = 2000 * (1.839 / axis) ** 2 + sum(gaussian(axis, *line, height[..., None]) for line, height in zip(lines, heights, strict=True))
    source = SpectralMap.from_arrays(rng.poisson(mean).astype(np.float32), axis, AxisKind.ENERGY)
    peaks = [Peak(name=n, shape="gaussian", position=p, fwhm=w, window=(1.53, 1.98)) for n, (p, w) in zip("XT", lines, strict=True)]
    found = Deconvolve(peaks=tuple(peaks))(source)
    assert (found.status == Status.OK).mean() > 0.95
    pull = (found.height - heights) / found.height_error
    assert np.abs(pull.mean(axis=(1, 2))).max() < 0.9
    assert 0.8 < pull.std() < 1.2


def test_the_detectors_dark_level_moves_no_line() -> None:
    counts, _ = light()
    counts /= 20  # weak lines, for which positions are pulled most
    plain, raised = fitted(counts), fitted(counts + 2048.0)
    there = np.isfinite(plain.position) & np.isfinite(raised.position)
    assert there.mean() > 0.5
    assert np.abs((raised.position - plain.position) / plain.position_error)[there].max() < 0.1


@pytest.mark.parametrize("to", ["eV", "abs. cm-1"])
@pytest.mark.parametrize("method", [PiecewiseLinear(), AsymmetricLeastSquares(), Snip()])
def test_a_dark_level_that_a_jacobian_bent_is_baseline(to: str, method: PiecewiseLinear | AsymmetricLeastSquares | Snip) -> None:
    measured = SpectralMap.from_arrays(np.full((2, 3, 180), 600.0), np.linspace(600, 830, 180), AxisKind.WAVELENGTH)
    converted = ConvertAxis(to=to)(measured)
    assert np.ptp(converted.counts[0, 0]) > 0.5 * converted.counts[0, 0].mean()
    left = Baseline(method=method)(converted).counts
    assert np.abs(left).max() < 1e-3 * converted.counts.mean()
