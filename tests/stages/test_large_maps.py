"""Maps on disk: read a band of rows at a time, with the results of those in memory."""

from dataclasses import replace
from types import SimpleNamespace

import dask.array
import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.io import read, stored, write_map
from napari_wse2xai.layers import to_layers
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.plots.mean_spectrum import draw_mean_spectrum
from napari_wse2xai.plots.spectra import SpectrumPlot
from napari_wse2xai.recipe import Chain
from napari_wse2xai.stages import (
    Baseline,
    Calibrate,
    ConvertAxis,
    CorrectResponse,
    Deconvolve,
    Despike,
    FindFlake,
    Normalise,
    Peak,
    _bands,
    _pixels,
)
from napari_wse2xai.stages.baseline import PiecewiseLinear
from napari_wse2xai.stages.correct_response import Spectrum
from napari_wse2xai.stages.despike import FirstDifference, Guarded
from napari_wse2xai.stages.references import KnownLine, OwnLines

BAND_ROWS = 4


@pytest.fixture(autouse=True)
def small_bands(monkeypatch, triangle):
    monkeypatch.setattr(_bands, "BAND", BAND_ROWS * triangle.raman.counts[0].size)
    monkeypatch.setattr(_bands, "AT_ONCE", BAND_ROWS * triangle.raman.counts[0].size)
    monkeypatch.setattr(_bands, "LARGE", 2**20)
    monkeypatch.setattr(_pixels, "CHUNK", 100)


@pytest.fixture
def stages():
    return (
        FindFlake(window=(183, 300)),
        Despike(),
        Baseline(method=PiecewiseLinear(areas=((150, 330), (330, 440)), margin=10)),
        Deconvolve(
            peaks=(Peak(name="A1'", position=250, fwhm=4, window=(235, 275)), Peak(name="2LA", position=260, fwhm=8, window=(235, 275)))
        ),
    )


def as_dask(source: SpectralMap, loaded: list[int]) -> SpectralMap:
    """The map with counts that say how many rows are computed at a time."""

    def load(block: np.ndarray) -> np.ndarray:
        if block.size:
            loaded.append(block.shape[0])
        return block

    counts = dask.array.from_array(source.counts, chunks=(1, -1, -1)).map_blocks(
        load, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32)
    )
    return SpectralMap.from_arrays(counts, source.axis.values, source.axis.kind, frame=source.frame, laser_nm=source.axis.laser_nm)


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """Numbers of lazy arrays that are computed at a time."""
    sizes: list[int] = []
    compute = dask.compute

    def counting(*arrays, **options):
        sizes.append(sum(array.size for array in arrays))
        return compute(*arrays, **options)

    monkeypatch.setattr(dask, "compute", counting)
    monkeypatch.setattr(dask.base, "compute", counting)
    return sizes


def test_a_dask_array_is_never_computed_whole(triangle, stages, asked):
    lazy = as_dask(triangle.raman, [])
    find, _, _, deconvolve = stages
    flake = find(lazy)
    peaks = deconvolve(flake)
    assert 0 < max(asked) <= BAND_ROWS * triangle.raman.counts[0].size
    assert sum(asked) == triangle.raman.counts.size, "each block once, for both"
    assert np.array_equal(flake.flake, find(triangle.raman).flake)
    expected = deconvolve(replace(triangle.raman, flake=flake.flake))
    assert np.allclose(peaks.position, expected.position, atol=1e-4, equal_nan=True)


def test_a_dask_array_goes_through_the_whole_chain(triangle, stages):
    loaded: list[int] = []
    lazy, plain = as_dask(triangle.raman, loaded), triangle.raman
    assert not loaded
    for stage in stages[:3]:
        lazy, plain = stage(lazy), stage(plain)
        assert np.allclose(np.asarray(lazy.counts), plain.counts, atol=1e-3)


def test_a_large_file_is_mapped_and_gives_the_same(triangle, stages, monkeypatch, tmp_path):
    write_map(triangle.raman, tmp_path / "large.nc")
    monkeypatch.setattr(stored, "LARGE", 2**20)
    mapped, plain = read(tmp_path / "large.nc"), triangle.raman
    assert isinstance(mapped.counts, StoredCounts)
    for stage in stages:
        mapped, plain = stage(mapped), stage(plain)
    assert np.array_equal(mapped.position, plain.position, equal_nan=True)


def test_a_compressed_file_is_taken_in_hand_by_the_first_stage(triangle, monkeypatch, tmp_path):
    import h5py

    write_map(triangle.raman, tmp_path / "small.nc")
    with h5py.File(tmp_path / "small.nc", "a") as file:
        values = file["counts"][()]
        del file["counts"]
        file.create_dataset("counts", data=values, compression="gzip", compression_opts=1)
    monkeypatch.setattr(stored, "LARGE", 2**20)
    found = read(tmp_path / "small.nc")
    assert isinstance(found.counts, StoredCounts)
    made = FindFlake()(found)
    assert isinstance(made.counts, np.ndarray)
    np.testing.assert_array_equal(made.counts, triangle.raman.counts)
    np.testing.assert_array_equal(made.flake, FindFlake()(triangle.raman).flake)


