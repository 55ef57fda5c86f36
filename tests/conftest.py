"""Fixtures that every test may use."""

import gc
from pathlib import Path

import pytest

from learned import make_explanation, make_model, make_samples
from napari_wse2xai.data import Explanation, Level, PeakMaps, Samples, SpectralMap, TrainedModel
from napari_wse2xai.numerics import registration
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Peak
from napari_wse2xai.stages.baseline import PiecewiseLinear
from napari_wse2xai.synthetic import SyntheticFlake, make_flake

FIRST_ORDER, SECOND_ORDER = (183.0, 300.0), (314.0, 410.0)
EXPECTED_LINES = ((195, 10), (220.5, 10), (240, 9), (250, 4), (260, 9), (359.5, 9), (374, 9), (394.5, 9))


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was imported, which stays: napari's test viewer calls it several times for each test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real measurements that lie beside the repository in development and CI, but not in a user's clone."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder of real measurements (shared/data beside the repository) is not on this machine")
    return folder


@pytest.fixture(autouse=True)
def repeats(monkeypatch) -> None:
    """Find the error of a pairing from six repetitions of it, not forty, which take a second; tests of that error override this."""
    monkeypatch.setattr(registration, "REPEATS", 6)


@pytest.fixture(scope="session")
def triangle() -> SyntheticFlake:
    """THE flake: synthetic, with its truth."""
    return make_flake("triangle", seed=0)


@pytest.fixture(scope="session")
def clean_raman(triangle: SyntheticFlake) -> SpectralMap:
    """The triangle's Raman map after flake, despike and baseline."""
    found = FindFlake(window=FIRST_ORDER)(triangle.raman)
    return Baseline(method=PiecewiseLinear(areas=(FIRST_ORDER, SECOND_ORDER)))(Despike()(found))


@pytest.fixture(scope="session")
def deconvolve() -> Deconvolve:
    """The eight Lorentzians, expected a little off their true places."""
    return Deconvolve(
        peaks=tuple(
            Peak(name=f"L{position:g}", position=position, fwhm=fwhm, window=FIRST_ORDER if position < 305 else SECOND_ORDER)
            for position, fwhm in EXPECTED_LINES
        )
    )


@pytest.fixture(scope="session")
def raman_peaks(clean_raman: SpectralMap, deconvolve: Deconvolve) -> PeakMaps:
    """The triangle's Raman peak maps."""
    return deconvolve(clean_raman)


@pytest.fixture(scope="session")
def samples() -> Samples:
    """Some 200 pixels with three RS lines, whose PL height follows a law; see ``learned.py``."""
    return make_samples()


@pytest.fixture(scope="session")
def trained(samples: Samples) -> TrainedModel:
    """A model, made by hand, that may be interpreted."""
    return make_model(samples)


@pytest.fixture(scope="session")
def explanation(samples: Samples) -> Explanation:
    """What a model would say that has learnt the law exactly."""
    return make_explanation(samples)


@pytest.fixture(scope="session")
def doubtful(samples: Samples) -> Explanation:
    """The same under the verdict that it must not be interpreted."""
    return make_explanation(samples, level=Level.DO_NOT_INTERPRET)
