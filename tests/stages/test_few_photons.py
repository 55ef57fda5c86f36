"""Maps in which few photons are counted: most channels hold nothing, so that medians of noise are nought."""

import warnings

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Components, SpectralMap, Status
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.decomposition import channel_noise
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.numerics.noise import channel_sigma
from napari_wse2xai.stages import Baseline, Calibrate, Deconvolve, Despike, FindFlake, Peak
from napari_wse2xai.stages.component_peaks import peaks_of

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


def with_rays(dark: float, height: float) -> tuple[SpectralMap, np.ndarray]:
    """A map and where 20 of its channels got 60 counts more."""
    source = photons(dark, height)
    hit = np.zeros(source.counts.shape, dtype=bool)
    hit.reshape(-1, 200)[np.arange(0, 160, 8), np.arange(5, 65, 3)] = True
    source.counts[hit] += 60
    return source, hit


@pytest.mark.parametrize(("dark", "height"), [(0.005, 0.0), (0.05, 0.0), (0.05, 30.0), (0.3, 0.0), (0.5, 30.0)])
def test_photons_are_no_cosmic_rays(dark: float, height: float) -> None:
    source, hit = with_rays(dark, height)
    changed = Despike()(source).counts != source.counts
    assert changed[hit].all()
    assert (changed & ~hit & (source.counts > 0)).sum() <= 0.005 * np.count_nonzero(source.counts)


@pytest.mark.parametrize("dark", [0.02, 0.3])
def test_photons_of_a_spectrum_alone_are_no_cosmic_rays(dark: float) -> None:
    counts = np.random.default_rng(3).poisson(dark, (1, 1, 2000)).astype(np.float32)
    counts[0, 0, 77] += 60
    source = SpectralMap.from_arrays(counts, np.linspace(200, 300, 2000), AxisKind.RAMAN_SHIFT, name="alone")
    assert np.flatnonzero(Despike()(source).counts != counts).tolist() == [77]


@pytest.mark.parametrize("dark", [0.05, 0.1, 0.2, 0.35, 0.5])
def test_noise_of_few_photons_is_the_root_of_their_number(dark: float) -> None:
    """A median of noise in whole photons is too high by up to half; nought it was, where more than half of the channels count none."""
    counts = np.random.default_rng(2).poisson(dark, (50, 2000)).astype(np.float64)
    counts[:, 700] += 500  # a ray in each
    assert (channel_sigma(counts) / np.sqrt(dark)).min() > 0.9
    assert (channel_sigma(counts) / np.sqrt(dark)).max() < (1.25 if dark < 0.4 else 1.55)
    assert 0.9 < np.median(channel_noise(counts)) / np.sqrt(dark) < 1.55


def test_noise_of_more_photons_is_the_median_to_the_bit() -> None:
    counts = np.random.default_rng(2).poisson([[40.0], [0.1], [3.0]], (3, 2000)).astype(np.float64)
    counts[2, 5] = np.nan
    expected = 1.4826 * np.nanmedian(np.abs(np.diff(counts)), axis=-1) / np.sqrt(2.0)
    assert expected[1] == 0
    assert channel_sigma(counts)[[0, 2]].tolist() == expected[[0, 2]].tolist()


def test_dark_counts_of_a_single_spectrum_make_no_start_peaks() -> None:
    source = photons(0.3, 0.0, (1, 1))
    alone = Components(source.frame, source.axis, "k-means", ("1",), source.counts[0], np.ones(1))
    assert peaks_of(alone, 0) == ()


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("kind", ["a dead pixel where the height is fixed", "one count everywhere"])
def test_what_has_no_noise_makes_no_arithmetic_fail(kind: str) -> None:
    x = np.arange(200.0, 300.0, 0.6)
    counts = np.full((9, 11, len(x)), 7.0)
    if kind != "one count everywhere":
        counts += 500 / (1 + 4 * ((x - 250) / 3) ** 2) + np.random.default_rng(0).normal(0, 3, counts.shape)
        counts[2, 3] = 0
    fixed = {"height": 500.0, "fixed": "height"} if kind != "one count everywhere" else {}
    stage = Deconvolve(peaks=(Peak(name="A", position=250, fwhm=3, window=(210, 290), **fixed),), pixels="everywhere", background="linear")
    found = stage(SpectralMap.from_arrays(counts.astype(np.float32), x, AxisKind.RAMAN_SHIFT))
    ok = np.full(counts.shape[:2], bool(fixed))
    ok[2, 3] = False
    np.testing.assert_array_equal(found.status == Status.OK, ok)