def test_axis_response_and_calibration_take_a_dask_array_in_pieces(triangle, monkeypatch, asked):
    rng = np.random.default_rng(3)
    x = triangle.raman.axis.values
    counts = lorentzian(x, 250.4, 4.0, 2000.0) + rng.normal(0, 10, (24, 10, len(x)))
    source = SpectralMap.from_arrays(counts, x, triangle.raman.axis.kind, laser_nm=532.0)
    monkeypatch.setattr(_bands, "AT_ONCE", BAND_ROWS * counts[0].size)
    response = Spectrum(axis=tuple(x), values=tuple(1 + 0.2 * np.sin(x / 50)))
    line = OwnLines(lines=(KnownLine(position=250.4),))
    for stage in (
        CorrectResponse(response=response),
        ConvertAxis(to="nm"),
        Calibrate(reference=line, pixels="everywhere"),
        Calibrate(reference=line, pixels="everywhere", drift="by rows"),
    ):
        lazy, plain = stage(as_dask(source, [])), stage(source)
        assert isinstance(lazy.counts, np.ndarray)
        largest = max(asked)
        assert np.allclose(np.asarray(lazy.counts), plain.counts, rtol=1e-5, equal_nan=True), stage
        assert lazy.axis.values == pytest.approx(plain.axis.values)
        assert 0 < largest <= source.counts.size / 4, stage
        asked.clear()


@pytest.mark.parametrize("method", [Guarded(), FirstDifference(threshold=6.0)], ids=["guarded", "first difference"])
@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
def test_a_chain_writes_over_what_only_it_has_and_gives_the_same(triangle, monkeypatch, method):
    counts = np.array(triangle.raman.counts[4:40, 4:24])
    counts[::5, 3, 40] = np.nan  # gaps, of which one lies on the border of two bands,
    counts[:, :, 77] = 500.0  # a stuck channel,
    counts[BAND_ROWS :: 2 * BAND_ROWS, 5, 120] += 5000.0  # and rays there that the rows beside must not see repaired
    source = SpectralMap.from_arrays(counts, triangle.raman.axis.values, triangle.raman.axis.kind, laser_nm=532.0)
    chain = Chain((FindFlake(window=(183, 300)), Despike(method=method), Baseline(), Normalise(exposure_s=2.0, power_mw=3.0)))
    before, one_by_one = counts.copy(), source
    for stage in chain.stages:
        one_by_one = stage(one_by_one)
    made: list[tuple[int, ...]] = []
    monkeypatch.setattr(_bands, "new_counts", lambda shape: made.append(shape) or np.empty(shape, dtype=np.float32))
    for given in (source, as_dask(source, [])):
        made.clear()
        found = chain.run(given).map
        assert made.count(counts.shape) == 1, "the chain's own, from the first stage that needs it"
        for name in ("counts", "repaired", "replaced", "bridged", "bad_channels", "saturated", "flake"):
            np.testing.assert_array_equal(getattr(found, name), getattr(one_by_one, name), err_msg=name)
    np.testing.assert_array_equal(counts, before)
    assert one_by_one.repaired.any()
    assert list(one_by_one.bad_channels) == [77]


def test_layers_and_pictures_take_a_dask_array(triangle, stages):
    lazy = as_dask(triangle.raman, [])
    layers = to_layers(lazy)
    assert hasattr(layers[0][0][0], "dask")  # one value of the slider: nothing is computed before it is drawn
    assert layers[0][1]["contrast_limits"] == to_layers(triangle.raman)[0][1]["contrast_limits"]
    figure = Figure()
    SpectrumPlot(figure.add_subplot()).show(lazy, 3, 4)
    draw_mean_spectrum(figure.add_subplot(), stages[0](lazy))


def test_places_all_over_a_map_in_a_file_are_read_few_at_a_time(triangle, monkeypatch):
    counts = _bands.new_counts(triangle.raman.counts.shape)
    counts[...] = triangle.raman.counts
    assert isinstance(counts, np.memmap)
    monkeypatch.setattr(_pixels, "SCATTERED", 10)
    held: list[int] = []  # places about which the system may have mapped the file, each time it is told that they can go
    picked = _pixels.Pixels._picked
    monkeypatch.setattr(_pixels.Pixels, "_picked", lambda self, rows, *rest: held.append(len(rows)) or picked(self, rows, *rest))
    pixels = _pixels.Pixels(replace(triangle.raman, counts=counts), triangle.raman.counts[..., 0] > -np.inf, [])
    rows = np.arange(3, len(pixels), 7)
    for channels in (slice(20, 90), np.array([3, 5, 40])):
        found = pixels.measured(SimpleNamespace(channels=channels), rows)
        np.testing.assert_array_equal(found, triangle.raman.counts.reshape(len(pixels), -1)[rows][:, channels])
    assert max(held) == 10
    assert pixels.measured(SimpleNamespace(channels=channels), rows[:0]).shape == (0, 3)
