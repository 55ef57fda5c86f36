"""Fixtures that every test may use."""

import gc
import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from learned import make_explanation, make_model, make_samples
from napari_wse2xai import progress
from napari_wse2xai.data import Explanation, Level, PeakMaps, Results, Samples, SpectralMap, TrainedModel
from napari_wse2xai.io import read_results
from napari_wse2xai.learning import kernel_search, network_training, teaching
from napari_wse2xai.numerics import registration
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Peak
from napari_wse2xai.stages.baseline import PiecewiseLinear
from napari_wse2xai.synthetic import SyntheticFlake, make_flake

FIRST_ORDER, SECOND_ORDER = (183.0, 300.0), (314.0, 410.0)
WHOLE_SEARCH = kernel_search.STEPS
EXPECTED_LINES = ((195, 10), (220.5, 10), (240, 9), (250, 4), (260, 9), (359.5, 9), (374, 9), (394.5, 9))


def pytest_configure() -> None:
    """Collect no garbage while tests are collected: what is imported stays, and a fifth of the time went into looking."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no arithmetic fail with a warning only: some of numpy's are of its own modules, which the settings do not catch."""
    for item in items:
        if item.path.parent.name in ("numerics", "stages"):
            item.add_marker(pytest.mark.filterwarnings("error::RuntimeWarning"), append=False)


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was imported, which stays: napari's test viewer calls it several times for each test."""
    gc.collect()
    gc.freeze()
    gc.enable()


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


@pytest.fixture(scope="session", autouse=True)
def short_lessons() -> Iterator[None]:
    """Teach networks in three batches an epoch and search kernels in a dozen steps; how well they learn is for `whole_lessons`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_training, "STEPS", 3)
        patch.setattr(kernel_search, "STEPS", 12)
        yield


@pytest.fixture(scope="module")
def whole_lessons(short_lessons: None) -> Iterator[None]:
    """Train as users do, in the tests of one file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_training, "STEPS", teaching.STEPS)
        patch.setattr(kernel_search, "STEPS", WHOLE_SEARCH)
        yield


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


@pytest.fixture(scope="session", autouse=True)
def no_traces(tmp_path_factory) -> Iterator[None]:
    """Keep the list of files that were opened lately out of the user's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def _fraction_of_the_whole(fraction: float, message: str) -> None:
    assert -1e-9 <= fraction <= 1 + 1e-9, (fraction, message)


@pytest.fixture(scope="session", autouse=True)
def told_fractions() -> Iterator[None]:
    """Let every call to which nobody listens be asked for fractions of the whole, wherever it has kept `silent` as its usual argument."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress.silent, "__code__", _fraction_of_the_whole.__code__)
        yield


@pytest.fixture(scope="session")
def every_result(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Everything that a run can give, of a few pixels."""
    path = tmp_path_factory.mktemp("every") / "results.nc"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "io" / "old" / "results_before_layouts.nc.gz").read_bytes()))
    return read_results(path)
