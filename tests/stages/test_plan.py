"""A window's plan: the same fit wherever it is made, and a lazy map whose blocks are computed once."""

import ast
import pickle
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import dask.array
import numpy as np
import pytest

import napari_wse2xai
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import Cancelled
from napari_wse2xai.stages import Deconvolve, Despike, Peak, _bands, fitting_in
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._plan import Plan

X = np.linspace(200.0, 300.0, 161)
PEAKS = (
    Peak(name="A", position=236.0, fwhm=7.0, window=(205, 245)),
    Peak(name="B", position=228.0, fwhm=7.0, window=(205, 245), ties="fwhm = A.fwhm"),
    Peak(name="C", position=275.0, fwhm=6.0, window=(255, 295), shape="gaussian"),
)


@pytest.fixture(scope="module")
def source() -> SpectralMap:
    """Nine rows of seven spectra of three lines, with noise that numpy's generator made."""
    rng = np.random.default_rng(11)
    height = rng.uniform(0.6, 1.4, (9, 7, 1))
    lines = [h / (1 + (2 * (X - p) / 7.0) ** 2) for p, h in ((236.2, 500.0), (228.1, 200.0))]
    clean = height * (lines[0] + lines[1] + 300.0 * np.exp(-4 * np.log(2) * ((X - 274.7) / 6.0) ** 2)) + 50
    return SpectralMap.from_arrays(rng.normal(clean, 6.0).astype(np.float32), X, AxisKind.RAMAN_SHIFT)


def test_a_plan_that_travelled_fits_what_it_would_have_fitted_at_home(source):
    stage = Deconvolve(peaks=PEAKS)
    for window in stage._windows(source):
        spectra = Pixels(source, np.ones(source.frame.shape, dtype=bool), [window])
        plan, block = Plan.of(window, spectra, stage.terms), spectra.of(window, slice(None))
        before = block.copy()
        here, there = plan.fit(block), pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(plan)).fit(block)))
        assert np.array_equal(block, before)
        assert np.array_equal(here.found, there.found)
        assert np.array_equal(here.quality.error, there.quality.error, equal_nan=True)
        assert here.noise == there.noise


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_blocks_that_a_pool_fits_give_the_same_map(source, monkeypatch, kind):
    monkeypatch.setattr("napari_wse2xai.stages._pixels.CHUNK", 20)
    stage, shares = Deconvolve(peaks=PEAKS), []
    alone = stage(source)
    pool = ThreadPoolExecutor(2) if kind == "threads" else ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pool, fitting_in(pool):
        together = stage(source, lambda done, words: shares.append(done))
    for name in ("position", "fwhm", "height", "height_error", "reduced_chi2"):
        assert np.array_equal(getattr(alone, name), getattr(together, name), equal_nan=True), name
    assert np.array_equal(alone.status, together.status)
    assert shares == sorted(shares)
    assert len(set(shares)) > 4


def test_work_that_is_cancelled_in_a_pool_begins_no_more_blocks(source, monkeypatch):
    monkeypatch.setattr("napari_wse2xai.stages._pixels.CHUNK", 2)
    begun, fit, lock = [], Plan.fit, threading.Lock()

    def counting(self, block, *args):
        with lock:
            begun.append(len(block))
        return fit(self, block, *args)

    monkeypatch.setattr(Plan, "fit", counting)

    def progress(done, words):
        if done > 0:
            raise Cancelled

    with ThreadPoolExecutor(1) as pool, fitting_in(pool), pytest.raises(Cancelled):
        Deconvolve(peaks=PEAKS)(source, progress)
    assert 0 < len(begun) < 20  # of 2 x 32 blocks


@pytest.mark.parametrize("rows", [1, 4])
def test_every_block_of_a_lazy_map_is_computed_once(source, rows):
    computed: Counter[int] = Counter()

    def load(block, block_info=None):
        if block.size and block_info:
            computed[block_info[0]["chunk-location"][0]] += 1
        return block

    counts = dask.array.from_array(source.counts, chunks=(rows, -1, -1))
    lazy = replace(source, counts=counts.map_blocks(load, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32)))
    computed.clear()
    found, plain = (Deconvolve(peaks=PEAKS)(Despike()(each)) for each in (lazy, source))
    assert set(computed.values()) == {1}
    assert len(computed) == -(-9 // rows)
    assert np.array_equal(found.position, plain.position, equal_nan=True)


def test_a_lazy_map_is_computed_some_blocks_at_a_time_and_can_be_cancelled(source, monkeypatch):
    monkeypatch.setattr(_bands, "AT_ONCE", 2 * 3 * 50)
    made: list[int] = []

    def load(block):
        made.append(block.size)
        return block

    def stop(done):
        told.append((done, sum(made)))
        if done > 0.5:
            raise Cancelled

    counts = dask.array.from_array(source.counts, chunks=(2, 3, 50)).map_blocks(load, dtype=np.float32, meta=np.empty((0, 0, 0)))
    assert np.array_equal(_bands.computed_once(counts), source.counts)
    made.clear()
    told: list[tuple[float, int]] = []
    with pytest.raises(Cancelled):
        _bands.computed_once(counts, stop)
    assert len(told) > 5
    assert all(done == pytest.approx(size / source.counts.size) for done, size in told), "no block before it is wanted"


def test_no_stage_needs_one_that_needs_it():
    """Not for types either, and not inside functions: what two files need of each other belongs into a third."""
    folder = Path(napari_wse2xai.__file__).parent / "stages"
    needs = {
        path.stem: {
            node.module.split(".")[2]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("napari_wse2xai.stages.")
        }
        for path in folder.glob("*.py")
    }
    assert sum(map(len, needs.values())) > 100
    while free := {name for name, others in needs.items() if not others & set(needs)}:
        needs = {name: others for name, others in needs.items() if name not in free}
    assert not needs
