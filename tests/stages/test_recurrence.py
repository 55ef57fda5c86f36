"""Bright spots keep their lines: what stands out at one place of the spectrum again and again is no cosmic ray."""

from typing import Any

import dask.array
import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.numerics.recurrence import recurrent
from napari_wse2xai.stages import Despike
from napari_wse2xai.stages.despike import FirstDifference, Guarded

X = np.arange(200.0, 410.0, 0.7)
SHAPE = (24, 27)
NOISE = 7.0


def spots(wide: float, rng: np.random.Generator, *, share: float = 0.015) -> tuple[np.ndarray, np.ndarray]:
    """Counts (ny, nx, n) of a Lorentzian, so many channels wide, that is thirty times as high in single pixels, and which (ny, nx)."""
    bright = rng.random(SHAPE) < share
    across = (np.arange(21) - 10) / 21 * 0.7
    line = np.mean([1 / (1 + 4 * ((X + step - 300) / (0.7 * wide)) ** 2) for step in across], axis=0)
    return 100 + np.where(bright, 300, 10)[..., None] * line + NOISE * rng.normal(size=(*SHAPE, len(X))), bright


def despiked(counts: Any, **settings: object) -> SpectralMap:
    return Despike(**settings)(SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT))


@pytest.mark.parametrize("wide", [1.2, 2.0, 4.0])
def test_a_line_in_scattered_bright_pixels_keeps_its_top_and_cosmic_rays_go(wide):
    rng = np.random.default_rng(5)
    counts, bright = spots(wide, rng)
    rows, columns = np.nonzero(~bright)
    hit = rng.choice(len(rows), 20, replace=False)
    places = rows[hit], columns[hit], rng.integers(20, len(X) - 20, 20)
    spiked = counts.copy()
    spiked[places] += 500
    with pytest.warns(DataWarning, match="too often at the same places"):
        result = despiked(spiked)
    assert np.abs(result.counts - counts)[bright].max() < 4 * NOISE
    assert (np.abs(result.counts - counts)[places] < 6 * NOISE).mean() > 0.9
    assert result.repaired.sum() == len(result.replaced) < 60


@pytest.mark.filterwarnings("ignore:.*too often at the same places")
def test_a_lazy_map_gives_the_same_and_is_read_no_more_for_it(monkeypatch):
    counts = spots(2.0, np.random.default_rng(5))[0].astype(np.float32)
    loaded = []

    def load(block: np.ndarray) -> np.ndarray:
        loaded.append(len(block))
        return block

    blocks = dask.array.from_array(counts, chunks=(6, -1, -1))
    lazy = blocks.map_blocks(load, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))
    loaded.clear()
    assert np.array_equal(despiked(lazy).counts, despiked(counts).counts)
    often = sum(loaded)
    loaded.clear()
    monkeypatch.setattr(Guarded, "spares_what_recurs", False)
    despiked(lazy)
    assert often == sum(loaded)


def test_a_detector_pixel_that_flickers_is_still_repaired():
    rng = np.random.default_rng(6)
    counts = 100 + NOISE * rng.normal(size=(*SHAPE, len(X)))
    flickers = rng.random(SHAPE) < 0.02
    counts[flickers, 150] += 400
    assert np.abs(despiked(counts).counts[flickers, 150] - 100).max() < 8 * NOISE


def test_the_papers_filter_has_no_such_guard():
    counts, bright = spots(1.2, np.random.default_rng(5))
    assert despiked(counts, method=FirstDifference()).counts[bright, 142:144].max() < 250


def test_cosmic_rays_alone_hardly_ever_come_again():
    rng = np.random.default_rng(7)
    false = 0
    for _ in range(300):
        first = rng.integers(0, 399, rng.poisson(rng.choice([3, 40, 400])))
        wide = rng.random(len(first)) < 0.5
        false += recurrent(np.concatenate([first, first[wide] + 1]), 400).any()
    assert false <= 2
    assert recurrent(np.r_[np.full(5, 77), np.full(4, 78), 3, 200], 400).nonzero()[0].tolist() == [76, 77, 78, 79]
    assert not recurrent(np.full(50, 77), 400).any()
